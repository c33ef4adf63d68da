/*
 * Writes the seeds of the corpus: small inputs that are right, for the fuzzer to spoil.
 *
 * They are made of what the unit tests know: terms of every tag, frames that a BEAM sent, games.
 * What libFuzzer finds beyond them is kept beside them (scripts/fuzz --keep).
 *
 * usage: fuzz_seeds CORPUS, whose folders are there
 */
#include <stdio.h>

#include "base/assert.h"
#include "base/bytes.h"
#include "dist/encoder.h"
#include "session/snapshot.h"
#include "unit/dist/recorded.h"
#include "unit/minotaur/support.h"

static const char *corpus;

/* Write a file of a head byte string and a term or other bytes. */
static void seed(const char *target, const char *name, struct cn_bytes head, struct cn_term rest)
{
    char path[4096];
    FILE *file = NULL;

    (void)snprintf(path, sizeof(path), "%s/%s/seed-%s", corpus, target, name);
    file = fopen(path, "wb");
    cn_assert(file != NULL);
    cn_assert(head.size == 0 || fwrite(head.data, 1, head.size, file) == head.size);
    cn_assert(rest.size == 0 || fwrite(rest.data, 1, rest.size, file) == rest.size);
    cn_assert(fclose(file) == 0);
}

static struct cn_bytes bytes_of(const void *data, size_t size)
{
    return (struct cn_bytes){data, size};
}

static struct cn_term from_hex(const char *hex)
{
    static uint8_t arena[65536];
    static size_t used;
    uint8_t *data = arena + used;
    size_t size = strlen(hex) / 2;

    cn_assert(size <= sizeof(arena) - used);
    for (size_t i = 0; i < size; i++) {
        char pair[3] = {hex[2 * i], hex[2 * i + 1], '\0'};

        data[i] = (uint8_t)strtoul(pair, NULL, 16);
    }
    used += size;
    return (struct cn_term){data, size};
}

/* Terms that a game is made of, and others of every tag; each alone and followed by the next. */
static void seed_terms(void)
{
    static const char *const hex[] = {
        "61ff",
        "62ffffffff",
        "463ff8000000000000",
        "77026f6b",
        "760003e282ac",
        "6400026f6b",
        "680261016a",
        "69000000036101680061ff",
        "6a",
        "6b0003010203",
        "6c00000002620000012c7701616a",
        "6c000000016101770161",
        "6c0000000161016c0000000161026a",
        "6d00000003616263",
        "4d0000000203ffa0",
        "6e0800ffffffffffffff7f",
        "6e0901000000000000000001",
        "7400000002770161610177016261ff",
        "74000000017400000001610161026a",
        "5877036140620000000a0000000b0000000c",
        "5977036140620000000a0000000c",
        "78770361406200000001000000010000000c",
        "5a0003770361406200000001000000020000000300000004",
        "7177056c6973747377036d61706102",
        ("700000003901000102030405060708090a0b0c0d0e0f000000010000000077016d61056201020304587703"
         "6140620000000a0000000b0000000c"),
    };
    const size_t count = sizeof(hex) / sizeof(hex[0]);

    for (size_t i = 0; i < count; i++) {
        struct cn_term one = from_hex(hex[i]);

        seed("term", text("%zu", i), bytes_of(one.data, one.size), from_hex(hex[(i + 1) % count]));
        seed("round_trip", text("%zu", i), bytes_of(NULL, 0), one);
    }
    seed("round_trip", "game", bytes_of(NULL, 0), term(rich_game));
    seed("term", "game", bytes_of(NULL, 0), term(rich_game));
}

/* Each recorded frame with its length, behind a tick; and alone, for its length to be put there. */
static void seed_frames(void)
{
    for (size_t i = 0; i < RECORDED_COUNT; i++) {
        struct cn_term frame = from_hex(recorded[i].hex);
        uint8_t head[] = {
            0, 0, 0, (uint8_t)i, 0, 0, 0, 0, 0, 0, (uint8_t)(frame.size >> 8), (uint8_t)frame.size};

        seed("frame", text("%zu", i), bytes_of(head, sizeof(head)), frame);
        head[0] = 0x80;
        seed("frame", text("alone-%zu", i), bytes_of(head, 4), frame);
    }
}

