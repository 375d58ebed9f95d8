/* test_property.c - random graphs give, byte for byte, what a sequential evaluator gives: under
 * every strategy, failure policy, way of placing actors and endpoint.
 *
 * PROPERTY_SEED is the first seed, PROPERTY_COUNT how many there are; 48 hold every combination
 * once. */

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "dagwood.h"
#include "dagwood_processor.h"
#include "runtime/payload.h"
#include "tests/support/evaluator.h"
#include "tests/support/random_processors.h"
#include "tests/support/recorded.h"

#define NODES_MAX  20
#define RUNS_MAX   6
#define AGENTS_MAX 3

#define COMBINATIONS 48 /* four ways of placing actors, three failure policies, four strategies */

/* -- The processors of random_graph.h for dagwood ------------------------------------------- */

static uint64_t s_hash_dependency (dw_call_t *call, uint64_t hash, size_t index) {
    size_t size;
    const void *bytes = dw_call_dependency_payload (call, index, &size);
    hash = random_hash (hash, bytes, size);
    bytes = dw_call_dependency_metadata (call, index, "sum", &size);
    return random_hash (hash, bytes, bytes ? size : 0);
}

/* Through as many of the ways to set an output as there are. */
static int s_set_output (dw_call_t *call, const random_value_t *value, uint64_t hash) {
    size_t size;
    const char *text = dw_payload_text (value->bytes, value->size, &size);
    bool is_text = dw_payload_is_text (value->bytes, value->size);
    void *room;
    if (!text || hash % 3 == 0)
        return dw_call_set_value (call, value->bytes, value->size);
    if (hash % 3 == 1)
        return is_text ? dw_call_set_text (call, text, size) : dw_call_set_bytes (call, text, size);
    room = is_text ? dw_call_reserve_text (call, size) : dw_call_reserve_bytes (call, size);
    if (!room)
        return DW_ENOMEM;
    memcpy (room, text, size);
    return DW_OK;
}

/* The text that a call shows is the content of its payload, wherever that lies. */
static bool s_text_is_right (dw_call_t *call, const void *payload, size_t payload_size) {
    size_t size, expected_size;
    const char *text = dw_call_text (call, &size);
    const char *expected = dw_payload_text (payload, payload_size, &expected_size);
    return text == NULL ? expected == NULL
                        : expected && size == expected_size && memcmp (text, expected, size) == 0;
}

/* Becomes the graph that its settings stand for, whose input is what it sets, or its payload. */
static int s_grow (dw_call_t *call, uint64_t hash) {
    const dw_settings_t *settings = dw_call_settings (call);
    random_graph_t *inner = random_graph_new ((uint64_t) dw_settings_integer (settings, "inner"),
                                              RANDOM_INNER_MAX);
    inner->is_inner = true;
    random_graph_grow (inner, (uint32_t) dw_settings_integer (settings, "depth"));
    random_value_t input = random_processor_output (RANDOM_MIX, hash, NULL, 0);
    int err = hash % 2 ? s_set_output (call, &input, hash) : 0;
    free (input.bytes);
    err |= dw_call_set_metadata (call, "sum", "is dropped");
    dw_graph_t *graph = random_graph_build (inner);
    err |= dw_call_add_graph (call, graph,
                              inner->nodes[dw_settings_integer (settings, "output")].id);
    dw_graph_destroy (&graph);
    random_graph_destroy (&inner);
    return err;
}

