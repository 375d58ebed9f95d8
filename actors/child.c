/* child.c - a slot in a process of its own: the child's side. */

#include "actors/child.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "actors/clock.h"

#define END_NS       100000000 /* for a slot to end in when its parent wants no more of it */
#define ENDPOINT_MAX 256u
#define GRAPH_MAX    UINT32_MAX
#define FIRST_BYTES  65536u
#define ROOM_BYTES   1024u /* of an order besides the graph */
#define MISSING_PARENT \
    "no order on standard input: such a process is started by an agent, with slot_command"

/* ---- The order -------------------------------------------------------------------------------- */

void dw_child_write_order (dw_writer_t *self, const dw_squad_options_t *options) {
    const dw_link_keys_t *keys = options->keys;
    dw_writer_t rest = {0};
    dw_write_uint (&rest, options->lanes);
    dw_traits_pass_on (options->traits, &rest);
    /* So that no copy of the key is left behind by growing. */
    dw_writer_room (self, options->graph_size + rest.count + ROOM_BYTES);
    dw_write_str (self, options->endpoint, strlen (options->endpoint) + 1);
    dw_write_uint (self, keys->has_keys);
    dw_write_bin (self, keys->own.public_key, DW_KEY_SIZE);
    dw_write_bin (self, keys->own.secret_key, DW_KEY_SIZE);
    dw_write_bin (self, keys->server_key, DW_KEY_SIZE);
    dw_write_bin (self, options->system, DW_WIRE_TOKEN_SIZE);
    dw_write_bin (self, options->token, DW_WIRE_TOKEN_SIZE);
    dw_write_uint (self, options->digest);
    dw_write_uint (self, options->heartbeat_ms);
    dw_write_uint (self, options->silence_ms);
    dw_write_bin (self, options->graph, options->graph_size);
    dw_write_raw (self, rest.bytes, rest.count);
    self->no_memory |= rest.no_memory;
    dw_writer_free (&rest);
}

/* As many bytes as there must be; NULL, and the reader damaged, when there are not. */
static const uint8_t *s_read_bytes (dw_wire_reader_t *self, size_t size) {
    size_t got = 0;
    const uint8_t *bytes = dw_read_bin (self, size, &got);
    self->is_damaged |= got != size;
    return self->is_damaged ? NULL : bytes;
}

static void s_read_key (dw_wire_reader_t *self, uint8_t *key) {
    const uint8_t *bytes = s_read_bytes (self, DW_KEY_SIZE);
    if (bytes)
        memcpy (key, bytes, DW_KEY_SIZE);
}

bool dw_child_read_order (dw_wire_reader_t *self, dw_squad_options_t *options, dw_link_keys_t *keys,
                          dw_traits_t **traits_p) {
    size_t size = 0;
    *options = (dw_squad_options_t){.keys = keys};
    *keys = (dw_link_keys_t){0};
    const char *endpoint = dw_read_str (self, ENDPOINT_MAX, &size);
    self->is_damaged |= endpoint && (size == 0 || endpoint[size - 1] != '\0');
    options->endpoint = endpoint;
    keys->has_keys = dw_read_uint_max (self, 1);
    s_read_key (self, keys->own.public_key);
    s_read_key (self, keys->own.secret_key);
    s_read_key (self, keys->server_key);
    options->system = s_read_bytes (self, DW_WIRE_TOKEN_SIZE);
    options->token = s_read_bytes (self, DW_WIRE_TOKEN_SIZE);
    options->digest = dw_read_uint (self);
    options->heartbeat_ms = dw_read_uint_max (self, UINT32_MAX);
    options->silence_ms = dw_read_uint_max (self, UINT32_MAX);
    options->graph = dw_read_bin (self, GRAPH_MAX, &options->graph_size);
    options->lanes = dw_read_uint (self);
    if (self->is_damaged || dw_traits_read (traits_p, self))
        return false;
    options->traits = *traits_p;
    return dw_wire_reader_is_over (self) && endpoint && options->graph &&
           dw_wire_is_pulse (options->heartbeat_ms, options->silence_ms);
}

/* Reads up to size bytes of what its parent says; *count_p says how many came before its end.
 * Memory grows with what comes, whatever was announced. NULL: no memory. */
static uint8_t *s_receive (int fd, uint64_t size, size_t *count_p) {
    size_t count = 0, room = size < FIRST_BYTES ? (size_t) size : FIRST_BYTES;
    uint8_t *bytes = malloc (room + 1);
    while (bytes && count < size) {
        if (count == room) {
            room = size - room < room ? (size_t) size : 2 * room;
            uint8_t *more = realloc (bytes, room + 1);
            if (!more)
                free (bytes);
            bytes = more;
            continue;
        }
        ssize_t got = read (fd, bytes + count, room - count);
        if (got == 0 || (got < 0 && errno != EINTR))
            break;
        count += got > 0 ? (size_t) got : 0;
    }
    *count_p = count;
    return bytes;
}

/* ---- The slot --------------------------------------------------------------------------------- */

static void s_on_ended (void *arg) {
    eventfd_write ((int) (intptr_t) arg,
                   1); /* no pointer: it may be called when all that could be pointed to is gone */
}

