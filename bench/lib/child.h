/* child.h - another process of a bench, which is told by lines of text what to do. */

#ifndef DW_BENCH_CHILD_H
#define DW_BENCH_CHILD_H

#include <stdio.h>
#include <sys/types.h>

#include "dagwood.h"

typedef struct dw_child_t {
    pid_t pid;
    int pipe; /* to it */
} dw_child_t;

/* Starts a process that runs body, which reads its lines of in until they end, and ends with what
 * it returns. To be called before there is any thread. Errors: DW_ELIMIT. */
int dw_child_start (dw_child_t *self, int (*body) (FILE *in, void *arg), void *arg,
                    dw_error_t *error);
/* Sends it a line, which is without its end. */
void dw_child_tell (const dw_child_t *self, const char *line);
/* Ends its lines and waits for it. Errors: DW_EPROCESSOR it did not end with 0. */
int dw_child_end (dw_child_t *self, dw_error_t *error);

#endif
