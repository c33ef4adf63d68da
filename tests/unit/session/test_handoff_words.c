/*
 * The words of a handoff: written as PROTOCOL.md says, read when they are exactly so.
 */
#include "session/handoff_words.h"
#include "unit/session/main.h"

static struct cn_ref transfer;

static const char *written(struct handoff_message message)
{
    struct cn_writer writer;
    const char *text;

    procs_make_ref(world_procs(&cluster.world, 0), &transfer);
    transfer.words[0] = 5;
    message.transfer = transfer;
    cn_writer_init(&writer, 0);
    handoff_write(&writer, &message);
    ck_assert_int_eq(cn_writer_error(&writer), 0);
    ck_assert_int_eq(handoff_word(cn_writer_term(&writer)), message.word);
    text = show(cn_writer_term(&writer));
    cn_writer_free(&writer);
    return text;
}

/* Every word has its shape. */
START_TEST(shapes)
{
    struct cn_pid pid = {.id = 7, .creation = 1, .node = "b@world"};

    ck_assert_str_eq(written((struct handoff_message){
                         .word = HANDOFF_STATE, .index = 1, .count = 2, .bytes = view("abc")}),
                     "{handoff_state,#Ref<a.5>,1,2,<<abc>>}");
    ck_assert_str_eq(
        written((struct handoff_message){.word = HANDOFF_DIGEST, .bytes = view("d"), .hash = 9}),
        "{handoff_digest,#Ref<a.5>,<<d>>,9}");
    ck_assert_str_eq(written((struct handoff_message){.word = HANDOFF_READY, .pid = pid}),
                     "{handoff_ready,#Ref<a.5>,<b.7.0>}");
    ck_assert_str_eq(
        written((struct handoff_message){.word = HANDOFF_REFUSE, .reason = atom("full")}),
        "{handoff_refuse,#Ref<a.5>,full}");
    ck_assert_str_eq(written((struct handoff_message){.word = HANDOFF_ACTIVATE}),
                     "{handoff_activate,#Ref<a.5>}");
    ck_assert_str_eq(written((struct handoff_message){.word = HANDOFF_ACTIVE, .epoch = 3}),
                     "{handoff_active,#Ref<a.5>,3}");
    ck_assert_str_eq(written((struct handoff_message){.word = HANDOFF_CANCEL}),
                     "{handoff_cancel,#Ref<a.5>}");
}
END_TEST

/* What is not exactly a word is none. */
START_TEST(others_are_none)
{
    static const char *const others[] = {
        "handoff_state", "{handoff_state}", "{handoff_cancel,1,2}", "{handoff,1}", "{1,2}",
        "[a]",           "{$gen_call,x,y}",
    };

    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
        ck_assert_int_eq(handoff_word(parse(others[i])), HANDOFF_NONE);
}
END_TEST

/* A word whose elements make no sense is not read. */
START_TEST(bad_elements)
{
    struct handoff_message message;
    struct cn_ref ref;

    procs_make_ref(world_procs(&cluster.world, 0), &ref);
    ck_assert(!handoff_read(parse("{handoff_cancel,1}"), &message));
    ck_assert(!handoff_read(parse_with("{handoff_state,%r,-1,2,<<\"a\">>}", &ref), &message));
    ck_assert(!handoff_read(parse_with("{handoff_state,%r,0,2,a}", &ref), &message));
    ck_assert(!handoff_read(parse_with("{handoff_digest,%r,a,1}", &ref), &message));
    ck_assert(!handoff_read(parse_with("{handoff_ready,%r,a}", &ref), &message));
    ck_assert(!handoff_read(parse_with("{handoff_active,%r,a}", &ref), &message));
    ck_assert(handoff_read(parse_with("{handoff_active,%r,4}", &ref), &message));
    ck_assert_uint_eq(message.epoch, 4);
    ck_assert(cn_ref_equal(&message.transfer, &ref));
}
END_TEST

int main(void)
{
    TCase *tests;
    Suite *suite = suite_of("handoff_words", &tests);

    tcase_add_test(tests, shapes);
    tcase_add_test(tests, others_are_none);
    tcase_add_test(tests, bad_elements);
    return run_suite(suite);
}
