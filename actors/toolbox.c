/* toolbox.c - the tasks that a worker holds, and the programs that run them. */

#include "actors/toolbox.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "actors/clock.h"
#include "actors/deaths.h"

#define AHEAD_MAX        512u        /* tasks that a tool has been given and not answered for, */
#define AHEAD_BYTES      (64u << 10) /* unless as much waits to be written */
#define NOISE_MAX        (16u << 20) /* bytes of standard error between two answers */
#define BACKOFF_FIRST_NS INT64_C (100000000)   /* before a tool that has ended is started again, */
#define BACKOFF_MAX_NS   INT64_C (10000000000) /* twice as long each time that it has not answered */
#define TEXT_MAX         8192u                 /* of why a task failed */

typedef enum s_state_t { S_WAITING, S_AHEAD, S_DONE, S_FAILED, S_RETURNED } s_state_t;

typedef struct s_task_t {
    uint64_t ticket;
    uint32_t node; /* its place among the nodes */
    uint32_t steps, code;
    s_state_t state;
    bool is_cancelled; /* while it is ahead */
    dw_writer_t bytes; /* its record while it waits, then its output or why it failed */
    uint64_t duration_ns;
} s_task_t;

typedef struct s_node_t {
    uint32_t rank;
    char *id;
    dw_tool_t tool;
    char **environment;
    /* Of its tasks none before feed_at waits, none before take_at is ahead. */
    uint64_t feed_at, take_at;
    uint32_t ahead_count;
    int64_t since_ns; /* when it was given its first task, or answered last, whichever is later */
    int64_t start_at_ns; /* not to be started before */
    unsigned ends;       /* in a row, without an answer between two */
} s_node_t;

struct dw_toolbox_t {
    dw_toolbox_options_t options;
    s_node_t *nodes; /* by rank */
    uint32_t nodes_count;
    s_task_t *tasks; /* in a ring whose size is a power of 2 */
    uint64_t first,
        next; /* those held have these numbers, in the order in which they came; tickets may jump */
    uint64_t last_ticket;
    uint32_t tasks_size;
    bool is_stopped;
    s_task_t given; /* what the last answer tells of */
};

/* ---- Nodes ------------------------------------------------------------------------------------ */

#define VARIABLES 3u
static const char *const s_variables[VARIABLES] = {
    "DAGWOOD_NODE=", "DAGWOOD_PROCESSOR=", "DAGWOOD_OPTIONS="};

static char *s_variable (const char *name, const char *value, size_t size) {
    char *text = malloc (strlen (name) + size + 1);
    if (text) {
        memcpy (text, name, strlen (name));
        memcpy (text + strlen (name), value, size);
        text[strlen (name) + size] = '\0';
    }
    return text;
}

/* The options, as a JSON object; what is no JSON is not told. */
static char *s_options_text (const dw_briefed_t *briefed) {
    dw_writer_t json = {0};
    char *text = NULL;
    if (!dw_framing_write (DW_FRAMING_NDJSON, briefed->options, briefed->options_size, &json) &&
        !json.no_memory)
        text = s_variable (s_variables[2], (const char *) json.bytes, json.count - 1);
    else
        text = s_variable (s_variables[2], "", 0);
    dw_writer_free (&json);
    return text;
}

static bool s_is_ours (const char *variable) {
    for (size_t i = 0; i < VARIABLES; i++)
        if (strncmp (variable, s_variables[i], strlen (s_variables[i])) == 0)
            return true;
    return false;
}

/* What this process has, and behind what is known of the node. */
static bool s_make_environment (s_node_t *node, const dw_briefed_t *briefed) {
    size_t count = 0, kept = VARIABLES;
    while (environ[count])
        count++;
    node->environment = calloc (count + VARIABLES + 1, sizeof *node->environment);
    if (!node->environment)
        return false;
    node->environment[0] = s_variable (s_variables[0], briefed->id, briefed->id_size);
    node->environment[1] = s_variable (s_variables[1], briefed->processor, briefed->processor_size);
    node->environment[2] = s_options_text (briefed);
    for (size_t i = 0; i < count; i++)
        if (!s_is_ours (environ[i]))
            node->environment[kept++] = environ[i];
    return node->environment[0] && node->environment[1] && node->environment[2];
}

static const char *s_command (const dw_toolbox_options_t *options, const dw_briefed_t *briefed) {
    for (size_t i = 0; i < options->count; i++)
        if (strlen (options->names[i]) == briefed->processor_size &&
            memcmp (options->names[i], briefed->processor, briefed->processor_size) == 0)
            return options->commands[i];
    return NULL;
}

