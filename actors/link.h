/* link.h - a DEALER to a coordinator in another process: made, secured, and watched while it
 * connects.
 *
 * ZeroMQ says nothing to a socket whose handshake fails, and tries again for ever. What its monitor
 * sees tells a coordinator that is not there from one that does not take the key. One thread. */

#ifndef DW_LINK_H
#define DW_LINK_H

#include "actors/keys.h"
#include "runtime/wire.h"

typedef struct dw_link_t {
    void *socket;  /* the DEALER */
    void *monitor; /* what ZeroMQ tells of it */
    bool was_connected, was_refused, was_stopped;
    uint32_t dropped_count; /* handshakes that ended without a word */
    bool was_cut; /* after it was connected; ZeroMQ makes another, by which nobody is known */
} dw_link_t;

/* Whose keys a connection shows. */
typedef struct dw_link_keys_t {
    bool has_keys;
    dw_keys_t own;
    uint8_t server_key[DW_KEY_SIZE];
} dw_link_keys_t;

/* What ends waiting: that there is something to read, of a socket, or of a descriptor when there is
 * none. All zeros: nothing does. */
typedef struct dw_link_stop_t {
    void *socket;
    int fd;
} dw_link_stop_t;

/* Reads the key files that options name; none: no keys.
 * Errors: DW_EKEY what is wrong with one of them, or only one is named; DW_ENOMEM. */
int dw_link_keys_read (dw_link_keys_t *self, const dw_connect_options_t *options,
                       dw_error_t *error);
void dw_link_keys_wipe (dw_link_keys_t *self);

/* Begins to connect in a context, of whose sockets it takes three.
 * Errors: DW_EINVAL endpoint is none; DW_EKEY; DW_ELIMIT. */
int dw_link_open (dw_link_t *self, void *context, const char *endpoint, const dw_link_keys_t *keys,
                  dw_error_t *error);
/* Takes one that is all zeros. */
void dw_link_close (dw_link_t *self);
/* Waits for the first message, at most until deadline_ns or what is to stop it. Errors:
 * DW_ETIMEDOUT; DW_EKEY the key is not let in, which is known at once; DW_ELOST the connection was
 * cut, and what was said by it is lost: try again by another; DW_ECLOSED it was stopped (and an
 * answer that may be on its way has not come soon), or the context is shut down. */
int dw_link_wait (dw_link_t *self, int64_t deadline_ns, const dw_link_stop_t *stop);
/* Opens it, says what greet says, and waits so for the first message: by another, where the
 * connection was cut, until deadline_ns. What is there already is closed. Of failures error says
 * why. Errors: as dw_link_open, greet and dw_link_blame; the link is the caller's to close. */
int dw_link_meet (dw_link_t *self, void *context, const char *endpoint, const dw_link_keys_t *keys,
                  int64_t deadline_ns, const dw_link_stop_t *stop, int (*greet) (void *arg),
                  void *arg, dw_error_t *error);
/* Whether it was cut since it was made. */
bool dw_link_is_cut (dw_link_t *self);
/* Why nothing came within the time that was given: adds it to error. Returns DW_EKEY, or
 * DW_ENOBODY; or DW_ECLOSED when waiting was stopped, of which there is nothing to say. */
int dw_link_blame (const dw_link_t *self, const char *endpoint, bool has_keys, dw_error_t *error);
/* Reads what a REFUSED tells a worker, and adds it to error. Returns DW_EKEY, DW_EGRAPH no such
 * graph, or DW_EREFUSED. */
int dw_link_on_refused (dw_wire_reader_t *reader, dw_error_t *error);

#endif
