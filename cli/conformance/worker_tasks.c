/* worker_tasks.c - cases of a worker under test: tasks, their payloads, answers and
 * cancellations. */

#include <stdlib.h>
#include <string.h>

#include "cli/conformance/crew.h"

#define TASKS        "Messages, TASKS"
#define ANSWERS      "Messages, ANSWERS"
#define CANCEL       "Messages, CANCEL"
#define ENCODING     "Encoding"
#define HELLO_CREDIT "Messages, HELLO"

#define ANSWER_MS   8000
#define SETTLE_MS   150 /* in which an answer too many would come */
#define MANY        100u
#define LARGE_BYTES (1u << 20)

/* Awaits the answers of count tasks from ticket first on: each once, in order, and nothing else. A
 * task that was cancelled may have been given back. */
static bool s_expect_each (dw_crew_t *self, uint64_t first, uint32_t count, const char *text,
                           bool may_return, char *seen) {
    dw_crew_await (self, count, ANSWER_MS);
    dw_crew_watch (self, SETTLE_MS);
    if (self->nonsense[0]) {
        dw_case_fail (seen, "%s", self->nonsense);
        return false;
    }
    for (uint32_t i = 0; i < self->answers_count; i++) {
        const dw_told_t *told = &self->answers[i];
        if (told->ticket != first + i) {
            dw_case_fail (seen, "answer %u is of ticket %llu, not %llu", (unsigned) i + 1,
                          (unsigned long long) told->ticket, (unsigned long long) first + i);
            return false;
        }
        if (!(may_return && told->kind == DW_WIRE_RETURNED) &&
            !dw_crew_is_right (self, told, text, seen))
            return false;
    }
    if (self->answers_count != count) {
        dw_case_fail (seen, "%u answers of %u tasks", (unsigned) self->answers_count,
                      (unsigned) count);
    }
    return self->answers_count == count;
}

static dw_verdict_t s_pass_each (dw_crew_t *self, uint64_t first, uint32_t count, const char *text,
                                 char *seen) {
    return s_expect_each (self, first, count, text, false, seen)
               ? dw_case_pass (seen, "%u answered", (unsigned) count)
               : DW_VERDICT_FAILED;
}

/* ---- Answers ---------------------------------------------------------------------------------- */

static dw_verdict_t s_task (void *stage, char *seen) {
    UP (self, stage, seen);
    uint64_t first = self->slots[0].next_ticket;
    dw_crew_begin (self, 0);
    dw_crew_add (self, 0, self->first, 1, "Hello");
    dw_crew_send (self, 0);
    dw_crew_await (self, 1, ANSWER_MS);
    if (self->answers_count && self->answers[0].kind == DW_WIRE_DONE && self->answers[0].steps != 1)
        return dw_case_fail (seen, "done, with %u steps of 1", (unsigned) self->answers[0].steps);
    if (self->answers_count == 0)
        return dw_case_fail (seen, "%s", self->nonsense[0] ? self->nonsense : "no answer");
    return self->answers[0].ticket == first &&
                   dw_crew_is_right (self, &self->answers[0], "Hello", seen)
               ? dw_case_pass (seen, "%s answered", self->processor)
               : DW_VERDICT_FAILED;
}

static dw_verdict_t s_own_number (void *stage, char *seen) {
    UP (self, stage, seen);
    for (uint32_t slot = 0; slot < self->slots_count; slot++) {
        dw_crew_begin (self, slot);
        dw_crew_add (self, slot, self->first, 1, "Hello");
        dw_crew_send (self, slot);
    }
    dw_crew_await (self, self->slots_count, ANSWER_MS);
    if (self->answers_count == 0)
        return dw_case_skip (seen, "it answers nothing");
    for (uint32_t i = 0; i < self->answers_count; i++)
        if (!self->answers[i].is_own)
            return dw_case_fail (seen, "an answer in the name of somebody else");
    return dw_case_pass (seen, "%u in their own names", (unsigned) self->answers_count);
}

