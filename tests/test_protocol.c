/* test_protocol.c - the session of docs/PROTOCOL.md, byte by byte: made anew with a real
 * coordinator, and compared.
 *
 *     test_protocol              run the tests
 *     test_protocol --session    print the session, as it is to stand there */

#include "tests/support/raw_peer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/payload.h"
#include "tests/support/net.h"

#define BEGIN      "```session\n"
#define END        "```\n"
#define HEX_COLUMN 50

/* ---- A message, value by value ---------------------------------------------------------------- */

/* Where it is told to. */
typedef struct s_page_t {
    char *text;
    size_t size;
    FILE *file;
} s_page_t;

/* What is printed of a message: names of its values, in their order, separated by blanks; the last
 * one is that of all others. */
typedef struct s_walk_t {
    FILE *file;
    const char *names;
} s_walk_t;

static void s_take_name (s_walk_t *self, char *name, size_t size) {
    size_t length = strcspn (self->names, " ");
    snprintf (name, size, "%.*s", (int) length, self->names);
    if (self->names[length] == ' ')
        self->names += length + 1;
}

static void s_print_hex (FILE *file, const uint8_t *bytes, size_t size, unsigned indent,
                         const char *meaning) {
    for (size_t at = 0; at < size || at == 0; at += 16) {
        int column = fprintf (file, "%*s", (int) indent, "");
        for (size_t i = at; i < size && i < at + 16; i++)
            column += fprintf (file, "%s%02x", i > at ? " " : "", bytes[i]);
        if (at == 0)
            fprintf (file, "%*s%s", column < HEX_COLUMN ? HEX_COLUMN - column : 2, "", meaning);
        fputc ('\n', file);
    }
}

/* The size of what a value begins with: of an array or a map its header alone. */
static size_t s_measure (const uint8_t *at, size_t size, uint32_t *elements) {
    dw_wire_reader_t reader = dw_wire_reader (at, size);
    *elements = 0;
    if ((*at & 0xf0) == 0x90 || *at == 0xdc || *at == 0xdd) {
        *elements = dw_read_array (&reader);
        return (size_t) (reader.at - at);
    }
    if ((*at & 0xf0) == 0x80) {
        *elements = 2 * (*at & 0x0fu);
        return 1;
    }
    return dw_payload_measure (at, size);
}

static void s_describe (const uint8_t *at, size_t size, uint32_t elements, const char *name,
                        char *text, size_t room) {
    size_t length;
    dw_wire_reader_t reader = dw_wire_reader (at, size);
    const char *bytes = dw_payload_text (at, size, &length);
    if ((*at & 0xf0) == 0x90)
        snprintf (text, room, "%s: a list of %u", name, (unsigned) elements);
    else if ((*at & 0xf0) == 0x80)
        snprintf (text, room, "%s: a map of %u", name, (unsigned) elements / 2);
    else if (*at == 0xc0)
        snprintf (text, room, "%s: nil", name);
    else if (bytes && dw_payload_is_text (at, size))
        snprintf (text, room, "%s: \"%.*s\"", name, (int) length, bytes);
    else if (bytes)
        snprintf (text, room, "%s: %zu byte%s", name, length, length == 1 ? "" : "s");
    else
        snprintf (text, room, "%s: %llu", name, (unsigned long long) dw_read_uint (&reader));
}

static void s_print_slots (FILE *file, const uint8_t *bytes, size_t size, unsigned indent) {
    char name[32];
    for (size_t at = 0; at + 32 <= size; at += 32) {
        snprintf (name, sizeof name, "slot of node %zu", at / 32);
        s_print_hex (file, bytes + at, 32, indent, name);
    }
}

/* A name that ends with a star is that of bytes that are values themselves, one with a hash that of
 * a table of slots. */
static void s_print_values (s_walk_t *self, const uint8_t *at, size_t size, unsigned indent) {
    while (size > 0) {
        char name[64], meaning[160];
        uint32_t elements;
        size_t length = s_measure (at, size, &elements), inner_size;
        assert_in_range (length, 1, size);
        s_take_name (self, name, sizeof name);
        char kind = name[strlen (name) - 1];
        const char *inner = dw_payload_text (at, length, &inner_size);
        bool is_nested = (kind == '*' || kind == '#') && inner && !dw_payload_is_text (at, length);
        if (kind == '*' || kind == '#')
            name[strlen (name) - 1] = '\0';
        s_describe (at, length, elements, name, meaning, sizeof meaning);
        s_print_hex (self->file, at, is_nested ? length - inner_size : length, indent, meaning);
        if (is_nested && kind == '*')
            s_print_values (self, (const uint8_t *) inner, inner_size, indent + 2);
        else if (is_nested)
            s_print_slots (self->file, (const uint8_t *) inner, inner_size, indent + 2);
        at += length;
        size -= length;
    }
}

