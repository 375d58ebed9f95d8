/* command_keygen.c - dagwood keygen: a new key pair in two files. */

#include "actors/keys.h"
#include "cli/command.h"
#include "cli/output.h"

typedef struct options_t {
    const char *file;
} options_t;

static error_t s_parse (int key, char *arg, struct argp_state *state) {
    options_t *self = state->input;
    switch (key) {
        case ARGP_KEY_ARG:
            if (self->file)
                argp_error (state, "one key pair at a time, and \"%s\" is a second", arg);
            if (!arg[0])
                argp_error (state, "which file? Its name is empty");
            self->file = arg;
            return 0;
        case ARGP_KEY_NO_ARGS: argp_error (state, "which file?"); return 0;
        default: return ARGP_ERR_UNKNOWN;
    }
}

static const struct argp s_argp = {
    .parser = s_parse,
    .args_doc = "FILE",
    .doc =
        "Makes a key pair: FILE has both keys and can be read by its owner alone, FILE.pub has the "
        "public one. Neither may be there already."
        "\v"
        "Exit status: 0; " DW_HELP_64 DW_HELP_71
        "74 a file or the output cannot be written, or a file is there; 77 this ZeroMQ makes no keys.",
};

/* The next steps, with the line that the allow-list takes. */
static void s_explain (const dw_keys_t *keys, const char *file) {
    char text[DW_KEY_TEXT_SIZE];
    dw_key_text (text, keys->public_key);
    dw_output_print ("%s: the key pair of whoever can read this file; keep it where it is\n", file);
    dw_output_print ("%s" DW_KEYS_PUBLIC ": the public key, for everybody\n\n", file);
    dw_output_print ("To let its owner in, add a line to the allow-list of the coordinator, with "
                     "worker, client or\nmonitor as its role and a name of your choice:\n\n"
                     "    worker %s NAME\n\n",
                     text);
    dw_output_print ("If this is the pair of a coordinator, give %s" DW_KEYS_PUBLIC
                     " to those who connect to it.\n",
                     file);
}

static int s_make (dw_keys_t *keys, const char *file, dw_error_t *error) {
    int err = dw_keys_generate (keys, error);
    if (err)
        return dw_command_fail (err, error, file);
    err = dw_keys_write (keys, file, error);
    if (err)
        return dw_command_fail_writing (err, error, file);
    s_explain (keys, file);
    return DW_EXIT_OK;
}

int dw_command_keygen (int argc, char **argv) {
    options_t options = {0};
    int status = DW_EXIT_OK;
    if (!dw_command_parse (&s_argp, argc, argv, &options, &status))
        return status;
    dw_error_t *error = dw_error_new ();
    dw_keys_t keys = {0};
    status = s_make (&keys, options.file, error);
    dw_keys_wipe (&keys);
    dw_error_destroy (&error);
    return status;
}
