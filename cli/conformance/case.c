/* case.c */

#include "cli/conformance/case.h"

#include <stdarg.h>
#include <stdio.h>

#define SAY(seen, format)                                     \
    do {                                                      \
        va_list args;                                         \
        va_start (args, format);                              \
        (void) vsnprintf (seen, DW_SEEN_BYTES, format, args); \
        va_end (args);                                        \
    } while (0)

dw_verdict_t dw_case_pass (char *seen, const char *format, ...) {
    SAY (seen, format);
    return DW_VERDICT_PASSED;
}

dw_verdict_t dw_case_fail (char *seen, const char *format, ...) {
    SAY (seen, format);
    return DW_VERDICT_FAILED;
}

dw_verdict_t dw_case_skip (char *seen, const char *format, ...) {
    SAY (seen, format);
    return DW_VERDICT_SKIPPED;
}

const char *dw_case_type (unsigned type, char text[40]) {
    const char *name = dw_wire_type_text (type);
    if (name)
        return name;
    snprintf (text, 40, "a message of type %u", type);
    return text;
}

dw_verdict_t dw_case_versions (const dw_wire_hello_t *hello, char *seen) {
    unsigned oldest = hello->oldest, version = hello->version;
    return dw_wire_common_version (hello) == DW_WIRE_VERSION
               ? dw_case_pass (seen, "versions %u to %u", oldest, version)
               : dw_case_fail (seen, "versions %u to %u, without %u", oldest, version,
                               DW_WIRE_VERSION);
}
