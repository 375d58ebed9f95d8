/* work.c - what a bench runs, whoever runs it. */

#include "bench/lib/work.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "bench/lib/edges.h"
#include "bench/lib/mix.h"
#include "bench/lib/resident.h"
#include "runtime/core/error.h"

#define NODE_BYTES \
    256u /* of a node beside its payload: in plans, runs and results, ours or a peer's */
#define EDGE_BYTES   16u
#define TOTAL_NS_MAX 1e18 /* some 30 years: sums of times stay whole numbers */

/* ---- What makes no sense ------------------------------------------------------------------ */

static int s_refuse (dw_error_t *error, const char *name, const char *rule, uint64_t value) {
    return dw_error_add (error, DW_EINVAL, DW_NOWHERE, "%s must be %s, not %" PRIu64, name, rule,
                         value);
}

static int s_check_width (const dw_work_options_t *options, dw_error_t *error) {
    const char *shape = dw_shape_names[options->shape];
    if (options->width && !dw_shape_has_steps (options->shape))
        return dw_error_add (error, DW_EINVAL, DW_NOWHERE,
                             "the shape %s has no width: it does not go on in steps", shape);
    if (options->width > options->nodes_count && options->shape != DW_SHAPE_FILE)
        return dw_error_add (error, DW_EINVAL, DW_NOWHERE,
                             "a width of %" PRIu32 " is more than the %" PRIu32
                             " nodes: ask for more nodes or less width",
                             options->width, options->nodes_count);
    if (options->radius && options->shape != DW_SHAPE_SPREAD && options->shape != DW_SHAPE_NEAREST)
        return dw_error_add (error, DW_EINVAL, DW_NOWHERE,
                             "the shape %s has no radius: spread and nearest have", shape);
    if (options->radius > DW_WORK_RADIUS_MAX)
        return s_refuse (error, "the radius", "at most 1000", options->radius);
    return DW_OK;
}

static int s_check_time (const dw_work_options_t *options, dw_error_t *error) {
    if (options->kernel == DW_KERNEL_EMPTY && options->task_ns)
        return dw_error_add (error, DW_EINVAL, DW_NOWHERE,
                             "the kernel empty takes no time: a task's time must be 0, or the "
                             "kernel another");
    if (options->task_ns > DW_WORK_TASK_NS_MAX)
        return s_refuse (error, "a task's time in ns", "at most 1000000000000", options->task_ns);
    if (options->time_scale < 0 || options->time_scale > 1e6 || isnan (options->time_scale))
        return dw_error_add (error, DW_EINVAL, DW_NOWHERE,
                             "the scale of times must be over 0 and at most 1000000, not %g",
                             options->time_scale);
    if (options->time_scale > 0 && options->shape != DW_SHAPE_FILE)
        return dw_error_add (error, DW_EINVAL, DW_NOWHERE,
                             "the scale of times is for the times of a workflow's file");
    if (options->time_scale > 0 && options->task_ns)
        return dw_error_add (error, DW_EINVAL, DW_NOWHERE,
                             "a workflow's times are scaled either by a factor or to a mean: "
                             "ask for one of both");
    if (options->ns_per_round < 0 || !isfinite (options->ns_per_round))
        return dw_error_add (error, DW_EINVAL, DW_NOWHERE,
                             "the time of a round must be over 0, not %g ns",
                             options->ns_per_round);
    return DW_OK;
}

static int s_check (const dw_work_options_t *options, dw_error_t *error) {
    if ((unsigned) options->shape >= DW_SHAPES)
        return s_refuse (error, "the shape", "a dw_shape_t", (uint64_t) options->shape);
    if ((unsigned) options->kernel >= DW_KERNELS)
        return s_refuse (error, "the kernel", "a dw_kernel_t", (uint64_t) options->kernel);
    if ((options->shape == DW_SHAPE_FILE) != !!options->file)
        return dw_error_add (error, DW_EINVAL, DW_NOWHERE,
                             options->file ? "a file is for the shape file alone"
                                           : "the shape file needs a file");
    bool is_counted = options->shape != DW_SHAPE_FILE;
    if (is_counted && (!options->nodes_count || options->nodes_count > DW_WORK_NODES_MAX))
        return s_refuse (error, "the number of nodes", "from 1 to 10000000", options->nodes_count);
    if (options->payload_bytes > DW_WORK_PAYLOAD_BYTES_MAX)
        return s_refuse (error, "a payload", "at most 16777216 bytes (16 MiB)",
                         options->payload_bytes);
    int err = s_check_width (options, error);
    return err ? err : s_check_time (options, error);
}

