/* exec_worker.c - a slot whose processors are programs.
 *
 *     thread                                        coordinator
 *       HELLO role solo, uuid, incarnation, names ->
 *                                                 <- WELCOME nodes                 a toolbox is made of these
 *       BEAT every heartbeat                      ->
 *                                                 <- TASKS, CANCEL
 *       ANSWERS                                   ->
 *       DRAIN, when it is told to                 ->
 *                                                 <- STOP
 *       BYE, when no tool is at a task            ->
 */

#include "actors/exec_worker.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "actors/actor.h"
#include "actors/clock.h"
#include "actors/identity.h"
#include "actors/link.h"
#include "actors/locate.h"
#include "actors/message.h"
#include "runtime/core/error.h"
#include "runtime/payload.h"

#define CREDIT           4096u
#define TIMEOUT_MS       3000 /* for the coordinator's first answer */
#define GRACE_MS         30000
#define BACKOFF_FIRST_MS 100
#define BACKOFF_MAX_MS   3000
#define MESSAGES_MAX     64 /* taken in at one time */

typedef enum s_wish_t { WISH_NONE, WISH_DRAIN = 1, WISH_CLOSE = 0x10000 } s_wish_t;

/* What a turn came to. */
typedef enum s_turn_t {
    TURN_ON,
    TURN_OVER,
    TURN_LOST, /* the coordinator is, */
    TURN_AGAIN /* or is there, and this worker is to come again: why has been said */
} s_turn_t;

struct dw_exec_worker_t {
    dw_exec_options_t options;
    char *asked_at, *endpoint, *graph;
    dw_link_keys_t keys;
    void *context;
    int ended_fd, wish_fd; /* eventfds: the thread ends; it is to drain or to close */
    dw_actor_t actor;
    int result; /* the thread's, until it is joined */

    /* The thread's own, but for the first connecting. */
    dw_identity_t identity;
    dw_link_t link;
    dw_link_stop_t stop; /* of connecting: the first time the caller's, later a wish */
    uint32_t peer;
    int64_t heartbeat_ns, silence_ns, heard_ns, beat_ns, drained_ns;
    bool is_draining, is_stopping, is_closing,
        was_told; /* was_told: DRAIN was said by this connection */
    dw_toolbox_t *toolbox;
    struct pollfd *polled; /* for the toolbox, behind two of its own */
    dw_packet_t packet;
    dw_message_t message;
};

static void s_notice (const dw_exec_worker_t *self, const char *text) {
    if (self->options.tools.notice)
        self->options.tools.notice (self->options.tools.notice_arg, text);
}

/* Tells what went wrong, a line each. */
static void s_notice_error (const dw_exec_worker_t *self, const dw_error_t *error) {
    for (size_t i = 0; i < dw_error_count (error); i++)
        s_notice (self, dw_error_message (error, i));
}

static void s_say (dw_exec_worker_t *self, dw_wire_type_t type) {
    dw_write_uint (&self->packet.head, type);
    dw_write_uint (&self->packet.head, self->peer);
    dw_packet_send (&self->packet, self->link.socket, NULL, 0);
}

/* ---- Connecting ------------------------------------------------------------------------------- */

static void s_write_text (dw_writer_t *head, const char *text) {
    dw_write_str (head, text, strlen (text));
}

