/* checker_self.h - what the checker's two files give each other. */

#ifndef TESTS_CHECKER_SELF_H
#define TESTS_CHECKER_SELF_H

#include "tests/support/checker.h"

const char *checker_state_name (dw_node_state_t state);
/* What the scheduler says of itself is what the model says: at any time. */
bool checker_state (model_t *self, const dw_scheduler_t *scheduler);
/* After a step nobody idles, and the scheduler wants the next one at a time to come. */
bool checker_rest (model_t *self, const dw_scheduler_t *scheduler);

#endif
