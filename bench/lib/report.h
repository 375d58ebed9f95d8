/* report.h - what a bench was asked for and what it measured: read from the command line, printed.
 *
 * A bench is a main that says which numbers it takes, measures, and adds its figures one by one:
 *
 *     dw_report_start --> dw_report_number, dw_report_count, ... --> dw_report_end
 *
 * It prints its name, its parameters, its figures and the hash of its results, as lines of text or
 * as one JSON object. A figure's name ends with its unit. Compare figures only from one machine and
 * one sitting, as a ratio. */

#ifndef DW_BENCH_REPORT_H
#define DW_BENCH_REPORT_H

#include "bench/lib/spread.h"
#include "dagwood.h"

struct json_t;

/* A number that the command line may change: --NAME N, from min to max. */
typedef struct dw_parameter_t {
    const char *name;
    const char *help;
    uint64_t value; /* by default; after dw_report_start what was asked for */
    uint64_t quick; /* by default with --quick, which the tests use */
    uint64_t min, max;
    bool is_given;
} dw_parameter_t;

typedef struct dw_report_t {
    const char *bench;
    const char *help;           /* what it measures, for --help */
    dw_parameter_t *parameters; /* ended by one without a name; at most 8 */

    dw_error_t *error; /* for the calls that a bench makes */
    bool is_json;
    struct json_t *figures;
} dw_report_t;

/* Reads the command line: the parameters, --quick and --format text|json. A usage error ends the
 * program with status 64, --help with 0. */
void dw_report_start (dw_report_t *self, int argc, char **argv);
/* Adds a figure. */
void dw_report_number (dw_report_t *self, const char *name, double value);
void dw_report_count (dw_report_t *self, const char *name, uint64_t value);
/* Adds one more value to a figure that is a series. */
void dw_report_append (dw_report_t *self, const char *name, uint64_t value);
/* Adds three figures: the median as NAME, then NAME_min and NAME_max. */
void dw_report_spread (dw_report_t *self, const char *name, dw_spread_t value);
/* Prints all, the hash last, or when err is an error why there is nothing to print; frees what the
 * report holds. Returns the exit status: 0; 64 what was asked makes no sense; 66 a file cannot be read or
 * made; 70 a defect; 71 the system refuses threads, memory or descriptors; 74 the output cannot be
 * written; 78 a graph file is wrong. */
int dw_report_end (dw_report_t *self, uint64_t hash, int err);

#endif