static int s_greet (void *arg) {
    dw_exec_worker_t *self = arg;
    static const uint8_t no_token[DW_WIRE_TOKEN_SIZE];
    const dw_toolbox_options_t *tools = &self->options.tools;
    dw_writer_t *head = &self->packet.head;
    dw_write_hello (head, &(dw_wire_hello_t){.version = DW_WIRE_VERSION,
                                             .oldest = DW_WIRE_OLDEST,
                                             .role = DW_WIRE_SOLO,
                                             .token = no_token,
                                             .credit = CREDIT});
    dw_write_agent (head, &(dw_wire_agent_t){.uuid = self->identity.uuid,
                                             .incarnation = ++self->identity.incarnation,
                                             .slots = 1,
                                             .pid = (uint64_t) getpid (),
                                             .host = self->identity.host,
                                             .host_size = strlen (self->identity.host),
                                             .processors_count = (uint32_t) tools->count});
    for (size_t i = 0; i < tools->count; i++)
        s_write_text (head, tools->names[i]);
    dw_write_array (head, (uint32_t) self->options.tags_count);
    for (size_t i = 0; i < self->options.tags_count; i++) {
        s_write_text (head, self->options.tags[i].name);
        s_write_text (head, self->options.tags[i].value);
    }
    return dw_packet_send (&self->packet, self->link.socket, NULL, 0);
}

static int s_nonsense (const dw_exec_worker_t *self, dw_error_t *error) {
    return dw_error_add (error, DW_EREFUSED, DW_NOWHERE, "what %s answers makes no sense",
                         self->endpoint);
}

static int s_on_welcome (dw_exec_worker_t *self, dw_wire_reader_t *reader, dw_error_t *error) {
    dw_wire_solo_t welcome;
    zmq_msg_t *frame;
    size_t size = 0;
    bool ok = dw_read_solo (reader, &welcome);
    const uint8_t *nodes = ok ? dw_message_resolve (&self->message, 0, &welcome.nodes, reader,
                                                    &size, &frame)
                              : NULL;
    if (!nodes)
        return s_nonsense (self, error);
    dw_toolbox_options_t tools = self->options.tools;
    tools.max_payload_bytes = welcome.max_payload_bytes < UINT32_MAX
                                  ? (size_t) welcome.max_payload_bytes
                                  : UINT32_MAX;
    int err = dw_toolbox_new (&self->toolbox, &tools, nodes, size);
    if (err == DW_EPROTOCOL)
        return s_nonsense (self, error);
    if (!err)
        self->polled = calloc (dw_toolbox_watched (self->toolbox) + 2, sizeof *self->polled);
    if (err || !self->polled)
        return dw_error_add (error, DW_ENOMEM, DW_NOWHERE, "out of memory");
    self->peer = welcome.peer;
    self->heartbeat_ns = (int64_t) welcome.heartbeat_ms * 1000000;
    self->silence_ns = (int64_t) welcome.silence_ms * 1000000;
    self->heard_ns = dw_clock_ns ();
    self->beat_ns = 0;
    self->is_stopping = self->was_told = false;
    return DW_OK;
}

static int s_on_first_message (dw_exec_worker_t *self, dw_error_t *error) {
    dw_wire_reader_t reader = dw_wire_reader (zmq_msg_data (&self->message.frames[0]),
                                              zmq_msg_size (&self->message.frames[0]));
    uint32_t type = dw_read_uint_max (&reader, DW_WIRE_TYPES);
    if (type == DW_WIRE_WELCOME && !reader.is_damaged)
        return s_on_welcome (self, &reader, error);
    if (type == DW_WIRE_REFUSED && !reader.is_damaged)
        return dw_link_on_refused (&reader, error);
    return dw_error_add (error, DW_EREFUSED, DW_NOWHERE, "%s is no coordinator of dagwood",
                         self->endpoint);
}

/* BYE says that nothing was begun: while a tool is at a task that is not so, and silence says it
 * instead. */
static void s_disconnect (dw_exec_worker_t *self) {
    bool is_at_work = self->toolbox && dw_toolbox_is_at_work (self->toolbox);
    if (self->link.socket && self->peer != UINT32_MAX && !is_at_work)
        s_say (self, DW_WIRE_BYE);
    self->peer = UINT32_MAX;
    dw_link_close (&self->link);
    dw_toolbox_destroy (&self->toolbox);
    free (self->polled);
    self->polled = NULL;
}

