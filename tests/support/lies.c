/* lies.c - results that make no sense. */

#include "tests/support/lies.h"

#include "actors/slot.h"
#include "tests/support/wire_records.h"

/* A RESULTS message with one result, before it is written. */
struct lies_answer_t {
    dw_slot_t slots[LIES_NODES];
    dw_wire_result_t record;
    uint32_t outputs[LIES_NODES + 1];
    dw_wire_extra_t extra;
    uint32_t extras_count, cause;
    uint8_t frame[2000]; /* the message's first frame */
    size_t frame_size;
};

static void s_status_of_a_node (lies_answer_t *a) {
    a->slots[1].status = DW_NODE_NOT_REQUESTED + 1;
}
static void s_status_far_away (lies_answer_t *a) {
    a->slots[3].status = 255;
}
static void s_status_of_the_run (lies_answer_t *a) {
    a->record.status = DW_RUN_CANCELLED + 1;
}
static void s_pointer (lies_answer_t *a) {
    a->slots[0].form = DW_SLOT_EXTRA;
    memset (a->slots[0].bytes, 0x41, DW_SLOT_BYTES);
}
static void s_unknown_form (lies_answer_t *a) {
    a->slots[0].form = DW_SLOT_FRAME + 1;
}
static void s_larger_than_its_slot (lies_answer_t *a) {
    a->slots[0].size = DW_SLOT_BYTES + 1;
}
static void s_no_blob (lies_answer_t *a) {
    a->slots[0].form = DW_SLOT_BLOB;
}
static void s_beyond_the_blob (lies_answer_t *a) {
    a->record.blob = (dw_ref_t){.bytes = (const uint8_t *) "\xa1x", .size = 2};
    a->slots[0] = (dw_slot_t){.form = DW_SLOT_BLOB, .size = 2, .bytes = {1}};
}
static void s_around_the_blob (lies_answer_t *a) {
    a->record.blob = (dw_ref_t){.bytes = (const uint8_t *) "\xa1x", .size = 2};
    a->slots[0] = (dw_slot_t){.form = DW_SLOT_BLOB, .size = UINT32_MAX, .bytes = {1}};
}
static void s_frame_0 (lies_answer_t *a) {
    a->slots[0].form = DW_SLOT_FRAME;
    memset (a->slots[0].bytes, 0, DW_SLOT_BYTES);
}
static void s_frame_far_away (lies_answer_t *a) {
    a->slots[0].form = DW_SLOT_FRAME;
    memset (a->slots[0].bytes, 0xff, DW_SLOT_BYTES);
}
static void s_one_frame_for_all (lies_answer_t *a) {
    a->frame_size = 1000;
    memcpy (a->frame, "\xc5\x03\xe5", 3);
    for (uint32_t i = 0; i < LIES_NODES; i++)
        a->slots[i] = (dw_slot_t){.form = DW_SLOT_FRAME, .size = 1000, .bytes = {1}};
}
static void s_no_value (lies_answer_t *a) {
    a->slots[2].bytes[0] = 0xc1;
}
static void s_half_a_value (lies_answer_t *a) {
    memcpy (a->slots[2].bytes, "\xdd\xff", 2);
}
static void s_deep_value (lies_answer_t *a) {
    a->frame_size = 1000;
    memset (a->frame, 0x91, 1000);
    a->slots[0] = (dw_slot_t){.form = DW_SLOT_FRAME, .size = 1000, .bytes = {1}};
}
static void s_no_table (lies_answer_t *a) {
    a->record.table = (dw_ref_t){0};
}
static void s_short_table (lies_answer_t *a) {
    a->record.table.size -= sizeof (dw_slot_t);
}
static void s_long_table (lies_answer_t *a) {
    a->record.table.frame = 1;
    a->frame_size = 2000;
}
static void s_table_far_away (lies_answer_t *a) {
    a->record.table = (dw_ref_t){.frame = DW_WIRE_FRAMES_MAX};
}
static void s_output_that_is_not (lies_answer_t *a) {
    a->record.outputs_are_sinks = false;
    a->record.outputs_count = 1;
    a->outputs[0] = LIES_NODES;
}
static void s_more_outputs_than_nodes (lies_answer_t *a) {
    a->record.outputs_are_sinks = false;
    a->record.outputs_count = LIES_NODES + 1;
}
static void s_extra_of_no_node (lies_answer_t *a) {
    a->extra.node = LIES_NODES;
    a->extras_count = 1;
}
static void s_extras_without_end (lies_answer_t *a) {
    a->extras_count = 100000;
}
static void s_metadata_that_is_no_map (lies_answer_t *a) {
    a->extra.metadata = (const uint8_t *) "\x01";
    a->extra.metadata_size = 1;
    a->extras_count = 1;
}
static void s_cause_that_is_not (lies_answer_t *a) {
    a->extra.causes_count = 1;
    a->extras_count = 1;
    a->cause = UINT32_MAX;
}

#define LIE(tell) \
    { #tell, tell }
const lie_t lies[] = {
    LIE (s_status_of_a_node), LIE (s_status_far_away),    LIE (s_status_of_the_run),
    LIE (s_pointer),          LIE (s_unknown_form),       LIE (s_larger_than_its_slot),
    LIE (s_no_blob),          LIE (s_beyond_the_blob),    LIE (s_around_the_blob),
    LIE (s_frame_0),          LIE (s_frame_far_away),     LIE (s_one_frame_for_all),
    LIE (s_no_value),         LIE (s_half_a_value),       LIE (s_deep_value),
    LIE (s_no_table),         LIE (s_short_table),        LIE (s_long_table),
    LIE (s_table_far_away),   LIE (s_output_that_is_not), LIE (s_more_outputs_than_nodes),
    LIE (s_extra_of_no_node), LIE (s_extras_without_end), LIE (s_metadata_that_is_no_map),
    LIE (s_cause_that_is_not)};

const size_t lies_count = sizeof lies / sizeof *lies;

zmsg_t *lies_answer (uint64_t run, void (*tell) (lies_answer_t *answer)) {
    lies_answer_t a = {.record = {.run = run, .outputs_are_sinks = true}};
    for (uint32_t i = 0; i < LIES_NODES; i++)
        a.slots[i] = (dw_slot_t){
            .form = DW_SLOT_BYTES_INSIDE, .attempts = 1, .size = 2, .bytes = {0xa1, 'x'}};
    a.record.table = (dw_ref_t){.bytes = (const uint8_t *) a.slots, .size = sizeof a.slots};
    if (tell)
        tell (&a);
    dw_writer_t head = {0}, extras = {0};
    for (uint32_t i = 0; i < a.extras_count; i++)
        wire_write_extra (&extras, &a.extra, &a.cause);
    if (extras.count)
        a.record.extras = (dw_ref_t){.bytes = extras.bytes, .size = extras.count};
    dw_write_uint (&head, DW_WIRE_RESULTS);
    wire_write_result (&head, &a.record, a.outputs);
    zmsg_t *message = zmsg_new ();
    zmsg_addmem (message, head.bytes, head.count);
    if (a.frame_size)
        zmsg_addmem (message, a.frame, a.frame_size);
    dw_writer_free (&extras);
    dw_writer_free (&head);
    return message;
}
