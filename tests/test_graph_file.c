/* test_graph_file.c - graph files as bytes: what is no YAML, no JSON, no text or no file. */

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/support/config_fixture.h"

/* -- What is no graph file at all ----------------------------------------------------------- */

static void an_empty_file_is_refused (void **state) {
    (void) state;
    const char *message = "the file is empty; the smallest graph is: processors: []\n";
    static const char *const texts[] = {"", "\n", "# nothing\n", "\xef\xbb\xbf"};
    for (size_t i = 0; i < 4; i++) {
        assert_null (config_parse (texts[i], strlen (texts[i]), false));
        assert_non_null (strstr (config_messages (), message));
    }
    config_expect_json ("",
                        "g:1:1: error: the file is empty; the smallest graph is: processors: []\n");
    config_expect_json ("\n ",
                        "g:2:2: error: the file is empty; the smallest graph is: processors: []\n");
    assert_int_equal (dw_config_parse (&(dw_graph_t *){NULL}, NULL, 0, NULL, false, NULL),
                      DW_EGRAPH);
}

static void other_documents_are_refused (void **state) {
    (void) state;
    config_expect (
        "just text",
        "g:1:1: error: a graph is a mapping with the key \"processors\", not a single value\n");
    config_expect ("- id: a\n",
                   "g:1:1: error: a graph is a mapping with the key \"processors\", not a list\n");
    config_expect ("processors: []\n--- \nprocessors: []\n",
                   "g:2:1: error: a second document begins here; a graph file has only one\n");
    config_expect ("processors: [*all]",
                   "g:1:14: error: aliases (*...) are not supported; write out what is meant\n");
    config_expect ("processors: !!seq []",
                   "g:1:13: error: tags (!...) are not supported; leave it out\n");
    config_expect ("!!map {}", "g:1:1: error: tags (!...) are not supported; leave it out\n");
    config_expect ("strategy: !!str level",
                   "g:1:11: error: tags (!...) are not supported; put a text in quotes\n");
}

static void aliases_cannot_explode (void **state) {
    (void) state;
    config_expect (
        "a: &a [x, x, x]\nb: &b [*a, *a, *a]\n",
        "g:1:1: error: unknown key \"a\"; the keys here are strategy, failure_strategy, executor_options, "
        "processors\n"
        "g:2:1: error: unknown key \"b\"; the keys here are strategy, failure_strategy, executor_options, "
        "processors\n"
        "g:2:8: error: aliases (*...) are not supported; write out what is meant\n");
}

static void text_that_is_not_yaml_is_refused_with_a_hint (void **state) {
    (void) state;
    static const char *const cases[][2] = {
        {"processors:\n\t- id: a\n",
         "g:2:1: error: this is not YAML: found character that cannot start any token while "
         "scanning for the next token; put the text in quotes, and indent with spaces"},
        {"strategy: a: b\n",
         "g:1:12: error: this is not YAML: mapping values are not allowed in this context; is the "
         "line indented"},
        {"processors: [a\n",
         "g:2:1: error: this is not YAML: did not find expected ',' or ']' while parsing a flow "
         "sequence; is a list not closed?"},
        {"strategy: \"level\n",
         "this is not YAML: found unexpected end of stream while scanning a quoted scalar; is a "
         "quote not closed?"},
        {"strategy: level\n  failure_strategy: x\nfoo\n", "this is not YAML: "},
        {"%YAML 3.0\n--- {}\n", "this is not YAML: found incompatible YAML document"},
    };
    for (size_t i = 0; i < sizeof (cases) / sizeof (cases[0]); i++) {
        assert_null (config_parse (cases[i][0], strlen (cases[i][0]), false));
        if (!strstr (config_messages (), cases[i][1]))
            fail_msg ("%s says %s", cases[i][0], config_messages ());
    }
}

static void bytes_that_are_no_text_are_refused (void **state) {
    (void) state;
    config_expect (
        "strategy: level\nx\xff: 1\n",
        "g:2:2: error: the file is not UTF-8 (invalid leading UTF-8 octet): save it as UTF-8\n");
    config_expect (
        "ä\xc3",
        "g:1:2: error: the file is not UTF-8 (incomplete UTF-8 octet sequence): save it as UTF-8\n");
    config_expect ("\xff\xfep", "g:1:1: error: the file is UTF-16: save it as UTF-8\n");
    config_expect (
        "a\n\x01",
        "g:2:1: error: the character U+0001 is not allowed in a graph file; is it a text?\n");
    assert_null (config_parse ("\x7f"
                               "ELF\0\0",
                               6, false));
    assert_non_null (strstr (config_messages (), "is it a text?"));
    assert_null (config_parse ("\xfe\xff\0p\0r", 6, true));
    assert_string_equal (config_messages (),
                         "g:1:1: error: the file is UTF-16: save it as UTF-8\n");
}

