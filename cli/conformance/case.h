/* case.h - one thing that docs/PROTOCOL.md asks of a peer, tried on a peer: what is expected, what
 * was seen, and the verdict.
 *
 * Cases of one role stand in one table, in the order in which they are played. A case says in one
 * sentence what is expected and which section of the document says so. It ends within a bounded
 * time whatever the peer does. */

#ifndef DW_CASE_H
#define DW_CASE_H

#include <stdbool.h>
#include <stddef.h>

#include "dagwood.h"
#include "runtime/wire.h"

typedef enum dw_verdict_t {
    DW_VERDICT_PASSED,
    DW_VERDICT_FAILED,
    /* the peer cannot take part, or there is nothing to try it with: seen says why */
    DW_VERDICT_SKIPPED,
} dw_verdict_t;

#define DW_SEEN_BYTES 320

/* What came of a case. */
typedef struct dw_outcome_t {
    dw_verdict_t verdict;
    char seen
        [DW_SEEN_BYTES]; /* for people; may hold what a peer said, which printing makes harmless */
    double seconds;
} dw_outcome_t;

typedef struct dw_case_t {
    const char *name;     /* words with dashes between them, unlike all others of its role */
    const char *section;  /* of docs/PROTOCOL.md */
    const char *expected; /* a sentence */
    dw_verdict_t (*play) (void *stage, char *seen);
} dw_case_t;

typedef struct dw_cases_t {
    const dw_case_t *cases;
    size_t count;
} dw_cases_t;

/* What a case returns; seen has DW_SEEN_BYTES bytes. */
dw_verdict_t dw_case_pass (char *seen, const char *format, ...) DW_PRINTF (2, 3);
dw_verdict_t dw_case_fail (char *seen, const char *format, ...) DW_PRINTF (2, 3);
dw_verdict_t dw_case_skip (char *seen, const char *format, ...) DW_PRINTF (2, 3);

/* The name of a message's type, as the document writes it; "a message of type N" in text, of 40
 * bytes, for others. */
const char *dw_case_type (unsigned type, char text[40]);

/* What comes of the versions that a HELLO names. */
dw_verdict_t dw_case_versions (const dw_wire_hello_t *hello, char *seen);

/* The cases of each role, by the peer that is under test; their stages are dw_crew_t, dw_guest_t
 * and dw_caller_t. */
extern const dw_cases_t dw_cases_worker_greeting, dw_cases_worker_tasks, dw_cases_worker_nonsense,
    dw_cases_worker_leaving, dw_cases_worker_clock, dw_cases_client, dw_cases_client_clock,
    dw_cases_client_nonsense, dw_cases_coordinator_entry, dw_cases_coordinator_runs,
    dw_cases_coordinator_answers, dw_cases_coordinator_solos, dw_cases_coordinator_workers;

#endif
