/* test_pack.c - a graph as bytes, and as a graph again.
 *
 *     test_pack                run the tests
 *     test_pack --seeds DIR    write the seeds of the fuzz target, which a test compares */

#include "runtime/pack.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "runtime/core/plan.h"
#include "tests/support/pack_seeds.h"
#include "tests/support/random_graph.h"

static dw_writer_t s_pack (const dw_graph_t *graph) {
    dw_writer_t writer = {0};
    dw_pack_graph (graph, &writer);
    assert_false (writer.no_memory);
    return writer;
}

/* From a copy of just so many bytes, so that what reads beyond them is seen. */
static int s_unpack (dw_graph_t **graph_p, const uint8_t *bytes, size_t size, dw_error_t *error) {
    uint8_t *copy = malloc (size > 0 ? size : 1);
    assert_non_null (copy);
    if (size > 0)
        memcpy (copy, bytes, size);
    int err = dw_unpack_graph (graph_p, copy, size, error);
    free (copy);
    return err;
}

static dw_graph_t *s_again (const dw_graph_t *graph) {
    dw_writer_t packed = s_pack (graph);
    dw_graph_t *again = NULL;
    assert_int_equal (s_unpack (&again, packed.bytes, packed.count, NULL), DW_OK);
    dw_writer_free (&packed);
    return again;
}

static void s_expect_same_bytes (const dw_writer_t *left, const dw_writer_t *right) {
    assert_int_equal (left->count, right->count);
    assert_memory_equal (left->bytes, right->bytes, left->count);
}

static void s_refuse (const uint8_t *bytes, size_t size, const char *text) {
    dw_graph_t *graph = NULL;
    dw_error_t *error = dw_error_new ();
    assert_int_equal (s_unpack (&graph, bytes, size, error), DW_EPROTOCOL);
    assert_null (graph);
    assert_string_equal (dw_error_text (error), text);
    dw_error_destroy (&error);
}

static dw_graph_t *s_seed (const char *name) {
    dw_graph_t *graph = NULL;
    const char *found;
    for (size_t i = 0; (found = pack_seed (i, &graph)) && strcmp (found, name) != 0; i++)
        dw_graph_destroy (&graph);
    assert_non_null (found);
    return graph;
}

/* ---- What travels ----------------------------------------------------------------------------- */

static void what_a_graph_says_of_itself_is_said_again (void **state) {
    dw_graph_t *graph = s_seed ("everything"), *again = s_again (graph);
    dw_graph_options_t *sent = &graph->options, *options = &again->options;
    (void) state;
    assert_string_equal (again->file, "g.yaml");
    assert_int_equal (options->strategy, DW_LEVEL);
    assert_int_equal (options->failure_strategy, DW_BEST_EFFORT);
    assert_int_equal (options->actors, DW_ACTORS_POOL);
    assert_int_equal (options->priority, DW_CRITICAL_PATH);
    assert_int_equal (options->pool_size, sent->pool_size);
    assert_int_equal (options->max_concurrency, sent->max_concurrency);
    assert_int_equal (options->timeout_us, sent->timeout_us);
    assert_int_equal (options->retry_attempts, sent->retry_attempts);
    assert_int_equal (options->batch_size, sent->batch_size);
    assert_int_equal (options->max_payload_bytes, sent->max_payload_bytes);
    assert_int_equal (options->backoff.initial_us, sent->backoff.initial_us);
    assert_int_equal (options->backoff.max_us, sent->backoff.max_us);
    assert_true (options->backoff.factor == 1.5 && options->backoff.jitter == 0.25);
    dw_graph_destroy (&graph);
    dw_graph_destroy (&again);
}