static int s_process (dw_call_t *call, void *instance) {
    random_processor_t processor = *(const random_processor_t *) instance;
    const dw_settings_t *settings = dw_call_settings (call);
    int64_t failures = dw_settings_integer (settings, "failures");
    uint32_t node = (uint32_t) dw_settings_integer (settings, "index");
    uint64_t hash = random_hash_start (node);
    size_t size;
    const void *payload = dw_call_payload (call, &size);
    int err = 0;

    if (failures < 0 || dw_call_attempt (call) <= failures)
        return dw_call_fail (call, (int) dw_settings_integer (settings, "code"),
                             "node %" PRIu32 " was told to", node);
    if (!s_text_is_right (call, payload, size))
        return dw_call_fail (call, 1, "the text is not the payload's");
    hash = random_hash (hash, payload, size);
    if (!random_processor_trait (processor).payload_only)
        for (size_t i = 0; i < dw_call_dependencies_count (call); i++)
            hash = s_hash_dependency (call, hash, i);

    if (dw_settings_boolean (settings, "skips")) {
        err = dw_call_set_payload (call) || dw_call_set_metadata (call, "sum", "is not read");
        return err ? err : dw_call_skip (call);
    }
    if (processor == RANDOM_GROW || processor == RANDOM_GROW_BRIEF)
        return s_grow (call, hash);
    random_value_t value = random_processor_output (processor, hash, payload, size);
    if (processor == RANDOM_ECHO)
        err = dw_call_set_payload (call);
    else if (value.bytes)
        err = s_set_output (call, &value, hash);
    free (value.bytes);
    random_metadata_t metadata = random_processor_metadata (processor, hash);
    for (size_t i = 0; i < metadata.count; i++)
        err |= dw_call_set_metadata (call, metadata.keys[i], metadata.values[i]);
    return err ? dw_call_fail (call, 2, "what was set was refused: %d", err) : 0;
}

static dw_processors_t *s_processors_new (void) {
    dw_processors_t *processors = dw_processors_new ();
    assert_non_null (processors);
    assert_true (random_processors_add (processors, s_process));
    return processors;
}

/* -- One world: a graph, and runs through it ------------------------------------------------ */

typedef struct s_world_t {
    random_t random;
    random_graph_t *graph;
    evaluator_t *evaluator;
    bool fails[NODES_MAX], skips[NODES_MAX];
    dw_client_t *client;
    bool has_demands;
    uint32_t added_nodes_max, added_depth_max;
    dw_agent_t *agents[AGENTS_MAX]; /* where nodes make demands */
} s_world_t;

typedef struct s_submitted_t {
    uint64_t number;
    uint8_t input[64];
    size_t input_size;
    uint32_t outputs[NODES_MAX];
    uint32_t outputs_count;
    bool is_cancelled;
    bool is_below
        [NODES_MAX]; /* it was cancelled while the rest went on, or depends on one that was */
} s_submitted_t;

/* Cancels a node, and with it all that depends on it. */
static void s_cancel_node (s_world_t *world, s_submitted_t *run) {
    uint32_t node = random_below (&world->random, world->graph->nodes_count);
    dw_error_t *error = dw_error_new ();
    if (dw_client_cancel_node (world->client, run->number, world->graph->nodes[node].id, error))
        fail_msg ("%s", dw_error_text (error));
    dw_error_destroy (&error);
    for (uint32_t other = 0; other < world->graph->nodes_count; other++)
        if (other == node || evaluator_is_ancestor (world->evaluator, other, node))
            run->is_below[other] = true;
}

static void s_submit (s_world_t *world, s_submitted_t *run) {
    const char *ids[NODES_MAX];
    random_t *random = &world->random;
    dw_error_t *error = dw_error_new ();
    memset (run, 0, sizeof *run);
    size_t length = random_below (random, 40);
    run->input_size = dw_payload_bytes_head (run->input, length);
    for (; length > 0; length--)
        run->input[run->input_size++] = (uint8_t) random_below (random, 256);
    if (random_one_in (random, 3))
        for (uint32_t node = 0; node < world->graph->nodes_count; node++)
            if (random_one_in (random, 4)) {
                ids[run->outputs_count] = world->graph->nodes[node].id;
                run->outputs[run->outputs_count++] = node;
            }
    dw_submission_t submission = {.payload = run->input,
                                  .size = run->input_size,
                                  .outputs = ids,
                                  .outputs_count = run->outputs_count,
                                  .wait_ms = -1};
    if (dw_client_submit (world->client, &submission, &run->number, error))
        fail_msg ("%s", dw_error_text (error));
    dw_error_destroy (&error);
    if (random_one_in (random, 10)) {
        run->is_cancelled = true;
        assert_int_equal (dw_client_cancel (world->client, run->number), DW_OK);
    }
    for (uint32_t left = random_one_in (random, 5) ? 1 + random_below (random, 2) : 0; left > 0;
         left--)
        s_cancel_node (world, run);
}

