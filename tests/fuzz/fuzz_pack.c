/* fuzz_pack.c - any bytes as a packed graph: what is taken packs again, to the same graph. */

#include <stdlib.h>
#include <string.h>

#include "runtime/core/plan.h"
#include "runtime/pack.h"

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size);

static void s_expect (bool is_so) {
    if (!is_so)
        abort ();
}

/* Whatever is refused is refused with one message, of one line. */
static dw_graph_t *s_unpack (const uint8_t *data, size_t size) {
    dw_graph_t *graph = NULL;
    dw_error_t *error = dw_error_new ();
    int err = dw_unpack_graph (&graph, data, size, error);
    s_expect (err == DW_OK || err == DW_EPROTOCOL);
    s_expect ((graph != NULL) == (err == DW_OK));
    s_expect (dw_error_code (error) == err);
    s_expect (dw_error_count (error) == (err != DW_OK));
    s_expect (!err || !strchr (dw_error_message (error, 0), '\n'));
    dw_error_destroy (&error);
    return graph;
}

/* Every processor is known. */
static bool s_trait (void *arg, const char *processor, dw_trait_t *trait_p) {
    (void) arg;
    (void) processor;
    *trait_p = (dw_trait_t){.intent = DW_TRANSFORM, .brief = true};
    return true;
}

static uint64_t s_digest (const dw_graph_t *graph, int *err_p) {
    static const dw_plan_lookup_t lookup = {.trait = s_trait, .cpus_count = 4};
    dw_plan_t *plan = NULL;
    *err_p = dw_plan_new (&plan, graph, &lookup, NULL);
    uint64_t digest = plan ? dw_plan_digest (plan) : 0;
    dw_plan_destroy (&plan);
    return digest;
}

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size) {
    dw_writer_t first = {0}, second = {0};
    dw_graph_t *graph = s_unpack (data, size), *again;
    int err, err_again;
    if (!graph)
        return 0;
    dw_pack_graph (graph, &first);
    s_expect (first.count <= size); /* No form is shorter. */
    again = s_unpack (first.bytes, first.count);
    s_expect (again != NULL);
    dw_pack_graph (again, &second);
    s_expect (second.count == first.count && !memcmp (second.bytes, first.bytes, first.count));
    s_expect (s_digest (graph, &err) == s_digest (again, &err_again) && err == err_again);
    dw_graph_destroy (&graph);
    dw_graph_destroy (&again);
    dw_writer_free (&first);
    dw_writer_free (&second);
    return 0;
}