static void what_is_said_of_a_node_is_said_again (void **state) {
    dw_graph_t *graph = s_seed ("everything"), *again = s_again (graph);
    (void) state;
    assert_int_equal (again->nodes_count, 2);
    assert_int_equal (again->edges_count, 2);
    assert_int_equal (again->inputs_count, 1);
    assert_int_equal (again->options_count, 2);
    assert_int_equal (again->settings_count, 1);
    const dw_node_t *node = &again->nodes[1];
    assert_string_equal (again->nodes[0].id, "");
    assert_string_equal (node->id, graph->nodes[1].id);
    assert_string_equal (node->processor, "identity");
    assert_ptr_equal (node->processor, again->nodes[0].processor);
    assert_string_equal (node->input, "run");
    assert_null (again->nodes[0].input);
    assert_string_equal (node->dependencies[0].id, "");
    assert_string_equal (node->dependencies[1].id, "nobody");
    assert_int_equal (node->options->intent, DW_ANALYZE);
    assert_int_equal (node->options->timeout_us, DW_UNSET);
    assert_int_equal (node->options->retry_attempts, 1);
    assert_int_equal (node->options->cost_us, 20);
    assert_true (node->options->has_backoff && node->options->backoff.factor == 3);
    assert_true (node->options->not_idempotent);
    assert_int_equal (node->options->join, DW_JOIN_ANY_OK);
    assert_false (again->nodes[0].options->not_idempotent);
    assert_int_equal (again->nodes[0].options->timeout_us, 7);
    assert_int_equal (again->nodes[0].options->cost_us, DW_UNSET);
    assert_int_equal (again->demands_count, 2);
    assert_true (again->nodes[0].demand->remote && again->nodes[0].demand->tags_count == 0);
    assert_int_equal (node->demand->tags_count, 2);
    assert_string_equal (node->demand->tags[0].name, "gpu");
    assert_string_equal (node->demand->tags[1].value, "a/b");
    assert_false (again->nodes[0].options->has_backoff);
    dw_graph_destroy (&graph);
    dw_graph_destroy (&again);
}

static void settings_keep_their_order_their_types_and_every_bit (void **state) {
    static const double numbers[] = {0.1, -0.0, INFINITY, 5e-324, 1.7976931348623157e308};
    dw_graph_t *graph = s_seed ("everything");
    (void) state;
    for (size_t i = 0; i < 5; i++)
        dw_graph_set_number (graph, 0, (char[]){(char) ('a' + (int) i), '\0'}, numbers[i]);
    dw_graph_set_integer (graph, 0, "least", INT64_MIN);
    dw_graph_set_number (graph, 0, "nan", NAN);
    dw_graph_t *again = s_again (graph);
    const dw_setting_t *setting = again->nodes[1].settings;
    assert_string_equal (setting->name, "text");
    assert_string_equal (setting->value.text, "\xff\x01");
    setting = setting->next;
    assert_int_equal (setting->type, DW_VALUE_INTEGER);
    assert_int_equal (setting->value.integer, -1);
    setting = setting->next;
    assert_true (setting->type == DW_VALUE_NUMBER && setting->value.number == 0.1);
    setting = setting->next;
    assert_true (setting->type == DW_VALUE_BOOLEAN && setting->value.boolean);
    setting = setting->next;
    assert_string_equal (setting->name, "null");
    assert_int_equal (setting->type, DW_VALUE_NULL);
    assert_null (setting->next);
    setting = again->nodes[0].settings;
    for (size_t i = 0; i < 5; i++, setting = setting->next)
        assert_memory_equal (&setting->value.number, &numbers[i], sizeof (double));
    assert_int_equal (setting->value.integer, INT64_MIN);
    assert_true (isnan (setting->next->value.number));
    dw_graph_destroy (&graph);
    dw_graph_destroy (&again);
}

static void a_graph_is_appended_to_what_the_writer_holds (void **state) {
    dw_graph_t *graph = s_seed ("chain");
    dw_writer_t alone = s_pack (graph), behind = {0};
    (void) state;
    dw_write_uint (&behind, 300);
    size_t before = behind.count;
    dw_pack_graph (graph, &behind);
    assert_int_equal (behind.count - before, alone.count);
    assert_memory_equal (behind.bytes + before, alone.bytes, alone.count);
    dw_graph_destroy (&graph);
    dw_writer_free (&alone);
    dw_writer_free (&behind);
}