static dw_verdict_t s_many (void *stage, char *seen) {
    UP (self, stage, seen);
    uint64_t first = self->slots[0].next_ticket;
    dw_crew_begin (self, 0);
    for (uint32_t i = 0; i < MANY; i++)
        dw_crew_add (self, 0, self->first, 1, "Many");
    dw_crew_send (self, 0);
    return s_pass_each (self, first, MANY, "Many", seen);
}

/* As many as it says that it takes, or 1,000 of them, a message each. */
static dw_verdict_t s_credit (void *stage, char *seen) {
    UP (self, stage, seen);
    uint64_t first = self->slots[0].next_ticket;
    uint32_t credit = self->stage.ends[self->slots[0].end].hello.credit;
    uint32_t count = credit < 1000 ? credit : 1000;
    for (uint32_t i = 0; i < count; i++) {
        dw_crew_begin (self, 0);
        dw_crew_add (self, 0, self->first, 1, "One");
        dw_crew_send (self, 0);
    }
    return s_pass_each (self, first, count, "One", seen);
}

/* No coordinator does that: it answers them, or it leaves. */
static dw_verdict_t s_credit_overrun (void *stage, char *seen) {
    UP (self, stage, seen);
    uint32_t credit = self->stage.ends[self->slots[0].end].hello.credit;
    if (credit > DW_CREW_ANSWERS - 1000)
        return dw_case_skip (seen, "its credit is %u", (unsigned) credit);
    uint32_t count = credit + 500;
    dw_crew_begin (self, 0);
    for (uint32_t i = 0; i < count; i++)
        dw_crew_add (self, 0, self->first, 1, "Too many");
    dw_crew_send (self, 0);
    int64_t deadline_ns = dw_stage_in (ANSWER_MS);
    while (self->answers_count < count && self->slots[0].end != DW_STAGE_NONE &&
           dw_crew_take (self, deadline_ns)) {
    }
    if (self->slots[0].end == DW_STAGE_NONE) {
        dw_crew_spend (self);
        return dw_case_pass (seen, "it left");
    }
    return self->answers_count == count
               ? dw_case_pass (seen, "%u answered, of a credit of %u", (unsigned) count,
                               (unsigned) credit)
               : dw_case_fail (seen, "%u of %u answered, and it is still there",
                               (unsigned) self->answers_count, (unsigned) count);
}

static dw_verdict_t s_late (void *stage, char *seen) {
    UP (self, stage, seen);
    dw_crew_watch (self, 600);
    uint64_t first = self->slots[0].next_ticket;
    dw_crew_begin (self, 0);
    dw_crew_add (self, 0, self->first, 1, "Late");
    dw_crew_send (self, 0);
    return s_pass_each (self, first, 1, "Late", seen);
}

static dw_verdict_t s_tickets_jump (void *stage, char *seen) {
    UP (self, stage, seen);
    self->slots[0].next_ticket += UINT64_C (1) << 40;
    uint64_t first = self->slots[0].next_ticket;
    dw_crew_begin (self, 0);
    dw_crew_add (self, 0, self->first, 1, "Far");
    dw_crew_add (self, 0, self->first, 1, "Far");
    dw_crew_send (self, 0);
    return s_pass_each (self, first, 2, "Far", seen);
}

/* The answers of a chain may come in several records, each of which says how many steps were told
 * of before. */
static dw_verdict_t s_chain (void *stage, char *seen) {
    UP (self, stage, seen);
    uint64_t first = self->slots[0].next_ticket;
    dw_crew_begin (self, 0);
    dw_crew_add (self, 0, self->first, 2, "Chain");
    dw_crew_send (self, 0);
    int64_t deadline_ns = dw_stage_in (ANSWER_MS);
    bool is_over = false;
    while (!is_over && dw_crew_take (self, deadline_ns)) {
        is_over = self->answers_count &&
                  self->answers[self->answers_count - 1].kind != DW_WIRE_MORE;
    }
    uint32_t told = 0;
    for (uint32_t i = 0; i < self->answers_count; i++) {
        const dw_told_t *answer = &self->answers[i];
        if (answer->ticket != first || answer->told != told) {
            return dw_case_fail (seen, "an answer says that %u steps were told of, not %u",
                                 (unsigned) answer->told, (unsigned) told);
        }
        told += answer->steps;
        if (answer->kind == DW_WIRE_RETURNED && told > 0)
            return dw_case_pass (seen, "%u step done, and the rest given back", (unsigned) told);
        if (answer->kind == DW_WIRE_FAILED) {
            return dw_case_pass (seen, "failed at step %u, with %u", (unsigned) told + 1,
                                 (unsigned) answer->code);
        }
    }
    return is_over && told == 2
               ? dw_case_pass (seen, "2 steps in %u answers", (unsigned) self->answers_count)
               : dw_case_fail (seen, "%u steps of 2", (unsigned) told);
}

