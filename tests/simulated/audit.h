/* audit.h - a result as a client got it, held against the sequential evaluator and against what the
 * scheduler decided. */

#ifndef TESTS_AUDIT_H
#define TESTS_AUDIT_H

#include "tests/simulated/plot.h"

/* The result of a client's run, both from 0. What is wrong ends the process. */
void audit_result (const plot_t *plot, uint32_t client, uint32_t run, const dw_result_t *result);

#endif
