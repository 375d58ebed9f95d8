/* caller_runs.c - runs of a coordinator under test: submitted, worked at, answered for. */

#include <stdlib.h>
#include <string.h>

#include "actors/clock.h"
#include "cli/conformance/caller.h"

#define SERVE_MS    10000
#define SETTLE_MS   100
#define RESULT_TEXT "answered"

void dw_line_begin_submit (dw_line_t *self, uint64_t run, const uint8_t *payload, size_t size,
                           uint32_t deadline_ms) {
    dw_writer_t *head = &self->out.head;
    dw_write_uint (head, DW_WIRE_SUBMIT);
    dw_write_uint (head, self->peer);
    dw_write_uint (head, run);
    dw_write_bin (head, payload, size);
    dw_write_uint (head, deadline_ms);
}

void dw_line_submit (dw_line_t *self, uint64_t run, const char *text, uint32_t deadline_ms) {
    dw_writer_t payload = {0};
    dw_write_str (&payload, text, strlen (text));
    dw_line_begin_submit (self, run, payload.bytes, payload.count, deadline_ms);
    dw_write_nil (&self->out.head);
    dw_writer_free (&payload);
    dw_line_send (self);
}

void dw_caller_forget (dw_caller_t *self) {
    self->asked_count = self->cancels = self->stops = self->bad_tasks = 0;
}

static void s_on_tasks (dw_caller_t *self, dw_line_t *slot) {
    dw_wire_reader_t *reader = &slot->reader;
    uint64_t ticket = dw_read_uint (reader);
    for (; dw_wire_reader_has_more (reader); ticket++) {
        dw_wire_task_t record;
        if (!dw_read_task (reader, &record)) {
            self->bad_tasks++;
            return;
        }
        for (uint32_t i = 0; i < record.dependencies_count && !reader->is_damaged; i++) {
            (void) dw_read_kept_ref (reader);
            (void) dw_read_ref (reader);
        }
        if (reader->is_damaged) {
            self->bad_tasks++;
            return;
        }
        if (self->asked_count < DW_CALLER_TASKS) {
            self->asked[self->asked_count++] = (dw_asked_t){.slot = slot,
                                                            .ticket = ticket,
                                                            .run = record.run,
                                                            .node = record.node,
                                                            .steps = record.steps,
                                                            .attempt = record.attempt};
        }
    }
}

static void s_look_at_slots (dw_caller_t *self, dw_crowd_t *crowd) {
    for (uint32_t i = 0; i < crowd->slots_count; i++) {
        while (crowd->slots[i] && dw_line_take (crowd->slots[i])) {
            switch (crowd->slots[i]->type) {
                case DW_WIRE_TASKS: s_on_tasks (self, crowd->slots[i]); break;
                case DW_WIRE_CANCEL: self->cancels++; break;
                case DW_WIRE_STOP: self->stops++; break;
                default: break;
            }
        }
    }
}

bool dw_caller_work (dw_caller_t *self, dw_crowd_t *crowd, dw_line_t *client, uint32_t tasks,
                     int ms) {
    int64_t now_ns = dw_clock_ns (), deadline_ns = now_ns + (int64_t) ms * 1000000, beat_ns = 0;
    for (; now_ns < deadline_ns; now_ns = dw_clock_ns ()) {
        if (crowd->agent && now_ns >= beat_ns) {
            dw_line_say (crowd->agent, DW_WIRE_BEAT);
            beat_ns = now_ns + (int64_t) crowd->heartbeat_ms * 1000000;
        }
        s_look_at_slots (self, crowd);
        if (client && dw_line_take (client) && client->type != DW_WIRE_BEAT)
            return true;
        if (tasks && self->asked_count >= tasks)
            return false;
        zmq_pollitem_t items[DW_CALLER_SLOTS + 1];
        int count = 0;
        for (uint32_t i = 0; i < crowd->slots_count; i++) {
            if (crowd->slots[i] && crowd->slots[i]->link.socket) {
                items[count++] = (zmq_pollitem_t){.socket = crowd->slots[i]->link.socket,
                                                  .events = ZMQ_POLLIN};
            }
        }
        if (client && client->link.socket)
            items[count++] = (zmq_pollitem_t){.socket = client->link.socket, .events = ZMQ_POLLIN};
        zmq_poll (items, count, 50);
    }
    return false;
}

void dw_line_begin_answer (dw_line_t *self, uint64_t ticket, uint32_t told, uint32_t kind) {
    dw_writer_t *head = &self->out.head;
    dw_write_uint (head, DW_WIRE_ANSWERS);
    dw_write_uint (head, self->peer);
    dw_write_uint (head, ticket);
    dw_write_uint (head, told);
    dw_write_uint (head, kind);
    dw_write_uint (head, 5120);
}