/* ---- What is refused -------------------------------------------------------------------------- */

static void what_is_refused_says_where (void **state) {
    dw_graph_t *graph = s_seed ("chain");
    dw_writer_t packed = s_pack (graph);
    size_t size = packed.count;
    (void) state;
    s_refuse (NULL, 0, "error: the graph of 0 bytes is damaged before its first node\n");
    s_refuse (packed.bytes, 5, "error: the graph of 5 bytes is damaged before its first node\n");
    s_refuse (packed.bytes, size - 1,
              "error: the graph of 140 bytes is damaged after the beginning of 3 of its 3 nodes\n");
    dw_write_nil (&packed);
    s_refuse (packed.bytes, size + 1, "error: the graph of 142 bytes is over after 141 of them\n");
    packed.bytes[0] = 3;
    s_refuse (
        packed.bytes, size,
        "error: the graph was packed in version 3, this dagwood reads 2; use the same dagwood "
        "on both sides\n");
    dw_graph_destroy (&graph);
    dw_writer_free (&packed);
}

static void without_bytes_there_is_no_graph (void **state) {
    dw_graph_t *graph = NULL;
    (void) state;
    assert_int_equal (dw_unpack_graph (&graph, NULL, 0, NULL), DW_EPROTOCOL);
    assert_null (graph);
}

static void a_choice_that_there_is_not_is_refused (void **state) {
    static const uint8_t beyond[] = {DW_REACTIVE + 1, DW_BEST_EFFORT + 1, DW_ACTORS_POOL + 1,
                                     DW_CRITICAL_PATH + 1};
    dw_graph_t *graph = s_seed ("empty"), *again = NULL;
    dw_writer_t packed = s_pack (graph);
    (void) state;
    for (size_t i = 0; i < sizeof beyond; i++) { /* behind the version and no file */
        uint8_t kept = packed.bytes[2 + i];
        packed.bytes[2 + i] = beyond[i];
        assert_int_equal (s_unpack (&again, packed.bytes, packed.count, NULL), DW_EPROTOCOL);
        packed.bytes[2 + i] = kept;
    }
    assert_int_equal (s_unpack (&again, packed.bytes, packed.count, NULL), DW_OK);
    dw_graph_destroy (&graph);
    dw_graph_destroy (&again);
    dw_writer_free (&packed);
}

/* The text would end there, and two ids could become one. */
static void a_text_with_a_nul_in_it_is_refused (void **state) {
    dw_graph_t *graph = s_seed ("everything"), *again = NULL;
    dw_writer_t packed = s_pack (graph);
    static const char *const texts[] = {"g.yaml", "longer id", "identity",
                                        "nobody", "run",       "integer"};
    (void) state;
    for (size_t i = 0; i < sizeof (texts) / sizeof (texts[0]); i++) {
        uint8_t *at = memmem (packed.bytes, packed.count, texts[i], strlen (texts[i]));
        assert_non_null (at);
        uint8_t kept = at[1];
        at[1] = 0;
        assert_int_equal (s_unpack (&again, packed.bytes, packed.count, NULL), DW_EPROTOCOL);
        at[1] = kept;
    }
    dw_graph_destroy (&graph);
    dw_writer_free (&packed);
}

static void counts_beyond_the_bytes_are_refused_at_once (void **state) {
    dw_graph_t *graph = s_seed ("empty"), *again = NULL;
    dw_writer_t packed = s_pack (graph);
    (void) state;
    packed.count--; /* The array of no nodes is the last byte. */
    dw_write_array (&packed, UINT32_MAX);
    assert_int_equal (s_unpack (&again, packed.bytes, packed.count, NULL), DW_EPROTOCOL);
    dw_graph_destroy (&graph);
    dw_writer_free (&packed);
}

/* ---- How long it takes ------------------------------------------------------------------------ */

