/* recording.h - a recording: what went into a coordinator's scheduler, as bytes of a file; reading
 * them.
 *
 * The scheduler is a function of its events, so they are a complete record: fed to a fresh
 * scheduler of the same plan (replay.h) they give the same commands. docs/RECORDING.md has the
 * format. In short:
 *
 *     preamble   magic, version, salt, check
 *     frame...   marker, size, check, bytes        the bytes of all frames are one stream of
 *     record...  header, then STEP, WORK, PLACE    records, which ends with END if it was closed
 *
 * A frame's check is one of its bytes, its place in the file and the file's salt: a frame is whole
 * and where it was written, or it is not taken. Where a file ends with what is no whole frame or
 * record, and nothing whole follows that, the writer was cut off: the tail is torn, and what is
 * before it is good. Whatever else is wrong is damage.
 *
 * Bytes come from outside: nothing here is believed before it is checked. One thread at a time. */

#ifndef DW_RECORDING_H
#define DW_RECORDING_H

#include "runtime/core/scheduler.h"
#include "runtime/wire.h"

#define DW_RECORDING_VERSION    2u
#define DW_RECORDING_EVENTS_MAX 262144u /* of one step */
#define DW_RECORDING_TEXT_MAX   512u    /* bytes of a name */

typedef struct dw_recording_t dw_recording_t;

/* What replay needs besides the events. */
typedef struct dw_recording_header_t {
    const char *dagwood;  /* version of who wrote it */
    const char *name;     /* of the graph */
    int64_t started_us;   /* by the calendar, since 1970 */
    int64_t clock_ns;     /* the same by the clock of the steps, which times in events are of */
    uint64_t plan_digest; /* dw_plan_digest */
    dw_scheduler_options_t options;
    uint32_t cpus_count;
    const char *const *kinds; /* names of the plan's processors, */
    const dw_trait_t *traits; /* and what was known of each */
    uint32_t kinds_count;
    const uint8_t *graph; /* packed (runtime/pack.h) */
    size_t graph_size;
} dw_recording_header_t;

/* Steps of own work that were timed together, the last of them that ran so far. */
typedef struct dw_record_lap_t {
    uint32_t steps;
    uint64_t gap_ns; /* between the lap before and this one */
    uint64_t ns;
} dw_record_lap_t;

/* A task of own work that was not simply done. */
typedef struct dw_record_odd_t {
    uint64_t task; /* which one of this work, from 0 */
    uint32_t done, handle;
    uint16_t code;
} dw_record_odd_t;

typedef enum dw_record_type_t {
    DW_RECORD_STEP,  /* one dw_scheduler_step: time_ns, events */
    DW_RECORD_WORK,  /* one dw_scheduler_work: time_ns, tasks, laps, odds, ... */
    DW_RECORD_PLACE, /* worker, text: where that worker is */
    DW_RECORD_END,   /* reason: nothing follows */
    DW_RECORD_ADDED, /* bytes: a graph that a node adds in the next step (dw_pack_addition) */
} dw_record_type_t;

typedef enum dw_record_end_t {
    DW_RECORD_CLOSED, /* the coordinator ended */
    DW_RECORD_FULL,   /* the recording was as large as it was to become */
    DW_RECORD_UNFIT,  /* something came that a recording does not hold */
} dw_record_end_t;

typedef struct dw_record_t {
    dw_record_type_t type;
    uint64_t offset; /* in the file */
    int64_t time_ns; /* since the recording began */
    uint32_t digest; /* of all commands and own tasks so far, of STEP and WORK */
    dw_event_t *events;
    size_t events_count;
    dw_record_lap_t *laps;
    size_t laps_count;
    dw_record_odd_t *odds;
    size_t odds_count;
    uint64_t tasks;
    bool is_by_time;    /* it ended because its time was over, not for want of tasks */
    bool is_lap_behind; /* the last lap was told after its last task, not within */
    uint32_t worker;
    const char *text; /* not ended by NUL */
    size_t text_size;
    dw_record_end_t reason;
    const uint8_t *bytes;
    size_t bytes_size;
} dw_record_t;