/* Errors: as dw_exec_worker_open; nothing is left of the try. */
static int s_connect (dw_exec_worker_t *self, dw_error_t *error) {
    int timeout_ms = self->options.coordinator.timeout_ms > 0 ? self->options.coordinator.timeout_ms
                                                              : TIMEOUT_MS;
    int64_t deadline_ns = dw_clock_ns () + (int64_t) timeout_ms * 1000000;
    int err = DW_OK;
    if (self->graph) /* each time anew: a coordinator that was started again may have it elsewhere */
        err = dw_locate (&self->endpoint, self->context, self->asked_at, &self->keys, self->graph,
                         timeout_ms, &self->stop, NULL, NULL, error);
    if (err)
        return err;
    err = dw_link_meet (&self->link, self->context, self->endpoint, &self->keys, deadline_ns,
                        &self->stop, s_greet, self, error);
    if (!err && dw_message_receive (&self->message, self->link.socket) == DW_OK)
        err = s_on_first_message (self, error);
    else if (!err)
        err = s_nonsense (self, error);
    if (err)
        s_disconnect (self);
    return err;
}

/* ---- What comes in ---------------------------------------------------------------------------- */

/* Reads one task; false: it makes no sense, or there is no memory for it. */
static bool s_read_task (dw_exec_worker_t *self, dw_wire_reader_t *reader, uint64_t ticket) {
    dw_wire_task_t task;
    zmq_msg_t *frame;
    size_t size = 0;
    if (!dw_read_task (reader, &task) || task.payload.place || task.steps == 0)
        return false;
    const uint8_t *payload = dw_message_resolve (&self->message, 0, &task.payload, reader, &size,
                                                 &frame);
    for (uint32_t i = 0; i < 2 * task.dependencies_count && !reader->is_damaged; i++)
        dw_read_ref (reader); /* a program reads its payload alone */
    return payload && !reader->is_damaged && dw_payload_check (payload, size) == DW_OK &&
           dw_toolbox_push (self->toolbox, ticket, task.node, task.steps, payload, size) == DW_OK;
}

static s_turn_t s_on_tasks (dw_exec_worker_t *self, dw_wire_reader_t *reader) {
    uint64_t ticket = dw_read_uint (reader);
    for (; dw_wire_reader_has_more (reader); ticket++)
        if (!s_read_task (self, reader, ticket)) {
            s_notice (self, "the coordinator sent a task that makes no sense");
            return TURN_AGAIN; /* it cannot be answered: all is given back */
        }
    return TURN_ON;
}

static s_turn_t s_on_message (dw_exec_worker_t *self) {
    dw_wire_reader_t reader = dw_wire_reader (zmq_msg_data (&self->message.frames[0]),
                                              zmq_msg_size (&self->message.frames[0]));
    uint32_t type = dw_read_uint_max (&reader, DW_WIRE_TYPES);
    self->heard_ns = dw_clock_ns ();
    if (type == DW_WIRE_TASKS)
        return s_on_tasks (self, &reader);
    if (type == DW_WIRE_CANCEL) {
        uint64_t ticket = dw_read_uint (&reader);
        uint64_t steps = dw_wire_reader_has_more (&reader) ? dw_read_uint (&reader) : 0;
        if (!reader.is_damaged && steps == 0) /* else the first step is still waited for */
            dw_toolbox_cancel (self->toolbox, ticket);
    }
    if (type == DW_WIRE_STOP && !self->is_stopping) {
        self->is_stopping = true;
        self->drained_ns = self->is_draining ? self->drained_ns : self->heard_ns;
        dw_toolbox_stop (self->toolbox);
    }
    if (type == DW_WIRE_REFUSED) {
        dw_error_t *error = dw_error_new ();
        self->result = dw_link_on_refused (&reader, error);
        s_notice_error (self, error);
        dw_error_destroy (&error);
        self->peer = UINT32_MAX; /* it is put out, and need not look for it again */
        return TURN_OVER;
    }
    if (type == DW_WIRE_REPLACE) {
        self->peer = UINT32_MAX;
        s_notice (self,
                  "the coordinator gave up what the programs were at: this worker comes again");
        return TURN_AGAIN;
    }
    return TURN_ON;
}