/* Asking for more than there is would end in a killed process. */
static int s_check_memory (const dw_work_options_t *options, uint64_t nodes_count,
                           uint64_t edges_count, dw_error_t *error) {
    uint64_t wanted = nodes_count * (options->payload_bytes + (uint64_t) NODE_BYTES) +
                      edges_count * EDGE_BYTES;
    if (options->kernel == DW_KERNEL_MEMORY)
        wanted += dw_kernel_memory_bytes ();
    uint64_t there = dw_resident_available_bytes ();
    if (edges_count < UINT32_MAX && (!there || wanted <= there))
        return DW_OK;
    return dw_error_add (error, DW_ELIMIT, DW_NOWHERE,
                         "this machine is too small: %" PRIu64 " nodes with payloads of %" PRIu32
                         " bytes and up to %" PRIu64 " edges (at most %" PRIu32
                         ") take some %" PRIu64 " MiB of memory, of which %" PRIu64
                         " MiB are there; ask for fewer nodes, smaller payloads or less width",
                         nodes_count, options->payload_bytes, edges_count, UINT32_MAX - 1,
                         wanted >> 20, there >> 20);
}

/* ---- Edges -------------------------------------------------------------------------------- */

/* Both arrays end up as large as there are edges, which is known when all have been asked for. */
static int s_ask_shape (dw_work_t *self, const dw_shape_size_t *size) {
    dw_shape_t shape = self->options.shape;
    uint64_t edges_max = dw_shape_edges_max (shape, size);
    self->dependencies_at = malloc (((size_t) size->nodes_count + 1) * sizeof (uint32_t));
    self->dependencies = malloc ((edges_max + dw_shape_degree_max (shape, size) + 1) *
                                 sizeof (uint32_t));
    if (!self->dependencies_at || !self->dependencies)
        return DW_ENOMEM;
    uint32_t count = 0;
    for (uint32_t node = 0; node < size->nodes_count; node++) {
        self->dependencies_at[node] = count;
        count += dw_shape_dependencies (shape, size, node, self->dependencies + count);
    }
    self->dependencies_at[size->nodes_count] = count;
    self->nodes_count = size->nodes_count;
    self->edges_count = count;
    return DW_OK;
}

static int s_from_shape (dw_work_t *self, dw_error_t *error) {
    dw_work_options_t *options = &self->options;
    dw_shape_size_t size = {.nodes_count = options->nodes_count,
                            .width = options->width,
                            .radius = options->radius,
                            .seed = options->seed};
    dw_shape_settle (options->shape, &size);
    options->nodes_count = size.nodes_count;
    options->width = size.width;
    bool has_radius = options->shape == DW_SHAPE_SPREAD || options->shape == DW_SHAPE_NEAREST;
    options->radius = has_radius ? size.radius : 0;
    int err = s_check_memory (options, size.nodes_count, dw_shape_edges_max (options->shape, &size),
                              error);
    return err ? err : s_ask_shape (self, &size);
}

static int s_from_file (dw_work_t *self, double **seconds_p, dw_error_t *error) {
    dw_edges_t edges = {0};
    int err = dw_edges_load (&edges, self->options.file, error);
    if (err)
        return err;
    *seconds_p = edges.seconds;
    self->dependencies_at = edges.dependencies_at;
    self->dependencies = edges.dependencies;
    self->options.nodes_count = self->nodes_count = edges.nodes_count;
    self->edges_count = edges.dependencies_at[edges.nodes_count];
    return s_check_memory (&self->options, self->nodes_count, self->edges_count, error);
}

