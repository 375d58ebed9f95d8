/* command.c */

#include "cli/command.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "actors/processors.h"
#include "cli/output.h"
#include "runtime/config.h"
#include "runtime/core/error.h"
#include "runtime/core/plan.h"

#define TEMPORARY   "/tmp"
#define SECONDS_MAX 1000000

/* ---- Exit statuses and messages ----------------------------------------------------------- */

int dw_command_exit (int err) {
    switch ((dw_err_t) err) {
        case DW_OK: return DW_EXIT_OK;
        case DW_ENOENT: return DW_EXIT_USAGE;
        case DW_EFILE:
        case DW_ETOOLARGE: return DW_EXIT_INPUT;
        case DW_ECLOSED:
        case DW_ENOBODY: return DW_EXIT_NO_COORDINATOR;
        case DW_EAGAIN:
        case DW_ETIMEDOUT:
        case DW_ELOST: return DW_EXIT_LOST;
        case DW_EPROTOCOL:
        case DW_EREFUSED: return DW_EXIT_PROTOCOL;
        case DW_ENOMEM:
        case DW_ELIMIT: return DW_EXIT_REFUSED;
        case DW_EGRAPH:
        case DW_EPROCESSOR: return DW_EXIT_GRAPH;
        case DW_EKEY: return DW_EXIT_KEY;
        case DW_EINVAL:
        case DW_ESTUCK: return DW_EXIT_DEFECT;
    }
    return DW_EXIT_DEFECT;
}

/* Without memory only the words of our own are told. */
void dw_command_say (const char *format, ...) {
    char *text = NULL, *escaped = NULL;
    va_list arguments;
    va_start (arguments, format);
    int size = vasprintf (&text, format, arguments);
    va_end (arguments);
    if (size >= 0)
        escaped = malloc ((size_t) size * DW_ESCAPED_MAX + 1);
    if (escaped)
        dw_error_escape (escaped, text, (size_t) size);
    /* In one call: a notice from the coordinator's thread shall not cut a line in two. */
    fprintf (stderr, "dagwood: %s\n", escaped ? escaped : format);
    free (escaped);
    if (size >= 0)
        free (text);
}

void dw_command_show (const dw_error_t *error) {
    fputs (dw_error_text (error), stderr);
}

int dw_command_fail (int err, const dw_error_t *error, const char *doing) {
    dw_command_show (error);
    if (dw_error_code (error) == DW_OK)
        dw_command_say ("%s: %s", doing, dw_err_text (err));
    return dw_command_exit (err);
}

int dw_command_fail_writing (int err, const dw_error_t *error, const char *doing) {
    int status = dw_command_fail (err, error, doing);
    return err == DW_EFILE ? DW_EXIT_OUTPUT : status;
}

int dw_command_make_folder (char **folder_p, const char *name) {
    const char *temporary = getenv ("TMPDIR");
    temporary = temporary && temporary[0] ? temporary : TEMPORARY;
    if (asprintf (folder_p, "%s/dagwood-XXXXXX", temporary) < 0) {
        *folder_p = NULL;
        return dw_command_fail (DW_ENOMEM, NULL, name);
    }
    if (mkdtemp (*folder_p))
        return DW_EXIT_OK;
    dw_command_say ("no folder for %s can be made in %s: %s", name, temporary, strerror (errno));
    free (*folder_p);
    *folder_p = NULL;
    return DW_EXIT_REFUSED;
}

int dw_command_cannot_read (const char *name, int reason) {
    dw_command_say ("%s cannot be read: %s", name, strerror (reason));
    return reason == ENOMEM ? DW_EXIT_REFUSED : DW_EXIT_INPUT;
}

/* What a program wrote last may be in it, with ends of lines. */
void dw_command_notice (void *arg, const char *text) {
    (void) arg;
    char *escaped = malloc (strlen (text) * DW_ESCAPED_MAX + 1);
    size_t length = 0;
    for (const char *line = text; escaped; line++) {
        size_t size = strcspn (line, "\n");
        length += dw_error_escape (escaped + length, line, size);
        line += size;
        if (!*line)
            break;
        escaped[length++] = '\n';
    }
    fprintf (stderr, "dagwood: %s\n", escaped ? escaped : "there is no memory for a notice");
    free (escaped);
}

