/* test_client_hostile.c - a real client and a coordinator that lies: whatever it answers, the
 * client gives an error or a result that can be read, never crashes, and never waits longer than it
 * was told.
 *
 * A true system is opened at an ipc endpoint, and what it says is recorded; then the liar takes its
 * endpoint over, and says what a test has given it. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <unistd.h>

#include <cmocka.h>

#include "actors/system.h"
#include "dagwood.h"
#include "tests/support/liar.h"
#include "tests/support/lies.h"
#include "tests/support/random.h"
#include "tests/support/wire_records.h"

#define RECORDS  3u
#define RUNS_MAX 100 /* of a client: a run's number is then one byte of a message */
#define WAIT_MS  10000

typedef struct fixture_t {
    dw_graph_t *graph;
    dw_system_t *system;
    dw_client_t *client; /* NULL: none yet */
    uint64_t run;        /* the number that the client gave last */
    char folder[32], endpoint[64];
    zactor_t *liar;
    zmsg_t *welcome;          /* as the true coordinator said it */
    zmsg_t *records[RECORDS]; /* results, likewise */
} fixture_t;

/* ---- What the true coordinator says ----------------------------------------------------------- */

static zmsg_t *s_ask_truth (zsock_t *dealer, dw_writer_t *head) {
    zmsg_t *message = zmsg_new ();
    zmsg_addmem (message, head->bytes, head->count);
    assert_int_equal (zmsg_send (&message, dealer), 0);
    dw_writer_clear (head);
    message = zmsg_recv (dealer);
    assert_non_null (message);
    return message;
}

/* Records a WELCOME, and a result whose output is inside of its slot, in the blob, in a frame. */
static void s_record (fixture_t *f) {
    static const uint32_t sizes[RECORDS] = {3, 100, 3000};
    zsock_t *dealer = zsock_new_dealer (f->endpoint);
    assert_non_null (dealer);
    zsock_set_rcvtimeo (dealer, WAIT_MS);
    dw_writer_t head = {0};
    dw_wire_hello_t hello = {.version = DW_WIRE_VERSION,
                             .oldest = DW_WIRE_OLDEST,
                             .role = DW_WIRE_CLIENT,
                             .token = dw_system_token (f->system)};
    dw_write_hello (&head, &hello);
    f->welcome = s_ask_truth (dealer, &head);
    zframe_t *first = zmsg_first (f->welcome);
    dw_wire_reader_t reader = dw_wire_reader (zframe_data (first), zframe_size (first));
    assert_int_equal (dw_read_uint (&reader), DW_WIRE_WELCOME);
    uint64_t peer = dw_read_uint (&reader);
    for (uint32_t i = 0; i < RECORDS; i++) {
        uint8_t payload[3 + 3000] = {0xc5, (uint8_t) (sizes[i] >> 8), (uint8_t) sizes[i]};
        dw_wire_submission_t record = {.run = i + 1,
                                       .payload = {.bytes = payload, .size = 3 + sizes[i]}};
        dw_write_uint (&head, DW_WIRE_SUBMIT);
        dw_write_uint (&head, peer);
        wire_write_submission (&head, &record, NULL);
        f->records[i] = s_ask_truth (dealer, &head);
    }
    dw_writer_free (&head);
    zsock_destroy (&dealer);
}

static int s_setup (void **state) {
    fixture_t *f = calloc (1, sizeof *f);
    dw_error_t *error = dw_error_new ();
    assert_non_null (f);
    assert_non_null (error);
    *state = f;
    snprintf (f->folder, sizeof f->folder, "/tmp/dagwood-test-XXXXXX");
    assert_non_null (mkdtemp (f->folder));
    snprintf (f->endpoint, sizeof f->endpoint, "ipc://%s/s", f->folder);
    f->graph = dw_graph_new ();
    assert_int_equal (dw_graph_add (f->graph, "count", "token_counter"), 0); /* sets metadata */
    assert_int_equal (dw_graph_add (f->graph, "same", "identity"), 1);
    assert_int_equal (dw_graph_add (f->graph, "bad", "fail"), 2);
    assert_int_equal (dw_graph_add (f->graph, "last", "identity"), 3);
    assert_int_equal (dw_graph_depend (f->graph, 3, "bad"), DW_OK);
    dw_graph_options (f->graph)->failure_strategy = DW_CONTINUE_ON_ERROR;
    dw_system_options_t options = {.endpoint = f->endpoint};
    if (dw_system_open (&f->system, f->graph, &options, error))
        fail_msg ("%s", dw_error_text (error));
    dw_error_destroy (&error);
    s_record (f);
    f->liar = liar_new (f->endpoint);
    liar_tell (f->liar, "WELCOME", f->welcome);
    return 0;
}

