/* crew.c */

#include "cli/conformance/crew.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "actors/clock.h"
#include "actors/processors.h"
#include "cli/command.h"
#include "runtime/briefing.h"
#include "runtime/pack.h"
#include "runtime/payload.h"

#define HEARTBEAT_MS   200
#define SILENCE_MS     2000
#define COME_MS        6000 /* for slots, once their agent is here */
#define ANSWER_MS      5000
#define SLOW_MS        300
#define AGENT_PEER     70001u
#define SLOT_PEER      80001u
#define FIRST_NUMBER   301u
#define FIRST_TICKET   4000u
#define LOOK_NS        INT64_C (20000000)
#define SLEEP          "sleep"
#define DOWNS_MAX      3    /* sessions, after which no more are tried */
#define LAST_WORDS_MAX 1000 /* messages */

int dw_crew_init (dw_crew_t *self, const char *wanted) {
    self->wanted = wanted;
    self->stock = dw_processors_new ();
    self->answers = calloc (DW_CREW_ANSWERS, sizeof *self->answers);
    self->agent = self->again = DW_STAGE_NONE;
    self->heartbeat_ms = HEARTBEAT_MS;
    self->silence_ms = SILENCE_MS;
    return self->stock && self->answers ? DW_EXIT_OK
                                        : dw_command_fail (DW_ENOMEM, NULL, "conformance");
}

void dw_crew_free (dw_crew_t *self) {
    dw_plan_destroy (&self->plan);
    dw_traits_destroy (&self->foreign);
    dw_writer_free (&self->packed);
    dw_writer_free (&self->briefing);
    dw_processors_destroy (&self->stock);
    free (self->answers);
}

/* ---- The graph -------------------------------------------------------------------------------- */

/* Whether it is said by a worker process. */
static bool s_is_process (const dw_wire_hello_t *hello) {
    return hello->role == DW_WIRE_AGENT || hello->role == DW_WIRE_SOLO;
}

bool dw_crew_read_agent (dw_crew_t *self, dw_wire_agent_t *agent, dw_wire_reader_t *reader) {
    dw_wire_hello_t hello;
    *reader = dw_wire_reader (self->stage.greeting.bytes, self->stage.greeting.count);
    return dw_read_uint (reader) == DW_WIRE_HELLO && dw_read_hello (reader, &hello) &&
           s_is_process (&hello) && dw_read_agent (reader, agent);
}

/* What texts become here; NULL: nobody knows. */
static const char *const s_known[] = {"identity", "reverse_text", "change_text_case_upper",
                                      "change_text_case_lower"};
#define KNOWN_COUNT (sizeof s_known / sizeof *s_known)

/* Chooses among what is offered: what was asked for, what is known, what comes first. */
static bool s_choose (dw_crew_t *self, char *why) {
    dw_wire_agent_t agent;
    dw_wire_reader_t reader;
    size_t best = KNOWN_COUNT + 1;
    if (!dw_crew_read_agent (self, &agent, &reader)) {
        snprintf (why, DW_SEEN_BYTES, "its HELLO is not that of an agent or a solo");
        return false;
    }
    self->has_slow = false;
    for (uint32_t i = 0; i < agent.processors_count; i++) {
        size_t size, rank = 0;
        const char *name = dw_read_name (&reader, &size);
        if (!name)
            break;
        self->has_slow |= size == strlen (SLEEP) && memcmp (name, SLEEP, size) == 0;
        while (rank < KNOWN_COUNT &&
               (strlen (s_known[rank]) != size || memcmp (s_known[rank], name, size) != 0))
            rank++;
        if (self->wanted) {
            bool is_it = strlen (self->wanted) == size && memcmp (self->wanted, name, size) == 0;
            rank = is_it ? 0 : best;
        }
        if (rank < best) {
            best = rank;
            memcpy (self->processor, name, size);
            self->processor[size] = '\0';
        }
    }
    if (best == KNOWN_COUNT + 1 && self->wanted)
        snprintf (why, DW_SEEN_BYTES, "it does not offer the processor %.100s", self->wanted);
    else if (best == KNOWN_COUNT + 1)
        snprintf (why, DW_SEEN_BYTES, "it offers no processor");
    return best <= KNOWN_COUNT;
}

