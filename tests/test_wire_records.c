/* test_wire_records.c - the records of messages are read as they were written, and refused when
 * they make no sense. */

#include "runtime/wire.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "tests/support/random.h"
#include "tests/support/wire_records.h"

#define COUNT(array) (sizeof (array) / sizeof *(array))

typedef struct fixture_t {
    dw_writer_t writer;
    random_t random;
} fixture_t;

static int s_setup (void **state) {
    static fixture_t fixture;
    fixture = (fixture_t){.random = random_from (random_seed ())};
    *state = &fixture;
    return 0;
}

static int s_teardown (void **state) {
    fixture_t *f = *state;
    dw_writer_free (&f->writer);
    return 0;
}

static dw_ref_t s_any_ref (random_t *random) {
    static const uint8_t bytes[300] = {1, 2, 3};
    dw_ref_t ref = {0};
    switch (random_below (random, 3)) {
        case 0: ref.frame = 1 + random_below (random, DW_WIRE_FRAMES_MAX); break;
        case 1:
            ref.bytes = bytes;
            ref.size = random_below (random, sizeof bytes);
            break;
        default: break;
    }
    return ref;
}

/* The same, or one that is kept. */
static dw_ref_t s_any_kept_ref (random_t *random) {
    dw_ref_t ref = s_any_ref (random);
    if (!ref.bytes && random_one_in (random, 2))
        ref.place = 1 + random_below (random, DW_WIRE_PLACES);
    return ref;
}

static void s_expect_equal_ref (const dw_ref_t *ref, const dw_ref_t *expected) {
    assert_int_equal (ref->frame, expected->frame);
    assert_int_equal (ref->place, expected->place);
    assert_int_equal (ref->size, expected->size);
    assert_int_equal (dw_ref_is_nil (ref), dw_ref_is_nil (expected));
    if (expected->bytes)
        assert_memory_equal (ref->bytes, expected->bytes, ref->size);
}

static void s_expect_ref (dw_wire_reader_t *reader, const dw_ref_t *expected) {
    dw_ref_t ref = dw_read_ref (reader);
    s_expect_equal_ref (&ref, expected);
}

static void a_hello_is_read_as_it_was_written (void **state) {
    fixture_t *f = *state;
    uint8_t token[DW_WIRE_TOKEN_SIZE];
    for (int i = 0; i < 1000; i++) {
        for (size_t k = 0; k < sizeof token; k++)
            token[k] = (uint8_t) random_next (&f->random);
        dw_wire_hello_t read, hello = {.version = DW_WIRE_VERSION,
                                       .oldest = DW_WIRE_OLDEST,
                                       .role = 1 + random_below (&f->random, DW_WIRE_SOLO),
                                       .token = token,
                                       .number = (uint32_t) random_integer (&f->random),
                                       .credit = (uint32_t) random_integer (&f->random)};
        dw_writer_clear (&f->writer);
        dw_write_hello (&f->writer, &hello);
        dw_wire_reader_t reader = dw_wire_reader (f->writer.bytes, f->writer.count);
        assert_int_equal (dw_read_uint (&reader), DW_WIRE_HELLO);
        assert_true (dw_read_hello (&reader, &read));
        assert_true (dw_wire_reader_is_over (&reader));
        assert_int_equal (read.version, hello.version);
        assert_int_equal (read.oldest, hello.oldest);
        assert_int_equal (read.role, hello.role);
        assert_memory_equal (read.token, token, sizeof token);
        assert_int_equal (read.number, hello.number);
        assert_int_equal (read.credit, hello.credit);
    }
}

static void an_identity_is_read_as_it_was_written_and_no_shorter (void **state) {
    fixture_t *f = *state;
    for (size_t size = 0; size <= 20; size++) {
        uint8_t uuid[20] = {1, 2, 3};
        dw_wire_identity_t read;
        dw_writer_clear (&f->writer);
        dw_write_bin (&f->writer, uuid, size);
        dw_write_uint (&f->writer, 1000 + size);
        dw_wire_reader_t reader = dw_wire_reader (f->writer.bytes, f->writer.count);
        assert_int_equal (dw_read_identity (&reader, &read), size == DW_WIRE_UUID_SIZE);
        if (size != DW_WIRE_UUID_SIZE)
            continue;
        assert_memory_equal (read.uuid, uuid, DW_WIRE_UUID_SIZE);
        assert_int_equal (read.incarnation, 1000 + size);
        assert_true (dw_wire_reader_is_over (&reader));
    }
}

