/* caf.cc - C++ Actor Framework: an event-based actor for each node, a message for each edge.
 *
 * The manual calls event-based actors the ones to use, scheduled together on some threads. They are
 * spawned once; a node that has heard from all its dependencies works and tells its successors,
 * those without any tell the thread that waits. */

#include "bench/peers/peer.h"

#include <cstdio>
#include <exception>
#include <memory>
#include <new>
#include <vector>

#include <caf/all.hpp>

const char *const dw_peer_name = "caf";

/* A system refers to its configuration for as long as it lives. Of the two policies of its
 * scheduler the one with a shared queue is the faster one here on every shape: with the other, a
 * thread that steals walks through all of the victim's queue, and a fan of 100,000 takes 100 us a
 * task. */
struct config_t : caf::actor_system_config {
    explicit config_t (uint32_t threads) {
        set ("scheduler.max-threads", threads);
        set ("scheduler.policy", caf::atom ("sharing"));
    }
};

// cppcheck-suppress ctuOneDefinitionRuleViolation
struct dw_peer_t {
    dw_peer_t (const dw_work_t *work_, uint8_t *payloads_, uint32_t threads)
        : work (work_), payloads (payloads_), config (threads), system (config), waiting (system) {
    }
    ~dw_peer_t ();

    const dw_work_t *work;
    uint8_t *payloads;
    config_t config;
    caf::actor_system system;
    caf::scoped_actor waiting; /* the thread that runs the graph */
    std::vector<caf::actor> actors;
    std::vector<uint32_t> sources;
    uint32_t sinks_count = 0;
};

dw_peer_t::~dw_peer_t () {
    for (const caf::actor &actor : actors)
        caf::anon_send_exit (actor, caf::exit_reason::user_shutdown);
}

namespace {

class node_t : public caf::event_based_actor {
  public:
    node_t (caf::actor_config &config, dw_peer_t *peer, uint32_t node)
        : caf::event_based_actor (config), m_peer (peer), m_node (node), m_unmet (wanted ()) {
    }

    caf::behavior make_behavior () override {
        return {[this] (caf::ok_atom) {
            if (--m_unmet == 0)
                work ();
        }};
    }

  private:
    /* Messages for a run: from the dependencies, or one from outside. */
    uint32_t wanted () const {
        uint32_t count = dw_peer_dependencies_count (m_peer->work, m_node);
        return count ? count : 1;
    }

    void work () {
        const dw_work_t *work = m_peer->work;
        m_unmet = wanted ();
        dw_work_task_at (work, m_node, m_peer->payloads);
        uint32_t end = work->successors_at[m_node + 1];
        for (uint32_t i = work->successors_at[m_node]; i < end; i++)
            send (m_peer->actors[work->successors[i]], caf::ok_atom_v);
        if (dw_peer_successors_count (work, m_node) == 0)
            send (m_peer->waiting, caf::ok_atom_v);
    }

    dw_peer_t *m_peer;
    uint32_t m_node, m_unmet;
};

} // namespace

const char *dw_peer_version (void) {
    static char text[32];
    snprintf (text, sizeof text, "%d.%d.%d", CAF_MAJOR_VERSION, CAF_MINOR_VERSION,
              CAF_PATCH_VERSION);
    return text;
}

int dw_peer_open (dw_peer_t **self_p, const dw_work_t *work, uint8_t *payloads, uint32_t threads,
                  dw_error_t *error) {
    int err = dw_peer_check_memory (work, 1300, 100, error); /* an actor, a message */
    if (err)
        return err;
    try {
        auto self = std::make_unique<dw_peer_t> (work, payloads, threads);
        for (uint32_t node = 0; node < work->nodes_count; node++) {
            self->actors.push_back (self->system.spawn<node_t> (self.get (), node));
            if (dw_peer_dependencies_count (work, node) == 0)
                self->sources.push_back (node);
            self->sinks_count += dw_peer_successors_count (work, node) == 0;
        }
        *self_p = self.release ();
        return DW_OK;
    } catch (const std::bad_alloc &) {
        return dw_peer_no_memory (error);
    } catch (const std::exception &exception) {
        return dw_peer_refuse (error, "CAF: %s", exception.what ());
    }
}

void dw_peer_run (dw_peer_t *self) {
    uint32_t ended = 0;
    for (uint32_t source : self->sources)
        self->waiting->send (self->actors[source], caf::ok_atom_v);
    self->waiting->receive_while ([&] { return ended < self->sinks_count; }) (
        [&] (caf::ok_atom) { ended++; });
}

void dw_peer_close (dw_peer_t **self_p) {
    delete *self_p;
    *self_p = nullptr;
}
