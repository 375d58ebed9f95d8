/* crash.c - a processor that crashes, in processes of their own: the run fails, the program does not.
 *
 *     crash          opens a system whose two slots are processes, and has a good and a bad run made
 *     crash slot     is one of these processes, which the agent starts
 */

#include <dagwood_processor.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Passes its text on, and crashes when that is "boom". */
static int s_fragile (dw_call_t *call, void *arg) {
    (void) arg;
    size_t size;
    const char *text = dw_call_text (call, &size); /* not ended by NUL */
    if (size == 4 && memcmp (text, "boom", 4) == 0) {
        fputs ("fragile: this goes wrong\n", stderr);
        abort ();
    }
    return dw_call_set_text (call, text, size);
}

/* ---- A slot's process ------------------------------------------------------------------------- */

static int s_serve (const dw_processors_t *processors) {
    dw_error_t *error = dw_error_new ();
    int err = dw_agent_serve_slot (processors, error);
    fputs (dw_error_text (error), stderr); /* which the parent catches */
    if (err == DW_ESTUCK)
        _exit (1);
    dw_error_destroy (&error);
    return !!err;
}

/* ---- The program ------------------------------------------------------------------------------ */

static int s_run (dw_client_t *client, const char *text, dw_error_t *error) {
    dw_result_t *result = NULL;
    int err = dw_client_run_text (client, text, &result, error);
    if (err)
        return err;
    const char *message = dw_result_error_message (result, 0);
    printf ("%s: %s\n", text, dw_run_status_text (dw_result_status (result)));
    if (message) /* names the three processes that were tried, and how each ended */
        printf ("%d %.*s\n", dw_result_error_code (result, 0), (int) strcspn (message, "\n"),
                message);
    dw_result_destroy (&result);
    return DW_OK;
}

static int s_work (const dw_processors_t *processors, dw_error_t *error) {
    static const char *const slot[] = {"/proc/self/exe", "slot", NULL};
    dw_graph_t *graph = dw_graph_new ();
    dw_system_t *system = NULL;
    dw_agent_t *agent = NULL;
    dw_client_t *client = NULL;
    dw_graph_add (graph, "fragile", "fragile");
    dw_system_options_t options = {
        .processors = processors,
        .listen = "tcp://127.0.0.1:*",
        .no_actors = true,
    };
    int err = dw_system_open (&system, graph, &options, error);
    dw_agent_options_t agent_options = {
        .coordinator = {.endpoint = err ? "" : dw_system_listening (system)},
        .processors = processors,
        .slots = 2,
        .slot_command = slot,
    };
    if (!err)
        err = dw_agent_open (&agent, &agent_options, error);
    if (!err)
        err = dw_client_new (&client, system, error);
    if (!err)
        err = s_run (client, "hello", error);
    if (!err)
        err = s_run (client, "boom", error);
    if (!err)
        err = s_run (client, "hello again", error);
    dw_client_destroy (&client);
    dw_agent_close (&agent, -1, error);
    dw_system_close (&system, -1, error);
    dw_graph_destroy (&graph);
    return err;
}

int main (int argc, char **argv) {
    dw_error_t *error = dw_error_new ();
    dw_processors_t *processors = dw_processors_new ();
    int err = dw_processors_add_function (processors, "fragile", s_fragile, NULL);
    if (!err)
        err = argc > 1 && strcmp (argv[1], "slot") == 0 ? s_serve (processors)
                                                        : s_work (processors, error);
    fputs (dw_error_text (error), stderr);
    dw_processors_destroy (&processors);
    dw_error_destroy (&error);
    return !!err;
}
