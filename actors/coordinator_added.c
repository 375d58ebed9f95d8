/* coordinator_added.c - graphs that nodes add to their runs.
 *
 * A graph is checked and compiled when the answer is read that adds it: then it has a place, and
 * slots of its own. Whether it begins is the scheduler's to say. Workers get its bytes before the
 * first of its tasks, and are told when it has ended. */

#include <stdio.h>
#include <stdlib.h>

#include "actors/coordinator_self.h"

#define MESSAGE_BYTES 2048

/* Behind whose graph it is, what is wrong with it: messages, a line each, without the word
 * "error". */
static size_t s_say_refused (char *text, const char *why) {
    static const char word[] = "error: ";
    size_t size = 0;
    const char *separator = "the graph that it adds: ";
    for (; *why && size < MESSAGE_BYTES - 64; separator = "\n") {
        if (strncmp (why, word, sizeof word - 1) == 0)
            why += sizeof word - 1;
        size_t length = strcspn (why, "\n");
        size_t room = MESSAGE_BYTES - 32 - size;
        size += (size_t) snprintf (text + size, MESSAGE_BYTES - size, "%s%.*s", separator,
                                   (int) (length < room ? length : room), why);
        why += length + (why[length] == '\n');
    }
    return size;
}

static void s_refuse (dw_coordinator_t *self, dw_event_t *event, int err, const char *why) {
    char text[MESSAGE_BYTES];
    uint16_t code = err == DW_ETOOLARGE   ? 413
                    : err == DW_EPROTOCOL ? 502
                    : err == DW_ENOMEM    ? 500
                                          : 400;
    size_t size = s_say_refused (text, why);
    dw_coordinator_fail_event (self, event, code, text, size);
}

void dw_coordinator_take_graph (dw_coordinator_t *self, dw_event_t *event, const uint8_t *bytes,
                                size_t size) {
    uint32_t outer, node;
    static const char nobodys[] = "nobody waits for it";
    if (!dw_scheduler_task_at (self->scheduler, event->worker, event->ticket, event->step, &outer,
                               &node)) {
        dw_coordinator_fail_event (self, event, 502, nobodys, strlen (nobodys));
        return;
    }
    const dw_addition_t *within = self->runs[outer].addition;
    dw_addition_t *addition = NULL;
    dw_error_t *error = dw_error_new ();
    int err = dw_addition_new (&addition, bytes, size, self->options.program,
                               within ? within->added : NULL, node, error);
    uint32_t place = err || self->added_count == self->added_max
                         ? DW_NONE /* the others are places of runs */
                         : dw_coordinator_place_new (self, addition->added->plan->nodes_count + 1u);
    if (place == DW_NONE) {
        s_refuse (self, event, err ? err : DW_ENOMEM,
                  err ? dw_error_text (error) : "out of memory");
        dw_addition_destroy (&addition);
    } else {
        dw_live_run_t *run = &self->runs[place];
        run->addition = addition;
        run->digest = dw_plan_digest (addition->added->plan);
        self->added_count++;
        event->type = DW_EVENT_TASK_ADDED;
        event->run = place;
        event->added = addition->added;
    }
    dw_error_destroy (&error);
}

static void s_free (dw_coordinator_t *self, uint32_t place) {
    self->added_count--;
    dw_coordinator_run_free (self, place);
}

void dw_coordinator_drop_unbegun (dw_coordinator_t *self, const dw_event_t *events, size_t count) {
    for (size_t i = 0; i < count; i++)
        if (events[i].type == DW_EVENT_TASK_ADDED && self->runs[events[i].run].addition &&
            !self->runs[events[i].run].has_begun)
            s_free (self, events[i].run);
}

/* What the node has set becomes the input of its graph. */
void dw_coordinator_begin_added (dw_coordinator_t *self, const dw_command_t *command) {
    dw_live_run_t *run = &self->runs[command->place];
    dw_slot_t *from = &self->outcomes.slots[command->handle];
    dw_slot_t *input = dw_table_slot (&run->table, run->addition->added->plan->nodes_count);
    *input = *from;
    from->form = DW_SLOT_NONE; /* it has a new owner */
    run->has_extras = dw_slot_owns (input);
    run->has_begun = true;
    run->number = DW_WIRE_ADDED_RUN | ++self->added_number;
    run->submitted_ns = dw_clock_ns () - (int64_t) input->duration_us * 1000;
}

