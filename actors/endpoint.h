/* endpoint.h - where a coordinator may listen, and the only functions that make a socket listen.
 *
 * Beyond this machine only a guarded socket may listen (zap.h), and there is no switch that says
 * otherwise: default deny. What an endpoint says is read strictly, because ZeroMQ is not strict: it
 * cuts ports to 16 bits, takes 2130706433 and 0x7f.1 for 127.0.0.1, and of
 * tcp://127.0.0.1:1;0.0.0.0:2 only what is behind the semicolon. */

#ifndef DW_ENDPOINT_H
#define DW_ENDPOINT_H

#include <stdbool.h>
#include <stddef.h>

#include "dagwood.h"

typedef enum dw_reach_t {
    DW_REACH_NONE,    /* it is no endpoint that can be listened at */
    DW_REACH_MACHINE, /* only this machine: ipc://..., tcp://127.x.y.z:PORT, tcp://[::1]:PORT */
    DW_REACH_BEYOND,  /* other machines too, or nobody can tell: every other address of TCP, *, and
                         every name, whatever it means today: localhost, lo, eth0, example.org */
} dw_reach_t;

/* Who could reach an endpoint, by its text alone. PORT is a number from 1 to 65535, or * or 0 for
 * any. */
dw_reach_t dw_endpoint_reach (const char *endpoint);

/* Whether it says a transport at all, as in TRANSPORT://ADDRESS. */
bool dw_endpoint_has_transport (const char *endpoint);

/* Whether socket, as it is set, may listen at endpoint: beyond this machine only if it is guarded.
 * ZeroMQ would take the file of an ipc endpoint away from a program that listens there, or from
 * whoever keeps anything else in it, so that is looked at here; what a program that ended has left
 * behind may be taken. Two programs that begin at the same instant can still meet.
 * Errors: DW_EINVAL which endpoint, why not, and what to do; DW_EKEY it takes keys. */
int dw_endpoint_check (const char *endpoint, void *socket, dw_error_t *error);

/* Lets socket speak IPv6 if the address of endpoint is in brackets, and does nothing else: before
 * it connects.
 * Errors: DW_ELIMIT. */
int dw_endpoint_prepare (void *socket, const char *endpoint, dw_error_t *error);

/* Makes socket listen at endpoint if dw_endpoint_check lets it, and gives what it got (with the
 * port) in bound, of size bytes. What ZeroMQ made of the endpoint is looked at once more: if that
 * can be reached by others than the text said, listening is ended again. When it fails socket is
 * not to be used.
 * Errors: as dw_endpoint_check and dw_endpoint_prepare; DW_EINVAL the system refuses, or bound is
 * too small. */
int dw_endpoint_bind (void *socket, const char *endpoint, char *bound, size_t size,
                      dw_error_t *error);
/* The same for an endpoint within this process, inproc://NAME. Errors: DW_EINVAL. */
int dw_endpoint_bind_inproc (void *socket, const char *endpoint, dw_error_t *error);

#endif
