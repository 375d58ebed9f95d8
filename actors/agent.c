/* agent.c - a worker process: the heart that says it is there, and its slots.
 *
 *     agent thread                                coordinator
 *       HELLO role, uuid, incarnation, slots  ->
 *                                             <-  WELCOME tokens, graph, a number for each slot
 *     (the slots say HELLO with their numbers, and work)
 *       BEAT every heartbeat                  ->
 *                                             <-  BEAT
 *       DRAIN                                 ->
 *                                             <-  STOP, when its slots have left
 *
 * No processor runs, or starts, on the agent's thread, so its silence is the silence of the
 * process. A coordinator that is silent for the time that WELCOME has told is lost: the slots end,
 * and the agent looks for it as a new incarnation, with a new socket, because ZeroMQ's own
 * reconnecting would bring nobody's messages. */

#include <errno.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <unistd.h>

#include "actors/children.h"
#include "actors/clock.h"
#include "actors/endpoint.h"
#include "actors/identity.h"
#include "actors/locate.h"
#include "actors/message.h"
#include "actors/offer.h"
#include "actors/option.h"
#include "actors/processors.h"
#include "runtime/core/error.h"

#define TIMEOUT_MS       3000 /* for the coordinator's first answer */
#define CLOSE_MS         5000
#define GRACE_MS         30000 /* for slots to finish what they are at */
#define BACKOFF_FIRST_MS 100
#define BACKOFF_MAX_MS   3000
#define SLOTS_MAX        65536u
#define CONTROL          "inproc://control"
#define SPARE_FILES      32u
#define MESSAGES_MAX     64         /* taken in at one time */
#define END_NS           1000000000 /* what slots have to end in when the coordinator was lost */

typedef enum s_wish_t { WISH_NONE, WISH_DRAIN, WISH_CLOSE } s_wish_t;

struct dw_agent_t {
    dw_agent_options_t options;
    char *asked_at; /* the endpoint that was given, */
    char *endpoint; /* and that of the graph */
    char *graph;    /* its name; NULL: the first */
    dw_link_keys_t keys;
    dw_processors_t *own_processors;
    dw_offer_t offer;
    void *context;
    void *control; /* the caller's end */
    int ended_fd;  /* an eventfd: the thread ends */
    dw_actor_t actor;
    int result;       /* the thread's, until it is joined */
    dw_error_t *last; /* the thread's: what went wrong last */

    /* The thread's own, but for the first connecting. */
    void *wishes; /* its end of control */
    dw_identity_t identity;
    dw_link_t link;
    dw_link_stop_t stop;     /* of connecting: the first time the caller's, later a wish */
    dw_squad_t *squad;       /* its slots, as threads, */
    dw_children_t *children; /* or as processes: while it is connected, one of the two */
    uint32_t peer;
    int64_t heartbeat_ns, silence_ns, heard_ns, beat_ns;
    int64_t drained_ns; /* when it was told to drain */
    s_wish_t wish;
    bool has_left_behind; /* slots, when the coordinator was lost */
    dw_packet_t packet;
};

static void s_notice (const dw_agent_t *self, const char *text) {
    if (self->options.notice)
        self->options.notice (self->options.notice_arg, text);
}

/* Tells what went wrong, a line each. */
static void s_notice_error (const dw_agent_t *self, const dw_error_t *error) {
    for (size_t i = 0; i < dw_error_count (error); i++)
        s_notice (self, dw_error_message (error, i));
}

/* ---- Errands ---------------------------------------------------------------------------------- */

/* Processors may take their time to start, so a thread of its own starts slots, and alone uses the
 * squad meanwhile. */
typedef struct s_errand_t {
    int (*run) (dw_agent_t *agent, struct s_errand_t *self);
    dw_agent_t *agent;
    const dw_squad_options_t *options; /* of new slots */
    uint32_t number;                   /* of a slot to be replaced */
    dw_error_t *error;
    int err;
} s_errand_t;

static int s_raise (dw_agent_t *agent, s_errand_t *self) {
    const char *const *command = agent->options.slot_command;
    return command ? dw_children_new (&agent->children, self->options, command, self->error)
                   : dw_squad_new (&agent->squad, self->options, self->error);
}

static int s_replace (dw_agent_t *agent, s_errand_t *self) {
    return agent->children ? dw_children_replace (agent->children, self->number, self->error)
                           : dw_squad_replace (agent->squad, self->number, self->error);
}