/* False: the parent is gone. */
static bool s_say (int fd, dw_child_what_t what, const dw_wire_slot_t *slot) {
    dw_child_word_t word;
    memset (&word, 0, sizeof word);
    word.what = what;
    if (slot)
        word.slot = *slot;
    /* A parent that does not listen is not waited for, and one that is gone shall not end this
     * process by SIGPIPE. */
    return send (fd, &word, sizeof word, MSG_NOSIGNAL | MSG_DONTWAIT) == (ssize_t) sizeof word;
}

/* Until the slot has left, or the parent wants no more of it. True: it has left. */
static bool s_wait (int fd, dw_squad_t *squad, int ended_fd) {
    struct pollfd items[2] = {{.fd = ended_fd, .events = POLLIN}, {.fd = fd, .events = POLLIN}};
    for (;;) {
        char byte;
        if (poll (items, 2, -1) < 0 && errno != EINTR)
            return false;
        if (items[0].revents)
            return true;
        if (items[1].revents && read (fd, &byte, 1) <= 0)
            return false;
        if (items[1].revents)
            s_say (fd, DW_CHILD_AT, dw_squad_ask (squad));
    }
}

static int s_serve (int fd, const dw_squad_options_t *options, int ended_fd, dw_error_t *error) {
    dw_squad_t *squad = NULL;
    int err = dw_squad_new (&squad, options, error);
    if (err)
        return err;
    bool has_left = s_wait (fd, squad, ended_fd) && dw_squad_join (squad, dw_clock_ns () + END_NS);
    bool was_cut = has_left && dw_squad_is_cut (squad);
    err = dw_squad_end (&squad, dw_clock_ns () + END_NS, error);
    if (has_left && !s_say (fd, was_cut ? DW_CHILD_CUT : DW_CHILD_LEFT, NULL))
        return DW_ELOST;
    return was_cut ? DW_ELOST : err;
}

/* Reads the order and serves as it says. */
static int s_obey (int fd, const dw_processors_t *processors, int ended_fd, dw_error_t *error) {
    dw_child_head_t head;
    dw_squad_options_t options;
    dw_link_keys_t keys = {0};
    dw_traits_t *traits = NULL;
    size_t size = 0;
    uint8_t *bytes = s_receive (fd, sizeof head, &size);
    bool is_whole = bytes && size == sizeof head;
    if (is_whole)
        memcpy (&head, bytes, sizeof head);
    free (bytes);
    if (!is_whole || head.magic != DW_CHILD_MAGIC)
        return dw_error_add (error, DW_EINVAL, DW_NOWHERE, MISSING_PARENT);
    bytes = s_receive (fd, head.size, &size);
    if (!bytes)
        return dw_error_add (error, DW_ENOMEM, DW_NOWHERE, "out of memory");
    dw_wire_reader_t reader = dw_wire_reader (bytes, size);
    int err = DW_OK;
    if (size != head.size || !dw_child_read_order (&reader, &options, &keys, &traits))
        err = dw_error_add (error, DW_EPROTOCOL, DW_NOWHERE, "the parent's order makes no sense");
    options.processors = processors;
    options.numbers = &head.number;
    options.slots = 1;
    options.ended = s_on_ended;
    options.ended_arg = (void *) (intptr_t) ended_fd;
    err = err ? err : s_serve (fd, &options, ended_fd, error);
    dw_traits_destroy (&traits);
    explicit_bzero (bytes, size);
    free (bytes);
    if (err != DW_ESTUCK) /* else the slot may still connect */
        dw_link_keys_wipe (&keys);
    return err;
}

/* Takes what its parent says from standard input, where processors, and what they start, shall find
 * nothing. -1: no descriptor is to be had. */
static int s_take_over_input (void) {
    int fd = fcntl (STDIN_FILENO, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
    int nothing = open ("/dev/null", O_RDONLY | O_CLOEXEC);
    bool is_taken = fd >= 0 && nothing >= 0 && dup2 (nothing, STDIN_FILENO) >= 0;
    if (nothing >= 0)
        close (nothing);
    if (!is_taken && fd >= 0)
        close (fd);
    return is_taken ? fd : -1;
}

int dw_agent_serve_slot (const dw_processors_t *processors, dw_error_t *error) {
    dw_processors_t *own = processors ? NULL : dw_processors_new ();
    int ended_fd = eventfd (0, EFD_CLOEXEC | EFD_NONBLOCK), fd = s_take_over_input ();
    int err;
    if (!processors && !own)
        err = dw_error_add (error, DW_ENOMEM, DW_NOWHERE, "out of memory");
    else if (ended_fd < 0 || fd < 0)
        err = dw_error_add (error, DW_ELIMIT, DW_NOWHERE,
                            "no descriptor for a slot: raise the limit of open files (ulimit -n)");
    else
        err = s_obey (fd, own ? own : processors, ended_fd, error);
    if (err == DW_ESTUCK)
        return err; /* what it uses stays: the program ends now */
    if (ended_fd >= 0)
        close (ended_fd);
    if (fd >= 0)
        close (fd);
    dw_processors_destroy (&own);
    return err;
}
