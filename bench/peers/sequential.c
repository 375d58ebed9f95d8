/* sequential.c - a loop over the nodes: what the work costs when nothing is scheduled. */

#include "bench/peers/peer.h"

#include <stdlib.h>

const char *const dw_peer_name = "sequential";

struct dw_peer_t {
    const dw_work_t *work;
    uint8_t *payloads;
};

const char *dw_peer_version (void) {
    return dw_version ();
}

/* threads is of no use here: the loop is the floor for any number of them. */
int dw_peer_open (dw_peer_t **self_p, const dw_work_t *work, uint8_t *payloads, uint32_t threads,
                  dw_error_t *error) {
    dw_peer_t *self = malloc (sizeof *self);
    (void) threads;
    if (!self)
        return dw_peer_no_memory (error);
    self->work = work;
    self->payloads = payloads;
    *self_p = self;
    return DW_OK;
}

void dw_peer_run (dw_peer_t *self) {
    for (uint32_t node = 0; node < self->work->nodes_count; node++)
        dw_work_task_at (self->work, node, self->payloads);
}

void dw_peer_close (dw_peer_t **self_p) {
    free (*self_p);
    *self_p = NULL;
}
