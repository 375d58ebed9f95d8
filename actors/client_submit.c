/* client_submit.c - what a client asks for: runs, detached ones, and their end. */

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistr.h>

#include "actors/client_self.h"
#include "actors/clock.h"
#include "runtime/core/error.h"
#include "runtime/payload.h"

/* Submissions travel together: a message of its own costs more than a short run. */
#define GATHERED_BYTES_MAX 65536u
#define NEAREST_AMONG      10000u /* nodes, among which one that was misspelt is looked for */
#define LAST_WORD_MS       250

/* ---- Submitting ------------------------------------------------------------------------------- */

/* Waits until there is room for one more run. */
static int s_wait_for_room (dw_client_t *self, int wait_ms, dw_error_t *error) {
    dw_client_patience_t patience = dw_client_patience (self, wait_ms);
    int err = DW_OK;
    while (!err && self->flights.count >= self->runs_max)
        err = dw_client_await (self, &patience, error);
    if (!err && !dw_flights_reserve (&self->flights))
        err = DW_ENOMEM;
    if (err == DW_ETIMEDOUT)
        return dw_error_add (error, DW_EAGAIN, DW_NOWHERE,
                             "%u runs are in flight, as many as runs_max allows",
                             (unsigned) self->flights.count);
    if (err)
        dw_error_add (error, err, DW_NOWHERE, "the run was not submitted: %s", dw_err_text (err));
    return err;
}

#define BLOCK 32u

static bool s_is_ascii (const uint8_t *block) {
    uint64_t words[BLOCK / 8];
    memcpy (words, block, sizeof words);
    return !((words[0] | words[1] | words[2] | words[3]) & UINT64_C (0x8080808080808080));
}

/* Whether bytes are UTF-8. Blocks of ASCII, which most texts consist of, are passed over: no
 * character goes on into one, so what is between two of them is looked at by itself. */
static bool s_is_utf8 (const uint8_t *bytes, size_t size) {
    const uint8_t *at = bytes, *end = bytes + size,
                  *from = bytes; /* what is before from is UTF-8 */
    for (; (size_t) (end - at) >= BLOCK; at += BLOCK) {
        if (!s_is_ascii (at))
            continue;
        if (from != at && u8_check (from, (size_t) (at - from)))
            return false;
        from = at + BLOCK;
    }
    return from == end || !u8_check (from, (size_t) (end - from));
}

/* What is put before the payload: of a text its head, else nothing. */
typedef struct s_head_t {
    uint8_t bytes[DW_PAYLOAD_HEAD_MAX];
    size_t size;
} s_head_t;

/* Checks the payload and makes its head. */
static int s_check_payload (const dw_client_t *self, const dw_submission_t *submission,
                            s_head_t *head, dw_error_t *error) {
    size_t size = submission->size;
    head->size = 0;
    if (submission->is_text && size <= self->max_payload_bytes)
        head->size = s_is_utf8 (submission->payload, size)
                         ? dw_payload_text_head (head->bytes, size)
                         : dw_payload_bytes_head (head->bytes, size);
    if (size + head->size > self->max_payload_bytes)
        return dw_error_add (
            error, DW_ETOOLARGE, DW_NOWHERE,
            "the input has %zu bytes, which is more than max_payload_bytes (%llu): "
            "raise it in the graph's executor_options",
            size + head->size, (unsigned long long) self->max_payload_bytes);
    if (!submission->is_text && dw_payload_check (submission->payload, size))
        return dw_error_add (error, DW_EPROTOCOL, DW_NOWHERE,
                             "the payload is not exactly one msgpack value");
    return DW_OK;
}

static void s_copy_payload (uint8_t *to, const dw_submission_t *submission, const s_head_t *head) {
    memcpy (to, head->bytes, head->size);
    if (submission->size)
        memcpy (to + head->size, submission->payload, submission->size);
}

/* Makes the payload: the caller's message. */
static int s_make_payload (const dw_submission_t *submission, const s_head_t *head,
                           zmq_msg_t *message, dw_error_t *error) {
    if (zmq_msg_init_size (message, head->size + submission->size)) {
        zmq_msg_init (message);
        return dw_error_add (error, DW_ENOMEM, DW_NOWHERE, "out of memory");
    }
    s_copy_payload (zmq_msg_data (message), submission, head);
    return DW_OK;
}

/* The node of this id, which is wanted for something; -1: there is none, and error says which is
 * nearest. */
