/* checker.h - holds a scheduler's commands and answers against the model, after every step.
 *
 * What is checked, with the words of docs/ARCHITECTURE.md: every command names a live worker and
 * free credit; tickets grow by one; a node is sent when all before it is final, to one worker at a
 * time, with the payload and the attempt that are due; no barrier, timed node or lane is crossed;
 * no more workers are busy than may be; an output is kept once, is there when it is read and is
 * dropped after its last reader; retries keep to their policy; what is final stays; a run finishes
 * once; nobody idles while something is ready; counts add up. */

#ifndef TESTS_CHECKER_H
#define TESTS_CHECKER_H

#include "tests/support/model.h"

/* After a step at now_ns. False: something is wrong, and self->wrong says what. */
bool checker_step (model_t *self, const dw_scheduler_t *scheduler, int64_t now_ns,
                   const dw_event_t *events, size_t events_count, const dw_commands_t *commands);
/* Own work: before dw_scheduler_work; for every task that it gives, before that is run, with the
 * commands so far; and when it has returned. */
void checker_own_begin (model_t *self);
bool checker_own_task (model_t *self, const dw_own_task_t *task, const dw_commands_t *commands);
bool checker_own_end (model_t *self, const dw_scheduler_t *scheduler,
                      const dw_commands_t *commands);
/* A run that has ended, before it is forgotten: against the evaluator; fails says of each node (by
 * index of declaration) whether the world makes it fail. */
bool checker_run (model_t *self, const dw_scheduler_t *scheduler, uint32_t run, const bool *fails,
                  const bool *skips);

#endif
