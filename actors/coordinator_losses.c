/* coordinator_losses.c - what the scheduler, and people, are told of workers that are gone. */

#include <signal.h>
#include <stdio.h>

#include "actors/coordinator_self.h"

#define LINE_BYTES 512
/* How much is known of a loss: the code of the slot that its story travels in. */
#define LOST  1
#define ENDED 2

static void s_append (dw_writer_t *self, const char *text) {
    dw_write_raw (self, text, strlen (text));
}

void dw_coordinator_name (const dw_coordinator_t *self, uint32_t number, char *line) {
    const dw_crew_t *worker = &self->workers[number];
    if (worker->agent == DW_NONE) {
        snprintf (line, DW_NAME_LINE, "actor %u of the coordinator", (unsigned) number);
        return;
    }
    const dw_remote_agent_t *agent = &self->agents[worker->agent];
    snprintf (line, DW_NAME_LINE, "slot %u of process %llu at %.64s", (unsigned) worker->slot,
              (unsigned long long) agent->pid, agent->host);
}

/* And which process it was in, when that is one of its own. */
static void s_name (const dw_coordinator_t *self, uint32_t number, uint64_t pid, char *line) {
    dw_coordinator_name (self, number, line);
    size_t size = strlen (line);
    if (pid)
        snprintf (line + size, LINE_BYTES - size, ", in process %llu", (unsigned long long) pid);
}

/* What a process ended with, behind its name. */
static void s_say_how (const dw_wire_ended_t *ended, char *line) {
    size_t size = strlen (line);
    const char *name = ended->how == DW_WIRE_SIGNALLED ? sigabbrev_np ((int) ended->value) : NULL;
    switch (ended->how) {
        case DW_WIRE_EXITED:
            snprintf (line + size, LINE_BYTES - size, ", ended with status %u",
                      (unsigned) ended->value);
            return;
        case DW_WIRE_SIGNALLED:
            if (name)
                snprintf (line + size, LINE_BYTES - size, ", killed by SIG%s", name);
            else
                snprintf (line + size, LINE_BYTES - size, ", killed by signal %u",
                          (unsigned) ended->value);
            return;
        case DW_WIRE_UNKNOWN:
        case DW_WIRE_DOWN: snprintf (line + size, LINE_BYTES - size, ", ended"); return;
    }
}

/* The event, with a story that the scheduler gives back when it puts the loss down to a task. */
static dw_event_t *s_tell_gone (dw_coordinator_t *self, uint32_t number, const dw_writer_t *story,
                                uint16_t how) {
    dw_event_t *event = dw_coordinator_event (self, DW_EVENT_WORKER_LOST);
    if (!event)
        return NULL;
    event->worker = number;
    event->handle = (uint32_t) self->outcomes.slots_count;
    dw_slot_t *slot = dw_coordinator_slot (self);
    if (slot && !story->no_memory)
        dw_slot_set_error (slot, how, (const char *) story->bytes, story->count);
    return event;
}

/* Its story is its name and what became of it. */
static dw_event_t *s_tell_story (dw_coordinator_t *self, uint32_t number, const char *what,
                                 uint16_t how) {
    char line[DW_NAME_LINE];
    dw_writer_t story = {0};
    dw_coordinator_name (self, number, line);
    s_append (&story, line);
    s_append (&story, what);
    dw_event_t *event = s_tell_gone (self, number, &story, how);
    dw_writer_free (&story);
    return event;
}

void dw_coordinator_tell_lost (dw_coordinator_t *self, uint32_t number) {
    s_tell_story (self, number, ", lost", LOST);
}

void dw_coordinator_tell_overdue (dw_coordinator_t *self, uint32_t number) {
    char what[64];
    snprintf (what, sizeof what, ", its lease of %u ms was over",
              (unsigned) self->options.lease_ms);
    s_tell_story (self, number, what, ENDED);
}

void dw_coordinator_tell_senseless (dw_coordinator_t *self, uint32_t number, const char *what) {
    char line[DW_NAME_LINE], story[256];
    dw_coordinator_name (self, number, line);
    dw_coordinator_notice (self, "%s sent %s: it is put out, and what it had goes to others", line,
                           what);
    snprintf (story, sizeof story, ", lost: it was put out, because it sent %s", what);
    s_tell_story (self, number, story, ENDED);
}