/* Would take minutes if each were compared with those before it. */
static void many_settings_and_dependencies_of_one_node_are_read_in_a_moment (void **state) {
    enum { MANY = 300000 };
    dw_graph_t *graph = s_seed ("chain");
    (void) state;
    for (uint32_t i = 0; i < MANY; i++) {
        char name[16];
        snprintf (name, sizeof name, "%u", i);
        assert_int_equal (dw_graph_depend (graph, 2, name), DW_OK);
        assert_non_null (dw_graph_add_setting (graph, 2, name));
    }
    dw_writer_t packed = s_pack (graph);
    dw_graph_t *again = s_again (graph);
    dw_writer_t second = s_pack (again);
    s_expect_same_bytes (&packed, &second);
    assert_int_equal (again->edges_count, MANY + 2);
    dw_graph_destroy (&graph);
    dw_graph_destroy (&again);
    dw_writer_free (&packed);
    dw_writer_free (&second);
}

/* ---- Random graphs ---------------------------------------------------------------------------- */

static void s_draw_backoff (random_t *random, dw_backoff_t *backoff) {
    backoff->initial_us = random_between (random, 0, 1000000);
    backoff->max_us = random_between (random, 0, 1000000);
    backoff->factor = 1 + (double) random_below (random, 1000) / 7;
    backoff->jitter = (double) random_below (random, 1000) / 1000;
}

static void s_draw_options (random_t *random, dw_graph_options_t *options) {
    options->strategy = (dw_strategy_t) random_below (random, 4);
    options->failure_strategy = (dw_failure_strategy_t) random_below (random, 3);
    options->actors = (dw_actors_t) random_below (random, 3);
    options->priority = (dw_priority_t) random_below (random, 2);
    if (random_one_in (random, 2))
        options->pool_size = random_between (random, 1, 1024);
    if (random_one_in (random, 2))
        options->max_concurrency = random_between (random, 1, 65536);
    if (random_one_in (random, 2))
        options->timeout_us = random_between (random, 1, INT64_C (1000000000000));
    if (random_one_in (random, 2))
        options->batch_size = random_between (random, 1, 65536);
    if (random_one_in (random, 2))
        options->max_payload_bytes = random_between (random, 1, UINT32_MAX);
    s_draw_backoff (random, &options->backoff);
}

static void s_draw_node (random_t *random, dw_graph_t *graph, int node) {
    static const char *const texts[] = {"", "plain", "\xc3\xa9",
                                        "a text of more than 31 bytes, so"};
    dw_node_options_t *options = dw_graph_node_options (graph, node);
    int wrong = 0;
    if (random_one_in (random, 3))
        options->timeout_us = random_between (random, 1, INT64_C (1000000000));
    if ((options->has_backoff = random_one_in (random, 3)))
        s_draw_backoff (random, &options->backoff);
    if (random_one_in (random, 2))
        wrong |= dw_graph_set_text (graph, node, "text", texts[random_below (random, 4)]);
    if (random_one_in (random, 2))
        wrong |= dw_graph_set_integer (graph, node, "i", (int64_t) random_integer (random));
    if (random_one_in (random, 2))
        wrong |= dw_graph_set_number (graph, node, "number", (double) random_integer (random) / 3);
    if (random_one_in (random, 2))
        wrong |= dw_graph_set_boolean (graph, node, "yes or no", random_one_in (random, 2));
    if (random_one_in (random, 4))
        wrong |= !dw_graph_add_setting (graph, (uint32_t) node, "nothing");
    assert_false (wrong);
}

static void s_draw_demand (random_t *random, dw_graph_t *graph, int node) {
    static const char *const names[] = {"gpu", "zone", "disk"}, *const values[] = {"a", "b"};
    if (random_one_in (random, 3))
        assert_int_equal (dw_graph_set_remote (graph, node), DW_OK);
    for (int i = 0; i < 2; i++)
        if (random_one_in (random, 4))
            assert_int_equal (dw_graph_require_tag (graph, node, names[random_below (random, 3)],
                                                    values[random_below (random, 2)]),
                              DW_OK);
}

