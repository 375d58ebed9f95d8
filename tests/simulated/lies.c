/* lies.c - a peer that lies. */

#include "tests/simulated/lies.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/wire.h"
#include "tests/simulated/forged.h"
#include "tests/simulated/transcript.h"
#include "tests/support/verdict.h"
#include "tests/simulated/watch.h"

#define REMEMBERED 8u
#define LIES_NS    INT64_C (3000000000)
#define FAR        5000u /* above the credit of any worker */

/* Where the names stand in a head, whose type is at 0. */
enum {
    AT_PEER = 1, /* of what goes to the coordinator, */
    AT_ANSWERED_TICKET = 2,
    AT_SLOT = 2,
    AT_SUBMITTED_RUN = 2,
    AT_SENT_TICKET = 1, /* and what comes from there */
    AT_SENT_RUN,
    AT_SENT_NODE,
    AT_SENT_STEPS
};

/* Of answers: the last two only by who is helped when something of it is lost. */
typedef enum s_lie_t {
    LIE_TWICE,
    LIE_OF_LONG_AGO,
    LIE_OF_NO_TASK,
    LIE_OF_NO_NODE,
    LIE_CUT_SHORT,
    LIE_LATE
} s_lie_t;

/* Answers that were sent before, as bytes of their heads. */
static struct {
    struct {
        uint64_t connection;
        uint8_t *bytes;
        size_t size;
    } old[REMEMBERED];
    uint32_t count;
    struct { /* held back, to be sent behind the next one */
        pipe_t *pipe;
        packet_t *packet;
    } late;
    uint32_t nodes_count;
} s;

void lies_begin (const plot_t *plot) {
    memset (&s, 0, sizeof s);
    s.nodes_count = plot->graph->nodes_count;
}

void lies_end (void) {
    for (uint32_t i = 0; i < REMEMBERED; i++)
        free (s.old[i].bytes);
    if (s.late.packet)
        packet_free (s.late.packet);
    memset (&s, 0, sizeof s);
}

static void s_remember (const pipe_t *pipe, const packet_t *packet) {
    heap_t *before = heap_enter (NULL);
    size_t size = zmq_msg_size (&packet->frames[0]), at = s.count++ % REMEMBERED;
    free (s.old[at].bytes);
    s.old[at].bytes = malloc (size + 1);
    s.old[at].size = size;
    s.old[at].connection = pipe->connection;
    if (s.old[at].bytes)
        memcpy (s.old[at].bytes, zmq_msg_data (&packet->frames[0]), size);
    heap_enter (before);
}

/* By a pipe of which one end lies. packet NULL: that lie cannot be told. */
static void s_send (pipe_t *pipe, packet_t *packet) {
    process_t *liar = pipe->socket->process;
    if (!packet)
        return;
    if (!liar->lies)
        liar = pipe->peer->socket->process;
    liar->lies = false;
    network_send (pipe, packet);
    liar->lies = true;
}

static void s_send_late (void) {
    pipe_t *pipe = s.late.pipe;
    packet_t *packet = s.late.packet;
    s.late.packet = NULL;
    if (pipe->socket->is_closed)
        packet_free (packet);
    else
        s_send (pipe, packet);
}

static bool s_is (const packet_t *packet, dw_wire_type_t type) {
    zmq_msg_t *head = (zmq_msg_t *) (uintptr_t) &packet->frames[0];
    return zmq_msg_size (head) > 0 && *(const uint8_t *) zmq_msg_data (head) == type;
}

/* Nobody lies for ever: each lie takes its time to be found out, and runs are to end. */
static bool s_is_over (void) {
    return fibers_now_ns () > LIES_NS;
}

/* ---- Names of what there is not --------------------------------------------------------------- */

/* Just behind the last one, or far away. */
static uint32_t s_behind (uint32_t count) {
    random_t *random = fibers_random ();
    return random_one_in (random, 2) ? count : UINT32_MAX - 1 - random_below (random, FAR);
}