static void s_check_metadata (const dw_result_t *result, int at,
                              const random_metadata_t *expected) {
    const char *key, *value, *last = "";
    assert_int_equal (dw_result_metadata_count (result, at), expected->count);
    for (size_t i = 0; i < expected->count; i++) {
        assert_int_equal (dw_result_metadata_at (result, at, i, &key, &value), DW_OK);
        assert_true (i == 0 || strcmp (last, key) < 0);
        assert_non_null (random_metadata_find (expected, key));
        assert_string_equal (value, random_metadata_find (expected, key));
        last = key;
    }
}

static void s_check_done (const dw_result_t *result, int at, const evaluated_node_t *expected) {
    size_t size;
    const void *bytes = dw_result_payload (result, at, &size);
    if (!expected->requested) {
        assert_null (bytes);
        return;
    }
    if (!bytes || size != expected->output.size ||
        memcmp (bytes, expected->output.bytes, size) != 0)
        fail_msg ("run %" PRIu64 ": node %d gave %zu bytes, not the %zu it should",
                  dw_result_run (result), at, bytes ? size : 0, expected->output.size);
    s_check_metadata (result, at, &expected->metadata);
}

/* Who is to blame is fixed unless time decided what still ran. */
static void s_check_causes (const dw_result_t *result, int at, const evaluation_t *evaluation,
                            const evaluated_node_t *expected, bool is_cancelled) {
    bool is_fixed = evaluation->failure_strategy != DW_FAIL_FAST && !is_cancelled;
    size_t count = dw_result_because_of_count (result, at);
    assert_true (count > 0);
    if (is_fixed)
        assert_int_equal (count, expected->because_of_count);
    for (size_t i = 0; i < count; i++) {
        int cause = dw_result_because_of_at (result, at, i);
        if (dw_result_node_status (result, cause) == DW_NODE_SKIPPED) /* it ended its branch */
            assert_int_equal (dw_result_because_of_at (result, cause, 0), cause);
        else
            assert_int_equal (dw_result_node_status (result, cause), DW_NODE_FAILED);
        if (is_fixed)
            assert_int_equal (cause, evaluation->evaluator->rank[expected->because_of[i]]);
    }
}

/* Nothing is lost here, and what was taken back does not count. */
static void s_check_attempts (const dw_result_t *result, int at, unsigned attempts) {
    if (dw_result_attempts (result, at) != attempts)
        fail_msg ("node %d had %u attempts, not %u", at, dw_result_attempts (result, at), attempts);
}

/* The node failed by what it became, or because it might not. Which failure comes first is fixed
 * unless one is enough. */
static void s_check_failed_graph (const s_world_t *world, const dw_result_t *result, int at,
                                  uint32_t node, const evaluated_node_t *expected) {
    const random_node_t *described = &world->graph->nodes[node];
    bool is_refused = expected->code == 413 && expected->added_nodes == 0;
    if (is_refused || world->graph->options.failure_strategy != DW_FAIL_FAST)
        assert_int_equal (dw_result_error_code (result, at), expected->code);
    assert_non_null (
        strstr (dw_result_error_message (result, at), is_refused ? "the graph that it adds" : "/"));
    s_check_attempts (result, at,
                      is_refused ? random_graph_retries (world->graph, node) + 1
                                 : described->failures + 1);
    if (!is_refused && world->graph->options.failure_strategy != DW_FAIL_FAST)
        assert_int_equal (dw_result_added_nodes (result, at), expected->added_nodes);
}

