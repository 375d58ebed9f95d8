/* agent_hello.c - how an agent introduces itself. */

#include "tests/support/agent_hello.h"

#include <string.h>

#include "dagwood_processor.h"

void agent_hello_write (dw_writer_t *head, dw_wire_agent_t agent, const dw_processors_t *offered) {
    static const uint8_t no_token[DW_WIRE_TOKEN_SIZE];
    dw_wire_hello_t hello = {.version = DW_WIRE_VERSION,
                             .oldest = DW_WIRE_OLDEST,
                             .role = DW_WIRE_AGENT,
                             .token = no_token};
    agent.processors_count = (uint32_t) dw_processors_count (offered);
    dw_write_hello (head, &hello);
    dw_write_agent (head, &agent);
    for (uint32_t i = 0; i < agent.processors_count; i++) {
        const char *name = dw_processors_at (offered, i)->name;
        dw_write_str (head, name, strlen (name));
    }
    dw_write_array (head, 0);
}
