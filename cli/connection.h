/* connection.h - how worker, submit and status find their coordinator: by --connect, --rendezvous
 * or the environment, and with which keys. */

#ifndef DW_CONNECTION_H
#define DW_CONNECTION_H

#include "cli/command.h"
#include "cli/rendezvous.h"

typedef struct dw_connection_t {
    const char *connect, *rendezvous;  /* one of them is said */
    const char *key, *server_key;      /* both or neither */
    const char *graph;                 /* its name; NULL: not said */
    int stop_fd;                       /* dw_connect_options_t's; 0: none */
    int timeout_ms;                    /* 0: for each thing that is waited for, its own time */
    char endpoint[DW_RENDEZVOUS_SIZE]; /* what was read of the rendezvous file */
} dw_connection_t;

/* Parses these options as a child of a command's parser, whose input for it is the connection. */
extern const struct argp dw_connection_argp;

/* Finds where to connect, for which it waits for the rendezvous file, and fills options, which
 * borrow from self. Returns an exit status, and says what failed, but for a signal. */
int dw_connection_find (dw_connection_t *self, dw_connect_options_t *options);
/* dw_command_fail for who could not connect with these options: that they name no endpoint is a
 * usage error. Who was stopped by a signal, which is read of their stop_fd, has the status of whom
 * it ended, without a word. */
int dw_connection_fail (int err, const dw_error_t *error, const dw_connect_options_t *options);

/* What a command that ends with this status has to say besides of how it looked for its
 * coordinator: where nobody answers, that a file said where. Returns status. */
int dw_connection_end (const dw_connection_t *self, int status);

/* The name that was said, or those of all of the coordinator's graphs: the caller's, freed by
 * dw_graph_names_free. Returns an exit status, and says what failed. */
int dw_connection_graphs (const dw_connect_options_t *options, char ***names_p, size_t *count_p);

#endif
