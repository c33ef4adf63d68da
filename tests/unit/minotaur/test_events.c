/*
 * The log while a round ends: ids, viewers, gaps, and the limit on work.
 *
 * These are the parts; what a round makes of them is in test_round.c.
 */
#include "support.h"

#include <errno.h>

#include "minotaur/events.h"

static struct game *game;
static struct chronicle log_;

static void begin(const char *game_text)
{
    game = imported(game_text);
    log_ = (struct chronicle){.game = game, .work_left = EVENTS_WORK_MAX};
}

static const struct event attacked = {
    .kind = EVENT_ATTACKED, .player_id = 1, .target_id = 2, .round = 3};

/* Ids count the events; the event's own id is set. */
START_TEST(ids)
{
    int64_t id;

    begin(plain_game);
    for (int64_t i = 0; i < 50; i++) {
        ck_assert_int_eq(events_add(&log_, &attacked, &id), 0);
        ck_assert_int_eq(id, i);
        ck_assert_int_eq(game->events[i].id, i);
    }
    game_free(game);
}
END_TEST

/* In a log with gaps an event whose id is taken replaces, one below others is inserted. */
START_TEST(log_with_gaps)
{
    int64_t id;

    begin(with(plain_game, "events: %{}",
               "events: %{1 => attacked(1, 7, 8, 1), 9 => attacked(9, 7, 8, 1)}"));
    ck_assert_int_eq(events_add(&log_, &attacked, &id), 0); /* 2 events: id 2 */
    ck_assert_int_eq(events_add(&log_, &attacked, &id), 0); /* 3 events: id 3 */
    assert_term(at(exported(game), "events_log/events"),
                "%{1 => attacked(1, 7, 8, 1), 2 => attacked(2, 1, 2, 3), 3 => attacked(3, 1, 2, 3),"
                " 9 => attacked(9, 7, 8, 1)}");
    game_free(game);

    begin(with(plain_game, "events: %{}", "events: %{1 => attacked(1, 7, 8, 1)}"));
    ck_assert_int_eq(events_add(&log_, &attacked, &id), 0);
    ck_assert_int_eq(events_add(&log_, &attacked, &id), 0);
    ck_assert_int_eq(id, 1);
    assert_term(at(exported(game), "events_log/events"), "%{1 => attacked(1, 1, 2, 3)}");
    game_free(game);
}
END_TEST

/* A viewer's list gets the id in front; a viewer without a list gets one. */
START_TEST(showing)
{
    begin(plain_game);
    ck_assert_int_eq(events_show(&log_, 2, 4), 0);
    ck_assert_int_eq(events_show(&log_, 2, 5), 0);
    ck_assert_int_eq(events_show(&log_, -1, 5), 0);
    ck_assert_int_eq(events_show(&log_, 99, 5), 0);
    assert_term(at(exported(game), "events_log/events_visible_by_player"),
                "%{-1 => [5], 1 => [], 2 => [5, 4], 3 => [], 99 => [5]}");
    game_free(game);
}
END_TEST

/* Everybody in the hex sees; without anybody the event is there all the same. */
START_TEST(seen_from_a_hex)
{
    begin(plain_game);
    ck_assert_int_eq(events_add_seen_from(&log_, &attacked, (struct coord){0, 0}), 0);
    ck_assert_int_eq(events_add_seen_from(&log_, &attacked, (struct coord){9, 9}), 0);
    ck_assert_uint_eq(game->event_count, 2);
    assert_term(at(exported(game), "events_log/events_visible_by_player"),
                "%{1 => [0], 2 => [0], 3 => []}");
    game_free(game);
}
END_TEST

/* Left behind is who stood there before and is not at the destination now. */
START_TEST(left_behind)
{
    struct coord before[3] = {{5, 5}, {5, 5}, {6, 6}};

    begin(plain_game);
    ck_assert_int_eq(events_add_left_behind(&log_, &attacked, before, (struct coord){5, 5},
                                            (struct coord){0, 0}),
                     0);
    ck_assert_uint_eq(game->event_count, 0);
    ck_assert_int_eq(events_add_left_behind(&log_, &attacked, before, (struct coord){6, 6},
                                            (struct coord){0, 0}),
                     0);
    assert_term(at(exported(game), "events_log/events_visible_by_player"),
                "%{1 => [], 2 => [], 3 => [0]}");
    game_free(game);
}
END_TEST

/* Work is counted, and there is an end to it. */
START_TEST(work_is_limited)
{
    int64_t id;

    begin(plain_game);
    log_.work_left = 4;
    ck_assert_int_eq(events_charge(&log_, 3), 0);
    ck_assert_int_eq(events_charge(&log_, 2), -E2BIG);
    ck_assert_int_eq(events_add(&log_, &attacked, &id), 0);
    ck_assert_int_eq(events_add(&log_, &attacked, &id), -E2BIG);
    ck_assert_int_eq(events_show(&log_, 1, 0), -E2BIG);
    ck_assert_int_eq(events_show(&log_, 99, 0), -E2BIG);
    ck_assert_int_eq(events_add_seen_from(&log_, &attacked, (struct coord){0, 0}), -E2BIG);
    game_free(game);
}
END_TEST

TEST_MAIN("events", ids, log_with_gaps, showing, seen_from_a_hex, left_behind, work_is_limited)