static int s_teardown (void **state) {
    fixture_t *f = *state;
    dw_client_destroy (&f->client);
    zactor_destroy (&f->liar);
    assert_int_equal (dw_system_close (&f->system, -1, NULL), DW_OK);
    zmsg_destroy (&f->welcome);
    for (uint32_t i = 0; i < RECORDS; i++)
        zmsg_destroy (&f->records[i]);
    dw_graph_destroy (&f->graph);
    unlink (f->endpoint + strlen ("ipc://"));
    assert_int_equal (rmdir (f->folder), 0);
    free (f);
    return 0;
}

/* ---- Runs ------------------------------------------------------------------------------------- */

/* The number that the next run will have; from time to time that of a new client. */
static uint8_t s_next_run (fixture_t *f) {
    if (f->run == RUNS_MAX)
        dw_client_destroy (&f->client);
    if (!f->client) {
        assert_int_equal (dw_client_new (&f->client, f->system, NULL), DW_OK);
        f->run = 0;
    }
    return (uint8_t) (f->run + 1);
}

/* A copy of a record that is the answer to this run. */
static zmsg_t *s_truth (const fixture_t *f, uint32_t record, uint8_t run) {
    zmsg_t *message = zmsg_dup (f->records[record]);
    zframe_data (zmsg_first (message))[1] = run; /* behind the type */
    return message;
}

static uint64_t s_submit (fixture_t *f) {
    dw_submission_t submission = {.payload = "text", .size = 4, .is_text = true, .wait_ms = 0};
    assert_int_equal (dw_client_submit (f->client, &submission, &f->run, NULL), DW_OK);
    return f->run;
}

/* Waits for the run until there is a result, which can be read, or no hope. Returns the first
 * error. */
static int s_wait (fixture_t *f, uint64_t run) {
    int first = DW_OK;
    for (int tries = 0; tries < 100; tries++) {
        dw_result_t *result = NULL;
        int err = dw_client_wait (f->client, run, WAIT_MS, &result);
        first = first ? first : err;
        if (result) {
            assert_int_equal (err, DW_OK);
            assert_int_equal (dw_result_run (result), run);
            wire_ask (result);
            dw_result_destroy (&result);
            return first;
        }
        if (err == DW_ENOENT) /* a lie said that the run was refused */
            return first;
        if (err != DW_EPROTOCOL && err != DW_EAGAIN)
            fail_msg ("run %u: %s", (unsigned) run, dw_err_text (err));
    }
    fail_msg ("there is no end to it");
    return DW_OK;
}

/* Submits a run whose answer is a lie, and then the truth. Returns the first error. */
static int s_run_with (fixture_t *f, zmsg_t *lie) {
    zmsg_t *truth = s_truth (f, 0, s_next_run (f));
    liar_tell (f->liar, "FORGET", NULL);
    liar_tell (f->liar, "ANSWER", lie);
    liar_tell (f->liar, "ANSWER", truth);
    zmsg_destroy (&truth);
    return s_wait (f, s_submit (f));
}

static void the_truth_is_believed (void **state) {
    fixture_t *f = *state;
    for (uint32_t i = 0; i < RECORDS; i++) {
        zmsg_t *truth = s_truth (f, i, s_next_run (f));
        assert_int_equal (s_run_with (f, truth), DW_OK);
        zmsg_destroy (&truth);
    }
}

