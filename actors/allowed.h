/* allowed.h - the allow-list: whose keys are let in, and as what.
 *
 * A text file with one line for each key and role; what is not listed is not let in:
 *
 *     # ROLE   PUBLIC KEY (40 characters of Z85)         NAME
 *     worker   rq:rM>}U?@Lns47E1%kR.o@n%FcmmsL/@{H8]yf7  node-17       # in the corner
 *     client   Yne@$w-vo<fVvi]a<NY6T1ed:M$fCG*[IaLVOlwF  alice
 *     monitor  Yne@$w-vo<fVvi]a<NY6T1ed:M$fCG*[IaLVOlwF  alice
 *
 * A key can have several roles, each on a line of its own, and has one name; several keys may have
 * the same name, such as an old one and its successor. A name has up to 63 letters, digits and . _
 * - @ +. A comment is a line that begins with #, or what follows NAME and begins with #. (A key may
 * have a # in it, but none begins with one.)
 *
 * A list never changes after it is made: any number of threads may read it. A new one takes its
 * place (zap.h), and the old one is freed when nobody reads it any more. */

#ifndef DW_ALLOWED_H
#define DW_ALLOWED_H

#include <stddef.h>

#include "dagwood.h"

#define DW_ALLOWED_BYTES_MAX (16u << 20) /* of a file */
#define DW_ALLOWED_LINES_MAX 100000u     /* with a key */

/* Bits of a set. */
#define DW_ROLE_WORKER  1u
#define DW_ROLE_CLIENT  2u
#define DW_ROLE_MONITOR 4u

typedef struct dw_allowed_t dw_allowed_t;

/* Reads a list from a regular file of this user or root that nobody else may write. An empty list
 * is one too: it lets nobody in.
 * Errors: DW_EKEY everything that is wrong (at most 100 problems), as FILE:LINE:COLUMN;
 * DW_ENOMEM. */
int dw_allowed_read (dw_allowed_t **self_p, const char *file, dw_error_t *error);
/* The same from a text; file, or NULL, is for messages. */
int dw_allowed_parse (dw_allowed_t **self_p, const char *text, size_t size, const char *file,
                      dw_error_t *error);
void dw_allowed_destroy (dw_allowed_t **self_p);

/* The roles of a key of 32 bytes; 0: it is not listed. Its name, which lives as long as the list,
 * in *name_p when name_p is not NULL. Takes time by the logarithm of the number of keys. */
unsigned dw_allowed_find (const dw_allowed_t *self, const uint8_t *key, const char **name_p);
/* How many keys there are. */
size_t dw_allowed_count (const dw_allowed_t *self);

#endif
