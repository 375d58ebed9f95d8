/* field.h - where faults are made: a coordinator and a client in this process, worker processes,
 * and what the coordinator tells of those it takes for lost. */

#ifndef TESTS_CHAOS_FIELD_H
#define TESTS_CHAOS_FIELD_H

#include "tests/chaos/chaos.h"

#define FIELD_TIMES_MAX 4096

/* A worker process and what was done to it. */
typedef struct field_worker_t {
    int pid;
    int64_t continue_ms; /* it is stopped until then; 0: it is not */
    int64_t start_ms;    /* it is dead until then; 0: it is not */
} field_worker_t;

/* A worker that cannot be heard, until it is noticed. */
typedef struct field_missing_t {
    int pid;
    int64_t at_ms;
} field_missing_t;

typedef struct field_t {
    chaos_t *chaos;
    /* of workers; where they connect, if that is not where the coordinator listens */
    fleet_job_t job;
    load_options_t options;
    uint32_t workers_count;
    /* worker w is in net w + 1, the client in the one behind, the coordinator in the hub */
    bool has_networks;
    field_worker_t workers[CHAOS_WORKERS];
    int lines[2]; /* a pipe: what the coordinator told */
    field_missing_t missing[FIELD_TIMES_MAX];
    uint32_t missing_count;
    int64_t noticed_ms[FIELD_TIMES_MAX];
    uint32_t noticed_count;
    uint64_t lost_count; /* workers that were taken for lost */
    dw_system_t *system;
    /* the coordinator is a process of its own, without notices, at a port of this machine, */
    bool is_apart;
    uint32_t files_max; /* and with so many descriptors; 0: as many as others */
    int pid;            /* that process; 0: this one */
    uint16_t port;
    char listening[128];
    load_t load;
    unsigned memory, descriptors; /* of the coordinator's process, at the beginning */
} field_t;

/* A field on the loopback interface that is not begun; the same place every time. */
field_t *field_new (chaos_t *chaos);
/* Opens the coordinator, its client and its workers. False: it cannot begin, which is a failed
 * check. */
bool field_begin (field_t *self);
/* Waits until all runs have ended, as they must within so long. */
void field_finish (field_t *self, int timeout_ms);
/* What was asked and came of it, into the row, with the checks that always hold. */
void field_account (field_t *self);
/* Parts of that: how long losses took to be noticed, which must not be longer than so; memory and
 * descriptors. */
void field_account_noticed (field_t *self, int64_t most_ms);
void field_account_growth (field_t *self);
void field_end (field_t *self);

/* Another client; NULL: not within so long. */
dw_client_t *field_connect (const field_t *self, int timeout_ms);
/* Has a coordinator that is apart read its list of keys anew. */
void field_reload_keys (const field_t *self);
/* From here on memory and descriptors are not to grow. */
void field_weigh (field_t *self);
void field_start_worker (field_t *self, uint32_t w);
/* Nobody hears this worker from now on. */
void field_miss (field_t *self, uint32_t w);
/* Looks up whom the coordinator has taken for lost. */
void field_take_notices (field_t *self);
/* NULL, and a failed check, when it does not come. */
dw_status_t *field_status (field_t *self);
/* Waits until all workers are there with all of their slots; how long that took, -1: they did not
 * come. */
int64_t field_await_workers (field_t *self, int timeout_ms);
/* How long a death may take to be noticed. */
int64_t field_notice_most_ms (const field_t *self);

#endif
