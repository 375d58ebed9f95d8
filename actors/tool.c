/* tool.c - a program that reads records and writes one for each. */

#include "actors/tool.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "actors/clock.h"
#include "actors/deaths.h"

#define READ_BYTES  (256u << 10) /* of its output, taken in at a time */
#define PIPE_BYTES  (256 << 10)  /* asked for; a system that gives less is as well */
#define LINGER_NS   100000000    /* for a program that has closed its output to end by itself */
#define LINGER_STEP 1000000

void dw_tool_init (dw_tool_t *self) {
    self->in_fd = self->out_fd = self->err_fd = -1;
}

/* ---- Started and ended ------------------------------------------------------------------------ */

static int s_spawn (pid_t *pid_p, const char *command, char *const *environment, int in_fd,
                    int out_fd, int err_fd) {
    const char *const words[] = {"sh", "-c", command, NULL};
    dw_spawn_t program = {.path = "/bin/sh",
                          .words = words,
                          .environment = environment,
                          .fds = {in_fd, out_fd, err_fd},
                          .has_group = true};
    sigemptyset (&program.blocked);
    return dw_spawn_start (pid_p, &program);
}

/* A pipe whose end at `ours` never makes this process wait. */
static bool s_pipe (int pipe_fds[2], int ours) {
    if (pipe2 (pipe_fds, O_CLOEXEC))
        return false;
    fcntl (pipe_fds[ours], F_SETFL, O_NONBLOCK);
    fcntl (pipe_fds[ours], F_SETPIPE_SZ, PIPE_BYTES);
    return true;
}

int dw_tool_start (dw_tool_t *self) {
    int in[2] = {-1, -1}, out[2] = {-1, -1}, words[2] = {-1, -1}, err = 0;
    self->in_at = self->out_at = self->out_count = self->out_looked = 0;
    self->tail.heard = self->marked = 0;
    dw_writer_clear (&self->in);
    if (!s_pipe (in, 1) || !s_pipe (out, 0) || !s_pipe (words, 0))
        err = errno;
    if (!err)
        err = s_spawn (&self->pid, self->command, self->environment, in[0], out[1], words[1]);
    dw_spawn_close (&in[0]);
    dw_spawn_close (&out[1]);
    dw_spawn_close (&words[1]);
    self->in_fd = in[1];
    self->out_fd = out[0];
    self->err_fd = words[0];
    if (!err)
        return DW_OK;
    self->pid = 0;
    dw_tool_kill (self, NULL);
    errno = err;
    return DW_ELIMIT;
}

static void s_append (dw_writer_t *writer, const char *text) {
    dw_write_raw (writer, text, strlen (text));
}

static void s_say_how (int status, dw_writer_t *text) {
    char line[64];
    const char *name = WIFSIGNALED (status) ? sigabbrev_np (WTERMSIG (status)) : NULL;
    if (name)
        snprintf (line, sizeof line, "was killed by SIG%s", name);
    else if (WIFSIGNALED (status))
        snprintf (line, sizeof line, "was killed by signal %d", WTERMSIG (status));
    else
        snprintf (line, sizeof line, "ended with status %d", WEXITSTATUS (status));
    s_append (text, line);
}

/* One that has closed its output mostly is about to end: how it does is worth a moment. */
static bool s_linger (pid_t pid, int *status_p) {
    for (int64_t end_ns = dw_clock_ns () + LINGER_NS; dw_clock_ns () < end_ns;) {
        if (waitpid (pid, status_p, WNOHANG) == pid)
            return true;
        nanosleep (&(struct timespec){.tv_nsec = LINGER_STEP}, NULL);
    }
    return false;
}

void dw_tool_kill (dw_tool_t *self, dw_writer_t *text) {
    int status = 0;
    bool has_ended = false;
    dw_spawn_close (&self->in_fd);
    if (self->pid > 0 && text)
        has_ended = s_linger (self->pid, &status);
    if (self->pid > 0)
        kill (-self->pid, SIGKILL); /* and all that it has started */
    if (self->pid > 0 && !has_ended)
        waitpid (self->pid, &status, 0);
    if (self->pid > 0 && text && self->err_fd >= 0)
        dw_tool_hear (self);
    if (self->pid > 0 && text)
        s_say_how (status, text);
    self->pid = 0;
    dw_spawn_close (&self->out_fd);
    dw_spawn_close (&self->err_fd);
}

void dw_tool_free (dw_tool_t *self) {
    dw_tool_kill (self, NULL);
    dw_writer_free (&self->in);
    dw_spawn_tail_free (&self->tail);
    free (self->out);
    self->out = NULL;
}

/* ---- What it reads and writes ----------------------------------------------------------------- */

bool dw_tool_write (dw_tool_t *self) {
    while (self->in_fd >= 0 && self->in_at < self->in.count) {
        ssize_t sent = write (self->in_fd, self->in.bytes + self->in_at,
                              self->in.count - self->in_at);
        if (sent < 0 && (errno == EAGAIN || errno == EINTR))
            return true;
        if (sent < 0)
            dw_spawn_close (&self->in_fd);
        else
            self->in_at += (size_t) sent;
    }
    self->in_at = 0;
    dw_writer_clear (&self->in);
    return self->in_fd >= 0;
}

/* Room for more of its output, behind what is there. */
static bool s_make_room (dw_tool_t *self) {
    if (self->out_at > 0) {
        memmove (self->out, self->out + self->out_at, self->out_count - self->out_at);
        self->out_count -= self->out_at;
        self->out_at = 0;
    }
    if (self->out_size - self->out_count >= READ_BYTES / 4)
        return true;
    size_t size = self->out_size ? 2 * self->out_size : READ_BYTES;
    uint8_t *out = realloc (self->out, size);
    if (!out)
        return false;
    self->out = out;
    self->out_size = size;
    return true;
}

bool dw_tool_read (dw_tool_t *self) {
    if (!s_make_room (self))
        return false;
    size_t room = self->out_size - self->out_count;
    ssize_t got = read (self->out_fd, self->out + self->out_count,
                        room < READ_BYTES ? room : READ_BYTES);
    if (got < 0)
        return errno == EAGAIN || errno == EINTR;
    self->out_count += (size_t) got;
    return got > 0;
}

const uint8_t *dw_tool_next (dw_tool_t *self, size_t *size_p, bool *is_too_large) {
    const uint8_t *bytes = self->out + self->out_at;
    size_t left = self->out_count - self->out_at;
    *size_p = left ? dw_framing_measure (self->framing, bytes, left, self->out_looked) : 0;
    *is_too_large = left && dw_framing_announced (self->framing, bytes, *size_p ? *size_p : left) >
                                self->record_max;
    if (*size_p == 0 || *is_too_large) {
        self->out_looked = left;
        return NULL;
    }
    self->out_at += *size_p;
    self->out_looked = 0;
    return bytes;
}

/* ---- What it says ----------------------------------------------------------------------------- */

void dw_tool_hear (dw_tool_t *self) {
    dw_spawn_hear (&self->tail, &self->err_fd, NULL);
}

void dw_tool_mark (dw_tool_t *self) {
    self->marked = self->tail.heard;
}

uint64_t dw_tool_noise (const dw_tool_t *self) {
    return self->tail.heard - self->marked;
}

void dw_tool_quote (const dw_tool_t *self, size_t size_max, dw_writer_t *text) {
    char words[DW_WIRE_TAIL_MAX];
    size_t size = dw_spawn_last_words (&self->tail, size_max, words);
    if (size > 0)
        dw_deaths_print (text, words, size, "");
}
