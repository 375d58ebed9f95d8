/* recording_format.c - what writing and reading a recording share. */

#include "runtime/recording_format.h"

#include <stddef.h>
#include <string.h>

#define FIELD(form, name) \
    { DW_FIELD_##form, offsetof (dw_event_t, name), 0 }
#define LIST(name, count) \
    { DW_FIELD_LIST, offsetof (dw_event_t, name), offsetof (dw_event_t, count) }

/* A new event, or a new field of one, is a line here, behind the others. */
const dw_recording_field_t dw_recording_fields[DW_EVENT_TYPES][DW_EVENT_FIELDS_MAX] = {
    [DW_EVENT_RUN_SUBMITTED] = {FIELD (U32, run), LIST (outputs, outputs_count),
                                FIELD (U64, deadline_ns)},
    [DW_EVENT_RUN_CANCELLED] = {FIELD (U32, run)},
    [DW_EVENT_WORKER_JOINED] = {FIELD (U32, worker), FIELD (U32, lane), FIELD (U32, credit),
                                FIELD (BOOL, local), FIELD (U64, lanes)},
    [DW_EVENT_WORKER_LOST] = {FIELD (U32, worker), FIELD (BOOL, last), FIELD (BOOL, idle),
                              FIELD (U32, handle)},
    [DW_EVENT_TASK_DONE] = {FIELD (U64, duration_ns), FIELD (U64, ticket), FIELD (U32, worker),
                            FIELD (U32, steps), FIELD (U32, step), FIELD (BOOL, last),
                            FIELD (U32, handle)},
    [DW_EVENT_TASK_FAILED] = {FIELD (U64, duration_ns), FIELD (U64, ticket), FIELD (U32, worker),
                              FIELD (U16, code), FIELD (U32, step), FIELD (U32, handle)},
    [DW_EVENT_TASK_RETURNED] = {FIELD (U64, ticket), FIELD (U32, worker), FIELD (U32, step)},
    [DW_EVENT_LANES_UNSERVED] = {FIELD (U64, lanes)},
    [DW_EVENT_TASK_SKIPPED] = {FIELD (U64, duration_ns), FIELD (U64, ticket), FIELD (U32, worker),
                               FIELD (U32, step)},
    [DW_EVENT_NODE_CANCELLED] = {FIELD (U32, run), FIELD (U32, node)},
    [DW_EVENT_TASK_ADDED] = {FIELD (U64, duration_ns), FIELD (U64, ticket), FIELD (U32, worker),
                             FIELD (U32, step), FIELD (U32, handle), FIELD (U32, run)},
};

dw_event_t dw_recording_foretell (const dw_recording_past_t *self, dw_event_type_t type) {
    dw_event_t event = self->last[type];
    event.type = (uint8_t) type;
    if (!dw_recording_is_answer (type))
        return event;
    event.worker = self->worker;
    event.ticket = self->ticket;
    event.step = self->step;
    if (dw_recording_has_slots (type))
        event.handle = self->handle;
    return event;
}

void dw_recording_learn (dw_recording_past_t *self, const dw_event_t *event) {
    dw_event_type_t type = (dw_event_type_t) event->type;
    self->last[type] = *event;
    for (int k = 0; k < DW_EVENT_FIELDS_MAX; k++) {
        dw_recording_field_t field = dw_recording_fields[type][k];
        if (field.form != DW_FIELD_LIST)
            continue;
        memset ((char *) &self->last[type] + field.offset, 0, sizeof (uint32_t *));
        memset ((char *) &self->last[type] + field.count_offset, 0, sizeof (uint32_t));
    }
    if (!dw_recording_is_answer (type))
        return;
    bool is_done = type == DW_EVENT_TASK_DONE, is_over = !is_done || event->last;
    self->worker = event->worker;
    self->ticket = event->ticket + is_over;
    self->step = is_over ? 0 : event->step + event->steps;
    if (dw_recording_has_slots (type))
        self->handle = event->handle + (is_done ? event->steps : 1);
}

uint64_t dw_recording_get (const dw_event_t *event, dw_recording_field_t field) {
    const char *at = (const char *) event + field.offset;
    uint64_t u64;
    uint32_t u32;
    uint16_t u16;
    switch ((dw_field_form_t) field.form) {
        case DW_FIELD_NONE:
        case DW_FIELD_LIST: return 0;
        case DW_FIELD_BOOL: return *(const bool *) at;
        case DW_FIELD_U16: memcpy (&u16, at, sizeof u16); return u16;
        case DW_FIELD_U32: memcpy (&u32, at, sizeof u32); return u32;
        case DW_FIELD_U64: memcpy (&u64, at, sizeof u64); return u64;
    }
    return 0;
}

bool dw_recording_set (dw_event_t *event, dw_recording_field_t field, uint64_t value) {
    char *at = (char *) event + field.offset;
    uint32_t u32 = (uint32_t) value;
    uint16_t u16 = (uint16_t) value;
    switch ((dw_field_form_t) field.form) {
        case DW_FIELD_NONE:
        case DW_FIELD_LIST: return false;
        case DW_FIELD_BOOL: *(bool *) at = value == 1; return value <= 1;
        case DW_FIELD_U16: memcpy (at, &u16, sizeof u16); return u16 == value;
        case DW_FIELD_U32: memcpy (at, &u32, sizeof u32); return u32 == value;
        case DW_FIELD_U64: memcpy (at, &value, sizeof value); return true;
    }
    return false;
}

#define FACTOR  UINT64_C (0x9e3779b97f4a7c15)
#define INVERSE UINT64_C (0xf1de83e19937733d) /* of FACTOR: their product is 1 */
#define LAST    UINT64_C (0x2545f4914f6cdd1d)

static uint64_t s_add (uint64_t check, uint64_t word) {
    check = (check ^ word) * FACTOR;
    return check ^ check >> 32;
}

/* What the check was before word. */
static uint64_t s_take_off (uint64_t check, uint64_t word) {
    return ((check ^ check >> 32) * INVERSE) ^ word;
}

uint64_t dw_recording_check (uint64_t seed, const uint8_t *bytes, size_t size) {
    uint64_t check = s_add (seed, size), word;
    for (; size >= sizeof word; bytes += sizeof word, size -= sizeof word) {
        memcpy (&word, bytes, sizeof word);
        check = s_add (check, word);
    }
    word = 0;
    if (size)
        memcpy (&word, bytes, size);
    return s_add (s_add (check, word), LAST);
}

uint64_t dw_recording_uncheck (uint64_t check, const uint8_t *bytes, size_t size) {
    size_t whole = size - size % sizeof check;
    uint64_t word = 0;
    if (size > whole)
        memcpy (&word, bytes + whole, size - whole);
    check = s_take_off (s_take_off (check, LAST), word);
    for (size_t at = whole; at > 0; at -= sizeof word) {
        memcpy (&word, bytes + at - sizeof word, sizeof word);
        check = s_take_off (check, word);
    }
    return s_take_off (check, size);
}
