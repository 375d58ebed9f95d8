/* ledger.c - which payloads a slot of a worker process keeps. */

#include "actors/ledger.h"

#include <assert.h>
#include <string.h>

static bool s_is_stale (const dw_ledger_item_t *item) {
    return item->run == 0 && item->size > 0;
}

static void s_make_stale (dw_ledger_t *self, dw_ledger_item_t *item) {
    item->run = 0;
    self->stale_bytes += item->size;
}

static void s_empty (dw_ledger_t *self, dw_ledger_item_t *item) {
    assert (item->run == 0);
    self->stale_bytes -= item->size;
    self->bytes -= item->size;
    memset (item, 0, sizeof *item);
}

/* The task reads it. */
static void s_touch (dw_ledger_t *self, dw_ledger_item_t *item) {
    if (item->task == self->task)
        return;
    item->task = self->task;
    self->task_bytes += item->size;
}

/* The one least recently read, of those that the task does not read; NULL: it reads all. */
static dw_ledger_item_t *s_oldest (dw_ledger_t *self) {
    dw_ledger_item_t *oldest = NULL;
    for (uint32_t place = 0; place < DW_WIRE_PLACES; place++) {
        dw_ledger_item_t *item = &self->items[place];
        if (item->run && item->task != self->task && (!oldest || item->task < oldest->task))
            oldest = item;
    }
    return oldest;
}

/* A place for another payload: an empty one, else one that is nobody's any more. */
static dw_ledger_item_t *s_place (dw_ledger_t *self) {
    dw_ledger_item_t *stale = NULL;
    for (uint32_t place = 0; place < DW_WIRE_PLACES; place++) {
        if (self->items[place].size == 0)
            return &self->items[place];
        if (!stale && s_is_stale (&self->items[place]))
            stale = &self->items[place];
    }
    if (!stale && (stale = s_oldest (self)))
        s_make_stale (self, stale);
    if (stale)
        s_empty (self, stale); /* what takes it says so to the slot */
    return stale;
}

void dw_ledger_next_task (dw_ledger_t *self) {
    self->task++;
    self->task_bytes = 0;
}

uint32_t dw_ledger_find (dw_ledger_t *self, uint64_t run, uint32_t source) {
    for (uint32_t place = 0; place < DW_WIRE_PLACES; place++)
        if (self->items[place].source == source && self->items[place].run == run) {
            s_touch (self, &self->items[place]);
            return place;
        }
    return DW_NONE;
}

uint32_t dw_ledger_add (dw_ledger_t *self, uint64_t run, uint32_t source, size_t size) {
    assert (run > 0 && size > 0);
    if (size > DW_WIRE_KEPT_MAX - self->task_bytes)
        return DW_NONE;
    dw_ledger_item_t *item = s_place (self);
    if (!item)
        return DW_NONE;
    *item = (dw_ledger_item_t){.run = run, .source = source, .size = (uint32_t) size};
    self->bytes += size;
    s_touch (self, item);
    while (self->bytes - self->stale_bytes > DW_WIRE_KEPT_MAX)
        s_make_stale (self, s_oldest (self)); /* there is one: what the task reads is less */
    return (uint32_t) (item - self->items);
}

bool dw_ledger_is_full (const dw_ledger_t *self) {
    return self->bytes > DW_WIRE_KEPT_MAX;
}

void dw_ledger_forget (dw_ledger_t *self, uint64_t run, uint32_t source) {
    for (uint32_t place = 0; place < DW_WIRE_PLACES; place++)
        if (self->items[place].run == run &&
            (source == DW_NONE || self->items[place].source == source))
            s_make_stale (self, &self->items[place]);
}

uint32_t dw_ledger_drop (dw_ledger_t *self) {
    for (uint32_t place = 0; self->stale_bytes > 0 && place < DW_WIRE_PLACES; place++)
        if (s_is_stale (&self->items[place])) {
            s_empty (self, &self->items[place]);
            return place;
        }
    return DW_NONE;
}
