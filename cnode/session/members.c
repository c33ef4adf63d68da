/*
 * The list of known hosts and the hellos that keep it.
 *
 * A cluster has tens of hosts, so a list does. What a peer says of itself is kept as it came (for
 * `:hosts`) beside the few fields that placement reads. Hellos whose pid is not on the node they
 * name are dropped: nobody speaks for another node.
 */
#include "session/members.h"

#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "session/app_version.h"
#include "session/arrivals.h"
#include "session/conflict.h"
#include "session/words.h"

#define TELL_INTERVAL_MS 100
#define LOST_LATELY_MS   2000

struct cn_term member_info(const struct member *member)
{
    return (struct cn_term){.data = member->info, .size = member->info_size};
}

struct member *members_find(const struct hosts *hosts, const char *node)
{
    list_for_each(link, &hosts->members) {
        struct member *member = container_of(link, struct member, link);

        if (strcmp(member->pid.node, node) == 0)
            return member;
    }
    return NULL;
}

static bool reads_version(const struct member *member, uint32_t state_version)
{
    struct cn_term versions;
    struct cn_reader reader;
    uint32_t count;
    int64_t version;

    if (!cn_map_get(member_info(member), "state_versions", &versions))
        return false;
    cn_reader_init(&reader, versions);
    if (!cn_read_list(&reader, &count))
        return false;
    while (count-- > 0 && cn_read_integer(&reader, &version))
        if (version == (int64_t)state_version)
            return true;
    return false;
}

bool member_takes(const struct member *member, uint32_t state_version)
{
    return !member->draining && member->sessions < member->capacity &&
           reads_version(member, state_version);
}

int member_version(const struct hosts *hosts, const struct member *member)
{
    const char *own = hosts->config.app_version;
    struct cn_bytes version;

    if (!words_get_binary(member_info(member), "app_version", &version))
        return 0;
    return app_version_compare(version, (struct cn_bytes){(const uint8_t *)own, strlen(own)});
}

static struct member *member_free(struct member *member)
{
    mem_free(member->info);
    mem_free(member);
    return NULL;
}

static void member_remove(struct hosts *hosts, struct member *member, const char *why)
{
    host_log(hosts, HOSTS_LOG_INFO, "host %s left: %s", member->pid.node, why);
    if (hosts->server != NULL)
        process_demonitor(gen_server_process(hosts->server), &member->monitor, true);
    list_remove(&member->link);
    hosts->members_count--;
    member_free(member);
    arrivals_host_gone(hosts);
}

bool members_lost_lately(const struct hosts *hosts)
{
    return hosts->lost_ms != 0 && procs_now_ms(hosts->procs) - hosts->lost_ms < LOST_LATELY_MS;
}

void members_clear(struct hosts *hosts)
{
    struct list *link;

    while ((link = list_pop(&hosts->members)) != NULL)
        member_free(container_of(link, struct member, link));
    hosts->members_count = 0;
}

static void send_hello(struct hosts *hosts, const struct dest *dest)
{
    struct cn_writer writer;

    if (hosts->said_bye)
        return;
    cn_writer_init(&writer, 0);
    cn_write_tuple(&writer, 3);
    cn_write_atom(&writer, "host_hello");
    cn_write_integer(&writer, HOSTS_PROTOCOL);
    host_write_info(hosts, &writer);
    if (cn_writer_error(&writer) == 0)
        host_send(hosts, dest, cn_writer_term(&writer));
    cn_writer_free(&writer);
}

void members_greet(struct hosts *hosts, const char *node)
{
    struct dest dest = words_to_host(node);

    if (host_pid(hosts) != NULL && strcmp(node, procs_node(hosts->procs)) != 0)
        send_hello(hosts, &dest);
}

void members_tell_all(struct hosts *hosts)
{
    host_timer_stop(hosts, &hosts->hello_timer);
    if (host_pid(hosts) == NULL)
        return;
    list_for_each(link, &hosts->members) {
        struct dest dest = words_to_pid(&container_of(link, struct member, link)->pid);

        send_hello(hosts, &dest);
    }
}

static void hello_due(struct host_timer *timer)
{
    members_tell_all(container_of(timer, struct hosts, hello_timer));
}

void members_load_changed(struct hosts *hosts)
{
    if (hosts->closing || hosts->members_count == 0 || hosts->hello_timer.id != 0)
        return;
    host_timer_start(hosts, &hosts->hello_timer, TELL_INTERVAL_MS, hello_due);
}

void members_bye(struct hosts *hosts)
{
    struct cn_writer writer;

    if (host_pid(hosts) == NULL)
        return;
    hosts->said_bye = true;
    cn_writer_init(&writer, 0);
    cn_write_tuple(&writer, 3);
    cn_write_atom(&writer, "host_bye");
    cn_write_atom(&writer, procs_node(hosts->procs));
    cn_write_unsigned(&writer, host_pid(hosts)->creation);
    if (cn_writer_error(&writer) == 0)
        list_for_each(link, &hosts->members) {
            struct dest dest = words_to_pid(&container_of(link, struct member, link)->pid);

            host_send(hosts, &dest, cn_writer_term(&writer));
        }
    cn_writer_free(&writer);
}

