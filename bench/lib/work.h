/* work.h - what a bench runs, whoever runs it: the edges of a graph, and what each task does.
 *
 * dagwood and every peer run the same work: a task reads the payloads of its direct predecessors,
 * mixes them with its index (mix.h), does the kernel's work (kernel.h), and writes a payload; the
 * hash over all payloads tells whether every task ran once and after all that it reads. It depends
 * on the edges and the payloads' size alone: no kernel, machine or number of threads changes it. A
 * work is made by one thread and then never changes. */

#ifndef DW_WORK_H
#define DW_WORK_H

#include "bench/lib/kernel.h"
#include "bench/lib/shapes.h"
#include "dagwood.h"

#ifdef __cplusplus
extern "C" {
#endif

#define DW_WORK_PAYLOAD_BYTES_MAX (16u << 20)
#define DW_WORK_NODES_MAX         10000000u
#define DW_WORK_TASK_NS_MAX       UINT64_C (1000000000000) /* as asked for */
#define DW_WORK_RADIUS_MAX        1000u

typedef struct dw_work_options_t {
    dw_shape_t shape;
    uint32_t nodes_count; /* asked for; a shape may round it; of a file not looked at */
    uint32_t width; /* of shapes that go on in steps of so many tasks; 0: the shape's default */
    uint32_t payload_bytes; /* of every output */
    dw_kernel_t kernel;
    uint64_t task_ns;
    uint64_t seed;     /* of what is drawn: the uneven kernel's times, the random shape's edges */
    const char *file;  /* of DW_SHAPE_FILE: a graph file, or a workflow (*.json); else NULL */
    double time_scale; /* of a workflow's times; 1: as they are; 0: 1 */
    uint32_t radius;   /* of spread and nearest; 0: 2 */
    /* Of the kernel, as another work of the same machine and kernel measured it, so that both do
     * the same; 0: measured now. */
    double ns_per_round;
} dw_work_options_t;

typedef struct dw_work_t {
    dw_work_options_t options; /* with what was 0 filled in; file points to a copy */
    uint32_t nodes_count, edges_count;
    /* Compressed sparse rows, as in plan.h; a node's dependencies are smaller than it. */
    uint32_t *dependencies_at, *dependencies;
    uint32_t *successors_at, *successors;
    uint64_t *task_ns; /* by node; NULL: options.task_ns for all */
    uint64_t *rounds;  /* of the kernel by node; NULL: rounds_all for all */
    uint64_t rounds_all;
    uint64_t total_ns, longest_ns; /* of all tasks, of one */
    dw_kernel_memory_t memory;
} dw_work_t;

/* Makes the work; options are borrowed and not kept.
 *
 * A file's nodes are numbered by rank: by level, then as declared. Of a graph file only the edges
 * are taken. A workflow (wfformat.h) brings the time of each task, which the kernel then takes,
 * scaled by time_scale, or so that their mean is task_ns; the uneven kernel draws around it.
 *
 * Errors: DW_EINVAL options that make no sense; DW_EFILE, DW_EGRAPH a file; DW_ELIMIT the payloads
 * and edges would not fit into this machine's memory, with how much is wanted and there;
 * DW_ENOMEM. */
int dw_work_new (dw_work_t **self_p, const dw_work_options_t *options, dw_error_t *error);
void dw_work_destroy (dw_work_t **self_p);

/* How long a task is meant to take. */
static inline uint64_t dw_work_task_ns (const dw_work_t *self, uint32_t node) {
    return self->task_ns ? self->task_ns[node] : self->options.task_ns;
}

/* Runs one task: inputs are the payloads of its dependencies, in their order; output has room for
 * payload_bytes. Any number of threads at a time. */
void dw_work_task (const dw_work_t *self, uint32_t node, const void *const *inputs, void *output);
/* The same where all payloads lie in one array, by node. */
void dw_work_task_at (const dw_work_t *self, uint32_t node, uint8_t *payloads);
/* A task's kernel alone, for who mixes by himself. */
void dw_work_kernel (const dw_work_t *self, uint32_t node);
/* The hash of all payloads, which lie in one array. */
uint64_t dw_work_hash (const dw_work_t *self, const uint8_t *payloads);
/* The hash that a loop over the nodes gives, without the kernel; false: no memory. */
bool dw_work_expected (const dw_work_t *self, uint64_t *hash_p);

#ifdef __cplusplus
}
#endif

#endif