static void an_agent_is_read_as_it_was_written (void **state) {
    fixture_t *f = *state;
    uint8_t uuid[DW_WIRE_UUID_SIZE];
    char host[256];
    memset (host, 'h', sizeof host);
    for (int i = 0; i < 1000; i++) {
        for (size_t k = 0; k < sizeof uuid; k++)
            uuid[k] = (uint8_t) random_next (&f->random);
        dw_wire_agent_t read, agent = {.uuid = uuid,
                                       .incarnation = random_integer (&f->random),
                                       .slots = (uint32_t) random_integer (&f->random),
                                       .pid = random_integer (&f->random),
                                       .host = host,
                                       .host_size = random_below (&f->random, sizeof host + 1),
                                       .processors_count = random_below (&f->random, 5000)};
        dw_writer_clear (&f->writer);
        dw_write_agent (&f->writer, &agent);
        for (uint32_t k = 0; k < agent.processors_count; k++)
            dw_write_str (&f->writer, "p", 1);
        dw_wire_reader_t reader = dw_wire_reader (f->writer.bytes, f->writer.count);
        bool is_right = agent.host_size <= 255 && agent.processors_count <= DW_WIRE_OFFERED_MAX;
        assert_int_equal (dw_read_agent (&reader, &read), is_right);
        if (!is_right)
            continue;
        assert_int_equal (read.processors_count, agent.processors_count);
        size_t size;
        for (uint32_t k = 0; k < read.processors_count; k++)
            assert_non_null (dw_read_name (&reader, &size));
        assert_true (dw_wire_reader_is_over (&reader));
        assert_memory_equal (read.uuid, uuid, sizeof uuid);
        assert_int_equal (read.incarnation, agent.incarnation);
        assert_int_equal (read.slots, agent.slots);
        assert_int_equal (read.pid, agent.pid);
        assert_int_equal (read.host_size, agent.host_size);
    }
}

static void a_welcome_needs_a_pulse_by_which_one_can_tell_who_is_there (void **state) {
    static const struct {
        uint32_t heartbeat_ms, silence_ms;
        bool ok;
    } cases[] = {{1, 2, true},           {1000, 2000, true},
                 {1, UINT32_MAX, true},  {0, 0, false},
                 {0, 1000, false},       {1000, 0, false},
                 {1000, 1999, false},    {UINT32_MAX, UINT32_MAX, false},
                 {1u << 31, 1000, false}};
    static const uint8_t token[DW_WIRE_TOKEN_SIZE] = "0123456789abcde";
    fixture_t *f = *state;
    for (size_t i = 0; i < COUNT (cases); i++) {
        dw_wire_welcome_t welcome;
        dw_writer_clear (&f->writer);
        dw_write_uint (&f->writer, 7);
        dw_write_uint (&f->writer, cases[i].heartbeat_ms);
        dw_write_uint (&f->writer, cases[i].silence_ms);
        dw_write_bin (&f->writer, token, sizeof token);
        dw_write_bin (&f->writer, token, sizeof token);
        dw_write_uint (&f->writer, UINT64_MAX);
        dw_write_uint (&f->writer, 1);
        dw_write_array (&f->writer, 1);
        dw_write_uint (&f->writer, 5);
        dw_wire_reader_t reader = dw_wire_reader (f->writer.bytes, f->writer.count);
        assert_int_equal (dw_read_welcome (&reader, &welcome), cases[i].ok);
        assert_int_equal (welcome.peer, 7);
        assert_int_equal (welcome.digest, UINT64_MAX);
        assert_int_equal (welcome.workers_count, 1);
        assert_int_equal (dw_read_uint (&reader), 5);
        assert_true (dw_wire_reader_is_over (&reader));
    }
}