void dw_command_closed (int err, const dw_error_t *error, int status) {
    dw_command_show (error);
    if (err == DW_ESTUCK)
        _exit (status);
}

/* ---- Options ------------------------------------------------------------------------------ */

enum { KEY_HELP = 'h', KEY_USAGE = 'u' << 8, KEY_VERSION = 'V' };

typedef struct parsing_t {
    void *input;   /* the command's */
    bool answered; /* --help or --version was given, and was all there was to do */
} parsing_t;

/* Help goes to standard output like any result, so that a full disk is noticed here too. */
static void s_print_help (const struct argp_state *state, unsigned flags) {
    char *text = NULL;
    size_t size = 0;
    FILE *memory = open_memstream (&text, &size);
    if (!memory)
        return;
    argp_state_help (state, memory, flags);
    fclose (memory);
    dw_output_write (text, size);
    free (text);
}

static error_t s_parse_common (int key, char *arg, struct argp_state *state) {
    (void) arg;
    parsing_t *self = state->input;
    switch (key) {
        case ARGP_KEY_INIT: state->child_inputs[0] = self->input; return 0;
        case KEY_HELP:
            s_print_help (state, ARGP_HELP_SHORT_USAGE | ARGP_HELP_LONG | ARGP_HELP_DOC);
            break;
        case KEY_USAGE: s_print_help (state, ARGP_HELP_USAGE); break;
        case KEY_VERSION: dw_output_print ("dagwood %s\n", dw_version ()); break;
        default: return ARGP_ERR_UNKNOWN;
    }
    self->answered = true;
    return ECANCELED; /* Ends the parsing; no other parser returns it. */
}

/* A word that no other parser has taken. */
static error_t s_parse_too_many (int key, char *arg, struct argp_state *state) {
    if (key != ARGP_KEY_ARG)
        return ARGP_ERR_UNKNOWN;
    argp_error (state, "\"%s\" is no option, and nothing else is taken here", arg);
    return 0;
}

bool dw_command_parse (const struct argp *argp, int argc, char **argv, void *input, int *status_p) {
    static const struct argp_option options[] = {
        {.name = "help", .key = KEY_HELP, .doc = "Show this help", .group = -1},
        {.name = "usage", .key = KEY_USAGE, .doc = "Show a short usage message", .group = -1},
        {.name = "version", .key = KEY_VERSION, .doc = "Show the version", .group = -1},
        {0},
    };
    static const struct argp last = {.parser = s_parse_too_many};
    const struct argp_child children[] = {{.argp = argp}, {.argp = &last}, {0}};
    const struct argp common = {.options = options, .parser = s_parse_common, .children = children};
    parsing_t self = {.input = input};
    int err = argp_parse (&common, argc, argv, ARGP_NO_HELP, NULL, &self);
    if (self.answered) {
        *status_p = DW_EXIT_OK;
        return false;
    }
    if (err) {
        dw_command_say ("the options cannot be read: %s", strerror (err));
        *status_p = err == ENOMEM ? DW_EXIT_REFUSED : DW_EXIT_DEFECT;
        return false;
    }
    return true;
}

dw_nearest_t dw_command_nearest (const char *word) {
    return (dw_nearest_t){.word = word, .distance = SIZE_MAX};
}

void dw_command_candidate (dw_nearest_t *self, const char *candidate) {
    dw_error_nearest (self->word, candidate, &self->best, &self->distance);
}

int dw_command_choose (const struct argp_state *state, const char *option, const char *const *names,
                       const char *word) {
    char all[256] = "";
    dw_nearest_t nearest = dw_command_nearest (word);
    for (int i = 0; names[i]; i++) {
        if (strcmp (names[i], word) == 0)
            return i;
        dw_command_candidate (&nearest, names[i]);
        size_t used = strlen (all);
        snprintf (all + used, sizeof all - used, "%s%s", i > 0 ? ", " : "", names[i]);
    }
    if (nearest.best) {
        argp_error (state, "%s: \"%s\" is none of %s; did you mean %s?", option, word, all,
                    nearest.best);
    } else {
        argp_error (state, "%s: \"%s\" is none of %s", option, word, all);
    }
    return -1; /* argp_error has ended the program. */
}

