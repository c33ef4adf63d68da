/*
 * Two handshakes that talk to each other through memory. Each piece is carried in memory of just
 * its size, so that a sanitizer sees a look beyond it.
 */
#include "handshake_pair.h"

#include <stdlib.h>
#include <string.h>

#include "dist/flags.h"

struct handshake dialling;
struct handshake accepting;
uint32_t reflected;
bool one_node;
bool cutting;

void test_random(void *buffer, size_t size)
{
    uint8_t *bytes = buffer;

    for (size_t i = 0; i < size; i++)
        bytes[i] = (uint8_t)random_below(256);
}

static bool is_outstanding(void *context, uint32_t challenge)
{
    return (reflected != 0 && challenge == reflected) ||
           (one_node && (handshake_has_given(&dialling, challenge) ||
                         handshake_has_given(&accepting, challenge)));
}

static struct handshake_config config_of(const char *name, const char *cookie, const char *peer)
{
    return (struct handshake_config){
        .name = name,
        .cookie = cookie,
        .peer = peer,
        .flags = FLAGS_OURS,
        .creation = peer != NULL ? 100 : 200,
        .random = test_random,
        .outstanding = is_outstanding,
    };
}

void start_dialling(const char *cookie)
{
    struct handshake_config config = config_of("alice@a", cookie, "bob@b");

    ck_assert_int_eq(handshake_init(&dialling, &config, 1), 0);
}

void start_accepting(const char *cookie)
{
    struct handshake_config config = config_of("bob@b", cookie, NULL);

    ck_assert_int_eq(handshake_init(&accepting, &config, 2), 0);
}

void pair_setup(void)
{
    seed_random(1);
    memset(&dialling, 0, sizeof(dialling));
    memset(&accepting, 0, sizeof(accepting));
    reflected = 0;
    one_node = false;
    cutting = false;
}

void pair_teardown(void)
{
    handshake_deinit(&dialling);
    handshake_deinit(&accepting);
}

/* Move what @from has to say to @to, which may stop early; tell whether anything moved. */
bool carry(struct handshake *from, struct handshake *to)
{
    struct bytes *output = handshake_output(from);
    bool moved = false;

    while (bytes_size(output) > 0) {
        size_t size = bytes_size(output);
        size_t used;
        uint8_t *piece;

        if (cutting)
            size = 1 + random_below((uint32_t)size);
        piece = exact(bytes_data(output), size);
        ck_assert_int_eq(handshake_feed(to, piece, size, &used), 0);
        ck_assert_uint_le(used, size);
        free(piece);
        bytes_consume(output, used);
        moved = moved || used > 0;
        if (used < size)
            return moved;
    }
    return moved;
}

/* Let both talk until nothing moves; the accepting side answers @answer. */
void talk(enum handshake_answer answer)
{
    bool moved = true;

    while (moved) {
        moved = carry(&dialling, &accepting);
        if (handshake_state(&accepting) == HANDSHAKE_NAMED) {
            ck_assert_int_eq(handshake_answer(&accepting, answer), 0);
            moved = true;
        }
        if (handshake_state(&accepting) == HANDSHAKE_PROVEN) {
            ck_assert_int_eq(handshake_accept(&accepting), 0);
            moved = true;
        }
        moved = carry(&accepting, &dialling) || moved;
    }
}

void say(struct handshake *to, const struct bytes *message)
{
    size_t used;
    uint8_t *copy = exact(bytes_data(message), bytes_size(message));

    ck_assert_int_eq(handshake_feed(to, copy, bytes_size(message), &used), 0);
    free(copy);
}
