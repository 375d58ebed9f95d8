/* grown.c - the graphs that were added to runs, as a worker has them. */

#include "actors/grown.h"

#include <stdlib.h>

/* Tasks come in rows of the same graph, so the one asked for last is the first. */
dw_grown_t *dw_grown_find (dw_grown_t **list_p, uint64_t run) {
    dw_grown_t **at = list_p, *found;
    while (*at && (*at)->run != run)
        at = &(*at)->next;
    found = *at;
    if (!found || at == list_p)
        return found;
    *at = found->next;
    found->next = *list_p;
    *list_p = found;
    return found;
}

static void s_destroy (dw_grown_t *self) {
    dw_hosted_destroy (&self->hosted);
    dw_addition_destroy (&self->addition);
    free (self);
}

bool dw_grown_add (dw_grown_t **list_p, uint64_t run, uint64_t digest, const uint8_t *bytes,
                   size_t size, const dw_program_t *program) {
    dw_grown_t *self = calloc (1, sizeof *self);
    if (!self)
        return false;
    if (dw_addition_new (&self->addition, bytes, size, program, NULL, DW_NONE, NULL) ||
        dw_plan_digest (self->addition->added->plan) != digest ||
        dw_hosted_new (&self->hosted, &self->addition->program)) {
        s_destroy (self);
        return false;
    }
    self->run = run;
    self->next = *list_p;
    *list_p = self;
    return true;
}

void dw_grown_drop_first (dw_grown_t **list_p) {
    dw_grown_t *first = *list_p;
    *list_p = first->next;
    s_destroy (first);
}