/* Append a frame, whole or (@cut) in three fragments, the second one of which is empty. */
static void append_frame(struct bytes *stream, struct cn_bytes frame, uint8_t number, bool cut)
{
    const uint8_t first[18] = {131, 'E', [9] = number, [17] = 3};
    const uint8_t second[22] = {0, 0, 0, 18, 131, 'F', [13] = number, [21] = 2};
    const uint8_t third[22] = {0, 0, 0, 19, 131, 'F', [13] = number, [21] = 1};

    cn_assert(bytes_append_u32(stream, (uint32_t)(frame.size + (cut ? 15 : 0))) == 0);
    if (!cut) {
        cn_assert(bytes_append(stream, frame.data, frame.size) == 0);
        return;
    }
    cn_assert(bytes_append(stream, first, sizeof(first)) == 0);
    cn_assert(bytes_append(stream, frame.data + 2, frame.size - 3) == 0);
    cn_assert(bytes_append(stream, second, sizeof(second)) == 0);
    cn_assert(bytes_append(stream, third, sizeof(third)) == 0);
    cn_assert(bytes_append(stream, frame.data + frame.size - 1, 1) == 0);
}

/* The recorded signals as a node of ours sends them to a peer with an atom cache and fragments. */
static void seed_streams(void)
{
    static const uint8_t head[] = {0x60, 0, 0, 7};
    struct encoder_scratch scratch;
    struct encoder encoder;
    struct bytes stream;

    encoder_scratch_init(&scratch);
    encoder_init(&encoder, FLAGS_OURS, &scratch);
    bytes_init(&stream, 0);
    for (size_t i = 0; i < RECORDED_COUNT; i++) {
        struct cn_term bytes = from_hex(recorded[i].hex);
        struct cn_term tuple, payload, message;
        struct encoded_frame encoded;
        struct control control;
        struct bytes frame;

        bytes_init(&frame, 0);
        cn_assert(frame_parse(bytes_of(bytes.data, bytes.size), &tuple, &payload) == 0);
        cn_assert(control_decode(tuple, payload, &control, &message) == 0);
        cn_assert(encoder_frame(&encoder, &control, message, NULL, &encoded) == 0);
        for (size_t k = 0; k < encoded.count; k++)
            cn_assert(bytes_append(&frame, encoded.parts[k].data, encoded.parts[k].size) == 0);
        append_frame(&stream, bytes_of(bytes_data(&frame) + 4, bytes_size(&frame) - 4), (uint8_t)i,
                     i % 3 == 1);
        bytes_deinit(&frame);
        seed("frame", text("stream-%zu", i), bytes_of(head, sizeof(head)),
             (struct cn_term){bytes_data(&stream), bytes_size(&stream)});
    }
    bytes_deinit(&stream);
    encoder_deinit(&encoder);
    encoder_scratch_deinit(&scratch);
}

/* Signals with a message each, under all four sets of flags. */
static void seed_signals(void)
{
    for (uint8_t flags = 0; flags < 4; flags++) {
        const uint8_t head[] = {1, 2, 3, flags};
        struct bytes signals;

        bytes_init(&signals, 0);
        for (uint8_t choice = 0; choice < 16; choice++) {
            struct cn_term message = choice % 4 == 0
                                         ? term("%{id: \"t\", adds: [1, 2], a: :b, c: {:d, 1.5}}")
                                         : from_hex("680277016177056f74686572");

            if (choice == 12)
                continue;
            cn_assert(bytes_append(&signals, &choice, 1) == 0);
            cn_assert(bytes_append(&signals, message.data, message.size) == 0);
            if (choice == 0 || choice == 7 || choice == 15)
                seed("signals", text("%u-%u", flags, choice), bytes_of(head, sizeof(head)),
                     (struct cn_term){bytes_data(&signals), bytes_size(&signals)});
        }
        bytes_deinit(&signals);
    }
}

/* Talks of an honest peer in both roles, with each answer to its name. */
static void seed_handshakes(void)
{
    static const uint8_t steps[] = {1, 3, 1, 4, 1, 5, 1, 6, 1, 0};
    static const uint8_t reflected[] = {1, 0, 1, 7, 1, 0};
    static const uint8_t spoilt[] = {0, 3, 0, 1, 's', 2, 5, 9, 3, 5, 9, 1, 1, 9};

    for (unsigned choice = 0; choice < 20; choice++) {
        uint8_t head[17] = {(uint8_t)choice, 'c', 'o', 'o', 'k', 'i', 'e'};

        seed("handshake", text("honest-%u", choice), bytes_of(head, sizeof(head)),
             (struct cn_term){steps, sizeof(steps)});
        seed("handshake", text("reflected-%u", choice), bytes_of(head, sizeof(head)),
             (struct cn_term){reflected, sizeof(reflected)});
        seed("handshake", text("spoilt-%u", choice), bytes_of(head, sizeof(head)),
             (struct cn_term){spoilt, sizeof(spoilt)});
    }
}

