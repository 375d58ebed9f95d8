/* command_bench.c - dagwood bench: finds the benchmark that its first word names, and runs it. */

#include <stdio.h>
#include <string.h>

#include "cli/bench.h"
#include "cli/command.h"

typedef struct bench_t {
    const char *name;
    int (*run) (int argc, char **argv);
} bench_t;

static const bench_t s_benches[] = {
    {"overhead", dw_bench_overhead}, {"latency", dw_bench_latency}, {"stream", dw_bench_stream},
    {"metg", dw_bench_metg},         {"scaling", dw_bench_scaling}, {"workflow", dw_bench_workflow},
};
#define BENCHES_COUNT (sizeof s_benches / sizeof *s_benches)

static const char *const s_names[] = {"overhead", "latency",  "stream", "metg",
                                      "scaling",  "workflow", NULL};

/* The words that belong to no benchmark: --help, --version, or a mistake. */
static error_t s_parse (int key, char *arg, struct argp_state *state) {
    switch (key) {
        case ARGP_KEY_ARG: dw_command_choose (state, "the benchmark", s_names, arg); return 0;
        case ARGP_KEY_NO_ARGS:
            argp_error (state, "which benchmark? There are: overhead, latency, stream, metg, "
                               "scaling, workflow");
            return 0;
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
    for (size_t i = 0; argc > 1 && i < BENCHES_COUNT; i++) {
        if (strcmp (argv[1], s_benches[i].name) == 0) {
            char name[48];
            snprintf (name, sizeof name, "dagwood bench %s", s_benches[i].name);
            argv[1] = name; /* What argp calls the program in its messages. */
            return s_benches[i].run (argc - 1, argv + 1);
        }
    }
    return s_run_none (argc, argv);
}
