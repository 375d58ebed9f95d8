/* lanes.c - which lanes of a plan a worker process serves. */

#include "actors/lanes.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/core/names.h"

#define LANES_SHOWN_MAX 3u /* of which it is told what is lacking, */
#define KINDS_SHOWN_MAX 3u /* and so many processors of each */

struct dw_lanes_t {
    const dw_plan_t *plan;
    dw_names_t kinds;
    uint64_t *lane_kinds; /* a set of kinds for each lane, words_count words each */
    uint32_t words_count;
    uint64_t adding; /* lanes of nodes that may add graphs */
};

/* What was offered. */
typedef struct s_offer_t {
    uint64_t *kinds; /* a set */
    struct {
        const char *name, *value;
        size_t name_size, value_size;
    } tags[DW_WIRE_TAGS_MAX];
    uint32_t tags_count;
} s_offer_t;

static void s_add (uint64_t *kinds, uint32_t kind) {
    kinds[kind / 64] |= UINT64_C (1) << (kind % 64);
}

static uint64_t *s_kinds_of (const dw_lanes_t *self, uint32_t lane) {
    return self->lane_kinds + (size_t) lane * self->words_count;
}

int dw_lanes_new (dw_lanes_t **self_p, const dw_plan_t *plan) {
    dw_lanes_t *self = calloc (1, sizeof *self);
    if (!self)
        return DW_ENOMEM;
    self->plan = plan;
    self->words_count = plan->kinds_count / 64 + 1;
    self->lane_kinds = calloc ((size_t) plan->lanes_count * self->words_count, sizeof (uint64_t));
    bool ok = self->lane_kinds &&
              dw_names_init (&self->kinds, plan->kinds_count, plan->kinds, sizeof *plan->kinds);
    for (uint32_t kind = 0; ok && kind < plan->kinds_count; kind++)
        ok = dw_names_add (&self->kinds, plan->kinds[kind], kind) == kind;
    if (!ok) {
        dw_lanes_destroy (&self);
        return DW_ENOMEM;
    }
    for (uint32_t node = 0; node < plan->nodes_count; node++)
        s_add (s_kinds_of (self, plan->lane[node]), plan->kind[node]);
    for (uint32_t node = 0; plan->adds_at && node < plan->nodes_count; node++) {
        if (dw_plan_may_add (plan, node))
            self->adding |= UINT64_C (1) << plan->lane[node];
        for (uint32_t at = plan->adds_at[node]; at < plan->adds_at[node + 1]; at++)
            s_add (s_kinds_of (self, plan->lane[node]), plan->adds[at]);
    }
    *self_p = self;
    return DW_OK;
}

void dw_lanes_destroy (dw_lanes_t **self_p) {
    dw_lanes_t *self = *self_p;
    if (!self)
        return;
    dw_names_free (&self->kinds);
    free (self->lane_kinds);
    free (self);
    *self_p = NULL;
}

/* ---- What is offered -------------------------------------------------------------------------- */

static void s_read_processors (const dw_lanes_t *self, dw_wire_reader_t *reader, uint32_t count,
                               s_offer_t *offer) {
    char text[DW_WIRE_NAME_MAX + 1 + 8]; /* names are compared by words */
    for (; count > 0 && !reader->is_damaged; count--) {
        size_t size;
        const char *name = dw_read_name (reader, &size);
        if (!name || memchr (name, '\0', size)) {
            reader->is_damaged = true;
            return;
        }
        memset (text, 0, sizeof text);
        memcpy (text, name, size);
        uint32_t kind = dw_names_find (&self->kinds, text);
        if (kind != DW_NONE)
            s_add (offer->kinds, kind);
    }
}

static void s_read_tags (dw_wire_reader_t *reader, s_offer_t *offer) {
    offer->tags_count = dw_read_tags (reader);
    for (uint32_t i = 0; i < offer->tags_count; i++) {
        offer->tags[i].name = dw_read_name (reader, &offer->tags[i].name_size);
        offer->tags[i].value = dw_read_name (reader, &offer->tags[i].value_size);
    }
    if (reader->is_damaged)
        offer->tags_count = 0;
}

static bool s_is (const char *text, const char *bytes, size_t size) {
    return strlen (text) == size && memcmp (text, bytes, size) == 0;
}