/* ---- Lies about results ----------------------------------------------------------------------- */

static void a_result_that_makes_no_sense_is_an_error_and_the_next_one_is_taken (void **state) {
    fixture_t *f = *state;
    for (size_t i = 0; i < lies_count; i++) {
        zmsg_t *lie = lies_answer (s_next_run (f), lies[i].tell);
        if (s_run_with (f, lie) != DW_EPROTOCOL)
            fail_msg ("%s is believed", lies[i].what);
        zmsg_destroy (&lie);
    }
    zmsg_t *good = lies_answer (s_next_run (f), NULL);
    assert_int_equal (s_run_with (f, good), DW_OK);
    zmsg_destroy (&good);
}

static void a_result_that_is_cut_anywhere_is_an_error (void **state) {
    fixture_t *f = *state;
    for (uint32_t i = 0; i < RECORDS; i++) {
        size_t size = zframe_size (zmsg_first (f->records[i]));
        for (size_t cut = 0; cut < size; cut++) {
            zmsg_t *lie = s_truth (f, i, s_next_run (f));
            zframe_t *head = zmsg_pop (lie), *shorter = zframe_new (zframe_data (head), cut);
            zmsg_prepend (lie, &shorter);
            /* A type and no result is what a client is sent to see whether it is there. */
            assert_int_equal (s_run_with (f, lie), cut == 1 ? DW_OK : DW_EPROTOCOL);
            zframe_destroy (&head);
            zmsg_destroy (&lie);
        }
    }
}

static void messages_that_are_not_for_a_client_are_errors (void **state) {
    fixture_t *f = *state;
    for (uint32_t type = 0; type < 256; type++) {
        uint8_t head[] = {(uint8_t) type, 1, 2, 3};
        if (type == DW_WIRE_RESULTS || type == DW_WIRE_REFUSED || type == DW_WIRE_STALLED)
            continue;
        zmsg_t *lie = zmsg_new ();
        zmsg_addmem (lie, head, sizeof head);
        assert_int_equal (s_run_with (f, lie), DW_EPROTOCOL);
        zmsg_destroy (&lie);
    }
    assert_int_equal (s_run_with (f, f->welcome), DW_EPROTOCOL); /* there was one */
}

static void a_stall_that_makes_no_sense_is_an_error_and_one_of_another_run_is_passed_over (
    void **state) {
    fixture_t *f = *state;
    static const struct {
        uint8_t head[4];
        size_t size;
        int err;
    } stalls[] = {{{DW_WIRE_STALLED, 127, 0, 3}, 4, DW_OK},          /* there is no such run */
                  {{DW_WIRE_STALLED, 1, 127, 3}, 4, DW_EPROTOCOL},   /* nor such a node */
                  {{DW_WIRE_STALLED, 1, 0}, 3, DW_EPROTOCOL},        /* cut */
                  {{DW_WIRE_STALLED}, 1, DW_EPROTOCOL},              /* cut */
                  {{DW_WIRE_STALLED, 1, 0xc0, 3}, 4, DW_EPROTOCOL}}; /* nil is no node */
    for (size_t i = 0; i < sizeof stalls / sizeof *stalls; i++) {
        zmsg_t *lie = zmsg_new ();
        zmsg_addmem (lie, stalls[i].head, stalls[i].size);
        assert_int_equal (s_run_with (f, lie), stalls[i].err);
        zmsg_destroy (&lie);
    }
}

static void results_of_other_runs_and_repeated_ones_are_passed_over (void **state) {
    fixture_t *f = *state;
    static const uint64_t others[] = {0, 101, 4711, UINT64_MAX};
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        s_next_run (f);
        zmsg_t *foreign = lies_answer (others[i], NULL);
        assert_int_equal (s_run_with (f, foreign), DW_OK);
        zmsg_destroy (&foreign);
        assert_null (dw_client_next (f->client));
    }
    zmsg_t *repeated = lies_answer (s_next_run (f), NULL);
    assert_int_equal (s_run_with (f, repeated), DW_OK); /* the truth is the second one */
    zmsg_destroy (&repeated);
    liar_tell (f->liar, "FORGET", NULL);
    dw_result_t *result = NULL;
    uint64_t run = s_submit (f);
    assert_int_equal (dw_client_wait (f->client, run, 50, &result), DW_ETIMEDOUT);
    assert_int_equal (dw_client_in_flight (f->client), 1);
}

