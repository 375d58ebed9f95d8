/* wire_seeds.c - the seeds of the wire's fuzz target. */

#include "tests/support/wire_seeds.h"

#include <string.h>

#include "actors/slot.h"
#include "tests/support/wire_records.h"

static const uint8_t s_token[DW_WIRE_TOKEN_SIZE] = "0123456789abcde";
static const dw_ref_t s_small = {.bytes = (const uint8_t *) "\xa3one", .size = 4};
static const dw_ref_t s_map = {.bytes = (const uint8_t *) "\x81\xa1k\xa1v", .size = 5};
static const dw_ref_t s_frame = {.frame = 1};
static const dw_ref_t s_nil = {.frame = 0};

/* A record is read behind its message's type. */
static void s_append_behind_type (dw_writer_t *self, dw_writer_t *message) {
    memcpy (dw_writer_room (self, message->count - 1), message->bytes + 1, message->count - 1);
    self->count += message->count - 1;
    dw_writer_free (message);
}

static void s_seed_hello (dw_writer_t *self) {
    dw_wire_hello_t hello = {.version = DW_WIRE_VERSION,
                             .oldest = DW_WIRE_OLDEST,
                             .role = DW_WIRE_WORKER,
                             .token = s_token,
                             .number = 300,
                             .credit = 4096};
    dw_writer_t message = {0};
    dw_write_hello (&message, &hello);
    s_append_behind_type (self, &message);
}

static void s_seed_identity (dw_writer_t *self) {
    dw_wire_hello_t hello = {.version = DW_WIRE_VERSION, .role = DW_WIRE_CLIENT, .token = s_token};
    dw_writer_t message = {0};
    dw_write_hello (&message, &hello);
    dw_write_identity (&message, &(dw_wire_identity_t){.uuid = s_token, .incarnation = 2});
    s_append_behind_type (self, &message);
}

static void s_seed_agent (dw_writer_t *self) {
    dw_wire_hello_t hello = {.version = DW_WIRE_VERSION,
                             .oldest = DW_WIRE_OLDEST,
                             .role = DW_WIRE_AGENT,
                             .token = s_token};
    dw_wire_agent_t agent = {.uuid = s_token,
                             .incarnation = 70000,
                             .slots = 300,
                             .pid = 4711,
                             .host = "node-17",
                             .host_size = 7,
                             .processors_count = 2};
    dw_writer_t message = {0};
    dw_write_hello (&message, &hello);
    dw_write_agent (&message, &agent);
    dw_write_str (&message, "identity", 8);
    dw_write_str (&message, "reverse_text", 12);
    dw_write_array (&message, 1);
    dw_write_str (&message, "gpu", 3);
    dw_write_str (&message, "yes", 3);
    s_append_behind_type (self, &message);
}

static void s_seed_welcome (dw_writer_t *self) {
    dw_write_uint (self, 3);
    dw_write_uint (self, 1000);
    dw_write_uint (self, 3000);
    dw_write_bin (self, s_token, sizeof s_token);
    dw_write_bin (self, s_token, sizeof s_token);
    dw_write_uint (self, UINT64_C (0x123456789abcdef0));
    wire_write_ref (self, &s_frame);
    dw_write_array (self, 3);
    dw_write_uint (self, 1);
    dw_write_uint (self, 2);
    dw_write_uint (self, 300);
    dw_write_uint (self, 5);
    dw_write_array (self, 2);
    dw_write_trait (self,
                    &(dw_wire_trait_t){.name = "identity", .name_size = 8, .trait.brief = true});
    dw_write_trait (self, &(dw_wire_trait_t){.name = "look",
                                             .name_size = 4,
                                             .trait = {.intent = DW_ANALYZE, .may_skip = true}});
}

