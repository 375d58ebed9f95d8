/* coordinator_commands.c - what the scheduler commands, carried out. */

#include <stdio.h>

#include "actors/clock.h"
#include "actors/coordinator_self.h"
#include "actors/delivery.h"

#define COMMANDS_KEPT 65536u /* places for them that stay */

/* ---- What the scheduler commands -------------------------------------------------------------- */

const dw_slot_t *dw_coordinator_source_slot (const dw_coordinator_t *self, dw_live_run_t *run,
                                             uint32_t source) {
    return dw_table_slot (&run->table, source == DW_RUN_INPUT
                                           ? dw_coordinator_plan (self, run)->nodes_count
                                           : source);
}

/* Appends the outputs and metadata of a node's direct dependencies. */
static void s_write_given (dw_coordinator_t *self, dw_packet_t *packet, dw_live_run_t *run,
                           const dw_command_t *command) {
    const dw_plan_t *plan = dw_coordinator_plan (self, run);
    uint32_t node = command->node;
    uint32_t begin = plan->dependencies_at[node], end = plan->dependencies_at[node + 1];
    if ((plan->flags[node] & DW_NODE_PAYLOAD_ONLY) || begin == end) {
        dw_write_nil (&packet->head);
        return;
    }
    dw_write_array (&packet->head, end - begin);
    for (uint32_t e = begin; e < end; e++) {
        uint32_t on = plan->dependencies[e];
        const dw_extra_t *extra = dw_slot_extra (dw_table_slot (&run->table, on));
        dw_coordinator_write_payload (self, packet, command->worker, run, on);
        if (extra && extra->metadata)
            dw_packet_add (packet, extra->metadata, extra->metadata_size, NULL);
        else
            dw_write_nil (&packet->head);
    }
}

static void s_refuse_task (dw_coordinator_t *self, const dw_command_t *command) {
    static const char text[] = "every actor that could run it is stuck in a processor";
    dw_event_t *event = dw_coordinator_event (self, DW_EVENT_TASK_FAILED);
    if (!event)
        return;
    event->worker = command->worker;
    event->ticket = command->ticket;
    dw_coordinator_fail_event (self, event, 503, text, strlen (text));
}

bool dw_coordinator_is_full (const dw_coordinator_t *self, const dw_peer_t *peer) {
    return peer->router == self->listen_router && peer->packet &&
           peer->packet->bytes >= DW_PACKET_FULL;
}

static void s_send_task (dw_coordinator_t *self, const dw_command_t *command) {
    const dw_crew_t *worker = &self->workers[command->worker];
    dw_live_run_t *run = &self->runs[command->run];
    if (worker->is_refusing || worker->peer == DW_PEER_NONE) {
        s_refuse_task (self, command);
        return;
    }
    dw_peer_t *peer = &self->peers.items[worker->peer];
    const dw_plan_t *plan = dw_coordinator_plan (self, run);
    if (run->addition)
        dw_coordinator_tell_graph (self, command->worker, run);
    if (peer->packet &&
        (dw_packet_frames_left (peer->packet) < 2 + plan->dependencies_count[command->node] ||
         dw_coordinator_is_full (self, peer)))
        dw_peers_send (&self->peers, peer);
    if (worker->agent != DW_NONE && !worker->is_solo)
        dw_coordinator_shelve (self, command, peer);
    dw_packet_t *packet = dw_peers_packet (&self->peers, peer, DW_WIRE_TASKS);
    if (!packet) {
        self->is_over = true;
        return;
    }
    if (packet->records == 1)
        dw_write_uint (&packet->head, command->ticket);
    dw_write_uint (&packet->head, run->number);
    dw_write_uint (&packet->head, command->node);
    dw_write_uint (&packet->head, command->steps);
    dw_write_uint (&packet->head, command->attempt);
    dw_coordinator_write_payload (self, packet, command->worker, run, command->source);
    s_write_given (self, packet, run, command);
}

static void s_cancel_task (dw_coordinator_t *self, const dw_command_t *command) {
    const dw_crew_t *worker = &self->workers[command->worker];
    if (worker->is_refusing || worker->peer == DW_PEER_NONE)
        return;
    dw_peer_t *peer = &self->peers.items[worker->peer];
    if (peer->packet) /* the tasks themselves come first */
        dw_peers_send (&self->peers, peer);
    dw_write_uint (&self->reply.head, DW_WIRE_CANCEL);
    dw_write_uint (&self->reply.head, command->ticket);
    if (command->steps > 0)
        dw_write_uint (&self->reply.head, command->steps);
    dw_packet_send (&self->reply, self->peers.routers[peer->router], peer->id, peer->id_size);
}

