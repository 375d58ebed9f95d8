/* onetbb_tasks.cc - oneTBB's task_group: a task that ends starts those that waited for it last.
 *
 * As the guide's pages on migrating from the low-level API say: counters of unmet dependencies are
 * the program's own atomics, tasks are run by the group as they become ready, and one of the ready
 * ones is gone on with at once instead of being scheduled (what was called bypass). */

#include "bench/peers/peer.h"

#include <atomic>
#include <exception>
#include <memory>
#include <new>
#include <vector>

#include <oneapi/tbb/global_control.h>
#include <oneapi/tbb/task_arena.h>
#include <oneapi/tbb/task_group.h>
#include <oneapi/tbb/version.h>

const char *const dw_peer_name = "onetbb_tasks";

/* The thread that waits works too, so that there are as many as were asked for. */
// cppcheck-suppress ctuOneDefinitionRuleViolation
struct dw_peer_t {
    dw_peer_t (const dw_work_t *work_, uint8_t *payloads_, uint32_t threads);
    void run_from (uint32_t node);

    const dw_work_t *work;
    uint8_t *payloads;
    tbb::global_control control;
    tbb::task_arena arena;
    tbb::task_group group;
    std::vector<std::atomic<uint32_t>> unmet; /* dependencies, by node */
    std::vector<uint32_t> sources;
};

dw_peer_t::dw_peer_t (const dw_work_t *work_, uint8_t *payloads_, uint32_t threads)
    : work (work_), payloads (payloads_),
      control (tbb::global_control::max_allowed_parallelism, threads),
      arena (static_cast<int> (threads)), unmet (work_->nodes_count) {
    for (uint32_t node = 0; node < work->nodes_count; node++) {
        unmet[node] = dw_peer_dependencies_count (work, node);
        if (unmet[node] == 0)
            sources.push_back (node);
    }
}

/* Whoever meets the last dependency sets the counter up again, for the next run. */
void dw_peer_t::run_from (uint32_t node) {
    for (bool is_next = true; is_next;) {
        dw_work_task_at (work, node, payloads);
        uint32_t first = work->successors_at[node], end = work->successors_at[node + 1];
        is_next = false;
        for (uint32_t i = first; i < end; i++) {
            uint32_t successor = work->successors[i];
            if (unmet[successor].fetch_sub (1, std::memory_order_acq_rel) != 1)
                continue;
            unmet[successor].store (dw_peer_dependencies_count (work, successor),
                                    std::memory_order_relaxed);
            if (is_next)
                group.run ([this, successor] { run_from (successor); });
            else
                node = successor;
            is_next = true;
        }
    }
}

const char *dw_peer_version (void) {
    return TBB_runtime_version ();
}

int dw_peer_open (dw_peer_t **self_p, const dw_work_t *work, uint8_t *payloads, uint32_t threads,
                  dw_error_t *error) {
    try {
        *self_p = new dw_peer_t (work, payloads, threads);
        return DW_OK;
    } catch (const std::bad_alloc &) {
        return dw_peer_no_memory (error);
    } catch (const std::exception &exception) {
        return dw_peer_refuse (error, "oneTBB: %s", exception.what ());
    }
}

void dw_peer_run (dw_peer_t *self) {
    self->arena.execute ([self] {
        for (uint32_t source : self->sources)
            self->group.run ([self, source] { self->run_from (source); });
        self->group.wait ();
    });
}

void dw_peer_close (dw_peer_t **self_p) {
    delete *self_p;
    *self_p = nullptr;
}
