/* transcript.c - a replay told line by line. */

#include "cli/transcript.h"

#include <inttypes.h>
#include <jansson.h>
#include <string.h>

#include "cli/output.h"
#include "cli/recording.h"

/* One line: what happened, to which run, nodes and worker. What there is not is not printed. */
typedef struct line_t {
    char mark; /* < in, > out, = own */
    const char *what;
    uint64_t run;         /* 0: none */
    uint32_t node, steps; /* DW_NONE: none; so many along a chain */
    uint32_t worker;      /* DW_NONE: none */
    bool is_own;          /* it is the coordinator's thread */
    bool has_ticket, has_duration;
    uint64_t ticket, duration_ns;
    uint32_t attempt; /* 0: none */
    uint32_t code;    /* 0: none */
    const char *more; /* NULL: nothing */
    dw_part_t part;   /* what node is of */
} line_t;

static const line_t s_line = {.node = DW_NONE, .worker = DW_NONE};

/* The node of the run's plan that a line is about, or is part of. */
static uint32_t s_shown (const line_t *line) {
    return line->part.node == DW_NONE ? line->node : line->part.node;
}

/* Whether a node of this name in what was added is among steps along a chain. */
static bool s_is_inner (const dw_transcript_t *self, const line_t *line) {
    uint32_t node = line->part.node == self->node ? line->node : DW_NONE;
    for (uint32_t i = 0; i < line->steps && node != DW_NONE; i++) {
        if (strcmp (line->part.plan->ids[node], self->inner) == 0)
            return true;
        node = line->part.plan->chain_next[node];
    }
    return false;
}

/* Whether the node that was asked for is among steps along a chain. */
static bool s_is_about (const dw_transcript_t *self, const line_t *line) {
    uint32_t node = s_shown (line);
    if (self->node == DW_NONE)
        return true;
    if (node == DW_NONE) /* of the whole run, but not of a worker */
        return line->run != 0 && line->worker == DW_NONE;
    if (self->inner)
        return s_is_inner (self, line);
    for (uint32_t i = 0; i < line->steps && node != DW_NONE; i++) {
        if (node == self->node)
            return true;
        node = line->part.node == DW_NONE ? self->plan->chain_next[node] : DW_NONE;
    }
    return false;
}

static void s_print_text (const dw_transcript_t *self, const dw_moment_t *moment,
                          const line_t *line) {
    char text[32];
    dw_output_print ("%12.3f ms %c ", (double) moment->time_ns / 1e6, line->mark);
    if (line->run)
        dw_output_print ("run %" PRIu64 ": ", line->run);
    dw_output_text (line->what);
    if (line->node != DW_NONE) {
        dw_output_text (" ");
        if (line->part.node != DW_NONE) {
            dw_recording_print_id (self->plan, line->part.node);
            dw_output_text ("/");
        }
        dw_recording_print_id (line->part.plan, line->node);
        if (line->steps > 1)
            dw_output_print (" and the %" PRIu32 " after it", line->steps - 1);
    }
    if (line->is_own)
        dw_output_text (", the coordinator's thread");
    else if (line->worker != DW_NONE)
        dw_output_print (", worker %" PRIu32, line->worker);
    if (line->has_ticket)
        dw_output_print (", ticket %" PRIu64, line->ticket);
    if (line->attempt > 1)
        dw_output_print (", attempt %" PRIu32, line->attempt);
    if (line->has_duration)
        dw_output_print (", %s", dw_recording_ns (text, (double) line->duration_ns));
    if (line->code)
        dw_output_print (", code %" PRIu32, line->code);
    if (line->more)
        dw_output_print (", %s", line->more);
    dw_output_text ("\n");
}

static void s_set (json_t *object, const char *key, uint64_t value) {
    json_object_set_new (object, key, json_integer ((json_int_t) value));
}

static void s_print_json (const dw_transcript_t *self, const dw_moment_t *moment,
                          const line_t *line) {
    json_t *object = json_object ();
    const char *direction = line->mark == '<' ? "in" : line->mark == '>' ? "out" : "own";
    s_set (object, "time_ns", (uint64_t) moment->time_ns);
    s_set (object, "record", moment->record);
    s_set (object, "offset", moment->offset);
    json_object_set_new (object, "direction", json_string (direction));
    json_object_set_new (object, "what", json_string (line->what));
    if (line->run)
        s_set (object, "run", line->run);
    if (line->node != DW_NONE) { /* an id that is not UTF-8 has none: its index is told */
        json_object_set_new (object, "node", json_string (line->part.plan->ids[line->node]));
        if (line->part.node != DW_NONE) {
            json_object_set_new (object, "added_by",
                                 json_string (self->plan->ids[line->part.node]));
        }
        s_set (object, "node_index", line->node);
        s_set (object, "steps", line->steps);
    }
    if (line->worker != DW_NONE)
        s_set (object, "worker", line->worker);
    if (line->has_ticket)
        s_set (object, "ticket", line->ticket);
    if (line->attempt)
        s_set (object, "attempt", line->attempt);
    if (line->has_duration)
        s_set (object, "duration_ns", line->duration_ns);
    if (line->code)
        s_set (object, "code", line->code);
    if (line->more)
        json_object_set_new (object, "more", json_string (line->more));
    char *text = json_dumps (object, JSON_COMPACT);
    if (text)
        dw_output_print ("%s\n", text);
    free (text);
    json_decref (object);
}

