/* worker_nonsense.c - cases of a worker under test: messages that are not for it, and tasks that
 * cannot be read. */

#include <string.h>

#include "cli/conformance/crew.h"

#define COUNTED  "What is counted and ignored"
#define PEERS    "Peers"
#define LEAVE_MS 6000
#define QUIET_MS 100

/* ---- Not for it ------------------------------------------------------------------------------- */

/* Nothing came of it: nobody left, nothing was said that cannot be read, and a task is answered. */
static dw_verdict_t s_expect_ignored (dw_crew_t *self, char *seen) {
    dw_crew_watch (self, QUIET_MS);
    if (dw_subject_has_ended (&self->stage.subject) && dw_subject_went_down (&self->stage.subject))
        return dw_case_fail (seen, "it went down by signal %d", -self->stage.subject.status);
    for (uint32_t i = 0; i < self->slots_count; i++)
        if (self->slots[i].end == DW_STAGE_NONE)
            return dw_case_fail (seen, "a slot left");
    if (dw_stage_is_gone (&self->stage, self->agent))
        return dw_case_fail (seen, "the agent left");
    if (self->answers_count || self->nonsense[0])
        return dw_case_fail (seen, "%s", self->nonsense[0] ? self->nonsense : "it was answered");
    return dw_crew_serves (self, seen) ? dw_case_pass (seen, "it serves") : DW_VERDICT_FAILED;
}

static void s_send_to_both (dw_crew_t *self, const void *bytes, size_t size) {
    dw_stage_send_bytes (&self->stage, self->slots[0].end, bytes, size);
    dw_stage_send_bytes (&self->stage, self->agent, bytes, size);
}

static dw_verdict_t s_unknown_type (void *stage, char *seen) {
    UP (self, stage, seen);
    static const uint8_t heads[][3] = {{99, 1, 2}, {0xcc, 200, 0}, {DW_WIRE_TYPES, 0, 0}};
    for (size_t i = 0; i < sizeof heads / sizeof *heads; i++)
        s_send_to_both (self, heads[i], sizeof heads[i]);
    return s_expect_ignored (self, seen);
}

static dw_verdict_t s_empty_head (void *stage, char *seen) {
    UP (self, stage, seen);
    s_send_to_both (self, "", 0);
    return s_expect_ignored (self, seen);
}

static dw_verdict_t s_no_type (void *stage, char *seen) {
    UP (self, stage, seen);
    static const uint8_t heads[][4] = {
        {0xc1, 0, 0, 0}, {0xa3, 'd', 'a', 'g'}, {0xff, 1, 2, 3}, {0x91, 3, 0, 0}};
    for (size_t i = 0; i < sizeof heads / sizeof *heads; i++)
        s_send_to_both (self, heads[i], sizeof heads[i]);
    return s_expect_ignored (self, seen);
}

/* What is sent to clients, to the owner, and by peers. */
static dw_verdict_t s_foreign_types (void *stage, char *seen) {
    UP (self, stage, seen);
    static const uint8_t types[] = {
        DW_WIRE_HELLO,  DW_WIRE_ANSWERS, DW_WIRE_SUBMIT, DW_WIRE_ABORT,   DW_WIRE_RESULTS,
        DW_WIRE_CLOSED, DW_WIRE_COUNTS,  DW_WIRE_STATUS, DW_WIRE_STALLED, DW_WIRE_DETACH,
        DW_WIRE_CLAIM,  DW_WIRE_MOVED,   DW_WIRE_REFER,  DW_WIRE_RELOAD};
    for (size_t i = 0; i < sizeof types; i++) {
        const uint8_t head[] = {types[i], 1, 0};
        s_send_to_both (self, head, sizeof head);
    }
    return s_expect_ignored (self, seen);
}

static dw_verdict_t s_values_behind (void *stage, char *seen) {
    UP (self, stage, seen);
    static const uint8_t beat[] = {DW_WIRE_BEAT, 1, 0xa1, 'x', 0x93, 1, 2, 3};
    static const uint8_t cancel[] = {DW_WIRE_CANCEL, 0, 7, 0xc0};
    s_send_to_both (self, beat, sizeof beat);
    dw_stage_send_bytes (&self->stage, self->slots[0].end, cancel, sizeof cancel);
    return s_expect_ignored (self, seen);
}