/* A processor that is not known here is taken to be a transform that reads its payload alone. */
static bool s_make_traits (dw_crew_t *self) {
    dw_writer_t writer = {0};
    dw_write_array (&writer, 1);
    dw_write_trait (&writer, &(dw_wire_trait_t){.name = self->processor,
                                                .name_size = strlen (self->processor),
                                                .trait.payload_only = true});
    dw_wire_reader_t reader = dw_wire_reader (writer.bytes, writer.count);
    dw_traits_destroy (&self->foreign);
    bool ok = !writer.no_memory && dw_traits_read (&self->foreign, &reader) == DW_OK;
    dw_writer_free (&writer);
    return ok;
}

static void s_write_trait (const dw_crew_t *self, const char *name, dw_writer_t *writer) {
    const struct dw_processor_t *processor = dw_processors_find (self->stock, name);
    dw_trait_t unknown = {.payload_only = true};
    dw_write_trait (
        writer, &(dw_wire_trait_t){.name = name,
                                   .name_size = strlen (name),
                                   .trait = processor ? dw_processor_trait (processor) : unknown});
}

bool dw_crew_prepare (dw_crew_t *self, char *why) {
    if (!s_choose (self, why))
        return false;
    dw_error_t *error = dw_error_new ();
    dw_graph_t *graph = dw_graph_new ();
    bool ok = error && graph && s_make_traits (self);
    if (ok) {
        dw_graph_add (graph, "first", self->processor);
        dw_graph_depend (graph, dw_graph_add (graph, "second", self->processor), "first");
        if (self->has_slow)
            dw_graph_set_integer (graph, dw_graph_add (graph, "slow", SLEEP), "ms", SLOW_MS);
        dw_graph_options (graph)->actors = DW_ACTORS_POOL;
        dw_graph_options (graph)->max_payload_bytes = DW_CREW_PAYLOAD;
        dw_plan_destroy (&self->plan);
        ok = dw_processors_plan_partly (self->stock, self->foreign, graph, &self->plan, error) ==
             DW_OK;
    }
    if (ok) {
        dw_writer_clear (&self->packed);
        dw_pack_graph (graph, &self->packed);
        dw_writer_clear (&self->briefing);
        dw_write_briefing (self->plan, graph, UINT64_MAX, &self->briefing);
        self->first = dw_plan_find (self->plan, "first");
        self->second = dw_plan_find (self->plan, "second");
        self->slow = dw_plan_find (self->plan, "slow");
    } else {
        snprintf (why, DW_SEEN_BYTES, "no graph can be made of %.100s: %.150s", self->processor,
                  dw_error_count (error) ? dw_error_message (error, 0) : "out of memory");
    }
    dw_graph_destroy (&graph);
    dw_error_destroy (&error);
    return ok;
}

/* ---- Welcome ---------------------------------------------------------------------------------- */

static void s_write (dw_writer_t *head, bool is_long, uint64_t value) {
    if (is_long)
        dw_stage_write_long (head, value);
    else
        dw_write_uint (head, value);
}

/* What it is told behind its pulse. */
static void s_write_for_agent (dw_crew_t *self, const dw_crew_welcome_t *welcome) {
    dw_writer_t *head = &self->stage.out.head;
    bool is_long = welcome->is_long;
    dw_write_bin (head, self->token, DW_WIRE_TOKEN_SIZE);
    dw_write_bin (head, self->token, DW_WIRE_TOKEN_SIZE);
    s_write (head, is_long, dw_plan_digest (self->plan));
    dw_write_bin (head, self->packed.bytes, self->packed.count);
    dw_write_array (head, welcome->numbers_count);
    for (uint32_t i = 0; i < welcome->numbers_count; i++)
        s_write (head, is_long, welcome->numbers ? welcome->numbers[i] : FIRST_NUMBER + 2 * i);
    s_write (head, is_long, 0);
    dw_write_array (head, self->plan->kinds_count);
    for (uint32_t i = 0; i < self->plan->kinds_count; i++)
        s_write_trait (self, self->plan->kinds[i], head);
}