static void a_message_beyond_all_measure_is_read_as_far_as_it_makes_sense (void **state) {
    fixture_t *f = *state;
    zmsg_t *many = zmsg_new (), *large = zmsg_new ();
    s_next_run (f);
    zmsg_addmem (many, "\x09", 1);
    for (uint32_t i = 0; i < DW_WIRE_FRAMES_MAX + 100; i++)
        zmsg_addmem (many, "", 0);
    assert_int_equal (s_run_with (f, many), DW_OK);
    zframe_t *head = zframe_new (NULL, 64u << 20);
    memset (zframe_data (head), DW_WIRE_RESULTS, zframe_size (head));
    zmsg_append (large, &head);
    assert_int_equal (s_run_with (f, large), DW_EPROTOCOL);
    zmsg_destroy (&many);
    zmsg_destroy (&large);
}

/* One message with so many results of a run that nobody knows. */
static zmsg_t *s_foreign (size_t count) {
    zmsg_t *one = lies_answer (4711, NULL), *all = zmsg_new ();
    zframe_t *head = zmsg_first (one);
    size_t size = zframe_size (head) - 1; /* without the type */
    zframe_t *heads = zframe_new (NULL, 1 + count * size);
    zframe_data (heads)[0] = DW_WIRE_RESULTS;
    for (size_t i = 0; i < count; i++)
        memcpy (zframe_data (heads) + 1 + i * size, zframe_data (head) + 1, size);
    zmsg_append (all, &heads);
    zmsg_destroy (&one);
    return all;
}

static void a_flood_of_foreign_results_does_not_hold_a_call_beyond_its_time (void **state) {
    fixture_t *f = *state;
    dw_result_t *result = NULL;
    s_next_run (f);
    zmsg_t *foreign = s_foreign (3000); /* takes longer to read than to send */
    liar_tell (f->liar, "ANSWER", foreign);
    liar_tell (f->liar, "FLOOD", NULL);
    zmsg_destroy (&foreign);
    uint64_t run = s_submit (f);
    for (int i = 0; i < 5; i++) {
        int64_t begin_ms = zclock_mono ();
        assert_int_equal (dw_client_wait (f->client, run, 50, &result), DW_ETIMEDOUT);
        assert_int_equal (dw_client_wait_all (f->client, 50), DW_ETIMEDOUT);
        assert_null (dw_client_next (f->client));
        assert_in_range (zclock_mono () - begin_ms, 100, 5000);
    }
}

static void a_refusal_that_next_has_taken_in_is_said_by_the_call_that_waits (void **state) {
    fixture_t *f = *state;
    dw_writer_t head = {0};
    dw_write_uint (&head, DW_WIRE_REFUSED);
    dw_write_uint (&head, 400);
    dw_write_str (&head, "no", 2);
    dw_write_uint (&head, s_next_run (f));
    zmsg_t *refused = zmsg_new ();
    zmsg_addmem (refused, head.bytes, head.count);
    liar_tell (f->liar, "FORGET", NULL);
    liar_tell (f->liar, "ANSWER", refused);
    s_submit (f);
    for (int looks = 0; dw_client_in_flight (f->client) > 0 && looks < 1000; looks++) {
        assert_null (dw_client_next (f->client));
        zclock_sleep (1);
    }
    assert_int_equal (dw_client_in_flight (f->client), 0);
    assert_int_equal (dw_client_wait_all (f->client, WAIT_MS), DW_EPROTOCOL);
    assert_int_equal (dw_client_wait_all (f->client, WAIT_MS), DW_OK);
    zmsg_destroy (&refused);
    dw_writer_free (&head);
}

static void s_note (void *arg, const char *line) {
    snprintf (arg, 256, "%s", line);
}

