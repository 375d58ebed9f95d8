/* endpoint.h - where a coordinator may listen: only on this machine, and only where nobody else does.
 *
 * Whoever listens to other machines needs keys, which this version has not. */

#ifndef DW_ENDPOINT_H
#define DW_ENDPOINT_H

#include "dagwood.h"

/* Whether a coordinator may listen on endpoint: ipc://FILE, ipc://@NAME (a name without a file) or TCP
 * on the loopback interface. ZeroMQ would take the file of an ipc endpoint away from a program that
 * listens there, or from whoever keeps anything else in it, so that is looked at here; what a program
 * that ended has left behind may be taken. Two programs that begin at the same instant can still meet.
 * Errors: DW_EINVAL which endpoint, why not, and what to do. */
int dw_endpoint_check (const char *endpoint, dw_error_t *error);

#endif