/* Until there is an answer; false: its slot has left, which is the end of this session. */
static bool s_await_answer_or_end (dw_crew_t *self) {
    int64_t deadline_ns = dw_stage_in (ANSWER_MS);
    while (self->answers_count == 0 && self->slots[0].end != DW_STAGE_NONE &&
           dw_crew_take (self, deadline_ns)) {
    }
    if (self->slots[0].end == DW_STAGE_NONE)
        dw_crew_spend (self);
    return self->slots[0].end != DW_STAGE_NONE;
}

/* ---- How tasks are written -------------------------------------------------------------------- */

static void s_add_frame (dw_crew_t *self, const void *bytes, size_t size) {
    zmq_msg_t frame;
    if (zmq_msg_init_size (&frame, size))
        return;
    memcpy (zmq_msg_data (&frame), bytes, size);
    dw_packet_lend (&self->stage.out, &frame);
    zmq_msg_close (&frame);
}

static dw_verdict_t s_frame (void *stage, char *seen) {
    UP (self, stage, seen);
    static const uint8_t payload[] = {0xa5, 'F', 'r', 'a', 'm', 'e'};
    uint64_t first = self->slots[0].next_ticket;
    dw_crew_begin (self, 0);
    for (int i = 0; i < 2; i++) { /* both read the same one */
        dw_crew_add_head (self, 0, self->first, 1);
        dw_write_uint (&self->stage.out.head, 1);
        dw_write_nil (&self->stage.out.head);
    }
    s_add_frame (self, payload, sizeof payload);
    dw_crew_send (self, 0);
    return s_pass_each (self, first, 2, "Frame", seen);
}

/* Sends a task with a text of so many bytes, a multiple of 64 KiB, and five before them. False: no
 * memory. */
static bool s_send_large (dw_crew_t *self, uint32_t bytes) {
    const uint8_t head[] = {0xdb, (uint8_t) (bytes >> 24), (uint8_t) (bytes >> 16), 0, 0};
    uint8_t *payload = malloc (bytes + sizeof head);
    if (!payload)
        return false;
    memcpy (payload, head, sizeof head);
    memset (payload + sizeof head, 'x', bytes);
    dw_crew_begin (self, 0);
    dw_crew_add_head (self, 0, self->first, 1);
    dw_write_uint (&self->stage.out.head, 1);
    dw_write_nil (&self->stage.out.head);
    s_add_frame (self, payload, bytes + sizeof head);
    dw_crew_send (self, 0);
    free (payload);
    return true;
}

static dw_verdict_t s_large (void *stage, char *seen) {
    UP (self, stage, seen);
    if (!s_send_large (self, LARGE_BYTES))
        return dw_case_skip (seen, "no memory");
    dw_crew_await (self, 1, ANSWER_MS);
    return self->answers_count == 1 && self->answers[0].is_sound
               ? dw_case_pass (seen, "answered, with %zu bytes", self->answers[0].payload_size)
               : dw_case_fail (seen, "%s",
                               self->answers_count ? "its output makes no sense" : "no answer");
}

