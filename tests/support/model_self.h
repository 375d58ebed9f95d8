/* model_self.h - what the files of the model share: what an event, or a time that is over, does to
 * runs and workers. */

#ifndef TESTS_MODEL_SELF_H
#define TESTS_MODEL_SELF_H

#include "tests/support/model.h"

/* The scheduler has to give this command. */
void model_owe (model_t *self, dw_command_t command);

/* Ends a run: what was sent of it is cancelled, and what waits becomes waiting_as. */
void model_break_off (model_t *self, uint32_t run_index, dw_node_state_t waiting_as,
                      dw_run_status_t status);
/* Its node is put off, or has failed. */
void model_attempt_failed (model_t *self, uint32_t run_index, uint32_t node, uint16_t code,
                           uint32_t handle);
/* node failed because nobody serves its lane. */
void model_fail_unserved (model_t *self, uint32_t run, uint32_t node);

/* Nobody waits for a task that a worker has. */
void model_cancel (model_t *self, uint32_t worker, uint64_t ticket);
/* What is behind a worker's first task. */
void model_take_back (model_t *self, uint32_t worker_index, bool is_told);
void model_forget_worker (model_worker_t *worker);
/* The step at hand had begun, though only a task's first step was counted when it was sent. */
void model_count_begun (model_t *self, const model_task_t *task);

#endif
