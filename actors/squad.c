/* squad.c - the slots of a worker process. */

#include "actors/squad.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <zmq.h>

#include "actors/clock.h"
#include "actors/endpoint.h"
#include "actors/option.h"
#include "runtime/pack.h"

#define SPARE_SOCKETS 16u
#define SLOT_SOCKETS  3u /* its DEALER, and both ends of its tether */

struct dw_squad_t {
    void *context;
    char *endpoint;
    const dw_link_keys_t *keys;
    dw_program_t *program;
    uint8_t token[DW_WIRE_TOKEN_SIZE];
    uint32_t *numbers;
    dw_worker_t **workers; /* by slot, as these are */
    void **tethers;        /* this end */
    dw_wire_slot_t *said;  /* what they said last */
    bool *are_asked;       /* and have not answered */
    uint32_t tethers_made;
    uint32_t slots;
    uint32_t heartbeat_ms, silence_ms;
    void (*ended) (void *arg);
    void *ended_arg;
    dw_worker_t *stuck[DW_WORKERS_STUCK_MAX];
    uint32_t stuck_count;
};

/* A new tether for a slot, whose former one may still hold it. */
static int s_tether (dw_squad_t *self, uint32_t slot, char *name, size_t size, dw_error_t *error) {
    static const dw_socket_option_t options[] = {DW_SOCKET_OPTION (ZMQ_LINGER, 0)};
    if (self->tethers[slot])
        zmq_close (self->tethers[slot]);
    self->said[slot] = (dw_wire_slot_t){.number = self->numbers[slot]};
    self->are_asked[slot] = false;
    snprintf (name, size, "inproc://tether-%u", (unsigned) self->tethers_made++);
    self->tethers[slot] = zmq_socket (self->context, ZMQ_PAIR);
    if (!self->tethers[slot])
        return dw_error_add (error, DW_ELIMIT, DW_NOWHERE,
                             "no socket for a slot (%s): raise the limit of open files (ulimit -n)",
                             zmq_strerror (errno));
    int err = dw_socket_options_set (self->tethers[slot], options, 1, error);
    return err ? err : dw_endpoint_bind_inproc (self->tethers[slot], name, error);
}

static int s_start (dw_squad_t *self, uint32_t slot, dw_error_t *error) {
    char tether[48];
    int err = s_tether (self, slot, tether, sizeof tether, error);
    if (err)
        return err;
    dw_worker_options_t options = {.context = self->context,
                                   .endpoint = self->endpoint,
                                   .program = self->program,
                                   .token = self->token,
                                   .keys = self->keys,
                                   .number = self->numbers[slot],
                                   .node = DW_NONE,
                                   .credit = DW_WORKER_CREDIT,
                                   .stack_bytes = DW_WORKER_STACK_BYTES,
                                   .heartbeat_ms = self->heartbeat_ms,
                                   .silence_ms = self->silence_ms,
                                   .tether = tether,
                                   .ended = self->ended,
                                   .ended_arg = self->ended_arg};
    return dw_worker_new (&self->workers[slot], &options, error);
}

int dw_squad_plan (dw_program_t **program_p, const dw_squad_options_t *options, dw_error_t *error) {
    dw_graph_t *graph = NULL;
    dw_program_t *program = NULL;
    int err = dw_unpack_graph (&graph, options->graph, options->graph_size, error);
    if (!err)
        err = dw_program_new_elsewhere (&program, graph, options->processors, options->traits,
                                        options->lanes, error);
    dw_graph_destroy (&graph);
    if (!err && dw_plan_digest (program->plan) != options->digest)
        err = dw_error_add (
            error, DW_EGRAPH, DW_NOWHERE,
            "the processors of this worker are not those of the coordinator: one of the same name says "
            "something else of itself (intent, brief, payload_only, may_skip, may_add), or the versions differ");
    if (err) {
        dw_program_destroy (&program);
        return err;
    }
    memcpy (program->token, options->system, DW_WIRE_TOKEN_SIZE);
    *program_p = program;
    return DW_OK;
}

static int s_make (dw_squad_t *self, const dw_squad_options_t *options, dw_error_t *error) {
    self->keys = options->keys;
    self->slots = options->slots;
    self->heartbeat_ms = options->heartbeat_ms;
    self->silence_ms = options->silence_ms;
    self->ended = options->ended;
    self->ended_arg = options->ended_arg;
    memcpy (self->token, options->token, sizeof self->token);
    self->endpoint = strdup (options->endpoint);
    self->numbers = calloc (self->slots + 1u, sizeof *self->numbers);
    self->workers = calloc (self->slots + 1u, sizeof *self->workers);
    self->tethers = calloc (self->slots + 1u, sizeof *self->tethers);
    self->said = calloc (self->slots + 1u, sizeof *self->said);
    self->are_asked = calloc (self->slots + 1u, sizeof *self->are_asked);
    if (!self->endpoint || !self->numbers || !self->workers || !self->tethers || !self->said ||
        !self->are_asked)
        return dw_error_add (error, DW_ENOMEM, DW_NOWHERE, "out of memory");
    memcpy (self->numbers, options->numbers, self->slots * sizeof *self->numbers);
    int err = dw_squad_plan (&self->program, options, error);
    if (err)
        return err;
    self->context = zmq_ctx_new ();
    if (!self->context)
        return dw_error_add (error, DW_ELIMIT, DW_NOWHERE, "no context of ZeroMQ: %s",
                             zmq_strerror (errno));
    err = dw_option_set_context (
        self->context, SLOT_SOCKETS * (self->slots + DW_WORKERS_STUCK_MAX) + SPARE_SOCKETS, 1,
        error);
    for (uint32_t slot = 0; slot < self->slots && !err; slot++)
        err = s_start (self, slot, error);
    return err;
}

