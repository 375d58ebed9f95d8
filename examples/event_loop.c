/* event_loop.c - runs beside other things in the program's own event loop.
 *
 * Five runs are in flight at once, each with the milliseconds that its processor is to nap as its
 * input. Three end by themselves, the loop cancels the third after 50 ms, and the fourth takes
 * longer than its node may. */

#define _POSIX_C_SOURCE 200809L /* clock_gettime */

#include <dagwood_processor.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define CANCEL_AFTER_MS 50
#define CANCELLED_RUN   3

static long s_now_ms (void) {
    struct timespec now;
    clock_gettime (CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Naps, unless it hears that nobody waits for it any more. */
static int s_nap (dw_call_t *call, void *arg) {
    (void) arg;
    char number[16] = "";
    size_t size;
    const char *text = dw_call_text (call, &size);
    if (!text || size >= sizeof number)
        return dw_call_fail (call, 400, "how long?");
    memcpy (number, text, size);
    struct pollfd item = {.fd = dw_call_fd (call), .events = POLLIN};
    for (long end_ms = s_now_ms () + atoi (number), now_ms; (now_ms = s_now_ms ()) < end_ms;) {
        if (dw_call_cancelled (call))
            return dw_call_fail (call, 499, "woken");
        poll (&item, 1, (int) (end_ms - now_ms));
    }
    return dw_call_set_payload (call);
}

/* One node, which five actors host, so that five runs nap at one time. */
static dw_graph_t *s_graph (void) {
    dw_graph_t *graph = dw_graph_new ();
    int nap = dw_graph_add (graph, "nap", "nap");
    dw_node_options_t *node = dw_graph_node_options (graph, nap);
    dw_graph_options_t *options = dw_graph_options (graph);
    if (node)
        node->timeout_us = 250000;
    options->actors = DW_ACTORS_POOL;
    options->pool_size = 5;
    options->max_concurrency = 5;
    return graph;
}

static void s_print (const dw_result_t *result) {
    printf ("run %llu: %s", (unsigned long long) dw_result_run (result),
            dw_run_status_text (dw_result_status (result)));
    if (dw_result_error_message (result, 0))
        printf (", %s (%d)", dw_result_error_message (result, 0), dw_result_error_code (result, 0));
    printf ("\n");
}

static int s_submit (dw_client_t *client, const char *ms, dw_error_t *error) {
    /* wait_ms 0: a loop must not block, so a full client refuses at once with DW_EAGAIN. */
    dw_submission_t submission = {
        .payload = ms, .size = strlen (ms), .is_text = true, .wait_ms = 0};
    return dw_client_submit (client, &submission, NULL, error);
}

static void s_loop (dw_client_t *client) {
    long cancel_at_ms = s_now_ms () + CANCEL_AFTER_MS;
    bool is_cancelled = false;
    while (dw_client_in_flight (client) > 0) {
        if (!is_cancelled && s_now_ms () >= cancel_at_ms) {
            is_cancelled = true;
            dw_client_cancel (client, CANCELLED_RUN);
        }
        /* Before every wait all that is there is taken: the descriptor only tells of what is
         * new. */
        dw_result_t *result;
        while ((result = dw_client_next (client))) {
            s_print (result);
            dw_result_destroy (&result);
        }
        struct pollfd own = {.fd = dw_client_fd (client), .events = POLLIN};
        if (dw_client_in_flight (client) > 0)
            poll (&own, 1, is_cancelled ? -1 : 10); /* a program's other descriptors come along */
    }
}

int main (void) {
    static const char *const naps_ms[] = {"20", "100", "10000", "10000", "80"};
    dw_error_t *error = dw_error_new ();
    dw_processors_t *processors = dw_processors_new ();
    dw_system_options_t options = {.processors = processors};
    dw_graph_t *graph = s_graph ();
    dw_system_t *system = NULL;
    dw_client_t *client = NULL;

    int err = dw_processors_add_function (processors, "nap", s_nap, NULL);
    if (!err)
        err = dw_system_open (&system, graph, &options, error);
    if (!err)
        err = dw_client_new (&client, system, error);
    for (size_t i = 0; i < sizeof naps_ms / sizeof *naps_ms && !err; i++)
        err = s_submit (client, naps_ms[i], error);
    if (!err)
        s_loop (client);

    fputs (dw_error_text (error), stderr);
    dw_client_destroy (&client);
    dw_system_close (&system, -1, NULL);
    dw_processors_destroy (&processors);
    dw_graph_destroy (&graph);
    dw_error_destroy (&error);
    return err != 0;
}
