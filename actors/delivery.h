/* delivery.h - a finished run's slots made into the record that its client gets.
 *
 * The table of slots is given away as it lies; only nodes that are not done and slots with extras
 * are touched, so a run of many small tasks costs nothing here. */

#ifndef DW_DELIVERY_H
#define DW_DELIVERY_H

#include "actors/message.h"
#include "actors/slot.h"
#include "runtime/core/scheduler.h"

typedef struct dw_delivery_t {
    const dw_scheduler_t *scheduler;
    const dw_plan_t *plan;
    uint32_t run;        /* the scheduler's */
    uint64_t client_run; /* the client's own number for it */
    dw_run_status_t status;
    uint64_t duration_us;
    dw_slot_t *slots;        /* nodes_count of them, from malloc; given away */
    bool has_extras;         /* some slot may own one */
    const uint32_t *outputs; /* requested nodes; NULL: all */
    uint32_t outputs_count;
} dw_delivery_t;

/* Appends the record to packet. slots are gone afterwards, whatever comes of it.
 * Errors: DW_ENOMEM packet is not to be sent. */
int dw_delivery_write (dw_delivery_t *self, dw_packet_t *packet);

/* What WELCOME tells a client of the graph: nodes_count, ids, sinks_count, sinks. */
void dw_delivery_write_graph (const dw_plan_t *plan, dw_writer_t *writer);

#endif