static int s_mend (dw_agent_t *agent, s_errand_t *self) {
    return agent->children ? dw_children_mend (agent->children, self->error)
                           : dw_squad_mend (agent->squad, self->error);
}

static bool s_has_cut_slots (const dw_agent_t *self) {
    return self->children ? dw_children_are_cut (self->children) : dw_squad_is_cut (self->squad);
}

/* Processes can be ended in any case, threads only when their processors return. */
static int s_end_slots (dw_agent_t *self, int64_t deadline_ns, dw_error_t *error) {
    dw_children_end (&self->children);
    return dw_squad_end (&self->squad, deadline_ns, error);
}

static void *s_errand_actor (void *args) {
    s_errand_t *self = args;
    self->err = self->run (self->agent, self);
    return NULL;
}

static void s_say (dw_agent_t *self, dw_wire_type_t type) {
    dw_write_uint (&self->packet.head, type);
    dw_write_uint (&self->packet.head, self->peer);
    dw_packet_send (&self->packet, self->link.socket, NULL, 0);
}

/* Says until it is done that the process is there. */
static int s_do (dw_agent_t *self, s_errand_t *errand) {
    dw_actor_t actor = {0};
    errand->agent = self;
    if (dw_actor_start (&actor, "dw-errand", 0, s_errand_actor, errand))
        return errand->run (self, errand);
    while (!dw_actor_join (&actor, dw_clock_ns () + self->heartbeat_ns))
        s_say (self, DW_WIRE_BEAT);
    return errand->err;
}

/* ---- Connecting ------------------------------------------------------------------------------- */

static int s_greet (void *arg) {
    dw_agent_t *self = arg;
    static const uint8_t no_token[DW_WIRE_TOKEN_SIZE];
    dw_wire_hello_t hello = {.version = DW_WIRE_VERSION,
                             .oldest = DW_WIRE_OLDEST,
                             .role = DW_WIRE_AGENT,
                             .token = no_token};
    dw_wire_agent_t agent = {.uuid = self->identity.uuid,
                             .incarnation = ++self->identity.incarnation,
                             .slots = self->options.slots,
                             .pid = (uint64_t) getpid (),
                             .host = self->identity.host,
                             .host_size = strlen (self->identity.host),
                             .processors_count = dw_offer_processors_count (&self->offer)};
    dw_write_hello (&self->packet.head, &hello);
    dw_write_agent (&self->packet.head, &agent);
    dw_offer_write (&self->offer, &self->packet.head);
    return dw_packet_send (&self->packet, self->link.socket, NULL, 0);
}

/* Starts what WELCOME asks for. */
static int s_on_welcome (dw_agent_t *self, dw_message_t *message, dw_wire_reader_t *reader,
                         dw_error_t *error) {
    dw_wire_welcome_t welcome;
    size_t size = 0;
    zmq_msg_t *frame;
    bool ok = dw_read_welcome (reader, &welcome) && welcome.workers_count == self->options.slots;
    const uint8_t *graph = ok ? dw_message_resolve (message, 0, &welcome.graph, reader, &size,
                                                    &frame)
                              : NULL;
    uint32_t *numbers = graph ? calloc (welcome.workers_count, sizeof *numbers) : NULL;
    for (uint32_t i = 0; numbers && i < welcome.workers_count; i++) {
        numbers[i] = dw_read_uint_max (reader, UINT32_MAX);
        reader->is_damaged |= i > 0 && numbers[i] <= numbers[i - 1];
    }
    uint64_t lanes = dw_read_uint (reader);
    dw_traits_t *traits = NULL;
    if (!numbers || reader->is_damaged || dw_traits_read (&traits, reader)) {
        free (numbers);
        return dw_error_add (error, DW_EREFUSED, DW_NOWHERE,
                             "the coordinator's WELCOME makes no sense");
    }
    self->peer = welcome.peer;
    self->heartbeat_ns = (int64_t) welcome.heartbeat_ms * 1000000;
    self->silence_ns = (int64_t) welcome.silence_ms * 1000000;
    dw_squad_options_t options = {.endpoint = self->endpoint,
                                  .keys = &self->keys,
                                  .processors = self->options.processors,
                                  .graph = graph,
                                  .graph_size = size,
                                  .digest = welcome.digest,
                                  .traits = traits,
                                  .lanes = lanes,
                                  .system = welcome.system,
                                  .token = welcome.token,
                                  .numbers = numbers,
                                  .slots = welcome.workers_count,
                                  .heartbeat_ms = welcome.heartbeat_ms,
                                  .silence_ms = welcome.silence_ms};
    int err = s_do (self, &(s_errand_t){.run = s_raise, .options = &options, .error = error});
    free (numbers);
    dw_traits_destroy (&traits);
    self->heard_ns = self->beat_ns = dw_clock_ns ();
    return err;
}