static dw_graph_t *s_random_graph (uint64_t seed, uint32_t nodes_max) {
    random_graph_t *drawn = random_graph_new (seed, nodes_max);
    dw_graph_t *graph = random_graph_build (drawn);
    random_t random = random_from (seed);
    s_draw_options (&random, &graph->options);
    for (uint32_t node = 0; node < drawn->nodes_count; node++)
        s_draw_node (&random, graph, (int) node);
    for (uint32_t node = 0; seed % 3 == 0 && node < drawn->nodes_count; node++)
        s_draw_demand (&random, graph, (int) node);
    if (random_one_in (&random, 2))
        assert_int_equal (dw_graph_set_file (graph, "some/graph.yaml"), DW_OK);
    random_graph_destroy (&drawn);
    return graph;
}

static bool s_append (void *arg, const char *text, size_t size) {
    dw_writer_t *writer = arg;
    uint8_t *at = dw_writer_room (writer, size);
    assert_non_null (at);
    memcpy (at, text, size);
    writer->count += size;
    return true;
}

static dw_plan_t *s_plan (const dw_graph_t *graph) {
    static const dw_plan_lookup_t lookup = {.trait = random_graph_trait, .cpus_count = 3};
    dw_plan_t *plan = NULL;
    assert_int_equal (dw_plan_new (&plan, graph, &lookup, NULL), DW_OK);
    return plan;
}

static void s_expect_same_plan (const dw_graph_t *left, const dw_graph_t *right) {
    dw_plan_t *plans[2] = {s_plan (left), s_plan (right)};
    dw_writer_t prints[2] = {{0}, {0}};
    assert_true (dw_plan_digest (plans[0]) == dw_plan_digest (plans[1]));
    for (int i = 0; i < 2; i++)
        assert_true (dw_plan_print (plans[i], s_append, &prints[i]));
    s_expect_same_bytes (&prints[0], &prints[1]);
    for (int i = 0; i < 2; i++) {
        dw_plan_destroy (&plans[i]);
        dw_writer_free (&prints[i]);
    }
}

static void any_graph_packs_to_the_same_bytes_again_and_has_the_same_plan (void **state) {
    uint64_t seed = random_seed ();
    (void) state;
    for (uint64_t i = 0; i < 1500; i++) {
        dw_graph_t *graph = s_random_graph (seed * 10000 + i, i % 50 ? 40 : 600);
        dw_graph_t *again = s_again (graph);
        dw_writer_t first = s_pack (graph), second = s_pack (again);
        s_expect_same_bytes (&first, &second);
        s_expect_same_plan (graph, again);
        dw_graph_destroy (&graph);
        dw_graph_destroy (&again);
        dw_writer_free (&first);
        dw_writer_free (&second);
    }
}

/* ---- Damage ----------------------------------------------------------------------------------- */

static void a_graph_that_is_cut_anywhere_is_refused (void **state) {
    uint64_t seed = random_seed ();
    (void) state;
    for (uint64_t i = 0; i < 40; i++) {
        dw_graph_t *graph = s_random_graph (seed * 1000 + i, 12), *again = NULL;
        dw_writer_t packed = s_pack (graph);
        for (size_t cut = 0; cut < packed.count; cut++)
            assert_int_equal (s_unpack (&again, packed.bytes, cut, NULL), DW_EPROTOCOL);
        assert_null (again);
        dw_graph_destroy (&graph);
        dw_writer_free (&packed);
    }
}

/* Refused, or a graph like any other. */
static bool s_survives (const uint8_t *bytes, size_t size) {
    dw_graph_t *graph = NULL;
    int err = s_unpack (&graph, bytes, size, NULL);
    if (err) {
        assert_int_equal (err, DW_EPROTOCOL);
        return false;
    }
    dw_graph_t *again = s_again (graph);
    dw_writer_t first = s_pack (graph), second = s_pack (again);
    s_expect_same_bytes (&first, &second);
    dw_graph_resolve (again, NULL, NULL);
    dw_graph_destroy (&graph);
    dw_graph_destroy (&again);
    dw_writer_free (&first);
    dw_writer_free (&second);
    return true;
}