static void s_check_node (const s_world_t *world, const dw_result_t *result, uint32_t node,
                          const evaluation_t *evaluation, const s_submitted_t *run,
                          bool is_cancelled) {
    const random_node_t *described = &world->graph->nodes[node];
    const evaluated_node_t *expected = &evaluation->nodes[node];
    int at = dw_result_find (result, described->id);
    dw_node_status_t status = dw_result_node_status (result, at);

    assert_int_equal (at, world->evaluator->rank[node]);
    assert_string_equal (dw_result_id (result, at), described->id);
    if ((is_cancelled || run->is_below[node]) && status == DW_NODE_CANCELLED)
        return;
    if (!evaluation_allows (evaluation, node, status))
        fail_msg ("node %" PRIu32 " is %s, not %s", node, dw_node_status_text (status),
                  dw_node_status_text (expected->status));
    switch (status) {
        case DW_NODE_DONE:
            s_check_done (result, at, expected);
            assert_int_equal (dw_result_added_nodes (result, at), expected->added_nodes);
            assert_int_equal (dw_result_added_depth (result, at), expected->added_depth);
            s_check_attempts (result, at, described->failures + 1);
            break;
        case DW_NODE_FAILED:
            if (expected->code) {
                s_check_failed_graph (world, result, at, node, expected);
                break;
            }
            assert_int_equal (dw_result_error_code (result, at), described->code);
            assert_non_null (strstr (dw_result_error_message (result, at), "was told to"));
            s_check_attempts (result, at, random_graph_retries (world->graph, node) + 1);
            break;
        case DW_NODE_SKIPPED:
        case DW_NODE_CANCELLED:
            s_check_causes (result, at, evaluation, expected, is_cancelled);
            if (dw_result_because_of_at (result, at, 0) == at)
                s_check_attempts (result, at, described->failures + 1);
            break;
        case DW_NODE_NOT_REQUESTED: assert_int_equal (dw_result_attempts (result, at), 0); break;
    }
}

/* The failures are the failed nodes by rank, no more and no less. */
static void s_check_failures (const dw_result_t *result) {
    size_t count = 0;
    for (size_t at = 0; at < dw_result_nodes_count (result); at++)
        if (dw_result_node_status (result, (int) at) == DW_NODE_FAILED) {
            assert_true (count < dw_result_failures_count (result));
            assert_int_equal (dw_result_failure_at (result, count++), at);
        }
    assert_int_equal (dw_result_failures_count (result), count);
}

/* Whether a node of the result is cancelled, and may be so because that was asked for. */
static bool s_is_cut_off (const s_world_t *world, const dw_result_t *result,
                          const s_submitted_t *run, uint32_t node) {
    int at = dw_result_find (result, world->graph->nodes[node].id);
    return run->is_below[node] && dw_result_node_status (result, at) == DW_NODE_CANCELLED;
}

static void s_check_result (const s_world_t *world, const dw_result_t *result,
                            const s_submitted_t *run) {
    bool fails[NODES_MAX], cut[NODES_MAX]; /* what was cancelled has not failed */
    evaluator_run_t question = {world->graph->options.failure_strategy,
                                fails,
                                world->skips,
                                run->outputs,
                                run->outputs_count,
                                run->input,
                                run->input_size,
                                world->added_nodes_max,
                                world->added_depth_max,
                                world->added_nodes_max,
                                0,
                                cut};
    for (uint32_t node = 0; node < world->graph->nodes_count; node++)
        cut[node] = s_is_cut_off (world, result, run, node);
    for (uint32_t node = 0; node < world->graph->nodes_count; node++)
        fails[node] = world->fails[node] && !cut[node];
    evaluation_t *evaluation = evaluation_new (world->evaluator, &question);
    bool is_cancelled = run->is_cancelled && dw_result_status (result) == DW_RUN_CANCELLED;
    assert_int_equal (dw_result_nodes_count (result), world->graph->nodes_count);
    dw_run_status_t status = evaluation->status;
    for (uint32_t node = 0; node < world->graph->nodes_count; node++) {
        bool is_missing = evaluation->nodes[node].requested &&
                          s_is_cut_off (world, result, run, node);
        status = status == DW_RUN_OK && is_missing ? DW_RUN_PARTIAL : status;
        s_check_node (world, result, node, evaluation, run, is_cancelled);
    }
    if (!is_cancelled)
        assert_int_equal (dw_result_status (result), status);
    s_check_failures (result);
    if (evaluation->status == DW_RUN_FAILED && !is_cancelled)
        assert_true (dw_result_failures_count (result) > 0);
    if (run->outputs_count > 0)
        assert_int_equal (dw_result_outputs_count (result), run->outputs_count);
    for (size_t i = 0; i < dw_result_outputs_count (result); i++)
        assert_true (dw_result_output_at (result, i) >= 0);
    evaluation_destroy (&evaluation);
}

