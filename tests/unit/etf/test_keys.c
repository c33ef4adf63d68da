/*
 * Twin keys: found in any form and anywhere in a term, and never missed or seen for what the keys
 * cost to compare; what would cost too much is refused.
 */
#include "etf/keys.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "etf/walk.h"

#include "support.h"

static void setup(void)
{
    mem_test_begin();
}

static void teardown(void)
{
    ck_assert_int_eq(mem_test_end(), 0);
}

static int check(struct cn_writer *writer)
{
    size_t size;
    int r;

    ck_assert_int_eq(cn_writer_error(writer), 0);
    r = etf_walk(writer->data, writer->size, NULL, &size);
    ck_assert(r != 0 || size == writer->size);
    cn_writer_free(writer);
    return r;
}

/* One key in two forms: as a BEAM writes it, and as it must read it too. */
START_TEST(twins_are_found_in_any_form)
{
    static const char *const maps[] = {
        "7400000002770161610177016161ff",           /* a, a */
        "7400000003770162610177016161017701626102", /* b, a, b */
        "74000000026101610161016102",               /* 1, 1 */
        "74000000026101610162000000016102",         /* 1 in five bytes */
        "7400000002610161016e0100016102",           /* 1 as a big integer */
        "740000000277016161016400016161ff",         /* a in Latin-1 */
        "7400000002770161610176000161610a",         /* a with a long length */
        "74000000026b0002010261016c000000026101610" /* "\1\2" as a list */
        "26a6102",
        "740000000268016101610169000000016101610a",   /* {1} as a large tuple */
        "74000000024d00000001080161016d0000000101610" /* <<1>> as a bitstring */
        "2",
        "74000000027400000002610161026103610461017400" /* %{1 => 2, 3 => 4} in both orders */
        "000002610361046101610261ff",
        "680174000000026a61016a6102",                         /* in a tuple */
        "6c0000000174000000026a61016a61026a",                 /* in a list */
        "6c0000000161016c00000001610274000000026a61016a6102", /* in its tail's tail */
        "7400000001610174000000026a61016a6102",               /* as a value */
        "740000000174000000026a61016a61026101",               /* as a key */
        "740000000274000000026a61016a6102610161016101",       /* as a key of two */
        ("700000004401000102030405060708090a0b0c0d0e0f000000010000000177016d6105620102030458770361"
         "40620000000a0000000b0000000c74000000026a61016a6102"), /* in what a fun closes over */
    };

    for (size_t i = 0; i < sizeof(maps) / sizeof(maps[0]); i++) {
        struct cn_term map = term_from_hex(maps[i]);
        size_t size = 0;

        ck_assert_msg(etf_walk(map.data, map.size, NULL, &size) == CN_E_TERM_TWINS, "%s", maps[i]);
    }
}
END_TEST

/* What only looks alike is no twin. */
START_TEST(others_are_left_alone)
{
    static const char *const maps[] = {
        "74000000026101610a463ff0000000000000610b",               /* 1, 1.0 */
        "740000000277016161016d00000001616102",                   /* a, "a" */
        "740000000274000000016101610261016801610161ff",           /* %{1 => 2}, {1} */
        "740000000277016261017701616102",                         /* b, a */
        "7400000003770161610177026161610277016261ff",             /* a, aa, b */
        "7400000002770261616101770161610a",                       /* aa, a */
        "6802740000000161016101740000000161016101",               /* in two maps */
        "740000000261017400000001610161016102740000000161016101", /* within each other */
    };

    for (size_t i = 0; i < sizeof(maps) / sizeof(maps[0]); i++) {
        struct cn_term map = term_from_hex(maps[i]);
        size_t size = 0;

        ck_assert_msg(etf_walk(map.data, map.size, NULL, &size) == 0, "%s", maps[i]);
    }
}
END_TEST

static void write_key(struct cn_writer *writer, int kind, uint32_t number)
{
    char name[16];

    (void)snprintf(name, sizeof(name), "k%u", number);
    if (kind == 0)
        cn_write_atom(writer, name);
    else if (kind == 1)
        cn_write_integer(writer, number);
    else if (kind == 2)
        cn_write_pid(writer, &(struct cn_pid){number % 4, 0, number, "n@h"});
    else {
        cn_write_tuple(writer, 2);
        cn_write_integer(writer, 5);
        cn_write_binary(writer, (struct cn_bytes){(uint8_t *)name, strlen(name)});
    }
}

