/*
 * The numbers of control messages on the wire, shared by encoder and decoder.
 *
 * Source: "Distribution Protocol", ERTS User's Guide; distribution.md A.2.
 */
#ifndef DIST_CONTROL_OPS_H
#define DIST_CONTROL_OPS_H

/** The first element of a control tuple. _TT: with a trace token. */
enum control_wire_op {
    OP_LINK = 1,
    OP_SEND = 2,
    OP_EXIT = 3,
    OP_UNLINK = 4,
    OP_REG_SEND = 6,
    OP_GROUP_LEADER = 7,
    OP_EXIT2 = 8,
    OP_SEND_TT = 12,
    OP_EXIT_TT = 13,
    OP_REG_SEND_TT = 16,
    OP_EXIT2_TT = 18,
    OP_MONITOR_P = 19,
    OP_DEMONITOR_P = 20,
    OP_MONITOR_P_EXIT = 21,
    OP_SEND_SENDER = 22,
    OP_SEND_SENDER_TT = 23,
    OP_PAYLOAD_EXIT = 24,
    OP_PAYLOAD_EXIT_TT = 25,
    OP_PAYLOAD_EXIT2 = 26,
    OP_PAYLOAD_EXIT2_TT = 27,
    OP_PAYLOAD_MONITOR_P_EXIT = 28,
    OP_SPAWN_REQUEST = 29,
    OP_SPAWN_REQUEST_TT = 30,
    OP_SPAWN_REPLY = 31,
    OP_SPAWN_REPLY_TT = 32,
    OP_ALIAS_SEND = 33,
    OP_ALIAS_SEND_TT = 34,
    OP_UNLINK_ID = 35,
    OP_UNLINK_ID_ACK = 36,
    OP_ALTACT_SIG_SEND = 37,
    OP_COUNT_,
};

/** Flags of OP_ALTACT_SIG_SEND. */
enum control_altact_flag {
    ALTACT_PRIORITY = 1,
    ALTACT_TOKEN = 2,
    ALTACT_ALIAS = 4,
    ALTACT_NAME = 8,
    ALTACT_EXIT = 16,
};

#endif