static int s_add_node (dw_toolbox_t *self, const dw_briefed_t *briefed) {
    s_node_t *node = &self->nodes[self->nodes_count++];
    const char *command = s_command (&self->options, briefed);
    *node = (s_node_t){.rank = briefed->node,
                       .id = strndup (briefed->id, briefed->id_size),
                       .tool = {.command = command,
                                .framing = self->options.framing,
                                .record_max = self->options.max_payload_bytes}};
    dw_tool_init (&node->tool);
    if (!command || (self->nodes_count > 1 && node->rank <= node[-1].rank))
        return DW_EPROTOCOL;
    if (!node->id || !s_make_environment (node, briefed))
        return DW_ENOMEM;
    node->tool.environment = node->environment;
    return DW_OK;
}

int dw_toolbox_new (dw_toolbox_t **self_p, const dw_toolbox_options_t *options,
                    const uint8_t *nodes, size_t size) {
    dw_wire_reader_t reader = dw_wire_reader (nodes, size);
    uint32_t count = dw_read_briefing (&reader);
    dw_toolbox_t *self = calloc (1, sizeof *self);
    if (self)
        self->nodes = calloc ((size_t) count + 1, sizeof *self->nodes);
    int err = self && self->nodes ? DW_OK : DW_ENOMEM;
    if (!err)
        self->options = *options;
    for (uint32_t i = 0; i < count && !err; i++) {
        dw_briefed_t briefed;
        err = dw_read_briefed (&reader, &briefed) ? s_add_node (self, &briefed) : DW_EPROTOCOL;
    }
    if (!err && reader.is_damaged)
        err = DW_EPROTOCOL;
    if (err)
        dw_toolbox_destroy (&self);
    else
        *self_p = self;
    return err;
}

static s_task_t *s_task (const dw_toolbox_t *self, uint64_t number) {
    return &self->tasks[number & (self->tasks_size - 1)];
}

void dw_toolbox_destroy (dw_toolbox_t **self_p) {
    dw_toolbox_t *self = *self_p;
    if (!self)
        return;
    for (uint32_t i = 0; self->nodes && i < self->nodes_count; i++) {
        s_node_t *node = &self->nodes[i];
        dw_tool_free (&node->tool);
        for (uint32_t v = 0; node->environment && v < VARIABLES; v++)
            free (node->environment[v]);
        free (node->environment);
        free (node->id);
    }
    for (uint32_t i = 0; i < self->tasks_size; i++)
        dw_writer_free (&self->tasks[i].bytes);
    dw_writer_free (&self->given.bytes);
    free (self->nodes);
    free (self->tasks);
    free (self);
    *self_p = NULL;
}

static void s_notice (const dw_toolbox_t *self, const dw_writer_t *text) {
    char line[600];
    if (!self->options.notice || text->no_memory)
        return;
    snprintf (line, sizeof line, "%.*s", (int) (text->count < 590 ? text->count : 590),
              (const char *) text->bytes);
    self->options.notice (self->options.notice_arg, line);
}

/* ---- Tasks ------------------------------------------------------------------------------------ */

static s_node_t *s_find_node (const dw_toolbox_t *self, uint32_t rank) {
    uint32_t low = 0, high = self->nodes_count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (self->nodes[middle].rank < rank)
            low = middle + 1;
        else
            high = middle;
    }
    return low < self->nodes_count && self->nodes[low].rank == rank ? &self->nodes[low] : NULL;
}

/* A ring twice as large, where each number has its place. */
static bool s_grow (dw_toolbox_t *self) {
    uint32_t size = self->tasks_size ? 2 * self->tasks_size : 64;
    s_task_t *tasks = calloc (size, sizeof *tasks);
    if (!tasks)
        return false;
    for (uint64_t number = self->first; number < self->next; number++)
        tasks[number & (size - 1)] = *s_task (self, number);
    free (self->tasks);
    self->tasks = tasks;
    self->tasks_size = size;
    return true;
}

static void s_fail (s_task_t *task, uint32_t code, const char *text, size_t size) {
    task->state = S_FAILED;
    task->code = code;
    dw_writer_clear (&task->bytes);
    dw_write_raw (&task->bytes, text, size);
}