/*
 * Steps of the link protocol (see own_step and peer_step): our process 0 starts, the peer comes,
 * then one side links and unlinks while the other's word is on its way.
 */
static void seed_links(void)
{
#define BEGIN      0, 0, 0, 1, 0, 2
#define LINK       6, 0, 4
#define UNLINK     8, 0, 4
#define WATCH      10, 0, 4, 1
#define PEER_LINK  15, 0, 0
#define PEER_UNLNK 17, 0, 5
#define RIGHT_ACK  19, 0, 0
#define WRONG_ACK  19, 0, 125
#define PEER_EXIT  21, 0, 1
#define PEER_WATCH 3, 0, 3
#define PEER_DOWN  1, 0, 0
    static const uint8_t late_exit[] = {BEGIN, LINK, UNLINK, PEER_EXIT, RIGHT_ACK, PEER_LINK};
    static const uint8_t acks[] = {BEGIN,     LINK,      UNLINK,    WRONG_ACK,
                                   PEER_LINK, RIGHT_ACK, PEER_LINK, PEER_EXIT};
    static const uint8_t again[] = {BEGIN, LINK, UNLINK, LINK, RIGHT_ACK, PEER_LINK, PEER_EXIT};
    static const uint8_t both[] = {BEGIN, LINK, UNLINK, PEER_UNLNK, PEER_LINK, RIGHT_ACK, LINK};
    static const uint8_t down[] = {BEGIN, WATCH, PEER_WATCH, LINK, PEER_DOWN};

    seed("control", "late-exit", bytes_of(NULL, 0), (struct cn_term){late_exit, sizeof(late_exit)});
    seed("control", "acks", bytes_of(NULL, 0), (struct cn_term){acks, sizeof(acks)});
    seed("control", "again", bytes_of(NULL, 0), (struct cn_term){again, sizeof(again)});
    seed("control", "both", bytes_of(NULL, 0), (struct cn_term){both, sizeof(both)});
    seed("control", "down", bytes_of(NULL, 0), (struct cn_term){down, sizeof(down)});
}

/* Any bytes are steps. */
static void seed_steps(void)
{
    uint32_t state = 1;

    for (unsigned i = 0; i < 12; i++) {
        uint8_t steps[480];
        size_t size = 40 * (i + 1);

        for (size_t k = 0; k < size; k++) {
            state = state * 1664525 + 1013904223;
            steps[k] = (uint8_t)(state >> 24);
        }
        seed("control", text("%u", i), bytes_of(NULL, 0), (struct cn_term){steps, size});
    }
}

static void seed_epmd(void)
{
    seed("epmd", "registered", bytes_of("\1a", 2), from_hex("7600aabbccdd"));
    seed("epmd", "registered-old", bytes_of("\1a", 2), from_hex("7900aabb"));
    seed("epmd", "taken", bytes_of("\1a", 2), from_hex("790100ff"));
    seed("epmd", "found", bytes_of("\1a", 2), from_hex("7700112f4d00000600050001610000"));
    seed("epmd", "hidden", bytes_of("\2ab", 3), from_hex("7700112f48000006000500026162000178"));
    seed("epmd", "unknown", bytes_of("\1a", 2), from_hex("7701"));
}