void dw_crew_welcome (dw_crew_t *self, const dw_crew_welcome_t *welcome) {
    dw_writer_t *head = &self->stage.out.head;
    bool is_long = welcome->is_long;
    if (getrandom (self->token, sizeof self->token, 0) != (ssize_t) sizeof self->token)
        memset (self->token, 0x5a, sizeof self->token);
    self->agent_peer = AGENT_PEER;
    s_write (head, is_long, DW_WIRE_WELCOME);
    s_write (head, is_long, self->agent_peer);
    s_write (head, is_long, welcome->heartbeat_ms);
    s_write (head, is_long, welcome->silence_ms);
    if (self->is_solo) {
        s_write (head, is_long, DW_CREW_PAYLOAD);
        dw_write_bin (head, self->briefing.bytes, self->briefing.count);
    } else {
        s_write_for_agent (self, welcome);
    }
    if (welcome->has_more) {
        dw_write_uint (head, 4711);
        dw_write_str (head, "more", 4);
    }
    head->count -= welcome->cut_bytes < head->count ? welcome->cut_bytes : 0;
    dw_stage_send (&self->stage, self->agent);
}

static void s_reset (dw_crew_t *self) {
    self->is_up = self->is_solo = self->is_mute = self->replaces_none = false;
    self->agent = self->again = DW_STAGE_NONE;
    self->slots_count = self->foreign_hellos = 0;
    self->beats = self->bad_beats = self->slot_beats = self->drains = 0;
    self->byes = self->bad_byes = 0;
    self->beat_ns = self->longest_ns = 0;
    dw_crew_forget (self);
}

/* Where nobody comes again who was there before: it is not waited for again. */
static void s_nobody (dw_crew_t *self, char *why) {
    dw_stage_t *stage = &self->stage;
    if (stage->subject.words && dw_subject_has_ended (&stage->subject)) {
        snprintf (why, DW_SEEN_BYTES, "the command ended with %d before it said HELLO",
                  stage->subject.status);
    } else {
        snprintf (why, DW_SEEN_BYTES, "no agent said HELLO %s %d ms",
                  stage->is_idle ? "after" : "within", stage->wait_ms);
    }
    stage->is_idle = true;
}

/* A number that there are places for, which from then on is the number of slots. */
static bool s_take_slots (dw_crew_t *self, uint32_t count, char *why) {
    if (count == 0 || count > DW_CREW_SLOTS || (self->is_solo && count != 1)) {
        snprintf (why, DW_SEEN_BYTES, "it asks for %u slots: this serves 1 to %u, a solo 1",
                  (unsigned) count, DW_CREW_SLOTS);
        return false;
    }
    self->slots_count = count;
    return true;
}

bool dw_crew_greeted (dw_crew_t *self, char *why) {
    dw_stage_t *stage = &self->stage;
    s_reset (self);
    if (!dw_stage_prepare (stage, "worker", why))
        return false;
    int64_t deadline_ns = dw_stage_in (stage->wait_ms);
    while (dw_stage_await (stage, deadline_ns)) {
        dw_end_t *end = &stage->ends[stage->from];
        if (end->is_hello && s_is_process (&end->hello) && end->messages_count == 0) {
            dw_wire_agent_t agent;
            dw_wire_reader_t reader;
            self->agent = stage->from;
            self->is_solo = end->hello.role == DW_WIRE_SOLO;
            if (dw_crew_read_agent (self, &agent, &reader)) {
                memcpy (self->uuid, agent.uuid, sizeof self->uuid);
                self->incarnation = agent.incarnation;
                return s_take_slots (self, agent.slots, why);
            }
            return true;
        }
    }
    s_nobody (self, why);
    return false;
}

