/* coordinator_solo.c - worker processes of one slot, in one connection, that compile no graph.
 *
 * Such a one is an agent and its slot at once: it has a place among the agents, by which it is
 * watched, and one among the workers, and both are the same peer, whose role is that of a worker.
 * It is told of the nodes that it serves instead of the graph, keeps no payloads, and when it is
 * forgotten it comes again as any agent does: with a new connection, as a later incarnation. */

#include "actors/coordinator_self.h"
#include "runtime/briefing.h"
#include "runtime/pack.h"

uint32_t dw_coordinator_agent_of (const dw_coordinator_t *self, const dw_peer_t *peer) {
    if (peer->role == DW_WIRE_AGENT)
        return peer->number;
    if (peer->role != DW_WIRE_WORKER || peer->router != self->listen_router)
        return DW_NONE;
    uint32_t index = self->workers[peer->number].agent;
    return index != DW_NONE && self->agents[index].is_solo ? index : DW_NONE;
}

/* The graph is taken from what agents are sent: nothing else of it is kept. */
static int s_write_briefing (const dw_coordinator_t *self, uint64_t lanes, dw_writer_t *writer) {
    dw_graph_t *graph = NULL;
    int err = dw_unpack_graph (&graph, zmq_msg_data (self->options.packed),
                               zmq_msg_size (self->options.packed), NULL);
    if (!err)
        dw_write_briefing (self->plan, graph, lanes, writer);
    dw_graph_destroy (&graph);
    return !err && writer->no_memory ? DW_ENOMEM : err;
}

/* Made once for all that serve the same lanes. Errors: DW_ENOMEM. */
static int s_brief (dw_coordinator_t *self, uint64_t lanes) {
    dw_writer_t writer = {0};
    if (self->briefed == lanes)
        return DW_OK;
    int err = s_write_briefing (self, lanes, &writer);
    zmq_msg_t fresh;
    if (!err && zmq_msg_init_size (&fresh, writer.count))
        err = DW_ENOMEM;
    if (!err) {
        memcpy (zmq_msg_data (&fresh), writer.bytes, writer.count);
        if (self->briefed)
            zmq_msg_close (&self->briefing);
        self->briefing = fresh;
        self->briefed = lanes;
    }
    dw_writer_free (&writer);
    return err;
}

void dw_coordinator_welcome_solo (dw_coordinator_t *self, uint32_t router, const uint8_t *key,
                                  const dw_wire_hello_t *hello, dw_wire_reader_t *reader) {
    if (hello->credit == 0) {
        dw_coordinator_refuse (self, router, 400, "a worker takes at least one task at a time");
        return;
    }
    uint32_t index = dw_coordinator_admit_agent (self, router, key, reader, DW_WIRE_WORKER);
    if (index == DW_NONE)
        return;
    dw_remote_agent_t *agent = &self->agents[index];
    uint32_t number = agent->first;
    agent->is_solo = self->workers[number].is_solo = true;
    dw_coordinator_seat_worker (self, &self->peers.items[agent->peer], number, hello->credit);
    if (s_brief (self, agent->lanes)) {
        dw_coordinator_release_agent (self, index);
        dw_coordinator_refuse (self, router, 503, "the coordinator is out of memory");
        return;
    }
    dw_writer_t *head = &self->reply.head;
    dw_write_uint (head, DW_WIRE_WELCOME);
    dw_write_uint (head, agent->peer);
    dw_write_uint (head, self->options.heartbeat_ms);
    dw_write_uint (head, self->options.silence_ms);
    dw_write_uint (head, self->plan->max_payload_bytes);
    dw_packet_add (&self->reply, zmq_msg_data (&self->briefing), zmq_msg_size (&self->briefing),
                   &self->briefing);
    dw_peers_reply (&self->peers, router, &self->reply);
}

void dw_coordinator_dismiss_solo (dw_coordinator_t *self, uint32_t index) {
    const dw_remote_agent_t *agent = &self->agents[index];
    const dw_peer_t *peer = &self->peers.items[agent->peer];
    uint32_t number = agent->first;
    if (self->workers[number].peer != DW_PEER_NONE) {
        dw_write_uint (&self->reply.head, DW_WIRE_REPLACE);
        dw_write_uint (&self->reply.head, number);
        dw_packet_send (&self->reply, self->peers.routers[peer->router], peer->id, peer->id_size);
        dw_peers_remove (&self->peers, &self->peers.items[self->workers[number].peer]);
        self->workers[number].peer = DW_PEER_NONE;
    }
    dw_coordinator_release_agent (self, index);
}