/* -- What was recorded of it ---------------------------------------------------------------- */

/* The results of a world's runs, held against the end that a replay of its recording comes to. */
typedef struct s_ends_t {
    dw_result_t *results[RUNS_MAX];
    uint32_t count, seen;
    const dw_scheduler_t *scheduler;
    const char *wrong; /* found while it is replayed; NULL: nothing */
} s_ends_t;

static void s_begin_replay (void *arg, dw_replay_t *replay) {
    s_ends_t *self = arg;
    self->scheduler = dw_replay_scheduler (replay);
}

static void s_on_command (void *arg, const dw_moment_t *moment, const dw_command_t *command,
                          uint64_t run, const dw_sent_t *sent) {
    s_ends_t *self = arg;
    (void) moment;
    (void) sent;
    if (command->type != DW_FINISH_RUN)
        return;
    self->seen++;
    if (run > self->count) {
        self->wrong = "there is a run too many";
        return;
    }
    const dw_result_t *result = self->results[run - 1];
    if (dw_result_status (result) != (dw_run_status_t) command->status)
        self->wrong = "a run ends otherwise";
    for (uint32_t node = 0; !self->wrong && node < dw_result_nodes_count (result); node++) {
        dw_node_state_t state = dw_scheduler_node_state (self->scheduler, command->run, node);
        unsigned attempts = dw_scheduler_node_attempts (self->scheduler, command->run, node);
        bool is_done = dw_result_node_status (result, (int) node) == DW_NODE_DONE;
        if (is_done != (state == DW_STATE_DONE) ||
            attempts != (unsigned) dw_result_attempts (result, (int) node))
            self->wrong = "a node ends otherwise";
    }
}

/* The same commands, the same end, whatever went on. */
static void s_check_recording (const char *file, s_ends_t *ends) {
    size_t size;
    uint8_t *bytes = recorded_file (file, &size);
    dw_watch_t watch = {.command = s_on_command, .arg = ends};
    assert_non_null (bytes);
    replayed_t result = replayed_with (bytes, size, s_begin_replay, &watch, NULL, ends);
    if (result.open_err || result.err != DW_ENOENT)
        fail_msg ("replay: %s", result.message);
    if (ends->wrong)
        fail_msg ("replay: %s", ends->wrong);
    assert_true (result.is_closed && result.torn_size == 0);
    assert_int_equal (ends->seen, ends->count);
    free (bytes);
    unlink (file);
}

/* -- Workers elsewhere, who come and go ------------------------------------------------------ */

/* Some of the processors; NULL: all. */
static dw_processors_t *s_some_of (random_t *random, const dw_processors_t *processors) {
    dw_processors_t *some = random_one_in (random, 2) ? dw_processors_new_empty () : NULL;
    for (int i = 0; some && i < RANDOM_PROCESSORS; i++)
        if (!random_one_in (random, 4))
            dw_processors_add (some, dw_processors_find (processors, random_processor_name (
                                                                         (random_processor_t) i)));
    return some;
}

/* A worker with some tags, or all; it may not be let in, when there is nothing that it could do. */
static dw_agent_t *s_agent_new (s_world_t *world, dw_system_t *system,
                                const dw_processors_t *processors, bool is_whole) {
    static const dw_worker_tag_t tags[] = {{"lane", "2"}, {"lane", "3"}, {"lane", "4"}};
    dw_error_t *error = dw_error_new ();
    dw_agent_t *agent = NULL;
    dw_agent_options_t options = {.coordinator.endpoint = dw_system_listening (system),
                                  .processors = processors,
                                  .tags = tags,
                                  .tags_count = 3,
                                  .slots = 1 + random_below (&world->random, 2)};
    if (!is_whole) {
        uint32_t skipped = random_below (&world->random, 4);
        options.tags += skipped;
        options.tags_count -= skipped;
    }
    int err = dw_agent_open (&agent, &options, error);
    if (err && (is_whole || err != DW_EGRAPH))
        fail_msg ("%s", dw_error_text (error));
    dw_error_destroy (&error);
    return agent;
}

