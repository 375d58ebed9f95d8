/* exec_worker.h - a worker process's slot whose processors are programs: a solo (docs/PROTOCOL.md)
 * with a toolbox.
 *
 * It has a thread, which owns its connection and its tools, and waits for all of them at once: no
 * tool can keep it from saying that it is there. A coordinator that is lost is looked for as an
 * agent does. */

#ifndef DW_EXEC_WORKER_H
#define DW_EXEC_WORKER_H

#include "actors/toolbox.h"
#include "dagwood.h"

typedef struct dw_exec_worker_t dw_exec_worker_t;

typedef struct dw_exec_options_t {
    dw_connect_options_t coordinator;
    const dw_worker_tag_t *tags; /* borrowed, as all here, for its life */
    size_t tags_count;
    dw_toolbox_options_t tools; /* max_payload_bytes is the coordinator's to say */
    int reconnect_ms; /* how long to look for a coordinator that was lost; negative: for ever */
    const char *name; /* as of an agent; slots that share it differ in part, which counts from 0 */
    uint32_t incarnation, part;
    int grace_ms; /* for tools to finish what they are at when it drains; 0: 30 s */
} dw_exec_options_t;

/* Connects, and starts its thread. Errors: as dw_agent_open. */
int dw_exec_worker_open (dw_exec_worker_t **self_p, const dw_exec_options_t *options,
                         dw_error_t *error);
/* Waits until it has ended, and gives what it has ended with; DW_ETIMEDOUT: it has not. */
int dw_exec_worker_wait (dw_exec_worker_t *self, int timeout_ms);
/* Readable when it has ended. */
int dw_exec_worker_fd (const dw_exec_worker_t *self);
/* It is to finish what its tools are at, give back what waits, and end. */
void dw_exec_worker_drain (dw_exec_worker_t *self);
/* Ends it at once, and kills its tools. */
void dw_exec_worker_close (dw_exec_worker_t **self_p);

#endif
