/* squad.h - the slots of a worker process: worker actors that run tasks for a coordinator
 * elsewhere.
 *
 * A squad lives as long as one connection of its agent: it has a ZeroMQ context of its own, which
 * is how its actors are told to end when nobody can be reached any more. Used by the agent's
 * thread. */

#ifndef DW_SQUAD_H
#define DW_SQUAD_H

#include "actors/worker.h"

typedef struct dw_squad_t dw_squad_t;

typedef struct dw_squad_options_t {
    const char *endpoint;
    const dw_link_keys_t *keys;
    const dw_processors_t *processors;
    const uint8_t *graph; /* runtime/pack.h */
    size_t graph_size;
    uint64_t digest;           /* that its plan must have */
    const dw_traits_t *traits; /* what the coordinator says of the graph's processors */
    uint64_t lanes;            /* that it is to run; 0: the graph has one */
    const uint8_t *system;     /* DW_WIRE_TOKEN_SIZE bytes, as the two tokens of WELCOME */
    const uint8_t *token;
    const uint32_t *numbers; /* of the slots */
    uint32_t slots;
    uint32_t heartbeat_ms, silence_ms;
    void (*ended) (void *arg); /* of every slot, by its thread (worker.h); or NULL */
    void *ended_arg;
} dw_squad_options_t;

/* The graph as this process plans it, which must be as the coordinator did. Errors: as
 * dw_squad_new. */
int dw_squad_plan (dw_program_t **program_p, const dw_squad_options_t *options, dw_error_t *error);

/* Compiles the graph and starts the slots. What options point to is copied, but for the keys and
 * the processors.
 * Errors: DW_EGRAPH which processor is missing, or that one is another than the coordinator's;
 * DW_EPROTOCOL the graph makes no sense; DW_EPROCESSOR; DW_ELIMIT; DW_ENOMEM. Nothing is left
 * running. */
int dw_squad_new (dw_squad_t **self_p, const dw_squad_options_t *options, dw_error_t *error);
/* Waits for all slots to end of themselves; false: one still works at deadline_ns. */
bool dw_squad_join (dw_squad_t *self, int64_t deadline_ns);
/* Whether a slot has ended because its connection was cut. */
bool dw_squad_is_cut (const dw_squad_t *self);
/* What each slot is at, slots of them, as told by its answer to the last question; asks them anew.
 * Valid until the next call. */
const dw_wire_slot_t *dw_squad_ask (dw_squad_t *self);
/* Starts the slots again whose connection was cut: by their HELLO the coordinator hears that what
 * it sent to the earlier one is lost. Errors: as dw_squad_new. */
int dw_squad_mend (dw_squad_t *self, dw_error_t *error);
/* Leaves the slot's actor to itself and starts another. Errors: DW_ENOENT no such slot; DW_ELIMIT
 * too many were left behind, or no thread is to be had. */
int dw_squad_replace (dw_squad_t *self, uint32_t number, dw_error_t *error);
/* Ends all slots and frees everything. Waits until deadline_ns for processors that still run; those
 * that do later are left behind, and freed when they return. Errors: DW_ESTUCK. */
int dw_squad_end (dw_squad_t **self_p, int64_t deadline_ns, dw_error_t *error);

#endif