static void s_seed_status (dw_writer_t *self) {
    static const char *const hosts[] = {"", "node-17"};
    dw_write_str (self, "graph", 5);
    dw_write_array (self, 19);
    for (uint64_t i = 0; i < 19; i++)
        dw_write_uint (self, i * i * i * i);
    dw_write_array (self, 1);
    dw_write_str (self, "gpu=yes", 7);
    dw_write_uint (self, 3);
    dw_write_uint (self, 0);
    dw_write_uint (self, 70000);
    dw_write_array (self, 2);
    dw_write_str (self, "a run is stalled", strlen ("a run is stalled"));
    dw_write_str (self, "", 0);
    dw_write_array (self, 2);
    for (uint64_t i = 0; i < 2; i++) { /* one that is here, one that is away */
        dw_write_str (self, "0badcafe", i == 0 ? 0 : 8);
        dw_write_uint (self, 3);
        dw_write_uint (self, 70000 * i);
        dw_write_uint (self, 300 * i);
    }
    dw_write_array (self, 1);
    dw_write_str (self, "0badcafe", 8);
    dw_write_uint (self, 17);
    dw_write_uint (self, 70000);
    dw_write_uint (self, 300);
    dw_write_uint (self, 2);
    dw_write_uint (self, 1);
    for (size_t i = 0; i < 2; i++) {
        dw_write_str (self, hosts[i], strlen (hosts[i]));
        dw_write_uint (self, 4711 * i);
        dw_write_uint (self, 2);
        dw_write_uint (self, 1);
        dw_write_uint (self, 300);
        dw_write_uint (self, 8192);
        dw_write_uint (self, 100000);
        dw_write_uint (self, 12);
        dw_write_uint (self, 1);
    }
}

static void s_seed_slots (dw_writer_t *self) {
    dw_write_slot (self, &(dw_wire_slot_t){.number = 1, .ticket = 17});
    dw_write_slot (self,
                   &(dw_wire_slot_t){.number = 300, .at = DW_WIRE_AT_SILENT, .ticket = 70000});
}

static void s_seed_ended (dw_writer_t *self) {
    static const char tail[] = "it went down\n";
    dw_wire_ended_t killed = {.number = 2, .pid = 4711, .how = DW_WIRE_SIGNALLED, .value = 11};
    dw_wire_ended_t left = {.number = 300,
                            .replaced = 4,
                            .pid = 70000,
                            .how = DW_WIRE_EXITED,
                            .value = 1,
                            .tail = (const uint8_t *) tail,
                            .tail_size = strlen (tail)};
    dw_write_ended (self, &killed);
    dw_write_ended (self, &left);
}

static void s_seed_tasks (dw_writer_t *self) {
    dw_wire_task_t task = {.run = 1, .node = 2, .steps = 1, .attempt = 1, .payload = s_small};
    wire_write_task (self, &task, NULL);
    dw_ref_t refs[] = {s_frame, s_nil, s_small, s_map};
    task = (dw_wire_task_t){
        .run = 70000, .node = 200, .steps = 3, .attempt = 2, .payload = s_frame};
    task.dependencies_count = 2;
    wire_write_task (self, &task, refs);
    refs[0] = (dw_ref_t){.place = 256};
    task.payload = (dw_ref_t){.frame = 2, .place = 1};
    wire_write_task (self, &task, refs);
}

static void s_seed_answers (dw_writer_t *self) {
    static const char message[] = "it failed";
    dw_ref_t refs[] = {s_small, s_map, s_frame, s_nil};
    dw_wire_answer_record_t more = {
        .ticket = 7, .answer = DW_WIRE_MORE, .duration_ns = 1500, .steps = 2};
    dw_wire_answer_record_t done = {
        .ticket = 7, .step = 2, .answer = DW_WIRE_DONE, .duration_ns = 900, .steps = 1};
    dw_wire_answer_record_t failed = {.ticket = 8,
                                      .answer = DW_WIRE_FAILED,
                                      .code = 400,
                                      .message = message,
                                      .message_size = strlen (message)};
    dw_wire_answer_record_t returned = {.ticket = UINT64_MAX, .answer = DW_WIRE_RETURNED};
    wire_write_answer (self, &more, refs);
    wire_write_answer (self, &done, refs);
    wire_write_answer (self, &failed, NULL);
    dw_wire_answer_record_t skipped = {
        .ticket = 9, .step = 1, .answer = DW_WIRE_SKIPPED, .duration_ns = 70};
    wire_write_answer (self, &returned, NULL);
    wire_write_answer (self, &skipped, NULL);
    dw_wire_answer_record_t added = {
        .ticket = 10, .step = 1, .answer = DW_WIRE_ADDED, .duration_ns = 80};
    const dw_ref_t graph[] = {s_small, {0}, s_frame};
    wire_write_answer (self, &added, graph);
}