static int s_find_node (const dw_client_t *self, const char *id, const char *what,
                        dw_error_t *error) {
    const dw_roster_t *names = self->names;
    const char *nearest = NULL;
    size_t distance = SIZE_MAX;
    int node = dw_roster_find (names, id);
    if (node >= 0)
        return node;
    for (uint32_t i = 0; i < names->count && i < NEAREST_AMONG; i++)
        dw_error_nearest (id, names->ids[i], &nearest, &distance);
    dw_error_add (error, DW_ENOENT, DW_NOWHERE, "the graph has no node \"%s\" %s%s%s%s", id, what,
                  nearest ? "; did you mean \"" : "", nearest ? nearest : "", nearest ? "\"?" : "");
    return -1;
}

static int s_find_outputs (dw_client_t *self, const dw_submission_t *submission,
                           dw_submitted_t *submitted, dw_error_t *error) {
    if (submission->outputs_count == 0)
        return DW_OK;
    submitted->outputs = calloc (submission->outputs_count, sizeof *submitted->outputs);
    if (!submitted->outputs)
        return dw_error_add (error, DW_ENOMEM, DW_NOWHERE, "out of memory");
    submitted->outputs_count = (uint32_t) submission->outputs_count;
    for (size_t i = 0; i < submission->outputs_count; i++) {
        int node = s_find_node (self, submission->outputs[i], "to be an output", error);
        if (node < 0)
            return DW_ENOENT;
        submitted->outputs[i] = (uint32_t) node;
    }
    return DW_OK;
}

/* What a coordinator elsewhere has said already: that it closes, perhaps. */
static int s_hear (dw_client_t *self) {
    int err = DW_OK;
    int64_t until_ns = INT64_MAX;
    for (size_t left = (size_t) self->flights.count + DW_CLIENT_LATE_MAX; !err && left > 0; left--)
        err = dw_client_take_in (self, NULL);
    if (err == DW_EAGAIN)
        dw_client_look_after (self, dw_clock_ns (), &until_ns);
    return self->gone;
}

int dw_client_send_gathered (dw_client_t *self) {
    if (self->gathered.records == 0 || !dw_client_is_tied (self))
        return DW_OK;
    int err = dw_packet_send (&self->gathered, self->socket, NULL, 0);
    if (err && !self->gone)
        self->gone = err;
    return err;
}

static bool s_is_full (const dw_packet_t *gathered) {
    return gathered->records >= DW_WIRE_TOGETHER_MAX ||
           gathered->head.count >= GATHERED_BYTES_MAX || gathered->bytes >= DW_PACKET_FULL;
}

/* Puts a small payload, and later a run's other words, where they travel, without a message of
 * their own in between. */
static int s_add_payload (dw_client_t *self, const dw_submission_t *submission,
                          const s_head_t *head, dw_error_t *error) {
    size_t size = head->size + submission->size;
    if (size <= DW_WIRE_INLINE_MAX) {
        uint8_t small[DW_WIRE_INLINE_MAX];
        s_copy_payload (small, submission, head);
        dw_packet_add (&self->gathered, small, size, NULL);
        return DW_OK;
    }
    zmq_msg_t message;
    int err = s_make_payload (submission, head, &message, error);
    if (!err)
        dw_packet_add (&self->gathered, zmq_msg_data (&message), size, &message);
    zmq_msg_close (&message);
    return err;
}

/* Appends a run to those that wait to be sent to a system in this process, which cannot be away.
 * When it fails nothing of the run stays. */
static int s_gather (dw_client_t *self, const dw_submission_t *submission, const s_head_t *head,
                     uint64_t run, dw_error_t *error) {
    dw_packet_t *packet = &self->gathered;
    size_t head_count = packet->head.count;
    uint32_t count = packet->count;
    dw_submitted_t asked = {.kind = DW_SUBMITTED_RUN, .deadline_ms = submission->deadline_ms};
    int err = s_find_outputs (self, submission, &asked, error);
    if (!err) {
        dw_submitted_begin (&asked, packet, self->peer, run);
        err = s_add_payload (self, submission, head, error);
        dw_submitted_end (&asked, packet);
    }
    free (asked.outputs);
    if (!err && packet->head.no_memory)
        err = dw_error_add (error, DW_ENOMEM, DW_NOWHERE, "out of memory");
    if (err) {
        dw_packet_rewind (packet, head_count, count);
        return err;
    }
    packet->records++;
    dw_flights_add (&self->flights, run);
    return DW_OK;
}

/* Keeps what is asked of a system elsewhere, so that it can be asked again; and appends it to what
 * waits, or where it has a message of its own, sends it. A system that is away is asked when it is
 * there again. */