/* No coordinator sends that; but what a processor gives may be as large. */
static dw_verdict_t s_oversized (void *stage, char *seen) {
    UP (self, stage, seen);
    if (!s_send_large (self, DW_CREW_PAYLOAD))
        return dw_case_skip (seen, "no memory");
    const dw_told_t *told = &self->answers[0];
    if (!s_await_answer_or_end (self))
        return dw_case_pass (seen, "the slot left");
    if (self->answers_count == 0)
        return dw_case_fail (seen, "neither an answer nor a BYE");
    if (told->kind == DW_WIRE_DONE && told->payload_size > DW_CREW_PAYLOAD) {
        return dw_case_fail (seen, "an output of %zu bytes, which is above %u", told->payload_size,
                             DW_CREW_PAYLOAD);
    }
    return told->kind == DW_WIRE_FAILED
               ? dw_case_pass (seen, "failed with %u", (unsigned) told->code)
               : dw_case_pass (seen, "answered, with %zu bytes", told->payload_size);
}

static dw_verdict_t s_long (void *stage, char *seen) {
    UP (self, stage, seen);
    dw_writer_t *head = &self->stage.out.head;
    uint64_t first = self->slots[0].next_ticket++;
    const uint64_t values[] = {DW_WIRE_TASKS, first, 1, self->first, 1, 1};
    for (size_t i = 0; i < sizeof values / sizeof *values; i++)
        dw_stage_write_long (head, values[i]);
    static const uint8_t payload[] = {0xc6, 0, 0, 0, 9, 0xdb, 0, 0, 0, 4, 'L', 'o', 'n', 'g'};
    dw_packet_append (&self->stage.out, payload, sizeof payload);
    dw_write_nil (head);
    dw_crew_send (self, 0);
    return s_pass_each (self, first, 1, "Long", seen);
}

/* What a node's dependencies gave is told to processors that read it; to others it may be told all
 * the same. */
static dw_verdict_t s_dependencies (void *stage, char *seen) {
    UP (self, stage, seen);
    dw_writer_t *head = &self->stage.out.head;
    static const uint8_t metadata[] = {0x81, 0xa1, 'k', 0xa1, 'v'};
    uint64_t first = self->slots[0].next_ticket;
    dw_crew_begin (self, 0);
    dw_crew_add_head (self, 0, self->second, 1);
    dw_crew_write_text (head, "Second");
    dw_write_array (head, 1);
    dw_crew_write_text (head, "Second");
    dw_write_bin (head, metadata, sizeof metadata);
    dw_crew_send (self, 0);
    return s_pass_each (self, first, 1, "Second", seen);
}

/* A payload of one value that is no text: it is answered, whatever comes of it. */
static dw_verdict_t s_expect_any (dw_crew_t *self, const uint8_t *payload, size_t size,
                                  char *seen) {
    dw_crew_begin (self, 0);
    dw_crew_add_head (self, 0, self->first, 1);
    dw_write_bin (&self->stage.out.head, payload, size);
    dw_write_nil (&self->stage.out.head);
    dw_crew_send (self, 0);
    if (!dw_crew_await (self, 1, ANSWER_MS))
        return dw_case_fail (seen, "%s", self->nonsense[0] ? self->nonsense : "no answer");
    const dw_told_t *told = &self->answers[0];
    if (!told->is_sound)
        return dw_case_fail (seen, "an output that is not one value");
    if (told->kind == DW_WIRE_FAILED)
        return dw_case_pass (seen, "failed with %u", (unsigned) told->code);
    return told->kind == DW_WIRE_DONE
               ? dw_case_pass (seen, "done")
               : dw_case_fail (seen, "answered by kind %u", (unsigned) told->kind);
}

static dw_verdict_t s_empty (void *stage, char *seen) {
    UP (self, stage, seen);
    static const uint8_t payload[] = {0xa0};
    return s_expect_any (self, payload, sizeof payload, seen);
}

static dw_verdict_t s_binary (void *stage, char *seen) {
    UP (self, stage, seen);
    static const uint8_t payload[] = {0xc4, 4, 0xff, 0x00, 0xfe, 0x80};
    return s_expect_any (self, payload, sizeof payload, seen);
}

static dw_verdict_t s_structure (void *stage, char *seen) {
    UP (self, stage, seen);
    static const uint8_t payload[] = {0x82, 0xa1, 'a', 0x93, 0xc0, 0xc3, 0xcb, 0x3f, 0xf0, 0, 0,
                                      0,    0,    0,   0,    0x01, 0xd6, 7,    1,    2,    3, 4};
    return s_expect_any (self, payload, sizeof payload, seen);
}