static void s_seed_submissions (dw_writer_t *self) {
    static const uint32_t outputs[] = {0, 300, 70000};
    dw_wire_submission_t all = {.run = 1, .payload = s_small};
    dw_wire_submission_t some = {
        .run = 2, .payload = s_frame, .deadline_ms = 70000, .outputs_count = 3};
    wire_write_submission (self, &all, NULL);
    wire_write_submission (self, &some, outputs);
}

static void s_seed_extras (dw_writer_t *self) {
    static const char message[] = "it failed";
    static const uint32_t causes[] = {0};
    dw_wire_extra_t done = {.node = 0, .metadata = s_map.bytes, .metadata_size = s_map.size};
    dw_wire_extra_t failed = {
        .node = 0, .code = 413, .message = message, .message_size = strlen (message)};
    dw_wire_extra_t skipped = {.node = 1, .causes_count = 1};
    dw_wire_extra_t added = {.node = 0, .added_nodes = 70000, .added_depth = 2};
    wire_write_extra (self, &done, NULL);
    wire_write_extra (self, &failed, NULL);
    wire_write_extra (self, &skipped, causes);
    wire_write_extra (self, &added, NULL);
}

static void s_seed_results (dw_writer_t *self) {
    static const uint32_t outputs[] = {1};
    dw_writer_t extras = {0};
    s_seed_extras (&extras);
    dw_slot_t table[2] = {
        {.status = DW_NODE_DONE, .form = DW_SLOT_BYTES_INSIDE, .attempts = 1, .size = 4},
        {.status = DW_NODE_DONE, .form = DW_SLOT_BLOB, .attempts = 2, .size = 4}};
    memcpy (table[0].bytes, s_small.bytes, s_small.size);
    dw_wire_result_t sinks = {.run = 1,
                              .status = DW_RUN_PARTIAL,
                              .duration_us = 412,
                              .table = {.bytes = (const uint8_t *) table, .size = sizeof table},
                              .blob = s_small,
                              .extras = {.bytes = extras.bytes, .size = extras.count},
                              .outputs_are_sinks = true};
    wire_write_result (self, &sinks, NULL);
    table[1].form = DW_SLOT_FRAME;
    table[1].bytes[0] = 2;
    table[1].size = 32;
    dw_wire_result_t asked = {.run = 2,
                              .status = DW_RUN_OK,
                              .table = {.bytes = (const uint8_t *) table, .size = sizeof table},
                              .outputs_count = 1};
    wire_write_result (self, &asked, outputs);
    asked.run = 3;
    asked.table = s_frame;
    wire_write_result (self, &asked, outputs);
    dw_writer_free (&extras);
}

static void s_seed_values (dw_writer_t *self) {
    static const uint64_t edges[] = {0, 127, 128, 255, 256, 65535, 65536, UINT32_MAX, UINT64_MAX};
    for (size_t i = 0; i < sizeof edges / sizeof *edges; i++)
        dw_write_uint (self, edges[i]);
    dw_write_nil (self);
    dw_write_str (self, "text", 4);
    dw_write_str (self, "a text that is longer than thirty-one bytes", 43);
    dw_write_bin (self, "\0\xff", 2);
    dw_write_array (self, 2);
    dw_write_uint (self, 1);
    dw_write_uint (self, 2);
}

