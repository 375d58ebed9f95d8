/* trusted.h - files that decide who is let in: read only when nobody else can have written them.
 *
 * A file is opened once, without following a symbolic link and without waiting (for a pipe's other
 * end), and everything is asked of what was opened, not of the name, which can change hands in
 * between: it must be a regular file of this process's effective user or of root, without the
 * permissions that are refused. */

#ifndef DW_TRUSTED_H
#define DW_TRUSTED_H

#include <stddef.h>
#include <sys/types.h>

#include "dagwood.h"

/* Permissions that nobody but the owner may have. */
#define DW_TRUSTED_PUBLIC 0022u /* anybody may read it */
#define DW_TRUSTED_SECRET 0077u

/* Reads a file whole, ended by a NUL that is not counted; the caller frees it with dw_trusted_free.
 * Errors: DW_EKEY the file is missing, refused, or has more than size_max bytes; DW_ENOMEM. */
int dw_trusted_read (char **text_p, size_t *size_p, const char *file, mode_t refused,
                     size_t size_max, dw_error_t *error);
/* Overwrites what was read before it is freed, and empties the pointer. */
void dw_trusted_free (char **text_p, size_t size);

/* Whether a folder is this user's or root's and nobody else may write to it.
 * Errors: DW_EKEY it is missing or refused. */
int dw_trusted_folder (const char *folder, dw_error_t *error);

/* Makes a file that was not there, with this mode whatever the umask is, writes text and has it on
 * the disk when it returns. A file that was there stays as it is; one that cannot be written whole
 * is removed.
 * Errors: DW_EFILE it is there, or cannot be written. */
int dw_trusted_write (const char *file, mode_t mode, const char *text, dw_error_t *error);

#endif
