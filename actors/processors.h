/* processors.h - the set of processors that a graph may name, and what it makes of a graph.
 *
 * A set is the stock processors and what a program added (include/dagwood.h). Two sets share
 * nothing but constants. A set belongs to one thread while it is added to; after that any number of
 * threads may read it. */

#ifndef DW_PROCESSORS_H
#define DW_PROCESSORS_H

#include "dagwood_processor.h"
#include "actors/traits.h"
#include "runtime/core/plan.h"

/* The name in the set that is nearest to word, or NULL when none is near enough to be meant. */
const char *dw_processors_nearest (const dw_processors_t *self, const char *word);

/* For dw_plan_new: what the set knows of a processor, and how many CPUs this process may use. The
 * set is borrowed for as long as the lookup is used. */
dw_plan_lookup_t dw_processors_lookup (const dw_processors_t *self);

/* What the scheduler knows of a processor. */
dw_trait_t dw_processor_trait (const dw_processor_t *processor);

/* Compiles graph into a plan and checks the options of every node, so that all that is wrong comes
 * at once: what dw_graph_validate promises, for who then needs the plan. On failure *plan_p is
 * untouched. Reports at most 100 nodes with wrong options, then how many more.
 * Errors: DW_EGRAPH; DW_ENOMEM. */
int dw_processors_plan (const dw_processors_t *self, const dw_graph_t *graph, dw_plan_t **plan_p,
                        dw_error_t *error);
/* The same for a worker process that lacks some of the processors: of these foreign says what they
 * are, and the options of their nodes are not checked. */
int dw_processors_plan_partly (const dw_processors_t *self, const dw_traits_t *foreign,
                               const dw_graph_t *graph, dw_plan_t **plan_p, dw_error_t *error);

#endif