static dw_verdict_t s_deep (void *stage, char *seen) {
    UP (self, stage, seen);
    enum { DEPTH = 50000 };
    uint8_t *payload = malloc (DEPTH + 1);
    if (!payload)
        return dw_case_skip (seen, "no memory");
    memset (payload, 0x91, DEPTH);
    payload[DEPTH] = 0xc0;
    dw_crew_begin (self, 0);
    dw_crew_add_head (self, 0, self->first, 1);
    dw_write_bin (&self->stage.out.head, payload, DEPTH + 1);
    dw_write_nil (&self->stage.out.head);
    dw_crew_send (self, 0);
    free (payload);
    if (!s_await_answer_or_end (self))
        return dw_case_pass (seen, "the slot left");
    return self->answers_count ? dw_case_pass (seen, "answered")
                               : dw_case_fail (seen, "neither an answer nor a BYE");
}

/* ---- What is kept ----------------------------------------------------------------------------- */

static void s_add_kept (dw_crew_t *self, bool is_brought, uint32_t place) {
    dw_writer_t *head = &self->stage.out.head;
    dw_crew_add_head (self, 0, self->first, 1);
    dw_write_array (head, is_brought ? 2 : 1);
    if (is_brought)
        dw_write_uint (head, 1);
    dw_write_uint (head, place);
    dw_write_nil (head);
}

static dw_verdict_t s_kept (void *stage, char *seen) {
    UP (self, stage, seen);
    if (self->is_solo)
        return dw_case_skip (seen, "a solo is told to keep nothing");
    static const uint8_t payload[] = {0xa4, 'K', 'e', 'p', 't'};
    uint64_t first = self->slots[0].next_ticket;
    dw_crew_begin (self, 0);
    s_add_kept (self, true, 200);
    s_add_frame (self, payload, sizeof payload);
    dw_crew_send (self, 0);
    for (int i = 0; i < 2; i++) {
        dw_crew_begin (self, 0);
        s_add_kept (self, false, 200);
        dw_crew_send (self, 0);
    }
    return s_pass_each (self, first, 3, "Kept", seen);
}

static dw_verdict_t s_kept_again (void *stage, char *seen) {
    UP (self, stage, seen);
    if (self->is_solo)
        return dw_case_skip (seen, "a solo is told to keep nothing");
    static const uint8_t payload[] = {0xa5, 'A', 'g', 'a', 'i', 'n'};
    static const uint8_t other[] = {0xa5, 'O', 't', 'h', 'e', 'r'};
    uint64_t first = self->slots[0].next_ticket;
    dw_crew_begin (self, 0);
    s_add_kept (self, true, 0);
    s_add_frame (self, other, sizeof other);
    dw_crew_send (self, 0);
    dw_crew_await (self, 1, ANSWER_MS);
    dw_crew_forget (self);
    dw_write_uint (&self->stage.out.head, DW_WIRE_DROP);
    dw_write_uint (&self->stage.out.head, 0);
    dw_crew_send (self, 0);
    dw_crew_begin (self, 0);
    s_add_kept (self, true, 0);
    s_add_frame (self, payload, sizeof payload);
    dw_crew_send (self, 0);
    dw_crew_begin (self, 0);
    s_add_kept (self, false, 0);
    dw_crew_send (self, 0);
    return s_pass_each (self, first + 1, 2, "Again", seen);
}

static dw_verdict_t s_drop (void *stage, char *seen) {
    UP (self, stage, seen);
    if (self->is_solo)
        return dw_case_skip (seen, "a solo is told to keep nothing");
    dw_writer_t *head = &self->stage.out.head;
    dw_write_uint (head, DW_WIRE_DROP);
    for (uint32_t place = 0; place < DW_WIRE_PLACES; place++)
        dw_write_uint (head, place);
    dw_crew_send (self, 0);
    return dw_crew_serves (self, seen) ? dw_case_pass (seen, "it serves") : DW_VERDICT_FAILED;
}

/* ---- Cancelled -------------------------------------------------------------------------------- */