static uint64_t s_far_ticket (uint64_t ticket) {
    return ticket + FAR + random_below (fibers_random (), FAR);
}

/* That nobody waits for a task that was never sent. */
static packet_t *s_cancel_no_task (const packet_t *tasks) {
    uint64_t ticket;
    dw_writer_t head = {0};
    if (!forged_read (tasks, AT_SENT_TICKET, &ticket))
        return NULL;
    dw_write_uint (&head, DW_WIRE_CANCEL);
    dw_write_uint (&head, s_far_ticket (ticket));
    packet_t *packet = forged_head (head.bytes, head.count);
    dw_writer_free (&head);
    verdict->unknown_tickets++;
    return packet;
}

/* A task of a node that there is not, of more nodes than a chain can have, or of a graph that
 * nobody has brought. */
static packet_t *s_send_no_node (const packet_t *tasks) {
    uint64_t run;
    if (!forged_read (tasks, AT_SENT_RUN, &run))
        return NULL;
    uint32_t at = AT_SENT_RUN + random_below (fibers_random (), 3);
    if (at == AT_SENT_RUN) {
        verdict->unknown_runs++;
        return forged_number (tasks, at, run | DW_WIRE_ADDED_RUN | s_behind (FAR));
    }
    verdict->unknown_nodes++;
    bool is_added = run & DW_WIRE_ADDED_RUN; /* which may have more nodes */
    uint32_t count = is_added ? UINT32_MAX : s.nodes_count;
    return forged_number (tasks, at, s_behind (count) + (at == AT_SENT_STEPS && !is_added));
}

/* That something became of a slot that there is not. */
static void s_tell_of_no_slot (pipe_t *pipe, const packet_t *beat) {
    uint32_t number = s_behind (watch_places_count ());
    uint64_t peer, slot;
    if (!forged_read (beat, AT_SLOT, &slot) || !forged_read (beat, AT_PEER, &peer))
        return; /* it is no agent's */
    verdict->lies++;
    verdict->unknown_slots++;
    transcript_tell ("%s lies of slot %" PRIu32, pipe->socket->process->name, number);
    if (random_one_in (fibers_random (), 2)) {
        s_send (pipe, forged_number (beat, AT_SLOT, number));
        return;
    }
    dw_wire_ended_t ended = {.number = number, .how = DW_WIRE_SIGNALLED, .value = 9};
    dw_writer_t head = {0};
    dw_write_uint (&head, DW_WIRE_ENDED);
    dw_write_uint (&head, peer);
    dw_write_ended (&head, &ended);
    s_send (pipe, forged_head (head.bytes, head.count));
    dw_writer_free (&head);
}

/* That a node is to be cancelled that the run does not have which is just asked for. */
static void s_cancel_no_node (pipe_t *pipe, const packet_t *submit) {
    uint32_t node = s_behind (s.nodes_count);
    uint64_t peer, run;
    if (!forged_read (submit, AT_PEER, &peer) || !forged_read (submit, AT_SUBMITTED_RUN, &run))
        return;
    verdict->lies++;
    verdict->unknown_nodes++;
    transcript_tell ("%s lies of node %" PRIu32, pipe->socket->process->name, node);
    dw_writer_t head = {0};
    dw_write_uint (&head, DW_WIRE_ABORT);
    dw_write_uint (&head, peer);
    dw_write_uint (&head, run);
    dw_write_uint (&head, node);
    s_send (pipe, forged_head (head.bytes, head.count));
    dw_writer_free (&head);
}

/* ---- What it is sent -------------------------------------------------------------------------- */

