/*
 * The first byte of every term.
 *
 * Source: "External Term Format", ERTS User's Guide. Names as there, without _EXT. ei.h has most
 * of them under longer names; this list is complete, and files that only look at bytes need no ei.
 */
#ifndef CNODE_ETF_TAGS_H
#define CNODE_ETF_TAGS_H

#define TAG_NEW_FLOAT       70
#define TAG_BIT_BINARY      77
#define TAG_COMPRESSED      80 /* after 131 only; refused */
#define TAG_ATOM_CACHE_REF  82 /* inside frames with a distribution header only */
#define TAG_NEW_PID         88
#define TAG_NEW_PORT        89
#define TAG_NEWER_REFERENCE 90
#define TAG_SMALL_INTEGER   97
#define TAG_INTEGER         98
#define TAG_ATOM            100 /* Latin-1; accepted when pure ASCII */
#define TAG_SMALL_TUPLE     104
#define TAG_LARGE_TUPLE     105
#define TAG_NIL             106
#define TAG_STRING          107
#define TAG_LIST            108
#define TAG_BINARY          109
#define TAG_SMALL_BIG       110
#define TAG_LARGE_BIG       111
#define TAG_NEW_FUN         112
#define TAG_EXPORT          113
#define TAG_SMALL_ATOM      115 /* Latin-1; accepted when pure ASCII */
#define TAG_MAP             116
#define TAG_ATOM_UTF8       118
#define TAG_SMALL_ATOM_UTF8 119
#define TAG_V4_PORT         120
#define TAG_VERSION         131 /* before a whole term, outside of frames with a header */

#endif
