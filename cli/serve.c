/* serve.c */

#include "cli/serve.h"

#include <stdlib.h>
#include <string.h>

#define RECORD_BYTES_MIN 4096u

char *dw_serve_name (const char *file) {
    const char *slash = strrchr (file, '/');
    const char *base = slash ? slash + 1 : file;
    const char *dot = strrchr (base, '.');
    return strndup (base, dot && dot > base ? (size_t) (dot - base) : strlen (base));
}

uint64_t dw_serve_record_bytes (const struct argp_state *state, const char *word) {
    return dw_command_number (state, "--record-bytes-max", word, RECORD_BYTES_MIN, INT64_MAX);
}

bool dw_serve_no_workers_fail (const struct argp_state *state, const char *word) {
    static const char *const words[] = {"wait", "fail", NULL};
    return dw_command_choose (state, "--no-workers", words, word) == 1;
}

/* What cannot be listened at is the fault of whoever wrote --listen. */
static int s_fail (int err, const dw_error_t *error, const char *listen) {
    int status = dw_command_fail_writing (err, error, "the actors cannot be started");
    return err == DW_EINVAL && listen ? DW_EXIT_USAGE : status;
}

int dw_serve_open (dw_serve_t *self, const dw_graph_t *graph, const char *file,
                   dw_system_options_t options) {
    char *name = options.name ? strdup (options.name) : dw_serve_name (file);
    if (!name)
        return dw_command_fail (DW_ENOMEM, NULL, file);
    options.name = name;
    options.notice = dw_command_notice;
    dw_error_t *error = dw_error_new ();
    dw_system_t *system = NULL;
    int err = dw_system_open (&system, graph, &options, error);
    int status = err ? s_fail (err, error, options.listen) : DW_EXIT_OK;
    dw_error_destroy (&error);
    if (err) {
        free (name);
        return status;
    }
    *self = (dw_serve_t){.system = system, .name = name};
    return DW_EXIT_OK;
}

void dw_serve_close (dw_serve_t *self, int status) {
    if (!self->system)
        return;
    dw_error_t *error = dw_error_new ();
    int err = dw_system_close (&self->system, -1, error);
    dw_command_closed (err, error, status);
    dw_error_destroy (&error);
    free (self->name);
    *self = (dw_serve_t){0};
}