static void s_print (dw_transcript_t *self, const dw_moment_t *moment, const line_t *line) {
    bool is_about = s_is_about (self, line);
    self->was_found |= is_about && line->node != DW_NONE;
    if (self->is_quiet || !is_about)
        return;
    if (self->is_json)
        s_print_json (self, moment, line);
    else
        s_print_text (self, moment, line);
}

/* ---- In ----------------------------------------------------------------------------------- */

static void s_tell_answer (const dw_transcript_t *self, line_t *line, const dw_event_t *event,
                           uint64_t run, const dw_sent_t *sent) {
    line->worker = event->worker;
    line->has_ticket = true;
    line->ticket = event->ticket;
    if (sent->steps) {
        line->part = dw_replay_part (self->replay, sent->place);
        line->node = run ? sent->node : DW_NONE;
        line->steps = event->type == DW_EVENT_TASK_DONE && event->steps < sent->steps ? event->steps
                                                                                      : 1;
        if (event->type == DW_EVENT_TASK_DONE && event->steps >= sent->steps)
            line->steps = sent->steps;
    }
    if (run == 0) {
        line->more = sent->steps ? "which nobody waits for any more"
                                 : "which is for no task that it holds: ignored";
    }
}

static void s_on_event (void *arg, const dw_moment_t *moment, const dw_event_t *event, uint64_t run,
                        const dw_sent_t *sent) {
    dw_transcript_t *self = arg;
    line_t line = s_line;
    line.part = (dw_part_t){.plan = self->plan, .node = DW_NONE};
    line.mark = '<';
    line.run = run;
    self->events++;
    switch ((dw_event_type_t) event->type) {
        case DW_EVENT_RUN_SUBMITTED: line.what = "is submitted"; break;
        case DW_EVENT_RUN_CANCELLED: line.what = "is to be cancelled"; break;
        case DW_EVENT_NODE_CANCELLED:
            line.what = "cancel, with what depends on it,";
            line.node = event->node < self->plan->nodes_count ? event->node : DW_NONE;
            break;
        case DW_EVENT_WORKER_JOINED:
            line.what = "a worker joins";
            line.worker = event->worker;
            line.is_own = event->local;
            break;
        case DW_EVENT_WORKER_LOST:
            line.what = event->last ? "a worker leaves" : "a worker is lost";
            line.worker = event->worker;
            break;
        case DW_EVENT_TASK_DONE:
            line.what = "done";
            line.has_duration = true;
            line.duration_ns = event->duration_ns;
            s_tell_answer (self, &line, event, run, sent);
            break;
        case DW_EVENT_TASK_FAILED:
            line.what = "failed";
            line.has_duration = true;
            line.duration_ns = event->duration_ns;
            line.code = event->code;
            s_tell_answer (self, &line, event, run, sent);
            break;
        case DW_EVENT_TASK_SKIPPED:
            line.what = "ends its branch";
            line.has_duration = true;
            line.duration_ns = event->duration_ns;
            s_tell_answer (self, &line, event, run, sent);
            break;
        case DW_EVENT_TASK_ADDED:
            line.what = "adds a graph";
            line.has_duration = true;
            line.duration_ns = event->duration_ns;
            s_tell_answer (self, &line, event, run, sent);
            break;
        case DW_EVENT_TASK_RETURNED:
            line.what = "not begun";
            s_tell_answer (self, &line, event, run, sent);
            break;
        case DW_EVENT_LANES_UNSERVED:
            line.what = event->lanes ? "nodes are not to wait that nobody serves"
                                     : "every node is served, or waits";
            break;
        case DW_EVENT_BACKLOG: line.what = "more has arrived than is taken in"; break;
    }
    s_print (self, moment, &line);
}

/* ---- Out ---------------------------------------------------------------------------------- */

static const char *s_status (uint8_t status) {
    switch ((dw_run_status_t) status) {
        case DW_RUN_OK: return "ends ok";
        case DW_RUN_PARTIAL: return "ends partial";
        case DW_RUN_FAILED: return "ends failed";
        case DW_RUN_CANCELLED: return "ends cancelled";
    }
    return "ends";
}