static int s_on_first_message (dw_agent_t *self, dw_message_t *message, dw_error_t *error) {
    dw_wire_reader_t reader = dw_wire_reader (zmq_msg_data (&message->frames[0]),
                                              zmq_msg_size (&message->frames[0]));
    uint32_t type = dw_read_uint_max (&reader, DW_WIRE_TYPES);
    if (type == DW_WIRE_WELCOME && !reader.is_damaged)
        return s_on_welcome (self, message, &reader, error);
    if (type == DW_WIRE_REFUSED && !reader.is_damaged)
        return dw_link_on_refused (&reader, error);
    return dw_error_add (error, DW_EREFUSED, DW_NOWHERE, "%s is no coordinator of dagwood",
                         self->endpoint);
}

/* Leaves a coordinator that is there, or not. */
static void s_disconnect (dw_agent_t *self) {
    if (self->link.socket && self->peer != UINT32_MAX) {
        dw_write_uint (&self->packet.head, DW_WIRE_BYE);
        dw_write_uint (&self->packet.head, self->peer);
        dw_packet_send (&self->packet, self->link.socket, NULL, 0);
    }
    self->peer = UINT32_MAX;
    dw_link_close (&self->link);
}

/* Errors: as dw_agent_open; nothing is left of the try. */
static int s_connect (dw_agent_t *self, dw_error_t *error) {
    dw_message_t message = {0};
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
    if (!err && dw_message_receive (&message, self->link.socket) == DW_OK)
        err = s_on_first_message (self, &message, error);
    else if (!err)
        err = dw_error_add (error, DW_EREFUSED, DW_NOWHERE, "%s sent nothing that can be read",
                            self->endpoint);
    dw_message_free (&message);
    if (err)
        s_disconnect (self);
    return err;
}

/* ---- Serving ---------------------------------------------------------------------------------- */

/* What the caller wishes; a wish to close overrides one to drain. Waits for one at most wait_ms. */
static void s_look_at_wishes (dw_agent_t *self, long wait_ms) {
    zmq_pollitem_t item = {.socket = self->wishes, .events = ZMQ_POLLIN};
    uint8_t wish;
    if (zmq_poll (&item, 1, wait_ms) <= 0)
        return;
    while (zmq_recv (self->wishes, &wish, sizeof wish, ZMQ_DONTWAIT) == (int) sizeof wish)
        if (wish > self->wish) {
            self->wish = (s_wish_t) wish;
            self->drained_ns = dw_clock_ns ();
            if (wish == WISH_DRAIN && (self->squad || self->children))
                s_say (self, DW_WIRE_DRAIN);
        }
}

static void s_do_and_tell (dw_agent_t *self, s_errand_t errand) {
    errand.error = dw_error_new ();
    if (s_do (self, &errand))
        s_notice_error (self, errand.error);
    dw_error_destroy (&errand.error);
}

static void s_say_ended (void *arg, const dw_wire_ended_t *ended) {
    dw_agent_t *self = arg;
    dw_write_uint (&self->packet.head, DW_WIRE_ENDED);
    dw_write_uint (&self->packet.head, self->peer);
    dw_write_ended (&self->packet.head, ended);
    dw_packet_send (&self->packet, self->link.socket, NULL, 0);
}

/* Another takes the place of a slot. One that cannot be had the coordinator hears of: else it would
 * wait for it. */
static void s_on_replace (dw_agent_t *self, uint32_t number) {
    s_errand_t errand = {.run = s_replace, .number = number, .error = dw_error_new ()};
    if (s_do (self, &errand)) {
        s_notice_error (self, errand.error);
        s_say_ended (self, &(dw_wire_ended_t){.number = number, .how = DW_WIRE_DOWN});
    }
    self->heard_ns = dw_clock_ns (); /* it has not listened meanwhile */
    dw_error_destroy (&errand.error);
}

/* The coordinator has put it out: it need not look for it again. */
static void s_on_put_out (dw_agent_t *self, dw_wire_reader_t *reader) {
    dw_error_t *error = dw_error_new ();
    self->result = dw_link_on_refused (reader, error);
    s_notice_error (self, error);
    dw_error_destroy (&error);
}