static void a_hello_of_another_version_is_read_up_to_its_version (void **state) {
    fixture_t *f = *state;
    static const uint32_t versions[] = {0, 1, 2, DW_WIRE_VERSION + 1, 1000, UINT32_MAX};
    for (size_t i = 0; i < COUNT (versions); i++) {
        dw_wire_hello_t hello;
        dw_writer_clear (&f->writer);
        dw_write_str (&f->writer, DW_WIRE_MAGIC, strlen (DW_WIRE_MAGIC));
        dw_write_uint (&f->writer, versions[i]);
        if (versions[i] > 2)
            dw_write_uint (&f->writer, DW_WIRE_VERSION + 1); /* the oldest that it speaks */
        dw_write_str (&f->writer, "whatever comes then", 19);
        dw_wire_reader_t reader = dw_wire_reader (f->writer.bytes, f->writer.count);
        assert_true (dw_read_hello (&reader, &hello));
        assert_int_equal (hello.version, versions[i]);
        assert_int_equal (hello.oldest, versions[i] > 2 ? DW_WIRE_VERSION + 1 : versions[i]);
        assert_int_equal (dw_wire_common_version (&hello), 0);
        assert_null (hello.token);
    }
}

static void a_hello_of_a_range_of_versions_is_read_when_one_of_them_is_ours (void **state) {
    fixture_t *f = *state;
    static const struct {
        uint32_t version, oldest, common;
        bool is_sound;
    } ranges[] = {{DW_WIRE_VERSION, DW_WIRE_OLDEST, DW_WIRE_VERSION, true},
                  {DW_WIRE_VERSION, 0, DW_WIRE_VERSION, true},
                  {DW_WIRE_VERSION + 1, DW_WIRE_VERSION, DW_WIRE_VERSION, true},
                  {UINT32_MAX, 1, DW_WIRE_VERSION, true},
                  {DW_WIRE_VERSION + 1, DW_WIRE_VERSION + 1, 0, true},
                  {UINT32_MAX, DW_WIRE_VERSION + 1, 0, true},
                  {DW_WIRE_VERSION, DW_WIRE_VERSION + 1, 0, false}, /* from 4 down to 3 */
                  {DW_WIRE_VERSION + 1, UINT32_MAX, 0, false}};
    static const uint8_t token[DW_WIRE_TOKEN_SIZE] = "a token";
    for (size_t i = 0; i < COUNT (ranges); i++) {
        dw_wire_hello_t read, hello = {.version = ranges[i].version,
                                       .oldest = ranges[i].oldest,
                                       .role = DW_WIRE_CLIENT,
                                       .token = token,
                                       .number = 7};
        dw_writer_clear (&f->writer);
        dw_write_hello (&f->writer, &hello);
        dw_write_str (&f->writer, "what a later version adds", 25);
        dw_wire_reader_t reader = dw_wire_reader (f->writer.bytes, f->writer.count);
        assert_int_equal (dw_read_uint (&reader), DW_WIRE_HELLO);
        assert_int_equal (dw_read_hello (&reader, &read), ranges[i].is_sound);
        if (!ranges[i].is_sound)
            continue;
        assert_int_equal (read.version, ranges[i].version);
        assert_int_equal (read.oldest, ranges[i].oldest);
        assert_int_equal (dw_wire_common_version (&read), ranges[i].common);
        assert_int_equal (read.number, ranges[i].common ? 7 : 0);
    }
}

static void a_hello_with_another_magic_word_is_not_ours (void **state) {
    fixture_t *f = *state;
    static const char *const words[] = {"", "dagwooD", "dagwoo", "dagwoods",
                                        "a long word, this is"};
    for (size_t i = 0; i < COUNT (words); i++) {
        dw_wire_hello_t hello;
        dw_writer_clear (&f->writer);
        dw_write_str (&f->writer, words[i], strlen (words[i]));
        dw_write_uint (&f->writer, DW_WIRE_VERSION);
        dw_wire_reader_t reader = dw_wire_reader (f->writer.bytes, f->writer.count);
        assert_false (dw_read_hello (&reader, &hello));
        assert_int_equal (hello.version, 0);
    }
}