void dw_line_answer (dw_line_t *self, const dw_asked_t *asked) {
    dw_writer_t payload = {0}, *head = &self->out.head;
    dw_write_str (&payload, RESULT_TEXT, strlen (RESULT_TEXT));
    dw_line_begin_answer (self, asked->ticket, 0, DW_WIRE_DONE);
    dw_write_uint (head, asked->steps);
    for (uint32_t i = 0; i < asked->steps; i++) {
        dw_write_bin (head, payload.bytes, payload.count);
        dw_write_nil (head);
    }
    dw_writer_free (&payload);
    dw_line_send (self);
}

bool dw_line_read_result (dw_line_t *self, uint64_t run, uint32_t *status_p) {
    if (self->type != DW_WIRE_RESULTS)
        return false;
    while (dw_wire_reader_has_more (&self->reader)) {
        dw_wire_result_t record;
        size_t size = 0;
        zmq_msg_t *frame;
        if (!dw_read_result (&self->reader, &record))
            return false;
        for (uint32_t i = 0; i < record.outputs_count; i++)
            (void) dw_read_uint (&self->reader);
        if (record.run != run)
            continue;
        *status_p = record.status;
        self->codes_count = 0;
        const uint8_t *bytes = dw_message_resolve (&self->in, 0, &record.extras, &self->reader,
                                                   &size, &frame);
        dw_wire_reader_t extras = dw_wire_reader (bytes, bytes ? size : 0);
        dw_wire_extra_t extra;
        while (dw_wire_reader_has_more (&extras) && dw_read_extra (&extras, &extra)) {
            for (uint32_t i = 0; i < extra.causes_count; i++)
                (void) dw_read_uint (&extras);
            if (extra.code && self->codes_count < sizeof self->codes / sizeof *self->codes)
                self->codes[self->codes_count++] = extra.code;
        }
        return true;
    }
    return false;
}

bool dw_line_has_code (const dw_line_t *self, uint32_t code) {
    for (uint32_t i = 0; i < self->codes_count; i++)
        if (self->codes[i] == code)
            return true;
    return false;
}

bool dw_caller_serve (dw_caller_t *self, dw_crowd_t *crowd, dw_line_t *client, uint64_t run,
                      dw_answer_t *answer, uint32_t *status_p, char *seen) {
    int64_t deadline_ns = dw_clock_ns () + (int64_t) SERVE_MS * 1000000;
    uint32_t answered = 0;
    while (dw_clock_ns () < deadline_ns) {
        bool has_come = dw_caller_work (self, crowd, client, answered + 1, 500);
        if (has_come && dw_line_read_result (client, run, status_p))
            return true;
        if (has_come && client->type == DW_WIRE_REFUSED) {
            dw_line_say_what_came (client, seen);
            return false;
        }
        for (; answered < self->asked_count; answered++)
            answer (self->asked[answered].slot, &self->asked[answered]);
        if (answered == DW_CALLER_TASKS)
            self->asked_count = answered = 0;
    }
    dw_case_fail (seen, "no result of run %llu came", (unsigned long long) run);
    return false;
}

bool dw_caller_begin (dw_caller_t *self, dw_crowd_t *crowd, dw_line_t *client, char *seen) {
    dw_line_submit (client, DW_CALLER_RUN, "Hello", 0);
    bool has_come = dw_caller_work (self, crowd, client, 1, DW_CALLER_TASK_MS);
    if (self->asked_count > 0) {
        dw_caller_work (self, crowd, NULL, 0, SETTLE_MS); /* others may follow it */
        return true;
    }
    dw_case_skip (seen, has_come ? "the run was served by other workers"
                                 : "no task came: is there another worker that takes them?");
    return false;
}

dw_verdict_t dw_caller_expect_ok (dw_caller_t *self, dw_crowd_t *crowd, dw_line_t *client,
                                  uint64_t run, char *seen) {
    uint32_t status = 0;
    if (!dw_caller_serve (self, crowd, client, run, dw_line_answer, &status, seen))
        return DW_VERDICT_FAILED;
    if (self->bad_tasks)
        return dw_case_fail (seen, "TASKS that cannot be read");
    return status == DW_RUN_OK
               ? dw_case_pass (seen, "ok, of %u tasks", (unsigned) self->asked_count)
               : dw_case_fail (seen, "the run ended with status %u", (unsigned) status);
}
