/* locate.c - finds the endpoint of a graph. */

#include "actors/locate.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "actors/clock.h"
#include "actors/message.h"
#include "runtime/core/error.h"

#define TIMEOUT_MS 3000

/* What was said: where, and which graphs there are. */
typedef struct s_answer_t {
    bool is_known;
    uint32_t place;
    char *names[DW_GRAPHS_MAX];
    size_t count;
} s_answer_t;

/* People are shown it. */
static char *s_copy (const char *name, size_t size) {
    char *copy = strndup (name, size);
    if (copy)
        dw_error_tame (copy);
    return copy;
}

static int s_read_moved (s_answer_t *self, dw_wire_reader_t *reader) {
    self->is_known = !dw_read_nil (reader);
    if (self->is_known)
        self->place = dw_read_uint_max (reader, UINT16_MAX);
    uint32_t count = dw_read_array (reader);
    if (reader->is_damaged || count == 0 || count > DW_GRAPHS_MAX)
        return DW_EPROTOCOL;
    for (uint32_t i = 0; i < count; i++) {
        size_t size;
        const char *name = dw_read_str (reader, DW_GRAPH_NAME_MAX, &size);
        if (!name)
            return DW_EPROTOCOL;
        self->names[self->count] = s_copy (name, size);
        if (!self->names[self->count++])
            return DW_ENOMEM;
    }
    return DW_OK;
}

static void s_free (s_answer_t *self) {
    for (size_t i = 0; i < self->count; i++)
        free (self->names[i]);
    self->count = 0;
}

static int s_read (s_answer_t *self, void *socket, const char *endpoint, dw_error_t *error) {
    dw_message_t message = {0};
    int err = dw_message_receive (&message, socket);
    if (!err) {
        dw_wire_reader_t reader = dw_wire_reader (zmq_msg_data (&message.frames[0]),
                                                  zmq_msg_size (&message.frames[0]));
        uint32_t type = dw_read_uint_max (&reader, DW_WIRE_TYPES);
        if (type == DW_WIRE_MOVED && !reader.is_damaged)
            err = s_read_moved (self, &reader);
        else if (type == DW_WIRE_REFUSED && !reader.is_damaged)
            err = dw_link_on_refused (&reader, error);
        else
            err = DW_EPROTOCOL;
    }
    dw_message_free (&message);
    if (err == DW_EPROTOCOL)
        err = dw_error_add (error, DW_EREFUSED, DW_NOWHERE, "%s is no coordinator of dagwood",
                            endpoint);
    return err;
}

typedef struct s_question_t {
    dw_link_t link;
    dw_packet_t packet;
    const char *graph;
} s_question_t;

static int s_greet (void *arg) {
    s_question_t *self = arg;
    dw_write_uint (&self->packet.head, DW_WIRE_WHERE);
    dw_write_str (&self->packet.head, self->graph, strlen (self->graph));
    return dw_packet_send (&self->packet, self->link.socket, NULL, 0);
}

static int s_ask (s_answer_t *self, void *context, const char *endpoint, const dw_link_keys_t *keys,
                  const char *graph, int timeout_ms, const dw_link_stop_t *stop,
                  dw_error_t *error) {
    s_question_t question = {.graph = graph};
    int64_t deadline_ns = dw_clock_ns () +
                          (int64_t) (timeout_ms > 0 ? timeout_ms : TIMEOUT_MS) * 1000000;
    int err = dw_link_meet (&question.link, context, endpoint, keys, deadline_ns, stop, s_greet,
                            &question, error);
    if (!err)
        err = s_read (self, question.link.socket, endpoint, error);
    dw_packet_free (&question.packet);
    dw_link_close (&question.link);
    return err;
}

/* The endpoint with its port replaced, or a number behind its file; NULL: no memory. */
static char *s_move (const char *endpoint, uint32_t place) {
    char *moved = NULL;
    const char *colon = strrchr (endpoint, ':');
    if (place == 0)
        return strdup (endpoint);
    bool is_tcp = strncmp (endpoint, "tcp://", 6) == 0;
    int size = is_tcp ? (int) (colon - endpoint) : (int) strlen (endpoint);
    return asprintf (&moved, "%.*s%c%u", size, endpoint, is_tcp ? ':' : '.', (unsigned) place) < 0
               ? NULL
               : moved;
}

