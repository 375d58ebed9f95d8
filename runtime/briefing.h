/* briefing.h - what a worker that compiles no graph is told of the nodes that it serves: one
 * msgpack array of records.
 *
 * A record is an array of at least five: node, id, processor, options, dependencies. options is a
 * map, dependencies an array of ids, or nil when the processor reads none. What stands behind these
 * is of a later version, and passed over. */

#ifndef DW_BRIEFING_H
#define DW_BRIEFING_H

#include "runtime/core/plan.h"
#include "runtime/wire.h"

/* Appends the nodes of these lanes (a bit each), by rank. graph is the one that plan was compiled
 * from. Options are as the graph has them: what it does not say has the default of the
 * processor. */
void dw_write_briefing (const dw_plan_t *plan, const dw_graph_t *graph, uint64_t lanes,
                        dw_writer_t *writer);

/* A record, in the bytes that were read: texts are not ended by NUL. */
typedef struct dw_briefed_t {
    uint32_t node;
    const char *id, *processor;
    size_t id_size, processor_size;
    const uint8_t *options; /* one well-formed msgpack map, which msgpack-c may unpack */
    size_t options_size;
    uint32_t dependencies_count; /* 0 when it reads none */
} dw_briefed_t;

#define DW_BRIEFING_TEXT_MAX 65536u /* bytes of an id or a name */

/* How many records follow. */
uint32_t dw_read_briefing (dw_wire_reader_t *self);
/* The next one; the dependencies' ids are checked and passed over. False: damaged. */
bool dw_read_briefed (dw_wire_reader_t *self, dw_briefed_t *briefed);

#endif
