/*
 * The registration in EPMD: one question at a time, a timer for everything that does not come.
 *
 * A name that is taken is retried too: after a crash and a quick restart EPMD may not have seen
 * yet that the old socket is gone. Trouble is logged once, then again when it is over.
 */
#include "net/epmd_client.h"

#include <errno.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/sm.h"
#include "base/text.h"
#include "dist/epmd.h"
#include "net/tcp_client.h"

#define REPLY_MS 5000

enum epmd_state {
    EPMD_ASKING,
    EPMD_REGISTERED,
    EPMD_WAITING
};

static const struct sm_state epmd_states[] = {
    [EPMD_ASKING] = {"asking", SM_TO(EPMD_REGISTERED) | SM_TO(EPMD_WAITING)},
    [EPMD_REGISTERED] = {"registered", SM_TO(EPMD_WAITING)},
    [EPMD_WAITING] = {"waiting", SM_TO(EPMD_ASKING), .initial = true},
};
static const struct sm_table epmd_table = SM_TABLE("epmd", epmd_states);

struct epmd_client {
    struct sm sm;
    struct loop *loop;
    struct epmd_client_config config;
    char *alive;
    struct tcp_client *tcp;
    struct loop_timer timer;
    int told; /* the trouble that was logged last; 0: none */
};

static void tell_trouble(struct epmd_client *client, int error)
{
    char where[ADDRESS_TEXT_MAX];
    char detail[256];

    if (client->told == error)
        return;
    client->told = error;
    address_text(&client->config.address, where);
    text_format(detail, sizeof(detail), "%s: %s, trying again every 2 s", where,
                error == CN_E_TAKEN ? "a node of this name is registered already"
                                    : error_name(error));
    client->config.log(client->config.context, 2, "epmd.unavailable", detail);
}

/* Whatever went wrong: drop the connection and come back later. */
static void wait_and_retry(struct epmd_client *client, int error)
{
    tell_trouble(client, error);
    client->tcp = tcp_client_close(client->tcp);
    sm_move(&client->sm, EPMD_WAITING);
    loop_timer_start(&client->timer, EPMD_RETRY_MS);
}

static void on_received(void *context, const uint8_t *data, size_t size)
{
    struct epmd_client *client = context;
    uint32_t creation;
    int rc;

    if (sm_state(&client->sm) == EPMD_REGISTERED) {
        tcp_client_clear(client->tcp);
        return;
    }
    rc = epmd_read_register_reply(data, size, &creation);
    if (rc == CN_E_MORE)
        return;
    if (rc != 0) {
        wait_and_retry(client, rc);
        return;
    }
    loop_timer_stop(&client->timer);
    tcp_client_clear(client->tcp);
    sm_move(&client->sm, EPMD_REGISTERED);
    client->told = 0;
    client->config.registered(client->config.context, creation);
}

static void on_ended(void *context, int error)
{
    wait_and_retry(context, error);
}

static int ask(struct epmd_client *client)
{
    static const struct tcp_client_events events = {.received = on_received, .ended = on_ended};
    struct bytes request;
    int rc;

    bytes_init(&request, 0);
    rc = epmd_write_register(&request, client->alive, client->config.port, client->config.hidden);
    if (rc == 0)
        rc = tcp_client_new(client->loop, &client->config.address, &request, &events, client,
                            &client->tcp);
    bytes_deinit(&request);
    return rc;
}

static void on_timer(void *context)
{
    struct epmd_client *client = context;
    int rc;

    if (sm_state(&client->sm) == EPMD_ASKING) {
        wait_and_retry(client, -ETIMEDOUT);
        return;
    }
    sm_move(&client->sm, EPMD_ASKING);
    loop_timer_start(&client->timer, REPLY_MS);
    rc = ask(client);
    if (rc != 0)
        wait_and_retry(client, rc);
}

int epmd_client_new(struct loop *loop, const struct epmd_client_config *config,
                    struct epmd_client **ret_client)
{
    struct epmd_client *client = mem_zalloc(sizeof(*client));

    if (client == NULL)
        return -ENOMEM;
    client->alive = mem_dup_text(config->alive);
    if (client->alive == NULL) {
        mem_free(client);
        return -ENOMEM;
    }
    client->loop = loop;
    client->config = *config;
    sm_init(&client->sm, &epmd_table, config->port, EPMD_WAITING);
    loop_timer_init(&client->timer, loop, on_timer, client);
    loop_timer_start(&client->timer, 0);
    *ret_client = client;
    return 0;
}

bool epmd_client_registered(const struct epmd_client *client)
{
    return sm_state(&client->sm) == EPMD_REGISTERED;
}

struct epmd_client *epmd_client_close(struct epmd_client *client)
{
    if (client == NULL)
        return NULL;
    tcp_client_close(client->tcp);
    loop_timer_stop(&client->timer);
    mem_free(client->alive);
    mem_free(client);
    return NULL;
}
