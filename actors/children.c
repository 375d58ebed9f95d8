/* children.c - the slots of a worker process, each in a process of its own: the parent's side. */

#include "actors/children.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/pidfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "actors/child.h"
#include "actors/clock.h"
#include "actors/spawn.h"

#define CRASHES_MAX   5 /* that are followed by another start within */
#define CRASHES_NS    10000000000
#define END_MS        1000 /* for children to end in when their order is closed */
#define EVENTS_MAX    64   /* taken in at a time */
#define PASS_ON_BYTES 4096 /* PIPE_BUF: what is written at once where there is room for anything */

typedef enum s_source_t { SOURCE_END, SOURCE_ORDER, SOURCE_WORDS, SOURCES } s_source_t;

typedef struct s_child_t {
    uint32_t number;   /* of its slot */
    uint32_t replaced; /* how often */
    pid_t pid;         /* 0: none runs */
    int fds[SOURCES];  /* -1: closed */
    size_t told;       /* bytes of head and order */
    bool is_killed;    /* by this process, for another to be started */
    bool has_left, was_cut, has_crashed;
    bool is_down;                    /* to stay; */
    bool is_untold;                  /* and nobody has been told */
    int64_t crashed_ns[CRASHES_MAX]; /* when it was started again after a crash, in turns */
    unsigned crashes;
    dw_child_word_t word; /* as far as it has come */
    size_t word_count;
    bool is_asked; /* and has not answered */
    dw_spawn_tail_t tail;
} s_child_t;

struct dw_children_t {
    const char *const *command;
    int epoll_fd;
    dw_writer_t order;
    s_child_t *items;
    dw_wire_slot_t *said; /* what slots said last that they are at */
    uint32_t count;
};

/* ---- A child starts --------------------------------------------------------------------------- */

static int s_refuse (const char *what, dw_error_t *error) {
    return dw_error_add (
        error, DW_ELIMIT, DW_NOWHERE,
        "%s (%s): raise the limit of open files (ulimit -n), of processes (ulimit -u) or of "
        "memory",
        what, strerror (errno));
}

static bool s_watch (dw_children_t *self, const s_child_t *child, s_source_t source,
                     uint32_t events) {
    uint64_t index = (uint64_t) (child - self->items);
    struct epoll_event event = {.events = events, .data.u64 = index * SOURCES + source};
    return epoll_ctl (self->epoll_fd, EPOLL_CTL_ADD, child->fds[source], &event) == 0;
}

/* What it starts with: its end of the socket as standard input, the pipe as both outputs. Signals by
 * which people end a whole group of processes are blocked, because the parent says when a slot
 * ends. */
static int s_spawn (pid_t *pid_p, const char *const *command, int order_fd, int words_fd) {
    dw_spawn_t program = {.path = command[0],
                          .words = command,
                          .environment = environ,
                          .fds = {order_fd, words_fd, words_fd}};
    sigemptyset (&program.blocked);
    sigaddset (&program.blocked, SIGINT);
    sigaddset (&program.blocked, SIGTERM);
    sigaddset (&program.blocked, SIGHUP);
    return dw_spawn_start (pid_p, &program);
}

/* Begins a child whose ends of socket and pipe are given. */
static int s_begin (dw_children_t *self, s_child_t *child, int order_fd, int words_fd,
                    dw_error_t *error) {
    int err = s_spawn (&child->pid, self->command, order_fd, words_fd);
    if (err) {
        child->pid = 0;
        errno = err;
        return s_refuse ("a slot's process cannot be started", error);
    }
    child->fds[SOURCE_END] = pidfd_open (child->pid, 0);
    if (child->fds[SOURCE_END] >= 0 && s_watch (self, child, SOURCE_END, EPOLLIN) &&
        s_watch (self, child, SOURCE_ORDER, EPOLLIN | EPOLLOUT) &&
        s_watch (self, child, SOURCE_WORDS, EPOLLIN))
        return DW_OK;
    err = s_refuse ("a slot's process cannot be watched", error);
    kill (child->pid, SIGKILL);
    waitpid (child->pid, NULL, 0);
    child->pid = 0;
    return err;
}