static void s_cancel (dw_crew_t *self, uint64_t ticket) {
    dw_write_uint (&self->stage.out.head, DW_WIRE_CANCEL);
    dw_write_uint (&self->stage.out.head, ticket);
    dw_crew_send (self, 0);
}

static dw_verdict_t s_pass_cancelled (dw_crew_t *self, uint64_t first, uint32_t count, char *seen) {
    return s_expect_each (self, first, count, "Cancel", true, seen)
               ? dw_case_pass (seen, "%u answered, the last by kind %u", (unsigned) count,
                               (unsigned) self->answers[count - 1].kind)
               : DW_VERDICT_FAILED;
}

static uint64_t s_send_cancelled (dw_crew_t *self, uint32_t count) {
    uint64_t first = self->slots[0].next_ticket;
    dw_crew_begin (self, 0);
    for (uint32_t i = 0; i < count; i++)
        dw_crew_add (self, 0, self->first, 1, "Cancel");
    dw_crew_send (self, 0);
    return first;
}

static dw_verdict_t s_cancel_waiting (void *stage, char *seen) {
    UP (self, stage, seen);
    uint64_t first = s_send_cancelled (self, MANY);
    s_cancel (self, first + MANY - 1);
    return s_pass_cancelled (self, first, MANY, seen);
}

static dw_verdict_t s_cancel_twice (void *stage, char *seen) {
    UP (self, stage, seen);
    uint64_t first = s_send_cancelled (self, MANY);
    s_cancel (self, first + MANY - 1);
    s_cancel (self, first + MANY - 1);
    return s_pass_cancelled (self, first, MANY, seen);
}

static dw_verdict_t s_cancel_early (void *stage, char *seen) {
    UP (self, stage, seen);
    s_cancel (self, self->slots[0].next_ticket);
    return s_pass_cancelled (self, s_send_cancelled (self, 1), 1, seen);
}

static dw_verdict_t s_cancel_late (void *stage, char *seen) {
    UP (self, stage, seen);
    uint64_t first = s_send_cancelled (self, 1);
    dw_crew_await (self, 1, ANSWER_MS);
    s_cancel (self, first);
    return s_pass_cancelled (self, first, 1, seen);
}

static dw_verdict_t s_cancel_foreign (void *stage, char *seen) {
    UP (self, stage, seen);
    s_cancel (self, UINT64_MAX);
    s_cancel (self, 0);
    dw_crew_watch (self, SETTLE_MS);
    if (self->answers_count)
        return dw_case_fail (seen, "it answered for a ticket that it never had");
    return dw_crew_serves (self, seen) ? dw_case_pass (seen, "it serves") : DW_VERDICT_FAILED;
}

static dw_verdict_t s_cancel_running (void *stage, char *seen) {
    UP (self, stage, seen);
    if (!self->has_slow)
        return dw_case_skip (seen, "it does not offer sleep");
    uint64_t first = self->slots[0].next_ticket;
    dw_crew_begin (self, 0);
    dw_crew_add (self, 0, self->slow, 1, "Slow");
    dw_crew_add (self, 0, self->first, 1, "Slow");
    dw_crew_send (self, 0);
    dw_crew_watch (self, 50);
    s_cancel (self, first);
    dw_crew_await (self, 2, ANSWER_MS);
    dw_crew_watch (self, SETTLE_MS);
    if (self->answers_count != 2 || self->answers[0].ticket != first ||
        self->answers[1].ticket != first + 1) {
        return dw_case_fail (seen, "%u answers of 2 tasks, or in another order",
                             (unsigned) self->answers_count);
    }
    return dw_case_pass (seen, "answered by kind %u, and the next one too",
                         (unsigned) self->answers[0].kind);
}

