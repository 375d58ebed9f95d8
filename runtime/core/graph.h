/* graph.h - the graph as described, and what is wrong with it.
 *
 * What a graph file or the C API said, unchecked and in the order said, with the places where it
 * was said. The public functions of include/dagwood.h that change a graph are in graph.c. Strings
 * live in an arena of the graph; a graph is grown and destroyed, nothing is ever taken out of it.
 * One thread at a time. */

#ifndef DW_GRAPH_H
#define DW_GRAPH_H

#include "runtime/core/error.h"

#define DW_NONE UINT32_MAX /* no node, no lane, ... */

#define DW_NODES_MAX 16000000u /* nodes of a graph; edges: as many as UINT32_MAX - 1 */
/* Tasks executing at one time, and so slots of one coordinator. With two connections for each, as
 * it lets in by default, that is half of the files that Linux lets a process open (fs.nr_open). */
#define DW_CONCURRENCY_MAX 262144u

/* One option of a node's processor, as written. */
typedef enum dw_value_type_t {
    DW_VALUE_NULL,
    DW_VALUE_TEXT,
    DW_VALUE_INTEGER,
    DW_VALUE_NUMBER,
    DW_VALUE_BOOLEAN,
} dw_value_type_t;

typedef struct dw_setting_t {
    const char *name;
    struct dw_setting_t *next; /* of the same node, in the order given */
    dw_value_type_t type;
    uint32_t line, column; /* of the value */
    union {
        const char *text;
        int64_t integer;
        double number;
        bool boolean;
    } value;
} dw_setting_t;

typedef struct dw_dependency_t {
    const char *id;
    uint32_t line, column;
} dw_dependency_t;

/* What a node asks of whoever runs it: to be in another process (its type is remote), and to have
 * all of these tags, which only those elsewhere have. Sorted by name; each name once. */
typedef struct dw_tag_t {
    const char *name, *value;
} dw_tag_t;

typedef struct dw_demand_t {
    bool remote;
    dw_tag_t *tags;
    uint32_t tags_count, tags_size;
} dw_demand_t;

#define DW_TAGS_MAX      16u  /* of a node */
#define DW_TAG_NAME_MAX  63u  /* bytes */
#define DW_TAG_VALUE_MAX 255u /* bytes */

/* The processors that nodes may have of a graph that a node adds to its run. */
typedef struct dw_adds_t {
    const char **names;
    dw_place_t *places; /* where each was said */
    uint32_t count, size;
} dw_adds_t;

#define DW_ADDS_MAX 64u /* of a node */

typedef struct dw_node_t {
    const char *id;
    const char *processor;
    const char *input; /* NULL: the rule of docs/ARCHITECTURE.md; else an ancestor's id or "run" */
    dw_dependency_t *dependencies;
    uint32_t dependencies_count;
    uint32_t dependencies_size; /* how many there is room for */
    uint32_t line, column;      /* of the id */
    uint32_t input_line, input_column;
    uint32_t processor_line, processor_column;
    dw_setting_t *settings, *settings_last;
    dw_node_options_t *options; /* NULL: nothing said */
    dw_demand_t *demand;        /* NULL: anybody may run it */
    dw_adds_t *adds;            /* NULL: it adds nothing */
} dw_node_t;

typedef struct dw_arena_t dw_arena_t;

struct dw_graph_t {
    const char *file; /* for messages; NULL: built in C */
    dw_graph_options_t options;
    dw_node_t *nodes;
    uint32_t nodes_count;
    uint32_t nodes_size;
    /* Nodes that have an input, options, settings, a demand: nobody looks for what no node has. */
    uint32_t inputs_count, options_count, settings_count, demands_count, adders_count;
    uint64_t edges_count; /* as said: repeated and missing ones count */
    dw_arena_t *arena;
};

/* What the rest of a program knows of a processor that a graph may name: what the core needs of
 * dw_processor_t. */
typedef struct dw_trait_t {
    dw_intent_t intent; /* DW_TRANSFORM or DW_ANALYZE */
    bool brief;
    bool payload_only;
    bool may_skip;
    bool may_add;
} dw_trait_t;

/* Names the file for messages; copied. */
int dw_graph_set_file (dw_graph_t *self, const char *file);
/* Room for, and a copy of, size bytes and a NUL byte, for as long as the graph lives; NULL: no
 * memory. */
char *dw_graph_copy (dw_graph_t *self, const char *bytes, size_t size);
/* The processor, an empty text, of a node of a file that says none which can be read: that was told,
 * and whoever looks at processors tells it no second time. */
extern const char dw_graph_no_processor[];
/* A copy of a processor's name for the node: many in a row have one processor, and share it. NULL:
 * no memory. */
