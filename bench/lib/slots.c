/* slots.c - the slots of workers that are simulated, and the messages to and from them on their
 * way. */

#include "bench/lib/slots.h"

#include <stdlib.h>

#include "bench/lib/mix.h"
#include "dagwood.h"

#define ANSWER_NS 50000 /* a slot's last answer is old */

/* ---- Queues ----------------------------------------------------------------------------------- */

static bool s_line_add (dw_line_t *self, dw_item_t item) {
    if (self->next - self->first == self->size) {
        size_t size = self->size ? 2 * self->size : 4;
        dw_item_t *items = malloc (size * sizeof *items);
        if (!items)
            return false;
        for (size_t i = self->first; i < self->next; i++)
            items[i & (size - 1)] = self->items[i & (self->size - 1)];
        free (self->items);
        self->items = items;
        self->size = size;
    }
    self->items[self->next++ & (self->size - 1)] = item;
    return true;
}

static dw_item_t *s_line_first (const dw_line_t *self) {
    return self->first == self->next ? NULL : &self->items[self->first & (self->size - 1)];
}

static void s_line_free (dw_line_t *self) {
    free (self->items);
    *self = (dw_line_t){0};
}

static void s_add (dw_slots_t *self, dw_line_t *line, dw_item_t item) {
    self->no_memory |= !s_line_add (line, item);
}

static void s_heap_add (dw_slots_t *self, dw_item_t item) {
    size_t at = self->busy_count++;
    for (; at > 0 && self->busy[(at - 1) / 2].at_ns > item.at_ns; at = (at - 1) / 2)
        self->busy[at] = self->busy[(at - 1) / 2];
    self->busy[at] = item;
}

static dw_item_t s_heap_take (dw_slots_t *self) {
    dw_item_t first = self->busy[0], last = self->busy[--self->busy_count];
    size_t at = 0;
    for (;;) {
        size_t child = 2 * at + 1;
        if (child + 1 < self->busy_count && self->busy[child + 1].at_ns < self->busy[child].at_ns)
            child++;
        if (child >= self->busy_count || self->busy[child].at_ns >= last.at_ns)
            break;
        self->busy[at] = self->busy[child];
        at = child;
    }
    self->busy[at] = last;
    return first;
}

/* ---- A slot ----------------------------------------------------------------------------------- */

/* A tenth more or less than the mean, the same for a slot's same task. */
static uint32_t s_task_ns (const dw_slots_t *self, uint32_t slot, uint64_t ticket) {
    uint64_t mean_ns = self->task_us * 1000;
    uint64_t drawn = dw_mix_end (dw_mix_word (dw_mix_start (slot), ticket));
    uint64_t ns = mean_ns - mean_ns / 10 + drawn % (mean_ns / 5 + 1);
    return ns < UINT32_MAX ? (uint32_t) ns : UINT32_MAX;
}

/* Sends all that a slot has not told. */
static void s_tell (dw_slots_t *self, dw_simulated_slot_t *slot, int64_t now_ns) {
    const dw_item_t *answer;
    for (; (answer = s_line_first (&slot->untold)); slot->untold.first++) {
        dw_item_t item = *answer;
        item.at_ns = now_ns + self->latency_ns;
        s_add (self, &self->from_slots, item);
    }
    slot->told_ns = now_ns;
}

/* A slot begins the next task, if there is one; what was taken back it gives back. */
static void s_begin (dw_slots_t *self, uint32_t index, int64_t now_ns) {
    dw_simulated_slot_t *slot = &self->items[index];
    const dw_item_t *next;
    for (; (next = s_line_first (&slot->waiting)); slot->waiting.first++) {
        dw_item_t item = *next;
        if (item.type == DW_ITEM_CANCEL) {
            item.type = DW_ITEM_RETURNED;
            s_add (self, &slot->untold, item);
            continue;
        }
        slot->waiting.first++;
        item.type = DW_ITEM_DONE;
        item.duration_ns = s_task_ns (self, index, item.ticket);
        item.at_ns = now_ns + item.duration_ns;
        slot->is_busy = true;
        slot->task = item;
        self->busy_ns += item.duration_ns;
        s_heap_add (self, item);
        return;
    }
    s_tell (self, slot, now_ns);
}