int dw_squad_new (dw_squad_t **self_p, const dw_squad_options_t *options, dw_error_t *error) {
    dw_squad_t *self = calloc (1, sizeof *self);
    if (!self)
        return dw_error_add (error, DW_ENOMEM, DW_NOWHERE, "out of memory");
    int err = s_make (self, options, error);
    if (err)
        dw_squad_end (&self, INT64_MAX, NULL);
    else
        *self_p = self;
    return err;
}

const dw_wire_slot_t *dw_squad_ask (dw_squad_t *self) {
    for (uint32_t slot = 0; slot < self->slots; slot++) {
        dw_wire_slot_t said;
        while (self->tethers[slot] && zmq_recv (self->tethers[slot], &said, sizeof said,
                                                ZMQ_DONTWAIT) == (int) sizeof said) {
            self->said[slot] = said;
            self->are_asked[slot] = false;
        }
        if (self->are_asked[slot])
            self->said[slot].at = DW_WIRE_AT_SILENT;
        else if (self->tethers[slot])
            self->are_asked[slot] = zmq_send (self->tethers[slot], "", 1, ZMQ_DONTWAIT) == 1;
    }
    return self->said;
}

/* Frees those that were stuck and have ended after all. */
static void s_reap (dw_squad_t *self) {
    for (uint32_t i = 0; i < self->stuck_count;)
        if (dw_worker_join (self->stuck[i], dw_clock_ns ())) {
            dw_worker_destroy (&self->stuck[i]);
            self->stuck[i] = self->stuck[--self->stuck_count];
        } else
            i++;
}

int dw_squad_replace (dw_squad_t *self, uint32_t number, dw_error_t *error) {
    uint32_t slot = 0;
    while (slot < self->slots && self->numbers[slot] != number)
        slot++;
    if (slot == self->slots)
        return dw_error_add (error, DW_ENOENT, DW_NOWHERE, "there is no slot %u",
                             (unsigned) number);
    s_reap (self);
    /* Not waited for: meanwhile the agent would be silent. */
    if (self->workers[slot] && dw_worker_join (self->workers[slot], dw_clock_ns ()))
        dw_worker_destroy (&self->workers[slot]);
    if (self->workers[slot] && self->stuck_count == DW_WORKERS_STUCK_MAX)
        return dw_error_add (error, DW_ELIMIT, DW_NOWHERE,
                             "%u slots are stuck in their processors: slot %u stays empty",
                             DW_WORKERS_STUCK_MAX, (unsigned) slot);
    if (self->workers[slot])
        self->stuck[self->stuck_count++] = self->workers[slot];
    self->workers[slot] = NULL;
    return s_start (self, slot, error);
}

static bool s_is_cut (dw_worker_t *worker) {
    return worker && dw_worker_join (worker, dw_clock_ns ()) && dw_worker_was_cut (worker);
}

bool dw_squad_is_cut (const dw_squad_t *self) {
    for (uint32_t slot = 0; slot < self->slots; slot++)
        if (s_is_cut (self->workers[slot]))
            return true;
    return false;
}

int dw_squad_mend (dw_squad_t *self, dw_error_t *error) {
    int err = DW_OK;
    for (uint32_t slot = 0; slot < self->slots && !err; slot++)
        if (s_is_cut (self->workers[slot])) {
            dw_worker_destroy (&self->workers[slot]);
            err = s_start (self, slot, error);
        }
    return err;
}

bool dw_squad_join (dw_squad_t *self, int64_t deadline_ns) {
    bool all = true;
    for (uint32_t i = 0; self->workers && i < self->slots; i++)
        all &= !self->workers[i] || dw_worker_join (self->workers[i], deadline_ns);
    for (uint32_t i = 0; i < self->stuck_count; i++)
        all &= dw_worker_join (self->stuck[i], deadline_ns);
    return all;
}

/* All of them have ended. */
static void s_free (dw_squad_t *self) {
    for (uint32_t i = 0; self->workers && i < self->slots; i++)
        dw_worker_destroy (&self->workers[i]);
    for (uint32_t i = 0; i < self->stuck_count; i++)
        dw_worker_destroy (&self->stuck[i]);
    for (uint32_t i = 0; self->tethers && i < self->slots; i++)
        if (self->tethers[i])
            zmq_close (self->tethers[i]);
    if (self->context)
        zmq_ctx_term (self->context);
    free (self->tethers);
    free (self->said);
    free (self->are_asked);
    dw_program_destroy (&self->program);
    free (self->workers);
    free (self->numbers);
    free (self->endpoint);
    free (self);
}

static void *s_undertaker (void *args) {
    dw_squad_t *self = args;
    dw_squad_join (self, INT64_MAX);
    s_free (self);
    return NULL;
}

int dw_squad_end (dw_squad_t **self_p, int64_t deadline_ns, dw_error_t *error) {
    dw_squad_t *self = *self_p;
    if (!self)
        return DW_OK;
    *self_p = NULL;
    if (self->context)
        zmq_ctx_shutdown (self->context);
    if (dw_squad_join (self, deadline_ns)) {
        s_free (self);
        return DW_OK;
    }
    dw_actor_t undertaker = {0};
    if (dw_actor_start (&undertaker, "dw-undertaker", 0, s_undertaker, self) == DW_OK)
        dw_actor_leave (
            &undertaker); /* else it all stays allocated, which is better than to hang */
    return dw_error_add (error, DW_ESTUCK, DW_NOWHERE,
                         "a slot is still in its processor and was left behind");
}