static void s_on_command (void *arg, const dw_moment_t *moment, const dw_command_t *command,
                          uint64_t run, const dw_sent_t *sent) {
    dw_transcript_t *self = arg;
    line_t line = s_line;
    line.part = (dw_part_t){.plan = self->plan, .node = DW_NONE};
    if (command->type == DW_CANCEL_TASK ? sent->run != 0 : run != 0) {
        line.part = dw_replay_part (self->replay,
                                    command->type == DW_CANCEL_TASK ? sent->place : command->run);
    }
    line.mark = '>';
    line.run = run;
    line.steps = 1;
    self->commands++;
    switch ((dw_command_type_t) command->type) {
        case DW_SEND_TASK:
            line.what = "send";
            line.node = command->node;
            line.steps = command->steps;
            line.worker = command->worker;
            line.has_ticket = true;
            line.ticket = command->ticket;
            line.attempt = command->attempt;
            break;
        case DW_CANCEL_TASK:
            line.what = "give up";
            line.node = sent->steps && run ? sent->node : DW_NONE;
            line.steps = sent->steps;
            if (command->steps > sent->done)
                line.more = "from the first step that was cancelled on";
            line.worker = command->worker;
            line.has_ticket = true;
            line.ticket = command->ticket;
            break;
        case DW_KEEP_OUTPUT:
            line.what = "keep the output of";
            line.node = command->node;
            line.steps = command->steps;
            break;
        case DW_KEEP_ERROR:
            line.what = "keep the error of";
            line.node = command->node;
            line.code = command->code;
            line.more = command->of_run        ? "the run's time is over"
                        : command->is_unserved ? "no worker serves it"
                                               : NULL;
            break;
        case DW_KEEP_DEATH:
            line.what = "remember who was lost with";
            line.node = command->node;
            line.worker = command->worker;
            line.attempt = command->attempt;
            break;
        case DW_DROP_OUTPUT:
            line.what = "drop the output of";
            line.node = command->node;
            break;
        case DW_BEGIN_ADDED:
            line.what = "begin the graph of";
            line.node = command->node;
            break;
        case DW_END_ADDED:
            line.what = "end the graph of";
            line.more = command->status == DW_NODE_DONE        ? "which is done"
                        : command->status == DW_NODE_FAILED    ? "which failed"
                        : command->status == DW_NODE_CANCELLED ? "which is given up"
                                                               : "which ended its branch";
            line.node = command->node;
            break;
        case DW_FINISH_RUN: line.what = s_status (command->status); break;
        case DW_REPLACE_WORKER:
            line.what = "stuck in";
            line.node = command->node;
            line.worker = command->worker;
            line.more = "which is replaced";
            break;
    }
    s_print (self, moment, &line);
}

static void s_on_own (void *arg, const dw_moment_t *moment, const dw_own_task_t *task, uint64_t run,
                      int64_t end_ns) {
    dw_transcript_t *self = arg;
    line_t line = s_line;
    line.part = (dw_part_t){.plan = self->plan, .node = DW_NONE};
    line.mark = '=';
    line.run = run;
    line.what = task->code ? "failed" : task->done ? "done" : "not begun";
    line.node = task->node;
    line.steps = task->done ? task->done : 1;
    line.is_own = true;
    line.attempt = task->attempt;
    line.has_duration = true;
    line.duration_ns = (uint64_t) (end_ns - moment->time_ns);
    line.code = task->code;
    line.more = task->code && task->done ? "the node after those that were done" : NULL;
    self->own_tasks++;
    s_print (self, moment, &line);
}

static void s_on_place (void *arg, const dw_moment_t *moment, uint32_t worker, const char *text,
                        size_t size) {
    dw_transcript_t *self = arg;
    if (self->is_quiet || self->is_json || self->node != DW_NONE)
        return;
    dw_output_print ("%12.3f ms < worker %" PRIu32 " is at ", (double) moment->time_ns / 1e6,
                     worker);
    dw_output_write_visible (text, size);
    dw_output_text ("\n");
}

static void s_on_over (void *arg, const dw_moment_t *moment, const dw_record_t *record) {
    dw_transcript_t *self = arg;
    self->records++;
    self->time_ns = moment->time_ns;
    if (record->type == DW_RECORD_END && record->reason != DW_RECORD_CLOSED && !self->is_json) {
        dw_output_print ("%12.3f ms   the recording ends here: %s\n",
                         (double) moment->time_ns / 1e6,
                         record->reason == DW_RECORD_FULL ? "it was as large as it was to become"
                                                          : "something came that it does not hold");
    }
}

dw_watch_t dw_transcript_watch (dw_transcript_t *self) {
    return (dw_watch_t){.event = s_on_event,
                        .command = s_on_command,
                        .own = s_on_own,
                        .place = s_on_place,
                        .over = s_on_over,
                        .arg = self};
}