static int s_start (dw_children_t *self, s_child_t *child, dw_error_t *error) {
    int order[2] = {-1, -1}, words[2] = {-1, -1}, err = DW_OK;
    child->told = child->tail.heard = child->word_count = 0;
    child->is_asked = false;
    self->said[child - self->items] = (dw_wire_slot_t){.number = child->number};
    child->is_killed = child->has_left = child->was_cut = child->has_crashed = false;
    if (socketpair (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, order) || pipe2 (words, O_CLOEXEC))
        err = s_refuse ("no descriptors for a slot's process", error);
    if (!err) {
        fcntl (order[0], F_SETFL, O_NONBLOCK);
        fcntl (words[0], F_SETFL, O_NONBLOCK);
        child->fds[SOURCE_ORDER] = order[0];
        child->fds[SOURCE_WORDS] = words[0];
        err = s_begin (self, child, order[1], words[1], error);
    } else {
        dw_spawn_close (&order[0]);
        dw_spawn_close (&words[0]);
    }
    dw_spawn_close (&order[1]);
    dw_spawn_close (&words[1]);
    for (s_source_t source = 0; err && source < SOURCES; source++)
        dw_spawn_close (&child->fds[source]);
    child->is_down = child->is_untold = err != DW_OK;
    return err;
}

/* ---- What it hears and says ------------------------------------------------------------------- */

/* Tells it the rest of its order, as far as there is room. */
static void s_tell (dw_children_t *self, s_child_t *child) {
    dw_child_head_t head = {
        .magic = DW_CHILD_MAGIC, .number = child->number, .size = self->order.count};
    while (child->told < sizeof head + self->order.count) {
        bool is_head = child->told < sizeof head;
        size_t at = is_head ? child->told : child->told - sizeof head;
        const uint8_t *bytes = is_head ? (const uint8_t *) &head : self->order.bytes;
        size_t left = (is_head ? sizeof head : self->order.count) - at;
        ssize_t sent = send (child->fds[SOURCE_ORDER], bytes + at, left,
                             MSG_NOSIGNAL | MSG_DONTWAIT);
        if (sent < 0)
            return; /* no room, or it has ended, which is heard of elsewhere */
        child->told += (size_t) sent;
    }
    uint64_t index = (uint64_t) (child - self->items);
    struct epoll_event event = {.events = EPOLLIN, .data.u64 = index * SOURCES + SOURCE_ORDER};
    epoll_ctl (self->epoll_fd, EPOLL_CTL_MOD, child->fds[SOURCE_ORDER], &event);
}

static void s_on_word (dw_children_t *self, s_child_t *child) {
    dw_wire_slot_t *said = &self->said[child - self->items];
    switch (child->word.what) {
        case DW_CHILD_AT:
            *said = child->word.slot;
            said->number = child->number;
            child->is_asked = false;
            return;
        case DW_CHILD_LEFT: child->has_left = true; return;
        case DW_CHILD_CUT: child->was_cut = true; return;
    }
}

/* What it says over the socket. */
static void s_listen (dw_children_t *self, s_child_t *child) {
    for (;;) {
        uint8_t *at = (uint8_t *) &child->word + child->word_count;
        ssize_t got = recv (child->fds[SOURCE_ORDER], at, sizeof child->word - child->word_count,
                            MSG_DONTWAIT);
        if (got == 0 || (got < 0 && errno != EAGAIN && errno != EINTR))
            dw_spawn_close (&child->fds[SOURCE_ORDER]); /* it has closed its standard input */
        if (got <= 0)
            return;
        child->word_count += (size_t) got;
        if (child->word_count < sizeof child->word)
            continue;
        child->word_count = 0;
        s_on_word (self, child);
    }
}

/* Passes words on to standard error, which must never hold this thread up: what it does not take at
 * once is left out. */
static void s_pass_on (const char *words, size_t size) {
    while (size > 0) {
        struct pollfd item = {.fd = STDERR_FILENO, .events = POLLOUT};
        size_t part = size < PASS_ON_BYTES ? size : PASS_ON_BYTES;
        if (poll (&item, 1, 0) != 1 || !(item.revents & POLLOUT) ||
            write (STDERR_FILENO, words, part) != (ssize_t) part)
            return;
        words += part;
        size -= part;
    }
}

static void s_hear (s_child_t *child) {
    dw_spawn_hear (&child->tail, &child->fds[SOURCE_WORDS], s_pass_on);
}

/* ---- A child ends ----------------------------------------------------------------------------- */

/* Fetches how it ended, which ends it for the system too. A program that has its children reaped
 * otherwise leaves that unknown. */
static void s_reap (s_child_t *child, dw_wire_ended_t *end) {
    int status = 0;
    *end = (dw_wire_ended_t){
        .number = child->number, .replaced = child->replaced, .pid = (uint64_t) child->pid};
    pid_t pid = waitpid (child->pid, &status, 0);
    child->pid = 0;
    if (pid < 0)
        end->how = DW_WIRE_UNKNOWN;
    else if (WIFSIGNALED (status)) {
        end->how = DW_WIRE_SIGNALLED;
        end->value = (uint32_t) WTERMSIG (status);
    } else {
        end->how = DW_WIRE_EXITED;
        end->value = (uint32_t) WEXITSTATUS (status);
    }
}