bool lies_change (pipe_t *pipe, packet_t *packet) {
    random_t *random = fibers_random ();
    const process_t *process = pipe->peer->socket->process;
    if (!s_is (packet, DW_WIRE_TASKS) || s_is_over () || !random_one_in (random, 8))
        return false;
    static const char *const names[] = {"twice", "of no task", "cut short", "of no node"};
    uint32_t lie = random_below (random, process->loses ? 4 : 2);
    verdict->lies++;
    transcript_tell ("%s is lied to: %s", process->name, names[lie]);
    switch (lie) {
        case 0: s_send (pipe, forged_copy (packet)); return false;
        case 1: s_send (pipe, s_cancel_no_task (packet)); return false;
        case 2: s_send (pipe, forged_cut (packet)); break;
        default: s_send (pipe, s_send_no_node (packet)); break;
    }
    packet_free (packet);
    return true;
}

/* ---- What it sends ---------------------------------------------------------------------------- */

/* In another order: the one before it is sent behind it. */
static void s_hold_back (pipe_t *pipe, packet_t *packet) {
    if (s.late.packet) {
        s_send (pipe, packet);
        s_send_late ();
        return;
    }
    s.late.pipe = pipe;
    heap_t *before = heap_enter (NULL); /* its process may end before it is sent */
    s.late.packet = forged_copy (packet);
    heap_enter (before);
    packet_free (packet);
}

/* What it says of a task that it has must be believed, unless it makes no sense. */
static bool s_lie_of_answers (pipe_t *pipe, packet_t *packet, s_lie_t lie) {
    uint32_t old = random_below (fibers_random (), REMEMBERED);
    uint64_t ticket = 0;
    packet_t *nonsense;
    switch (lie) {
        case LIE_TWICE: s_send (pipe, forged_copy (packet)); return false;
        case LIE_OF_LONG_AGO: /* not of another slot of the same process, which might be true */
            if (s.old[old].bytes && s.old[old].connection == pipe->connection)
                s_send (pipe, forged_head (s.old[old].bytes, s.old[old].size));
            return false;
        case LIE_OF_NO_TASK:
            verdict->unknown_tickets++;
            if (forged_read (packet, AT_ANSWERED_TICKET, &ticket))
                s_send (pipe, forged_number (packet, AT_ANSWERED_TICKET, s_far_ticket (ticket)));
            return false;
        case LIE_OF_NO_NODE:
            nonsense = forged_output (packet);
            if (!nonsense)
                nonsense = forged_steps (packet, random_one_in (fibers_random (), 2));
            if (!nonsense)
                return false;
            verdict->unknown_nodes++;
            s_send (pipe, nonsense);
            packet_free (packet);
            return true;
        case LIE_CUT_SHORT:
            s_send (pipe, forged_cut (packet));
            packet_free (packet);
            return true;
        case LIE_LATE: s_hold_back (pipe, packet); return true;
    }
    return false;
}

bool lies_tell (pipe_t *pipe, packet_t *packet) {
    random_t *random = fibers_random ();
    bool loses = pipe->socket->process->loses;
    if (s_is (packet, DW_WIRE_BEAT) && !s_is_over () && random_one_in (random, 6))
        s_tell_of_no_slot (pipe, packet);
    if (s_is (packet, DW_WIRE_SUBMIT) && !s_is_over () && random_one_in (random, 2)) {
        packet_t *submit = forged_copy (packet);
        s_send (pipe, packet);
        s_cancel_no_node (pipe, submit);
        packet_free (submit);
        return true;
    }
    if (!s_is (packet, DW_WIRE_ANSWERS) || (s_is_over () && !(s.late.packet && loses)))
        return false;
    s_remember (pipe, packet);
    if (!s_is_over () && !random_one_in (random, 4))
        return false;
    s_lie_t lie = s_is_over ()
                      ? LIE_LATE
                      : (s_lie_t) random_below (random, loses ? LIE_LATE + 1 : LIE_CUT_SHORT);
    verdict->lies++;
    transcript_tell ("%s lies: %u", pipe->socket->process->name, (unsigned) lie);
    return s_lie_of_answers (pipe, packet, lie);
}