static void a_hello_with_a_token_of_another_size_is_refused (void **state) {
    fixture_t *f = *state;
    for (size_t size = 0; size < 2 * DW_WIRE_TOKEN_SIZE; size++) {
        dw_wire_hello_t hello;
        uint8_t token[2 * DW_WIRE_TOKEN_SIZE] = {0};
        dw_writer_clear (&f->writer);
        dw_write_str (&f->writer, DW_WIRE_MAGIC, strlen (DW_WIRE_MAGIC));
        dw_write_uint (&f->writer, DW_WIRE_VERSION);
        dw_write_uint (&f->writer, DW_WIRE_OLDEST);
        dw_write_uint (&f->writer, DW_WIRE_CLIENT);
        dw_write_bin (&f->writer, token, size);
        dw_write_uint (&f->writer, 0);
        dw_write_uint (&f->writer, 0);
        dw_wire_reader_t reader = dw_wire_reader (f->writer.bytes, f->writer.count);
        assert_int_equal (dw_read_hello (&reader, &hello), size == DW_WIRE_TOKEN_SIZE);
    }
}

static void a_task_is_read_as_it_was_written (void **state) {
    fixture_t *f = *state;
    for (int i = 0; i < 1000; i++) {
        dw_ref_t refs[20];
        dw_wire_task_t read, task = {.run = random_integer (&f->random),
                                     .node = (uint32_t) random_integer (&f->random),
                                     .steps = (uint32_t) random_integer (&f->random),
                                     .attempt = random_below (&f->random, UINT16_MAX),
                                     .payload = s_any_kept_ref (&f->random),
                                     .dependencies_count = random_below (&f->random, 10)};
        for (size_t k = 0; k < COUNT (refs); k++)
            refs[k] = k % 2 ? s_any_ref (&f->random) : s_any_kept_ref (&f->random);
        dw_writer_clear (&f->writer);
        wire_write_task (&f->writer, &task, refs);
        dw_wire_reader_t reader = dw_wire_reader (f->writer.bytes, f->writer.count);
        assert_true (dw_read_task (&reader, &read));
        assert_true (read.run == task.run);
        assert_int_equal (read.node, task.node);
        assert_int_equal (read.steps, task.steps);
        assert_int_equal (read.attempt, task.attempt);
        s_expect_equal_ref (&read.payload, &task.payload);
        assert_int_equal (read.dependencies_count, task.dependencies_count);
        for (uint32_t k = 0; k < task.dependencies_count; k++) {
            dw_ref_t payload = dw_read_kept_ref (&reader);
            s_expect_equal_ref (&payload, &refs[2 * k]);
            s_expect_ref (&reader, &refs[2 * k + 1]);
        }
        assert_true (dw_wire_reader_is_over (&reader));
    }
}

static void what_is_kept_has_a_place_that_there_is (void **state) {
    static const struct {
        uint8_t bytes[6];
        size_t size;
        bool is_read;
    } refs[] = {
        {{0x91, 0x00}, 2, true},
        {{0x91, 0xcc, 0xff}, 3, true},
        {{0x92, 0x01, 0x00}, 3, true},
        {{0x91, 0xcd, 0x01, 0x00}, 4, false}, /* 256 */
        {{0x92, 0x00, 0x00}, 3, false},       /* frame 0 is the head */
        {{0x92, 0xc0, 0x00}, 3, false},
        {{0x92, 0xc4, 0x01, 'x', 0x00}, 5, false},
        {{0x92, 0x01}, 2, false},
        {{0x91}, 1, false},
        {{0x90}, 1, false},
        {{0x93, 0x01, 0x00, 0x00}, 4, false},
        {{0x91, 0xc0}, 2, false},
    };
    (void) state;
    for (size_t i = 0; i < COUNT (refs); i++) {
        dw_wire_reader_t reader = dw_wire_reader (refs[i].bytes, refs[i].size);
        dw_ref_t ref = dw_read_kept_ref (&reader);
        assert_int_equal (dw_wire_reader_is_over (&reader), refs[i].is_read);
        assert_true (ref.place <= DW_WIRE_PLACES);
        reader = dw_wire_reader (refs[i].bytes, refs[i].size);
        dw_read_ref (&reader);
        assert_true (reader.is_damaged);
    }
}