static void s_seed_solo (dw_writer_t *self) {
    dw_writer_t nodes = {0};
    static const uint8_t options[] = "\x82\xa6prefix\xa1<\xa1n\xcb\x3f\xf0\0\0\0\0\0";
    dw_write_array (&nodes, 2);
    dw_write_array (&nodes, 5);
    dw_write_uint (&nodes, 0);
    dw_write_str (&nodes, "mark", 4);
    dw_write_str (&nodes, "prefix_suffix_adder", 19);
    memcpy (dw_writer_room (&nodes, sizeof options), options, sizeof options);
    nodes.count += sizeof options;
    dw_write_nil (&nodes);
    dw_write_array (&nodes, 6); /* one field of a later version */
    dw_write_uint (&nodes, 300);
    dw_write_str (&nodes, "words", 5);
    dw_write_str (&nodes, "word_counts", 11);
    dw_write_byte (&nodes, 0x80);
    dw_write_array (&nodes, 2);
    dw_write_str (&nodes, "mark", 4);
    dw_write_str (&nodes, "other", 5);
    dw_write_array (&nodes, 0);
    dw_write_uint (self, 3);
    dw_write_uint (self, 1000);
    dw_write_uint (self, 3000);
    dw_write_uint (self, 16 << 20);
    dw_write_bin (self, nodes.bytes, nodes.count);
    dw_writer_free (&nodes);
}

static void s_append_piece (dw_writer_t *self, const dw_writer_t *piece) {
    uint8_t *at = dw_writer_room (self, piece->count + 2);
    at[0] = (uint8_t) (piece->count >> 8);
    at[1] = (uint8_t) piece->count;
    memcpy (at + 2, piece->bytes, piece->count);
    self->count += piece->count + 2;
}

static void s_seed_delivery (dw_writer_t *self) {
    dw_writer_t graph = {0}, head = {0}, frame = {0};
    dw_write_array (&graph, 2);
    dw_write_str (&graph, "first", 5);
    dw_write_str (&graph, "second", 6);
    dw_write_array (&graph, 1);
    dw_write_uint (&graph, 1); /* a sink */
    s_seed_results (&head);
    s_append_piece (self, &graph);
    s_append_piece (self, &head);
    memset (dw_writer_room (&frame, 64), 0, 64);
    frame.count = 64;
    s_append_piece (self, &frame);
    frame.count = 0;
    dw_write_bin (&frame, "these thirty bytes are a value", 30);
    memcpy (dw_writer_room (self, frame.count), frame.bytes, frame.count);
    self->count += frame.count;
    dw_writer_free (&frame);
    dw_writer_free (&graph);
    dw_writer_free (&head);
}

const char *wire_seed (size_t index, dw_writer_t *input) {
    static const struct {
        const char *name;
        wire_kind_t kind;
        void (*write) (dw_writer_t *self);
    } seeds[] = {{"hello", WIRE_HELLO, s_seed_hello},
                 {"tasks", WIRE_TASKS, s_seed_tasks},
                 {"answers", WIRE_ANSWERS, s_seed_answers},
                 {"submissions", WIRE_SUBMISSIONS, s_seed_submissions},
                 {"results", WIRE_RESULTS, s_seed_results},
                 {"extras", WIRE_EXTRAS, s_seed_extras},
                 {"values", WIRE_VALUES, s_seed_values},
                 {"delivery", WIRE_DELIVERY, s_seed_delivery},
                 {"agent", WIRE_AGENT, s_seed_agent},
                 {"identity", WIRE_IDENTITY, s_seed_identity},
                 {"welcome", WIRE_WELCOME, s_seed_welcome},
                 {"solo", WIRE_SOLO, s_seed_solo},
                 {"status", WIRE_STATUS, s_seed_status},
                 {"slots", WIRE_SLOTS, s_seed_slots},
                 {"ended", WIRE_ENDED, s_seed_ended}};
    dw_writer_clear (input);
    if (index >= sizeof seeds / sizeof *seeds)
        return NULL;
    dw_write_uint (input, seeds[index].kind);
    seeds[index].write (input);
    return seeds[index].name;
}
