/* tool.h - a program that reads records from its standard input and writes one for each to its
 * standard output.
 *
 *     idle ---start---> running ---its end, a kill---> idle
 *
 * It is started (spawn.h) as `/bin/sh -c COMMAND` in a process group of its own, which is killed as
 * a whole, and gets no descriptor but three pipes. Nothing here waits for it: whoever owns it polls
 * the descriptors, and gives and takes what there is room for. Of what it writes to standard error
 * the last 8 KiB are kept. Used by one thread, which blocks SIGPIPE. */

#ifndef DW_TOOL_H
#define DW_TOOL_H

#include <sys/types.h>

#include "actors/framing.h"
#include "actors/spawn.h"
#include "dagwood.h"

typedef struct dw_tool_t {
    const char *command;
    char *const *environment; /* ended by NULL; borrowed */
    dw_framing_t framing;
    size_t record_max; /* bytes of a record that it writes */

    pid_t pid;                 /* 0: it does not run */
    int in_fd, out_fd, err_fd; /* this process's ends; -1: closed */
    dw_writer_t in;            /* to be written, from in_at on */
    size_t in_at;
    uint8_t *out; /* what it has written, from out_at on, and is no record yet */
    size_t out_at, out_count, out_size, out_looked;
    dw_spawn_tail_t tail;
    uint64_t marked; /* bytes of standard error that were heard when dw_tool_mark was called */
} dw_tool_t;

/* What the owner fills in is up to framing and record_max; the rest is zeros. */
void dw_tool_init (dw_tool_t *self);
/* Starts it. Errors: DW_ELIMIT, why in errno. */
int dw_tool_start (dw_tool_t *self);
/* Kills it, if it runs, and appends how it ended to text (NULL: nobody asks): "ended with status
 * 3", "was killed by SIGSEGV". */
void dw_tool_kill (dw_tool_t *self, dw_writer_t *text);
void dw_tool_free (dw_tool_t *self);

/* Writes what it takes of in. False: it reads no more, and what there was for it is dropped. */
bool dw_tool_write (dw_tool_t *self);
/* Reads what is there, not without end. False: it has closed its standard output. */
bool dw_tool_read (dw_tool_t *self);
/* The next record that was read, in place until the next dw_tool_read; NULL: none is there yet.
 * *is_too_large: nor will be, it has more than record_max bytes. */
const uint8_t *dw_tool_next (dw_tool_t *self, size_t *size_p, bool *is_too_large);
/* Takes in what it says to standard error, not without end. */
void dw_tool_hear (dw_tool_t *self);
/* From here on dw_tool_noise counts. */
void dw_tool_mark (dw_tool_t *self);
/* Bytes that it said to standard error since. */
uint64_t dw_tool_noise (const dw_tool_t *self);
/* Appends the last that it said, as printable text of at most size_max bytes; nothing, when it said
 * nothing. */
void dw_tool_quote (const dw_tool_t *self, size_t size_max, dw_writer_t *text);

#endif
