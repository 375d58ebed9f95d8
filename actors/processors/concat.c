/* concat.c - the outputs of its direct dependencies, joined in the order of depends_on.
 *
 * A dependency without an output (it failed under best_effort) is passed over, and so is the
 * separator that would stand beside it. Without any output to join the result is the empty text. */

#include "actors/processors/stock.h"
#include "actors/processors/text.h"

#include <string.h>

/* The size of the result, after every output was found to be text. */
static int s_measure (dw_call_t *call, size_t separator_size, size_t *size_p) {
    size_t outputs = 0;
    size_t sum = 0;
    for (size_t i = 0; i < dw_call_dependencies_count (call); i++) {
        dw_text_t text;
        size_t ignored;
        if (!dw_call_dependency_payload (call, i, &ignored))
            continue;
        int err = dw_text_dependency (call, i, &text);
        if (err)
            return err;
        sum += text.size + (outputs > 0 ? separator_size : 0);
        outputs++;
    }
    *size_p = sum;
    return 0;
}

static void s_join (dw_call_t *call, const char *separator, size_t separator_size, char *out) {
    bool first = true;
    for (size_t i = 0; i < dw_call_dependencies_count (call); i++) {
        size_t size = 0;
        const char *bytes = dw_call_dependency_text (call, i, &size);
        if (!bytes)
            continue;
        if (!first) {
            memcpy (out, separator, separator_size);
            out += separator_size;
        }
        memcpy (out, bytes, size);
        out += size;
        first = false;
    }
}

static int s_process (dw_call_t *call, void *instance) {
    (void) instance;
    const char *separator = dw_settings_text (dw_call_settings (call), "separator");
    size_t separator_size = strlen (separator);
    size_t size = 0;
    int err = s_measure (call, separator_size, &size);
    if (err)
        return err;
    if (size == 0)
        return dw_call_set_text (call, "", 0) ? dw_text_fail_memory (call) : 0;
    char *out = dw_call_reserve_text (call, size);
    if (!out)
        return dw_text_fail_memory (call);
    s_join (call, separator, separator_size, out);
    return 0;
}

static const dw_option_t s_options[] = {
    {.name = "separator",
     .type = DW_TEXT,
     .fallback = "",
     .help = "what stands between two outputs"},
    {0},
};

const dw_processor_t dw_stock_concat = {
    .name = "concat",
    .help = "the outputs of its direct dependencies, joined in the order of depends_on",
    .intent = DW_TRANSFORM,
    .brief = true,
    .options = s_options,
    .start = dw_text_start,
    .process = s_process,
    .arg = (void *) s_options,
};
