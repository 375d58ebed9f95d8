/* agent_hello.h - how an agent introduces itself, for those who only pretend to be one. */

#ifndef TESTS_AGENT_HELLO_H
#define TESTS_AGENT_HELLO_H

#include "dagwood.h"
#include "runtime/wire.h"

/* Appends the HELLO of an agent that offers these processors, and has no tags. */
void agent_hello_write (dw_writer_t *head, dw_wire_agent_t agent, const dw_processors_t *offered);

#endif