/* Takes in what has come, but not without end, and one replacement at most, which takes its time:
 * the coordinator must hear between two of them that it is there. True: the coordinator has told it
 * to end. */
static bool s_take_in (dw_agent_t *self) {
    dw_message_t message = {0};
    bool is_told = false, is_long = false;
    for (int i = 0; i < MESSAGES_MAX && !is_told && !is_long &&
                    dw_message_receive (&message, self->link.socket) == DW_OK;
         i++) {
        dw_wire_reader_t reader = dw_wire_reader (zmq_msg_data (&message.frames[0]),
                                                  zmq_msg_size (&message.frames[0]));
        uint32_t type = dw_read_uint_max (&reader, DW_WIRE_TYPES);
        self->heard_ns = dw_clock_ns ();
        uint32_t number = type == DW_WIRE_REPLACE ? dw_read_uint_max (&reader, UINT32_MAX) : 0;
        is_long = type == DW_WIRE_REPLACE && !reader.is_damaged;
        is_told = (type == DW_WIRE_STOP || type == DW_WIRE_REFUSED) && !reader.is_damaged;
        if (is_long)
            s_on_replace (self, number);
        else if (is_told && type == DW_WIRE_REFUSED)
            s_on_put_out (self, &reader);
    }
    dw_message_free (&message);
    return is_told;
}

/* Says that the process is there, and what each of its slots is at. */
static void s_beat (dw_agent_t *self) {
    uint32_t count = self->options.slots;
    const dw_wire_slot_t *slots = self->children ? dw_children_ask (self->children, &count)
                                                 : dw_squad_ask (self->squad);
    dw_write_uint (&self->packet.head, DW_WIRE_BEAT);
    dw_write_uint (&self->packet.head, self->peer);
    for (uint32_t i = 0; i < count; i++)
        dw_write_slot (&self->packet.head, &slots[i]);
    dw_packet_send (&self->packet, self->link.socket, NULL, 0);
}

/* Whether what was to be finished before it leaves has had its time. */
static bool s_is_grace_over (const dw_agent_t *self) {
    int64_t grace_ms = self->options.grace_ms ? self->options.grace_ms : GRACE_MS;
    return self->wish == WISH_DRAIN && grace_ms >= 0 &&
           dw_clock_ns () - self->drained_ns >= grace_ms * 1000000;
}

/* Until the coordinator ends it (true), or is lost, or the caller wishes to close. */
static bool s_serve (dw_agent_t *self) {
    for (;;) {
        int64_t now_ns = dw_clock_ns ();
        if (now_ns >= self->beat_ns) {
            s_beat (self);
            if (s_has_cut_slots (self)) /* though this connection is not */
                s_do_and_tell (self, (s_errand_t){.run = s_mend});
            self->beat_ns = now_ns + self->heartbeat_ns;
        }
        zmq_pollitem_t items[3] = {{.socket = self->link.socket, .events = ZMQ_POLLIN},
                                   {.socket = self->wishes, .events = ZMQ_POLLIN}};
        if (self->children)
            items[2] = (zmq_pollitem_t){.fd = dw_children_fd (self->children),
                                        .events = ZMQ_POLLIN};
        zmq_poll (items, self->children ? 3 : 2,
                  (long) ((self->beat_ns - now_ns + 999999) / 1000000));
        if (self->children)
            dw_children_look (self->children, s_say_ended, self);
        if (s_take_in (self))
            return true;
        s_look_at_wishes (self, 0);
        if (dw_link_is_cut (&self->link))
            return s_take_in (self); /* perhaps it was told to end before */
        if (self->children && dw_children_are_down (self->children)) {
            self->result = DW_EPROCESSOR;
            return false;
        }
        if (s_is_grace_over (self)) {
            s_notice (self, "the time to finish is over: what its slots are at is given back");
            return false;
        }
        if (self->wish == WISH_CLOSE || dw_clock_ns () - self->heard_ns >= self->silence_ns)
            return false;
    }
}