static void a_nul_in_a_text_is_refused_with_its_place (void **state) {
    (void) state;
    config_expect ("processors: [{id: \"a\\0b\", processor: p}]",
                   "g:1:19: error: a text with the character NUL in it is not supported\n");
    config_expect ("processors: [{id: a, processor: p, options: {\"a\\0\": \"\\x00\"}}]",
                   "g:1:46: error: a text with the character NUL in it is not supported\n"
                   "g:1:53: error: a text with the character NUL in it is not supported\n");
    config_expect_json ("{\"processors\": [{\"id\": \"a\\u0000b\", \"processor\": \"p\"}]}",
                        "g:1:24: error: a text with the character NUL in it is not supported\n");
}

static void nesting_ends_early_without_recursion (void **state) {
    (void) state;
    static const char *const pieces[] = {"[", "{a: ", "- ", "? ", "[{a: "};
    size_t size = 10000000;
    char *text = malloc (size + 64);
    assert_non_null (text);
    for (size_t i = 0; i < sizeof (pieces) / sizeof (pieces[0]); i++)
        for (int json = 0; json < 2; json++) {
            size_t piece = strlen (pieces[i]);
            size_t used = (size_t) snprintf (text, 64,
                                             json ? "{\"processors\": [{\"id\": "
                                                  : "processors:\n- id: a\n  frob:\n    ");
            for (; used < size; used += piece)
                memcpy (text + used, pieces[i], piece);
            assert_null (config_parse (text, used, json));
            const char *expected = json && i ? "this is not JSON"
                                             : "nested deeper than 16: no graph needs that";
            if (!strstr (config_messages (), expected))
                fail_msg ("%s: %s", pieces[i], config_messages ());
        }
    free (text);
}

static void tag_directives_do_not_take_quadratic_time (void **state) {
    (void) state;
    for (int second = 0; second < 2; second++) {
        size_t size = 0;
        char *text = malloc (20 * 100000 + 64);
        assert_non_null (text);
        size += (size_t) snprintf (text, 64, "%s", second ? "processors: []\n...\n" : "");
        for (int i = 0; i < 100000; i++)
            size += (size_t) snprintf (text + size, 20, "%%TAG !a%d! x\n", i);
        size += (size_t) snprintf (text + size, 40, "---\nprocessors: []\n");
        assert_null (config_parse (text, size, false));
        assert_non_null (
            strstr (config_messages (), "tags are not supported; leave the %TAG lines out"));
        free (text);
    }
}

/* -- JSON ----------------------------------------------------------------------------------- */

static void json_is_read_by_its_own_rules (void **state) {
    (void) state;
    const char *text =
        "{\"processors\"\n:\t[\r\n"
        "\t{\"id\": 5, \"processor\": true, \"options\": {\"a\": \"on\", \"b\": 1.5e3, \"c\": null,\n"
        "\t\t\"d\": -7, \"e\": false, \"<<\": \"\\/\\ud83d\\ude00\\u00e4\xe2\x80\xa8\x7f\"}}]}";
    dw_graph_t *graph = config_parse (text, strlen (text), true);
    if (!graph) {
        fail_msg ("%s", config_messages ());
        return;
    }
    const dw_node_t *node = &graph->nodes[0];
    assert_string_equal (node->id, "5");
    assert_string_equal (node->processor, "true");
    assert_int_equal (node->line, 3);
    assert_int_equal (node->column, 9);
    const dw_setting_t *setting = node->settings;
    assert_int_equal (setting->type, DW_VALUE_TEXT);
    assert_string_equal (setting->value.text, "on");
    setting = setting->next;
    assert_int_equal (setting->type, DW_VALUE_NUMBER);
    assert_true (setting->value.number == 1500);
    setting = setting->next;
    assert_int_equal (setting->type, DW_VALUE_NULL);
    setting = setting->next;
    assert_int_equal (setting->type, DW_VALUE_INTEGER);
    assert_int_equal (setting->value.integer, -7);
    assert_int_equal (setting->line, 4);
    assert_int_equal (setting->column, 8);
    setting = setting->next;
    assert_int_equal (setting->type, DW_VALUE_BOOLEAN);
    setting = setting->next;
    assert_string_equal (setting->name, "<<");
    assert_string_equal (setting->value.text, "/😀ä\xe2\x80\xa8\x7f");
    dw_graph_destroy (&graph);
}

