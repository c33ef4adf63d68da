/*
 * How deep a walk over a term is, and what is still to come on each level.
 *
 * Shared by those who walk: the walker and the expander. Inline, since it runs once per head.
 */
#ifndef CNODE_ETF_LEVELS_H
#define CNODE_ETF_LEVELS_H

#include <stdbool.h>

#include "base/error.h"
#include "etf/head.h"
#include "etf/tags.h"
#include "etf/walk.h"

/** One level of nesting: the terms still to come on it. */
struct etf_level {
    uint64_t left;
    size_t end;   /* of a fun: where it must end; else 0 */
    size_t place; /* of a fun: the walk's own mark */
    bool list;    /* the last of them is a list's tail */
};

/** All levels; the walk is over when now.left is 0 and there is none to leave to. */
struct etf_levels {
    struct etf_level now;
    uint32_t depth;
    uint32_t depth_max;
    uint32_t terms; /* inside others, so far */
    bool maps;      /* with more than one key were passed */
    struct etf_level stack[ETF_DEPTH_MAX];
};

/** Start before one term. @limits NULL: the widest. */
static inline void etf_levels_init(struct etf_levels *levels, const struct etf_limits *limits)
{
    levels->now = (struct etf_level){.left = 1};
    levels->depth = 0;
    levels->terms = 0;
    levels->maps = false;
    levels->depth_max = limits != NULL ? limits->depth_max : ETF_DEPTH_MAX;
    if (levels->depth_max > ETF_DEPTH_MAX)
        levels->depth_max = ETF_DEPTH_MAX;
}

/**
 * Go into the term whose @head, with @tag, is at @at. Errors: CN_E_TERM_DEEP, CN_E_TERM_LIMIT.
 */
static inline int etf_levels_enter(struct etf_levels *levels, const struct etf_head *head,
                                   size_t at, uint8_t tag)
{
    bool list = tag == TAG_LIST;

    levels->now.left--;
    if (head->children == 0)
        return 0;
    if (head->children > ETF_TERMS_MAX - levels->terms)
        return CN_E_TERM_LIMIT;
    levels->terms += (uint32_t)head->children;
    if (list && levels->now.list && levels->now.left == 0) { /* a tail: the same list goes on */
        levels->now.left = head->children;
        return 0;
    }
    if (levels->depth == levels->depth_max)
        return CN_E_TERM_DEEP;
    levels->maps |= tag == TAG_MAP && head->children > 2;
    levels->stack[levels->depth++] = levels->now;
    levels->now = (struct etf_level){head->children, head->end > 0 ? at + head->end : 0, 0, list};
    return 0;
}

/** Tell whether the present level is complete, and not the outermost. */
static inline bool etf_levels_done(const struct etf_levels *levels)
{
    return levels->now.left == 0 && levels->depth > 0;
}

/** Leave it. */
static inline void etf_levels_leave(struct etf_levels *levels)
{
    levels->now = levels->stack[--levels->depth];
}

#endif