static void s_on_end (dw_children_t *self, s_child_t *child,
                      void (*ended) (void *arg, const dw_wire_ended_t *end), void *arg) {
    char words[DW_WIRE_TAIL_MAX];
    dw_wire_ended_t end;
    if (child->fds[SOURCE_ORDER] >= 0)
        s_listen (self, child);
    if (child->fds[SOURCE_WORDS] >= 0)
        s_hear (child);
    s_reap (child, &end);
    for (s_source_t source = 0; source < SOURCES; source++)
        dw_spawn_close (&child->fds[source]);
    if (child->is_killed) {
        s_start (self, child, NULL);
        return; /* one that cannot be had is told of with the others */
    }
    if (child->has_left || child->was_cut)
        return; /* whoever told it to, or dw_children_mend, sees to it */
    child->has_crashed = true;
    end.tail = (const uint8_t *) words;
    end.tail_size = dw_spawn_last_words (&child->tail, sizeof words, words);
    ended (arg, &end);
}

/* Tells of those that could not be started again, when nobody was there who would have said so. */
static void s_tell_down (dw_children_t *self, void (*ended) (void *arg, const dw_wire_ended_t *end),
                         void *arg) {
    for (uint32_t slot = 0; slot < self->count; slot++) {
        s_child_t *child = &self->items[slot];
        if (child->is_untold)
            ended (arg, &(dw_wire_ended_t){.number = child->number, .how = DW_WIRE_DOWN});
        child->is_untold = false;
    }
}

/* ---- Looked at, replaced ---------------------------------------------------------------------- */

int dw_children_fd (const dw_children_t *self) {
    return self->epoll_fd;
}

void dw_children_look (dw_children_t *self, void (*ended) (void *arg, const dw_wire_ended_t *end),
                       void *arg) {
    struct epoll_event events[EVENTS_MAX];
    int count = epoll_wait (self->epoll_fd, events, EVENTS_MAX, 0);
    for (int i = 0; i < count; i++) {
        s_child_t *child = &self->items[events[i].data.u64 / SOURCES];
        s_source_t source = (s_source_t) (events[i].data.u64 % SOURCES);
        if (child->fds[source] < 0)
            /* it was closed meanwhile; the event of another that has its number comes again */
            continue;
        switch (source) {
            case SOURCE_ORDER:
                if (events[i].events & EPOLLOUT)
                    s_tell (self, child);
                if (events[i].events & (EPOLLIN | EPOLLHUP | EPOLLERR))
                    s_listen (self, child);
                break;
            case SOURCE_WORDS: s_hear (child); break;
            case SOURCE_END: s_on_end (self, child, ended, arg); break;
            case SOURCES: break;
        }
    }
    s_tell_down (self, ended, arg);
}

/* Whether one more start after a crash would be too many within the time. */
static bool s_crashes_too_often (s_child_t *child) {
    int64_t now_ns = dw_clock_ns (), *oldest_ns = &child->crashed_ns[child->crashes % CRASHES_MAX];
    if (child->crashes >= CRASHES_MAX && now_ns - *oldest_ns < CRASHES_NS)
        return true;
    *oldest_ns = now_ns;
    child->crashes++;
    return false;
}

int dw_children_replace (dw_children_t *self, uint32_t number, dw_error_t *error) {
    uint32_t slot = 0;
    while (slot < self->count && self->items[slot].number != number)
        slot++;
    if (slot == self->count)
        return dw_error_add (error, DW_ENOENT, DW_NOWHERE, "there is no slot %u",
                             (unsigned) number);
    s_child_t *child = &self->items[slot];
    child->replaced++;
    if (child->is_down)
        return DW_OK; /* and has said so */
    if (child->pid) {
        child->is_killed = true;
        kill (child->pid, SIGKILL); /* it is not reaped yet, so the number is its own */
        return DW_OK;
    }
    if (child->has_crashed && s_crashes_too_often (child)) {
        child->is_down = true;
        return dw_error_add (error, DW_EPROCESSOR, DW_NOWHERE,
                             "slot %u has gone down %d times within %d s: it stays down",
                             (unsigned) number, CRASHES_MAX + 1, (int) (CRASHES_NS / 1000000000));
    }
    int err = s_start (self, child, error);
    child->is_untold = false; /* the caller says so */
    return err;
}

static bool s_is_cut (const s_child_t *child) {
    return child->pid == 0 && child->was_cut && !child->is_down;
}

bool dw_children_are_cut (const dw_children_t *self) {
    for (uint32_t slot = 0; slot < self->count; slot++)
        if (s_is_cut (&self->items[slot]))
            return true;
    return false;
}

int dw_children_mend (dw_children_t *self, dw_error_t *error) {
    int err = DW_OK;
    for (uint32_t slot = 0; slot < self->count; slot++)
        if (s_is_cut (&self->items[slot])) {
            int of_one = s_start (self, &self->items[slot], error);
            err = err ? err : of_one;
        }
    return err;
}

