/* wfformat.c - a workflow of WfCommons. */

#include "bench/lib/wfformat.h"

#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "runtime/core/graph.h"

#define VERSION      "1.5"
#define PROBLEMS_MAX 20u

typedef struct s_reading_t {
    dw_place_t place; /* the file: jansson keeps no lines of what it has read */
    dw_error_t *error;
    uint32_t problems_count;
    int err; /* of the first problem */
} s_reading_t;

static void s_problem (s_reading_t *self, const char *where, size_t index, const char *id,
                       const char *problem) {
    self->err = self->err ? self->err : DW_EGRAPH;
    if (++self->problems_count > PROBLEMS_MAX)
        return;
    if (id)
        dw_error_add (self->error, DW_EGRAPH, self->place, "%s[%zu] (\"%s\"): %s", where, index, id,
                      problem);
    else
        dw_error_add (self->error, DW_EGRAPH, self->place, "%s[%zu]: %s", where, index, problem);
}

static int s_end (s_reading_t *self) {
    if (self->problems_count > PROBLEMS_MAX)
        dw_error_add (self->error, DW_EGRAPH, self->place, "and %u problems more",
                      self->problems_count - PROBLEMS_MAX);
    return self->err;
}

/* ---- The tasks ---------------------------------------------------------------------------- */

#define SPECIFIED "workflow.specification.tasks"
#define EXECUTED  "workflow.execution.tasks"

/* The time of each task that was executed, by id. */
static json_t *s_read_times (s_reading_t *self, const json_t *tasks) {
    json_t *times = json_object (), *task;
    size_t index;
    json_array_foreach (tasks, index, task) {
        const char *id = json_string_value (json_object_get (task, "id"));
        json_t *time = json_object_get (task, "runtimeInSeconds");
        if (!id)
            s_problem (self, EXECUTED, index, NULL, "\"id\" is missing or no string");
        else if (!json_is_number (time))
            s_problem (self, EXECUTED, index, id, "\"runtimeInSeconds\" is missing or no number");
        else if (json_number_value (time) < 0)
            s_problem (self, EXECUTED, index, id, "\"runtimeInSeconds\" is below 0");
        else if (json_object_set (times, id, time))
            self->err = DW_ENOMEM;
    }
    return times;
}

static void s_read_task (s_reading_t *self, const json_t *task, size_t index, const json_t *times,
                         dw_graph_t *graph, double *seconds) {
    const char *id = json_string_value (json_object_get (task, "id"));
    const json_t *parents = json_object_get (task, "parents"), *parent;
    const json_t *time = id ? json_object_get (times, id) : NULL;
    if (!id) {
        s_problem (self, SPECIFIED, index, NULL, "\"id\" is missing or no string");
        return;
    }
    if (!json_is_array (parents))
        s_problem (self, SPECIFIED, index, id, "\"parents\" is missing or no list");
    if (!time)
        s_problem (self, SPECIFIED, index, id,
                   "\"runtimeInSeconds\" is missing: " EXECUTED " has no time for this id");
    seconds[index] = json_number_value (time);
    int node = dw_graph_add (graph, id, "mix");
    if (node < 0)
        self->err = node;
    size_t place;
    json_array_foreach (parents, place, parent) {
        if (!json_is_string (parent))
            s_problem (self, SPECIFIED, index, id, "\"parents\" has an item that is no string");
        else if (node >= 0 && dw_graph_depend (graph, node, json_string_value (parent)))
            self->err = DW_ENOMEM;
    }
}

static int s_read_tasks (s_reading_t *self, const json_t *specified, const json_t *executed,
                         dw_graph_t **graph_p, double **seconds_p) {
    json_t *times = s_read_times (self, executed);
    dw_graph_t *graph = dw_graph_new ();
    double *seconds = calloc (json_array_size (specified) + 1, sizeof *seconds);
    const json_t *task;
    size_t index;
    if (!times || !graph || !seconds || dw_graph_set_file (graph, self->place.file))
        self->err = DW_ENOMEM;
    else
        for (index = 0; (task = json_array_get (specified, index)); index++)
            s_read_task (self, task, index, times, graph, seconds);
    json_decref (times);
    if (self->err) {
        dw_graph_destroy (&graph);
        free (seconds);
    } else {
        *graph_p = graph;
        *seconds_p = seconds;
    }
    return s_end (self);
}

/* ---- The file ----------------------------------------------------------------------------- */

/* The list at workflow.PART.tasks, or NULL, which is a problem. */
static const json_t *s_list (s_reading_t *self, const json_t *root, const char *part) {
    const json_t *workflow = json_object_get (root, "workflow");
    const json_t *list = json_object_get (json_object_get (workflow, part), "tasks");
    if (json_is_array (list))
        return list;
    self->err = !workflow ? dw_error_add (self->error, DW_EGRAPH, self->place,
                                          "\"workflow\" is missing, as WfFormat has it, and "
                                          "\"processors\", as a graph file has it")
                          : dw_error_add (self->error, DW_EGRAPH, self->place,
                                          "\"workflow.%s.tasks\" is missing or no list", part);
    return NULL;
}

static int s_read (const json_t *root, dw_graph_t **graph_p, double **seconds_p, const char *file,
                   dw_error_t *error) {
    s_reading_t self = {.place = {.file = file}, .error = error};
    if (json_object_get (root, "processors"))
        return DW_ENOENT;
    const json_t *specified = s_list (&self, root, "specification");
    const json_t *executed = specified ? s_list (&self, root, "execution") : NULL;
    const char *version = json_string_value (json_object_get (root, "schemaVersion"));
    if (self.err)
        return self.err;
    if (!version || strcmp (version, VERSION) != 0)
        return dw_error_add (error, DW_EGRAPH, self.place,
                             "\"schemaVersion\" must be \"" VERSION "\", not \"%s\"",
                             version ? version : "");
    return s_read_tasks (&self, specified, executed, graph_p, seconds_p);
}

int dw_wfformat_load (dw_graph_t **graph_p, double **seconds_p, const char *file,
                      dw_error_t *error) {
    char reason[128];
    struct stat status;
    json_error_t wrong;
    dw_place_t place = {.file = file};
    FILE *stream = fopen (file, "re");
    if (!stream)
        return dw_error_add (error, DW_EFILE, place, "the file cannot be read: %s",
                             strerror_r (errno, reason, sizeof reason));
    if (fstat (fileno (stream), &status) == 0 && status.st_size > DW_WFFORMAT_BYTES_MAX) {
        fclose (stream);
        return DW_ENOENT;
    }
    json_t *root = json_loadf (stream, JSON_REJECT_DUPLICATES, &wrong);
    fclose (stream);
    if (!root) {
        place.line = wrong.line > 0 ? (uint32_t) wrong.line : 0;
        place.column = wrong.column > 0 ? (uint32_t) wrong.column : 0;
        return dw_error_add (error, DW_EGRAPH, place, "not JSON: %s", wrong.text);
    }
    int err = s_read (root, graph_p, seconds_p, file, error);
    json_decref (root);
    return err;
}