static void an_answer_is_read_as_it_was_written (void **state) {
    fixture_t *f = *state;
    static const char message[8193] = "why";
    for (int i = 0; i < 1000; i++) {
        dw_ref_t refs[20];
        dw_wire_answer_record_t read,
            answer = {.ticket = random_integer (&f->random),
                      .step = (uint32_t) random_integer (&f->random),
                      .answer = random_below (&f->random, DW_WIRE_ADDED + 1),
                      .duration_ns = random_integer (&f->random)};
        for (size_t k = 0; k < COUNT (refs); k++)
            refs[k] = s_any_ref (&f->random);
        if (answer.answer <= DW_WIRE_DONE)
            answer.steps = random_below (&f->random, 10);
        if (answer.answer == DW_WIRE_FAILED) {
            answer.code = (uint16_t) random_below (&f->random, 1000);
            answer.message = message;
            answer.message_size = random_below (&f->random, sizeof message);
        }
        dw_writer_clear (&f->writer);
        wire_write_answer (&f->writer, &answer, refs);
        dw_wire_reader_t reader = dw_wire_reader (f->writer.bytes, f->writer.count);
        assert_true (dw_read_answer (&reader, &read));
        assert_true (read.ticket == answer.ticket && read.duration_ns == answer.duration_ns);
        assert_int_equal (read.step, answer.step);
        assert_int_equal (read.answer, answer.answer);
        assert_int_equal (read.steps, answer.steps);
        assert_int_equal (read.code, answer.code);
        assert_int_equal (read.message_size, answer.message_size);
        if (answer.message)
            assert_memory_equal (read.message, message, read.message_size);
        for (uint32_t k = 0; k < (answer.answer == DW_WIRE_ADDED ? 3 : 2 * answer.steps); k++)
            s_expect_ref (&reader, &refs[k]);
        assert_true (dw_wire_reader_is_over (&reader));
    }
}

static void an_answer_that_makes_no_sense_is_refused (void **state) {
    fixture_t *f = *state;
    dw_wire_answer_record_t read, answer = {.ticket = 1, .answer = DW_WIRE_FAILED, .code = 1000};
    static char message[8193];
    answer.message = message;
    wire_write_answer (&f->writer, &answer, NULL);
    dw_wire_reader_t reader = dw_wire_reader (f->writer.bytes, f->writer.count);
    assert_false (dw_read_answer (&reader, &read)); /* no such code */
    answer.code = 500;
    answer.message_size = sizeof message;
    dw_writer_clear (&f->writer);
    wire_write_answer (&f->writer, &answer, NULL);
    reader = dw_wire_reader (f->writer.bytes, f->writer.count);
    assert_false (dw_read_answer (&reader, &read)); /* too long a message */
    dw_writer_clear (&f->writer);
    for (int i = 0; i < 4; i++)
        dw_write_uint (&f->writer, DW_WIRE_ADDED + 1);
    reader = dw_wire_reader (f->writer.bytes, f->writer.count);
    assert_false (dw_read_answer (&reader, &read)); /* no such answer */
    dw_writer_clear (&f->writer);
    dw_write_uint (&f->writer, 1);
    dw_write_uint (&f->writer, UINT64_C (1) << 32);
    dw_write_uint (&f->writer, DW_WIRE_RETURNED);
    dw_write_uint (&f->writer, 1);
    reader = dw_wire_reader (f->writer.bytes, f->writer.count);
    assert_false (dw_read_answer (&reader, &read)); /* more steps told of than a task can have */
    static const uint32_t steps[] = {3, 1000, UINT32_MAX};
    for (size_t i = 0; i < COUNT (steps); i++) {
        dw_writer_clear (&f->writer);
        dw_write_uint (&f->writer, 1);
        dw_write_uint (&f->writer, 0);
        dw_write_uint (&f->writer, DW_WIRE_DONE);
        dw_write_uint (&f->writer, 1);
        dw_write_uint (&f->writer, steps[i]);
        for (int k = 0; k < 5; k++)
            dw_write_nil (&f->writer);
        reader = dw_wire_reader (f->writer.bytes, f->writer.count);
        assert_false (dw_read_answer (&reader, &read)); /* more steps than references can follow */
    }
}