int dw_toolbox_push (dw_toolbox_t *self, uint64_t ticket, uint32_t node_rank, uint32_t steps,
                     const uint8_t *payload, size_t size) {
    const s_node_t *node = s_find_node (self, node_rank);
    if (!node || (self->next > 0 && ticket <= self->last_ticket))
        return DW_EPROTOCOL;
    if (self->is_stopped)
        return DW_OK; /* BYE gives it back */
    if (self->next - self->first == self->tasks_size && !s_grow (self))
        return DW_ENOMEM;
    s_task_t *task = s_task (self, self->next);
    dw_writer_t bytes = task->bytes; /* of a task before, to be used again */
    dw_writer_clear (&bytes);
    *task = (s_task_t){
        .ticket = ticket, .node = (uint32_t) (node - self->nodes), .steps = steps, .bytes = bytes};
    self->next++;
    self->last_ticket = ticket;
    const char *why = dw_framing_write (self->options.framing, payload, size, &task->bytes);
    if (why)
        s_fail (task, 400, why, strlen (why));
    return task->bytes.no_memory ? DW_ENOMEM : DW_OK;
}

/* ---- Tools that end --------------------------------------------------------------------------- */

/* The first task that a tool is at; it is at some. */
static s_task_t *s_first_ahead (dw_toolbox_t *self, s_node_t *node) {
    uint32_t place = (uint32_t) (node - self->nodes);
    if (node->take_at < self->first)
        node->take_at = self->first;
    for (;; node->take_at++) {
        assert (node->take_at < self->next);
        s_task_t *task = s_task (self, node->take_at);
        if (task->node == place && task->state == S_AHEAD)
            return task;
    }
}

/* What its tool was given ahead is given back. */
static void s_return_ahead (dw_toolbox_t *self, s_node_t *node) {
    for (; node->ahead_count > 0; node->ahead_count--)
        s_first_ahead (self, node)->state = S_RETURNED;
}

static void s_append (dw_writer_t *writer, const char *text) {
    dw_write_raw (writer, text, strlen (text));
}

/* Ends its tool; text becomes what people read of it. what: what it did, behind "the program of
 * node ... "; NULL: it ended, and how is told. */
static void s_kill_tool (s_node_t *node, const char *what, dw_writer_t *text) {
    s_append (text, "the program of node \"");
    dw_deaths_print (text, node->id, strlen (node->id) < 200 ? strlen (node->id) : 200, "");
    s_append (text, "\" ");
    if (what)
        s_append (text, what);
    dw_tool_kill (&node->tool, what ? NULL : text);
    if (node->tool.tail.heard > 0)
        s_append (text, "; it wrote last:\n");
    size_t room = text->count < TEXT_MAX ? TEXT_MAX - text->count : 0;
    dw_tool_quote (&node->tool, room, text);
}

/* Its tool has ended, or has to: the task that it was at fails with what it said, or nobody waits
 * for that. what: as s_kill_tool has it. */
static void s_end_tool (dw_toolbox_t *self, s_node_t *node, uint32_t code, const char *what) {
    dw_writer_t text = {0};
    int64_t wait_ns = BACKOFF_FIRST_NS << (node->ends < 7 ? node->ends : 7);
    s_kill_tool (node, what, &text);
    node->ends++;
    node->start_at_ns = dw_clock_ns () + (wait_ns < BACKOFF_MAX_NS ? wait_ns : BACKOFF_MAX_NS);
    if (node->ahead_count == 0)
        s_notice (self, &text);
    else {
        s_task_t *task = s_first_ahead (self, node);
        task->duration_ns = (uint64_t) (dw_clock_ns () - node->since_ns);
        if (task->is_cancelled)
            task->state = S_RETURNED;
        else
            s_fail (task, code, (const char *) text.bytes,
                    text.count < TEXT_MAX ? text.count : TEXT_MAX);
        node->ahead_count--;
        s_return_ahead (self, node);
    }
    dw_writer_free (&text);
}

/* The task of a ticket, which grow as they come; NULL: it is not held. */
static s_task_t *s_find_task (const dw_toolbox_t *self, uint64_t ticket) {
    uint64_t low = self->first, high = self->next;
    while (low < high) {
        uint64_t middle = low + (high - low) / 2;
        if (s_task (self, middle)->ticket < ticket)
            low = middle + 1;
        else
            high = middle;
    }
    return low < self->next && s_task (self, low)->ticket == ticket ? s_task (self, low) : NULL;
}

