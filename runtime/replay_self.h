/* replay_self.h - a replay from the inside.
 *
 *     replay.c       made; what goes in and comes out with a step
 *     replay_work.c  the coordinator's own work
 *     replay_added.c graphs that were added to runs */

#ifndef DW_REPLAY_SELF_H
#define DW_REPLAY_SELF_H

#include "runtime/replay.h"

/* What a worker holds, by ticket, from first on. */
typedef struct dw_replay_held_t {
    bool is_present;
    dw_sent_t *tasks; /* a ring */
    uint32_t size;    /* a power of two */
    uint64_t first, next;
} dw_replay_held_t;

/* What was known of a processor. */
typedef struct dw_replay_kind_t {
    const char *name;
    dw_trait_t trait;
} dw_replay_kind_t;

struct dw_replay_t {
    dw_recording_t *recording;
    dw_plan_t *plan;
    dw_scheduler_t *scheduler;
    dw_commands_t commands;
    uint64_t digest;
    dw_replay_held_t *workers;
    uint32_t workers_max;
    uint32_t local; /* worker; DW_NONE: none */
    /* by place: the number of the run that is there or that it was added to, 0: none */
    uint64_t *runs;
    dw_added_t **added;   /* by place: what was added; NULL: nothing, it is a run's */
    dw_added_t **to_come; /* what the next step adds, by its events */
    uint32_t to_come_count, to_come_taken, to_come_size;
    uint64_t added_nodes;    /* of all that is in a place, or to come */
    dw_replay_kind_t *kinds; /* by name */
    uint32_t kinds_count;
    uint32_t places_count, places_size;
    uint64_t runs_count;
    const dw_watch_t *watch;
    dw_moment_t moment;
    int64_t clock_ns;   /* when the recording began, by the scheduler's clock */
    uint32_t lap_steps; /* of own work, that were not timed yet */
    int failed;         /* error of a record before: nothing goes on after it */
};

/* What is known of processors. */
dw_plan_lookup_t dw_replay_lookup (dw_replay_t *self);
/* Says what differs from what was recorded, and where: DW_EREFUSED. */
int dw_replay_differs (const dw_replay_t *self, const char *what, dw_error_t *error);
/* What the scheduler has decided is compared, told and carried out. */
int dw_replay_conclude (dw_replay_t *self, const dw_record_t *record, dw_error_t *error);
int dw_replay_work (dw_replay_t *self, const dw_record_t *record, dw_error_t *error);
/* Whether the place of a run, or of what is added, is free, and makes it exist. */
int dw_replay_take_place (dw_replay_t *self, uint32_t place, dw_error_t *error);
/* A graph that the next step adds. */
int dw_replay_added (dw_replay_t *self, const dw_record_t *record, dw_error_t *error);
/* An event that adds the next of them. */
int dw_replay_take_added (dw_replay_t *self, dw_event_t *event, dw_error_t *error);
/* A graph has ended, or did not begin. */
void dw_replay_drop_added (dw_replay_t *self, uint32_t place);
void dw_replay_free_added (dw_replay_t *self);

#endif