static bool s_are_all_here (const dw_crew_t *self) {
    for (uint32_t i = 0; i < self->slots_count; i++)
        if (self->slots[i].end == DW_STAGE_NONE)
            return false;
    return self->agent != DW_STAGE_NONE && !self->stage.ends[self->agent].has_left;
}

void dw_crew_begin_slots (dw_crew_t *self) {
    for (uint32_t i = 0; i < self->slots_count; i++) {
        self->slots[i] = (dw_crew_slot_t){
            .end = DW_STAGE_NONE, .number = FIRST_NUMBER + 2 * i, .next_ticket = FIRST_TICKET};
    }
    if (self->is_solo) {
        self->slots[0].end = self->agent;
        self->slots[0].peer = AGENT_PEER;
        self->slots[0].comings = 1;
    }
}

bool dw_crew_let_in (dw_crew_t *self, char *why) {
    dw_crew_begin_slots (self);
    dw_crew_welcome (self, &(dw_crew_welcome_t){.heartbeat_ms = self->heartbeat_ms,
                                                .silence_ms = self->silence_ms,
                                                .numbers_count = self->slots_count});
    self->is_up = true;
    int64_t deadline_ns = dw_stage_in (COME_MS);
    while (!s_are_all_here (self) && dw_crew_take (self, deadline_ns)) {
    }
    self->is_up = s_are_all_here (self);
    if (!self->is_up) {
        snprintf (why, DW_SEEN_BYTES, "after WELCOME not all of its %u slots came",
                  (unsigned) self->slots_count);
    }
    return self->is_up;
}

bool dw_crew_up (dw_crew_t *self, char *why) {
    while (self->is_up && dw_crew_take (self, 0)) {
    }
    if (self->is_up && s_are_all_here (self) && !dw_stage_is_gone (&self->stage, self->agent)) {
        dw_crew_forget (self);
        return true;
    }
    if (self->downs == DOWNS_MAX) {
        snprintf (why, DW_SEEN_BYTES, "its slots did not come, %d times", DOWNS_MAX);
        return false;
    }
    if (!dw_crew_greeted (self, why))
        return false;
    if (!dw_crew_prepare (self, why))
        return false;
    bool is_up = dw_crew_let_in (self, why);
    self->downs = is_up ? 0 : self->downs + 1;
    return is_up;
}

void dw_crew_spend (dw_crew_t *self) {
    self->is_up = false;
}

/* ---- What comes in ---------------------------------------------------------------------------- */

static void s_note (dw_crew_t *self, const char *what) {
    if (!self->nonsense[0])
        snprintf (self->nonsense, sizeof self->nonsense, "%s", what);
}

/* The bytes of a reference in the message that came; NULL: nil, or damaged. */
static const uint8_t *s_bytes (dw_crew_t *self, size_t *size_p, bool *is_nil) {
    dw_stage_t *stage = &self->stage;
    zmq_msg_t *frame;
    dw_ref_t ref = dw_read_ref (&stage->reader);
    *is_nil = dw_ref_is_nil (&ref);
    return dw_message_resolve (&stage->in, 1, &ref, &stage->reader, size_p, &frame);
}

static void s_read_step (dw_crew_t *self, dw_told_t *told) {
    size_t size = 0;
    bool is_nil;
    const uint8_t *bytes = s_bytes (self, &size, &is_nil);
    told->is_sound &= bytes && dw_payload_check (bytes, size) == DW_OK;
    told->payload_size = bytes ? size : 0;
    if (bytes && size)
        memcpy (told->payload, bytes, size < DW_CREW_SHOWN ? size : DW_CREW_SHOWN);
    bytes = s_bytes (self, &size, &is_nil);
    told->is_sound &= is_nil || (bytes && dw_payload_map_check (bytes, size) == DW_OK);
}

