/*
 * What an apply ends with, in the shape that its caller waits for.
 *
 * Exceptions have OTP's shapes: {Ref, error, Reason, Stack}, {badrpc, {'EXIT', {Reason, Stack}}},
 * with one line in the stack: the function itself, with its arguments where a BEAM shows them
 * (undef, and the functions of module erlang). Elixir explains such arguments to who reads the
 * exception, if the line says which module can, so ours says it too.
 *
 * Source: the modules erpc and rpc; "Errors and Error Handling" in the Erlang Reference Manual.
 */
#include <string.h>

#include "otp/internal.h"

/* [{error_info, #{module => erl_erts_errors}}] */
static void write_error_info(struct cn_writer *writer)
{
    cn_write_list(writer, 1);
    cn_write_tuple(writer, 2);
    cn_write_atom(writer, "error_info");
    cn_write_map(writer, 1);
    cn_write_atom(writer, "module");
    cn_write_atom(writer, "erl_erts_errors");
    cn_write_nil(writer);
}

/* erlang, apply, [Module, Function, Arguments] */
static void write_apply_line(struct apply *apply, struct cn_writer *writer)
{
    cn_write_atom(writer, "erlang");
    cn_write_atom(writer, "apply");
    cn_write_list(writer, 3);
    cn_write_term(writer, apply->module);
    cn_write_term(writer, apply->function);
    cn_write_term(writer, apply->arguments);
    cn_write_nil(writer);
}

static void write_function_line(struct apply *apply, enum stack stack, struct cn_writer *writer)
{
    cn_write_term(writer, apply->module);
    cn_write_term(writer, apply->function);
    if (stack == STACK_ARITY)
        cn_write_integer(writer, apply->arity);
    else
        cn_write_term(writer, apply->arguments);
}

static void write_stack(struct apply *apply, enum stack stack, struct cn_writer *writer)
{
    cn_write_list(writer, 1);
    cn_write_tuple(writer, 4);
    if (stack == STACK_SPAWNED || stack == STACK_NONE) {
        cn_write_atom(writer, "erts_internal");
        cn_write_atom(writer, "dist_spawn_init");
        cn_write_integer(writer, 1);
    } else if (stack == STACK_APPLY) {
        write_apply_line(apply, writer);
    } else {
        write_function_line(apply, stack, writer);
    }
    if (stack == STACK_BIF || stack == STACK_APPLY)
        write_error_info(writer);
    else
        cn_write_nil(writer);
    cn_write_nil(writer);
}

static void write_error(struct apply *apply, const struct outcome *outcome,
                        struct cn_writer *writer)
{
    cn_write_tuple(writer, 2);
    cn_write_term(writer, outcome->term);
    write_stack(apply, outcome->stack, writer);
}

/* {Ref, error, {erpc, Reason}}: the call itself was impossible, whatever the function. */
static void write_erpc_refusal(struct apply *apply, struct cn_term reason, struct cn_writer *writer)
{
    cn_write_tuple(writer, 3);
    cn_write_term(writer, apply->tag);
    cn_write_atom(writer, "error");
    cn_write_tuple(writer, 2);
    cn_write_atom(writer, "erpc");
    cn_write_term(writer, reason);
}

/* A value, or what comes before its body. */
static void write_value(const struct outcome *outcome, struct cn_writer *writer)
{
    if (outcome->ok) {
        cn_write_tuple(writer, 2);
        cn_write_atom(writer, "ok");
    }
    if (outcome->body == NULL)
        cn_write_term(writer, outcome->term);
}

/* The exit reason that erpc waits for. */
static void write_erpc(struct apply *apply, const struct outcome *outcome, struct cn_writer *writer)
{
    bool error = outcome->class_ != NULL && strcmp(outcome->class_, "error") == 0;

    if (error && outcome->stack == STACK_NONE) {
        write_erpc_refusal(apply, outcome->term, writer);
        return;
    }
    cn_write_tuple(writer, error ? 4 : 3);
    cn_write_term(writer, apply->tag);
    cn_write_atom(writer, outcome->class_ != NULL ? outcome->class_ : "return");
    write_value(outcome, writer);
    if (error)
        write_stack(apply, outcome->stack, writer);
}

/* The value of rpc:call. */
static void write_rex(struct apply *apply, const struct outcome *outcome, struct cn_writer *writer)
{
    if (outcome->class_ == NULL || strcmp(outcome->class_, "throw") == 0) {
        write_value(outcome, writer);
        return;
    }
    cn_write_tuple(writer, 2);
    cn_write_atom(writer, "badrpc");
    cn_write_tuple(writer, 2);
    cn_write_atom(writer, "EXIT");
    if (strcmp(outcome->class_, "exit") == 0 || outcome->stack == STACK_NONE)
        cn_write_term(writer, outcome->term);
    else
        write_error(apply, outcome, writer);
}

/* The exit reason of a process that was only spawned. */
static void write_spawned(struct apply *apply, const struct outcome *outcome,
                          struct cn_writer *writer)
{
    if (outcome->class_ == NULL) {
        cn_write_atom(writer, "normal");
    } else if (strcmp(outcome->class_, "exit") == 0) {
        cn_write_term(writer, outcome->term);
    } else if (strcmp(outcome->class_, "error") == 0) {
        write_error(apply, outcome, writer);
    } else {
        struct cn_writer thrown;
        struct outcome nocatch = {.class_ = "error", .stack = STACK_SPAWNED};

        cn_writer_init(&thrown, 0);
        cn_write_tuple(&thrown, 2);
        cn_write_atom(&thrown, "nocatch");
        cn_write_term(&thrown, outcome->term);
        nocatch.term = cn_writer_term(&thrown);
        if (cn_writer_error(&thrown) == 0)
            write_error(apply, &nocatch, writer);
        else
            cn_write_atom(writer, "nocatch");
        cn_writer_free(&thrown);
    }
}

void outcome_write(struct apply *apply, const struct outcome *outcome, struct cn_writer *writer)
{
    switch (apply->kind) {
    case APPLY_ERPC:
        write_erpc(apply, outcome, writer);
        break;
    case APPLY_SPAWN:
        write_spawned(apply, outcome, writer);
        break;
    case APPLY_REX:
    case APPLY_OLD:
        write_rex(apply, outcome, writer);
        break;
    }
}