static void text_that_is_not_json_is_refused_with_its_place (void **state) {
    (void) state;
    static const char *const cases[][2] = {
        {"{", "1:2: error: this is not JSON: a key in double quotes is expected here\n"},
        {"{\"processors\"", "1:14: error: this is not JSON: a : is expected here\n"},
        {"{\"processors\":", "1:15: error: this is not JSON: a value is expected here\n"},
        {"{\"processors\":[]", "1:17: error: this is not JSON: a , or } is expected here\n"},
        {"{\"processors\":[\n", "2:1: error: this is not JSON: a value is expected here\n"},
        {"{\"processors\":[],}",
         "1:18: error: this is not JSON: a key in double quotes is expected here\n"},
        {"{\"processors\":[]]", "1:17: error: this is not JSON: a , or } is expected here\n"},
        {"{\"processors\":[],\n\"strategy\":\"level\"\n\"x\"}",
         "3:1: error: this is not JSON: a , or } is expected here\n"},
        {"{\"processors\":[{} {}]}", "this is not JSON: a , or ] is expected here\n"},
        {"{\"processors\":[]} []",
         "1:19: error: this is not JSON: nothing is expected after the end of the graph\n"},
        {"{\"strategy\":level}", "1:13: error: this is not JSON: invalid token near 'level'\n"},
        {"{\"strategy\":'level'}", "1:13: error: this is not JSON: invalid token near '''\n"},
        {"{strategy:1}", "1:2: error: this is not JSON: a key in double quotes is expected here\n"},
        {"{\"strategy\":01}", "1:13: error: this is not JSON: invalid token near '0'\n"},
        {"{\"strategy\":0x1}", "1:13: error: this is not JSON: "},
        {"{\"strategy\":1e999}",
         "1:13: error: this is not JSON: real number overflow near '1e999'\n"},
        {"{\"strategy\":\"\\q\"}", "1:13: error: this is not JSON: invalid escape near '\"\\q'\n"},
        {"{\"strategy\":\"\\ud800\"}", "1:13: error: this is not JSON: invalid Unicode"},
        {"{\"strategy\":\"\xff\"}",
         "1:13: error: this is not JSON: unable to decode byte 0xff near '\"'\n"},
        {"{\"strategy\":\"a\nb\"}",
         "1:13: error: this is not JSON: unexpected newline near '\"a'\n"},
        {"{\"strategy\":\"level}",
         "1:13: error: this is not JSON: premature end of input near '\"level}'\n"},
        {"\x80", "1:1: error: this is not JSON: unable to decode byte 0x80\n"},
    };
    for (size_t i = 0; i < sizeof (cases) / sizeof (cases[0]); i++) {
        assert_null (config_parse (cases[i][0], strlen (cases[i][0]), true));
        if (!strstr (config_messages (), cases[i][1]))
            fail_msg ("%s says %s", cases[i][0], config_messages ());
    }
}

/* -- Files ---------------------------------------------------------------------------------- */

static char s_messages[4096];
static char s_folder[] = "/tmp/test_config_XXXXXX";

static int s_make_folder (void **state) {
    (void) state;
    return mkdtemp (s_folder) ? 0 : -1;
}

static int s_remove_folder (void **state) {
    (void) state;
    return rmdir (s_folder);
}

/* Loads a file of that name and content (NULL: as it is), which is then removed. */
static int s_load (const char *name, const char *content, size_t size) {
    char path[256];
    snprintf (path, sizeof (path), "%s/%s", s_folder, name);
    if (content) {
        FILE *file = fopen (path, "wb");
        assert_non_null (file);
        assert_int_equal (fwrite (content, 1, size, file), size);
        assert_int_equal (fclose (file), 0);
    }
    dw_graph_t *graph = NULL;
    dw_error_t *error = dw_error_new ();
    int err = dw_graph_load (&graph, path, error);
    assert_int_equal (err == DW_OK, graph != NULL);
    assert_int_equal (dw_error_code (error), err);
    const char *text = dw_error_text (error);
    snprintf (s_messages, sizeof (s_messages), "%s", *text ? text + strlen (s_folder) + 1 : "");
    if (graph)
        assert_string_equal (graph->file, path);
    dw_error_destroy (&error);
    dw_graph_destroy (&graph);
    if (content)
        assert_int_equal (unlink (path), 0);
    return err;
}