static void s_keep_output (dw_coordinator_t *self, const dw_command_t *command) {
    dw_live_run_t *run = &self->runs[command->run];
    uint32_t node = command->node;
    const dw_plan_t *plan = dw_coordinator_plan (self, run);
    for (uint32_t i = 0; i < command->steps; i++, node = plan->chain_next[node]) {
        dw_slot_t *from = &self->outcomes.slots[command->handle + i],
                  *to = dw_table_slot (&run->table, node);
        if (dw_slot_owns (to))
            dw_slot_clear (to);
        *to = *from;
        to->status = DW_NODE_DONE;
        to->attempts = i == 0 ? command->attempt : 1;
        if (dw_slot_owns (from)) {
            from->form = DW_SLOT_NONE; /* it has a new owner */
            run->has_extras = true;
        }
    }
}

/* Why a node failed of which nobody has said so. */
static void s_write_why (const dw_coordinator_t *self, const dw_live_run_t *run,
                         const dw_command_t *command, char *text, size_t size) {
    const dw_plan_t *plan = dw_coordinator_plan (self, run);
    const dw_policy_t *policy = &plan->policies[plan->policy[command->node]];
    if (command->is_unserved)
        snprintf (text, size, "no worker is there that may run it");
    else if (command->of_run)
        snprintf (text, size, "the run had not ended after its deadline_ms (%lu ms)",
                  (unsigned long) run->deadline_ms);
    else if (command->code == 408)
        snprintf (text, size, "the attempt took longer than timeout_seconds (%g s)",
                  (double) policy->timeout_us / 1e6);
    else if (command->code == 413 && command->is_too_deep)
        snprintf (text, size,
                  "the graph that it adds is too deep: depth_max is %u "
                  "(executor_options.added)",
                  (unsigned) self->plan->added_depth_max);
    else if (command->code == 413)
        snprintf (text, size,
                  "the graph that it adds is too large: its share of nodes_max (%u) is less "
                  "(executor_options.added)",
                  (unsigned) self->plan->added_nodes_max);
    else if (command->code == 500)
        snprintf (text, size, "out of memory");
    else
        snprintf (text, size, "the worker answered for steps that it was not sent");
}

/* The workers that it had are gone: what became of them is told. */
static void s_keep_loss (dw_coordinator_t *self, dw_live_run_t *run, uint32_t node, dw_slot_t *to) {
    dw_writer_t story = {0};
    dw_coordinator_explain_loss (self, run, node, &story);
    if (!story.no_memory)
        dw_slot_set_error (to, 503, (const char *) story.bytes, story.count);
    dw_writer_free (&story);
}

static void s_keep_error (dw_coordinator_t *self, const dw_command_t *command) {
    dw_live_run_t *run = &self->runs[command->run];
    dw_slot_t *to = dw_table_slot (&run->table, command->node);
    char text[160];
    dw_slot_clear (to);
    run->has_extras = true;
    if (command->handle != DW_NONE) { /* the worker has said it */
        dw_slot_t *from = &self->outcomes.slots[command->handle];
        *to = *from;
        from->form = DW_SLOT_NONE;
    } else if (command->code == 503 && !command->is_unserved)
        s_keep_loss (self, run, command->node, to);
    else {
        s_write_why (self, run, command, text, sizeof text);
        dw_slot_set_error (to, command->code, text, strlen (text));
    }
}

static void s_finish_run (dw_coordinator_t *self, const dw_command_t *command) {
    dw_live_run_t *run = &self->runs[command->run];
    dw_packet_t *packet = dw_coordinator_result_begin (self, run);
    dw_slot_clear (dw_table_slot (&run->table, self->plan->nodes_count));
    if (packet) {
        dw_delivery_t delivery = {.scheduler = self->scheduler,
                                  .plan = self->plan,
                                  .run = command->run,
                                  .client_run = run->client_run,
                                  .status = (dw_run_status_t) command->status,
                                  .duration_us = (uint64_t) (dw_clock_ns () - run->submitted_ns) /
                                                 1000,
                                  .slots = dw_table_give (&run->table),
                                  .has_extras = run->has_extras,
                                  .outputs = run->outputs,
                                  .outputs_count = run->outputs_count};
        if (dw_delivery_write (&delivery, packet))
            self->is_over = true;
    }
    dw_deaths_forget (&self->deaths, run->number);
    dw_coordinator_result_end (self, run);
    dw_scheduler_forget (self->scheduler, command->run);
    dw_coordinator_run_free (self, command->run);
}

/* A worker is stuck in a processor: it is left to itself, another takes its place. */
static void s_replace_worker (dw_coordinator_t *self, const dw_command_t *command) {
    const dw_crew_t *worker = &self->workers[command->worker];
    dw_peer_t *peer = worker->peer == DW_PEER_NONE ? NULL : &self->peers.items[worker->peer];
    bool is_elsewhere = worker->agent != DW_NONE;
    char line[DW_NAME_LINE];
    dw_coordinator_name (self, command->worker, line);
    if (peer) {
        if (peer->packet)
            dw_peers_send (&self->peers, peer);
        if (!is_elsewhere || !self->agents[worker->agent].is_solo)
            dw_coordinator_stop_worker (self, worker->peer);
    }
    dw_coordinator_notice (
        self,
        "%s is stuck in node \"%s\": its processor did not return after its attempt was given up; "
        "another takes its place",
        line, self->plan->ids[command->node]);
    if (is_elsewhere) {
        dw_coordinator_replace_slot (self, command->worker);
        return;
    }
    dw_coordinator_leave_behind (self, command->worker, command->node);
    dw_coordinator_start_again (self, command->worker);
}

