/* four_mutexes.c - a thread pool as it is often written first: everything shared has a lock.
 *
 * The work queue, the results, the counts of unmet dependencies and the number of active tasks are
 * shared by all workers, each under a mutex of its own, with a condition variable for who waits. No
 * two of them are ever held at once. Per task:
 *
 *     queue: take --> results: look up the inputs --> (run) --> results: enter the output
 *       ^                                                              |
 *       +-- queue: put, wake <-- active: count <-- counts: count down the successors
 */

#include "bench/peers/peer.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

const char *const dw_peer_name = "four_mutexes";

struct dw_peer_t {
    const dw_work_t *work;
    uint8_t *payloads;
    pthread_t *threads;
    uint32_t threads_count;

    pthread_mutex_t queue_lock;
    pthread_cond_t queue_changed;
    uint32_t *queue; /* of nodes; a run puts each in once, so it never wraps */
    uint32_t queue_first, queue_end;
    bool is_closing;

    pthread_mutex_t results_lock;
    const void **results; /* by node */

    pthread_mutex_t counts_lock;
    uint32_t *counts; /* of unmet dependencies, by node */

    pthread_mutex_t active_lock;
    pthread_cond_t all_ended;
    uint32_t active; /* tasks that are queued or running */
};

/* What a worker needs for one task: as large as the largest task needs. */
typedef struct s_worker_t {
    dw_peer_t *peer;
    const void **inputs;
    uint32_t *ready;
} s_worker_t;

const char *dw_peer_version (void) {
    return dw_version ();
}

/* ---- The shared state, each under its lock ------------------------------------------------- */

/* Waits for a task; false: the pool closes. */
static bool s_take (dw_peer_t *self, uint32_t *node_p) {
    pthread_mutex_lock (&self->queue_lock);
    while (self->queue_first == self->queue_end && !self->is_closing)
        pthread_cond_wait (&self->queue_changed, &self->queue_lock);
    bool is_there = self->queue_first < self->queue_end;
    if (is_there)
        *node_p = self->queue[self->queue_first++];
    pthread_mutex_unlock (&self->queue_lock);
    return is_there;
}

static void s_put (dw_peer_t *self, const uint32_t *nodes, uint32_t count) {
    pthread_mutex_lock (&self->queue_lock);
    memcpy (self->queue + self->queue_end, nodes, count * sizeof *nodes);
    self->queue_end += count;
    pthread_mutex_unlock (&self->queue_lock);
    if (count == 1)
        pthread_cond_signal (&self->queue_changed);
    else
        pthread_cond_broadcast (&self->queue_changed);
}

static void s_look_up (dw_peer_t *self, uint32_t node, const void **inputs) {
    uint32_t first = self->work->dependencies_at[node];
    uint32_t count = dw_peer_dependencies_count (self->work, node);
    pthread_mutex_lock (&self->results_lock);
    for (uint32_t i = 0; i < count; i++)
        inputs[i] = self->results[self->work->dependencies[first + i]];
    pthread_mutex_unlock (&self->results_lock);
}

static void s_enter (dw_peer_t *self, uint32_t node, const void *output) {
    pthread_mutex_lock (&self->results_lock);
    self->results[node] = output;
    pthread_mutex_unlock (&self->results_lock);
}

/* Counts a node's successors down; returns how many of them became ready. */
static uint32_t s_count_down (dw_peer_t *self, uint32_t node, uint32_t *ready) {
    uint32_t count = 0, end = self->work->successors_at[node + 1];
    pthread_mutex_lock (&self->counts_lock);
    for (uint32_t i = self->work->successors_at[node]; i < end; i++) {
        uint32_t successor = self->work->successors[i];
        if (--self->counts[successor] == 0)
            ready[count++] = successor;
    }
    pthread_mutex_unlock (&self->counts_lock);
    return count;
}

/* One task ended, others became ready; they count before they are queued, so 0 is the end. */
static void s_count_active (dw_peer_t *self, uint32_t ready_count) {
    pthread_mutex_lock (&self->active_lock);
    self->active += ready_count;
    self->active--;
    if (self->active == 0)
        pthread_cond_signal (&self->all_ended);
    pthread_mutex_unlock (&self->active_lock);
}

/* ---- Workers ------------------------------------------------------------------------------- */

static void s_work (s_worker_t *self, uint32_t node) {
    dw_peer_t *peer = self->peer;
    uint8_t *output = peer->payloads + (size_t) node * peer->work->options.payload_bytes;
    s_look_up (peer, node, self->inputs);
    dw_work_task (peer->work, node, self->inputs, output);
    s_enter (peer, node, output);
    uint32_t ready_count = s_count_down (peer, node, self->ready);
    s_count_active (peer, ready_count);
    if (ready_count)
        s_put (peer, self->ready, ready_count);
}

static void s_worker_destroy (s_worker_t **self_p) {
    s_worker_t *self = *self_p;
    if (!self)
        return;
    free (self->inputs);
    free (self->ready);
    free (self);
    *self_p = NULL;
}

