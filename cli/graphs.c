/* graphs.c */

#include "cli/graphs.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "actors/locate.h"
#include "cli/serve.h"
#include "runtime/core/plan.h"

#define PORT_MAX 65535

/* "shout=graphs/hello.yaml" has a name; "./a=b.yaml" is a file, because a name has no slash. */
static int s_name (dw_named_graph_t *self, const char *word) {
    const char *equals = strchr (word, '='), *slash = strchr (word, '/');
    bool has_name = equals && equals > word && (!slash || slash > equals);
    self->file = has_name ? equals + 1 : word;
    self->name = has_name ? strndup (word, (size_t) (equals - word)) : dw_serve_name (word);
    if (!self->name)
        return dw_command_fail (DW_ENOMEM, NULL, word);
    if (strlen (self->name) > DW_GRAPH_NAME_MAX) {
        dw_command_say ("the name of %s is longer than %u bytes: give it another as NAME=FILE",
                        self->file, DW_GRAPH_NAME_MAX);
        return DW_EXIT_USAGE;
    }
    return DW_EXIT_OK;
}

static int s_check_distinct (const dw_named_graph_t *self, size_t index) {
    for (size_t i = 0; i < index; i++) {
        if (strcmp (self[i].name, self[index].name) == 0) {
            dw_command_say ("%s and %s are both named \"%s\": give one another name, as NAME=%s",
                            self[i].file, self[index].file, self[i].name, self[index].file);
            return DW_EXIT_USAGE;
        }
    }
    return DW_EXIT_OK;
}

int dw_graphs_load (dw_named_graph_t *self, const char *const *words, size_t count) {
    int status = DW_EXIT_OK;
    for (size_t i = 0; i < count && !status; i++) {
        status = s_name (&self[i], words[i]);
        status = status ? status : s_check_distinct (self, i);
    }
    for (size_t i = 0; i < count && !status; i++) {
        dw_plan_t *plan = NULL;
        status = dw_command_load (&self[i].graph, &plan, self[i].file);
        dw_plan_destroy (&plan);
    }
    return status;
}

void dw_graphs_free (dw_named_graph_t *self, size_t count) {
    for (size_t i = 0; i < count; i++) {
        dw_graph_destroy (&self[i].graph);
        free (self[i].name);
    }
}

/* The port that an endpoint names; 0: none, or any, or it is no endpoint, which is said where it is
 * listened at. */
static unsigned long s_port (const char *endpoint) {
    const char *colon = strrchr (endpoint, ':');
    char *end = NULL;
    unsigned long port = colon ? strtoul (colon + 1, &end, 10) : 0;
    return port > 0 && port <= PORT_MAX && *end == '\0' ? port : 0;
}

int dw_graphs_check_endpoint (const char *first, size_t count) {
    unsigned long port = s_port (first);
    if (port == 0 || port + count - 1 <= PORT_MAX)
        return DW_EXIT_OK;
    dw_command_say (
        "--listen: %zu graphs listen at %s and the ports that follow it, of which there "
        "are too few: %d is the last",
        count, first, PORT_MAX);
    return DW_EXIT_USAGE;
}

const char *dw_graphs_endpoint (char *text, size_t size, const char *first, size_t index) {
    unsigned long port = s_port (first);
    if (index > 0 && strncmp (first, "ipc://", 6) == 0) {
        snprintf (text, size, "%s.%zu", first, index + 1);
        return text;
    }
    if (index == 0 || port == 0)
        return first;
    snprintf (text, size, "%.*s:%zu", (int) (strrchr (first, ':') - first), first,
              (size_t) port + index);
    return text;
}