static dw_verdict_t s_cut_short (void *stage, char *seen) {
    UP (self, stage, seen);
    static const uint8_t heads[][2] = {
        {DW_WIRE_CANCEL, 0xcf}, {DW_WIRE_DROP, 0xcd}, {DW_WIRE_CANCEL, 0xa5}};
    for (size_t i = 0; i < sizeof heads / sizeof *heads; i++)
        dw_stage_send_bytes (&self->stage, self->slots[0].end, heads[i], sizeof heads[i]);
    if (self->is_solo) /* to which REPLACE means more than its number */
        return s_expect_ignored (self, seen);
    static const uint8_t replace[] = {DW_WIRE_REPLACE, 0xce, 0};
    dw_stage_send_bytes (&self->stage, self->agent, replace, sizeof replace);
    return s_expect_ignored (self, seen);
}

static dw_verdict_t s_many_frames (void *stage, char *seen) {
    UP (self, stage, seen);
    for (uint32_t to = 0; to < 2; to++) {
        dw_write_uint (&self->stage.out.head, DW_WIRE_BEAT);
        for (int i = 0; i < 20000; i++) {
            zmq_msg_t frame;
            zmq_msg_init (&frame);
            dw_packet_lend (&self->stage.out, &frame);
            zmq_msg_close (&frame);
        }
        dw_stage_send (&self->stage, to ? self->agent : self->slots[0].end);
    }
    return s_expect_ignored (self, seen);
}

static dw_verdict_t s_many_beats (void *stage, char *seen) {
    UP (self, stage, seen);
    for (int i = 0; i < 2000; i++) {
        dw_stage_say (&self->stage, self->agent, DW_WIRE_BEAT);
        dw_stage_say (&self->stage, self->slots[0].end, DW_WIRE_BEAT);
    }
    return s_expect_ignored (self, seen);
}

static dw_verdict_t s_replace_foreign (void *stage, char *seen) {
    UP (self, stage, seen);
    if (self->is_solo)
        return dw_case_skip (seen, "a solo is told no numbers of slots");
    static const uint8_t replace[] = {DW_WIRE_REPLACE, 0xce, 0x7f, 0xff, 0xff, 0xff};
    dw_stage_send_bytes (&self->stage, self->agent, replace, sizeof replace);
    return s_expect_ignored (self, seen);
}

/* ---- Tasks that cannot be read ---------------------------------------------------------------- */

/* The slot leaves, its agent is there, and after REPLACE there is a slot again. */
static dw_verdict_t s_expect_slot_left (dw_crew_t *self, char *seen) {
    uint32_t comings = self->slots[0].comings, answers = self->answers_count;
    uint32_t end = self->slots[0].end;
    self->replaces_none = true;
    dw_crew_send (self, 0);
    if (!dw_crew_await_slot_gone (self, 0, LEAVE_MS)) {
        return dw_case_fail (seen, "%s",
                             self->answers_count > answers
                                 ? "it answered for what it cannot have read"
                                 : "it neither left nor answered");
    }
    if (!self->stage.ends[end].has_left)
        return dw_case_fail (seen, "it left without BYE");
    if (self->is_solo) {
        dw_crew_spend (self);
        return dw_case_pass (seen, "it left");
    }
    if (dw_subject_has_ended (&self->stage.subject))
        return dw_case_fail (seen, "the whole process ended, with %d", self->stage.subject.status);
    if (dw_stage_is_gone (&self->stage, self->agent))
        return dw_case_fail (seen, "its agent left too");
    self->replaces_none = false;
    dw_write_uint (&self->stage.out.head, DW_WIRE_REPLACE);
    dw_write_uint (&self->stage.out.head, self->slots[0].number);
    dw_stage_send (&self->stage, self->agent);
    int64_t deadline_ns = dw_stage_in (LEAVE_MS);
    while (self->slots[0].comings == comings && dw_crew_take (self, deadline_ns)) {
    }
    if (self->slots[0].comings == comings)
        return dw_case_fail (seen, "it left, and after REPLACE no other came");
    return dw_crew_serves (self, seen) ? dw_case_pass (seen, "it left, and another took its place")
                                       : DW_VERDICT_FAILED;
}

