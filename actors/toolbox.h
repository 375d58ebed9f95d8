/* toolbox.h - the tasks that a worker holds, and the programs that run them: one for each node that it serves.
 *
 *     push --> waiting --fed to its tool--> ahead --a record--> done          all are answered for in the order of their
 *                 |                           |                               tickets
 *                 |                           +--death, nonsense, noise, time--> failed, and those ahead behind it: returned
 *                 +-- cancelled, the end -----+--------------------------------> returned
 *
 * A tool is kept from task to task, and is given several tasks ahead of its answers, so that neither end waits for the other with
 * each. One that has ended is started again, later and later until it answers. Nothing here waits: whoever owns it polls the
 * descriptors. One thread. */

#ifndef DW_TOOLBOX_H
#define DW_TOOLBOX_H

#include <poll.h>

#include "actors/tool.h"
#include "runtime/briefing.h"

typedef struct dw_toolbox_options_t {
    dw_framing_t framing;
    const char *const *names; /* of processors, and the command of each; both borrowed */
    const char *const *commands;
    size_t count;
    int64_t timeout_ns;       /* that a tool may take for a task; 0: as long as it takes */
    size_t max_payload_bytes; /* of an output */
    void (*notice) (void *arg, const char *text); /* NULL: nobody is told */
    void *notice_arg;
} dw_toolbox_options_t;

typedef struct dw_toolbox_t dw_toolbox_t;

/* What became of a task. */
typedef enum dw_toolbox_end_t {
    DW_TOOLBOX_DONE,
    DW_TOOLBOX_FAILED,
    DW_TOOLBOX_RETURNED,
} dw_toolbox_end_t;

typedef struct dw_toolbox_answer_t {
    uint64_t ticket;
    uint32_t steps; /* of the task, of which the first is done */
    dw_toolbox_end_t end;
    uint64_t duration_ns;
    uint32_t code;        /* of a failure */
    const uint8_t *bytes; /* the output, or why it failed; until the next call */
    size_t size;
} dw_toolbox_answer_t;

/* nodes are those of a briefing, which is read to its end. Errors: DW_EPROTOCOL it makes no sense,
 * or has a node whose processor is not among the names; DW_ENOMEM. */
int dw_toolbox_new (dw_toolbox_t **self_p, const dw_toolbox_options_t *options,
                    const uint8_t *nodes, size_t size);
/* Kills every tool. */
void dw_toolbox_destroy (dw_toolbox_t **self_p);

/* Takes a task; payload is copied. Tickets count up, and may jump. Errors: DW_EPROTOCOL there is no
 * such node, or that is not a later ticket; DW_ENOMEM. */
int dw_toolbox_push (dw_toolbox_t *self, uint64_t ticket, uint32_t node, uint32_t steps,
                     const uint8_t *payload, size_t size);
/* Nobody waits for a task's output: a tool that may be at it is killed. */
void dw_toolbox_cancel (dw_toolbox_t *self, uint64_t ticket);
/* No task is begun from now on: those that wait behind all others are dropped without an answer,
 * those between are returned. */
void dw_toolbox_stop (dw_toolbox_t *self);
/* Whether tools are at tasks, or there are answers. */
bool dw_toolbox_is_busy (const dw_toolbox_t *self);
/* Whether a tool is at a task, which it may have begun. */
bool dw_toolbox_is_at_work (const dw_toolbox_t *self);

/* How many items dw_toolbox_watch fills in at most. */
size_t dw_toolbox_watched (const dw_toolbox_t *self);
/* Fills in what to poll for; *deadline_ns_p becomes earlier when something is to be done at a time.
 * Returns how many. */
size_t dw_toolbox_watch (const dw_toolbox_t *self, struct pollfd *items, int64_t *deadline_ns_p);
/* Does what can be done, not without end. */
void dw_toolbox_work (dw_toolbox_t *self, int64_t now_ns);
/* The next answer; false: none yet. */
bool dw_toolbox_next (dw_toolbox_t *self, dw_toolbox_answer_t *answer);

#endif