/* Every other one leaves again, whatever it is at; the last one can do everything, and stays. */
static void s_come_and_go (s_world_t *world, dw_system_t *system,
                           const dw_processors_t *processors) {
    for (uint32_t i = 0; i + 1 < AGENTS_MAX; i++) {
        dw_processors_t *some = s_some_of (&world->random, processors);
        world->agents[i] = s_agent_new (world, system, some ? some : processors, false);
        if (some || random_one_in (&world->random, 2))
            assert_int_equal (dw_agent_close (&world->agents[i], -1, NULL), DW_OK);
        dw_processors_destroy (&some);
    }
    world->agents[AGENTS_MAX - 1] = s_agent_new (world, system, processors, true);
}

static void s_run_world (s_world_t *world, const dw_processors_t *processors,
                         const char *endpoint) {
    s_submitted_t runs[RUNS_MAX];
    dw_system_t *system = NULL;
    dw_error_t *error = dw_error_new ();
    s_ends_t ends = {0};
    char recording[64];
    snprintf (recording, sizeof recording, "/tmp/dagwood-property-%d.rec", (int) getpid ());
    dw_system_options_t options = {
        .processors = processors, .endpoint = endpoint, .runs_max = 4, .record = recording};
    if (world->has_demands) {
        options.listen = endpoint;
        options.endpoint = NULL;
        options.no_actors = random_one_in (&world->random, 2);
    }
    dw_graph_t *graph = random_graph_build (world->graph);
    uint32_t count = 1 + random_below (&world->random, RUNS_MAX);
    if (dw_system_open (&system, graph, &options, error) ||
        dw_client_new (&world->client, system, error))
        fail_msg ("%s", dw_error_text (error));
    dw_graph_destroy (&graph);
    bool is_early = world->has_demands && random_one_in (&world->random, 2);
    if (is_early ||
        (world->has_demands && count > 4)) /* no more than so many are taken at a time */
        s_come_and_go (world, system, processors);
    for (uint32_t i = 0; i < count; i++)
        s_submit (world, &runs[i]);
    if (world->has_demands && !world->agents[AGENTS_MAX - 1])
        s_come_and_go (world, system, processors);
    for (uint32_t i = 0; i < count; i++) {
        dw_result_t *result = NULL;
        assert_int_equal (dw_client_wait (world->client, runs[i].number, 20000, &result), DW_OK);
        s_check_result (world, result, &runs[i]);
        ends.results[ends.count++] = result;
    }
    assert_int_equal (dw_client_in_flight (world->client), 0);
    dw_client_destroy (&world->client);
    for (uint32_t i = 0; i < AGENTS_MAX; i++)
        assert_int_equal (dw_agent_close (&world->agents[i], -1, NULL), DW_OK);
    if (dw_system_close (&system, -1, error))
        fail_msg ("%s", dw_error_text (error));
    dw_error_destroy (&error);
    s_check_recording (recording, &ends);
    while (ends.count > 0)
        dw_result_destroy (&ends.results[--ends.count]);
}

/* -- Every combination ---------------------------------------------------------------------- */

static void s_draw_options (s_world_t *world) {
    static const int64_t concurrency[] = {DW_UNSET, 1, 2, 7}, batch[] = {DW_UNSET, 1, 3, 64};
    dw_graph_options_t *options = &world->graph->options;
    random_t *random = &world->random;
    options->max_concurrency = concurrency[random_below (random, 4)];
    options->batch_size = batch[random_below (random, 4)];
    options->priority = random_one_in (random, 3) ? DW_CRITICAL_PATH : DW_RANK;
    options->retry_attempts = random_one_in (random, 2) ? random_below (random, 3) : DW_UNSET;
    options->backoff.initial_us = random_below (random, 500);
    options->backoff.max_us = 1000;
    for (uint32_t node = 0; node < world->graph->nodes_count; node++)
        if (random_one_in (random, 6)) /* far away: a timed node is no part of a chain */
            world->graph->nodes[node].timeout_us = 30000000;
}

