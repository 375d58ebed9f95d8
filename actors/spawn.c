/* spawn.c - another program: started, and the last that it says kept. */

#include "actors/spawn.h"

#include <errno.h>
#include <spawn.h>
#include <stdlib.h>
#include <unistd.h>

#include "runtime/wire.h"

#define HEAR_BYTES 65536 /* of what it says, taken in at a time */

/* ---- Started ---------------------------------------------------------------------------------- */

int dw_spawn_start (pid_t *pid_p, const dw_spawn_t *self) {
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    int flags = POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK;
    sigset_t all;
    sigfillset (&all);
    int err = posix_spawn_file_actions_init (&actions);
    if (err)
        return err;
    err = posix_spawnattr_init (&attributes);
    if (!err) {
        posix_spawnattr_setflags (
            &attributes, (short) (self->has_group ? flags | POSIX_SPAWN_SETPGROUP : flags));
        posix_spawnattr_setsigdefault (&attributes, &all);
        posix_spawnattr_setsigmask (&attributes, &self->blocked);
        for (int i = 0; i < 3 && !err; i++)
            err = posix_spawn_file_actions_adddup2 (&actions, self->fds[i], i);
        if (!err)
            err = posix_spawn_file_actions_addclosefrom_np (&actions, STDERR_FILENO + 1);
        if (!err) /* which only reads the words */
            err = posix_spawnp (pid_p, self->path, &actions, &attributes,
                                (char *const *) (uintptr_t) self->words, self->environment);
        posix_spawnattr_destroy (&attributes);
    }
    posix_spawn_file_actions_destroy (&actions);
    return err;
}

void dw_spawn_close (int *fd_p) {
    if (*fd_p >= 0)
        close (*fd_p);
    *fd_p = -1;
}

/* ---- What it says ----------------------------------------------------------------------------- */

static void s_keep (dw_spawn_tail_t *self, const char *words, size_t size) {
    if (!self->ring && !(self->ring = malloc (DW_WIRE_TAIL_MAX)))
        return;
    for (size_t i = 0; i < size; i++)
        self->ring[self->heard++ % DW_WIRE_TAIL_MAX] = words[i];
}

void dw_spawn_hear (dw_spawn_tail_t *self, int *fd_p,
                    void (*also) (const char *words, size_t size)) {
    char words[4096];
    for (size_t left = HEAR_BYTES; left > 0;) {
        ssize_t got = read (*fd_p, words, sizeof words);
        if (got == 0 || (got < 0 && errno != EAGAIN && errno != EINTR))
            dw_spawn_close (fd_p);
        if (got <= 0)
            return;
        s_keep (self, words, (size_t) got);
        if (also)
            also (words, (size_t) got);
        left -= (size_t) got < left ? (size_t) got : left;
    }
}

size_t dw_spawn_last_words (const dw_spawn_tail_t *self, size_t size_max, char *words) {
    size_t size = self->heard < DW_WIRE_TAIL_MAX ? (size_t) self->heard : DW_WIRE_TAIL_MAX;
    size = size < size_max ? size : size_max;
    for (size_t i = 0; i < size; i++)
        words[i] = self->ring[(self->heard - size + i) % DW_WIRE_TAIL_MAX];
    return size;
}

void dw_spawn_tail_free (dw_spawn_tail_t *self) {
    free (self->ring);
    *self = (dw_spawn_tail_t){0};
}