/* Its first failure is the node's: said with the names of all that it is within. */
static void s_fail (dw_coordinator_t *self, const dw_live_run_t *run, const dw_slot_t *from,
                    dw_slot_t *to, const dw_command_t *command) {
    char text[MESSAGE_BYTES];
    const dw_extra_t *extra = dw_slot_extra (from);
    const char *outer = dw_coordinator_plan (self, &self->runs[command->run])->ids[command->node];
    bool is_path = extra && extra->added_depth > 0; /* its own says so already */
    const char *inner = run->addition->added->plan->ids[command->source];
    int size = snprintf (text, sizeof text, "%.100s/%.100s%s%.*s", outer, is_path ? "" : inner,
                         is_path ? "" : ": ",
                         extra && extra->message ? (int) extra->message_size : 0,
                         extra && extra->message ? extra->message : "");
    if (size >= (int) sizeof text)
        size = (int) sizeof text - 1;
    dw_slot_set_error (to, extra && extra->code ? extra->code : 500, text, (size_t) size);
}

/* Sends a graph, or that it has ended, behind all that the worker was sent. One that cannot be
 * reached will be missed. */
static void s_send_graph (dw_coordinator_t *self, uint32_t worker, const dw_live_run_t *run,
                          bool has_ended) {
    dw_peer_t *peer = &self->peers.items[self->workers[worker].peer];
    if (peer->packet)
        dw_peers_send (&self->peers, peer);
    dw_write_uint (&self->reply.head, DW_WIRE_GRAPH);
    dw_write_uint (&self->reply.head, run->number);
    dw_write_uint (&self->reply.head, run->digest);
    if (has_ended)
        dw_write_nil (&self->reply.head);
    else
        dw_packet_add (&self->reply, run->addition->bytes, run->addition->bytes_size, NULL);
    dw_packet_send (&self->reply, self->peers.routers[peer->router], peer->id, peer->id_size);
}

void dw_coordinator_tell_graph (dw_coordinator_t *self, uint32_t worker, dw_live_run_t *run) {
    if (!run->told)
        run->told = calloc (self->places_count / 64 + 1, sizeof *run->told);
    if (!run->told) {
        self->is_over = true;
        return;
    }
    if (run->told[worker / 64] >> (worker % 64) & 1)
        return;
    run->told[worker / 64] |= UINT64_C (1) << (worker % 64);
    s_send_graph (self, worker, run, false);
}

void dw_coordinator_forget_told (dw_coordinator_t *self, uint32_t worker) {
    for (uint32_t i = 0; self->added_count > 0 && i < self->runs_used; i++)
        if (self->runs[i].told)
            self->runs[i].told[worker / 64] &= ~(UINT64_C (1) << (worker % 64));
}

static void s_tell_ended (dw_coordinator_t *self, const dw_live_run_t *run) {
    for (uint32_t w = 0; run->told && w < self->places_count; w++)
        if ((run->told[w / 64] >> (w % 64) & 1) && self->workers[w].peer != DW_PEER_NONE)
            s_send_graph (self, w, run, true);
}

/* Counts what was added to what it was added to. */
static void s_count (dw_coordinator_t *self, const dw_live_run_t *run, dw_live_run_t *outer,
                     dw_slot_t *to) {
    uint32_t nodes = run->added_nodes + run->addition->added->plan->nodes_count;
    uint32_t depth = run->added_depth + 1;
    outer->added_nodes += nodes;
    if (outer->added_depth < depth)
        outer->added_depth = depth;
    dw_extra_t *extra = dw_slot_need_extra (to);
    if (!extra) {
        self->is_over = true;
        return;
    }
    outer->has_extras = true;
    extra->added_nodes = nodes;
    extra->added_depth = depth;
}

/* Its output becomes the node's, or its failure does. */
void dw_coordinator_end_added (dw_coordinator_t *self, const dw_command_t *command) {
    dw_live_run_t *run = &self->runs[command->place], *outer = &self->runs[command->run];
    dw_node_status_t status = (dw_node_status_t) command->status;
    if (status != DW_NODE_CANCELLED) {
        dw_slot_t *from = dw_table_slot (&run->table, command->source);
        dw_slot_t *to = dw_table_slot (&outer->table, command->node);
        dw_slot_clear (to);
        if (status == DW_NODE_FAILED)
            s_fail (self, run, from, to, command);
        else if (status == DW_NODE_DONE) {
            *to = *from;
            from->form = DW_SLOT_NONE;
        }
        outer->has_extras |= dw_slot_owns (to);
        to->status = (uint8_t) status;
        to->attempts = command->attempt;
        to->duration_us = dw_clock_us ((uint64_t) (dw_clock_ns () - run->submitted_ns));
        s_count (self, run, outer, to);
    }
    s_tell_ended (self, run);
    dw_deaths_forget (&self->deaths, run->number);
    s_free (self, command->place);
}