const char *dw_graph_copy_processor (dw_graph_t *self, uint32_t node, const char *processor);
/* Adds a setting without its value, last in the node's list; NULL: no memory. */
dw_setting_t *dw_graph_add_setting (dw_graph_t *self, uint32_t node, const char *name);
/* Sets an option as another is, wherever that is from. Errors: as dw_graph_set_text. */
int dw_graph_set_as (dw_graph_t *self, int node, const char *option, const dw_setting_t *setting);
/* As dw_graph_depend, and says where it was said. */
int dw_graph_depend_at (dw_graph_t *self, uint32_t node, const char *on, dw_place_t place);
/* As dw_graph_allow, and says where it was said. */
int dw_graph_allow_at (dw_graph_t *self, uint32_t node, const char *processor, dw_place_t place);

/* What is wrong with a tag's name (1 to 63 letters, digits and any of ._-/) or value (1 to 255
 * printable characters of ASCII); NULL: nothing. */
const char *dw_graph_check_tag (const char *name, const char *value);

/* The words of the choices that a graph has, by the values of their enums, ended by NULL. A pool's
 * number is read apart: "pool:N" is only shown. */
extern const char *const dw_strategy_words[],
    *const dw_failure_strategy_words[], *const dw_actors_words[], *const dw_priority_words[];
extern const char *const dw_join_words[]; /* the first, of no word, is the default */

/* The numbers that a graph may set, with their ranges: the one home of both, for graph files and
 * for C. Numbers of time are in the unit of the key as written. */
typedef enum dw_limit_t {
    DW_LIMIT_MAX_CONCURRENCY,   /* "max_concurrency"  1 to 65,536 */
    DW_LIMIT_TIMEOUT_SECONDS,   /* "timeout_seconds"  over 0 to 1e9 (31 years) */
    DW_LIMIT_RETRY_ATTEMPTS,    /* "retry_attempts"   0 to 1,000 */
    DW_LIMIT_INITIAL_MS,        /* "initial_ms"       0 to 86,400,000 */
    DW_LIMIT_MAX_MS,            /* "max_ms"           0 to 86,400,000 */
    DW_LIMIT_FACTOR,            /* "factor"           1 to 1,000 */
    DW_LIMIT_JITTER,            /* "jitter"           0 to 1 */
    DW_LIMIT_BATCH_SIZE,        /* "batch_size"       1 to 65,536 */
    DW_LIMIT_POOL,              /* "pool"             1 to 1,024 */
    DW_LIMIT_MAX_PAYLOAD_BYTES, /* "max_payload_bytes" 1 to 2^32 - 1 */
    DW_LIMIT_COST_US,           /* "cost_us"          0 to 1e15 */
    DW_LIMIT_ADDED_NODES,       /* "nodes_max"        0 to 16,000,000 */
    DW_LIMIT_ADDED_DEPTH,       /* "depth_max"        0 to 256 */
    DW_LIMITS
} dw_limit_t;

/* DW_OK, or DW_EGRAPH and "KEY must be ..., not VALUE" at place. */
int dw_graph_check_number (dw_limit_t limit, double value, dw_place_t place, dw_error_t *error);
/* A number for a message: as a graph file would say it, and in words what is no number or
 * infinite. */
#define DW_NUMBER_SHOWN 32 /* bytes */
const char *dw_graph_show_number (char shown[DW_NUMBER_SHOWN], double value);
/* The same for every number in the options of the graph and its nodes, which the message names;
 * DW_UNSET is always right. Reports at most 100, then how many more. dw_graph_resolve does this. */
int dw_graph_check_options (const dw_graph_t *self, dw_error_t *error);

/* What is wrong with the graph's shape: empty and duplicate ids, missing dependencies (with the
 * nearest id), self-loops, inputs that are no ancestor, and every cycle that a depth-first search
 * closes (one for each back edge; a cycle is shown as a -> b -> a, from what is depended on to what
 * depends), and numbers out of range. Reports at most 100 of each kind, then how many more. On
 * success *resolved, if not NULL, gets what was resolved, for dw_plan_new; dw_resolved_free frees
 * it. */
typedef struct dw_resolved_t {
    uint32_t *dependencies_at; /* nodes_count + 1 offsets into dependencies */
    uint32_t *dependencies;    /* node indices, without repetition, in the order given */
    uint32_t *input; /* by node: an index; DW_NONE the rule; DW_RUN_INPUT the run's input */
    uint32_t *level; /* by node: longest path from a source, 0 for sources */
    uint32_t levels_count;
} dw_resolved_t;
#define DW_RUN_INPUT (UINT32_MAX - 1)
int dw_graph_resolve (const dw_graph_t *self, dw_resolved_t *resolved, dw_error_t *error);
void dw_resolved_free (dw_resolved_t *self);

#endif
