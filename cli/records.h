/* records.h - a file or a stream taken apart into records: lines, or whatever ends with another
 * byte.
 *
 * Reads in blocks and keeps one block, or one record when that is larger; a record that is larger
 * than it may be is told once and passed over, so that one without an end costs no more memory than
 * any other. What is between two delimiters is data, whatever it is; what is behind the last one is
 * a record unless it is empty. */

#ifndef DW_RECORDS_H
#define DW_RECORDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct dw_records_t {
    const char *name; /* of the file, for messages */
    int fd;
    char delimiter;
    uint64_t size_max; /* bytes of a record; the caller's to set before the first is taken */
    char *bytes;
    size_t room, begin, end; /* what was read and not taken is from begin to end, */
    size_t searched;         /* and has no delimiter in its first so many bytes */
    bool is_ended;           /* the file is */
    bool is_passing_over;    /* what is left of a record that is too large */
    uint64_t count;          /* records taken: the number of the last one, from 1 */
} dw_records_t;

typedef enum dw_records_next_t {
    DW_RECORDS_ONE,
    DW_RECORDS_TOO_LARGE, /* there is one more, which has more than size_max bytes */
    DW_RECORDS_NOT_YET,   /* more must be read first */
    DW_RECORDS_END,
} dw_records_next_t;

/* Opens file, "-" for standard input; the name is borrowed. Returns an exit status, and says what
 * failed; self is then empty. */
int dw_records_open (dw_records_t *self, const char *file, char delimiter);
void dw_records_close (dw_records_t *self);

/* Takes the next record, valid until the next call; *size_p bytes, not ended by anything. */
dw_records_next_t dw_records_next (dw_records_t *self, const char **text_p, size_t *size_p);
/* Reads once: as much as there is, or waits for something. Only after DW_RECORDS_NOT_YET. Returns
 * an exit status, and says what failed. */
int dw_records_read (dw_records_t *self);

#endif
