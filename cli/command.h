/* command.h - what the commands of `dagwood` share: exit statuses, messages, options.
 *
 * A command is a function of its own words (argv[0] is "dagwood NAME") that returns an exit status.
 * Results go to standard output (output.h), everything else to standard error. */

#ifndef DW_COMMAND_H
#define DW_COMMAND_H

#include <argp.h>

#include "dagwood.h"

struct dw_plan_t; /* runtime/core/plan.h */

/* What the help of every command has among its exit statuses. */
#define DW_HELP_64 "64 usage; "
#define DW_HELP_71 "71 the system refuses threads, memory or descriptors; "

typedef enum dw_exit_t {
    DW_EXIT_OK = 0,
    DW_EXIT_NOT_OK = 1,   /* the run is not ok; its result was printed */
    DW_EXIT_USAGE = 64,   /* also argp's own */
    DW_EXIT_DAMAGED = 65, /* a file of data has not what it should */
    DW_EXIT_INPUT = 66,   /* a file cannot be read, or is larger than it may be */
    DW_EXIT_NO_COORDINATOR = 69,
    DW_EXIT_DEFECT = 70,   /* ours */
    DW_EXIT_REFUSED = 71,  /* the system refuses threads, memory or descriptors */
    DW_EXIT_OUTPUT = 74,   /* standard output, or a file, cannot be written */
    DW_EXIT_LOST = 75,     /* the coordinator was lost, or has no time or place now: try again */
    DW_EXIT_PROTOCOL = 76, /* the coordinator refused, or says what makes no sense */
    DW_EXIT_KEY = 77,      /* a key is missing or refused */
    DW_EXIT_GRAPH = 78,    /* the graph file is wrong */
    DW_EXIT_SIGNAL = 128,  /* plus the signal's number */
} dw_exit_t;

/* The exit status for a dw_err_t: the one table of both. */
int dw_command_exit (int err);

/* Says one line on standard error, after "dagwood: "; control characters are escaped. */
void dw_command_say (const char *format, ...) DW_PRINTF (1, 2);
/* Shows what error holds, if anything, then returns the exit status for err. An err that came
 * without a message is told as what was being done and dw_err_text. */
int dw_command_fail (int err, const dw_error_t *error, const char *doing);
/* The same where nothing is read: a file that DW_EFILE is about cannot be written. */
int dw_command_fail_writing (int err, const dw_error_t *error, const char *doing);
/* Says that what is called name cannot be read, for this errno. Returns the exit status. */
int dw_command_cannot_read (const char *name, int reason);
/* Makes a folder, for what is named, where temporary files go, which the caller removes and frees.
 * Returns an exit status, and says what failed; *folder_p is then NULL. */
int dw_command_make_folder (char **folder_p, const char *name);
/* As dw_command_fail where there are only warnings to show. */
void dw_command_show (const dw_error_t *error);
/* For the notice of a system or an agent: says text, which may have several lines, as dw_command_say
 * does. */
void dw_command_notice (void *arg, const char *text);
/* For who has closed a system or an agent, which gave err: shows what error holds. Where an actor
 * is stuck (DW_ESTUCK) the process ends with status at once: the actor's thread runs on in code of
 * its own, and the handlers of an ordinary end would pull the ground from under it. */
void dw_command_closed (int err, const dw_error_t *error, int status);

/* Parses a command's words. argp has the command's own options and texts; --help, --usage and
 * --version are added here. Returns true, or false and the exit status to return at once: 0 after
 * those. A usage error ends the program with status 64, as argp does. */
bool dw_command_parse (const struct argp *argp, int argc, char **argv, void *input, int *status_p);

/* For "did you mean": nearest is asked for one candidate after another; see dw_error_nearest. */
typedef struct dw_nearest_t {
    const char *word;
    const char *best;
    size_t distance;
} dw_nearest_t;
dw_nearest_t dw_command_nearest (const char *word);
void dw_command_candidate (dw_nearest_t *self, const char *candidate);

/* One of an option's words, such as "json": names is ended by NULL, the index is returned. A word
 * that is none of them is a usage error which names the nearest and all of them. */
int dw_command_choose (const struct argp_state *state, const char *option, const char *const *names,
                       const char *word);

/* A whole number within the range; any other word is a usage error. */
uint64_t dw_command_number (const struct argp_state *state, const char *option, const char *word,
                            uint64_t min, uint64_t max);

/* Seconds, with or without a fraction, as milliseconds: at least min_ms, at most some ten days. */
int dw_command_seconds (const struct argp_state *state, const char *option, const char *word,
                        int min_ms);

/* The word of --reconnect in milliseconds: seconds, or "forever", which is -1. */
int dw_command_reconnect (const struct argp_state *state, const char *word);

typedef enum dw_format_t { DW_FORMAT_TEXT, DW_FORMAT_JSON } dw_format_t;
/* The word of --format where a result is printed. */
dw_format_t dw_command_format (const struct argp_state *state, const char *word);

/* Says that there is no such processor, and the nearest that there is; returns the exit status. */
int dw_command_no_processor (const dw_processors_t *processors, const char *name);

/* The node of this id of a plan, which is file's; DW_NONE: there is none, which is said, behind
 * asked_by ("--output: "), with the nearest that there is. */
uint32_t dw_command_node (const struct dw_plan_t *plan, const char *asked_by, const char *file,
                          const char *id);

/* Loads and compiles a graph file and shows every error and warning. Returns DW_EXIT_OK with the
 * graph in *graph_p and its plan in *plan_p, or the exit status. graph_p NULL: only the plan. */
int dw_command_load (dw_graph_t **graph_p, struct dw_plan_t **plan_p, const char *file);

/* The commands, each in command_NAME.c. */
int dw_command_run (int argc, char **argv);
int dw_command_validate (int argc, char **argv);
int dw_command_graph (int argc, char **argv);
int dw_command_plan (int argc, char **argv);
int dw_command_processors (int argc, char **argv);
int dw_command_bench (int argc, char **argv);
int dw_command_coordinator (int argc, char **argv);
int dw_command_worker (int argc, char **argv);
int dw_command_submit (int argc, char **argv);
int dw_command_status (int argc, char **argv);
int dw_command_keygen (int argc, char **argv);
int dw_command_replay (int argc, char **argv);
int dw_command_why (int argc, char **argv);
int dw_command_conformance (int argc, char **argv);
int dw_command_slot (int argc, char **argv); /* which no help lists: other commands start it */

/* The words with which they do: for slot_command of dw_agent_options_t. */
extern const char *const dw_command_slot_words[];

/* Where processors run: in threads of this process, or each slot in a process of its own. */
typedef enum dw_isolation_t { DW_ISOLATION_NONE, DW_ISOLATION_PROCESS } dw_isolation_t;
/* The word of --isolation. */
dw_isolation_t dw_command_isolation (const struct argp_state *state, const char *word);

#endif
