/* stream.c - an endless input in a loop of the program's own: every line of a file is a run, and
 * results are printed as they come.
 *
 * usage: stream [FILE]     "-" is standard input; README.md when none is named
 *
 * The loop waits for whatever comes first, a line or a result. As many runs are in flight as the
 * client allows; when it takes no more, what was read stays in the buffer and nothing else is read:
 * so memory is bounded, and a slow graph slows the input. A submission that says `more` travels
 * with those that follow it, and the next call of dw_client_next sends what waits. */

#include <dagwood.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LINE_MAX_BYTES 65536u

typedef struct stream_t {
    dw_client_t *client;
    int fd; /* -1: it has ended */
    char bytes[LINE_MAX_BYTES];
    size_t size;
    unsigned long submitted, ok;
} stream_t;

static dw_graph_t *s_graph (void) {
    dw_graph_t *graph = dw_graph_new ();
    dw_graph_add (graph, "upper", "change_text_case_upper");
    dw_graph_depend (graph, dw_graph_add (graph, "reverse", "reverse_text"), "upper");
    return graph;
}

/* Submits the lines that are in the buffer, until no more are taken. */
static int s_submit (stream_t *self, dw_error_t *error) {
    char *line = self->bytes, *end, *last = self->bytes + self->size;
    int err = DW_OK;
    while (!err && (end = memchr (line, '\n', (size_t) (last - line)))) {
        dw_submission_t submission = {
            .payload = line, .size = (size_t) (end - line), .is_text = true, .more = true};
        if (dw_client_in_flight (self->client) == dw_client_runs_max (self->client))
            break;
        err = dw_client_submit (self->client, &submission, NULL, error);
        self->submitted += !err;
        line = end + 1;
    }
    self->size = (size_t) (last - line);
    memmove (self->bytes, line, self->size);
    return err;
}

static bool s_has_line (const stream_t *self) {
    return memchr (self->bytes, '\n', self->size);
}

/* Reads what there is. A last line without a newline gets one; one that is too long is cut into
 * several. */
static void s_read (stream_t *self) {
    ssize_t size = read (self->fd, self->bytes + self->size, sizeof self->bytes - 1 - self->size);
    self->size += size > 0 ? (size_t) size : 0;
    if (size <= 0)
        self->fd = -1;
    if ((size <= 0 && self->size > 0) ||
        (self->size == sizeof self->bytes - 1 && !s_has_line (self)))
        self->bytes[self->size++] = '\n';
}

static void s_take (stream_t *self) {
    for (dw_result_t *result; (result = dw_client_next (self->client));) {
        size_t size = 0;
        const char *text = dw_result_text (result, dw_result_find (result, "reverse"), &size);
        printf ("%llu: %.*s\n", (unsigned long long) dw_result_run (result), (int) size,
                text ? text : "");
        self->ok += dw_result_status (result) == DW_RUN_OK;
        dw_result_destroy (&result);
    }
}

static int s_loop (stream_t *self, dw_error_t *error) {
    int err = DW_OK;
    while (!err && (self->fd >= 0 || self->size > 0 || dw_client_in_flight (self->client) > 0)) {
        err = s_submit (self, error);
        s_take (
            /* before every wait all that is there: the descriptor only tells of what is new */
            self);
        struct pollfd items[] = {
            {.fd = dw_client_fd (self->client), .events = POLLIN},
            {.fd = s_has_line (self) ? -1 : self->fd, .events = POLLIN},
        };
        bool is_over = self->fd < 0 && dw_client_in_flight (self->client) == 0;
        bool has_room = dw_client_in_flight (self->client) < dw_client_runs_max (self->client);
        if (!is_over && !(s_has_line (self) && has_room))
            poll (items, 2, -1);
        if (items[1].revents)
            s_read (self);
    }
    return err;
}

int main (int argc, char **argv) {
    static stream_t stream; /* its buffer is large */
    const char *file = argc > 1 ? argv[1] : "README.md";
    stream.fd = strcmp (file, "-") == 0 ? STDIN_FILENO : open (file, O_RDONLY);
    if (stream.fd < 0) {
        perror (file);
        return EXIT_FAILURE;
    }

    dw_error_t *error = dw_error_new ();
    dw_graph_t *graph = s_graph ();
    dw_system_t *system = NULL;
    int err = dw_system_open (&system, graph, NULL, error);
    if (!err)
        err = dw_client_new (&stream.client, system, error);
    if (!err)
        err = s_loop (&stream, error);
    fprintf (stderr, "%lu runs, %lu of them ok\n", stream.submitted, stream.ok);

    fputs (dw_error_text (error), stderr);
    dw_client_destroy (&stream.client);
    dw_system_close (&system, -1, NULL);
    dw_graph_destroy (&graph);
    dw_error_destroy (&error);
    return err || stream.submitted == 0 || stream.ok != stream.submitted;
}