static bool s_has_tag (const s_offer_t *offer, const dw_tag_t *tag) {
    for (uint32_t i = 0; i < offer->tags_count; i++)
        if (s_is (tag->name, offer->tags[i].name, offer->tags[i].name_size) &&
            s_is (tag->value, offer->tags[i].value, offer->tags[i].value_size))
            return true;
    return false;
}

/* ---- What is lacking -------------------------------------------------------------------------- */

/* The first tag of a lane that is not offered; NULL: all are. */
static const dw_tag_t *s_lacks_tag (const dw_lanes_t *self, uint32_t lane, const s_offer_t *offer) {
    const dw_demand_t *demand = self->plan->demands ? &self->plan->demands[lane] : NULL;
    for (uint32_t i = 0; demand && i < demand->tags_count; i++)
        if (!s_has_tag (offer, &demand->tags[i]))
            return &demand->tags[i];
    return NULL;
}

/* The processor of a lane from kind on that is not offered; DW_NONE: all are. */
static uint32_t s_lacks_kind (const dw_lanes_t *self, uint32_t lane, const s_offer_t *offer,
                              uint32_t kind) {
    const uint64_t *kinds = s_kinds_of (self, lane);
    uint64_t mask = UINT64_MAX << (kind % 64);
    for (uint32_t word = kind / 64; word < self->words_count; word++, mask = UINT64_MAX) {
        uint64_t lacking = kinds[word] & ~offer->kinds[word] & mask;
        if (lacking)
            return word * 64 + (uint32_t) __builtin_ctzll (lacking);
    }
    return DW_NONE;
}

static void s_append (char *why, const char *format, ...) DW_PRINTF (2, 3);

static void s_append (char *why, const char *format, ...) {
    size_t used = strlen (why);
    va_list arguments;
    va_start (arguments, format);
    vsnprintf (why + used, DW_LANES_WHY - used, format, arguments);
    va_end (arguments);
}

/* Appends what the offer lacks for a lane. */
static void s_tell (const dw_lanes_t *self, uint32_t lane, const s_offer_t *offer, char *why) {
    const dw_plan_t *plan = self->plan;
    const dw_tag_t *tag = s_lacks_tag (self, lane, offer);
    uint32_t more = 0, shown = 0;
    if (lane > 0)
        s_append (why, ";");
    if (plan->demands)
        s_append (why, " for node \"%.40s\"", plan->ids[plan->by_position[plan->lane_at[lane]]]);
    if (tag) {
        s_append (why, " the tag %.40s=%.40s", tag->name, tag->value);
        return;
    }
    for (uint32_t kind = 0; (kind = s_lacks_kind (self, lane, offer, kind)) != DW_NONE; kind++)
        if (shown == KINDS_SHOWN_MAX)
            more++;
        else
            s_append (why, "%s \"%.40s\"", shown++ ? "," : " the processor", plan->kinds[kind]);
    if (more)
        s_append (why, " and %u more", (unsigned) more);
}

int dw_lanes_match (const dw_lanes_t *self, const dw_wire_agent_t *agent, dw_wire_reader_t *reader,
                    bool compiles, uint64_t *lanes_p, char why[DW_LANES_WHY]) {
    const dw_plan_t *plan = self->plan;
    s_offer_t offer = {.kinds = calloc (self->words_count, sizeof (uint64_t))};
    if (!offer.kinds)
        return DW_ENOMEM;
    s_read_processors (self, reader, agent->processors_count, &offer);
    s_read_tags (reader, &offer);
    *lanes_p = 0;
    for (uint32_t lane = 0; lane < plan->lanes_count; lane++)
        if (!s_lacks_tag (self, lane, &offer) && s_lacks_kind (self, lane, &offer, 0) == DW_NONE)
            *lanes_p |= UINT64_C (1) << lane;
    bool could_but_for = *lanes_p && !compiles;
    if (!compiles)
        *lanes_p &= ~self->adding;
    if (*lanes_p == 0 && could_but_for)
        snprintf (why, DW_LANES_WHY,
                  "a worker that compiles no graphs cannot run nodes that may add some (adds)");
    else if (*lanes_p == 0 && !reader->is_damaged) {
        snprintf (why, DW_LANES_WHY, "this worker could run none of the graph's nodes: it lacks");
        for (uint32_t lane = 0; lane < plan->lanes_count && lane < LANES_SHOWN_MAX; lane++)
            s_tell (self, lane, &offer, why);
    }
    free (offer.kinds);
    return reader->is_damaged ? DW_EPROTOCOL : DW_OK;
}