static void s_on_answers (dw_crew_t *self, uint32_t slot) {
    dw_wire_reader_t *reader = &self->stage.reader;
    bool is_own = dw_read_uint (reader) == self->slots[slot].peer;
    while (dw_wire_reader_has_more (reader)) {
        dw_wire_answer_record_t record;
        if (!dw_read_answer (reader, &record)) {
            s_note (self, "ANSWERS with a record that cannot be read");
            return;
        }
        dw_told_t told = {.slot = slot,
                          .is_own = is_own,
                          .ticket = record.ticket,
                          .told = record.step,
                          .kind = record.answer,
                          .steps = record.steps,
                          .code = record.code,
                          .duration_ns = record.duration_ns,
                          .is_sound = true};
        bool has_steps = record.answer == DW_WIRE_DONE || record.answer == DW_WIRE_MORE;
        for (uint32_t i = 0; has_steps && i < record.steps && !reader->is_damaged; i++)
            s_read_step (self, &told);
        if (reader->is_damaged) {
            s_note (self, "ANSWERS with a step that cannot be read");
            return;
        }
        if (self->answers_count < DW_CREW_ANSWERS)
            self->answers[self->answers_count++] = told;
    }
}

static void s_on_agent_beat (dw_crew_t *self) {
    dw_wire_reader_t *reader = &self->stage.reader;
    int64_t now_ns = dw_clock_ns ();
    bool is_bad = dw_read_uint (reader) != self->agent_peer;
    while (dw_wire_reader_has_more (reader)) {
        dw_wire_slot_t slot;
        bool is_known = false;
        if (!dw_read_slot (reader, &slot)) {
            is_bad = true;
            break;
        }
        for (uint32_t i = 0; i < self->slots_count; i++)
            is_known |= self->slots[i].number == slot.number;
        is_bad |= !is_known;
    }
    self->beats++;
    self->bad_beats += is_bad;
    if (self->beat_ns && now_ns - self->beat_ns > self->longest_ns)
        self->longest_ns = now_ns - self->beat_ns;
    self->beat_ns = now_ns;
    if (!self->is_mute)
        dw_stage_say (&self->stage, self->agent, DW_WIRE_BEAT);
}

static void s_on_agent (dw_crew_t *self) {
    char text[40], said[96];
    switch (self->stage.type) {
        case DW_WIRE_BEAT: s_on_agent_beat (self); break;
        case DW_WIRE_DRAIN: self->drains++; break;
        case DW_WIRE_BYE:
        case DW_WIRE_ENDED: break;
        default:
            snprintf (said, sizeof said, "%s from an agent", dw_case_type (self->stage.type, text));
            s_note (self, said);
            break;
    }
}

static void s_on_slot_bye (dw_crew_t *self, uint32_t slot) {
    self->byes++;
    self->bad_byes += dw_read_uint (&self->stage.reader) != self->slots[slot].peer;
    self->slots[slot].end = DW_STAGE_NONE;
    if (!self->replaces_none && !self->is_solo) {
        dw_write_uint (&self->stage.out.head, DW_WIRE_REPLACE);
        dw_write_uint (&self->stage.out.head, self->slots[slot].number);
        dw_stage_send (&self->stage, self->agent);
    }
}

static void s_on_slot (dw_crew_t *self, uint32_t slot) {
    char text[40], said[96];
    switch (self->stage.type) {
        case DW_WIRE_ANSWERS: s_on_answers (self, slot); break;
        case DW_WIRE_BEAT:
            self->slot_beats++;
            if (!self->is_mute)
                dw_stage_say (&self->stage, self->slots[slot].end, DW_WIRE_BEAT);
            break;
        case DW_WIRE_BYE: s_on_slot_bye (self, slot); break;
        default:
            snprintf (said, sizeof said, "%s from a slot", dw_case_type (self->stage.type, text));
            s_note (self, said);
            break;
    }
}

static void s_on_solo (dw_crew_t *self) {
    switch (self->stage.type) {
        case DW_WIRE_BEAT:
        case DW_WIRE_DRAIN: s_on_agent (self); break;
        default: s_on_slot (self, 0); break;
    }
}

