/*
 * Bodies: encoded once, shared until the last user lets go, and the same term in both forms.
 */
#include "support.h"

#include <errno.h>
#include <stdio.h>

#include "base/alloc.h"
#include "etf/body.h"
#include "etf/expand.h"

/* A list of @count different atoms, each twice. */
static struct etf_body *make(unsigned count)
{
    struct cn_writer writer;
    struct etf_body *body;

    cn_writer_init(&writer, 0);
    cn_write_list(&writer, 2 * count);
    for (unsigned i = 0; i < 2 * count; i++) {
        char text[16];

        (void)snprintf(text, sizeof(text), "a%u", i / 2);
        cn_write_atom(&writer, text);
    }
    cn_write_nil(&writer);
    ck_assert_int_eq(etf_body_new(&writer, &body), 0);
    ck_assert_uint_eq(writer.size, 0);
    return body;
}

static void both_forms_are_one_term(unsigned count)
{
    struct etf_body *body = make(count);
    struct cn_bytes texts[ETF_BODY_ATOMS_MAX];
    struct cn_writer writer;
    struct cn_term term;
    size_t used;

    ck_assert_int_eq(etf_body_index(body), 0);
    ck_assert_int_eq(etf_body_index(body), 0);
    ck_assert_uint_eq(body->atom_count, count < 200 ? count : 200);
    for (uint32_t i = 0; i < body->atom_count; i++)
        texts[i] = body->atoms[i].text;
    cn_writer_init(&writer, 0);
    ck_assert_int_eq(etf_expand(body->indexed.data, body->indexed.size, texts, body->atom_count,
                                &writer, &term, &used),
                     0);
    ck_assert(cn_term_equal(term, body->plain));
    cn_writer_free(&writer);
    etf_body_put(body);
}

/* With few atoms, just as many as there is room for, and more. */
START_TEST(forms_agree)
{
    both_forms_are_one_term(1);
    both_forms_are_one_term(199);
    both_forms_are_one_term(200);
    both_forms_are_one_term(201);
    both_forms_are_one_term(1000);
}
END_TEST

/* The memory goes with the last owner. */
START_TEST(owners_share)
{
    struct etf_body *body;

    mem_test_begin();
    body = make(3);
    shared_take(&body->shared);
    ck_assert_int_eq(etf_body_index(body), 0);
    etf_body_put(body);
    ck_assert_int_gt(mem_test_live(), 0);
    ck_assert_uint_gt(body->plain.size, 0);
    ck_assert_ptr_null(etf_body_put(body));
    ck_assert_ptr_null(etf_body_put(NULL));
    ck_assert_int_eq(mem_test_end(), 0);
}
END_TEST

/* Without memory the writer keeps its term, and a body its plain form. */
START_TEST(no_memory)
{
    struct cn_writer writer;
    struct etf_body *body;

    mem_test_begin();
    cn_writer_init(&writer, 0);
    ck_assert_int_eq(etf_body_new(&writer, &body), -EINVAL);
    cn_write_atom(&writer, "ok");
    mem_test_fail(1);
    ck_assert_int_eq(etf_body_new(&writer, &body), -ENOMEM);
    ck_assert_uint_eq(writer.size, 4);
    ck_assert_int_eq(etf_body_new(&writer, &body), 0);
    for (size_t nth = 1; nth <= 2; nth++) {
        mem_test_fail(nth);
        ck_assert_int_eq(etf_body_index(body), -ENOMEM);
        ck_assert_uint_eq(body->indexed.size, 0);
    }
    ck_assert_int_eq(etf_body_index(body), 0);
    etf_body_put(body);
    ck_assert_int_eq(mem_test_end(), 0);
}
END_TEST

static const char *const texts[] = {"ok", "never_used"};
static const struct cn_words words = {2, texts};

/* {ok, [Value]}: @value NULL is the word ok. */
static struct etf_body *make_of_words(const char *value)
{
    struct cn_writer writer;
    struct etf_body *body;

    cn_writer_init(&writer, 0);
    cn_writer_use_words(&writer, &words);
    cn_write_tuple(&writer, 2);
    cn_write_word(&writer, &words, 0);
    cn_write_list(&writer, 1);
    if (value == NULL)
        cn_write_word(&writer, &words, 0);
    else
        cn_write_atom(&writer, value);
    cn_write_nil(&writer);
    ck_assert_int_eq(etf_body_new(&writer, &body), 0);
    return body;
}