const dw_wire_slot_t *dw_children_ask (dw_children_t *self, uint32_t *count_p) {
    for (uint32_t slot = 0; slot < self->count; slot++) {
        s_child_t *child = &self->items[slot];
        bool is_told = child->told == sizeof (dw_child_head_t) + self->order.count;
        if (child->is_asked)
            self->said[slot].at = DW_WIRE_AT_SILENT;
        else if (child->fds[SOURCE_ORDER] >= 0 && is_told)
            child->is_asked = send (child->fds[SOURCE_ORDER], "", 1, MSG_NOSIGNAL | MSG_DONTWAIT) ==
                              1;
    }
    *count_p = self->count;
    return self->said;
}

bool dw_children_are_down (const dw_children_t *self) {
    for (uint32_t slot = 0; slot < self->count; slot++)
        if (!self->items[slot].is_down)
            return false;
    return true;
}

/* ---- Made, ended ------------------------------------------------------------------------------ */

static int s_make (dw_children_t *self, const dw_squad_options_t *options, dw_error_t *error) {
    dw_program_t *program = NULL;
    int err = dw_squad_plan (&program, options, error);
    dw_program_destroy (&program);
    if (err)
        return err;
    dw_child_write_order (&self->order, options);
    self->items = calloc (options->slots + 1u, sizeof *self->items);
    self->said = calloc (options->slots + 1u, sizeof *self->said);
    if (!self->items || !self->said || self->order.no_memory)
        return dw_error_add (error, DW_ENOMEM, DW_NOWHERE, "out of memory");
    self->epoll_fd = epoll_create1 (EPOLL_CLOEXEC);
    if (self->epoll_fd < 0)
        return s_refuse ("slots' processes cannot be watched", error);
    self->count = options->slots;
    for (uint32_t slot = 0; slot < self->count; slot++) {
        self->items[slot] = (s_child_t){.number = options->numbers[slot]};
        for (s_source_t source = 0; source < SOURCES; source++)
            self->items[slot].fds[source] = -1;
    }
    for (uint32_t slot = 0; slot < self->count && !err; slot++)
        err = s_start (self, &self->items[slot], error);
    return err;
}

int dw_children_new (dw_children_t **self_p, const dw_squad_options_t *options,
                     const char *const *command, dw_error_t *error) {
    dw_children_t *self = calloc (1, sizeof *self);
    if (!self)
        return dw_error_add (error, DW_ENOMEM, DW_NOWHERE, "out of memory");
    self->command = command;
    self->epoll_fd = -1;
    int err = s_make (self, options, error);
    if (err)
        dw_children_end (&self);
    else
        *self_p = self;
    return err;
}

/* Waits for a child that was told to end, at most until deadline_ns, then kills it. */
static void s_bury (s_child_t *child, int64_t deadline_ns) {
    while (child->pid) {
        struct pollfd items[2] = {{.fd = child->fds[SOURCE_END], .events = POLLIN},
                                  {.fd = child->fds[SOURCE_WORDS], .events = POLLIN}};
        int64_t left_ms = (deadline_ns - dw_clock_ns () + 999999) / 1000000;
        int ready = left_ms > 0 ? poll (items, 2, (int) left_ms) : 0;
        if (ready > 0 && items[1].revents)
            s_hear (child); /* it may be waiting for room to say why it ends */
        if (ready == 0 || (ready < 0 && errno != EINTR))
            kill (child->pid, SIGKILL);
        if (ready <= 0 || items[0].revents) {
            dw_wire_ended_t end;
            s_reap (child, &end);
        }
    }
}

void dw_children_end (dw_children_t **self_p) {
    dw_children_t *self = *self_p;
    if (!self)
        return;
    int64_t deadline_ns = dw_clock_ns () + END_MS * INT64_C (1000000);
    for (uint32_t slot = 0; slot < self->count; slot++)
        dw_spawn_close (&self->items[slot].fds[SOURCE_ORDER]);
    for (uint32_t slot = 0; slot < self->count; slot++) {
        s_child_t *child = &self->items[slot];
        s_bury (child, deadline_ns);
        dw_spawn_close (&child->fds[SOURCE_END]);
        dw_spawn_close (&child->fds[SOURCE_WORDS]);
        dw_spawn_tail_free (&child->tail);
    }
    if (self->epoll_fd >= 0)
        close (self->epoll_fd);
    if (self->order.bytes)
        explicit_bzero (self->order.bytes, self->order.size); /* it has the secret key */
    dw_writer_free (&self->order);
    free (self->items);
    free (self->said);
    free (self);
    *self_p = NULL;
}
