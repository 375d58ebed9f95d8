/* subject.h - the program under test, where its command was given: started, told to end, and what
 * it ended with.
 *
 * Without a command whoever runs the conformance starts it, and starts it again where it ends. */

#ifndef DW_SUBJECT_H
#define DW_SUBJECT_H

#include <stdbool.h>
#include <sys/types.h>

#include "cli/conformance/wall_clock.h"

#define DW_SUBJECT_WORDS_MAX 64

typedef struct dw_subject_t {
    char *const *words; /* its command, ended by NULL; NULL: it is not ours to start. Borrowed */
    dw_wall_clock_t *wall_clock; /* that it is started with; NULL: the system's. Borrowed */
    int log_fd; /* of the file that what it says is added to; -1: nobody wants it. Borrowed */
    pid_t pid;  /* 0: it does not run */
    int status; /* of the last one that ended: its exit status, or minus the number of its signal */
} dw_subject_t;

/* Starts it. A word that is {} stands for endpoint, which is in its environment too, as
 * DAGWOOD_CONNECT. Returns an exit status, and says what failed. */
int dw_subject_start (dw_subject_t *self, const char *endpoint);
/* Whether it has ended; if so status says how. */
bool dw_subject_has_ended (dw_subject_t *self);
/* Whether it ended by a signal that says that it went down: not one by which a program is told to
 * end. */
bool dw_subject_went_down (const dw_subject_t *self);
/* Sends it a signal, if it runs. */
void dw_subject_signal (const dw_subject_t *self, int number);
/* Ends it: at once, and it is not asked. */
void dw_subject_kill (dw_subject_t *self);

#endif