/* What is written with words alone is indexed as it is, and made plain when that is wanted. */
START_TEST(words_are_the_table)
{
    struct etf_body *body;

    mem_test_begin();
    body = make_of_words(NULL);
    ck_assert_uint_eq(body->plain.size, 0);
    ck_assert_int_eq(etf_body_index(body), 0);
    ck_assert_ptr_eq(body->words, &words);
    ck_assert_uint_eq(body->atom_count, 2);
    ck_assert_mem_eq(body->indexed.data, "h\2R\0l\0\0\0\1R\0j", 12);
    mem_test_fail(1);
    ck_assert_int_eq(etf_body_plain(body), -ENOMEM);
    ck_assert_int_eq(etf_body_plain(body), 0);
    ck_assert_mem_eq(body->plain.data, "h\2w\2okl\0\0\0\1w\2okj", 16);
    etf_body_put(body);
    ck_assert_int_eq(mem_test_end(), 0);
}
END_TEST

/* With any other atom in it, all its atoms are its table. */
START_TEST(other_atoms_are_found)
{
    struct etf_body *body;

    mem_test_begin();
    body = make_of_words("else");
    ck_assert_mem_eq(body->plain.data, "h\2w\2okl\0\0\0\1w\4elsej", 18);
    ck_assert_int_eq(etf_body_index(body), 0);
    ck_assert_ptr_null(body->words);
    ck_assert_uint_eq(body->atom_count, 2);
    ck_assert_mem_eq(body->indexed.data, "h\2R\0l\0\0\0\1R\1j", 12);
    etf_body_put(body);
    ck_assert_int_eq(mem_test_end(), 0);
}
END_TEST

/* A term deeper than any that comes in (it lies inside one) is written all the same. */
START_TEST(deep_terms_are_no_error)
{
    struct cn_writer writer;
    struct etf_body *body;

    cn_writer_init(&writer, 0);
    cn_writer_use_words(&writer, &words);
    for (int i = 0; i < 2000; i++)
        cn_write_tuple(&writer, 1);
    cn_write_word(&writer, &words, 0);
    ck_assert_int_eq(etf_body_new(&writer, &body), 0);
    ck_assert_int_eq(etf_body_plain(body), 0);
    ck_assert_uint_eq(body->plain.size, 4004);
    etf_body_put(body);
}
END_TEST

/* A large binary is not copied for the sake of an atom beside it; many atoms are worth it. */
START_TEST(mostly_bytes_is_one_form)
{
    for (int atoms = 0; atoms < 2; atoms++) {
        struct cn_writer writer;
        struct etf_body *body;
        uint8_t *room;

        mem_test_begin();
        cn_writer_init(&writer, 0);
        cn_write_tuple(&writer, 2);
        if (atoms == 0)
            cn_write_atom(&writer, "blob");
        else
            cn_write_list(&writer, 300);
        for (int i = 0; i < 300 && atoms > 0; i++)
            cn_write_atom(&writer, i % 2 == 0 ? "even" : "odd");
        if (atoms > 0)
            cn_write_nil(&writer);
        room = cn_write_binary_room(&writer, 100000);
        ck_assert_ptr_nonnull(room);
        memset(room, 7, 100000);
        ck_assert_int_eq(etf_body_new(&writer, &body), 0);
        ck_assert_int_eq(etf_body_index(body), 0);
        ck_assert_int_eq(body->indexed.data == body->plain.data, atoms == 0);
        ck_assert_uint_eq(body->atom_count, atoms == 0 ? 0 : 2);
        etf_body_put(body);
        ck_assert_int_eq(mem_test_end(), 0);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("body");
    TCase *tcase = tcase_create("body");

    tcase_add_test(tcase, forms_agree);
    tcase_add_test(tcase, owners_share);
    tcase_add_test(tcase, no_memory);
    tcase_add_test(tcase, words_are_the_table);
    tcase_add_test(tcase, other_atoms_are_found);
    tcase_add_test(tcase, deep_terms_are_no_error);
    tcase_add_test(tcase, mostly_bytes_is_one_form);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