static void what_a_slot_is_at_is_read_as_it_was_written (void **state) {
    fixture_t *f = *state;
    for (int i = 0; i < 1000; i++) {
        dw_wire_slot_t read, slot = {.number = (uint32_t) random_integer (&f->random),
                                     .at = random_below (&f->random, DW_WIRE_AT_SILENT + 1),
                                     .ticket = random_integer (&f->random)};
        dw_writer_clear (&f->writer);
        dw_write_slot (&f->writer, &slot);
        dw_wire_reader_t reader = dw_wire_reader (f->writer.bytes, f->writer.count);
        assert_true (dw_read_slot (&reader, &read) && dw_wire_reader_is_over (&reader));
        assert_int_equal (read.number, slot.number);
        assert_int_equal (read.at, slot.at);
        assert_true (read.ticket == slot.ticket);
    }
    dw_writer_clear (&f->writer);
    dw_write_slot (&f->writer, &(dw_wire_slot_t){.at = (dw_wire_at_t) (DW_WIRE_AT_SILENT + 1)});
    dw_wire_reader_t reader = dw_wire_reader (f->writer.bytes, f->writer.count);
    dw_wire_slot_t read;
    assert_false (dw_read_slot (&reader, &read)); /* it is at nothing that there is */
}

static void an_end_is_read_as_it_was_written (void **state) {
    fixture_t *f = *state;
    static const uint8_t tail[DW_WIRE_TAIL_MAX + 1] = "last words";
    for (int i = 0; i < 1000; i++) {
        dw_wire_ended_t read, ended = {.number = (uint32_t) random_integer (&f->random),
                                       .replaced = (uint32_t) random_integer (&f->random),
                                       .pid = random_integer (&f->random),
                                       .how = random_below (&f->random, DW_WIRE_DOWN + 1),
                                       .value = (uint32_t) random_integer (&f->random),
                                       .tail = tail,
                                       .tail_size = random_below (&f->random, sizeof tail)};
        dw_writer_clear (&f->writer);
        dw_write_ended (&f->writer, &ended);
        dw_wire_reader_t reader = dw_wire_reader (f->writer.bytes, f->writer.count);
        assert_true (dw_read_ended (&reader, &read) && dw_wire_reader_is_over (&reader));
        assert_int_equal (read.number, ended.number);
        assert_int_equal (read.replaced, ended.replaced);
        assert_true (read.pid == ended.pid);
        assert_int_equal (read.how, ended.how);
        assert_int_equal (read.value, ended.value);
        assert_int_equal (read.tail_size, ended.tail_size);
        assert_memory_equal (read.tail, tail, read.tail_size);
    }
    dw_wire_ended_t read, long_one = {.tail = tail, .tail_size = sizeof tail};
    dw_writer_clear (&f->writer);
    dw_write_ended (&f->writer, &long_one);
    dw_wire_reader_t reader = dw_wire_reader (f->writer.bytes, f->writer.count);
    assert_false (dw_read_ended (&reader, &read)); /* more words than are kept */
}

static void a_submission_is_read_as_it_was_written (void **state) {
    fixture_t *f = *state;
    for (int i = 0; i < 1000; i++) {
        uint32_t outputs[10];
        dw_wire_submission_t read, submission = {.run = random_integer (&f->random),
                                                 .payload = s_any_ref (&f->random),
                                                 .outputs_count = random_below (&f->random, 10)};
        for (size_t k = 0; k < COUNT (outputs); k++)
            outputs[k] = (uint32_t) random_integer (&f->random);
        dw_writer_clear (&f->writer);
        wire_write_submission (&f->writer, &submission, outputs);
        dw_wire_reader_t reader = dw_wire_reader (f->writer.bytes, f->writer.count);
        assert_true (dw_read_submission (&reader, &read));
        assert_true (read.run == submission.run);
        s_expect_equal_ref (&read.payload, &submission.payload);
        assert_int_equal (read.outputs_count, submission.outputs_count);
        for (uint32_t k = 0; k < submission.outputs_count; k++)
            assert_int_equal (dw_read_uint (&reader), outputs[k]);
        assert_true (dw_wire_reader_is_over (&reader));
    }
}