uint64_t dw_command_number (const struct argp_state *state, const char *option, const char *word,
                            uint64_t min, uint64_t max) {
    char *end = NULL;
    errno = 0;
    unsigned long long value = strtoull (word, &end, 10);
    if (end == word || *end || errno || strchr (word, '-') || value < min || value > max) {
        argp_error (state, "%s must be a whole number from %" PRIu64 " to %" PRIu64 ", not \"%s\"",
                    option, min, max, word);
    }
    return value;
}

int dw_command_seconds (const struct argp_state *state, const char *option, const char *word,
                        int min_ms) {
    char *end = NULL;
    double value = strtod (word, &end);
    if (end == word || *end || !(value * 1e3 >= min_ms && value <= SECONDS_MAX)) {
        argp_error (state, "%s must be a number of seconds from %g to %d, not \"%s\"", option,
                    min_ms / 1e3, SECONDS_MAX, word);
    }
    return (int) (value * 1e3);
}

int dw_command_reconnect (const struct argp_state *state, const char *word) {
    return strcmp (word, "forever") == 0 ? -1 : dw_command_seconds (state, "--reconnect", word, 0);
}

dw_format_t dw_command_format (const struct argp_state *state, const char *word) {
    static const char *const formats[] = {"text", "json", NULL};
    return (dw_format_t) dw_command_choose (state, "--format", formats, word);
}

const char *const dw_command_slot_words[] = {"/proc/self/exe", "slot", NULL};

dw_isolation_t dw_command_isolation (const struct argp_state *state, const char *word) {
    static const char *const isolations[] = {"none", "process", NULL};
    return (dw_isolation_t) dw_command_choose (state, "--isolation", isolations, word);
}

int dw_command_no_processor (const dw_processors_t *processors, const char *name) {
    const char *nearest = dw_processors_nearest (processors, name);
    if (nearest)
        dw_command_say ("there is no processor \"%s\"; did you mean %s?", name, nearest);
    else
        dw_command_say ("there is no processor \"%s\"; `dagwood processors' lists all", name);
    return DW_EXIT_USAGE;
}

/* ---- Graphs ------------------------------------------------------------------------------- */

uint32_t dw_command_node (const dw_plan_t *plan, const char *asked_by, const char *file,
                          const char *id) {
    uint32_t node = dw_plan_find (plan, id);
    if (node != DW_NONE)
        return node;
    dw_nearest_t nearest = dw_command_nearest (id);
    for (uint32_t n = 0; n < plan->nodes_count; n++)
        dw_command_candidate (&nearest, plan->ids[n]);
    if (nearest.best) {
        dw_command_say ("%s%s has no node \"%s\"; did you mean \"%s\"?", asked_by, file, id,
                        nearest.best);
    } else {
        dw_command_say ("%s%s has no node \"%s\"", asked_by, file, id);
    }
    return DW_NONE;
}

/* The options and processors of a graph whose file has errors are looked at all the same, so that
 * everything is said at once. */
static int s_check (void *arg, const dw_graph_t *graph, dw_error_t *error) {
    return dw_graph_validate (graph, arg, error);
}

int dw_command_load (dw_graph_t **graph_p, dw_plan_t **plan_p, const char *file) {
    if (!file[0]) {
        dw_command_say ("which graph file? Its name is empty");
        return DW_EXIT_USAGE;
    }
    dw_error_t *error = dw_error_new ();
    dw_processors_t *processors = dw_processors_new ();
    dw_graph_t *graph = NULL;
    dw_config_check_t check = {.check = s_check, .arg = processors};
    int err = processors ? dw_config_load (&graph, file, &check, error) : DW_ENOMEM;
    if (!err)
        err = dw_processors_plan (processors, graph, plan_p, error);
    int status = DW_EXIT_OK;
    if (err)
        status = dw_command_fail (err, error, file);
    else
        dw_command_show (error);
    if (!err && graph_p)
        *graph_p = graph;
    else
        dw_graph_destroy (&graph);
    dw_processors_destroy (&processors);
    dw_error_destroy (&error);
    return status;
}
