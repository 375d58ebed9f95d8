/* addition.c - a graph that a node adds to its run. */

#include "actors/addition.h"

#include <stdlib.h>
#include <string.h>

#include "actors/processors.h"
#include "runtime/pack.h"
#include "runtime/settings.h"

static const dw_processor_t *s_processor (const dw_program_t *root, const char *name) {
    for (uint32_t kind = 0; kind < root->plan->kinds_count; kind++)
        if (strcmp (root->plan->kinds[kind], name) == 0)
            return root->processors[kind];
    return NULL;
}

/* Only processors of the run's own graph can be known here: the others are not allowed to
 * anybody. */
static bool s_trait (void *arg, const char *name, dw_trait_t *trait_p) {
    const dw_processor_t *processor = s_processor (arg, name);
    if (processor)
        *trait_p = dw_processor_trait (processor);
    return processor != NULL;
}

static int s_fill (dw_addition_t *self, const dw_graph_t *graph, const dw_program_t *root,
                   dw_error_t *error) {
    const dw_plan_t *plan = self->added->plan;
    dw_program_t *program = &self->program;
    program->plan = self->added->plan;
    memcpy (program->token, root->token, sizeof program->token);
    program->processors = calloc (plan->kinds_count + 1u, sizeof *program->processors);
    program->settings = calloc (plan->nodes_count + 1u, sizeof *program->settings);
    if (!program->processors || !program->settings)
        return dw_error_add (error, DW_ENOMEM, DW_NOWHERE, "out of memory");
    for (uint32_t kind = 0; kind < plan->kinds_count; kind++)
        program->processors[kind] = root->processors[self->added->kinds[kind]];
    int err = DW_OK;
    for (uint32_t node = 0; node < plan->nodes_count && !err; node++) {
        const dw_processor_t *processor = program->processors[plan->kind[node]];
        err = dw_settings_new (&program->settings[node], &graph->nodes[plan->declared[node]],
                               graph->file, processor, error);
    }
    return err;
}

int dw_addition_new (dw_addition_t **self_p, const uint8_t *bytes, size_t size,
                     const dw_program_t *root, const dw_added_t *within, uint32_t node,
                     dw_error_t *error) {
    dw_plan_lookup_t lookup = {.trait = s_trait,
                               .arg = (void *) root,
                               .cpus_count = 1,
                               .unknown = "unknown here: \"adds\" has to name it"};
    dw_graph_t *graph = NULL;
    char *output = NULL;
    dw_addition_t *self = calloc (1, sizeof *self);
    if (!self)
        return dw_error_add (error, DW_ENOMEM, DW_NOWHERE, "out of memory");
    int err = dw_unpack_addition (&graph, &output, bytes, size, error);
    if (!err && !(self->bytes = malloc (size)))
        err = dw_error_add (error, DW_ENOMEM, DW_NOWHERE, "out of memory");
    if (!err)
        err = dw_added_new (&self->added, graph, output, root->plan, within, node, &lookup, error);
    if (!err)
        err = s_fill (self, graph, root, error);
    dw_graph_destroy (&graph);
    free (output);
    if (err) {
        dw_addition_destroy (&self);
        return err;
    }
    memcpy (self->bytes, bytes, size);
    self->added->bytes = self->bytes;
    self->added->bytes_size = self->bytes_size = size;
    *self_p = self;
    return DW_OK;
}

void dw_addition_destroy (dw_addition_t **self_p) {
    dw_addition_t *self = *self_p;
    if (!self)
        return;
    uint32_t nodes_count = self->program.settings ? self->added->plan->nodes_count : 0;
    for (uint32_t node = 0; node < nodes_count; node++)
        dw_settings_destroy (&self->program.settings[node]);
    free (self->program.settings);
    free (self->program.processors);
    dw_added_destroy (&self->added);
    free (self->bytes);
    free (self);
    *self_p = NULL;
}