/* Looks for the coordinator again, less and less often. False: it is to end. */
static bool s_find_again (dw_agent_t *self) {
    int64_t begin_ns = dw_clock_ns (), for_ns = (int64_t) self->options.reconnect_ms * 1000000;
    long wait_ms = BACKOFF_FIRST_MS;
    while (self->wish == WISH_NONE &&
           (self->options.reconnect_ms < 0 || dw_clock_ns () - begin_ns < for_ns)) {
        dw_error_destroy (&self->last);
        self->last = dw_error_new ();
        dw_locate_anew (&self->options.coordinator, &self->asked_at, &self->endpoint);
        self->result = s_connect (self, self->last);
        if (self->result == DW_OK) {
            s_notice (self, "the coordinator is there again");
            return true;
        }
        bool is_early = self->graph && self->result == DW_EREFUSED; /* its graph may come yet */
        if (self->result != DW_ENOBODY && self->result != DW_ELIMIT && self->result != DW_ENOMEM &&
            self->result != DW_ECLOSED && !is_early)
            break; /* trying again would not help */
        self->result = DW_ELOST;
        s_look_at_wishes (self, wait_ms);
        wait_ms = 2 * wait_ms < BACKOFF_MAX_MS ? 2 * wait_ms : BACKOFF_MAX_MS;
    }
    if (self->wish == WISH_NONE || self->result != DW_ELOST)
        s_notice_error (self, self->last);
    else
        self->result = DW_OK;
    return false;
}

static void *s_agent_actor (void *args) {
    dw_agent_t *self = args;
    bool is_told = false;
    do {
        self->result = DW_ELOST;
        is_told = s_serve (self);
        if (is_told)
            self->peer = UINT32_MAX; /* it has forgotten this process, and needs no good-bye */
        if (self->result == DW_ELOST && (is_told || self->wish != WISH_NONE))
            self->result = DW_OK;
        else if (!is_told)
            s_notice (self,
                      self->result == DW_ELOST
                          ? "the coordinator was lost: what the slots were at is done elsewhere"
                          : "every slot is down: this worker ends");
        s_disconnect (self);
        if (is_told || self->result != DW_ELOST)
            break;
        self->has_left_behind |= s_end_slots (self, dw_clock_ns () + END_NS, NULL) == DW_ESTUCK;
    } while (s_find_again (self));
    zmq_close (self->wishes);
    self->wishes = NULL;
    eventfd_write (self->ended_fd, 1);
    return NULL;
}

/* ---- Made, waited for, ended ------------------------------------------------------------------ */

static int s_check_files (uint32_t slots, bool are_processes, dw_error_t *error) {
    struct rlimit limit;
    uint64_t need = (are_processes ? 5 : 4) * (uint64_t) slots + SPARE_FILES;
    if (getrlimit (RLIMIT_NOFILE, &limit) || limit.rlim_cur == RLIM_INFINITY ||
        need <= limit.rlim_cur)
        return DW_OK;
    return dw_error_add (
        error, DW_ELIMIT, DW_NOWHERE,
        "%u slots need %llu open files, and the limit (RLIMIT_NOFILE) is %llu: raise it (ulimit -n), "
        "or ask for fewer slots",
        (unsigned) slots, (unsigned long long) need, (unsigned long long) limit.rlim_cur);
}

