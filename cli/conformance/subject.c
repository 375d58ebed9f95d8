/* subject.c */

#include "cli/conformance/subject.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli/command.h"

#define PLACE    "{}"
#define VARIABLE "DAGWOOD_CONNECT"

/* Its standard input is empty, its output is not ours, and so are its signals and their mask. */
static int s_spawn (dw_subject_t *self, char *const *words, char *const *environment) {
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    sigset_t all, none;
    sigfillset (&all);
    sigemptyset (&none);
    int err = posix_spawn_file_actions_init (&actions);
    if (err)
        return err;
    err = posix_spawnattr_init (&attributes);
    if (!err) {
        posix_spawnattr_setflags (&attributes, POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK);
        posix_spawnattr_setsigdefault (&attributes, &all);
        posix_spawnattr_setsigmask (&attributes, &none);
        if (posix_spawn_file_actions_addopen (&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0) ||
            (self->log_fd < 0
                 ? posix_spawn_file_actions_addopen (&actions, STDOUT_FILENO, "/dev/null", O_WRONLY,
                                                     0)
                 : posix_spawn_file_actions_adddup2 (&actions, self->log_fd, STDOUT_FILENO)) ||
            posix_spawn_file_actions_adddup2 (&actions, STDOUT_FILENO, STDERR_FILENO) ||
            posix_spawn_file_actions_addclosefrom_np (&actions, STDERR_FILENO + 1))
            err = ENOMEM;
        else
            err = posix_spawnp (&self->pid, words[0], &actions, &attributes, words, environment);
        posix_spawnattr_destroy (&attributes);
    }
    posix_spawn_file_actions_destroy (&actions);
    return err;
}

int dw_subject_start (dw_subject_t *self, const char *endpoint) {
    char *words[DW_SUBJECT_WORDS_MAX + 1] = {NULL};
    char *place = strdup (endpoint);
    assert (self->words[0]); /* who has no program has no subject */
    if (!place || setenv (VARIABLE, endpoint, 1)) {
        free (place);
        return dw_command_fail (DW_ENOMEM, NULL, self->words[0]);
    }
    int status = self->wall_clock ? dw_wall_clock_begin (self->wall_clock) : DW_EXIT_OK;
    if (status) {
        free (place);
        return status;
    }
    for (size_t i = 0; i < DW_SUBJECT_WORDS_MAX && self->words[i]; i++)
        words[i] = strcmp (self->words[i], PLACE) == 0 ? place : self->words[i];
    int err = s_spawn (self, words, self->wall_clock ? self->wall_clock->environment : environ);
    free (place);
    if (err) {
        self->pid = 0;
        dw_command_say ("%s cannot be started: %s", self->words[0], strerror (err));
        return err == ENOENT || err == EACCES ? DW_EXIT_USAGE : DW_EXIT_REFUSED;
    }
    return DW_EXIT_OK;
}

static void s_ended (dw_subject_t *self, int status) {
    if (self->wall_clock)
        dw_wall_clock_clean_up (self->pid);
    self->pid = 0;
    self->status = WIFEXITED (status) ? WEXITSTATUS (status) : -WTERMSIG (status);
}

bool dw_subject_has_ended (dw_subject_t *self) {
    int status;
    if (self->pid && waitpid (self->pid, &status, WNOHANG) == self->pid)
        s_ended (self, status);
    return self->pid == 0;
}

bool dw_subject_went_down (const dw_subject_t *self) {
    return self->pid == 0 && self->status < 0 && self->status != -SIGTERM &&
           self->status != -SIGINT && self->status != -SIGKILL && self->status != -SIGHUP;
}

void dw_subject_signal (const dw_subject_t *self, int number) {
    if (self->pid)
        (void) kill (self->pid, number);
}

void dw_subject_kill (dw_subject_t *self) {
    int status;
    if (self->pid == 0 || dw_subject_has_ended (self))
        return;
    (void) kill (self->pid, SIGKILL);
    if (waitpid (self->pid, &status, 0) == self->pid)
        s_ended (self, status);
}