static s_turn_t s_take_in (dw_exec_worker_t *self) {
    s_turn_t turn = TURN_ON;
    for (int i = 0; i < MESSAGES_MAX && turn == TURN_ON; i++) {
        int err = dw_message_receive (&self->message, self->link.socket);
        if (err == DW_EAGAIN)
            break;
        turn = err ? TURN_LOST : s_on_message (self);
    }
    return turn;
}

/* ---- What goes out ---------------------------------------------------------------------------- */

static void s_write_answer (dw_writer_t *head, const dw_toolbox_answer_t *answer) {
    static const dw_wire_answer_t ends[] = {[DW_TOOLBOX_DONE] = DW_WIRE_DONE,
                                            [DW_TOOLBOX_FAILED] = DW_WIRE_FAILED,
                                            [DW_TOOLBOX_RETURNED] = DW_WIRE_RETURNED};
    bool is_part = answer->end == DW_TOOLBOX_DONE && answer->steps > 1;
    dw_write_uint (head, answer->ticket);
    dw_write_uint (head, 0);
    dw_write_uint (head, is_part ? DW_WIRE_MORE : ends[answer->end]);
    dw_write_uint (head, answer->duration_ns);
    if (answer->end == DW_TOOLBOX_DONE) {
        dw_write_uint (head, 1);
        dw_write_bin (head, answer->bytes, answer->size);
        dw_write_nil (head);
    } else if (answer->end == DW_TOOLBOX_FAILED) {
        dw_write_uint (head, answer->code);
        dw_write_str (head, (const char *) answer->bytes, answer->size);
    }
    if (!is_part)
        return;
    dw_write_uint (head,
                   answer->ticket); /* of a chain the first is done, the others are given back */
    dw_write_uint (head, 1);
    dw_write_uint (head, DW_WIRE_RETURNED);
    dw_write_uint (head, 0);
}

static void s_answer (dw_exec_worker_t *self) {
    dw_toolbox_answer_t answer;
    dw_writer_t *head = &self->packet.head;
    while (dw_toolbox_next (self->toolbox, &answer)) {
        if (head->count == 0) {
            dw_write_uint (head, DW_WIRE_ANSWERS);
            dw_write_uint (head, self->peer);
        }
        s_write_answer (head, &answer);
        if (head->count >= DW_PACKET_FULL)
            dw_packet_send (&self->packet, self->link.socket, NULL, 0);
    }
    if (head->count > 0)
        dw_packet_send (&self->packet, self->link.socket, NULL, 0);
}

/* ---- The thread ------------------------------------------------------------------------------- */

static void s_look_at_wishes (dw_exec_worker_t *self) {
    eventfd_t wish = 0;
    if (eventfd_read (self->wish_fd, &wish) == 0) {
        self->is_closing |= wish >= WISH_CLOSE;
        if (!self->is_draining)
            self->drained_ns = dw_clock_ns ();
        self->is_draining = true;
    }
    if (self->is_draining && !self->was_told && self->peer != UINT32_MAX) {
        s_say (self, DW_WIRE_DRAIN);
        self->was_told = true;
    }
}

static bool s_is_grace_over (const dw_exec_worker_t *self, int64_t now_ns) {
    int64_t grace_ms = self->options.grace_ms ? self->options.grace_ms : GRACE_MS;
    return (self->is_draining || self->is_stopping) && grace_ms >= 0 &&
           now_ns - self->drained_ns >= grace_ms * 1000000;
}

/* Until something comes, from the socket, a tool or whoever wishes, or it is time for something.
 * ZeroMQ's descriptor tells only that something has changed, so the socket itself is asked before
 * it sleeps. */