/* Somebody new: one of the agent's slots, or the agent that comes again. */
static void s_on_hello (dw_crew_t *self, uint32_t from) {
    const dw_end_t *end = &self->stage.ends[from];
    if (end->is_hello && s_is_process (&end->hello)) {
        self->again = from;
        return;
    }
    for (uint32_t i = 0;
         end->is_hello && end->hello.role == DW_WIRE_WORKER && i < self->slots_count; i++) {
        dw_crew_slot_t *slot = &self->slots[i];
        if (slot->number != end->hello.number ||
            memcmp (end->token, self->token, sizeof self->token) != 0)
            continue;
        slot->end = from;
        slot->peer = SLOT_PEER + 256 * i + slot->comings++;
        slot->next_ticket = FIRST_TICKET + 1000 * i;
        dw_write_uint (&self->stage.out.head, DW_WIRE_WELCOME);
        dw_write_uint (&self->stage.out.head, slot->peer);
        dw_stage_send (&self->stage, from);
        return;
    }
    self->foreign_hellos++;
    dw_stage_refuse (&self->stage, from, 400, 0);
}

bool dw_crew_take (dw_crew_t *self, int64_t deadline_ns) {
    dw_stage_t *stage = &self->stage;
    if (!dw_stage_receive (stage, deadline_ns))
        return false;
    uint32_t from = stage->from;
    if (from == self->agent) {
        if (self->is_solo)
            s_on_solo (self);
        else
            s_on_agent (self);
        return true;
    }
    for (uint32_t i = 0; i < self->slots_count; i++) {
        if (from == self->slots[i].end) {
            s_on_slot (self, i);
            return true;
        }
    }
    if (stage->type == DW_WIRE_HELLO && stage->ends[from].messages_count == 0)
        s_on_hello (self, from);
    return true;
}

void dw_crew_watch (dw_crew_t *self, int64_t ms) {
    int64_t deadline_ns = dw_stage_in (ms);
    while (dw_clock_ns () < deadline_ns && dw_crew_take (self, deadline_ns)) {
    }
}

bool dw_crew_await (dw_crew_t *self, uint32_t count, int64_t ms) {
    int64_t deadline_ns = dw_stage_in (ms);
    while (self->answers_count < count && dw_clock_ns () < deadline_ns &&
           dw_crew_take (self, deadline_ns)) {
    }
    return self->answers_count >= count;
}

void dw_crew_forget (dw_crew_t *self) {
    self->answers_count = 0;
    self->nonsense[0] = '\0';
}

/* A connection may be gone before what came by it last is taken in, such as BYE. */
static bool s_await_gone (dw_crew_t *self, uint32_t end, int64_t ms) {
    int64_t deadline_ns = dw_stage_in (ms);
    while (!dw_stage_is_gone (&self->stage, end)) {
        int64_t now_ns = dw_clock_ns ();
        if (now_ns >= deadline_ns || self->stage.interrupted)
            return false;
        dw_crew_take (self, now_ns + LOOK_NS);
    }
    for (int left = LAST_WORDS_MAX; left > 0 && dw_crew_take (self, 0); left--) {
    }
    return true;
}

bool dw_crew_await_slot_gone (dw_crew_t *self, uint32_t slot, int64_t ms) {
    uint32_t end = self->slots[slot].end;
    return end == DW_STAGE_NONE || s_await_gone (self, end, ms);
}

bool dw_crew_await_agent_gone (dw_crew_t *self, int64_t ms) {
    return self->agent == DW_STAGE_NONE || s_await_gone (self, self->agent, ms);
}

/* ---- Tasks ------------------------------------------------------------------------------------ */

void dw_crew_write_text (dw_writer_t *head, const char *text) {
    dw_writer_t payload = {0};
    dw_write_str (&payload, text, strlen (text));
    dw_write_bin (head, payload.bytes, payload.count);
    dw_writer_free (&payload);
}

void dw_crew_begin (dw_crew_t *self, uint32_t slot) {
    dw_write_uint (&self->stage.out.head, DW_WIRE_TASKS);
    dw_write_uint (&self->stage.out.head, self->slots[slot].next_ticket);
}