static void s_end_task (dw_crew_t *self) {
    dw_crew_write_text (&self->stage.out.head, "No");
    dw_write_nil (&self->stage.out.head);
}

static dw_verdict_t s_unknown_node (void *stage, char *seen) {
    UP (self, stage, seen);
    dw_crew_begin (self, 0);
    dw_crew_add (self, 0, 4711, 1, "No");
    return s_expect_slot_left (self, seen);
}

static dw_verdict_t s_no_steps (void *stage, char *seen) {
    UP (self, stage, seen);
    dw_crew_begin (self, 0);
    dw_crew_add (self, 0, self->first, 0, "No");
    return s_expect_slot_left (self, seen);
}

static dw_verdict_t s_steps_beyond (void *stage, char *seen) {
    UP (self, stage, seen);
    if (self->is_solo)
        return dw_case_skip (seen, "a solo may give back all steps but the first, unread");
    dw_crew_begin (self, 0);
    dw_crew_add (self, 0, self->first, 3, "No");
    return s_expect_slot_left (self, seen);
}

static dw_verdict_t s_frame_missing (void *stage, char *seen) {
    UP (self, stage, seen);
    dw_crew_begin (self, 0);
    dw_crew_add_head (self, 0, self->first, 1);
    dw_write_uint (&self->stage.out.head, 5);
    dw_write_nil (&self->stage.out.head);
    return s_expect_slot_left (self, seen);
}

static dw_verdict_t s_payload_missing (void *stage, char *seen) {
    UP (self, stage, seen);
    dw_crew_begin (self, 0);
    dw_crew_add_head (self, 0, self->first, 1);
    dw_write_nil (&self->stage.out.head);
    dw_write_nil (&self->stage.out.head);
    return s_expect_slot_left (self, seen);
}

static dw_verdict_t s_payload_short (void *stage, char *seen) {
    UP (self, stage, seen);
    static const uint8_t bytes[] = {0xc6, 0x7f, 0xff, 0xff, 0xff, 0xa2, 'N', 'o'};
    dw_crew_begin (self, 0);
    dw_crew_add_head (self, 0, self->first, 1);
    dw_packet_append (&self->stage.out, bytes, sizeof bytes);
    return s_expect_slot_left (self, seen);
}

static dw_verdict_t s_count_beyond (void *stage, char *seen) {
    UP (self, stage, seen);
    dw_crew_begin (self, 0);
    dw_crew_add_head (self, 0, self->second, 1);
    dw_crew_write_text (&self->stage.out.head, "No");
    dw_write_array (&self->stage.out.head, UINT32_MAX);
    return s_expect_slot_left (self, seen);
}

static dw_verdict_t s_place_empty (void *stage, char *seen) {
    UP (self, stage, seen);
    dw_crew_begin (self, 0);
    dw_crew_add_head (self, 0, self->first, 1);
    dw_write_array (&self->stage.out.head, 1);
    dw_write_uint (&self->stage.out.head, 77);
    dw_write_nil (&self->stage.out.head);
    return s_expect_slot_left (self, seen);
}

static dw_verdict_t s_place_beyond (void *stage, char *seen) {
    UP (self, stage, seen);
    dw_crew_begin (self, 0);
    dw_crew_add_head (self, 0, self->first, 1);
    dw_write_array (&self->stage.out.head, 1);
    dw_write_uint (&self->stage.out.head, DW_WIRE_PLACES);
    dw_write_nil (&self->stage.out.head);
    return s_expect_slot_left (self, seen);
}

static dw_verdict_t s_node_is_text (void *stage, char *seen) {
    UP (self, stage, seen);
    dw_crew_begin (self, 0);
    dw_write_uint (&self->stage.out.head, 1);
    dw_write_str (&self->stage.out.head, "first", 5);
    dw_write_uint (&self->stage.out.head, 1);
    dw_write_uint (&self->stage.out.head, 1);
    s_end_task (self);
    return s_expect_slot_left (self, seen);
}