static void s_sleep (dw_exec_worker_t *self, int64_t now_ns) {
    int64_t deadline_ns = self->beat_ns;
    int events = 0, fd = -1;
    size_t size = sizeof events, fd_size = sizeof fd;
    assert (self->polled);
    zmq_getsockopt (self->link.socket, ZMQ_FD, &fd, &fd_size);
    self->polled[0] = (struct pollfd){.fd = fd, .events = POLLIN};
    self->polled[1] = (struct pollfd){.fd = self->wish_fd, .events = POLLIN};
    size_t count = 2 + dw_toolbox_watch (self->toolbox, self->polled + 2, &deadline_ns);
    if (zmq_getsockopt (self->link.socket, ZMQ_EVENTS, &events, &size) == 0 &&
        (events & ZMQ_POLLIN))
        return;
    int64_t left_ns = deadline_ns > now_ns ? deadline_ns - now_ns : 0;
    struct timespec time = {.tv_sec = left_ns / 1000000000, .tv_nsec = left_ns % 1000000000};
    ppoll (self->polled, count, &time, NULL);
}

static s_turn_t s_turn (dw_exec_worker_t *self) {
    int64_t now_ns = dw_clock_ns ();
    if (now_ns >= self->beat_ns) {
        s_say (self, DW_WIRE_BEAT);
        self->beat_ns = now_ns + self->heartbeat_ns;
    }
    s_sleep (self, now_ns);
    s_turn_t turn = s_take_in (self);
    if (turn != TURN_ON)
        return turn;
    dw_toolbox_work (self->toolbox, dw_clock_ns ());
    s_answer (self);
    s_look_at_wishes (self);
    now_ns = dw_clock_ns ();
    if (self->is_closing || (self->is_stopping && !dw_toolbox_is_busy (self->toolbox)) ||
        s_is_grace_over (self, now_ns))
        return TURN_OVER; /* what is left is given back, or lost */
    bool is_cut = dw_link_is_cut (&self->link);
    return is_cut || now_ns - self->heard_ns >= self->silence_ns ? TURN_LOST : TURN_ON;
}

/* Looks for the coordinator again, less and less often. False: it is to end. */
static bool s_find_again (dw_exec_worker_t *self) {
    int64_t begin_ns = dw_clock_ns (), for_ns = (int64_t) self->options.reconnect_ms * 1000000;
    dw_error_t *error = NULL;
    int wait_ms = BACKOFF_FIRST_MS;
    self->result = DW_ELOST;
    while (!self->is_draining &&
           (self->options.reconnect_ms < 0 || dw_clock_ns () - begin_ns < for_ns)) {
        dw_error_destroy (&error);
        error = dw_error_new ();
        dw_locate_anew (&self->options.coordinator, &self->asked_at, &self->endpoint);
        self->result = s_connect (self, error);
        if (self->result == DW_OK)
            break;
        bool is_early = self->result == DW_EREFUSED; /* a place, or its graph, may come yet */
        if (self->result != DW_ENOBODY && self->result != DW_ELIMIT && self->result != DW_ENOMEM &&
            self->result != DW_ECLOSED && !is_early)
            break; /* trying again would not help */
        self->result = DW_ELOST;
        struct pollfd item = {.fd = self->wish_fd, .events = POLLIN};
        poll (&item, 1, wait_ms);
        s_look_at_wishes (self);
        wait_ms = 2 * wait_ms < BACKOFF_MAX_MS ? 2 * wait_ms : BACKOFF_MAX_MS;
    }
    if (self->result == DW_ELOST && self->is_draining)
        self->result = DW_OK;
    else if (self->result)
        s_notice_error (self, error);
    else
        s_notice (self, "the coordinator is there again");
    dw_error_destroy (&error);
    return self->result == DW_OK && self->peer != UINT32_MAX;
}

static void *s_exec_actor (void *args) {
    dw_exec_worker_t *self = args;
    s_turn_t turn;
    do {
        do
            turn = s_turn (self);
        while (turn == TURN_ON);
        if (turn == TURN_LOST)
            s_notice (self,
                      "the coordinator was lost: what the programs were at is done elsewhere");
        s_disconnect (self);
    } while (turn != TURN_OVER && s_find_again (self));
    eventfd_write (self->ended_fd, 1);
    return NULL;
}