void dw_toolbox_cancel (dw_toolbox_t *self, uint64_t ticket) {
    s_task_t *task = s_find_task (self, ticket);
    if (!task)
        return;
    s_node_t *node = &self->nodes[task->node];
    if (task->state == S_WAITING)
        task->state = S_RETURNED;
    if (task->state != S_AHEAD)
        return;
    task->is_cancelled = true;
    if (task != s_first_ahead (self, node))
        return; /* its record will be passed over */
    dw_writer_t text = {
        0}; /* the task's failure is told by who gave it up, who never hears what it said */
    s_kill_tool (node, "was killed, because nobody waits any more for what it was at", &text);
    s_notice (self, &text);
    dw_writer_free (&text);
    s_return_ahead (self, node);
}

void dw_toolbox_stop (dw_toolbox_t *self) {
    self->is_stopped = true;
    while (self->next > self->first && s_task (self, self->next - 1)->state == S_WAITING)
        self->next--;
    for (uint64_t number = self->first; number < self->next; number++)
        if (s_task (self, number)->state == S_WAITING)
            s_task (self, number)->state = S_RETURNED;
}

bool dw_toolbox_is_busy (const dw_toolbox_t *self) {
    return self->next > self->first;
}

bool dw_toolbox_is_at_work (const dw_toolbox_t *self) {
    for (uint32_t i = 0; i < self->nodes_count; i++)
        if (self->nodes[i].ahead_count > 0)
            return true;
    return false;
}

/* ---- Work ------------------------------------------------------------------------------------- */

/* The next task of a node that waits; NULL: none. */
static s_task_t *s_next_waiting (dw_toolbox_t *self, s_node_t *node) {
    uint32_t place = (uint32_t) (node - self->nodes);
    if (node->feed_at < self->first)
        node->feed_at = self->first;
    for (; node->feed_at < self->next; node->feed_at++) {
        s_task_t *task = s_task (self, node->feed_at);
        if (task->node == place && task->state == S_WAITING)
            return task;
    }
    return NULL;
}

/* Starts a tool that has something to do. False: it is not to be had, or not yet. */
static bool s_is_up (s_node_t *node, s_task_t *task, int64_t now_ns) {
    if (node->tool.pid)
        return true;
    if (now_ns < node->start_at_ns)
        return false;
    if (dw_tool_start (&node->tool) == DW_OK)
        return true;
    char text[160];
    int size = snprintf (text, sizeof text, "the program cannot be started: %s", strerror (errno));
    s_fail (task, 500, text, (size_t) size);
    node->ends++;
    node->start_at_ns = now_ns + BACKOFF_FIRST_NS;
    return false;
}

static void s_feed (dw_toolbox_t *self, s_node_t *node, int64_t now_ns) {
    s_task_t *task;
    while (node->ahead_count < AHEAD_MAX && node->tool.in.count - node->tool.in_at < AHEAD_BYTES &&
           (task = s_next_waiting (self, node)) && s_is_up (node, task, now_ns)) {
        uint8_t *at = dw_writer_room (&node->tool.in, task->bytes.count);
        if (!at)
            return;
        memcpy (at, task->bytes.bytes, task->bytes.count);
        node->tool.in.count += task->bytes.count;
        dw_writer_clear (&task->bytes);
        task->state = S_AHEAD;
        if (node->ahead_count++ == 0) {
            node->since_ns = now_ns;
            dw_tool_mark (&node->tool);
        }
    }
    if (node->tool.pid && node->tool.in.count)
        (void) dw_tool_write (&node->tool); /* that it reads no more is seen when it ends */
}

/* A record is the answer to the first task that it is at. False: it was nonsense, and the tool has
 * ended. */
static bool s_on_record (dw_toolbox_t *self, s_node_t *node, const uint8_t *record, size_t size) {
    if (node->ahead_count == 0) {
        s_end_tool (self, node, 502, "wrote a record that nobody had asked for");
        return false;
    }
    char what[160];
    s_task_t *task = s_first_ahead (self, node);
    dw_writer_clear (&task->bytes);
    const char *why = dw_framing_read (self->options.framing, record, size, &task->bytes);
    if (!why && task->bytes.no_memory)
        why = "more than there is memory for";
    if (!why && task->bytes.count > self->options.max_payload_bytes)
        why = "more than max_payload_bytes";
    if (why) {
        snprintf (what, sizeof what, "wrote %s", why);
        s_end_tool (self, node, 502, what);
        return false;
    }
    task->state = task->is_cancelled ? S_RETURNED : S_DONE;
    node->ahead_count--;
    node->ends = 0;
    return true;
}

