/* coordinator_graphs.c - where the graph is that somebody asks for: here, or with another
 * coordinator of this process.
 *
 * A graph is a system of its own, with a coordinator, limits and an endpoint of its own, so that
 * nobody's flood of runs holds up another graph. Who knows the endpoint of the first one asks it
 * where a graph is, before HELLO. */

#include "actors/coordinator_self.h"
#include "actors/locate.h"

/* The place of the graph of this name among those elsewhere; 0: it is not there. */
static uint32_t s_find (const dw_coordinator_t *self, const char *name, size_t size) {
    dw_wire_reader_t reader = dw_wire_reader (self->elsewhere.bytes, self->elsewhere.count);
    for (uint32_t i = 0; i < self->elsewhere_count; i++) {
        size_t there_size;
        const char *there = dw_read_str (&reader, DW_GRAPH_NAME_MAX, &there_size);
        uint32_t place = dw_read_uint_max (&reader, UINT16_MAX);
        if (there_size == size && memcmp (there, name, size) == 0)
            return place;
    }
    return 0;
}

static void s_write_names (dw_coordinator_t *self) {
    dw_writer_t *head = &self->reply.head;
    dw_wire_reader_t reader = dw_wire_reader (self->elsewhere.bytes, self->elsewhere.count);
    dw_write_array (head, 1 + self->elsewhere_count);
    dw_write_str (head, self->options.name, strlen (self->options.name));
    for (uint32_t i = 0; i < self->elsewhere_count; i++) {
        size_t size;
        const char *name = dw_read_str (&reader, DW_GRAPH_NAME_MAX, &size);
        dw_read_uint (&reader);
        dw_write_str (head, name, size);
    }
}

void dw_coordinator_on_where (dw_coordinator_t *self, uint32_t router, dw_wire_reader_t *reader) {
    size_t size, own_size = strlen (self->options.name);
    const char *name = dw_read_str (reader, DW_GRAPH_NAME_MAX, &size);
    if (router != self->listen_router) {
        self->peers.unknown_count++;
        return;
    }
    if (!name) {
        dw_coordinator_refuse (self, router, 400, "that asks for no graph");
        return;
    }
    if (!dw_coordinator_is_listed (self)) {
        dw_coordinator_refuse (self, router, 403, "this key is not in the list of allowed keys");
        return;
    }
    bool is_here = size == 0 || (size == own_size && memcmp (name, self->options.name, size) == 0);
    uint32_t place = is_here ? 0 : s_find (self, name, size);
    dw_write_uint (&self->reply.head, DW_WIRE_MOVED);
    if (is_here || place)
        dw_write_uint (&self->reply.head, place);
    else
        dw_write_nil (&self->reply.head);
    s_write_names (self);
    dw_peers_reply (&self->peers, router, &self->reply);
}

/* From this process: it is as it should be. The owner waits for the answer: whoever asks after that
 * is told. */
void dw_coordinator_on_refer (dw_coordinator_t *self, uint32_t router, dw_wire_reader_t *reader) {
    uint32_t count = dw_read_array (reader);
    size_t size = (size_t) (reader->end - reader->at);
    dw_writer_clear (&self->elsewhere);
    dw_write_raw (&self->elsewhere, reader->at, size);
    self->elsewhere_count = self->elsewhere.no_memory ? 0 : count;
    dw_write_uint (&self->reply.head, DW_WIRE_REFER);
    dw_write_uint (&self->reply.head, self->elsewhere_count);
    dw_peers_reply (&self->peers, router, &self->reply);
}
