/* starpu.c - StarPU's tasks on the CPUs, each with its dependencies declared.
 *
 * A task that is marked to be regenerated is submitted again by StarPU as soon as it has ended, and
 * waits for its dependencies once more: so the graph is built once, as in StarPU's own tests of
 * repeated subgraphs. Two tasks without a codelet hold it together:
 *
 *     start (submitted by each run) --> sources --> ... --> sinks --> end (wakes who waits)
 *
 * Data that StarPU does not manage needs no transfers between the CPUs, so it manages none. */

#include "bench/peers/peer.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include <starpu.h>

const char *const dw_peer_name = "starpu";

typedef struct s_node_t {
    dw_peer_t *peer;
    uint32_t node;
    struct starpu_task task;
} s_node_t;

struct dw_peer_t {
    const dw_work_t *work;
    uint8_t *payloads;
    struct starpu_codelet codelet;
    s_node_t *nodes;
    struct starpu_task start, end;
    bool is_started, is_built;
    bool is_last; /* the last run regenerates no task */
    pthread_mutex_t lock;
    pthread_cond_t changed;
    bool has_ended;
};

const char *dw_peer_version (void) {
    static char text[64];
    int major, minor, release;
    starpu_get_version (&major, &minor, &release);
    snprintf (text, sizeof text, "%d.%d.%d", major, minor, release);
    return text;
}

/* ---- What StarPU calls --------------------------------------------------------------------- */

static void s_task (void *buffers[], void *arg) {
    s_node_t *self = arg;
    (void) buffers;
    if (self->peer->is_last)
        self->task.regenerate = 0;
    dw_work_task_at (self->peer->work, self->node, self->peer->payloads);
}

static void s_end (void *arg) {
    dw_peer_t *self = arg;
    if (self->is_last)
        self->end.regenerate = 0;
    pthread_mutex_lock (&self->lock);
    self->has_ended = true;
    pthread_cond_signal (&self->changed);
    pthread_mutex_unlock (&self->lock);
}

/* ---- The graph ----------------------------------------------------------------------------- */

/* Declares what a node waits for; list has room for all nodes. */
static void s_declare (dw_peer_t *self, uint32_t node, struct starpu_task **list) {
    uint32_t count = 0, end = self->work->dependencies_at[node + 1];
    for (uint32_t i = self->work->dependencies_at[node]; i < end; i++)
        list[count++] = &self->nodes[self->work->dependencies[i]].task;
    if (count == 0)
        list[count++] = &self->start;
    starpu_task_declare_deps_array (&self->nodes[node].task, count, list);
}

static void s_init_tasks (dw_peer_t *self) {
    self->codelet.cpu_funcs[0] = s_task;
    self->codelet.cpu_funcs_name[0] = "s_task";
    self->codelet.where = STARPU_CPU;
    starpu_task_init (&self->start);
    self->start.detach = 0; /* so that a run can wait until it may be submitted again */
    starpu_task_init (&self->end);
    self->end.callback_func = s_end;
    self->end.callback_arg = self;
    self->end.regenerate = 1;
    for (uint32_t i = 0; i < self->work->nodes_count; i++) {
        s_node_t *node = &self->nodes[i];
        node->peer = self;
        node->node = i;
        starpu_task_init (&node->task);
        node->task.cl = &self->codelet;
        node->task.cl_arg = node;
        node->task.regenerate = 1;
    }
}

/* All tasks but the first wait when they are submitted. */
static int s_build (dw_peer_t *self, dw_error_t *error) {
    uint32_t nodes_count = self->work->nodes_count, sinks = 0;
    struct starpu_task **list = malloc ((nodes_count + 1u) * sizeof (struct starpu_task *));
    if (!list)
        return dw_peer_no_memory (error);
    s_init_tasks (self);
    for (uint32_t node = 0; node < nodes_count; node++)
        s_declare (self, node, list);
    for (uint32_t node = 0; node < nodes_count; node++)
        if (dw_peer_successors_count (self->work, node) == 0)
            list[sinks++] = &self->nodes[node].task;
    starpu_task_declare_deps_array (&self->end, sinks, list);
    free (list);
    int status = starpu_task_submit (&self->end);
    for (uint32_t node = 0; node < nodes_count && !status; node++)
        status = starpu_task_submit (&self->nodes[node].task);
    if (status)
        return dw_peer_refuse (error, "StarPU takes no task (%d)", status);
    self->is_built = true;
    return DW_OK;
}

static int s_start (dw_peer_t *self, uint32_t threads, dw_error_t *error) {
    struct starpu_conf conf;
    setenv ("STARPU_SILENT", "1", 1);
    starpu_conf_init (&conf);
    conf.ncpus = (int) threads;
    conf.ncuda = conf.nopencl = 0;
    int status = starpu_init (&conf);
    if (status)
        return dw_peer_refuse (error, "StarPU does not start here (%d)", status);
    self->is_started = true;
    if (starpu_cpu_worker_get_count () != threads)
        return dw_peer_refuse (error, "StarPU gives %u threads instead of %u: one for each CPU",
                               starpu_cpu_worker_get_count (), (unsigned) threads);
    return DW_OK;
}

int dw_peer_open (dw_peer_t **self_p, const dw_work_t *work, uint8_t *payloads, uint32_t threads,
                  dw_error_t *error) {
    int err = dw_peer_check_memory (work, 1700, 150, error);
    if (err)
        return err;
    dw_peer_t *self = calloc (1, sizeof *self);
    if (!self)
        return dw_peer_no_memory (error);
    self->work = work;
    self->payloads = payloads;
    pthread_mutex_init (&self->lock, NULL);
    pthread_cond_init (&self->changed, NULL);
    self->nodes = calloc (work->nodes_count, sizeof *self->nodes);
    err = self->nodes ? s_start (self, threads, error) : dw_peer_no_memory (error);
    if (!err)
        err = s_build (self, error);
    if (err)
        dw_peer_close (&self);
    else
        *self_p = self;
    return err;
}

void dw_peer_run (dw_peer_t *self) {
    self->has_ended = false;
    int status = starpu_task_submit (&self->start);
    STARPU_CHECK_RETURN_VALUE (status, "starpu_task_submit");
    pthread_mutex_lock (&self->lock);
    while (!self->has_ended)
        pthread_cond_wait (&self->changed, &self->lock);
    pthread_mutex_unlock (&self->lock);
    status = starpu_task_wait (&self->start);
    STARPU_CHECK_RETURN_VALUE (status, "starpu_task_wait");
}

/* Tasks that wait to be run once more keep StarPU from shutting down: a last run lets them go. */
static void s_let_go (dw_peer_t *self) {
    self->is_last = true;
    dw_peer_run (self);
    starpu_task_wait_for_all ();
    for (uint32_t node = 0; node < self->work->nodes_count; node++)
        starpu_task_clean (&self->nodes[node].task);
    starpu_task_clean (&self->start);
    starpu_task_clean (&self->end);
}

void dw_peer_close (dw_peer_t **self_p) {
    dw_peer_t *self = *self_p;
    if (!self)
        return;
    if (self->is_built)
        s_let_go (self);
    if (self->is_started)
        starpu_shutdown ();
    pthread_cond_destroy (&self->changed);
    pthread_mutex_destroy (&self->lock);
    free (self->nodes);
    free (self);
    *self_p = NULL;
}
