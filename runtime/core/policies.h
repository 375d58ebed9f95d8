/* policies.h - the different policies of a plan's nodes, each once.
 *
 * Used while a plan is made. One thread at a time. */

#ifndef DW_POLICIES_H
#define DW_POLICIES_H

#include "runtime/core/plan.h"

#define DW_POLICIES_MAX 65535u

typedef struct dw_policies_t {
    dw_policy_t *policies; /* in the order in which they were first asked for */
    uint32_t count, size;
    uint32_t *slots; /* open addressing by hash: index + 1, or 0 */
} dw_policies_t;

/* The index of policy, which is added when it is new. A table begins as zeros.
 * Errors: DW_EGRAPH there would be more than DW_POLICIES_MAX; DW_ENOMEM. */
int dw_policies_find (dw_policies_t *self, const dw_policy_t *policy, uint16_t *index_p);
void dw_policies_free (dw_policies_t *self);

#endif