/* What a hello must say. */
struct hello {
    struct cn_pid pid;
    int64_t incarnation;
    bool draining;
    uint64_t sessions;
    uint64_t capacity;
    struct cn_term info;
};

static bool get_incarnation(struct cn_term info, int64_t *ret_incarnation)
{
    struct cn_reader reader;
    struct cn_term value;

    if (!cn_map_get(info, "incarnation", &value))
        return false;
    cn_reader_init(&reader, value);
    return cn_read_integer(&reader, ret_incarnation);
}

static bool read_hello(struct cn_term info, struct hello *ret_hello)
{
    struct hello hello = {.info = info};
    struct cn_term node;

    if (!words_get_pid(info, "pid", &hello.pid) || !cn_map_get(info, "node", &node) ||
        !cn_term_is_atom(node, hello.pid.node) || !get_incarnation(info, &hello.incarnation) ||
        !words_get_bool(info, "draining", &hello.draining) ||
        !words_get_unsigned(info, "sessions", &hello.sessions) ||
        !words_get_unsigned(info, "capacity", &hello.capacity))
        return false;
    *ret_hello = hello;
    return true;
}

/* Take over what @hello says. Returns false without memory, with @member as it was. */
static bool member_update(struct member *member, const struct hello *hello)
{
    uint8_t *info = mem_dup(hello->info.data, hello->info.size);

    if (info == NULL)
        return false;
    mem_free(member->info);
    member->info = info;
    member->info_size = hello->info.size;
    member->incarnation = hello->incarnation;
    member->draining = hello->draining;
    member->sessions = hello->sessions;
    member->capacity = hello->capacity;
    return true;
}

static struct member *member_add(struct hosts *hosts, const struct hello *hello)
{
    struct member *member = mem_zalloc(sizeof(*member));
    struct dest dest = words_to_pid(&hello->pid);

    if (member == NULL)
        return NULL;
    member->pid = hello->pid;
    if (!member_update(member, hello))
        return member_free(member);
    if (process_monitor(gen_server_process(hosts->server), &dest, &member->monitor) != 0)
        return member_free(member);
    list_init(&member->link);
    list_append(&hosts->members, &member->link);
    hosts->members_count++;
    host_log(hosts, HOSTS_LOG_INFO, "host %s is here", member->pid.node);
    return member;
}

static void take_hello(struct hosts *hosts, const struct hello *hello)
{
    struct member *member = members_find(hosts, hello->pid.node);
    struct dest dest = words_to_pid(&hello->pid);

    if (member != NULL && cn_pid_equal(&member->pid, &hello->pid)) {
        member_update(member, hello);
        return;
    }
    if (member != NULL)
        member_remove(hosts, member, "another process says hello");
    if (member_add(hosts, hello) == NULL)
        return;
    send_hello(hosts, &dest);
    conflict_host_met(hosts);
}

static bool hello_message(struct hosts *hosts, struct cn_term message)
{
    struct cn_reader reader;
    struct hello hello;
    struct cn_term info;
    int64_t protocol;

    cn_reader_init(&reader, message);
    if (!cn_read_this_tuple(&reader, 3) || !cn_read_this_atom(&reader, "host_hello") ||
        !cn_read_integer(&reader, &protocol) || !cn_read_term(&reader, &info))
        return false;
    if (protocol != HOSTS_PROTOCOL)
        host_log(hosts, HOSTS_LOG_WARNING, "hello of protocol %lld ignored", (long long)protocol);
    else if (!read_hello(info, &hello))
        host_log(hosts, HOSTS_LOG_WARNING, "hello without sense ignored");
    else if (strcmp(hello.pid.node, procs_node(hosts->procs)) != 0)
        take_hello(hosts, &hello);
    return true;
}

static bool bye_message(struct hosts *hosts, struct cn_term message)
{
    struct cn_reader reader;
    struct cn_bytes node;
    int64_t incarnation;

    cn_reader_init(&reader, message);
    if (!cn_read_this_tuple(&reader, 3) || !cn_read_this_atom(&reader, "host_bye") ||
        !cn_read_atom(&reader, &node) || !cn_read_integer(&reader, &incarnation))
        return false;
    list_for_each_safe(link, &hosts->members) {
        struct member *member = container_of(link, struct member, link);

        if (cn_bytes_equal(node, member->pid.node) && incarnation == member->incarnation) {
            member_remove(hosts, member, "it said bye");
            break;
        }
    }
    return true;
}

static bool down_message(struct hosts *hosts, struct cn_term message)
{
    struct process_down down;

    if (!process_read_down(message, &down))
        return false;
    list_for_each_safe(link, &hosts->members) {
        struct member *member = container_of(link, struct member, link);

        if (cn_ref_equal(&down.ref, &member->monitor)) {
            member_remove(hosts, member, "its host process ended");
            hosts->lost_ms = procs_now_ms(hosts->procs);
            break;
        }
    }
    return true;
}

bool members_message(struct hosts *hosts, struct cn_term message)
{
    return hello_message(hosts, message) || bye_message(hosts, message) ||
           down_message(hosts, message);
}