static void s_print_message (FILE *file, const char *who, bool is_from, const char *type,
                             const uint8_t *head, size_t size, const char *names) {
    fprintf (file, "%s %s %s\n", who, is_from ? "->" : "<-", type);
    s_walk_t walk = {file, names};
    s_print_values (&walk, head, size, 4);
    fputc ('\n', file);
}

/* ---- The session ------------------------------------------------------------------------------ */

typedef struct s_session_t {
    net_t *net;
    FILE *file;
    raw_peer_t solo, client;
    uint32_t solo_peer, client_peer;
} s_session_t;

/* Sends what was written for a peer. */
static void s_say (s_session_t *self, raw_peer_t *raw, const char *type, const char *names) {
    dw_writer_t *head = &raw->out.head;
    s_print_message (self->file, raw == &self->solo ? "solo" : "client", true, type, head->bytes,
                     head->count, names);
    raw_peer_send (raw);
}

static void s_hear (s_session_t *self, raw_peer_t *raw, uint32_t type, const char *type_name,
                    const char *names) {
    assert_int_equal (raw_peer_receive (raw), type);
    assert_int_equal (raw->in.count, 1);
    s_print_message (self->file, raw == &self->solo ? "solo" : "client", false, type_name,
                     zmq_msg_data (&raw->in.frames[0]), zmq_msg_size (&raw->in.frames[0]), names);
}

/* How long a run took is never the same: 1000 us stand there instead. */
static void s_hear_results (s_session_t *self, const char *names) {
    dw_writer_t head = {0};
    assert_int_equal (raw_peer_receive (&self->client), DW_WIRE_RESULTS);
    dw_wire_reader_t *reader = &self->client.reader;
    dw_write_uint (&head, DW_WIRE_RESULTS);
    dw_write_uint (&head, dw_read_uint (reader));
    dw_write_uint (&head, dw_read_uint (reader));
    dw_read_uint (reader);
    dw_write_uint (&head, 1000);
    size_t left = (size_t) (reader->end - reader->at);
    memcpy (dw_writer_room (&head, left), reader->at, left);
    head.count += left;
    s_print_message (self->file, "client", false, "RESULTS", head.bytes, head.count, names);
    dw_writer_free (&head);
}

static const uint8_t s_nothing[DW_WIRE_TOKEN_SIZE];

static void s_write_text (dw_writer_t *head, const char *text) {
    dw_write_str (head, text, strlen (text));
}

static void s_write_payload (dw_writer_t *head, const char *text) {
    dw_writer_t payload = {0};
    s_write_text (&payload, text);
    dw_write_bin (head, payload.bytes, payload.count);
    dw_writer_free (&payload);
}

static void s_write_two (dw_writer_t *head, uint32_t type, uint32_t peer) {
    dw_write_uint (head, type);
    dw_write_uint (head, peer);
}

static void s_join_solo (s_session_t *self) {
    dw_writer_t *head = &self->solo.out.head;
    dw_write_hello (head, &(dw_wire_hello_t){.version = DW_WIRE_VERSION,
                                             .oldest = DW_WIRE_OLDEST,
                                             .role = DW_WIRE_SOLO,
                                             .token = s_nothing,
                                             .credit = 100});
    dw_write_agent (head, &(dw_wire_agent_t){.uuid = (const uint8_t *) "0123456789abcdef",
                                             .incarnation = 1,
                                             .slots = 1,
                                             .pid = 4711,
                                             .host = "node-17",
                                             .host_size = 7,
                                             .processors_count = 2});
    s_write_text (head, "change_text_case_upper");
    s_write_text (head, "word_counts");
    dw_write_array (head, 1);
    s_write_text (head, "zone");
    s_write_text (head, "a");
    s_say (self, &self->solo, "HELLO",
           "type magic version oldest role token number credit uuid incarnation slots pid host "
           "processors name name tags name value");
    s_hear (
        self, &self->solo, DW_WIRE_WELCOME, "WELCOME",
        "type peer heartbeat-ms silence-ms max-payload-bytes nodes* list told node id processor "
        "options dependencies told node id processor options name value dependencies id");
    self->solo_peer = dw_read_uint_max (&self->solo.reader, UINT32_MAX);
    s_write_two (head, DW_WIRE_BEAT, self->solo_peer);
    s_say (self, &self->solo, "BEAT", "type peer");
    s_hear (self, &self->solo, DW_WIRE_BEAT, "BEAT", "type");
}