/* Several records come in one piece: each took its part of the time. */
static void s_share_time (dw_toolbox_t *self, s_node_t *node, uint64_t from, uint64_t count,
                          int64_t now_ns) {
    uint32_t place = (uint32_t) (node - self->nodes);
    for (uint64_t number = from < self->first ? self->first : from; number < node->take_at + 1;
         number++) {
        s_task_t *task = number < self->next ? s_task (self, number) : NULL;
        if (task && task->node == place && task->state == S_DONE && task->duration_ns == 0)
            task->duration_ns = (uint64_t) (now_ns - node->since_ns) / count + 1;
    }
    node->since_ns = now_ns;
    dw_tool_mark (&node->tool);
}

static void s_take (dw_toolbox_t *self, s_node_t *node, int64_t now_ns) {
    size_t size;
    bool is_too_large = false;
    uint64_t from = node->take_at, count = 0;
    bool is_open = dw_tool_read (&node->tool);
    const uint8_t *record;
    while ((record = dw_tool_next (&node->tool, &size, &is_too_large))) {
        if (!s_on_record (self, node, record, size))
            return;
        count++;
    }
    if (count > 0)
        s_share_time (self, node, from, count, now_ns);
    if (is_too_large)
        s_end_tool (self, node, 413, "wrote a record of more than max_payload_bytes");
    else if (!is_open)
        s_end_tool (self, node, 500, NULL);
}

static void s_look (dw_toolbox_t *self, s_node_t *node, int64_t now_ns) {
    if (node->tool.pid && node->tool.err_fd >= 0)
        dw_tool_hear (&node->tool);
    if (node->tool.pid)
        s_take (self, node, now_ns);
    if (node->tool.pid && node->ahead_count && dw_tool_noise (&node->tool) > NOISE_MAX)
        s_end_tool (self, node, 500, "flooded its standard error, with 16 MiB for one task");
    if (node->tool.pid && node->ahead_count && self->options.timeout_ns &&
        now_ns - node->since_ns >= self->options.timeout_ns)
        s_end_tool (self, node, 408, "took longer than --exec-timeout");
}

void dw_toolbox_work (dw_toolbox_t *self, int64_t now_ns) {
    for (uint32_t i = 0; i < self->nodes_count; i++) {
        s_node_t *node = &self->nodes[i];
        if (node->tool.pid)
            s_look (self, node, now_ns);
        s_feed (self, node, now_ns);
    }
}

size_t dw_toolbox_watched (const dw_toolbox_t *self) {
    return 3 * (size_t) self->nodes_count;
}

static void s_earlier (int64_t *deadline_ns, int64_t at_ns) {
    if (at_ns < *deadline_ns)
        *deadline_ns = at_ns;
}

size_t dw_toolbox_watch (const dw_toolbox_t *self, struct pollfd *items, int64_t *deadline_ns_p) {
    size_t count = 0;
    for (uint32_t i = 0; i < self->nodes_count; i++) {
        const s_node_t *node = &self->nodes[i];
        const dw_tool_t *tool = &node->tool;
        if (!tool->pid) {
            if (node->ends > 0 && dw_toolbox_is_busy (self))
                s_earlier (deadline_ns_p, node->start_at_ns);
            continue;
        }
        items[count++] = (struct pollfd){.fd = tool->out_fd, .events = POLLIN};
        if (tool->err_fd >= 0)
            items[count++] = (struct pollfd){.fd = tool->err_fd, .events = POLLIN};
        if (tool->in.count > 0)
            items[count++] = (struct pollfd){.fd = tool->in_fd, .events = POLLOUT};
        if (node->ahead_count && self->options.timeout_ns)
            s_earlier (deadline_ns_p, node->since_ns + self->options.timeout_ns);
    }
    return count;
}

bool dw_toolbox_next (dw_toolbox_t *self, dw_toolbox_answer_t *answer) {
    if (self->first == self->next)
        return false;
    s_task_t *task = s_task (self, self->first);
    if (task->state == S_WAITING || task->state == S_AHEAD)
        return false;
    dw_writer_t spare = self->given.bytes;
    self->given = *task;
    dw_writer_clear (&spare);
    task->bytes = spare; /* its place in the ring has memory for the next one */
    self->first++;
    *answer = (dw_toolbox_answer_t){.ticket = self->given.ticket,
                                    .steps = self->given.steps,
                                    .end = self->given.state == S_DONE     ? DW_TOOLBOX_DONE
                                           : self->given.state == S_FAILED ? DW_TOOLBOX_FAILED
                                                                           : DW_TOOLBOX_RETURNED,
                                    .duration_ns = self->given.duration_ns,
                                    .code = self->given.code,
                                    .bytes = self->given.bytes.bytes,
                                    .size = self->given.bytes.count};
    return true;
}
