/* command_bench.c - dagwood bench: finds the benchmark that its first word names, and runs it. */

#include <stdio.h>
#include <string.h>

#include "cli/bench.h"
#include "cli/command.h"

static const dw_bench_t *const s_benches[] = {&dw_bench_overhead, &dw_bench_latency,
                                              &dw_bench_stream,   &dw_bench_metg,
                                              &dw_bench_scaling,  &dw_bench_workflow};
#define BENCHES_COUNT (sizeof s_benches / sizeof *s_benches)

static void s_refuse (const struct argp_state *state, const char *word) {
    const char *names[BENCHES_COUNT + 1] = {NULL};
    for (size_t i = 0; i < BENCHES_COUNT; i++)
        names[i] = s_benches[i]->name;
    dw_command_choose (state, "the benchmark", names, word);
}

static void s_ask (const struct argp_state *state) {
    char names[256] = "";
    for (size_t i = 0; i < BENCHES_COUNT; i++) {
        size_t used = strlen (names);
        snprintf (names + used, sizeof names - used, "%s%s", i > 0 ? ", " : "", s_benches[i]->name);
    }
    argp_error (state, "which benchmark? There are: %s", names);
}

/* The words that belong to no benchmark: --help, --version, or a mistake. */
static error_t s_parse (int key, char *arg, struct argp_state *state) {
    switch (key) {
        case ARGP_KEY_ARG: s_refuse (state, arg); return 0;
        case ARGP_KEY_NO_ARGS: s_ask (state); return 0;
        default: return ARGP_ERR_UNKNOWN;
    }
}

static int s_run_none (int argc, char **argv) {
    const struct argp argp = {
        .parser = s_parse,
        .args_doc = "BENCHMARK [OPTION...]",
        .doc = "Measures what running graphs costs."
               "\v"
               "Benchmarks:\n"
               "  overhead     what a task costs, by shape of the graph\n"
               "  latency      how long one run alone takes, and each hop\n"
               "  stream       runs per second through a chain of actors\n"
               "  metg         the minimum effective task granularity of Task Bench\n"
               "  scaling      the cost of a task by nodes, the speed by threads\n"
               "  workflow     a real workflow's makespan against that on paper\n\n"
               "`dagwood bench BENCHMARK --help' explains one, with its figures and exit statuses.",
    };
    int status = DW_EXIT_OK;
    argc = argc > 2 ? 2 : argc; /* What follows an unknown word is not ours to judge. */
    return dw_command_parse (&argp, argc, argv, NULL, &status) ? DW_EXIT_DEFECT : status;
}

int dw_command_bench (int argc, char **argv) {
    int status = DW_EXIT_OK;
    for (size_t i = 0; argc > 1 && i < BENCHES_COUNT; i++) {
        dw_bench_t self = *s_benches[i];
        if (strcmp (argv[1], self.name) == 0) {
            char name[48];
            snprintf (name, sizeof name, "dagwood bench %s", self.name);
            argv[1] = name; /* What argp calls the program in its messages. */
            return dw_bench_parse (&self, argc - 1, argv + 1, &status) ? self.run (&self) : status;
        }
    }
    return s_run_none (argc, argv);
}