/* As an event loop does: until the call that does not wait says something. */
static int s_look (fixture_t *f) {
    int err = DW_ETIMEDOUT;
    for (int looks = 0; err == DW_ETIMEDOUT && looks < WAIT_MS; looks++) {
        assert_null (dw_client_next (f->client));
        err = dw_client_wait_all (f->client, 0);
        zclock_sleep (err == DW_ETIMEDOUT ? 1 : 0);
    }
    return err;
}

static void nonsense_that_next_has_taken_in_is_told_and_said_by_the_call_that_waits (void **state) {
    fixture_t *f = *state;
    char noticed[256], expected[256];
    for (size_t i = 0; i < lies_count; i++) {
        zmsg_t *lie = lies_answer (s_next_run (f), lies[i].tell);
        snprintf (expected, sizeof expected,
                  "the coordinator sent a message that makes no sense: RESULTS, %zu bytes",
                  zframe_size (zmsg_first (lie)));
        noticed[0] = '\0';
        dw_client_set_notice (f->client, s_note, noticed);
        liar_tell (f->liar, "FORGET", NULL);
        liar_tell (f->liar, "ANSWER", lie);
        uint64_t run = s_submit (f);
        if (s_look (f) != DW_EPROTOCOL)
            fail_msg ("%s is passed over", lies[i].what);
        if (strncmp (noticed, expected, strlen (expected)) != 0)
            fail_msg ("%s: %s", lies[i].what, noticed);
        assert_int_equal (dw_client_cancel (f->client, run), DW_OK); /* it is still in flight, */
        assert_int_equal (dw_client_wait_all (f->client, 0), DW_ETIMEDOUT); /* and it was said */
        zmsg_destroy (&lie);
        dw_client_destroy (&f->client);
    }
}

static void next_gives_the_result_behind_nonsense_and_behind_a_refusal (void **state) {
    fixture_t *f = *state;
    static const uint8_t nonsense[] = {DW_WIRE_TASKS},
                         busy[] = "\x02\xcd\x01\xf7\xa2no\x00"; /* 503 */
    static const struct {
        const uint8_t *bytes;
        size_t size;
        int err;
    } befores[] = {{nonsense, 1, DW_EPROTOCOL}, {busy, sizeof busy - 1, DW_EAGAIN}};
    for (size_t i = 0; i < 2; i++) {
        dw_result_t *result = NULL;
        zmsg_t *truth = s_truth (f, 0, s_next_run (f)), *before = zmsg_new ();
        zmsg_addmem (before, befores[i].bytes, befores[i].size);
        liar_tell (f->liar, "FORGET", NULL);
        liar_tell (f->liar, "ANSWER", before);
        liar_tell (f->liar, "ANSWER", truth);
        s_submit (f);
        zclock_sleep (200); /* both are there */
        result = dw_client_next (f->client);
        assert_non_null (result);
        dw_result_destroy (&result);
        assert_int_equal (dw_client_wait_all (f->client, 0), befores[i].err);
        assert_int_equal (dw_client_wait_all (f->client, 0), DW_OK);
        zmsg_destroy (&before);
        zmsg_destroy (&truth);
    }
}

/* ---- Lies in WELCOME -------------------------------------------------------------------------- */

/* A client that is welcomed so is not made, at once. */
static void s_expect_not_welcome (fixture_t *f, zmsg_t *welcome, const char *what) {
    dw_client_t *client = NULL;
    liar_tell (f->liar, "WELCOME", welcome);
    int64_t begin_ms = zclock_mono ();
    int err = dw_client_new (&client, f->system, NULL);
    if (err != DW_EPROTOCOL)
        fail_msg ("%s gives %s", what, dw_err_text (err));
    assert_null (client);
    assert_in_range (zclock_mono () - begin_ms, 0, 5000);
}

