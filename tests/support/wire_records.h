/* wire_records.h - the records of the protocol for the tests: written as actors write them, and
 * read from any bytes as actors read them. */

#ifndef TESTS_WIRE_RECORDS_H
#define TESTS_WIRE_RECORDS_H

#include "dagwood.h"
#include "runtime/wire.h"

/* What a head is read as; a fuzz input's first byte says which. */
typedef enum wire_kind_t {
    WIRE_HELLO,
    WIRE_TASKS,
    WIRE_ANSWERS,
    WIRE_SUBMISSIONS,
    WIRE_RESULTS,
    WIRE_EXTRAS,
    WIRE_VALUES,   /* any sequence of values, held against msgpack-c */
    WIRE_DELIVERY, /* a graph, a RESULTS head and two frames, as a client gets them */
    WIRE_AGENT,    /* an agent's HELLO */
    WIRE_WELCOME,  /* an agent's WELCOME */
    WIRE_STATUS,   /* a status, as a client makes one of it */
    WIRE_SLOTS,    /* what an agent says of its slots in a BEAT */
    WIRE_ENDED,    /* that a slot's process has ended */
    WIRE_IDENTITY, /* a client's HELLO, of who wants to be known again */
    WIRE_SOLO,     /* a solo's WELCOME, and the briefing in it */
    WIRE_KINDS
} wire_kind_t;

void wire_write_ref (dw_writer_t *self, const dw_ref_t *ref);
/* Lists are as long as the record says; of refs two for each dependency and for each step. */
void wire_write_task (dw_writer_t *self, const dw_wire_task_t *task, const dw_ref_t *refs);
void wire_write_answer (dw_writer_t *self, const dw_wire_answer_record_t *answer,
                        const dw_ref_t *refs);
void wire_write_submission (dw_writer_t *self, const dw_wire_submission_t *submission,
                            const uint32_t *outputs);
void wire_write_result (dw_writer_t *self, const dw_wire_result_t *result, const uint32_t *outputs);
void wire_write_extra (dw_writer_t *self, const dw_wire_extra_t *extra, const uint32_t *causes);

/* Reads a head record after record, to its end or to the first damage; returns how many records it
 * has, -1 when it is damaged. Ends the program when a reader breaks a promise: it leaves its bytes,
 * gives anything but zeros once damaged, or reads a value otherwise than msgpack-c. */
int wire_read (wire_kind_t kind, const uint8_t *bytes, size_t size);
/* A copy of just this size for wire_read, so that a read beyond its end is seen by a sanitizer. The
 * caller frees it. */
uint8_t *wire_copy (const void *bytes, size_t size);

/* Asks a result everything; ends the program when an answer makes no sense. */
void wire_ask (const dw_result_t *result);

#endif
