/* peer.h - what a library does that dagwood is compared with: one small program for each.
 *
 * A peer runs the same work (bench/lib/work.h) as `dagwood bench overhead`: same shapes, kernels,
 * payload and threads, in the way that its own documentation recommends. One main (peer.c) reads
 * the options, builds the work, opens the peer, runs once to warm up and then --repeat times,
 * checks after every run that the hash of all payloads is that of a plain loop, and prints one JSON
 * object.
 *
 *     dw_peer_open  -->  dw_peer_run, dw_peer_run, ...  -->  dw_peer_close
 *
 * sequential     a loop over the nodes, the floor that nobody goes below
 * four_mutexes   a thread pool with a lock each around its queue, results, counts and active tasks
 * onetbb_graph   oneTBB: a flow graph of continue_node, built once (libtbb-dev, g++)
 * onetbb_tasks   oneTBB: a task_group whose tasks count down their successors (libtbb-dev, g++)
 * openmp         tasks with depend clauses, which are made anew by every run (gcc)
 * starpu         codelets on the CPUs with explicit dependencies (libstarpu-dev)
 * caf            C++ Actor Framework: an actor for each node (libcaf-dev, g++)
 *
 * The first two are always built, the others when their Debian packages are there:
 *
 *     ./bootstrap install g++ libtbb-dev libstarpu-dev libcaf-dev
 *
 * StarPU writes what it finds out about the machine into ~/.starpu, elsewhere with STARPU_HOME set.
 *
 * All payloads of a run lie in one array which every task reads and writes in place: no peer pays
 * for moving them. Their memory is touched before the first run, and wiped after each one so that a
 * task that was left out shows.
 *
 * Exit status: 0; 64 usage; 66 a file cannot be read; 70 a defect, such as a wrong hash; 71 the
 * machine or the library is too small for what was asked; 74 the output cannot be written; 78 the
 * graph file is wrong. */

#ifndef DW_PEER_H
#define DW_PEER_H

#include "bench/lib/work.h"

#ifdef __cplusplus
extern "C" {
#endif

/* What every peer defines: its name, and its library's version as it is running. */
extern const char *const dw_peer_name;
const char *dw_peer_version (void);

/* What a peer keeps from run to run; it defines the struct. */
typedef struct dw_peer_t dw_peer_t;

/* Makes threads, and the graph where the library can run one again and again. work and payloads,
 * an array by node, are borrowed until dw_peer_close. Errors: dw_peer_refuse, dw_peer_no_memory. */
int dw_peer_open (dw_peer_t **self_p, const dw_work_t *work, uint8_t *payloads, uint32_t threads,
                  dw_error_t *error);
/* Runs every task once, after its dependencies; returns when the last one has ended. */
void dw_peer_run (dw_peer_t *self);
void dw_peer_close (dw_peer_t **self_p);

/* For dw_peer_open: add what the library cannot do, or that memory is out, to error; return
 * DW_ELIMIT or DW_ENOMEM. */
int dw_peer_refuse (dw_error_t *error, const char *format, ...) DW_PRINTF (2, 3);
int dw_peer_no_memory (dw_error_t *error);
/* Refuses a graph for which the machine has too little memory, before the kernel ends the program:
 * the library takes about so many bytes for a node and for an edge. Returns DW_OK or DW_ELIMIT. */
int dw_peer_check_memory (const dw_work_t *work, uint32_t node_bytes, uint32_t edge_bytes,
                          dw_error_t *error);

/* How many nodes that node waits for, and how many wait for it. */
static inline uint32_t dw_peer_dependencies_count (const dw_work_t *work, uint32_t node) {
    return work->dependencies_at[node + 1] - work->dependencies_at[node];
}
static inline uint32_t dw_peer_successors_count (const dw_work_t *work, uint32_t node) {
    return work->successors_at[node + 1] - work->successors_at[node];
}

#ifdef __cplusplus
}
#endif

#endif
