/* demands.c - what nodes demand of whoever runs them, each different demand once. */

#include "runtime/core/demands.h"

#include <stdio.h>
#include <string.h>

static bool s_is_same (const dw_demand_t *a, const dw_demand_t *b) {
    if (!a || !b)
        return a == b;
    if (a->remote != b->remote || a->tags_count != b->tags_count)
        return false;
    for (uint32_t i = 0; i < a->tags_count; i++)
        if (strcmp (a->tags[i].name, b->tags[i].name) != 0 ||
            strcmp (a->tags[i].value, b->tags[i].value) != 0)
            return false;
    return true;
}

uint32_t dw_demands_find (dw_demands_t *self, const dw_demand_t *demand) {
    for (uint32_t i = 0; i < self->count; i++)
        if (s_is_same (self->items[i], demand))
            return i;
    if (self->count == DW_DEMANDS_MAX)
        return DW_NONE;
    self->items[self->count] = demand;
    return self->count++;
}

static bool s_copy (dw_demand_t *to, const dw_demand_t *from, dw_arena_t *arena) {
    to->remote = from->remote;
    to->tags_count = to->tags_size = from->tags_count;
    to->tags = dw_arena_take (arena, from->tags_count, sizeof (dw_tag_t));
    for (uint32_t i = 0; to->tags && i < from->tags_count; i++) {
        const char *name = from->tags[i].name, *value = from->tags[i].value;
        to->tags[i] = (dw_tag_t){dw_arena_copy (arena, name, strlen (name)),
                                 dw_arena_copy (arena, value, strlen (value))};
        if (!to->tags[i].name || !to->tags[i].value)
            return false;
    }
    return to->tags;
}

dw_demand_t *dw_demands_copy (const dw_demands_t *self, dw_arena_t *arena) {
    dw_demand_t *copy = dw_arena_take (arena, self->count, sizeof (*copy));
    bool ok = copy;
    for (uint32_t i = 0; ok && i < self->count; i++)
        if (self->items[i])
            ok = s_copy (&copy[i], self->items[i], arena);
    return ok ? copy : NULL;
}

const char *dw_plan_show_demand (const dw_plan_t *self, uint32_t lane,
                                 char shown[DW_DEMAND_SHOWN]) {
    const dw_demand_t *demand = self->demands ? &self->demands[lane] : NULL;
    size_t used = 0;
    snprintf (shown, DW_DEMAND_SHOWN, demand && demand->remote ? "remote" : "none");
    for (uint32_t i = 0; demand && i < demand->tags_count && used < DW_DEMAND_SHOWN; i++)
        used += (size_t) snprintf (shown + used, DW_DEMAND_SHOWN - used, "%s%s=%s", i ? ", " : "",
                                   demand->tags[i].name, demand->tags[i].value);
    return shown;
}
