/* fuzz_graph_file.c - any bytes as a graph file, in YAML and in JSON. */

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/config.h"

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size);

static void s_expect (bool is_so) {
    if (!is_so)
        abort ();
}

/* Whatever is refused is refused with messages of one line each. */
static void s_check_messages (int err, const dw_error_t *error) {
    s_expect (dw_error_code (error) == err);
    s_expect ((dw_error_count (error) > 0) == (err != DW_OK));
    for (size_t i = 0; i < dw_error_count (error); i++)
        s_expect (!strchr (dw_error_message (error, i), '\n'));
}

static void s_parse (const uint8_t *data, size_t size, bool json) {
    dw_graph_t *graph = NULL;
    dw_error_t *error = dw_error_new ();
    s_expect (error != NULL);
    int err = dw_config_parse (&graph, (const char *) data, size, "g", json, error);
    s_expect (err == DW_OK || err == DW_EGRAPH);
    s_expect ((graph != NULL) == (err == DW_OK));
    s_check_messages (err, error);
    if (graph)
        dw_graph_resolve (graph, NULL, error);
    if (graph && json) {
        /* What we take for JSON, jansson does too. */
        size_t mark = size >= 3 && memcmp (data, "\xef\xbb\xbf", 3) == 0 ? 3 : 0;
        json_error_t problem;
        json_t *tree = json_loadb ((const char *) data + mark, size - mark, JSON_ALLOW_NUL,
                                   &problem);
        s_expect (tree != NULL);
        json_decref (tree);
    }
    dw_graph_destroy (&graph);
    dw_error_destroy (&error);
}

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size) {
    s_parse (data, size, false);
    s_parse (data, size, true);
    return 0;
}
