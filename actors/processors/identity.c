/* identity.c - passes its payload on, whatever it is, without a copy. */

#include "actors/processors/stock.h"

static int s_process (dw_call_t *call, void *instance) {
    (void) instance;
    return dw_call_set_payload (call) ? dw_call_fail (call, 500, "no memory for the payload") : 0;
}

const dw_processor_t dw_stock_identity = {
    .name = "identity",
    .help = "the payload as it came",
    .intent = DW_TRANSFORM,
    .brief = true,
    .payload_only = true,
    .process = s_process,
};