void dw_coordinator_keep_death (dw_coordinator_t *self, const dw_command_t *command) {
    const dw_extra_t *extra = command->handle == DW_NONE
                                  ? NULL
                                  : dw_slot_extra (&self->outcomes.slots[command->handle]);
    dw_death_t death = {.run = self->runs[command->run].number,
                        .node = command->node,
                        .attempt = command->attempt,
                        .worker = command->worker,
                        .is_settled = extra && extra->code == ENDED};
    dw_deaths_add (&self->deaths, &death, extra ? extra->message : NULL,
                   extra ? extra->message_size : 0);
}

/* A process has ended that had joined; people are told, and so is the scheduler if it does not know
 * yet. */
static void s_tell_ended (dw_coordinator_t *self, uint32_t number, const dw_wire_ended_t *ended) {
    char line[LINE_BYTES];
    dw_writer_t story = {0};
    uint32_t run, node = dw_scheduler_worker_node (self->scheduler, number, &run);
    s_name (self, number, ended->pid, line);
    s_say_how (ended, line);
    dw_coordinator_notice (self, "%s%s%s%s", line, node == DW_NONE ? "" : ", in node \"",
                           node == DW_NONE ? "" : self->plan->ids[node],
                           node == DW_NONE ? "" : "\"");
    s_append (&story, line);
    if (ended->tail_size > 0) {
        s_append (&story, "; it wrote last:\n    ");
        dw_deaths_print (&story, ended->tail, ended->tail_size, "    ");
    }
    if (self->workers[number].peer != DW_PEER_NONE)
        s_tell_gone (self, number, &story, ENDED);
    else if (!story.no_memory)
        dw_deaths_amend (&self->deaths, number, (const char *) story.bytes, story.count);
    dw_writer_free (&story);
}

void dw_coordinator_tell_left (dw_coordinator_t *self, uint32_t number) {
    dw_event_t *event = s_tell_story (self, number, ", gave it back", ENDED);
    if (event)
        event->last = true;
}

void dw_coordinator_tell_idle (dw_coordinator_t *self, uint32_t number) {
    dw_event_t *event = dw_coordinator_event (self, DW_EVENT_WORKER_LOST);
    if (!event)
        return;
    event->worker = number;
    event->last = event->idle = true;
    event->handle = DW_NONE;
}

void dw_coordinator_explain_loss (const dw_coordinator_t *self, const dw_live_run_t *run,
                                  uint32_t node, dw_writer_t *text) {
    s_append (
        text,
        dw_coordinator_plan (self, run)->flags[node] & DW_NODE_ONCE
            ? "its worker was lost while it may have run, and it is not idempotent, so it is not sent again"
        : self->options.lease_ms
            ? "three workers went down while they ran it, or were at it for longer than its lease"
            : "three workers went down while they ran it");
    dw_deaths_tell (&self->deaths, run->number, node, text);
}

/* ---- What an agent says of its slots' processes ----------------------------------------------- */

static void s_on_down (dw_coordinator_t *self, uint32_t number) {
    char line[LINE_BYTES];
    dw_crew_t *worker = &self->workers[number];
    if (worker->is_down)
        return;
    if (worker->peer != DW_PEER_NONE) { /* its connection was cut, which is not seen from here */
        dw_coordinator_tell_left (self, number);
        dw_peers_remove (&self->peers, &self->peers.items[worker->peer]);
        worker->peer = DW_PEER_NONE;
    }
    worker->is_down = true;
    self->has_other_agents = true; /* it may have been the last of its lanes */
    s_name (self, number, 0, line);
    dw_coordinator_notice (
        self, "%s is down: it could not be started again, or went down too often", line);
}

void dw_coordinator_on_ended (dw_coordinator_t *self, uint32_t index, dw_wire_reader_t *reader) {
    dw_wire_ended_t ended;
    bool is_whole = dw_read_ended (reader, &ended) && ended.number > self->workers_count &&
                    ended.number < self->places_count && self->workers[ended.number].agent == index;
    if (!is_whole) {
        self->peers.unknown_count++;
        return;
    }
    dw_crew_t *worker = &self->workers[ended.number];
    if (ended.how == DW_WIRE_DOWN) {
        s_on_down (self, ended.number);
        return;
    }
    if (ended.replaced != worker->replaced)
        return; /* another has been asked for meanwhile */
    if (worker->has_joined)
        s_tell_ended (self, ended.number, &ended);
    worker->has_joined = false;
    dw_coordinator_replace_slot (self, ended.number);
}