static void a_graph_that_makes_no_sense_is_refused (void **state) {
    fixture_t *f = *state;
    /* peer, runs_max, max_payload_bytes, graph. */
    static const struct {
        const char *what, *bytes;
        size_t size;
    } graphs[] = {
        {"no run at a time", "\x01\x01\x00\x64\xc4\x02\x90\x90", 8},
        {"too many runs", "\x01\x01\xce\xff\xff\xff\xff\x64\xc4\x02\x90\x90", 12},
        {"no graph", "\x01\x01\x0a\x64\xc0", 5},
        {"a graph in no frame", "\x01\x01\x0a\x64\x07", 5},
        {"an empty graph", "\x01\x01\x0a\x64\xc4\x00", 6},
        {"nodes without end", "\x01\x01\x0a\x64\xc4\x05\xdd\xff\xff\xff\xff", 11},
        {"nodes that are not there", "\x01\x01\x0a\x64\xc4\x03\x93\xa1x", 9},
        {"ids that are no text", "\x01\x01\x0a\x64\xc4\x03\x91\x05\x90", 9},
        {"a sink that is no node", "\x01\x01\x0a\x64\xc4\x05\x91\xa1x\x91\x01", 11},
        {"sinks without end", "\x01\x01\x0a\x64\xc4\x08\x91\xa1x\xdd\xff\xff\xff\xff", 14},
        {"peers without end", "\x01\xcf\xff\xff\xff\xff\xff\xff\xff\xff\x0a\x64\xc4\x02\x90\x90",
         16},
        {"a result before it", "\x09", 1},
        {"nothing", "", 0},
    };
    for (size_t i = 0; i < sizeof graphs / sizeof *graphs; i++) {
        zmsg_t *welcome = zmsg_new ();
        zmsg_addmem (welcome, graphs[i].bytes, graphs[i].size);
        s_expect_not_welcome (f, welcome, graphs[i].what);
        zmsg_destroy (&welcome);
    }
}

static void a_welcome_that_is_cut_anywhere_is_refused (void **state) {
    fixture_t *f = *state;
    zframe_t *head = zmsg_first (f->welcome);
    for (size_t cut = 0; cut < zframe_size (head); cut++) {
        zmsg_t *welcome = zmsg_new ();
        zmsg_addmem (welcome, zframe_data (head), cut);
        s_expect_not_welcome (f, welcome, "a part of it");
        zmsg_destroy (&welcome);
    }
}

static void another_version_is_told_as_the_coordinator_says_it (void **state) {
    fixture_t *f = *state;
    dw_client_t *client = NULL;
    dw_error_t *error = dw_error_new ();
    static const char text[] = "protocol version 4 to 5 is spoken here, not 3\x1b[2J";
    dw_writer_t head = {0};
    dw_write_uint (&head, DW_WIRE_REFUSED);
    dw_write_uint (&head, 400);
    dw_write_str (&head, text, strlen (text));
    zmsg_t *refused = zmsg_new ();
    zmsg_addmem (refused, head.bytes, head.count);
    liar_tell (f->liar, "WELCOME", refused);
    assert_int_equal (dw_client_new (&client, f->system, error), DW_EPROTOCOL);
    assert_non_null (
        strstr (dw_error_text (error), "version 4 to 5 is spoken here, not 3\\x1b[2J (400)"));
    dw_writer_free (&head);
    zmsg_destroy (&refused);
    dw_error_destroy (&error);
}

static void one_that_says_nothing_is_given_up_after_its_time (void **state) {
    fixture_t *f = *state;
    dw_client_t *client = NULL;
    liar_tell (f->liar, "SILENCE", NULL);
    int64_t begin_ms = zclock_mono ();
    assert_int_equal (dw_client_new (&client, f->system, NULL), DW_ETIMEDOUT);
    assert_in_range (zclock_mono () - begin_ms, 9000, 20000);
}

/* ---- Any lie ---------------------------------------------------------------------------------- */

