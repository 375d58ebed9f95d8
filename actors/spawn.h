/* spawn.h - another program: started, and the last that it says kept.
 *
 * It is started by posix_spawn, never by a bare fork, with the three descriptors that it is given
 * and no other, and with its signals at their defaults. How it ends is for whoever started it to
 * fetch. Nothing here waits. Used by any thread, a tail by one. */

#ifndef DW_SPAWN_H
#define DW_SPAWN_H

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

typedef struct dw_spawn_t {
    const char *path;         /* of the program; without a slash it is looked for in PATH */
    const char *const *words; /* its name, then its arguments, ended by NULL */
    char *const *environment; /* ended by NULL */
    int fds[3];       /* of this process; they become its standard input, output and error */
    sigset_t blocked; /* signals that do not reach it */
    bool has_group;   /* it begins a process group, by which all that it starts can be killed */
} dw_spawn_t;

/* What it has said: the last DW_WIRE_TAIL_MAX bytes. All zeros: nothing. */
typedef struct dw_spawn_tail_t {
    char *ring;     /* made when it says something */
    uint64_t heard; /* bytes in all; without memory none are */
} dw_spawn_tail_t;

/* Starts it. Returns 0, or why it cannot be started as errno has it. */
int dw_spawn_start (pid_t *pid_p, const dw_spawn_t *self);
/* Closes an end of what it talks by, unless it is -1, which it becomes. */
void dw_spawn_close (int *fd_p);

/* Takes in what it says, not without end, and gives each piece of it to also (NULL: nobody). The
 * descriptor, which does not block, is closed when it says no more. */
void dw_spawn_hear (dw_spawn_tail_t *self, int *fd_p,
                    void (*also) (const char *words, size_t size));
/* Copies the last that it has said to words: at most size_max bytes, and DW_WIRE_TAIL_MAX. Returns
 * how many. */
size_t dw_spawn_last_words (const dw_spawn_tail_t *self, size_t size_max, char *words);
void dw_spawn_tail_free (dw_spawn_tail_t *self);

#endif