static s_worker_t *s_worker_new (dw_peer_t *peer) {
    uint32_t inputs = 1, successors = 1;
    for (uint32_t node = 0; node < peer->work->nodes_count; node++) {
        if (dw_peer_dependencies_count (peer->work, node) > inputs)
            inputs = dw_peer_dependencies_count (peer->work, node);
        if (dw_peer_successors_count (peer->work, node) > successors)
            successors = dw_peer_successors_count (peer->work, node);
    }
    s_worker_t *self = calloc (1, sizeof *self);
    if (!self)
        return NULL;
    self->peer = peer;
    self->inputs = malloc (inputs * sizeof *self->inputs);
    self->ready = malloc (successors * sizeof *self->ready);
    if (!self->inputs || !self->ready)
        s_worker_destroy (&self);
    return self;
}

static void *s_worker (void *arg) {
    s_worker_t *self = arg;
    uint32_t node;
    while (s_take (self->peer, &node))
        s_work (self, node);
    s_worker_destroy (&self);
    return NULL;
}

/* ---- The pool ------------------------------------------------------------------------------ */

static int s_start (dw_peer_t *self, uint32_t threads, dw_error_t *error) {
    while (self->threads_count < threads) {
        s_worker_t *worker = s_worker_new (self);
        if (!worker)
            return dw_peer_no_memory (error);
        if (pthread_create (&self->threads[self->threads_count], NULL, s_worker, worker)) {
            s_worker_destroy (&worker);
            return dw_peer_refuse (error, "the system refuses thread %u of %u",
                                   (unsigned) self->threads_count + 1, (unsigned) threads);
        }
        self->threads_count++;
    }
    return DW_OK;
}

int dw_peer_open (dw_peer_t **self_p, const dw_work_t *work, uint8_t *payloads, uint32_t threads,
                  dw_error_t *error) {
    dw_peer_t *self = calloc (1, sizeof *self);
    if (!self)
        return dw_peer_no_memory (error);
    self->work = work;
    self->payloads = payloads;
    pthread_mutex_init (&self->queue_lock, NULL);
    pthread_mutex_init (&self->results_lock, NULL);
    pthread_mutex_init (&self->counts_lock, NULL);
    pthread_mutex_init (&self->active_lock, NULL);
    pthread_cond_init (&self->queue_changed, NULL);
    pthread_cond_init (&self->all_ended, NULL);
    self->threads = calloc (threads, sizeof *self->threads);
    self->queue = calloc (work->nodes_count + 1u, sizeof *self->queue);
    self->results = calloc (work->nodes_count + 1u, sizeof *self->results);
    self->counts = calloc (work->nodes_count + 1u, sizeof *self->counts);
    bool has_memory = self->threads && self->queue && self->results && self->counts;
    int err = has_memory ? s_start (self, threads, error) : dw_peer_no_memory (error);
    if (err)
        dw_peer_close (&self);
    else
        *self_p = self;
    return err;
}

/* The workers sleep: whatever is set here they see when they are woken. */
void dw_peer_run (dw_peer_t *self) {
    uint32_t sources = 0;
    pthread_mutex_lock (&self->counts_lock);
    for (uint32_t node = 0; node < self->work->nodes_count; node++) {
        self->counts[node] = dw_peer_dependencies_count (self->work, node);
        sources += self->counts[node] == 0;
    }
    pthread_mutex_unlock (&self->counts_lock);
    pthread_mutex_lock (&self->active_lock);
    self->active = sources;
    pthread_mutex_unlock (&self->active_lock);
    pthread_mutex_lock (&self->queue_lock);
    self->queue_first = self->queue_end = 0;
    for (uint32_t node = 0; node < self->work->nodes_count; node++)
        if (dw_peer_dependencies_count (self->work, node) == 0)
            self->queue[self->queue_end++] = node;
    pthread_mutex_unlock (&self->queue_lock);
    pthread_cond_broadcast (&self->queue_changed);
    pthread_mutex_lock (&self->active_lock);
    while (self->active)
        pthread_cond_wait (&self->all_ended, &self->active_lock);
    pthread_mutex_unlock (&self->active_lock);
}

void dw_peer_close (dw_peer_t **self_p) {
    dw_peer_t *self = *self_p;
    if (!self)
        return;
    pthread_mutex_lock (&self->queue_lock);
    self->is_closing = true;
    pthread_mutex_unlock (&self->queue_lock);
    pthread_cond_broadcast (&self->queue_changed);
    for (uint32_t i = 0; i < self->threads_count; i++)
        pthread_join (self->threads[i], NULL);
    pthread_cond_destroy (&self->all_ended);
    pthread_cond_destroy (&self->queue_changed);
    pthread_mutex_destroy (&self->active_lock);
    pthread_mutex_destroy (&self->counts_lock);
    pthread_mutex_destroy (&self->results_lock);
    pthread_mutex_destroy (&self->queue_lock);
    free (self->counts);
    free (self->results);
    free (self->queue);
    free (self->threads);
    free (self);
    *self_p = NULL;
}