/* Successors are smaller to larger, since nodes are gone through in that order. */
static int s_turn_edges (dw_work_t *self) {
    uint32_t *at = calloc ((size_t) self->nodes_count + 2, sizeof *at);
    uint32_t *successors = malloc (((size_t) self->edges_count + 1) * sizeof *successors);
    self->successors_at = at;
    self->successors = successors;
    if (!at || !successors)
        return DW_ENOMEM;
    for (uint32_t edge = 0; edge < self->edges_count; edge++)
        at[self->dependencies[edge] + 2]++;
    for (uint32_t node = 0; node < self->nodes_count; node++)
        at[node + 2] += at[node + 1];
    /* at[node + 1] is where node's next successor goes, and in the end where the next node's
     * begin. */
    for (uint32_t node = 0; node < self->nodes_count; node++)
        for (uint32_t i = self->dependencies_at[node]; i < self->dependencies_at[node + 1]; i++)
            successors[at[self->dependencies[i] + 1]++] = node;
    return DW_OK;
}

/* ---- Times -------------------------------------------------------------------------------- */

/* By how much a workflow's times are scaled where their mean is asked for. */
static int s_scale_to_mean (dw_work_t *self, const double *seconds, dw_error_t *error) {
    double total = 0;
    for (uint32_t node = 0; node < self->nodes_count; node++)
        total += seconds[node];
    if (total <= 0)
        return dw_error_add (error, DW_EGRAPH, (dw_place_t){.file = self->options.file},
                             "all tasks took no time: there is no mean to scale");
    self->options.time_scale = (double) self->options.task_ns * self->nodes_count / (total * 1e9);
    return DW_OK;
}

/* The time of each task where not all have the same. */
static int s_draw_times (dw_work_t *self, const double *seconds, dw_error_t *error) {
    const dw_work_options_t *options = &self->options;
    int err = seconds && options->task_ns ? s_scale_to_mean (self, seconds, error) : DW_OK;
    if (err)
        return err;
    double total_ns = 0;
    self->task_ns = calloc ((size_t) self->nodes_count + 1, sizeof *self->task_ns);
    if (!self->task_ns)
        return DW_ENOMEM;
    for (uint32_t node = 0; node < self->nodes_count; node++) {
        double ns = seconds ? seconds[node] * 1e9 * options->time_scale : (double) options->task_ns;
        if (options->kernel == DW_KERNEL_UNEVEN)
            ns *= dw_kernel_draw (options->seed, node);
        total_ns += ns;
        if (total_ns > TOTAL_NS_MAX)
            return dw_error_add (error, DW_EINVAL, DW_NOWHERE,
                                 "the tasks take more than %g seconds in all: scale their times "
                                 "down",
                                 TOTAL_NS_MAX / 1e9);
        self->task_ns[node] = (uint64_t) (ns + 0.5);
    }
    return DW_OK;
}

static int s_set_rounds (dw_work_t *self) {
    dw_work_options_t *options = &self->options;
    if (options->kernel == DW_KERNEL_MEMORY && dw_kernel_memory_init (&self->memory))
        return DW_ENOMEM;
    if (options->ns_per_round <= 0 || options->kernel == DW_KERNEL_BLOCK)
        options->ns_per_round = dw_kernel_ns_per_round (options->kernel, &self->memory);
    self->rounds_all = (uint64_t) ((double) options->task_ns / options->ns_per_round + 0.5);
    if (!self->task_ns)
        return DW_OK;
    self->rounds = malloc (((size_t) self->nodes_count + 1) * sizeof *self->rounds);
    for (uint32_t node = 0; self->rounds && node < self->nodes_count; node++)
        self->rounds[node] = (uint64_t) ((double) self->task_ns[node] / options->ns_per_round +
                                         0.5);
    return self->rounds ? DW_OK : DW_ENOMEM;
}

/* A workflow's times are forgotten where the kernel takes none. */
static int s_set_times (dw_work_t *self, const double *seconds, dw_error_t *error) {
    dw_kernel_t kernel = self->options.kernel;
    bool differ = kernel == DW_KERNEL_UNEVEN || (seconds && kernel != DW_KERNEL_EMPTY);
    int err = differ ? s_draw_times (self, seconds, error) : DW_OK;
    for (uint32_t node = 0; node < self->nodes_count && !err; node++) {
        uint64_t ns = dw_work_task_ns (self, node);
        self->total_ns += ns;
        self->longest_ns = ns > self->longest_ns ? ns : self->longest_ns;
    }
    return err || self->total_ns == 0 ? err : s_set_rounds (self);
}

/* ---- Born and gone ------------------------------------------------------------------------ */

