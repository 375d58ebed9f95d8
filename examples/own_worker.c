/* own_worker.c - a worker process with a processor of its own, "shout".
 *
 *     own_worker ENDPOINT     works for the coordinator that listens there, until that closes
 *     own_worker              is that coordinator, starts such a worker, and has one run made by it
 */

#include <dagwood_processor.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

static int s_shout (dw_call_t *call, void *arg) {
    size_t size;
    const char *text = dw_call_text (call, &size), *mark = arg; /* not ended by NUL */
    char *output = text ? dw_call_reserve_text (call, size + 1) : NULL;
    if (!output)
        return dw_call_fail (call, text ? 500 : 400, text ? "there is no memory" : "no text");
    memcpy (output, text, size);
    output[size] = *mark;
    return 0;
}

/* ---- The worker process ---------------------------------------------------------------------- */

static int s_work (const dw_processors_t *processors, const char *endpoint, dw_error_t *error) {
    dw_agent_options_t options = {
        .coordinator = {.endpoint = endpoint},
        .processors = processors,
        .slots = 2,
    };
    dw_agent_t *agent = NULL;
    int err = dw_agent_open (&agent, &options, error);
    if (!err)
        err = dw_agent_wait (agent, -1);
    dw_agent_close (&agent, -1, error);
    return err;
}

/* ---- The coordinator process ----------------------------------------------------------------- */

extern char **environ;

/* Has one run made by a worker process, which this program is too. */
static int s_run (dw_system_t *system, dw_error_t *error) {
    char program[] = "own_worker", endpoint[256];
    char *words[] = {program, endpoint, NULL};
    snprintf (endpoint, sizeof endpoint, "%s", dw_system_listening (system));
    pid_t worker;
    if (posix_spawn (&worker, "/proc/self/exe", NULL, NULL, words, environ))
        return DW_ELIMIT;
    dw_client_t *client = NULL;
    dw_result_t *result = NULL;
    int err = dw_client_new (&client, system, error);
    if (!err)
        err = dw_client_run_text (client, "hello", &result, error);
    if (!err) {
        size_t size;
        const char *text = dw_result_text (result, dw_result_find (result, "loud"), &size);
        printf ("%s: %.*s\n", dw_run_status_text (dw_result_status (result)), (int) size,
                text ? text : "");
    }
    dw_result_destroy (&result);
    dw_client_destroy (&client);
    return err;
}

static int s_coordinate (const dw_processors_t *processors, dw_error_t *error) {
    dw_graph_t *graph = dw_graph_new ();
    dw_graph_add (graph, "loud", "shout");
    dw_system_options_t options = {
        .processors = processors, /* those that the graph names must be known here too */
        .listen = "tcp://127.0.0.1:*",
        .no_actors = true,
    };
    dw_system_t *system = NULL;
    int err = dw_system_open (&system, graph, &options, error);
    if (!err)
        err = s_run (system, error);
    dw_system_close (&system, -1, error); /* tells the worker, which then ends */
    dw_graph_destroy (&graph);
    while (wait (NULL) > 0) {
    }
    return err;
}

int main (int argc, char **argv) {
    static char mark = '!';
    dw_error_t *error = dw_error_new ();
    dw_processors_t *processors = dw_processors_new ();
    int err = dw_processors_add_function (processors, "shout", s_shout, &mark);
    if (!err)
        err = argc > 1 ? s_work (processors, argv[1], error) : s_coordinate (processors, error);
    fputs (dw_error_text (error), stderr);
    dw_processors_destroy (&processors);
    dw_error_destroy (&error);
    return !!err;
}
