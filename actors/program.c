/* program.c - what all actors of a system read. */

#include "actors/program.h"

#include <stdlib.h>
#include <sys/random.h>

#include "actors/processors.h"
#include "runtime/settings.h"

/* Whoever runs a node runs what it adds. */
static int s_check_adds (const dw_program_t *self, uint32_t node, dw_error_t *error) {
    const dw_plan_t *plan = self->plan;
    for (uint32_t at = plan->adds_at ? plan->adds_at[node] : 0;
         plan->adds_at && at < plan->adds_at[node + 1]; at++)
        if (!self->processors[plan->adds[at]])
            return dw_error_add (error, DW_EGRAPH, DW_NOWHERE,
                                 "node \"%s\" may add nodes with the processor \"%s\", which this "
                                 "worker lacks",
                                 plan->ids[node], plan->kinds[plan->adds[at]]);
    return DW_OK;
}

/* What only workers elsewhere have: the plan takes it for the same. */
static int s_is_not_here (dw_call_t *call, void *arg) {
    (void) arg;
    return dw_call_fail (call, 500, "this processor is elsewhere");
}

static const dw_processor_t s_elsewhere = {
    .name = "", .help = "", .intent = DW_TRANSFORM, .process = s_is_not_here};

static int s_fill (dw_program_t *self, const dw_graph_t *graph, const dw_processors_t *processors,
                   dw_error_t *error) {
    const dw_plan_t *plan = self->plan;
    self->processors = calloc (plan->kinds_count + 1u, sizeof *self->processors);
    self->settings = calloc (plan->nodes_count + 1u, sizeof *self->settings);
    if (!self->processors || !self->settings)
        return dw_error_add (error, DW_ENOMEM, DW_NOWHERE, "out of memory");
    for (uint32_t kind = 0; kind < plan->kinds_count; kind++)
        self->processors[kind] = dw_processors_find (processors, plan->kinds[kind]);
    for (uint32_t node = 0; node < plan->nodes_count; node++) {
        const dw_processor_t *processor = self->processors[plan->kind[node]];
        if (!dw_program_hosts (self, node))
            continue;
        if (!processor)
            return dw_error_add (error, DW_EGRAPH, DW_NOWHERE,
                                 "node \"%s\" names the processor \"%s\", which this worker lacks",
                                 plan->ids[node], plan->kinds[plan->kind[node]]);
        int err = s_check_adds (self, node, error);
        if (err)
            return err;
        if (!processor->options)
            continue;
        err = dw_settings_new (&self->settings[node], &graph->nodes[plan->declared[node]],
                               graph->file, processor, error);
        if (err)
            return err;
    }
    if (getrandom (self->token, sizeof self->token, 0) != (ssize_t) sizeof self->token)
        return dw_error_add (error, DW_ELIMIT, DW_NOWHERE, "the system gives no random bytes");
    return DW_OK;
}

/* Makes a program of the plan, which it owns whatever comes of it. */
static int s_new (dw_program_t **self_p, dw_plan_t *plan, const dw_graph_t *graph,
                  const dw_processors_t *processors, uint64_t lanes, dw_error_t *error) {
    dw_program_t *self = calloc (1, sizeof *self);
    if (!self) {
        dw_plan_destroy (&plan);
        return dw_error_add (error, DW_ENOMEM, DW_NOWHERE, "out of memory");
    }
    self->plan = plan;
    self->lanes = lanes;
    int err = s_fill (self, graph, processors, error);
    if (err)
        dw_program_destroy (&self);
    else
        *self_p = self;
    return err;
}

int dw_program_new (dw_program_t **self_p, const dw_graph_t *graph,
                    const dw_processors_t *processors, dw_error_t *error) {
    dw_plan_t *plan = NULL;
    int err = dw_processors_plan (processors, graph, &plan, error);
    if (!err)
        err = s_new (self_p, plan, graph, processors, dw_plan_lane_is_free (plan, 0), error);
    for (uint32_t kind = 0; !err && kind < plan->kinds_count; kind++)
        if (!(*self_p)->processors[kind])
            (*self_p)->processors[kind] = &s_elsewhere;
    return err;
}

int dw_program_new_elsewhere (dw_program_t **self_p, const dw_graph_t *graph,
                              const dw_processors_t *processors, const dw_traits_t *foreign,
                              uint64_t lanes, dw_error_t *error) {
    dw_plan_t *plan = NULL;
    int err = dw_processors_plan_partly (processors, foreign, graph, &plan, error);
    return err ? err : s_new (self_p, plan, graph, processors, lanes, error);
}

void dw_program_destroy (dw_program_t **self_p) {
    dw_program_t *self = *self_p;
    if (!self)
        return;
    for (uint32_t node = 0; self->settings && node < self->plan->nodes_count; node++)
        dw_settings_destroy (&self->settings[node]);
    free (self->settings);
    free (self->processors);
    dw_plan_destroy (&self->plan);
    free (self);
    *self_p = NULL;
}
