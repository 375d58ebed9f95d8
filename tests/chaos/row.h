/* row.h - a line of the table that chaos prints: what was asked, what came of it, and the faults
 * that really happened. */

#ifndef TESTS_CHAOS_ROW_H
#define TESTS_CHAOS_ROW_H

#include <stdbool.h>
#include <stdint.h>

#define ROW_FAULTS_MAX 8u

typedef struct row_fault_t {
    char what[32];
    uint64_t count, least; /* least: how many there must have been */
} row_fault_t;

typedef struct row_t {
    char name[24];
    uint64_t seed;
    bool has_load;                                      /* else the next are not said */
    uint64_t accepted, committed, lost, doubled, wrong; /* runs */
    char expected[24], seen[24];                        /* of a case of a matrix; "": it is none */
    uint64_t cut_short; /* runs that ended with their coordinator, as they must */
    row_fault_t faults[ROW_FAULTS_MAX];
    uint32_t faults_count;
    int64_t noticed_ms, noticed_most_ms; /* median and most; 0: nothing was to be noticed */
    unsigned memory[2], descriptors[2];  /* the coordinator's, KiB, before and after; 0: not said */
    int64_t took_ms;
    bool has_failed, is_skipped;
} row_t;

/* The table, or a JSON object a line. */
void row_print_head (void);
void row_print (const row_t *self);
void row_print_json (const row_t *self);

#endif
