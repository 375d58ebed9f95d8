/* main.c - the command `dagwood`: finds the command that its first word names, and runs it. */

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/command.h"
#include "cli/output.h"

typedef struct command_t {
    const char *name;
    int (*run) (int argc, char **argv);
    const char *help;
} command_t;

static const command_t s_commands[] = {
    {"run", dw_command_run, "runs a graph and prints every node's result"},
    {"validate", dw_command_validate, "says everything that is wrong with graph files"},
    {"graph", dw_command_graph, "draws a graph, for dot or mermaid"},
    {"plan", dw_command_plan, "prints what a graph is compiled to"},
    {"processors", dw_command_processors, "lists the stock processors, or explains one"},
    {"replay", dw_command_replay,
     "feeds a recording to the scheduler again and prints what it decides"},
    {"why", dw_command_why, "says where a recorded run's time went, or why a node ran as it did"},
    {"bench", dw_command_bench, "measures what a task costs beside its work"},
    {"coordinator", dw_command_coordinator,
     "lets other processes run a graph's nodes and submit runs"},
    {"worker", dw_command_worker, "runs nodes for a coordinator"},
    {"submit", dw_command_submit, "has a coordinator run its graph and prints every node's result"},
    {"status", dw_command_status, "says what a coordinator is at"},
    {"conformance", dw_command_conformance,
     "tests a worker, a client or a coordinator against the protocol"},
    {"keygen", dw_command_keygen, "makes a key pair, for endpoints that other machines reach"},
    {"slot", dw_command_slot, NULL}, /* for other commands to start */
};
#define COMMANDS_COUNT (sizeof s_commands / sizeof *s_commands)

/* ---- The process -------------------------------------------------------------------------- */

/* A standard stream that is closed would be taken by the next file or socket that is opened, which
 * would then get what is meant for the stream. What stands in for standard output cannot be
 * written, so that the missing output is noticed. */
static void s_open_streams (void) {
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
        if (fcntl (fd, F_GETFD) < 0)
            (void) open ("/dev/null", fd == STDOUT_FILENO ? O_RDONLY : O_RDWR);
}

/* Actors take some descriptors each; the usual soft limit of 1024 is for programs that select. */
static void s_raise_descriptors (void) {
    struct rlimit limit;
    if (getrlimit (RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < limit.rlim_max) {
        limit.rlim_cur = limit.rlim_max;
        (void) setrlimit (RLIMIT_NOFILE, &limit); /* Then the library says what is too few. */
    }
}

static void s_on_signal (int number) {
    _exit (DW_EXIT_SIGNAL + number);
}

/* Outside of a run, which reads its signals itself, SIGINT and SIGTERM end the command at once. A
 * shell starts what runs in the background with SIGINT ignored; who sends it means it. */
static void s_handle_signals (void) {
    struct sigaction action = {.sa_handler = s_on_signal};
    sigaction (SIGINT, &action, NULL);
    sigaction (SIGTERM, &action, NULL);
    action.sa_handler = SIG_IGN;
    sigaction (SIGPIPE, &action, NULL);
}

/* ---- Its first words ---------------------------------------------------------------------- */

/* Adds the list of the commands to the help. */
static char *s_filter_help (int key, const char *text, void *input) {
    (void) input;
    if (key != ARGP_KEY_HELP_POST_DOC)
        return (char *) (uintptr_t) text;
    char *list = NULL;
    size_t size = 0;
    FILE *memory = open_memstream (&list, &size);
    if (!memory)
        return NULL;
    fputs ("Commands:\n", memory);
    for (size_t i = 0; i < COMMANDS_COUNT; i++)
        if (s_commands[i].help)
            fprintf (memory, "  %-12s %s\n", s_commands[i].name, s_commands[i].help);
    fputs ("\n`dagwood COMMAND --help' explains a command and its exit statuses.", memory);
    fclose (memory);
    return list;
}

/* Whether the word is that of a graph file, which needs a command before it. */
static bool s_is_graph_file (const char *word) {
    static const char *const ends[] = {".yaml", ".yml", ".json"};
    size_t size = strlen (word);
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
        size_t end = strlen (ends[i]);
        if (size > end && strcmp (word + size - end, ends[i]) == 0)
            return true;
    }
    struct stat status;
    return stat (word, &status) == 0 && S_ISREG (status.st_mode);
}

static error_t s_parse (int key, char *arg, struct argp_state *state) {
    switch (key) {
        case ARGP_KEY_ARG: {
            dw_nearest_t nearest = dw_command_nearest (arg);
            for (size_t i = 0; i < COMMANDS_COUNT; i++)
                if (s_commands[i].help)
                    dw_command_candidate (&nearest, s_commands[i].name);
            if (nearest.best) {
                argp_error (state, "there is no command \"%s\"; did you mean %s?", arg,
                            nearest.best);
            } else if (s_is_graph_file (arg)) {
                argp_error (state, "there is no command \"%s\"; to run that graph: dagwood run %s",
                            arg, arg);
            } else {
                argp_error (state, "there is no command \"%s\"", arg);
            }
            return 0;
        }
        case ARGP_KEY_NO_ARGS: argp_error (state, "which command?"); return 0;
        default: return ARGP_ERR_UNKNOWN;
    }
}

/* The words that belong to no command: --help, --version, or a mistake. */
static int s_run_none (int argc, char **argv) {
    const struct argp argp = {
        .parser = s_parse,
        .args_doc = "COMMAND [WORD...]",
        .doc = "Runs a directed acyclic graph of processors as actors.\v-",
        .help_filter = s_filter_help,
    };
    int status = DW_EXIT_OK;
    argc = argc > 2 ? 2 : argc; /* What follows an unknown word is not ours to judge. */
    return dw_command_parse (&argp, argc, argv, NULL, &status) ? DW_EXIT_DEFECT : status;
}

static int s_run (int argc, char **argv) {
    for (size_t i = 0; argc > 1 && i < COMMANDS_COUNT; i++) {
        if (strcmp (argv[1], s_commands[i].name) == 0) {
            char name[32];
            snprintf (name, sizeof name, "dagwood %s", s_commands[i].name);
            argv[1] = name; /* What argp calls the program in its messages. */
            return s_commands[i].run (argc - 1, argv + 1);
        }
    }
    return s_run_none (argc, argv);
}

int main (int argc, char **argv) {
    s_open_streams ();
    s_raise_descriptors ();
    s_handle_signals ();
    char program[] = "dagwood";
    char *words[] = {program, NULL};
    if (argc < 1)
        return dw_output_close (s_run (1, words));
    argv[0] = program;
    return dw_output_close (s_run (argc, argv));
}
