/* rendezvous.h - the file that says where a coordinator listens, for those who start before it got
 * its port: one line with the endpoint.
 *
 * It comes into its place whole or not at all, and only its owner can read it. Whoever reads it
 * connects to where it says, so one that somebody else can have written is refused. */

#ifndef DW_RENDEZVOUS_H
#define DW_RENDEZVOUS_H

#include <stddef.h>

#include "dagwood.h"

#define DW_RENDEZVOUS_SIZE 1024 /* bytes of an endpoint, with its NUL */

/* A file that was written; {0}: none. */
typedef struct dw_rendezvous_t {
    const char *file; /* borrowed */
    int fd;           /* of what was written, which nobody else's file can be while it is open */
} dw_rendezvous_t;

/* Takes the place of a file that is there. Returns an exit status, and says what failed. */
int dw_rendezvous_write (dw_rendezvous_t *self, const char *file, const char *endpoint);
/* Removes it, unless another coordinator's has taken its place. */
void dw_rendezvous_remove (dw_rendezvous_t *self);

/* Reads file, if it is there; endpoint has DW_RENDEZVOUS_SIZE bytes. Returns an exit status, and
 * adds to error what failed. Any thread. */
int dw_rendezvous_look (char *endpoint, const char *file, dw_error_t *error);
/* Waits until file is there, for at most timeout_ms, and reads it. endpoint has DW_RENDEZVOUS_SIZE
 * bytes. Returns an exit status, and says what failed; a signal that can be read of stop_fd (a
 * signalfd; 0: none) ends waiting with the status of whom it ended. */
int dw_rendezvous_read (char *endpoint, const char *file, int timeout_ms, int stop_fd);

#endif