/* Small maps and large ones, whatever their keys are, with the twin anywhere or nowhere. */
START_TEST(maps_of_all_sizes)
{
    static const uint32_t counts[] = {2, 3, 31, 32, 33, 300};

    for (int kind = 0; kind < 4; kind++) {
        for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
            uint32_t count = counts[i];

            for (uint32_t twin = 0; twin <= count; twin++) {
                struct cn_writer writer;

                cn_writer_init(&writer, 0);
                cn_write_map(&writer, count);
                for (uint32_t k = 0; k < count; k++) {
                    write_key(&writer, kind, (k == twin ? (k + 1) % count : k) * 37 % 1009);
                    cn_write_integer(&writer, k);
                }
                ck_assert_int_eq(check(&writer), twin == count ? 0 : CN_E_TERM_TWINS);
            }
        }
    }
}
END_TEST

/* Nest @levels maps of two keys, each the other's key, around @bytes of binary. */
static void write_nested(struct cn_writer *writer, uint32_t levels, size_t bytes)
{
    static uint8_t zeros[1 << 16];

    cn_writer_init(writer, 0);
    for (uint32_t i = 0; i < levels; i++)
        cn_write_map(writer, 2);
    cn_write_binary(writer, (struct cn_bytes){zeros, bytes});
    for (uint32_t i = 0; i < levels; i++) {
        cn_write_nil(writer);
        cn_write_integer(writer, 1);
        cn_write_nil(writer);
    }
}

/* Keys inside keys are hashed on each level: only so many bytes of them. */
START_TEST(keys_in_keys_are_bounded)
{
    struct cn_writer writer;

    write_nested(&writer, 200, 1 << 16);
    ck_assert_int_eq(check(&writer), 0);
    write_nested(&writer, 300, 1 << 16);
    ck_assert_int_eq(check(&writer), CN_E_TERM_LIMIT);
}
END_TEST

/* Hundreds of keys of one hash are compared, thousands are not. */
START_TEST(keys_of_one_hash_are_bounded)
{
    for (uint32_t count = 500; count <= 5000; count *= 10) {
        struct cn_writer writer;

        cn_writer_init(&writer, 0);
        cn_write_map(&writer, count);
        for (uint32_t i = 0; i < count; i++) {
            cn_write_pid(&writer, &(struct cn_pid){5, 0, i + 1, "n@h"});
            cn_write_nil(&writer);
        }
        ck_assert_int_eq(check(&writer), count == 500 ? 0 : CN_E_TERM_LIMIT);
    }
}
END_TEST

/* As many keys as are allowed, and one more. */
START_TEST(number_of_keys_is_bounded)
{
    for (uint32_t count = ETF_KEYS_MAX; count <= ETF_KEYS_MAX + 1; count++) {
        struct cn_writer writer;

        cn_writer_init(&writer, 0);
        cn_write_map(&writer, count);
        for (uint32_t i = 0; i < count; i++) {
            cn_write_integer(&writer, i);
            cn_write_nil(&writer);
        }
        ck_assert_int_eq(check(&writer), count == ETF_KEYS_MAX ? 0 : CN_E_TERM_LIMIT);
    }
}
END_TEST

/* Long keys of one hash are not compared: that would be sorting two large maps. */
START_TEST(long_twins_are_refused_unseen)
{
    struct cn_writer writer;

    cn_writer_init(&writer, 0);
    cn_write_map(&writer, 2);
    for (int key = 0; key < 2; key++) {
        cn_write_map(&writer, 20000);
        for (uint32_t i = 0; i < 20000; i++) {
            cn_write_integer(&writer, key == 0 ? i : 19999 - i);
            cn_write_nil(&writer);
        }
        cn_write_nil(&writer);
    }
    ck_assert_int_eq(check(&writer), CN_E_TERM_LIMIT);
}
END_TEST

/* Every allocation fails once: an error, and nothing is left behind. */
START_TEST(no_memory)
{
    struct cn_writer writer;
    size_t nth = 1;
    int r;

    cn_writer_init(&writer, 0);
    cn_write_map(&writer, 100);
    for (uint32_t i = 0; i < 100; i++) {
        cn_write_integer(&writer, i);
        cn_write_nil(&writer);
    }
    for (;; nth++) {
        mem_test_fail(nth);
        r = etf_keys_check(writer.data, writer.size);
        if (!mem_test_failed())
            break;
        ck_assert_int_eq(r, -ENOMEM);
    }
    ck_assert_int_eq(r, 0);
    ck_assert_uint_gt(nth, 3);
    mem_test_fail(0);
    cn_writer_free(&writer);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("keys");
    TCase *tcase = tcase_create("keys");

    tcase_set_timeout(tcase, 60);
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, twins_are_found_in_any_form);
    tcase_add_test(tcase, others_are_left_alone);
    tcase_add_test(tcase, maps_of_all_sizes);
    tcase_add_test(tcase, keys_in_keys_are_bounded);
    tcase_add_test(tcase, keys_of_one_hash_are_bounded);
    tcase_add_test(tcase, number_of_keys_is_bounded);
    tcase_add_test(tcase, long_twins_are_refused_unseen);
    tcase_add_test(tcase, no_memory);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
