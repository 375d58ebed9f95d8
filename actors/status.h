/* status.h - what a coordinator tells of what it is at, read from its message. */

#ifndef DW_STATUS_H
#define DW_STATUS_H

#include "dagwood.h"
#include "runtime/wire.h"

/* Reads a status record, in place of the one in *self_p. Errors: DW_EPROTOCOL it makes no sense;
 * DW_ENOMEM. */
int dw_status_new (dw_status_t **self_p, dw_wire_reader_t *reader);

#endif
