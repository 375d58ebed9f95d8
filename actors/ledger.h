/* ledger.h - which payloads a slot of a worker process keeps: the coordinator's book of its shelf
 * (shelf.h).
 *
 * Nobody else decides what lies where, so there is nothing to ask for and nothing that is missing.
 * A place belongs to a payload, which is named by its run and the node that gave it; to nobody,
 * when it is stale: the slot still keeps what was there, until another takes the place or the slot
 * is told to drop it; or it is empty. */

#ifndef DW_LEDGER_H
#define DW_LEDGER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "runtime/core/plan.h"
#include "runtime/wire.h"

typedef struct dw_ledger_item_t {
    uint64_t run;    /* its number, from 1; 0: nobody's */
    uint64_t task;   /* that read it last */
    uint32_t source; /* a node, or DW_RUN_INPUT */
    uint32_t size;   /* bytes; 0: empty */
    bool is_sent;
} dw_ledger_item_t;

typedef struct dw_ledger_t {
    dw_ledger_item_t items[DW_WIRE_PLACES];
    size_t bytes; /* that the slot keeps, or will when it has read all that is under way to it */
    size_t stale_bytes; /* of those that are nobody's */
    size_t task_bytes;  /* of those that the task reads */
    uint64_t task;      /* under way */
} dw_ledger_t;

/* The next task: what the ones before read may leave its place. */
void dw_ledger_next_task (dw_ledger_t *self);
/* The place of a payload that the task reads; DW_NONE: it has none. */
uint32_t dw_ledger_find (dw_ledger_t *self, uint64_t run, uint32_t source);
/* Gives a payload of size bytes a place, if need be that of those least recently read, which become
 * stale; DW_NONE: all are read by the task. When the slot then keeps too much (dw_ledger_is_full)
 * the stale ones must be dropped before it is sent the task. */
uint32_t dw_ledger_add (dw_ledger_t *self, uint64_t run, uint32_t source, size_t size);
bool dw_ledger_is_full (const dw_ledger_t *self);
/* A run is over, or the output of a node of it is not read any more (DW_NONE: of all): their places
 * are stale. */
void dw_ledger_forget (dw_ledger_t *self, uint64_t run, uint32_t source);
/* Empties a stale place, of which the slot is to be told; DW_NONE: there is none. */
uint32_t dw_ledger_drop (dw_ledger_t *self);

#endif