static void s_carry_out (dw_coordinator_t *self, const dw_command_t *command) {
    switch ((dw_command_type_t) command->type) {
        case DW_SEND_TASK: s_send_task (self, command); return;
        case DW_CANCEL_TASK: s_cancel_task (self, command); return;
        case DW_KEEP_OUTPUT: s_keep_output (self, command); return;
        case DW_KEEP_ERROR: s_keep_error (self, command); return;
        case DW_KEEP_DEATH: dw_coordinator_keep_death (self, command); return;
        case DW_DROP_OUTPUT:
            dw_coordinator_forget_kept (self, &self->runs[command->run], command->node);
            dw_slot_drop_payload (dw_table_slot (&self->runs[command->run].table, command->node));
            return;
        case DW_BEGIN_ADDED: dw_coordinator_begin_added (self, command); return;
        case DW_END_ADDED: dw_coordinator_end_added (self, command); return;
        case DW_FINISH_RUN: s_finish_run (self, command); return;
        case DW_REPLACE_WORKER: s_replace_worker (self, command); return;
    }
}

/* A peer could not be reached: its connection is gone, or it reads nothing (elsewhere queues have a
 * limit that only such a one meets). */
static void s_on_unreachable (void *arg, dw_peer_t *peer) {
    dw_coordinator_t *self = arg;
    if (peer->role == DW_WIRE_CLIENT)
        dw_coordinator_on_client_lost (self, dw_peers_index (&self->peers, peer));
    else if (peer->role == DW_WIRE_WORKER && peer->router == self->listen_router) {
        if (!peer->is_dismissed && !self->is_closing)
            dw_coordinator_cut_slot (self, peer);
    } else if (peer->role == DW_WIRE_WORKER && !peer->is_dismissed && !self->is_closing) {
        uint32_t run, node = dw_scheduler_worker_node (self->scheduler, peer->number, &run);
        dw_coordinator_notice (self, "actor %u cannot be reached any more; another takes its place",
                               (unsigned) peer->number);
        dw_coordinator_tell_lost (self, peer->number);
        dw_coordinator_leave_behind (self, peer->number, node);
        dw_coordinator_start_again (self, peer->number);
    }
}

/* Where very many workers wait a step commands as much as hardly ever again. */
static void s_empty_commands (dw_coordinator_t *self) {
    self->commands.count = 0;
    if (self->commands.size <= COMMANDS_KEPT)
        return;
    free (self->commands.items);
    self->commands = (dw_commands_t){0};
}

void dw_coordinator_step (dw_coordinator_t *self, int64_t now_ns) {
    dw_outcomes_t *outcomes = &self->outcomes;
    size_t events_count = outcomes->events_count, slots_count = outcomes->slots_count;
    size_t first = self->commands.count; /* those before are of own work */
    if (dw_scheduler_step (self->scheduler, now_ns, outcomes->events, events_count,
                           &self->commands)) {
        dw_coordinator_notice (self, "out of memory: the system ends");
        self->is_over = true;
        return;
    }
    if (self->record)
        dw_recorder_step (&self->record->recorder, now_ns, outcomes->events, events_count,
                          &self->commands, first);
    for (size_t i = 0; i < self->commands.count; i++)
        s_carry_out (self, &self->commands.items[i]);
    s_empty_commands (self);
    dw_coordinator_tell_stale (self);
    dw_peers_flush (&self->peers, s_on_unreachable, self);
    if (self->plan->adders_count)
        dw_coordinator_drop_unbegun (self, outcomes->events, events_count);
    dw_outcomes_t rest = {.slots = outcomes->slots, .slots_count = slots_count};
    dw_outcomes_clear (&rest); /* what no command kept */
    outcomes->events_count -= events_count;
    outcomes->slots_count -= slots_count;
    if (outcomes->events_count) {
        memmove (outcomes->events, outcomes->events + events_count,
                 outcomes->events_count * sizeof *outcomes->events);
        memmove (outcomes->slots, outcomes->slots + slots_count,
                 outcomes->slots_count * sizeof *outcomes->slots);
        for (size_t i = 0; i < outcomes->events_count; i++)
            if (outcomes->events[i].type == DW_EVENT_TASK_FAILED ||
                outcomes->events[i].type == DW_EVENT_TASK_ADDED || /* the others bring no slots */
                (outcomes->events[i].type == DW_EVENT_WORKER_LOST &&
                 outcomes->events[i].handle != DW_NONE))
                outcomes->events[i].handle -= (uint32_t) slots_count;
    }
}