static void a_graph_with_any_bytes_changed_is_refused_or_packs_again (void **state) {
    random_t random = random_from (random_seed ());
    int refused = 0, survived = 0;
    (void) state;
    for (int i = 0; i < 20000; i++) {
        dw_graph_t *graph = s_random_graph ((uint64_t) i % 100, 8);
        dw_writer_t packed = s_pack (graph);
        for (uint32_t changes = 1 + random_below (&random, 4); changes > 0; changes--) {
            uint8_t *at = &packed.bytes[random_below (&random, (uint32_t) packed.count)];
            *at ^= (uint8_t) (1u << random_below (&random, 8));
        }
        if (s_survives (packed.bytes, packed.count))
            survived++;
        else
            refused++;
        dw_graph_destroy (&graph);
        dw_writer_free (&packed);
    }
    assert_true (refused > 1000 && survived > 1000);
}

/* ---- Corpus ----------------------------------------------------------------------------------- */

/* As they lie in the corpus, where they also show that an older graph can still be read: what makes
 * them differ needs another DW_PACK_VERSION. */
static void the_seeds_of_the_fuzz_target_are_what_packed_graphs_look_like (void **state) {
    dw_graph_t *graph;
    const char *name;
    (void) state;
    for (size_t i = 0; (name = pack_seed (i, &graph)); i++) {
        char path[1024];
        dw_writer_t packed = s_pack (graph), kept = {0};
        snprintf (path, sizeof path, DAGWOOD_SOURCE_DIR "/tests/fuzz/corpus/pack/%s", name);
        FILE *file = fopen (path, "rb");
        if (!file)
            fail_msg ("%s is missing: write it with test_pack --seeds DIR", path);
        assert_non_null (dw_writer_room (&kept, 4096));
        kept.count = fread (kept.bytes, 1, 4096, file);
        fclose (file);
        s_expect_same_bytes (&packed, &kept);
        dw_graph_destroy (&graph);
        dw_writer_free (&packed);
        dw_writer_free (&kept);
    }
}

static int s_write_seeds (const char *folder) {
    dw_graph_t *graph;
    const char *name;
    int failed = 0;
    for (size_t i = 0; (name = pack_seed (i, &graph)); i++) {
        char path[1024];
        dw_writer_t packed = s_pack (graph);
        snprintf (path, sizeof path, "%s/%s", folder, name);
        FILE *file = fopen (path, "wb");
        failed |= !file || fwrite (packed.bytes, 1, packed.count, file) != packed.count;
        failed |= file && fclose (file);
        dw_graph_destroy (&graph);
        dw_writer_free (&packed);
        dw_writer_free (&packed);
    }
    return failed;
}

int main (int argc, char **argv) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (what_a_graph_says_of_itself_is_said_again),
        cmocka_unit_test (what_is_said_of_a_node_is_said_again),
        cmocka_unit_test (settings_keep_their_order_their_types_and_every_bit),
        cmocka_unit_test (a_graph_is_appended_to_what_the_writer_holds),
        cmocka_unit_test (what_is_refused_says_where),
        cmocka_unit_test (without_bytes_there_is_no_graph),
        cmocka_unit_test (a_choice_that_there_is_not_is_refused),
        cmocka_unit_test (a_text_with_a_nul_in_it_is_refused),
        cmocka_unit_test (counts_beyond_the_bytes_are_refused_at_once),
        cmocka_unit_test (many_settings_and_dependencies_of_one_node_are_read_in_a_moment),
        cmocka_unit_test (any_graph_packs_to_the_same_bytes_again_and_has_the_same_plan),
        cmocka_unit_test (a_graph_that_is_cut_anywhere_is_refused),
        cmocka_unit_test (a_graph_with_any_bytes_changed_is_refused_or_packs_again),
        cmocka_unit_test (the_seeds_of_the_fuzz_target_are_what_packed_graphs_look_like),
    };
    if (argc == 3 && strcmp (argv[1], "--seeds") == 0)
        return s_write_seeds (argv[2]);
    return !!cmocka_run_group_tests_name ("packed graphs", tests, NULL, NULL);
}