static void s_join_client (s_session_t *self) {
    dw_writer_t *head = &self->client.out.head;
    dw_write_hello (head, &(dw_wire_hello_t){.version = DW_WIRE_VERSION,
                                             .oldest = DW_WIRE_OLDEST,
                                             .role = DW_WIRE_CLIENT,
                                             .token = s_nothing});
    s_say (self, &self->client, "HELLO", "type magic version oldest role token number credit");
    s_hear (self, &self->client, DW_WIRE_WELCOME, "WELCOME",
            "type peer runs-max max-payload-bytes ids* ids id id sinks node heartbeat-ms "
            "silence-ms name");
    self->client_peer = dw_read_uint_max (&self->client.reader, UINT32_MAX);
}

static void s_submit (s_session_t *self, uint32_t run, const char *text) {
    dw_writer_t *head = &self->client.out.head;
    s_write_two (head, DW_WIRE_SUBMIT, self->client_peer);
    dw_write_uint (head, run);
    s_write_payload (head, text);
    dw_write_uint (head, 0);
    dw_write_nil (head);
    s_say (self, &self->client, "SUBMIT", "type peer run payload* payload deadline-ms outputs");
}

static void s_hear_task (s_session_t *self, bool has_dependency) {
    s_hear (self, &self->solo, DW_WIRE_TASKS, "TASKS",
            has_dependency ? "type ticket run node steps attempt payload* payload dependencies "
                             "read* output metadata"
                           : "type ticket run node steps attempt payload* payload dependencies");
}

static void s_begin_answer (s_session_t *self, uint64_t ticket, uint32_t answer) {
    dw_writer_t *head = &self->solo.out.head;
    s_write_two (head, DW_WIRE_ANSWERS, self->solo_peer);
    dw_write_uint (head, ticket);
    dw_write_uint (head, 0);
    dw_write_uint (head, answer);
    dw_write_uint (head, answer == DW_WIRE_RETURNED ? 0 : 5000);
}

static void s_done (s_session_t *self, uint64_t ticket, const char *output, const char *value) {
    dw_writer_t *head = &self->solo.out.head;
    s_begin_answer (self, ticket, DW_WIRE_DONE);
    dw_write_uint (head, 1);
    s_write_payload (head, output);
    if (value) {
        dw_writer_t metadata = {0};
        dw_write_byte (&metadata, 0x81);
        s_write_text (&metadata, "words");
        s_write_text (&metadata, value);
        dw_write_bin (head, metadata.bytes, metadata.count);
        dw_writer_free (&metadata);
    } else
        dw_write_nil (head);
    s_say (self, &self->solo, "ANSWERS",
           "type peer ticket told answer duration-ns steps payload* output metadata* metadata key "
           "value");
}

static void s_run_well (s_session_t *self) {
    s_submit (self, 1, "hello");
    s_hear_task (self, false);
    s_done (self, 0, "HELLO", NULL);
    s_hear_task (self, true);
    s_done (self, 1, "", "1");
    s_hear_results (
        self,
        "type run status duration-us table# blob extras* node metadata code message added depth causes outputs");
}

static void s_run_and_fail (s_session_t *self) {
    s_submit (self, 2, "");
    s_hear_task (self, false);
    s_begin_answer (self, 2, DW_WIRE_FAILED);
    dw_write_uint (&self->solo.out.head, 400);
    s_write_text (&self->solo.out.head, "there is no text");
    s_say (self, &self->solo, "ANSWERS", "type peer ticket told answer duration-ns code message");
    s_hear_results (
        self,
        "type run status duration-us table# blob extras* node metadata code message added depth causes node metadata code message added depth causes cause outputs");
}

static void s_run_and_cancel (s_session_t *self) {
    s_submit (self, 3, "again");
    s_hear_task (self, false);
    s_write_two (&self->client.out.head, DW_WIRE_ABORT, self->client_peer);
    dw_write_uint (&self->client.out.head, 3);
    s_say (self, &self->client, "ABORT", "type peer run");
    s_hear (self, &self->solo, DW_WIRE_CANCEL, "CANCEL", "type ticket");
    s_begin_answer (self, 3, DW_WIRE_RETURNED);
    s_say (self, &self->solo, "ANSWERS", "type peer ticket told answer duration-ns");
    s_hear_results (self, "type run status duration-us table# blob extras outputs");
}

