/* mixer.h - a work as dagwood runs it: its graph, and the processor "mix" of all its nodes. */

#ifndef DW_MIXER_H
#define DW_MIXER_H

#include "bench/lib/work.h"
#include "dagwood_processor.h"

/* Adds "mix", which runs the work's tasks, to a set; work is borrowed for the set's life, and as
 * long as an actor is stuck in it. */
int dw_mixer_add (dw_processors_t *processors, const dw_work_t *work);
/* The graph: nodes n0, n1, ... that run "mix", and cost what their tasks take (1 for each
 * nanosecond: only how they compare counts). All other options are the defaults. NULL: no
 * memory. */
dw_graph_t *dw_mixer_graph (const dw_work_t *work);

#endif
