/* policies.c - see policies.h. */

#include "runtime/core/policies.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define SLOTS (1u << 17) /* a power of two, well over DW_POLICIES_MAX */

static bool s_same (const dw_policy_t *a, const dw_policy_t *b) {
    return a->timeout_us == b->timeout_us && a->retry_attempts == b->retry_attempts &&
           a->backoff.initial_us == b->backoff.initial_us &&
           a->backoff.max_us == b->backoff.max_us && a->backoff.factor == b->backoff.factor &&
           a->backoff.jitter == b->backoff.jitter;
}

static uint32_t s_hash (const dw_policy_t *policy) {
    uint64_t words[6] = {(uint64_t) policy->timeout_us, policy->retry_attempts,
                         (uint64_t) policy->backoff.initial_us, (uint64_t) policy->backoff.max_us};
    memcpy (&words[4], &policy->backoff.factor, sizeof (words[4]));
    memcpy (&words[5], &policy->backoff.jitter, sizeof (words[5]));
    uint64_t hash = 0;
    for (int index = 0; index < 6; index++) {
        hash = (hash ^ words[index]) * UINT64_C (0x9e3779b97f4a7c15);
        hash ^= hash >> 32;
    }
    return (uint32_t) hash;
}

static int s_add (dw_policies_t *self, const dw_policy_t *policy) {
    if (self->count == DW_POLICIES_MAX)
        return DW_EGRAPH;
    if (self->count == self->size) {
        uint32_t size = self->size * 2 + 1;
        dw_policy_t *policies = realloc (self->policies, size * sizeof (*policies));
        if (!policies)
            return DW_ENOMEM;
        self->policies = policies;
        self->size = size;
    }
    self->policies[self->count++] = *policy;
    return DW_OK;
}

/* The slot of the policy, or the empty one where it belongs. There always is an empty one. */
static uint32_t s_slot (const dw_policies_t *self, const dw_policy_t *policy) {
    uint32_t slot = s_hash (policy) & (SLOTS - 1);
    while (self->slots[slot] > 0 && !s_same (policy, &self->policies[self->slots[slot] - 1]))
        slot = (slot + 1) & (SLOTS - 1);
    return slot;
}

int dw_policies_find (dw_policies_t *self, const dw_policy_t *policy, uint16_t *index_p) {
    assert (self && policy && index_p);
    if (!self->slots)
        self->slots = calloc (SLOTS, sizeof (*self->slots)); /* Pages never touched cost nothing. */
    if (!self->slots)
        return DW_ENOMEM;
    uint32_t slot = s_slot (self, policy);
    if (self->slots[slot] == 0) {
        int err = s_add (self, policy);
        if (err)
            return err;
        self->slots[slot] = self->count;
    }
    *index_p = (uint16_t) (self->slots[slot] - 1);
    return DW_OK;
}

void dw_policies_free (dw_policies_t *self) {
    assert (self);
    free (self->policies);
    free (self->slots);
    *self = (dw_policies_t){0};
}
