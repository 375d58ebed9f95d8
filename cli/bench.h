/* bench.h - the benchmarks of `dagwood bench`: their words, and the rows they print.
 *
 * A benchmark is a constant with its defaults; words fill in a copy, whose run measures with
 * bench/lib and prints rows. A row is a flat JSON object that begins with what was asked for and
 * ends with machine, versions and hash: as text a table of some of it, as JSON a line, as CSV all
 * of it. */

#ifndef DW_BENCH_H
#define DW_BENCH_H

#include <argp.h>
#include <jansson.h>

#include "bench/lib/machine.h"
#include "bench/lib/overhead.h"

typedef enum dw_bench_format_t { DW_BENCH_TEXT, DW_BENCH_JSON, DW_BENCH_CSV } dw_bench_format_t;

#define DW_BENCH_EFFICIENCIES_MAX 8

typedef struct dw_bench_t {
    const char *name;
    const char *doc;                      /* argp's */
    int (*run) (struct dw_bench_t *self); /* returns the exit status */
    uint32_t words;                       /* which ones it takes: bits of dw_bench_word_t */
    const char *const *columns;           /* of text, ended by NULL */

    dw_bench_format_t format;
    int shape; /* DW_SHAPES: not said */
    bool is_nodes_given;
    bool is_kernel_given;
    dw_work_options_t work; /* with no shape yet; see dw_bench_work */
    dw_rig_options_t rig;
    uint32_t repeat;
    uint32_t runs, in_flight, pause_us;
    double efficiencies[DW_BENCH_EFFICIENCIES_MAX];
    uint32_t efficiencies_count;

    dw_machine_t machine;
    uint32_t rows_count; /* printed */
} dw_bench_t;

/* ---- Words: bench_words.c --------------------------------------------------------------------- */

typedef enum dw_bench_word_t {
    DW_BENCH_SHAPE = 1u << 0,
    DW_BENCH_GRAPH = 1u << 1,
    DW_BENCH_NODES = 1u << 2,
    DW_BENCH_WIDTH = 1u << 3, /* and the radius */
    DW_BENCH_THREADS = 1u << 4,
    DW_BENCH_PAYLOAD = 1u << 5,
    DW_BENCH_KERNEL = 1u << 6, /* and the seed */
    DW_BENCH_TASK_NS = 1u << 7,
    DW_BENCH_TIME_SCALE = 1u << 8,
    DW_BENCH_ACTORS = 1u << 9,
    DW_BENCH_PRIORITY = 1u << 10,
    DW_BENCH_RUNS = 1u << 11,
    DW_BENCH_IN_FLIGHT = 1u << 12,
    DW_BENCH_PAUSE = 1u << 13,
    DW_BENCH_EFFICIENCY = 1u << 14,
    DW_BENCH_RECORD = 1u << 15,
} dw_bench_word_t;

/* Reads the words of a benchmark that has its defaults in self; argv[0] is "dagwood bench NAME".
 * Returns false with the exit status to return at once. */
bool dw_bench_parse (dw_bench_t *self, int argc, char **argv, int *status_p);

/* What was asked for, for one shape: width and radius only where the shape has them; the kernel
 * compute where none was said but a time. */
dw_work_options_t dw_bench_work (const dw_bench_t *self, dw_shape_t shape);

/* Shows what is wrong and returns the exit status; what makes no sense is a usage error. */
int dw_bench_fail (int err, const dw_error_t *error);

/* ---- Rows: bench_rows.c ----------------------------------------------------------------------- */

/* A row that begins with the benchmark's name and parameters: options as they were settled. Lack of
 * memory is found by dw_bench_print. */
json_t *dw_bench_row (const dw_bench_t *self, const dw_work_options_t *options,
                      uint32_t edges_count);
/* Adds a value, which is given away. */
void dw_bench_set (json_t *row, const char *name, json_t *value);
void dw_bench_text (json_t *row, const char *name, const char *value);
void dw_bench_count (json_t *row, const char *name, uint64_t value);
/* What is not finite becomes null. */
void dw_bench_number (json_t *row, const char *name, double value);
/* Adds NAME, the median, then NAME_min and NAME_max. */
void dw_bench_spread (json_t *row, const char *name, dw_spread_t value);
/* As the contract has it for ns_per_task: ns_min and ns_max. */
void dw_bench_ns_per_task (json_t *row, dw_spread_t value);
/* Adds the makespan, and how it compares with its lower bound. */
void dw_bench_makespan (json_t *row, const dw_overhead_t *measured);
/* Prints the row, with machine, versions and hash at its end, and frees it. Returns an exit
 * status. */
int dw_bench_print (dw_bench_t *self, json_t *row, uint64_t hash);

/* ---- The benchmarks, each in bench_NAME.c ----------------------------------------------------- */

extern const dw_bench_t dw_bench_overhead, dw_bench_latency, dw_bench_stream, dw_bench_metg,
    dw_bench_scaling, dw_bench_workflow;

/* Of bench_overhead.c: measures the graph that was asked for, in this shape, and prints its row.
 * Returns an exit status. */
typedef int dw_bench_print_t (dw_bench_t *self, const dw_overhead_t *measured,
                              const dw_work_t *work);
int dw_bench_measure (dw_bench_t *self, dw_shape_t shape, dw_bench_print_t *print);

#endif