static int s_keep (dw_client_t *self, dw_submitted_t *submitted, uint64_t run) {
    bool is_run = submitted->kind == DW_SUBMITTED_RUN;
    dw_submitted_t *kept = dw_submitted_keep (submitted);
    int err = kept ? DW_OK : DW_ENOMEM;
    if (!err && dw_client_is_tied (self)) {
        dw_packet_t *packet = is_run ? &self->gathered : &self->packet;
        err = is_run ? DW_OK : dw_client_send_gathered (self);
        if (!err)
            dw_submitted_write (kept, packet, self->peer, run);
        if (!err && !is_run)
            err = dw_packet_send (packet, self->socket, NULL, 0);
    }
    if (err) {
        dw_submitted_destroy (&kept);
        return err;
    }
    dw_flights_add (&self->flights, run);
    *dw_flights_value (&self->flights, run) = kept;
    return DW_OK;
}

static int s_submit_elsewhere (dw_client_t *self, const dw_submission_t *submission,
                               dw_submitted_kind_t kind, const s_head_t *head, uint64_t run,
                               dw_error_t *error) {
    dw_submitted_t submitted = {.kind = kind, .deadline_ms = submission->deadline_ms};
    int err = s_make_payload (submission, head, &submitted.payload, error);
    if (!err)
        err = s_find_outputs (self, submission, &submitted, error);
    if (!err) {
        err = s_keep (self, &submitted, run);
        if (err)
            dw_error_add (error, err, DW_NOWHERE, "the run was not submitted: %s",
                          dw_err_text (err));
    }
    dw_submitted_clear (&submitted);
    return err;
}

/* Makes what is asked for and sends it; its number becomes that of the run given last. */
static int s_submit (dw_client_t *self, const dw_submission_t *submission, dw_submitted_kind_t kind,
                     dw_error_t *error) {
    uint64_t run = submission->number ? submission->number : self->run + 1;
    s_head_t head;
    if (submission->outputs_count > self->names->count)
        return dw_error_add (error, DW_EINVAL, DW_NOWHERE,
                             "more outputs are named than the graph has nodes");
    if (run <= self->run)
        return dw_error_add (error, DW_EINVAL, DW_NOWHERE,
                             "a run's number must be larger than those before it");
    int err = self->remote ? s_hear (self) : DW_OK;
    if (!err)
        err = s_wait_for_room (self, submission->wait_ms, error);
    if (!err)
        err = s_check_payload (self, submission, &head, error);
    if (!err)
        err = self->remote ? s_submit_elsewhere (self, submission, kind, &head, run, error)
                           : s_gather (self, submission, &head, run, error);
    if (err)
        return err;
    self->run = run;
    if (submission->more && submission->size < GATHERED_BYTES_MAX && !s_is_full (&self->gathered))
        return DW_OK;
    err = dw_client_send_gathered (self);
    if (err) {
        dw_client_land (self, run);
        dw_error_add (error, err, DW_NOWHERE, "the run was not submitted: %s", dw_err_text (err));
    }
    return err;
}

int dw_client_submit (dw_client_t *self, const dw_submission_t *submission, uint64_t *run_p,
                      dw_error_t *error) {
    int err = s_submit (self, submission, DW_SUBMITTED_RUN, error);
    if (!err && run_p)
        *run_p = self->run;
    return err;
}

/* ---- Detached --------------------------------------------------------------------------------- */

/* Whether the coordinator has said what it had to say to what was asked for as this run. */
static bool s_is_answered (const dw_client_t *self, uint64_t run) {
    if (!dw_flights_has (&self->flights, run))
        return true;
    const dw_submitted_t *submitted = *dw_flights_value (&self->flights, run);
    return submitted->is_accepted;
}

/* Who is told to stop waits a moment for an answer that may be on its way. */
static int s_await_answer (dw_client_t *self, uint64_t run, int timeout_ms, dw_error_t *error) {
    dw_client_patience_t patience = dw_client_patience (self, timeout_ms);
    int err = DW_OK;
    bool was_stopped = false;
    self->remote->heeds_stop = true;
    while (!err && !s_is_answered (self, run)) {
        err = dw_client_await (self, &patience, error);
        if (err == DW_ECLOSED && !self->gone) {
            was_stopped = true;
            self->remote->heeds_stop = false;
            patience = dw_client_patience (self, LAST_WORD_MS);
            err = DW_OK;
        }
    }
    self->remote->heeds_stop = false;
    if (err == DW_ETIMEDOUT && was_stopped)
        err = DW_ECLOSED;
    if (err)
        dw_client_land (self, run); /* nobody waits for it */
    if (err && dw_error_code (error) == DW_OK)
        dw_error_add (error, err, DW_NOWHERE, "no word of the run: %s", dw_err_text (err));
    return err;
}