/* The second step of a task is cancelled while it waits: its first one is not. */
static dw_verdict_t s_cancel_steps (void *stage, char *seen) {
    UP (self, stage, seen);
    uint64_t first = s_send_cancelled (self, MANY);
    uint64_t chain = self->slots[0].next_ticket;
    dw_crew_begin (self, 0);
    dw_crew_add (self, 0, self->first, 2, "Cancel");
    dw_crew_send (self, 0);
    dw_write_uint (&self->stage.out.head, DW_WIRE_CANCEL);
    dw_write_uint (&self->stage.out.head, chain);
    dw_write_uint (&self->stage.out.head, 1);
    dw_crew_send (self, 0);
    dw_crew_await (self, MANY + 1, ANSWER_MS);
    if (self->answers_count <= MANY || self->answers[MANY].ticket != chain ||
        self->answers[0].ticket != first) {
        return dw_case_fail (seen, "%u answers, and none in its turn of this task",
                             (unsigned) self->answers_count);
    }
    const dw_told_t *told = &self->answers[MANY];
    return told->kind == DW_WIRE_DONE || told->kind == DW_WIRE_MORE
               ? dw_case_pass (seen, "%u of 2 steps done", (unsigned) told->steps)
               : dw_case_fail (seen, "its first step was answered by kind %u",
                               (unsigned) told->kind);
}

static const dw_case_t s_cases[] = {
    {"task", ANSWERS, "A task is answered as done, with its output, or as failed.", s_task},
    {"answers-own-number", "Peers", "ANSWERS begins with the number that WELCOME gave the slot.",
     s_own_number},
    {"answers-in-order", ANSWERS,
     "Each task of a message is answered once, in the order in which they were sent.", s_many},
    {"credit", HELLO_CREDIT, "It takes as many tasks at one time as its credit says.", s_credit},
    {"credit-overrun", HELLO_CREDIT,
     "Of more tasks than its credit it answers each, or it leaves: it is not silent.",
     s_credit_overrun},
    {"late-task", TASKS, "A task that comes late is answered too.", s_late},
    {"tickets-jump", TASKS, "Tickets are those of the message, of any size.", s_tickets_jump},
    {"chain", ANSWERS,
     "A task of two steps is answered for both, each told of once, or the second is given back.",
     s_chain},
    {"payload-in-frame", ENCODING, "A payload may stand in a frame, which several tasks read.",
     s_frame},
    {"payload-large", "Limits", "A payload of 1 MiB is answered.", s_large},
    {"payload-oversized", "Limits",
     "A payload above max_payload_bytes is answered, by no output above it, or the slot leaves.",
     s_oversized},
    {"integers-long", ENCODING, "Integers and lengths are read in every form, the longest too.",
     s_long},
    {"dependencies", TASKS, "What dependencies gave may be told, as a list of two references each.",
     s_dependencies},
    {"payload-empty", TASKS, "The empty text is a payload.", s_empty},
    {"payload-binary", TASKS, "Bytes that are no text are a payload.", s_binary},
    {"payload-structure", TASKS, "Any one value of msgpack is a payload.", s_structure},
    {"payload-deep", TASKS, "Of a value that is nested 50,000 times it is not silent.", s_deep},
    {"kept", TASKS, "What a slot is to keep in a place is read again from there.", s_kept},
    {"kept-again", "Messages, DROP", "A place that was dropped may be filled again.", s_kept_again},
    {"drop-empty", "Messages, DROP", "Places that hold nothing may be dropped.", s_drop},
    {"cancel-waiting", CANCEL, "A task that is cancelled while it waits is answered all the same.",
     s_cancel_waiting},
    {"cancel-twice", CANCEL, "A task that is cancelled twice is answered once.", s_cancel_twice},
    {"cancel-early", CANCEL, "A CANCEL that overtakes its task does not lose its answer.",
     s_cancel_early},
    {"cancel-late", CANCEL, "A CANCEL behind the answer is not answered.", s_cancel_late},
    {"cancel-foreign", CANCEL, "A CANCEL of a ticket that it never had is not answered.",
     s_cancel_foreign},
    {"cancel-steps", CANCEL,
     "Of a task that is cancelled from its second step on the first is done.", s_cancel_steps},
    {"cancel-running", CANCEL, "A task that is cancelled while it runs is answered all the same.",
     s_cancel_running},
};

const dw_cases_t dw_cases_worker_tasks = {s_cases, sizeof s_cases / sizeof *s_cases};