static void a_result_is_read_as_it_was_written (void **state) {
    fixture_t *f = *state;
    for (int i = 0; i < 1000; i++) {
        uint32_t outputs[10];
        dw_wire_result_t read, result = {.run = random_integer (&f->random),
                                         .duration_us = random_integer (&f->random),
                                         .status = random_below (&f->random, 4),
                                         .table = s_any_ref (&f->random),
                                         .blob = s_any_ref (&f->random),
                                         .extras = s_any_ref (&f->random),
                                         .outputs_are_sinks = random_one_in (&f->random, 2)};
        if (!result.outputs_are_sinks)
            result.outputs_count = random_below (&f->random, 10);
        for (size_t k = 0; k < COUNT (outputs); k++)
            outputs[k] = (uint32_t) random_integer (&f->random);
        dw_writer_clear (&f->writer);
        wire_write_result (&f->writer, &result, outputs);
        dw_wire_reader_t reader = dw_wire_reader (f->writer.bytes, f->writer.count);
        assert_true (dw_read_result (&reader, &read));
        assert_true (read.run == result.run && read.duration_us == result.duration_us);
        assert_int_equal (read.status, result.status);
        s_expect_equal_ref (&read.table, &result.table);
        s_expect_equal_ref (&read.blob, &result.blob);
        s_expect_equal_ref (&read.extras, &result.extras);
        assert_int_equal (read.outputs_are_sinks, result.outputs_are_sinks);
        assert_int_equal (read.outputs_count, result.outputs_count);
        for (uint32_t k = 0; k < result.outputs_count; k++)
            assert_int_equal (dw_read_uint (&reader), outputs[k]);
        assert_true (dw_wire_reader_is_over (&reader));
    }
}

static void an_extra_is_read_as_it_was_written (void **state) {
    fixture_t *f = *state;
    static const char text[300] = "metadata or message";
    for (int i = 0; i < 1000; i++) {
        uint32_t causes[10];
        dw_wire_extra_t read, extra = {.node = (uint32_t) random_integer (&f->random),
                                       .code = (uint16_t) random_below (&f->random, 1000),
                                       .added_nodes = (uint32_t) random_integer (&f->random),
                                       .added_depth = random_below (&f->random, 300),
                                       .causes_count = random_below (&f->random, 10)};
        if (random_one_in (&f->random, 2)) {
            extra.metadata = (const uint8_t *) text;
            extra.metadata_size = random_below (&f->random, sizeof text);
        }
        if (random_one_in (&f->random, 2)) {
            extra.message = text;
            extra.message_size = random_below (&f->random, sizeof text);
        }
        for (size_t k = 0; k < COUNT (causes); k++)
            causes[k] = (uint32_t) random_integer (&f->random);
        dw_writer_clear (&f->writer);
        wire_write_extra (&f->writer, &extra, causes);
        dw_wire_reader_t reader = dw_wire_reader (f->writer.bytes, f->writer.count);
        assert_true (dw_read_extra (&reader, &read));
        assert_int_equal (read.node, extra.node);
        assert_int_equal (read.code, extra.code);
        assert_int_equal (!read.metadata, !extra.metadata);
        assert_int_equal (read.metadata_size, extra.metadata_size);
        assert_int_equal (!read.message, !extra.message);
        assert_int_equal (read.message_size, extra.message_size);
        assert_true (read.added_nodes == extra.added_nodes &&
                     read.added_depth == extra.added_depth);
        assert_int_equal (read.causes_count, extra.causes_count);
        for (uint32_t k = 0; k < extra.causes_count; k++)
            assert_int_equal (dw_read_uint (&reader), causes[k]);
        assert_true (dw_wire_reader_is_over (&reader));
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown (name, s_setup, s_teardown)

int main (void) {
    const struct CMUnitTest tests[] = {
        TEST (a_hello_is_read_as_it_was_written),
        TEST (an_agent_is_read_as_it_was_written),
        TEST (an_identity_is_read_as_it_was_written_and_no_shorter),
        TEST (a_welcome_needs_a_pulse_by_which_one_can_tell_who_is_there),
        TEST (a_hello_of_another_version_is_read_up_to_its_version),
        TEST (a_hello_of_a_range_of_versions_is_read_when_one_of_them_is_ours),
        TEST (a_hello_with_another_magic_word_is_not_ours),
        TEST (a_hello_with_a_token_of_another_size_is_refused),
        TEST (a_task_is_read_as_it_was_written),
        TEST (what_is_kept_has_a_place_that_there_is),
        TEST (an_answer_is_read_as_it_was_written),
        TEST (an_answer_that_makes_no_sense_is_refused),
        TEST (what_a_slot_is_at_is_read_as_it_was_written),
        TEST (an_end_is_read_as_it_was_written),
        TEST (a_submission_is_read_as_it_was_written),
        TEST (a_result_is_read_as_it_was_written),
        TEST (an_extra_is_read_as_it_was_written),
    };
    return !!cmocka_run_group_tests_name ("the wire's records", tests, NULL, NULL);
}