/* Damages a message: some bytes, a frame's end, a frame left out, doubled, or moved. */
static void s_damage (zmsg_t *message, random_t *random) {
    uint32_t which = random_below (random, (uint32_t) zmsg_size (message));
    zframe_t *frame = zmsg_first (message);
    for (; which > 0; which--)
        frame = zmsg_next (message);
    size_t size = zframe_size (frame);
    switch (random_below (random, 6)) {
        case 0:
        case 1:
        case 2:
            for (uint32_t n = 1 + random_below (random, 3); n > 0 && size > 0; n--)
                zframe_data (frame)[random_below (random, (uint32_t) size)] ^=
                    (uint8_t) (1 + random_below (random, 255));
            return;
        case 3: {
            zframe_t *copy = zframe_dup (frame);
            zframe_reset (frame, zframe_data (copy), random_below (random, (uint32_t) size + 1));
            zframe_destroy (&copy);
            return;
        }
        case 4:
            frame = zframe_dup (frame);
            zmsg_append (message, &frame);
            return;
        default:
            frame = zmsg_pop (message);
            zmsg_append (message, &frame);
            return;
    }
}

static void whatever_is_done_to_an_answer_it_is_an_error_or_can_be_read (void **state) {
    fixture_t *f = *state;
    random_t random = random_from (random_seed ());
    unsigned wrong = 0, right = 0;
    for (int i = 0; i < 4000; i++) {
        zmsg_t *lie = s_truth (f, random_below (&random, RECORDS), s_next_run (f));
        for (uint32_t n = 1 + random_below (&random, 2); n > 0; n--)
            s_damage (lie, &random);
        int err = s_run_with (f, lie);
        zmsg_destroy (&lie);
        wrong += err != DW_OK;
        right += err == DW_OK;
    }
    assert_true (wrong > 100 && right > 100);
}

static void whatever_is_done_to_a_welcome_the_client_is_made_or_not (void **state) {
    fixture_t *f = *state;
    random_t random = random_from (random_seed ());
    unsigned wrong = 0, right = 0;
    for (int i = 0; i < 500; i++) {
        dw_client_t *client = NULL;
        zmsg_t *welcome = zmsg_dup (f->welcome);
        s_damage (welcome, &random);
        liar_tell (f->liar, "WELCOME", welcome);
        zmsg_destroy (&welcome);
        int err = dw_client_new (&client, f->system, NULL);
        assert_true (err == DW_OK || err == DW_EPROTOCOL || err == DW_EAGAIN);
        wrong += err != DW_OK;
        right += err == DW_OK;
        dw_client_destroy (&client);
    }
    assert_true (wrong > 20 && right > 20);
}

#define TEST(name) cmocka_unit_test_setup_teardown (name, s_setup, s_teardown)

int main (void) {
    const struct CMUnitTest tests[] = {
        TEST (the_truth_is_believed),
        TEST (a_result_that_makes_no_sense_is_an_error_and_the_next_one_is_taken),
        TEST (a_result_that_is_cut_anywhere_is_an_error),
        TEST (messages_that_are_not_for_a_client_are_errors),
        TEST (a_stall_that_makes_no_sense_is_an_error_and_one_of_another_run_is_passed_over),
        TEST (results_of_other_runs_and_repeated_ones_are_passed_over),
        TEST (a_message_beyond_all_measure_is_read_as_far_as_it_makes_sense),
        TEST (a_flood_of_foreign_results_does_not_hold_a_call_beyond_its_time),
        TEST (a_refusal_that_next_has_taken_in_is_said_by_the_call_that_waits),
        TEST (nonsense_that_next_has_taken_in_is_told_and_said_by_the_call_that_waits),
        TEST (next_gives_the_result_behind_nonsense_and_behind_a_refusal),
        TEST (a_graph_that_makes_no_sense_is_refused),
        TEST (a_welcome_that_is_cut_anywhere_is_refused),
        TEST (another_version_is_told_as_the_coordinator_says_it),
        TEST (one_that_says_nothing_is_given_up_after_its_time),
        TEST (whatever_is_done_to_an_answer_it_is_an_error_or_can_be_read),
        TEST (whatever_is_done_to_a_welcome_the_client_is_made_or_not),
    };
    zsys_handler_set (NULL);
    return !!cmocka_run_group_tests_name ("a coordinator that lies", tests, NULL, NULL);
}
