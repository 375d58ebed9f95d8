/* random_graph.h - graphs drawn from a seed, for the tests that hold dagwood against evaluator.h.
 *
 * The description is the tests' own: the evaluator reads it, and dagwood is given the same through
 * its public C API. Every node has a script: how many of its attempts fail before one succeeds.
 * What a node gives is a hash of all that it reads, so that one byte read from the wrong place
 * changes everything after it. */

#ifndef TESTS_RANDOM_GRAPH_H
#define TESTS_RANDOM_GRAPH_H

#include <stdio.h>

#include "dagwood.h"
#include "runtime/core/graph.h"
#include "tests/support/random.h"

#define RANDOM_INPUT_RULE   UINT32_MAX /* the graph does not say whose output is the payload */
#define RANDOM_INPUT_RUN    (UINT32_MAX - 1) /* the run's input */
#define RANDOM_FAILS_ALWAYS UINT32_MAX

/* The processors that the nodes name. */
typedef enum random_processor_t {
    RANDOM_MIX,           /* reads payload, outputs and metadata */
    RANDOM_MIX_BRIEF,     /* the same, and is brief */
    RANDOM_MIX_PAYLOAD,   /* brief, reads its payload alone */
    RANDOM_ECHO,          /* brief, its output is its payload */
    RANDOM_MEASURE,       /* analyzes, reads everything; now and then sets no output */
    RANDOM_MEASURE_BRIEF, /* analyzes, brief, reads its payload alone */
    RANDOM_PICK,          /* as mix, and may skip */
    RANDOM_PICK_BRIEF,    /* the same, and is brief */
    RANDOM_GROW,       /* as mix, and becomes a graph, of which what it would give is the input */
    RANDOM_GROW_BRIEF, /* the same, and says that it is brief */
    RANDOM_PROCESSORS
} random_processor_t;

typedef struct random_node_t {
    char id[32];
    uint32_t *dependencies; /* indices of declaration, in the order of depends_on */
    uint32_t dependencies_count;
    uint32_t input; /* an ancestor, or RANDOM_INPUT_... */
    random_processor_t processor;
    dw_intent_t intent;     /* as the graph says it */
    uint32_t failures;      /* attempts that fail before one succeeds, or RANDOM_FAILS_ALWAYS */
    int code;               /* of those failures */
    int64_t retry_attempts; /* as the graph says it: may be DW_UNSET, as below */
    int64_t timeout_us;
    int64_t cost_us;
    uint32_t demand; /* 0: none, 1: remote, else the tag "lane" with this value */
    bool not_idempotent;
    bool skips; /* where an attempt would succeed, it ends its branch */
    dw_join_t join;
    struct random_graph_t *inner; /* that it becomes; NULL: none */
    uint32_t inner_output;        /* node of that */
} random_node_t;

typedef struct random_graph_t {
    uint64_t seed;
    bool is_inner; /* a node of another becomes it */
    uint32_t nodes_count;
    random_node_t *nodes; /* by declaration, which is no topological order */
    dw_graph_options_t options;
} random_graph_t;

/* 1 to nodes_max nodes; the options are dagwood's defaults, for the caller to change. */
random_graph_t *random_graph_new (uint64_t seed, uint32_t nodes_max);
void random_graph_destroy (random_graph_t **self_p);

#define RANDOM_INNER_MAX 6u /* nodes of a graph that a node becomes */
/* Some nodes become graphs, and some of theirs do again, so deep at most. Drawn from the graph's
 * seed alone; what is within gets its options. */
void random_graph_grow (random_graph_t *self, uint32_t depth);
/* Nodes that become graphs. */
uint32_t random_graph_growing_count (const random_graph_t *self);

/* Whether node's output becomes its descendants' payload. */
bool random_graph_transforms (const random_graph_t *self, uint32_t node);
uint32_t random_graph_retries (const random_graph_t *self, uint32_t node);
/* Whether it is not known before they are through which nodes run. */
bool random_graph_is_conditional (const random_graph_t *self);
/* Whether node fails in the end when it is run. */
bool random_graph_fails (const random_graph_t *self, uint32_t node);

/* The same graph for dagwood. Each node's processor is told the node's `index`, its `failures` (-1:
 * always) and `code`, and whether it `skips`, as options; and of a graph that it becomes the seed,
 * by which it is drawn again (`inner`, and `depth`); and of one within another the seed of that
 * (`within`). */
dw_graph_t *random_graph_build (const random_graph_t *self);
/* The same graph as a graph file, to look at. */
void random_graph_print (const random_graph_t *self, FILE *file);

/* -- What the processors are and do --------------------------------------------------------- */

const char *random_processor_name (random_processor_t processor);
dw_trait_t random_processor_trait (random_processor_t processor);
/* For dw_plan_lookup_t. */
bool random_graph_trait (void *arg, const char *processor, dw_trait_t *trait_p);

/* A node hashes what it reads, in this order: its payload; then, unless it reads its payload alone,
 * of each direct dependency the output and the value of the metadata key "sum", absent ones too. */
uint64_t random_hash_start (uint32_t node);
/* bytes NULL: there is nothing. */
uint64_t random_hash (uint64_t hash, const void *bytes, size_t size);

typedef struct random_value_t {
    uint8_t *bytes; /* one msgpack value, of malloc; NULL: none */
    size_t size;
} random_value_t;

/* What a node gives whose reading came to hash (and, for an echo, its payload). */
random_value_t random_processor_output (random_processor_t processor, uint64_t hash,
                                        const void *payload, size_t payload_size);
/* The metadata that it sets: count is 0 to RANDOM_METADATA_MAX, the keys not in order. */
#define RANDOM_METADATA_MAX 3
typedef struct random_metadata_t {
    size_t count;
    const char *keys[RANDOM_METADATA_MAX];
    char values[RANDOM_METADATA_MAX][24];
} random_metadata_t;
random_metadata_t random_processor_metadata (random_processor_t processor, uint64_t hash);
/* NULL: there is none. */
const char *random_metadata_find (const random_metadata_t *self, const char *key);

#endif
