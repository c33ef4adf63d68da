/*
 * The small terms that hosts say to each other and to callers, written and read in one place.
 *
 * Writers are sticky, so these write and leave the check to words_answer, which turns a writer out
 * of memory into an answer that needs none.
 */
#ifndef SESSION_WORDS_H
#define SESSION_WORDS_H

#include <cnode/term.h>

#include "otp/gen_server.h"

/** A join code is a binary of 1 to this many bytes. */
#define WORDS_CODE_BYTES_MAX 64
/** A session's id that comes from another host has at most this many bytes. */
#define WORDS_ID_BYTES_MAX 255

/** Give {error, no_memory}, which needs none. */
struct cn_term words_no_memory(void);
/** Give the answer of what failed with @error, < 0: that, or {error, system_limit} for -E2BIG. */
struct cn_term words_failure(int error);
/** View what @writer holds, or its words_failure. */
struct cn_term words_answer(const struct cn_writer *writer);
/** Write {error, @reason}. */
void words_error(struct cn_writer *writer, const char *reason);
/** Answer a caller {error, @reason}, without memory {error, no_memory}. */
void words_reply_error(struct procs *procs, const struct gen_from *from, const char *reason);
/** Write {error, {already_started, Pid}}. */
void words_already_started(struct cn_writer *writer, const struct cn_pid *pid);
/** Write {@tag, Pid}, as in {ok, Pid} or {accept, Pid}. */
void words_pid(struct cn_writer *writer, const char *tag, const struct cn_pid *pid);
/** Write {refuse, @reason}. */
void words_refuse(struct cn_writer *writer, const char *reason);
/** Write @code as a binary, or nil when it is empty. */
void words_code(struct cn_writer *writer, struct cn_bytes code);
/** Write a cluster-wide name, {@registry, @key}. */
void words_name(struct cn_writer *writer, const char *registry, struct cn_bytes key);

/** Read a join code: a binary of 1 to 64 bytes, or nil, which gives size 0. */
bool words_read_code(struct cn_term term, struct cn_bytes *ret_code);
/** Read {@tag, Pid}. */
bool words_read_pid(struct cn_term term, const char *tag, struct cn_pid *ret_pid);
/** Read where a session went, {moved, Pid} or {session_conflict, Pid}. */
bool words_read_new_pid(struct cn_term term, struct cn_pid *ret_pid);
/** Read an integer that is not negative; one beyond 63 bits counts as nonsense. */
bool words_read_unsigned(struct cn_reader *reader, uint64_t *ret_value);
/** Read {@tag, Term}, such as {error, Reason}. */
bool words_read_pair(struct cn_term term, const char *tag, struct cn_term *ret_second);
/** Tell whether @term is {error, @reason}. */
bool words_is_error(struct cn_term term, const char *reason);
/** Read the value of @key as a binary; false when it is missing or something else. */
bool words_get_binary(struct cn_term map, const char *key, struct cn_bytes *ret_bytes);
/** Read the value of @key as an integer of at least 0. */
bool words_get_unsigned(struct cn_term map, const char *key, uint64_t *ret_value);
/** Read the value of @key as a boolean. */
bool words_get_bool(struct cn_term map, const char *key, bool *ret_value);
/** Read the value of @key as a pid. */
bool words_get_pid(struct cn_term map, const char *key, struct cn_pid *ret_pid);

/** Address a pid. */
struct dest words_to_pid(const struct cn_pid *pid);
/** Address the host process of @node, which outlives the address. */
struct dest words_to_host(const char *node);
/** Compare the contents of two binaries. */
bool words_same(struct cn_bytes a, struct cn_bytes b);

#endif
