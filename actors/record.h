/* record.h - the coordinator's recording: the file that runtime/recorder.h writes to.
 *
 * What was told is written when 64 KiB have gathered, or a millisecond after the last time, so that
 * a process that ends without warning leaves all but its last millisecond. A disk that is full, or
 * a recording that is as large as it was to become, is told once, and the coordinator goes on
 * without it. Only the coordinator's thread uses it, but for the making. */

#ifndef DW_RECORD_H
#define DW_RECORD_H

#include "dagwood.h"
#include "runtime/recorder.h"

#define DW_RECORD_BYTES_MAX (UINT64_C (256) << 20) /* where nobody says how large it may become */

typedef struct dw_record_file_t {
    dw_recorder_t recorder;
    int descriptor;
    char *file;
    uint64_t bytes_count, bytes_max;
    int64_t written_ns;
    dw_writer_t out;
    bool is_begun; /* the header is written, and runs may go on without it */
    char *reason;  /* why it ended before its time; NULL: it did not */
} dw_record_file_t;

/* Makes the file, or empties one that holds a recording, and writes what the header says. bytes_max
 * 0: DW_RECORD_BYTES_MAX.
 * Errors: DW_EFILE  it cannot be written; it holds something else, which is left alone
 *         DW_ENOMEM */
int dw_record_open (dw_record_file_t **self_p, const char *file, uint64_t bytes_max,
                    const dw_recording_header_t *header, dw_error_t *error);
/* Writes what there is to be written at this time. False: the recording is over; reason says
 * why. */
bool dw_record_look (dw_record_file_t *self, int64_t now_ns);
/* When to look again though nothing is told; INT64_MAX: no need. */
int64_t dw_record_deadline_ns (const dw_record_file_t *self);
/* Writes the rest, and that it is all. */
void dw_record_close (dw_record_file_t **self_p);

#endif
