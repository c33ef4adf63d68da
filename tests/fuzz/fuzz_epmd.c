/*
 * EPMD's answers: any bytes that come from its port.
 *
 * The first byte gives the length of our own name, which follows; the rest is the reply. A reply
 * arrives in pieces: once enough is there for an answer, more bytes do not change it, and beyond
 * EPMD_REPLY_MAX nobody asks for more.
 */
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"

#include "base/assert.h"
#include "base/error.h"
#include "dist/epmd.h"

struct answer {
    int result;
    uint32_t creation;
    struct epmd_node node;
};

static struct answer ask(struct cn_bytes reply, const char *alive, bool lookup)
{
    struct answer answer;
    struct cn_term exact = fuzz_exact((struct cn_term){reply.data, reply.size});

    memset(&answer, 0, sizeof(answer));
    answer.result = lookup ? epmd_read_lookup_reply(exact.data, exact.size, alive, &answer.node)
                           : epmd_read_register_reply(exact.data, exact.size, &answer.creation);
    free((void *)(uintptr_t)exact.data);
    return answer;
}

static bool same(const struct answer *a, const struct answer *b)
{
    return a->result == b->result && a->creation == b->creation && a->node.port == b->node.port &&
           a->node.hidden == b->node.hidden && a->node.version_low == b->node.version_low &&
           a->node.version_high == b->node.version_high;
}

static void check_replies(struct cn_bytes reply, const char *alive, bool lookup)
{
    struct answer first = {.result = CN_E_MORE};

    for (size_t size = 0; size <= reply.size; size++) {
        struct answer answer = ask((struct cn_bytes){reply.data, size}, alive, lookup);

        if (first.result == CN_E_MORE)
            first = answer;
        cn_assert(same(&first, &answer));
        cn_assert(answer.result >= 0);
        cn_assert(answer.result != CN_E_MORE || size < EPMD_REPLY_MAX);
    }
}

static void check_requests(const char *alive)
{
    struct bytes out;

    bytes_init(&out, 0);
    cn_assert(epmd_write_lookup(&out, alive) == 0);
    cn_assert(bytes_size(&out) == 2u + be16_get(bytes_data(&out)));
    bytes_clear(&out);
    cn_assert(epmd_write_register(&out, alive, 4711, false) == 0);
    cn_assert(bytes_size(&out) == 2u + be16_get(bytes_data(&out)));
    bytes_deinit(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct input input = {data, size};
    struct cn_bytes name = input_bytes(&input, input_u8(&input));
    struct cn_bytes reply = input_bytes(&input, EPMD_REPLY_MAX + 16);
    char alive[256] = {0};

    memcpy(alive, name.size > 0 ? name.data : (const uint8_t *)"", name.size);
    check_requests(alive);
    check_replies(reply, alive, false);
    check_replies(reply, alive, true);
    return 0;
}