/* What stands before the record that is damaged is run, and answered for. */
static dw_verdict_t s_damage_behind (void *stage, char *seen) {
    UP (self, stage, seen);
    uint64_t first = self->slots[0].next_ticket;
    dw_crew_begin (self, 0);
    dw_crew_add (self, 0, self->first, 1, "Before");
    dw_crew_add (self, 0, self->first, 1, "Before");
    dw_crew_add_head (self, 0, self->first, 1);
    self->replaces_none = true;
    dw_crew_send (self, 0);
    bool is_gone = dw_crew_await_slot_gone (self, 0, LEAVE_MS);
    dw_crew_spend (self);
    if (!is_gone)
        return dw_case_fail (seen, "it did not leave; %u answers", (unsigned) self->answers_count);
    /* It may have left at once, too: then those before it are sent elsewhere. */
    for (uint32_t i = 0; i < self->answers_count; i++) {
        if (self->answers[i].ticket != first + i || i > 1) {
            return dw_case_fail (seen, "it answered ticket %llu",
                                 (unsigned long long) self->answers[i].ticket);
        }
    }
    return dw_case_pass (seen, "it left, with %u answers of 2", (unsigned) self->answers_count);
}

static const dw_case_t s_cases[] = {
    {"unknown-type", COUNTED, "A message of a type that is unknown is ignored.", s_unknown_type},
    {"empty-head", COUNTED, "A message without a head is ignored.", s_empty_head},
    {"no-type", COUNTED, "A message whose type is no integer is ignored.", s_no_type},
    {"foreign-types", PEERS, "What is not sent to a worker is ignored.", s_foreign_types},
    {"values-behind", COUNTED, "Values behind the last that a message has are ignored.",
     s_values_behind},
    {"cut-short", COUNTED, "CANCEL, DROP and REPLACE that end too early are ignored.", s_cut_short},
    {"many-frames", COUNTED, "Frames that nothing refers to are ignored, 20,000 of them too.",
     s_many_frames},
    {"many-beats", COUNTED, "BEAT that nobody asked for is ignored, 2,000 times too.",
     s_many_beats},
    {"replace-foreign", "Messages, REPLACE", "REPLACE of a number that is not its own is ignored.",
     s_replace_foreign},
    {"task-unknown-node", COUNTED,
     "A slot that is sent a task of a node that is none leaves by BYE.", s_unknown_node},
    {"task-no-steps", COUNTED, "A slot that is sent a task of no steps leaves by BYE.", s_no_steps},
    {"task-steps-beyond", COUNTED,
     "A slot that is sent a task of more steps than the chain has leaves by BYE.", s_steps_beyond},
    {"task-frame-missing", COUNTED,
     "A slot that is sent a task whose payload is in a frame that is not there leaves by BYE.",
     s_frame_missing},
    {"task-payload-missing", COUNTED, "A slot that is sent a task without a payload leaves by BYE.",
     s_payload_missing},
    {"task-payload-short", COUNTED,
     "A slot that is told of more bytes than there are leaves by BYE.", s_payload_short},
    {"task-count-beyond", COUNTED,
     "A slot that is told of more dependencies than there are bytes leaves by BYE.",
     s_count_beyond},
    {"task-place-empty", "Messages, TASKS",
     "A slot that is to read a place in which it keeps nothing leaves by BYE.", s_place_empty},
    {"task-place-beyond", "Messages, TASKS", "A slot that is to read place 256 leaves by BYE.",
     s_place_beyond},
    {"task-node-is-text", COUNTED, "A slot that is sent a text for a node leaves by BYE.",
     s_node_is_text},
    {"task-damage-behind", COUNTED,
     "Of a message with damage the slot answers for nothing behind it, and leaves by BYE.",
     s_damage_behind},
};

const dw_cases_t dw_cases_worker_nonsense = {s_cases, sizeof s_cases / sizeof *s_cases};
