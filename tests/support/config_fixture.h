/* config_fixture.h - graph files in tests: parsed from a text, with the messages kept. */

#ifndef TESTS_CONFIG_FIXTURE_H
#define TESTS_CONFIG_FIXTURE_H

#include "runtime/config.h"

/* The graph of a file called g; NULL when it is refused. The caller owns it. */
dw_graph_t *config_parse (const char *text, size_t size, bool json);
/* All messages of the last parse. */
const char *config_messages (void);

/* The graph of a text in YAML that must be right. */
dw_graph_t *config_read (const char *text);
/* That the text is refused with just these messages. */
void config_expect (const char *text, const char *messages);
void config_expect_json (const char *text, const char *messages);

#endif
