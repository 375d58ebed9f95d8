/* figures.h - what a bench was asked for and what it measured: read from the command line, printed.
 *
 * A bench is a main that says which numbers it takes, measures, and adds its figures one by one:
 *
 *     dw_figures_start --> dw_figures_number, dw_figures_count, ... --> dw_figures_end
 *
 * It prints its name, its parameters, its figures and the hash of its results, as lines of text or
 * as one JSON object. A figure's name ends with its unit. Compare figures only from one machine and
 * one sitting, as a ratio. */

#ifndef DW_FIGURES_H
#define DW_FIGURES_H

#include "bench/lib/spread.h"
#include "dagwood.h"

struct json_t;

/* A number that the command line may change: --NAME N, from min to max. */
typedef struct dw_parameter_t {
    const char *name;
    const char *help;
    uint64_t value; /* by default; after dw_figures_start what was asked for */
    uint64_t quick; /* by default with --quick, which the tests use */
    uint64_t min, max;
    bool is_given;
} dw_parameter_t;

typedef struct dw_figures_t {
    const char *bench;
    const char *help;           /* what it measures, for --help */
    dw_parameter_t *parameters; /* ended by one without a name; at most 8 */

    dw_error_t *error; /* for the calls that a bench makes */
    bool is_json;
    struct json_t *values;
} dw_figures_t;

/* Reads the command line: the parameters, --quick and --format text|json. A usage error ends the
 * program with status 64, --help with 0. */
void dw_figures_start (dw_figures_t *self, int argc, char **argv);
/* Adds a figure. */
void dw_figures_number (dw_figures_t *self, const char *name, double value);
void dw_figures_count (dw_figures_t *self, const char *name, uint64_t value);
/* Adds one more value to a figure that is a series. */
void dw_figures_append (dw_figures_t *self, const char *name, uint64_t value);
/* Adds three figures: the median as NAME, then NAME_min and NAME_max. */
void dw_figures_spread (dw_figures_t *self, const char *name, dw_spread_t value);
/* Prints all, the hash last, or when err is an error why there is nothing to print; frees what the
 * figures hold. Returns the exit status: 0; 64 what was asked makes no sense; 66 a file cannot be
 * read or made; 70 a defect; 71 the system refuses threads, memory or descriptors; 74 the output
 * cannot be written; 78 a graph file is wrong. */
int dw_figures_end (dw_figures_t *self, uint64_t hash, int err);

#endif