static void s_leave (s_session_t *self) {
    s_write_two (&self->solo.out.head, DW_WIRE_DRAIN, self->solo_peer);
    s_say (self, &self->solo, "DRAIN", "type peer");
    s_hear (self, &self->solo, DW_WIRE_STOP, "STOP", "type");
    s_write_two (&self->solo.out.head, DW_WIRE_BYE, self->solo_peer);
    s_say (self, &self->solo, "BYE", "type peer");
    s_write_two (&self->client.out.head, DW_WIRE_BYE, self->client_peer);
    s_say (self, &self->client, "BYE", "type peer");
    dw_write_uint (&self->client.out.head, DW_WIRE_WHERE);
    s_write_text (&self->client.out.head, "letters");
    s_say (self, &self->client, "WHERE", "type name");
    s_hear (self, &self->client, DW_WIRE_MOVED, "MOVED", "type place names name");
    dw_write_hello (
        &self->client.out.head,
        &(dw_wire_hello_t){.version = 9, .oldest = 8, .role = DW_WIRE_CLIENT, .token = s_nothing});
    s_say (self, &self->client, "HELLO", "type magic version oldest role token number credit");
    s_hear (self, &self->client, DW_WIRE_REFUSED, "REFUSED", "type code text run");
}

static void s_open (s_session_t *self) {
    net_t *net = self->net;
    dw_graph_destroy (&net->graph);
    net->graph = dw_graph_new ();
    dw_graph_add (net->graph, "upper", "change_text_case_upper");
    int words = dw_graph_add (net->graph, "words", "word_counts");
    dw_graph_depend (net->graph, words, "upper");
    dw_graph_set_integer (net->graph, words, "top", 3);
    dw_graph_node_options (net->graph, words)->intent = DW_ANALYZE;
    dw_graph_require_tag (net->graph, 0, "zone", "a");
    dw_graph_require_tag (net->graph, words, "zone", "a");
    net_open (net,
              &(dw_system_options_t){
                  .no_actors = true, .name = "hello", .heartbeat_ms = 1000, .silence_ms = 30000},
              false);
    self->solo = raw_peer_connect_to (net->endpoint, NULL, NULL);
    self->client = raw_peer_connect_to (net->endpoint, NULL, NULL);
}

/* The text of the session, the caller's. */
static char *s_session (net_t *net) {
    s_page_t page = {0};
    s_session_t self = {.net = net, .file = open_memstream (&page.text, &page.size)};
    assert_non_null (self.file);
    s_open (&self);
    s_join_solo (&self);
    s_join_client (&self);
    s_run_well (&self);
    s_run_and_fail (&self);
    s_run_and_cancel (&self);
    s_leave (&self);
    raw_peer_disconnect (&self.solo);
    raw_peer_disconnect (&self.client);
    fclose (self.file);
    page.text[strlen (page.text) - 1] = '\0'; /* the last line is not empty */
    return page.text;
}

/* ---- Compared --------------------------------------------------------------------------------- */

static char *s_read_document (void) {
    FILE *file = fopen (DAGWOOD_SOURCE_DIR "/docs/PROTOCOL.md", "r");
    assert_non_null (file);
    char *text = calloc (1, 1 << 20);
    assert_non_null (text);
    size_t size = fread (text, 1, (1 << 20) - 1, file);
    assert_in_range (size, 1000, (1 << 20) - 2);
    fclose (file);
    return text;
}

static void the_session_of_the_document_is_what_a_coordinator_and_its_peers_say (void **state) {
    char *text = s_session (*state), *document = s_read_document ();
    char *begin = strstr (document, BEGIN);
    assert_non_null (begin);
    begin += strlen (BEGIN);
    char *end = strstr (begin, END);
    assert_non_null (end);
    *end = '\0';
    if (strcmp (begin, text) != 0)
        fail_msg ("docs/PROTOCOL.md has another session; print it with test_protocol --session");
    free (document);
    free (text);
}

static void s_expect_told (const char *document, const char *what, unsigned number) {
    char text[64];
    snprintf (text, sizeof text, what, number);
    if (!strstr (document, text))
        fail_msg ("docs/PROTOCOL.md does not have: %s", text);
}

static void the_document_has_every_message_and_every_role (void **state) {
    (void) state;
    char *document = s_read_document ();
    for (unsigned type = 0; type < DW_WIRE_TYPES; type++)
        s_expect_told (document, "= %%d%u", type);
    s_expect_told (document, "version %u", DW_WIRE_VERSION);
    s_expect_told (document, "role     = %%d1 / %%d2 / %%d3 / %%d4 / %%d%u", DW_WIRE_SOLO);
    free (document);
}

int main (int argc, char **argv) {
    void *net = NULL;
    if (argc == 2 && strcmp (argv[1], "--session") == 0) {
        if (net_setup (&net))
            return 1;
        char *text = s_session (net);
        fputs (text, stdout);
        free (text);
        return net_teardown (&net);
    }
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown (
            the_session_of_the_document_is_what_a_coordinator_and_its_peers_say, net_setup,
            net_teardown),
        cmocka_unit_test (the_document_has_every_message_and_every_role),
    };
    return !!cmocka_run_group_tests_name ("protocol", tests, NULL, NULL);
}