static void s_end_task (dw_slots_t *self, dw_item_t task) {
    dw_simulated_slot_t *slot = &self->items[task.slot];
    slot->is_busy = false;
    s_add (self, &slot->untold, task);
    if (task.at_ns - slot->told_ns >= ANSWER_NS)
        s_tell (self, slot, task.at_ns);
    s_begin (self, task.slot, task.at_ns);
}

/* A slot gets a task, or is told that one is nobody's any more: one that it has begun it goes on
 * with. */
static void s_get (dw_slots_t *self, dw_item_t item) {
    dw_simulated_slot_t *slot = &self->items[item.slot];
    if (item.type == DW_ITEM_TASK) {
        if (!slot->is_busy)
            slot->told_ns = item.at_ns;
        s_add (self, &slot->waiting, item);
        if (!slot->is_busy)
            s_begin (self, item.slot, item.at_ns);
        return;
    }
    const dw_item_t *first = s_line_first (&slot->waiting);
    if (first && item.ticket >= first->ticket)
        slot->waiting
            .items[(slot->waiting.first + item.ticket - first->ticket) & (slot->waiting.size - 1)]
            .type = DW_ITEM_CANCEL;
}

/* ---- All of them ------------------------------------------------------------------------------ */

int dw_slots_init (dw_slots_t *self, uint32_t count, uint64_t task_us, int64_t latency_ns) {
    *self = (dw_slots_t){.count = count, .task_us = task_us, .latency_ns = latency_ns};
    self->items = calloc (count, sizeof *self->items);
    self->busy = calloc (count, sizeof *self->busy);
    return self->items && self->busy ? DW_OK : DW_ENOMEM;
}

void dw_slots_shrink (dw_slots_t *self) {
    for (uint32_t slot = 0; self->items && slot < self->count; slot++) {
        s_line_free (&self->items[slot].waiting);
        s_line_free (&self->items[slot].untold);
    }
    s_line_free (&self->to_slots);
    s_line_free (&self->from_slots);
}

void dw_slots_free (dw_slots_t *self) {
    dw_slots_shrink (self);
    free (self->items);
    free (self->busy);
    *self = (dw_slots_t){0};
}

void dw_slots_send (dw_slots_t *self, dw_item_t item) {
    item.at_ns += self->latency_ns;
    s_add (self, &self->to_slots, item);
}

int64_t dw_slots_next_ns (const dw_slots_t *self) {
    const dw_item_t *message = s_line_first (&self->to_slots);
    int64_t next_ns = message ? message->at_ns : INT64_MAX;
    return self->busy_count && self->busy[0].at_ns < next_ns ? self->busy[0].at_ns : next_ns;
}

void dw_slots_happen (dw_slots_t *self) {
    const dw_item_t *message = s_line_first (&self->to_slots);
    if (message && (!self->busy_count || message->at_ns <= self->busy[0].at_ns)) {
        dw_item_t item = *message;
        self->to_slots.first++;
        s_get (self, item);
        return;
    }
    s_end_task (self, s_heap_take (self));
}

const dw_item_t *dw_slots_answer (const dw_slots_t *self) {
    return s_line_first (&self->from_slots);
}

void dw_slots_take (dw_slots_t *self) {
    self->from_slots.first++;
}

double dw_slots_left_ns (const dw_slots_t *self, int64_t now_ns) {
    double left_ns = 0;
    for (size_t i = 0; i < self->busy_count; i++)
        if (self->busy[i].at_ns > now_ns)
            left_ns += (double) (self->busy[i].at_ns - now_ns);
    return left_ns;
}