/* In some graphs nodes become graphs; in some of those they may not always. */
static void s_draw_growth (s_world_t *world) {
    dw_graph_options_t *options = &world->graph->options;
    random_t *random = &world->random;
    world->added_nodes_max = 10000;
    world->added_depth_max = 64;
    if (!random_one_in (random, 3))
        return;
    if (random_one_in (random, 3))
        options->added_nodes_max = world->added_nodes_max = random_below (random, 60);
    if (random_one_in (random, 3))
        options->added_depth_max = world->added_depth_max = random_below (random, 4);
    random_graph_grow (world->graph, 3);
}

static const random_graph_t *s_current; /* what runs while a test fails */

/* Runs the world's graph, and destroys it. */
static void s_run_graph (s_world_t *world, const dw_processors_t *processors,
                         const char *endpoint) {
    s_current = world->graph;
    world->evaluator = evaluator_new (world->graph);
    for (uint32_t node = 0; node < world->graph->nodes_count; node++) {
        world->fails[node] = random_graph_fails (world->graph, node);
        world->skips[node] = world->graph->nodes[node].skips;
    }
    s_run_world (world, processors, endpoint);
    s_current = NULL;
    evaluator_destroy (&world->evaluator);
    random_graph_destroy (&world->graph);
}

/* A seed stands for its combination, too, so that one alone can be run again. */
static void s_run_seed (uint64_t seed, const dw_processors_t *processors, const char *endpoint) {
    s_world_t world = {.random = random_from (~seed), .graph = random_graph_new (seed, NODES_MAX)};
    dw_graph_options_t *options = &world.graph->options;
    options->pool_size = (int64_t) (seed % 4); /* 0: an actor thread per node */
    options->actors = seed % 4 ? DW_ACTORS_POOL : DW_ACTORS_THREAD;
    options->failure_strategy = (dw_failure_strategy_t) (seed / 4 % 3);
    options->strategy = (dw_strategy_t) (seed / 12 % 4);
    if (options->actors == DW_ACTORS_THREAD)
        options->pool_size = DW_UNSET;
    s_draw_options (&world);
    s_draw_growth (&world);
    s_run_graph (&world, processors, endpoint);
}

static uint64_t s_setting (const char *name, uint64_t fallback) {
    const char *text = getenv (name);
    return text ? strtoull (text, NULL, 0) : fallback;
}

static void s_run_seeds (const char *endpoint, uint64_t count) {
    uint64_t from = s_setting ("PROPERTY_SEED", 1);
    dw_processors_t *processors = s_processors_new ();
    count = s_setting ("PROPERTY_COUNT", count);
    print_message ("seeds %" PRIu64 " to %" PRIu64 "\n", from, from + count - 1);
    for (uint64_t seed = from; seed < from + count; seed++)
        s_run_seed (seed, processors, endpoint);
    dw_processors_destroy (&processors);
}

static void inproc_gives_what_the_evaluator_gives (void **state) {
    (void) state;
    s_run_seeds (NULL, 8 * COMBINATIONS);
}

static void ipc_gives_what_the_evaluator_gives (void **state) {
    char folder[] = "/tmp/dagwood-property-XXXXXX", endpoint[64];
    (void) state;
    assert_non_null (mkdtemp (folder));
    snprintf (endpoint, sizeof endpoint, "ipc://%s/hub", folder);
    s_run_seeds (endpoint, 2 * COMBINATIONS);
    unlink (endpoint + strlen ("ipc://"));
    assert_int_equal (rmdir (folder), 0);
}

static void tcp_gives_what_the_evaluator_gives (void **state) {
    (void) state;
    s_run_seeds ("tcp://127.0.0.1:*", 2 * COMBINATIONS);
}