/* ---- Made, waited for, ended ------------------------------------------------------------------ */

static int s_make (dw_exec_worker_t *self, const dw_exec_options_t *options, dw_error_t *error) {
    self->options = *options;
    self->peer = UINT32_MAX;
    self->asked_at = strdup (options->coordinator.endpoint);
    self->endpoint = strdup (options->coordinator.endpoint);
    self->graph = options->coordinator.graph ? strdup (options->coordinator.graph) : NULL;
    self->context = zmq_ctx_new ();
    self->ended_fd = eventfd (0, EFD_CLOEXEC | EFD_NONBLOCK);
    self->wish_fd = eventfd (0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (!self->asked_at || !self->endpoint || !self->graph != !options->coordinator.graph)
        return dw_error_add (error, DW_ENOMEM, DW_NOWHERE, "out of memory");
    if (!self->context || self->ended_fd < 0 || self->wish_fd < 0)
        return dw_error_add (error, DW_ELIMIT, DW_NOWHERE,
                             "no descriptor for a worker: raise the limit of open files (%s)",
                             strerror (errno));
    int err = dw_identity_make (&self->identity, options->name, options->incarnation, options->part,
                                error);
    if (!err)
        err = dw_link_keys_read (&self->keys, &options->coordinator, error);
    self->stop.fd = options->coordinator.stop_fd;
    if (!err)
        err = s_connect (self, error);
    self->stop = (dw_link_stop_t){.fd = self->wish_fd};
    if (!err && dw_actor_start (&self->actor, "dw-exec", 0, s_exec_actor, self))
        err = dw_error_add (
            error, DW_ELIMIT, DW_NOWHERE,
            "no thread for a worker: raise the limit of threads (RLIMIT_NPROC, ulimit -u) or of memory");
    return err;
}

int dw_exec_worker_open (dw_exec_worker_t **self_p, const dw_exec_options_t *options,
                         dw_error_t *error) {
    dw_exec_worker_t *self = calloc (1, sizeof *self);
    if (!self)
        return dw_error_add (error, DW_ENOMEM, DW_NOWHERE, "out of memory");
    self->ended_fd = self->wish_fd = -1;
    int err = s_make (self, options, error);
    if (err)
        dw_exec_worker_close (&self);
    else
        *self_p = self;
    return err;
}

int dw_exec_worker_wait (dw_exec_worker_t *self, int timeout_ms) {
    int64_t deadline_ns = timeout_ms < 0 ? INT64_MAX
                                         : dw_clock_ns () + (int64_t) timeout_ms * 1000000;
    return dw_actor_join (&self->actor, deadline_ns) ? self->result : DW_ETIMEDOUT;
}

int dw_exec_worker_fd (const dw_exec_worker_t *self) {
    return self->ended_fd;
}

void dw_exec_worker_drain (dw_exec_worker_t *self) {
    eventfd_write (self->wish_fd, WISH_DRAIN);
}

void dw_exec_worker_close (dw_exec_worker_t **self_p) {
    dw_exec_worker_t *self = *self_p;
    if (!self)
        return;
    *self_p = NULL;
    if (self->actor.is_running)
        eventfd_write (self->wish_fd, WISH_CLOSE);
    dw_actor_join (&self->actor, INT64_MAX);
    s_disconnect (self);
    if (self->context)
        zmq_ctx_term (self->context);
    if (self->ended_fd >= 0)
        close (self->ended_fd);
    if (self->wish_fd >= 0)
        close (self->wish_fd);
    dw_packet_free (&self->packet);
    dw_message_free (&self->message);
    dw_link_keys_wipe (&self->keys);
    free (self->asked_at);
    free (self->endpoint);
    free (self->graph);
    free (self);
}