static void the_name_says_the_format (void **state) {
    (void) state;
    assert_int_equal (s_load ("g.yaml", "processors: []", 14), DW_OK);
    assert_int_equal (s_load ("g", "processors: []", 14), DW_OK);
    assert_int_equal (s_load ("g.json", "{\"processors\": []}", 18), DW_OK);
    assert_int_equal (s_load ("g.json", "processors: []", 14), DW_EGRAPH);
    assert_string_equal (s_messages,
                         "g.json:1:1: error: this is not JSON: invalid token near 'processors'\n");
}

static void what_cannot_be_read_is_said (void **state) {
    (void) state;
    assert_int_equal (s_load ("absent.yaml", NULL, 0), DW_EFILE);
    assert_string_equal (
        s_messages, "absent.yaml: error: the file cannot be read: No such file or directory\n");
    assert_int_equal (s_load ("", NULL, 0), DW_EFILE);
    assert_string_equal (s_messages, ": error: the file cannot be read: Is a directory\n");
    assert_int_equal (s_load ("zeros.yaml", "\0\0\0", 3), DW_EGRAPH);
    assert_string_equal (
        s_messages,
        "zeros.yaml:1:1: error: the character U+0000 is not allowed in a graph file; is it a text?\n");
    assert_int_equal (s_load ("empty.yaml", "", 0), DW_EGRAPH);
    dw_graph_t *graph = NULL;
    assert_int_equal (dw_graph_load (&graph, NULL, NULL), DW_EINVAL);
    assert_int_equal (dw_graph_load (NULL, "x", NULL), DW_EINVAL);
    assert_int_equal (dw_graph_load (&graph, "", NULL), DW_EFILE);
    assert_int_equal (dw_graph_load (&graph, "/dev/zero", NULL), DW_EGRAPH);
}

static void a_file_beyond_the_limit_is_refused_unread (void **state) {
    (void) state;
    char path[256];
    snprintf (path, sizeof (path), "%s/large.yaml", s_folder);
    FILE *file = fopen (path, "wb");
    assert_non_null (file);
    assert_int_equal (ftruncate (fileno (file), (off_t) DW_CONFIG_BYTES_MAX + 1), 0);
    fclose (file);
    assert_int_equal (s_load ("large.yaml", NULL, 0), DW_EGRAPH);
    assert_string_equal (
        s_messages,
        "large.yaml: error: the file is larger than 1024 MiB, the most that a graph file may have\n");
    assert_int_equal (unlink (path), 0);
}

/* A pipe may give its bytes in pieces, and a process of its own writes them. */
static void a_pipe_is_read_to_its_end (void **state) {
    (void) state;
    int ends[2];
    char path[64];
    assert_int_equal (pipe (ends), 0);
    const char *pieces[] = {"processors:\n- id: a\n  proce", "ssor: p\n"};
    for (size_t i = 0; i < 2; i++)
        assert_int_equal (write (ends[1], pieces[i], strlen (pieces[i])), strlen (pieces[i]));
    close (ends[1]);
    snprintf (path, sizeof (path), "/dev/fd/%d", ends[0]);
    dw_graph_t *graph = NULL;
    assert_int_equal (dw_graph_load (&graph, path, NULL), DW_OK);
    assert_int_equal (dw_graph_nodes_count (graph), 1);
    dw_graph_destroy (&graph);
    close (ends[0]);
}

int main (void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (an_empty_file_is_refused),
        cmocka_unit_test (other_documents_are_refused),
        cmocka_unit_test (aliases_cannot_explode),
        cmocka_unit_test (text_that_is_not_yaml_is_refused_with_a_hint),
        cmocka_unit_test (bytes_that_are_no_text_are_refused),
        cmocka_unit_test (a_nul_in_a_text_is_refused_with_its_place),
        cmocka_unit_test (nesting_ends_early_without_recursion),
        cmocka_unit_test (tag_directives_do_not_take_quadratic_time),
        cmocka_unit_test (json_is_read_by_its_own_rules),
        cmocka_unit_test (text_that_is_not_json_is_refused_with_its_place),
        cmocka_unit_test (the_name_says_the_format),
        cmocka_unit_test (what_cannot_be_read_is_said),
        cmocka_unit_test (a_file_beyond_the_limit_is_refused_unread),
        cmocka_unit_test (a_pipe_is_read_to_its_end),
    };
    return !!cmocka_run_group_tests (tests, s_make_folder, s_remove_folder);
}
