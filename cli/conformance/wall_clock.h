/* wall_clock.h - the wall clock of a program under test, apart from everybody else's: it can be set
 * while the program runs.
 *
 * libfaketime, which is preloaded into it, reads from a file how far that clock is from the
 * system's, at each look. The clock that never goes back (CLOCK_MONOTONIC) is left as it is: where
 * an administrator or NTP sets a clock it is so, too. The library is no part of this program: it is
 * looked for, and where there is none no clock can be set. */

#ifndef DW_WALL_CLOCK_H
#define DW_WALL_CLOCK_H

#include <stdbool.h>
#include <sys/types.h>

typedef struct dw_wall_clock_t {
    char *library;        /* libfaketime; NULL: there is none */
    char *folder, *file;  /* what it reads; NULL: no program was started with it yet */
    char **environment;   /* of a program that has this clock, ended by NULL */
    size_t own_variables; /* how many of them, at its beginning, are not the environment's */
} dw_wall_clock_t;

/* Looks for the library where distributions have it, or takes the one that is given: NULL, or a
 * file. Returns an exit status, and says what failed. */
int dw_wall_clock_find (dw_wall_clock_t *self, const char *library);
void dw_wall_clock_close (dw_wall_clock_t *self);

/* Makes what a program takes that is started with this clock, which shows the system's time.
 * Returns an exit status, and says what failed. */
int dw_wall_clock_begin (dw_wall_clock_t *self);
/* Has it differ from the system's by so much, from the next look on. False: the file cannot be
 * written. */
bool dw_wall_clock_set (dw_wall_clock_t *self, int seconds);

/* Whether the library has got into a process, as it does not get into one that is linked
 * statically. */
bool dw_wall_clock_is_in (const dw_wall_clock_t *self, pid_t pid);
/* Removes what it leaves behind of a process that was ended by force. */
void dw_wall_clock_clean_up (pid_t pid);

#endif