static int s_deny (const s_answer_t *self, const char *endpoint, const char *graph,
                   dw_error_t *error) {
    char list[512] = "";
    const char *nearest = NULL;
    size_t best = SIZE_MAX, at = 0;
    if (self->count == 1)
        return dw_error_add (error, DW_EREFUSED, DW_NOWHERE,
                             "the graph at %s is \"%s\", not \"%s\"", endpoint, self->names[0],
                             graph);
    for (size_t i = 0; i < self->count; i++) {
        dw_error_nearest (graph, self->names[i], &nearest, &best);
        if (at < sizeof list)
            at += (size_t) snprintf (list + at, sizeof list - at, "%s%s", i ? ", " : "",
                                     self->names[i]);
    }
    return dw_error_add (error, DW_EREFUSED, DW_NOWHERE,
                         "there is no graph \"%s\" at %s%s%s%s: it has %s", graph, endpoint,
                         nearest ? " (did you mean \"" : "", nearest ? nearest : "",
                         nearest ? "\"?)" : "", list);
}

/* Gives the names away. */
static int s_give_names (s_answer_t *self, char ***names_p, size_t *count_p, dw_error_t *error) {
    char **names = calloc (self->count + 1u, sizeof *names);
    if (!names)
        return dw_error_add (error, DW_ENOMEM, DW_NOWHERE, "out of memory");
    memcpy (names, self->names, self->count * sizeof *names);
    *names_p = names;
    *count_p = self->count;
    self->count = 0;
    return DW_OK;
}

int dw_locate (char **endpoint_p, void *context, const char *endpoint, const dw_link_keys_t *keys,
               const char *graph, int timeout_ms, const dw_link_stop_t *stop, char ***names_p,
               size_t *count_p, dw_error_t *error) {
    s_answer_t answer = {0};
    int err = s_ask (&answer, context, endpoint, keys, graph, timeout_ms, stop, error);
    if (!err && !answer.is_known)
        err = s_deny (&answer, endpoint, graph, error);
    char *found = err ? NULL : s_move (endpoint, answer.place);
    if (!err && !found)
        err = dw_error_add (error, DW_ENOMEM, DW_NOWHERE, "out of memory");
    if (!err && names_p)
        err = s_give_names (&answer, names_p, count_p, error);
    s_free (&answer);
    if (err)
        free (found);
    else {
        free (*endpoint_p);
        *endpoint_p = found;
    }
    return err;
}

int dw_graph_names (const dw_connect_options_t *options, char ***names_p, size_t *count_p,
                    dw_error_t *error) {
    dw_link_keys_t keys;
    char *found = NULL;
    dw_link_stop_t stop = {0};
    if (!options || !options->endpoint || !names_p || !count_p)
        return dw_error_add (error, DW_EINVAL, DW_NOWHERE, "whose graphs, and where to?");
    int err = dw_link_keys_read (&keys, options, error);
    if (err)
        return err;
    stop.fd = options->stop_fd;
    void *context = zmq_ctx_new ();
    err = context ? dw_locate (&found, context, options->endpoint, &keys, "", options->timeout_ms,
                               &stop, names_p, count_p, error)
                  : dw_error_add (error, DW_ELIMIT, DW_NOWHERE, "no context of ZeroMQ");
    if (context)
        zmq_ctx_term (context);
    dw_link_keys_wipe (&keys);
    free (found);
    return err;
}

void dw_locate_anew (const dw_connect_options_t *options, char **asked_at_p, char **endpoint_p) {
    char *where = options->where ? options->where (options->where_arg) : NULL;
    char *copy = where ? strdup (where) : NULL;
    if (!copy) {
        free (where);
        return;
    }
    free (*asked_at_p);
    free (*endpoint_p);
    *asked_at_p = where;
    *endpoint_p = copy;
}

void dw_graph_names_free (char ***names_p, size_t count) {
    for (size_t i = 0; *names_p && i < count; i++)
        free ((*names_p)[i]);
    free (*names_p);
    *names_p = NULL;
}