void dw_crew_add_head (dw_crew_t *self, uint32_t slot, uint32_t node, uint32_t steps) {
    dw_writer_t *head = &self->stage.out.head;
    dw_write_uint (head, 1 + self->slots[slot].next_ticket++);
    dw_write_uint (head, node);
    dw_write_uint (head, steps);
    dw_write_uint (head, 1);
}

void dw_crew_add (dw_crew_t *self, uint32_t slot, uint32_t node, uint32_t steps, const char *text) {
    dw_crew_add_head (self, slot, node, steps);
    dw_crew_write_text (&self->stage.out.head, text);
    dw_write_nil (&self->stage.out.head);
}

bool dw_crew_send (dw_crew_t *self, uint32_t slot) {
    return dw_stage_send (&self->stage, self->slots[slot].end) == DW_OK;
}

/* What a processor makes of a text of ASCII; false: nobody knows. */
static bool s_apply (const char *processor, const char *text, char *output) {
    size_t size = strlen (text);
    for (size_t i = 0; i <= size; i++)
        output[i] = text[i];
    if (strcmp (processor, "reverse_text") == 0)
        for (size_t i = 0; i < size; i++)
            output[i] = text[size - 1 - i];
    else if (strcmp (processor, "change_text_case_upper") == 0)
        for (size_t i = 0; i < size; i++)
            output[i] = (char) (text[i] >= 'a' && text[i] <= 'z' ? text[i] - 'a' + 'A' : text[i]);
    else if (strcmp (processor, "change_text_case_lower") == 0)
        for (size_t i = 0; i < size; i++)
            output[i] = (char) (text[i] >= 'A' && text[i] <= 'Z' ? text[i] - 'A' + 'a' : text[i]);
    else
        return strcmp (processor, "identity") == 0;
    return true;
}

bool dw_crew_is_right (const dw_crew_t *self, const dw_told_t *told, const char *text, char *seen) {
    char expected[DW_CREW_SHOWN];
    if (told->kind != DW_WIRE_DONE && told->kind != DW_WIRE_FAILED) {
        dw_case_fail (seen, "ticket %llu was answered by kind %u, not by done or failed",
                      (unsigned long long) told->ticket, (unsigned) told->kind);
        return false;
    }
    if (!told->is_sound) {
        dw_case_fail (seen,
                      "ticket %llu: an output that is not one msgpack value, or metadata "
                      "that is no map of str to str",
                      (unsigned long long) told->ticket);
        return false;
    }
    bool is_known = strlen (text) < 32 && s_apply (self->processor, text, expected);
    if (!is_known)
        return true; /* it may fail at what it does not like */
    size_t size;
    const char *output = dw_payload_text (told->payload, told->payload_size, &size);
    if (told->kind == DW_WIRE_DONE && output && told->payload_size <= DW_CREW_SHOWN &&
        size == strlen (expected) && memcmp (output, expected, size) == 0)
        return true;
    dw_case_fail (seen, "ticket %llu: %s of \"%s\" is not \"%s\"",
                  (unsigned long long) told->ticket, self->processor, text, expected);
    return false;
}

bool dw_crew_serves (dw_crew_t *self, char *seen) {
    dw_crew_forget (self);
    uint64_t ticket = self->slots[0].next_ticket;
    dw_crew_begin (self, 0);
    dw_crew_add (self, 0, self->first, 1, "Still");
    if (!dw_crew_send (self, 0) || !dw_crew_await (self, 1, ANSWER_MS)) {
        dw_case_fail (seen, "after it a task is not answered any more");
        return false;
    }
    if (self->answers[0].ticket != ticket) {
        dw_case_fail (seen, "after it the answer is of ticket %llu, not %llu",
                      (unsigned long long) self->answers[0].ticket, (unsigned long long) ticket);
        return false;
    }
    return dw_crew_is_right (self, &self->answers[0], "Still", seen);
}
