/* config_fixture.c - see config_fixture.h. */

#include "tests/support/config_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static char s_messages[65536];

const char *config_messages (void) {
    return s_messages;
}

dw_graph_t *config_parse (const char *text, size_t size, bool json) {
    dw_graph_t *graph = NULL;
    dw_error_t *error = dw_error_new ();
    assert_non_null (error);
    char *copy = malloc (size ? size : 1); /* of just this size, for sanitizers to see */
    assert_non_null (copy);
    memcpy (copy, text, size);
    int err = dw_config_parse (&graph, copy, size, "g", json, error);
    free (copy);
    assert_int_equal (err, graph ? DW_OK : DW_EGRAPH);
    assert_int_equal (dw_error_code (error), err);
    snprintf (s_messages, sizeof (s_messages), "%s", dw_error_text (error));
    dw_error_destroy (&error);
    return graph;
}

dw_graph_t *config_read (const char *text) {
    dw_graph_t *graph = config_parse (text, strlen (text), false);
    if (!graph)
        fail_msg ("%s", s_messages);
    return graph;
}

static void s_expect (const char *text, const char *messages, bool json) {
    dw_graph_t *graph = config_parse (text, strlen (text), json);
    if (graph)
        fail_msg ("this was not refused: %s", text);
    if (strcmp (s_messages, messages) != 0)
        fail_msg ("%s\nsays\n%snot\n%s", text, s_messages, messages);
}

void config_expect (const char *text, const char *messages) {
    s_expect (text, messages, false);
}

void config_expect_json (const char *text, const char *messages) {
    s_expect (text, messages, true);
}