/* Random demands, and workers that are never all that is needed but for the last one. */
static void s_run_demands (const char *endpoint, uint64_t count) {
    uint64_t from = s_setting ("PROPERTY_SEED", 1);
    dw_processors_t *processors = s_processors_new ();
    count = s_setting ("PROPERTY_COUNT", count);
    for (uint64_t seed = from; seed < from + count; seed++) {
        s_world_t world = {.random = random_from (seed * 7919),
                           .graph = random_graph_new (seed + 5000, NODES_MAX),
                           .has_demands = true};
        for (uint32_t node = 0; node < world.graph->nodes_count; node++) {
            world.graph->nodes[node].demand = random_below (&world.random, 5);
            world.graph->nodes[node].not_idempotent =
                false; /* workers leave, whatever they are at */
        }
        world.graph->nodes[0].demand = 1; /* so that there is one */
        world.graph->options.failure_strategy = (dw_failure_strategy_t) (seed % 3);
        world.graph->options.strategy = (dw_strategy_t) (seed / 3 % 4);
        world.graph->options.pool_size = 1 + (int64_t) (seed % 2);
        s_draw_options (&world);
        s_draw_growth (&world);
        s_run_graph (&world, processors, endpoint);
    }
    dw_processors_destroy (&processors);
}

static void whoever_runs_what_over_ipc_it_gives_the_same (void **state) {
    char folder[] = "/tmp/dagwood-property-XXXXXX", endpoint[64];
    (void) state;
    assert_non_null (mkdtemp (folder));
    snprintf (endpoint, sizeof endpoint, "ipc://%s/hub", folder);
    s_run_demands (endpoint, 24);
    unlink (endpoint + strlen ("ipc://"));
    assert_int_equal (rmdir (folder), 0);
}

static void whoever_runs_what_over_tcp_it_gives_the_same (void **state) {
    (void) state;
    s_run_demands ("tcp://127.0.0.1:*", 24);
}

/* One transform, then analyzers that all read its output: a worker that pauses in the middle of the
 * chain, as it does while it does not know how long the steps take, has to keep that output. */
static void payload_outlives_the_pauses_of_a_chain (void **state) {
    dw_processors_t *processors = s_processors_new ();
    (void) state;
    for (uint64_t seed = 1; seed <= 200; seed++) {
        s_world_t world = {.random = random_from (seed),
                           .graph = random_graph_new (seed, NODES_MAX)};
        for (uint32_t node = 0; node < world.graph->nodes_count; node++) {
            random_node_t *it = &world.graph->nodes[node];
            uint32_t *dependencies = it->dependencies;
            *it = (random_node_t){.dependencies = dependencies,
                                  .dependencies_count = node > 0,
                                  .input = RANDOM_INPUT_RULE,
                                  .processor = node > 0 ? RANDOM_MEASURE_BRIEF : RANDOM_MIX_PAYLOAD,
                                  .retry_attempts = DW_UNSET,
                                  .timeout_us = DW_UNSET,
                                  .cost_us = DW_UNSET};
            snprintf (it->id, sizeof it->id, "n%" PRIu32, node);
            dependencies[0] = node - 1;
        }
        world.graph->options.actors = DW_ACTORS_POOL;
        world.graph->options.pool_size = 2;
        s_run_graph (&world, processors, NULL);
    }
    dw_processors_destroy (&processors);
}

/* A failed assertion leaves its graph behind: show it. */
static int s_show (void **state) {
    (void) state;
    if (s_current)
        random_graph_print (s_current, stderr);
    s_current = NULL;
    return 0;
}

int main (void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown (inproc_gives_what_the_evaluator_gives, s_show),
        cmocka_unit_test_teardown (ipc_gives_what_the_evaluator_gives, s_show),
        cmocka_unit_test_teardown (tcp_gives_what_the_evaluator_gives, s_show),
        cmocka_unit_test_teardown (whoever_runs_what_over_ipc_it_gives_the_same, s_show),
        cmocka_unit_test_teardown (whoever_runs_what_over_tcp_it_gives_the_same, s_show),
        cmocka_unit_test_teardown (payload_outlives_the_pauses_of_a_chain, s_show),
    };
    return !!cmocka_run_group_tests (tests, NULL, NULL);
}
