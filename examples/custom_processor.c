/* custom_processor.c - two processors of one's own: a table of functions, and one function.
 *
 *     hello --> echo --> exclaim         "hello" -> "hello, hello, hello" -> "hello, hello, hello!"
 */

#include <dagwood_processor.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- A table: options, and an instance that is started, used and stopped --------------------- */

static const dw_option_t s_echo_options[] = {
    {.name = "times",
     .type = DW_INTEGER,
     .fallback = "2",
     .min = 1,
     .max = 1000,
     .help = "how often the text is said"},
    {.name = "separator", .type = DW_TEXT, .fallback = ", ", .help = "what stands in between"},
    {0},
};

/* An instance belongs to one node in one actor and is never entered twice at once: no lock. */
typedef struct echo_t {
    const char *separator;
    size_t times;
    char *said; /* room that is used again from call to call */
    size_t said_size;
    unsigned long calls_count;
} echo_t;

static int s_echo_start (void **instance_p, const dw_settings_t *settings, void *arg, char *why,
                         size_t why_size) {
    (void) arg;
    echo_t *self = calloc (1, sizeof *self);
    if (!self) {
        snprintf (why, why_size, "there is no memory");
        return 1;
    }
    self->separator = dw_settings_text (settings, "separator");
    self->times = (size_t) dw_settings_integer (settings, "times");
    *instance_p = self;
    return 0;
}

static bool s_echo_reserve (echo_t *self, size_t size) {
    char *said = size > self->said_size ? realloc (self->said, size) : self->said;
    if (!said)
        return false;
    self->said_size = size > self->said_size ? size : self->said_size;
    self->said = said;
    return true;
}

static int s_echo_process (dw_call_t *call, void *instance) {
    echo_t *self = instance;
    size_t size, between = strlen (self->separator);
    const char *text = dw_call_text (call, &size);
    char number[24];
    if (!text || size == 0)
        return dw_call_fail (call, 400, "there is no text to say again");
    if (!s_echo_reserve (self, self->times * (size + between)))
        return dw_call_fail (call, 500, "there is no memory");
    char *at = self->said;
    for (size_t i = 0; i < self->times; i++) {
        memcpy (at, text, size);
        memcpy (at + size, self->separator, between);
        at += size + between;
    }
    int err = dw_call_set_text (call, self->said, (size_t) (at - self->said) - between);
    if (err)
        return dw_call_fail (call, err == DW_EINVAL ? 400 : 500, "%s", dw_err_text (err));
    snprintf (number, sizeof number, "%lu", ++self->calls_count);
    return dw_call_set_metadata (call, "calls", number) ? dw_call_fail (call, 500, "no memory") : 0;
}

static void s_echo_stop (void *instance) {
    echo_t *self = instance;
    free (self->said);
    free (self);
}

static const dw_processor_t s_echo = {
    .name = "echo",
    .help = "says the text several times",
    .intent = DW_TRANSFORM,
    .brief = true, /* it returns in microseconds and never blocks */
    .payload_only = true,
    .options = s_echo_options,
    .start = s_echo_start,
    .process = s_echo_process,
    .stop = s_echo_stop,
};

/* ---- The shortcut: one function -------------------------------------------------------------- */

static int s_exclaim (dw_call_t *call, void *arg) {
    size_t size;
    const char *text = dw_call_text (call, &size), *mark = arg; /* UTF-8: echo made it */
    char *at = text ? dw_call_reserve_text (call, size + 1) : NULL;
    if (!at)
        return dw_call_fail (call, text ? 500 : 400, text ? "there is no memory" : "no text");
    memcpy (at, text, size);
    at[size] = *mark;
    return 0;
}

/* ---- A graph that names both ----------------------------------------------------------------- */

static dw_graph_t *s_graph (int64_t times) {
    dw_graph_t *graph = dw_graph_new ();
    int echo = dw_graph_add (graph, "echo", "echo");
    dw_graph_set_integer (graph, echo, "times", times);
    dw_graph_depend (graph, dw_graph_add (graph, "exclaim", "exclaim"), "echo");
    return graph;
}

static int s_print (dw_client_t *client, const char *text, dw_error_t *error) {
    dw_result_t *result = NULL;
    int err = dw_client_run_text (client, text, &result, error);
    if (err)
        return err;
    int echo = dw_result_find (result, "echo"), exclaim = dw_result_find (result, "exclaim");
    if (dw_result_status (result) == DW_RUN_OK) {
        size_t size;
        const char *key, *calls, *said = dw_result_text (result, exclaim, &size);
        dw_result_metadata_at (result, echo, 0, &key, &calls);
        printf ("\"%s\" -> \"%.*s\" (%s: %s)\n", text, (int) size, said, key, calls);
    } else
        printf ("\"%s\" -> %s: %s (%d)\n", text, dw_run_status_text (dw_result_status (result)),
                dw_result_error_message (result, echo), dw_result_error_code (result, echo));
    dw_result_destroy (&result);
    return 0;
}

int main (void) {
    static char mark = '!';
    dw_error_t *error = dw_error_new (), *expected = dw_error_new ();
    dw_processors_t *processors = dw_processors_new ();
    dw_system_options_t options = {.processors = processors};
    dw_graph_t *graph = s_graph (3), *wrong = s_graph (5000);
    dw_system_t *system = NULL;
    dw_client_t *client = NULL;

    int err = dw_processors_add (processors, &s_echo);
    if (!err)
        err = dw_processors_add_function (processors, "exclaim", s_exclaim, &mark);
    if (!err)
        err = dw_system_open (&system, graph, &options, error);
    if (!err)
        err = dw_client_new (&client, system, error);
    if (!err)
        err = s_print (client, "hello", error);
    if (!err)
        err = s_print (client, "", error); /* fails, with a code and a message */
    /* An option out of its range is found before anything starts. */
    if (!err && dw_graph_validate (wrong, processors, expected) == DW_EGRAPH)
        printf ("5000 times: %s", dw_error_text (expected));

    fputs (dw_error_text (error), stderr);
    dw_client_destroy (&client);
    dw_system_close (&system, -1, NULL);
    dw_processors_destroy (&processors);
    dw_graph_destroy (&wrong);
    dw_graph_destroy (&graph);
    dw_error_destroy (&expected);
    dw_error_destroy (&error);
    return err != 0;
}
