/* plan_digest.c - one number for all of a plan that a worker depends on.
 *
 * Values are hashed and not memory: each is one 64-bit word, whatever width and byte order it has
 * here. A text is its length and its bytes, eight to a word. */

#include "runtime/core/plan.h"

#include <assert.h>
#include <string.h>

/* Takes one more word in. For a given hash no two words give the same, and the other way round: two
 * plans that differ in one word differ in their digests. (The finalizer of SplitMix64: Steele, Lea
 * and Flood 2014) */
static uint64_t s_add (uint64_t hash, uint64_t word) {
    hash = (hash ^ word) + UINT64_C (0x9e3779b97f4a7c15);
    hash = (hash ^ (hash >> 30)) * UINT64_C (0xbf58476d1ce4e5b9);
    hash = (hash ^ (hash >> 27)) * UINT64_C (0x94d049bb133111eb);
    return hash ^ (hash >> 31);
}

static uint64_t s_add_number (uint64_t hash, double number) {
    uint64_t word;
    static_assert (sizeof (word) == sizeof (number), "a double is one word");
    memcpy (&word, &number, sizeof (word));
    return s_add (hash, word);
}

static uint64_t s_add_text (uint64_t hash, const char *text) {
    size_t size = strlen (text);
    hash = s_add (hash, size);
    for (size_t at = 0; at < size; at += 8) {
        uint64_t word = 0;
        for (size_t byte = at; byte < size && byte < at + 8; byte++)
            word = word << 8 | (uint8_t) text[byte];
        hash = s_add (hash, word);
    }
    return hash;
}

static uint64_t s_add_policy (uint64_t hash, const dw_policy_t *policy) {
    hash = s_add (hash, (uint64_t) policy->timeout_us);
    hash = s_add (hash, policy->retry_attempts);
    hash = s_add (hash, (uint64_t) policy->backoff.initial_us);
    hash = s_add (hash, (uint64_t) policy->backoff.max_us);
    hash = s_add_number (hash, policy->backoff.factor);
    return s_add_number (hash, policy->backoff.jitter);
}

static uint64_t s_add_demand (uint64_t hash, const dw_demand_t *demand) {
    hash = s_add (hash, demand->remote);
    hash = s_add (hash, demand->tags_count);
    for (uint32_t i = 0; i < demand->tags_count; i++) {
        hash = s_add_text (hash, demand->tags[i].name);
        hash = s_add_text (hash, demand->tags[i].value);
    }
    return hash;
}

/* What nodes refer to by index, and what holds for all of them. */
static uint64_t s_add_whole (uint64_t hash, const dw_plan_t *plan) {
    hash = s_add (hash, plan->nodes_count);
    hash = s_add (hash, plan->failure_strategy);
    hash = s_add (hash, plan->max_payload_bytes);
    hash = s_add (hash, plan->kinds_count);
    for (uint32_t kind = 0; kind < plan->kinds_count; kind++)
        hash = s_add_text (hash, plan->kinds[kind]);
    for (uint32_t lane = 0; plan->demands && lane < plan->lanes_count; lane++)
        hash = s_add_demand (hash, &plan->demands[lane]);
    if (plan->adders_count) {
        hash = s_add (hash, plan->added_nodes_max);
        hash = s_add (hash, plan->added_depth_max);
    }
    hash = s_add (hash, plan->policies_count);
    for (uint32_t policy = 0; policy < plan->policies_count; policy++)
        hash = s_add_policy (hash, &plan->policies[policy]);
    return hash;
}

static uint64_t s_add_node (uint64_t hash, const dw_plan_t *plan, uint32_t node) {
    hash = s_add_text (hash, plan->ids[node]);
    hash = s_add (hash, plan->flags[node]);
    hash = s_add (hash, plan->lane[node]);
    hash = s_add (hash, plan->kind[node]);
    hash = s_add (hash, plan->policy[node]);
    hash = s_add (hash, plan->source[node]);
    hash = s_add (hash, plan->rule[node]);
    hash = s_add (hash, plan->chain_next[node]);
    hash = s_add (hash, plan->chain_length[node]);
    if (plan->join)
        hash = s_add (hash, plan->join[node]);
    for (uint32_t at = plan->adds_at ? plan->adds_at[node] : 0;
         plan->adds_at && at < plan->adds_at[node + 1]; at++)
        hash = s_add (hash, plan->adds[at]);
    hash = s_add (hash, plan->dependencies_count[node]);
    for (uint32_t edge = plan->dependencies_at[node]; edge < plan->dependencies_at[node + 1];
         edge++)
        hash = s_add (hash, plan->dependencies[edge]);
    return hash;
}

uint64_t dw_plan_digest (const dw_plan_t *self) {
    assert (self);
    uint64_t hash = s_add_whole (0, self);
    for (uint32_t node = 0; node < self->nodes_count; node++)
        hash = s_add_node (hash, self, node);
    return hash;
}