static int s_make_control (dw_agent_t *self, dw_error_t *error) {
    self->ended_fd = eventfd (0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (self->ended_fd < 0)
        return dw_error_add (error, DW_ELIMIT, DW_NOWHERE,
                             "no descriptor for an agent: raise the limit of open files (%s)",
                             strerror (errno));
    self->context = zmq_ctx_new ();
    self->control = self->context ? zmq_socket (self->context, ZMQ_PAIR) : NULL;
    self->wishes = self->control ? zmq_socket (self->context, ZMQ_PAIR) : NULL;
    if (!self->wishes || !dw_option_set_int (self->control, ZMQ_LINGER, 0) ||
        !dw_option_set_int (self->wishes, ZMQ_LINGER, 0) ||
        dw_endpoint_bind_inproc (self->control, CONTROL, error) ||
        zmq_connect (self->wishes, CONTROL))
        return dw_error_add (error, DW_ELIMIT, DW_NOWHERE,
                             "no socket for an agent: raise the limit of open files (%s)",
                             zmq_strerror (errno));
    return DW_OK;
}

static int s_make (dw_agent_t *self, const dw_agent_options_t *options, dw_error_t *error) {
    self->options = *options;
    self->peer = UINT32_MAX;
    self->ended_fd = -1;
    if (!self->options.processors)
        self->options.processors = self->own_processors = dw_processors_new ();
    self->asked_at = strdup (options->coordinator.endpoint);
    self->endpoint = strdup (options->coordinator.endpoint);
    self->graph = options->coordinator.graph ? strdup (options->coordinator.graph) : NULL;
    self->last = dw_error_new ();
    if (!self->options.processors || !self->asked_at || !self->endpoint || !self->last ||
        !self->graph != !options->coordinator.graph)
        return dw_error_add (error, DW_ENOMEM, DW_NOWHERE, "out of memory");
    if (self->options.slots == 0)
        self->options.slots = dw_processors_lookup (self->options.processors).cpus_count;
    int err = dw_offer_set (&self->offer, self->options.processors, options->tags,
                            options->tags_count, error);
    if (err)
        return err;
    if (self->options.slots > SLOTS_MAX)
        return dw_error_add (error, DW_EINVAL, DW_NOWHERE, "an agent has at most %u slots",
                             SLOTS_MAX);
    err = dw_identity_make (&self->identity, options->name, options->incarnation, 0, error);
    if (err)
        return err;
    err = s_check_files (self->options.slots, self->options.slot_command, error);
    if (!err)
        err = dw_link_keys_read (&self->keys, &options->coordinator, error);
    if (!err)
        err = s_make_control (self, error);
    self->stop.fd = options->coordinator.stop_fd;
    if (!err)
        err = s_connect (self, error);
    self->stop = (dw_link_stop_t){.socket = self->wishes};
    if (!err && dw_actor_start (&self->actor, "dw-agent", 0, s_agent_actor, self))
        err = dw_error_add (
            error, DW_ELIMIT, DW_NOWHERE,
            "no thread for an agent: raise the limit of threads (RLIMIT_NPROC, ulimit -u) or of memory");
    return err;
}

int dw_agent_open (dw_agent_t **self_p, const dw_agent_options_t *options, dw_error_t *error) {
    if (!self_p || !options || !options->coordinator.endpoint)
        return dw_error_add (error, DW_EINVAL, DW_NOWHERE,
                             "an agent needs a coordinator's endpoint");
    dw_agent_t *self = calloc (1, sizeof *self);
    if (!self)
        return dw_error_add (error, DW_ENOMEM, DW_NOWHERE, "out of memory");
    int err = s_make (self, options, error);
    if (err)
        dw_agent_close (&self, 0, NULL);
    else
        *self_p = self;
    return err;
}

int dw_agent_wait (dw_agent_t *self, int timeout_ms) {
    int64_t deadline_ns = timeout_ms < 0 ? INT64_MAX
                                         : dw_clock_ns () + (int64_t) timeout_ms * 1000000;
    return dw_actor_join (&self->actor, deadline_ns) ? self->result : DW_ETIMEDOUT;
}

int dw_agent_fd (const dw_agent_t *self) {
    return self->ended_fd;
}

static void s_wish (dw_agent_t *self, s_wish_t wish) {
    uint8_t byte = (uint8_t) wish;
    zmq_send (self->control, &byte, sizeof byte, ZMQ_DONTWAIT);
}

void dw_agent_drain (dw_agent_t *self) {
    s_wish (self, WISH_DRAIN);
}

int dw_agent_close (dw_agent_t **self_p, int timeout_ms, dw_error_t *error) {
    dw_agent_t *self = *self_p;
    if (!self)
        return DW_OK;
    *self_p = NULL;
    if (self->actor.is_running)
        s_wish (self, WISH_CLOSE);
    dw_actor_join (
        &self->actor,
        INT64_MAX); /* it runs no processor, so this takes no longer than a try to connect */
    s_disconnect (self);
    int64_t deadline_ns = dw_clock_ns () +
                          (int64_t) (timeout_ms < 0 ? CLOSE_MS : timeout_ms) * 1000000;
    int err = s_end_slots (self, deadline_ns, error);
    if (!err && self->has_left_behind)
        err = dw_error_add (
            error, DW_ESTUCK, DW_NOWHERE,
            "a slot of before the coordinator was lost was left behind in its processor");
    if (self->wishes)
        zmq_close (self->wishes);
    if (self->control)
        zmq_close (self->control);
    if (self->context)
        zmq_ctx_term (self->context);
    if (self->ended_fd >= 0)
        close (self->ended_fd);
    dw_packet_free (&self->packet);
    dw_link_keys_wipe (&self->keys);
    dw_error_destroy (&self->last);
    if (!err) /* a slot that was left behind may still use them */
        dw_processors_destroy (&self->own_processors);
    dw_offer_free (&self->offer);
    free (self->asked_at);
    free (self->endpoint);
    free (self->graph);
    free (self);
    return err;
}
