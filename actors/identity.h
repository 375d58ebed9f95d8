/* identity.h - who a worker process says that it is: by a name that was given to it, or by chance.
 *
 * Of those with one uuid a coordinator lets the latest incarnation in, and puts the one before
 * out. */

#ifndef DW_IDENTITY_H
#define DW_IDENTITY_H

#include "runtime/wire.h"
#include "dagwood.h"

#define DW_IDENTITY_HOST_SIZE 256 /* with its NUL */

typedef struct dw_identity_t {
    uint8_t uuid[DW_WIRE_UUID_SIZE];
    uint64_t incarnation; /* each connection is one more */
    char host
        /* what people are told: the name, if it has one, and the machine */
        [DW_IDENTITY_HOST_SIZE];
} dw_identity_t;

/* name NULL: nobody's successor, and incarnation is 0. part: which of several that share a name,
 * from 0.
 * Errors: DW_EINVAL no such name, or an incarnation without one; DW_ELIMIT. */
int dw_identity_make (dw_identity_t *self, const char *name, uint32_t incarnation, uint32_t part,
                      dw_error_t *error);

#endif