/* Checks a whole file and reads its header. bytes are moved about in (frames' heads are taken out),
 * and borrowed for self's life; file is its name in messages, borrowed too.
 * Errors: DW_EPROTOCOL  no recording, of a later version, or damaged: the message has the offset
 *         DW_ENOMEM */
int dw_recording_open (dw_recording_t **self_p, uint8_t *bytes, size_t size, const char *file,
                       dw_error_t *error);
void dw_recording_close (dw_recording_t **self_p);

const dw_recording_header_t *dw_recording_header (const dw_recording_t *self);
/* The next record, valid until the one after it is asked for. All records are checked by their form
 * before the first is given, so this does not fail half-way.
 * Errors: DW_ENOENT  there is none: END was read, or the recording ends without one
 *         DW_ENOMEM */
int dw_recording_next (dw_recording_t *self, dw_record_t **record_p);
/* Goes back to the first record. */
void dw_recording_rewind (dw_recording_t *self);
/* Bytes at the file's end that are no whole frame or record; *offset_p where they begin. 0: none,
 * which is also what a writer leaves that was ended between two frames (dw_recording_is_closed
 * tells). */
uint64_t dw_recording_torn (const dw_recording_t *self, uint64_t *offset_p);
/* Whether its last record is an END. */
bool dw_recording_is_closed (const dw_recording_t *self);

/* ---- The digest of what was decided ----------------------------------------------------------- */

/* Takes in one thing that was decided, as five words; a product and a turn a word, so that few ns
 * go into it. */
static inline uint64_t dw_recording_mix (uint64_t digest, uint64_t a, uint64_t b, uint64_t c,
                                         uint64_t d, uint64_t e) {
    uint64_t all = a * UINT64_C (0x9e3779b97f4a7c15) ^ b * UINT64_C (0xbf58476d1ce4e5b9) ^
                   c * UINT64_C (0x94d049bb133111eb) ^ d * UINT64_C (0xd6e8feb86659fd93) ^
                   e * UINT64_C (0xa0761d6478bd642f);
    digest = (digest << 23 | digest >> 41) ^ all ^ all >> 29;
    return digest * UINT64_C (0x2127599bf4325c37);
}

static inline uint64_t dw_recording_two (uint32_t high, uint32_t low) {
    return (uint64_t) high << 32 | low;
}

static inline uint64_t dw_recording_command (uint64_t digest, const dw_command_t *command) {
    uint32_t small = (uint32_t) command->type | (uint32_t) command->status << 8 |
                     (uint32_t) command->attempt << 16;
    return dw_recording_mix (
        digest, dw_recording_two (command->run, small),
        dw_recording_two (command->node, command->worker),
        dw_recording_two (command->steps, command->source),
        dw_recording_two (command->handle, command->code | (uint32_t) command->of_run << 16 |
                                               (uint32_t) command->is_unserved << 17 |
                                               (uint32_t) command->is_too_deep << 18),
        command->ticket);
}

/* What was given to the coordinator's own thread: one product after another, which is all that the
 * shortest tasks have time for. */
static inline uint64_t dw_recording_own (uint64_t digest, const dw_own_task_t *task) {
    uint64_t word = dw_recording_two (task->node, task->source) ^
                    ((uint64_t) task->steps << 16 | task->attempt);
    return digest * UINT64_C (0x2127599bf4325c37) +
           (word + task->run * UINT64_C (0x9e3779b97f4a7c15));
}

/* What is written of a digest: also of what it took in last. */
static inline uint32_t dw_recording_told (uint64_t digest) {
    return (uint32_t) (digest * UINT64_C (0xd6e8feb86659fd93) >> 32);
}

#endif