static int s_fill (dw_work_t *self, dw_error_t *error) {
    double *seconds = NULL;
    int err = self->options.file ? s_from_file (self, &seconds, error) : s_from_shape (self, error);
    if (!err && self->options.time_scale > 0 && !seconds && self->options.file)
        err = dw_error_add (error, DW_EINVAL, (dw_place_t){.file = self->options.file},
                            "a graph file has no times to scale: only a workflow in WfFormat has");
    if (self->options.time_scale <= 0)
        self->options.time_scale = 1;
    if (!err)
        err = s_turn_edges (self);
    if (!err)
        err = s_set_times (self, seconds, error);
    free (seconds);
    return err;
}

int dw_work_new (dw_work_t **self_p, const dw_work_options_t *options, dw_error_t *error) {
    int err = s_check (options, error);
    if (err)
        return err;
    dw_work_t *self = calloc (1, sizeof *self);
    if (self)
        self->options = *options;
    if (self && options->file)
        self->options.file = strdup (options->file);
    if (!self || (options->file && !self->options.file))
        err = DW_ENOMEM;
    else
        err = s_fill (self, error);
    if (err == DW_ENOMEM)
        dw_error_add (error, DW_ENOMEM, DW_NOWHERE, "out of memory for the work of a bench");
    if (err)
        dw_work_destroy (&self);
    else
        *self_p = self;
    return err;
}

void dw_work_destroy (dw_work_t **self_p) {
    dw_work_t *self = *self_p;
    if (!self)
        return;
    free ((void *) (uintptr_t) self->options.file);
    free (self->dependencies_at);
    free (self->dependencies);
    free (self->successors_at);
    free (self->successors);
    free (self->task_ns);
    free (self->rounds);
    dw_kernel_memory_free (&self->memory);
    free (self);
    *self_p = NULL;
}

/* ---- Tasks -------------------------------------------------------------------------------- */

void dw_work_kernel (const dw_work_t *self, uint32_t node) {
    uint64_t rounds = self->rounds ? self->rounds[node] : self->rounds_all;
    if (rounds)
        dw_kernel_run (self->options.kernel, rounds, &self->memory,
                       node * UINT64_C (0x9e3779b97f4a7c15));
}

void dw_work_task (const dw_work_t *self, uint32_t node, const void *const *inputs, void *output) {
    uint32_t count = self->dependencies_at[node + 1] - self->dependencies_at[node];
    size_t size = self->options.payload_bytes;
    uint64_t hash = dw_mix_start (node);
    for (uint32_t i = 0; i < count; i++)
        hash = dw_mix_in (hash, inputs[i], size);
    if (self->total_ns > 0)
        dw_work_kernel (self, node);
    dw_mix_out (hash, output, size);
}

static uint64_t s_read_at (const dw_work_t *self, uint32_t node, const uint8_t *payloads) {
    size_t size = self->options.payload_bytes;
    uint64_t hash = dw_mix_start (node);
    for (uint32_t i = self->dependencies_at[node]; i < self->dependencies_at[node + 1]; i++)
        hash = dw_mix_in (hash, payloads + self->dependencies[i] * size, size);
    return hash;
}

void dw_work_task_at (const dw_work_t *self, uint32_t node, uint8_t *payloads) {
    size_t size = self->options.payload_bytes;
    uint64_t hash = s_read_at (self, node, payloads);
    if (self->total_ns > 0)
        dw_work_kernel (self, node);
    dw_mix_out (hash, payloads + node * size, size);
}

uint64_t dw_work_hash (const dw_work_t *self, const uint8_t *payloads) {
    size_t size = self->options.payload_bytes;
    uint64_t hash = 0;
    for (uint32_t node = 0; node < self->nodes_count; node++)
        hash = dw_mix_in (hash, payloads + node * size, size);
    return hash;
}

bool dw_work_expected (const dw_work_t *self, uint64_t *hash_p) {
    size_t size = self->options.payload_bytes;
    uint8_t *payloads = malloc (self->nodes_count * size + 1);
    if (!payloads)
        return false;
    for (uint32_t node = 0; node < self->nodes_count; node++)
        dw_mix_out (s_read_at (self, node, payloads), payloads + node * size, size);
    *hash_p = dw_work_hash (self, payloads);
    free (payloads);
    return true;
}