static void s_write_name (const uint8_t *uuid, uint64_t number, char name[DW_RUN_NAME_SIZE]) {
    for (unsigned i = 0; i < DW_WIRE_UUID_SIZE; i++)
        snprintf (name + 2 * i, 3, "%02x", (unsigned) uuid[i]);
    snprintf (name + 2 * DW_WIRE_UUID_SIZE, DW_RUN_NAME_SIZE - 2 * DW_WIRE_UUID_SIZE, "-%" PRIu64,
              number);
}

/* -1: it is none. */
static int s_digit (char c) {
    return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* A name as it was written, and nothing else. */
static bool s_read_name (const char *name, uint8_t *uuid, uint64_t *number) {
    char again[DW_RUN_NAME_SIZE];
    for (unsigned i = 0; i < 2 * DW_WIRE_UUID_SIZE; i++) {
        int digit = s_digit (name[i]);
        if (digit < 0)
            return false;
        uuid[i / 2] = (uint8_t) (i % 2 ? uuid[i / 2] | digit : digit << 4);
    }
    if (name[2 * DW_WIRE_UUID_SIZE] != '-')
        return false;
    *number = strtoull (name + 2 * DW_WIRE_UUID_SIZE + 1, NULL, 10);
    s_write_name (uuid, *number, again);
    return strcmp (name, again) == 0;
}

static int s_check_elsewhere (const dw_client_t *self, dw_error_t *error) {
    return self->remote ? DW_OK
                        : dw_error_add (error, DW_EINVAL, DW_NOWHERE,
                                        "runs are detached of systems in other processes alone");
}

int dw_client_detach (dw_client_t *self, const dw_submission_t *submission, int timeout_ms,
                      char name[DW_RUN_NAME_SIZE], dw_error_t *error) {
    int err = s_check_elsewhere (self, error);
    if (!err)
        err = s_submit (self, submission, DW_SUBMITTED_DETACHED, error);
    uint64_t run = self->run;
    if (!err)
        err = s_await_answer (self, run, timeout_ms, error);
    if (!err)
        s_write_name (self->remote->uuid, run, name);
    return err;
}

int dw_client_take_up (dw_client_t *self, const char *name, int timeout_ms, uint64_t *run_p,
                       dw_error_t *error) {
    dw_submitted_t submitted = {.kind = DW_SUBMITTED_CLAIM};
    zmq_msg_init (&submitted.payload);
    int err = s_check_elsewhere (self, error);
    if (!err && !s_read_name (name, submitted.uuid, &submitted.number))
        err = dw_error_add (error, DW_EINVAL, DW_NOWHERE, "\"%s\" is no name of a run", name);
    if (!err)
        err = s_hear (self);
    if (!err)
        err = s_wait_for_room (self, timeout_ms, error);
    if (!err)
        err = s_keep (self, &submitted, self->run + 1);
    dw_submitted_clear (&submitted);
    if (err)
        return err;
    uint64_t run = ++self->run;
    err = s_await_answer (self, run, timeout_ms, error);
    if (!err)
        *run_p = run;
    return err;
}

int dw_client_cancel (dw_client_t *self, uint64_t run) {
    if (run == DW_EVERY_RUN ? self->flights.count == 0 : !dw_flights_has (&self->flights, run))
        return DW_ENOENT;
    for (uint32_t i = 0; self->remote && i < self->flights.size; i++)
        if (self->flights.runs[i] && (run == DW_EVERY_RUN || self->flights.runs[i] == run))
            ((dw_submitted_t *) self->flights.values[i])->is_cancelled = true;
    if (!dw_client_is_tied (self))
        return DW_OK; /* it is told when it is there again */
    int err = dw_client_send_gathered (self);
    if (err)
        return err;
    return dw_submitted_abort (&self->packet, self->socket, self->peer, run, DW_EVERY_NODE);
}

int dw_client_cancel_node (dw_client_t *self, uint64_t run, const char *id, dw_error_t *error) {
    if (run == DW_EVERY_RUN || !dw_flights_has (&self->flights, run))
        return dw_error_add (error, DW_ENOENT, DW_NOWHERE, "there is no run %llu in flight",
                             (unsigned long long) run);
    int node = s_find_node (self, id, "to be cancelled", error);
    if (node < 0)
        return DW_ENOENT;
    if (self->remote &&
        !dw_submitted_note_cancelled (*dw_flights_value (&self->flights, run), (uint32_t) node))
        return dw_error_add (error, DW_ENOMEM, DW_NOWHERE, "out of memory");
    if (!dw_client_is_tied (self))
        return DW_OK; /* it is told when it is there again */
    int err = dw_client_send_gathered (self);
    if (!err)
        err = dw_submitted_abort (&self->packet, self->socket, self->peer, run, (uint32_t) node);
    return err ? dw_error_add (error, err, DW_NOWHERE, "the node was not cancelled: %s",
                               dw_err_text (err))
               : DW_OK;
}