static void seed_config(void)
{
    static const char flags[] =
        "--name\na@b\n--connect=c@d\n--connect\ne@f\n--listen=0.0.0.0:4711\n"
        "--hidden\n--log-format=json\n--log-level=debug\n"
        "--net-ticktime=60\n--cookie-file=x\n";
    static const char variables[] = "MINOTAUR_NODE_NAME=a@b.c\nMINOTAUR_NODE_CONNECT=c@d.e,f@g.h\n"
                                    "MINOTAUR_NODE_LISTEN=[::]:0\nMINOTAUR_NODE_HIDDEN=true\n"
                                    "ERL_EPMD_PORT=4369\nERL_EPMD_ADDRESS=127.0.0.1,::1\n"
                                    "MINOTAUR_ROUND_SECONDS=0\nMINOTAUR_DRAIN_SECONDS=30\n"
                                    "MINOTAUR_CAPACITY=10\nMINOTAUR_NODE_STDIN=lifeline\n";

    seed("config", "flags", bytes_of(flags, sizeof(flags) - 1), (struct cn_term){0});
    seed("config", "variables", bytes_of(variables, sizeof(variables) - 1), (struct cn_term){0});
    seed("config", "help", bytes_of("--help\n", 7), (struct cn_term){0});
}

/* The requests that a session is asked, one after the other. */
static struct cn_term requests(const char *first)
{
    struct cn_writer writer;
    struct cn_term made;

    cn_writer_init(&writer, 0);
    cn_write_term(&writer, term(first));
    cn_write_term(&writer, term(":get_game"));
    cn_write_term(&writer, term("{:register_attack, \"u1\", 2}"));
    cn_write_term(&writer, term("{:register_move, \"u2\", <1,0>}"));
    cn_write_term(&writer, term(":end_round"));
    cn_write_term(&writer, term("{:round_timer_expired, 4}"));
    cn_write_term(&writer, term(":end_round"));
    made = keep(cn_writer_term(&writer));
    cn_writer_free(&writer);
    return made;
}

static void seed_games(void)
{
    const char *small = with(plain_game, "board()",
                             "%{(0,0) => hex((0,0), :floor), (1,0) => hex((1,0), :floor),"
                             " (2,0) => hex((2,0), :wall)}");
    struct cn_term old = edited(edited(term(small), "events_log", NULL), "version", "1");

    seed("game", "small", bytes_of("\0", 1), requests(small));
    seed("game", "small-timed", bytes_of("\2", 1), requests(small));
    seed("game", "plain", bytes_of("\0", 1), term(plain_game));
    seed("game", "rich", bytes_of("\0", 1), requests(rich_game));
    seed("game", "version-1", bytes_of("\0", 1), old);
    seed("game", "version-2", bytes_of("\2", 1), edited(term(small), "version", "2"));
    seed("game", "version-3", bytes_of("\0", 1), edited(term(rich_game), "version", "3"));
    seed("game", "users", bytes_of("\1", 1),
         requests("[%{id: \"u1\", display_name: \"Ann\"}, %{id: \"u2\", display_name: \"Bo\"}]"));
    seed("game", "user", bytes_of("\3", 1), requests("[%{id: 1.5, display_name: \"\", hat: nil}]"));
}

static void seed_snapshots(void)
{
    struct snapshot snapshot = {.id = bytes_of("id", 2),
                                .code = bytes_of("code", 4),
                                .epoch = 7,
                                .version = UINT32_MAX,
                                .state_version = 4,
                                .state = term("%{id: \"t\", adds: [1, 2]}"),
                                .mailbox_digest = 3};
    uint8_t *data = NULL;
    size_t size = 0;

    cn_assert(snapshot_encode(&snapshot, &data, &size) == 0);
    seed("snapshot", "coded", bytes_of(NULL, 0), (struct cn_term){data, size});
    free(data);
    snapshot.code.size = 0;
    snapshot.state = term(rich_game);
    cn_assert(snapshot_encode(&snapshot, &data, &size) == 0);
    seed("snapshot", "game", bytes_of(NULL, 0), (struct cn_term){data, size});
    free(data);
    seed("snapshot", "beam", bytes_of(NULL, 0),
         from_hex("83740000000764000565706F6368610164000269646D00000001746400096A6F696E5F636F646564"
                  "00036E696C64000E6D61696C626F785F646967657374610064000573746174657400000004640004"
                  "616464736A64000762616C6C6173746D00000000640008646561646C696E65610064000269646D00"
                  "0000017464000D73746174655F76657273696F6E610264000776657273696F6E6102"));
}

int main(int argc, char **argv)
{
    cn_assert(argc == 2);
    corpus = argv[1];
    seed_terms();
    seed_frames();
    seed_streams();
    seed_signals();
    seed_handshakes();
    seed_links();
    seed_steps();
    seed_epmd();
    seed_config();
    seed_games();
    seed_snapshots();
    return 0;
}
