/*
 * Snapshots: bytes that a BEAM wrote are read, what we write reads back, figures are those of a
 * BEAM.
 */
#include <errno.h>
#include <string.h>

#include "base/alloc.h"
#include "session/snapshot.h"
#include "unit/session/main.h"

/*
 * term_to_binary(#{id => <<"t">>, join_code => nil, epoch => 1, version => 2, state_version => 2,
 * state => #{id => <<"t">>, deadline => 0, adds => [], ballast => <<>>}, mailbox_digest => 0}), its
 * crypto:hash(blake2b, _), and phash2(State, 4294967296), from OTP 25.
 */
static const char beam_snapshot[] =
    "83740000000764000565706F6368610164000269646D00000001746400096A6F696E5F636F64656400036E696C6400"
    "0E6D61696C626F785F646967657374610064000573746174657400000004640004616464736A64000762616C6C6173"
    "746D00000000640008646561646C696E65610064000269646D000000017464000D73746174655F76657273696F6E61"
    "0264000776657273696F6E6102";
static const char beam_digest[] =
    "248BE85FD68F67FE7DAA1A1925B1B32CD1C7925CB494B41DBEEB9B6D39037BBAB3AB82EF3203FFFEFBA31847A366A9"
    "56B3009A00670ED72A53057E559ABFD635";
#define BEAM_HASH 2905706996u

static size_t from_hex(const char *hex, uint8_t *bytes)
{
    size_t size = strlen(hex) / 2;

    for (size_t i = 0; i < size; i++) {
        char pair[3] = {hex[2 * i], hex[2 * i + 1], '\0'};

        bytes[i] = (uint8_t)strtoul(pair, NULL, 16);
    }
    return size;
}

/* A snapshot that a BEAM wrote is read, with its digest and its hash. */
START_TEST(reads_what_a_beam_writes)
{
    uint8_t bytes[512], digest[64], own[64];
    size_t size = from_hex(beam_snapshot, bytes);
    struct snapshot snapshot;

    ck_assert_uint_eq(from_hex(beam_digest, digest), 64);
    snapshot_digest(bytes, size, own);
    ck_assert_mem_eq(own, digest, 64);
    ck_assert_int_eq(snapshot_decode(bytes, size, &snapshot), 0);
    ck_assert_uint_eq(snapshot.id.size, 1);
    ck_assert_uint_eq(snapshot.code.size, 0);
    ck_assert_uint_eq(snapshot.epoch, 1);
    ck_assert_uint_eq(snapshot.version, 2);
    ck_assert_uint_eq(snapshot.state_version, 2);
    ck_assert_uint_eq(snapshot_hash(snapshot.state), BEAM_HASH);
}
END_TEST

/* The hash does not depend on who encoded the state. */
START_TEST(hash_is_of_the_meaning)
{
    ck_assert_uint_eq(snapshot_hash(cluster_toy("t")), BEAM_HASH);
}
END_TEST

/* What we write we read; a join code is kept. */
START_TEST(round_trip)
{
    struct snapshot snapshot = {.id = view("id"),
                                .code = view("code"),
                                .epoch = 7,
                                .version = UINT32_MAX,
                                .state_version = 4,
                                .state = atom("s"),
                                .mailbox_digest = 3};
    struct snapshot read;
    uint8_t *data;
    size_t size;

    ck_assert_int_eq(snapshot_encode(&snapshot, &data, &size), 0);
    ck_assert_int_eq(snapshot_decode(data, size, &read), 0);
    ck_assert_uint_eq(read.code.size, 4);
    ck_assert_uint_eq(read.epoch, 7);
    ck_assert_uint_eq(read.version, UINT32_MAX);
    ck_assert_uint_eq(read.mailbox_digest, 3);
    ck_assert_str_eq(show(read.state), "s");
    mem_free(data);
}
END_TEST

/* Every cut of a snapshot, and every missing key, is an error. */
START_TEST(bad_bytes)
{
    uint8_t bytes[512];
    size_t size = from_hex(beam_snapshot, bytes);
    struct snapshot snapshot;

    for (size_t cut = 0; cut < size; cut++)
        ck_assert_int_gt(snapshot_decode(bytes, cut, &snapshot), 0);
    ck_assert_int_gt(snapshot_decode((const uint8_t *)"\x83t\0\0\0\0", 6, &snapshot), 0);
    ck_assert_int_gt(snapshot_decode((const uint8_t *)"\x83j", 2, &snapshot), 0);
}
END_TEST

/* Chunks cover the bytes, each but the last full. */
START_TEST(chunks)
{
    static uint8_t data[140000];

    ck_assert_uint_eq(snapshot_chunks(1), 1);
    ck_assert_uint_eq(snapshot_chunks(65536), 1);
    ck_assert_uint_eq(snapshot_chunks(65537), 2);
    ck_assert_uint_eq(snapshot_chunks(sizeof(data)), 3);
    ck_assert_uint_eq(snapshot_chunk(data, sizeof(data), 1).size, 65536);
    ck_assert_uint_eq(snapshot_chunk(data, sizeof(data), 2).size, 140000 - 2 * 65536);
    ck_assert_ptr_eq(snapshot_chunk(data, sizeof(data), 2).data, data + 2 * 65536);
}
END_TEST

/* Encoding without memory leaves nothing behind. */
START_TEST(survives_without_memory)
{
    struct snapshot snapshot = {.id = view("id"), .state = atom("s")};
    uint8_t *data = NULL;
    size_t size;

    mem_test_begin();
    for (size_t i = 1;; i++) {
        mem_test_fail(i);
        if (snapshot_encode(&snapshot, &data, &size) == 0)
            break;
        ck_assert_int_eq(mem_test_live(), 0);
    }
    mem_free(data);
    ck_assert_int_eq(mem_test_end(), 0);
}
END_TEST

int main(void)
{
    TCase *tests;
    Suite *suite = suite_of("snapshot", &tests);

    tcase_add_test(tests, reads_what_a_beam_writes);
    tcase_add_test(tests, hash_is_of_the_meaning);
    tcase_add_test(tests, round_trip);
    tcase_add_test(tests, bad_bytes);
    tcase_add_test(tests, chunks);
    tcase_add_test(tests, survives_without_memory);
    return run_suite(suite);
}
