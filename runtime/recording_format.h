/* recording_format.h - what writing and reading a recording share: codes, fields, frames.
 * docs/RECORDING.md says the same in words. */

#ifndef DW_RECORDING_FORMAT_H
#define DW_RECORDING_FORMAT_H

#include "runtime/recording.h"

#define DW_RECORDING_MAGIC \
    "\x89"                 \
    "dwrec\r\n"
#define DW_RECORDING_MAGIC_SIZE    8u
#define DW_RECORDING_PREAMBLE_SIZE 32u
#define DW_FRAME_MARKER            UINT32_C (0x3cd7a5e1)
#define DW_FRAME_HEAD_SIZE         16u
#define DW_FRAME_BYTES_MAX         65536u

/* Begins a record. The header has none: it is the first. */
typedef enum dw_recording_tag_t {
    DW_TAG_STEP = 1, /* time, events, DW_EVENTS_END, digest */
    DW_TAG_WORK,     /* time, parts, DW_WORK_END, tasks, flags, digest */
    DW_TAG_PLACE,    /* worker, text */
    DW_TAG_END,      /* reason */
    /* bytes: a graph that a node adds in the step that follows; of several one after another */
    DW_TAG_ADDED,
} dw_recording_tag_t;

/* Begins an event of a step: DW_EVENTS_END, 1 + its type, or */
#define DW_EVENTS_END    0u
#define DW_EVENTS_REPEAT 64u /* count: so many more, each as foretold by the one before */

/* Begins a part of own work. */
typedef enum dw_recording_work_t {
    DW_WORK_END,  /* tasks, flags, digest */
    DW_WORK_LAP,  /* ns: of as many steps as the lap before */
    DW_WORK_LAPS, /* steps, ns */
    DW_WORK_GAP,  /* ns, before the lap that follows */
    DW_WORK_ODD,  /* tasks since the odd one before, done, code, handle */
} dw_recording_work_t;

/* The code of an odd task that ended its branch; those of failures are below. */
#define DW_WORK_SKIPPED 1000u

#define DW_WORK_BY_TIME    1u
#define DW_WORK_LAP_BEHIND 2u

/* ---- Events ----------------------------------------------------------------------------------- */

/* A field of an event that travels. Bit k of an event's mask says that its field k is not as
 * foretold, and then the difference follows, zigzag. A new field goes behind those of its type: who
 * wrote before it existed has said nothing of it, and it is zero. */
typedef enum dw_field_form_t {
    DW_FIELD_NONE, /* there is no such field */
    DW_FIELD_BOOL,
    DW_FIELD_U16,
    DW_FIELD_U32,
    DW_FIELD_U64,
    DW_FIELD_LIST, /* a pointer to u32, whose count is the field at count_offset: count, numbers */
} dw_field_form_t;

typedef struct dw_recording_field_t {
    uint8_t form, offset, count_offset;
} dw_recording_field_t;

#define DW_EVENT_TYPES      (DW_EVENT_BACKLOG + 1)
#define DW_EVENT_FIELDS_MAX 8

extern const dw_recording_field_t dw_recording_fields[DW_EVENT_TYPES][DW_EVENT_FIELDS_MAX];

static inline bool dw_recording_is_answer (dw_event_type_t type) {
    return type == DW_EVENT_TASK_DONE || type == DW_EVENT_TASK_FAILED ||
           type == DW_EVENT_TASK_RETURNED || type == DW_EVENT_TASK_SKIPPED ||
           type == DW_EVENT_TASK_ADDED;
}
/* Whether slots came with it, which its handle is the first of. */
static inline bool dw_recording_has_slots (dw_event_type_t type) {
    return type == DW_EVENT_TASK_DONE || type == DW_EVENT_TASK_FAILED ||
           type == DW_EVENT_TASK_ADDED;
}

/* What has gone by, from which the next event is foretold. */
typedef struct dw_recording_past_t {
    dw_event_t last[DW_EVENT_TYPES]; /* by type, without lists */
    uint32_t worker, step, handle;   /* of the next answer */
    uint64_t ticket;
} dw_recording_past_t;

/* The next event, if it is of this type. */
dw_event_t dw_recording_foretell (const dw_recording_past_t *self, dw_event_type_t type);
void dw_recording_learn (dw_recording_past_t *self, const dw_event_t *event);
/* Handles are counted anew in each step. */
static inline void dw_recording_begin_step (dw_recording_past_t *self) {
    self->handle = 0;
}
uint64_t dw_recording_get (const dw_event_t *event, dw_recording_field_t field);
/* False: the value is none for this field. */
bool dw_recording_set (dw_event_t *event, dw_recording_field_t field, uint64_t value);

/* ---- Frames ----------------------------------------------------------------------------------- */

/* The check of bytes. Whatever changes within one word of eight bytes changes it. */
uint64_t dw_recording_check (uint64_t seed, const uint8_t *bytes, size_t size);
/* The other way round: the seed with which bytes have this check. */
uint64_t dw_recording_uncheck (uint64_t check, const uint8_t *bytes, size_t size);
/* A frame's seed. */
static inline uint64_t dw_recording_seed (uint64_t salt, uint64_t offset, uint32_t size) {
    return salt ^ (offset << 20 | size);
}

#endif
