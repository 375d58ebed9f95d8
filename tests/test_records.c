/* test_records.c - cli/records.h: records are those of a naive split, in the memory of one block or
 * of one record. */

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "cli/command.h"
#include "cli/records.h"
#include "tests/support/random.h"

#define BLOCK_MAX  131072u
#define BYTES_MAX  3000u
#define ROUNDS     2000
#define PIPE_BYTES 32768u /* what a pipe takes for certain */

/* ---- Steps -------------------------------------------------------------------------------- */

/* Records that are read from a pipe. */
typedef struct source_t {
    dw_records_t records;
    int fd; /* what is written here is read there */
} source_t;

static source_t s_source (char delimiter, size_t size_max) {
    source_t self;
    int fds[2];
    assert_int_equal (pipe (fds), 0);
    self.records = (dw_records_t){
        .name = "a pipe", .fd = fds[0], .delimiter = delimiter, .size_max = size_max};
    self.fd = fds[1];
    return self;
}

static void s_write (source_t *self, const char *bytes, size_t size) {
    assert_int_equal (write (self->fd, bytes, size), size);
}

static void s_read (source_t *self) {
    assert_int_equal (dw_records_read (&self->records), DW_EXIT_OK);
}

static void s_end (source_t *self) {
    close (self->fd);
    self->fd = -1;
}

static void s_close (source_t *self) {
    if (self->fd >= 0)
        close (self->fd);
    dw_records_close (&self->records);
}

static void s_expect (source_t *self, dw_records_next_t next, const char *expected, size_t size) {
    const char *text = NULL;
    size_t text_size = 0;
    assert_int_equal (dw_records_next (&self->records, &text, &text_size), next);
    if (next == DW_RECORDS_ONE) {
        assert_int_equal (text_size, size);
        assert_memory_equal (text, expected, size);
    }
}
#define EXPECT(text)     s_expect (&s, DW_RECORDS_ONE, text, sizeof (text) - 1)
#define EXPECT_NOT_YET   s_expect (&s, DW_RECORDS_NOT_YET, NULL, 0)
#define EXPECT_TOO_LARGE s_expect (&s, DW_RECORDS_TOO_LARGE, NULL, 0)
#define EXPECT_END       s_expect (&s, DW_RECORDS_END, NULL, 0)
#define WRITE(text)      s_write (&s, text, sizeof (text) - 1), s_read (&s)

/* ---- What a record is --------------------------------------------------------------------- */

static void what_is_behind_the_last_delimiter_is_a_record_unless_it_is_empty (void **state) {
    (void) state;
    source_t s = s_source ('\n', 100);
    EXPECT_NOT_YET;
    WRITE ("a\n\nb\r\n\0x");
    EXPECT ("a");
    EXPECT ("");
    EXPECT ("b\r");
    EXPECT_NOT_YET;
    s_end (&s);
    s_read (&s);
    EXPECT ("\0x");
    EXPECT_END;
    EXPECT_END;
    assert_int_equal (s.records.count, 4);
    s_close (&s);

    s = s_source ('\0', 100);
    WRITE ("a\nb\0\0");
    EXPECT ("a\nb");
    EXPECT ("");
    s_end (&s);
    EXPECT_NOT_YET;
    s_read (&s);
    EXPECT_END;
    s_close (&s);
}

static void a_record_that_is_too_large_is_told_once_and_passed_over (void **state) {
    (void) state;
    source_t s = s_source ('\n', 3);
    WRITE ("abc\nabcd\nxyz\nab");
    EXPECT ("abc");
    EXPECT_TOO_LARGE;
    EXPECT ("xyz");
    EXPECT_NOT_YET;
    WRITE ("cd"); /* told before its end is there */
    EXPECT_TOO_LARGE;
    EXPECT_NOT_YET;
    WRITE ("efghijk");
    EXPECT_NOT_YET;
    WRITE ("\n1\n");
    EXPECT ("1");
    WRITE ("12345");
    EXPECT_TOO_LARGE;
    s_end (&s);
    s_read (&s);
    EXPECT_END;
    assert_int_equal (s.records.count, 6);
    s_close (&s);
}

/* ---- Memory ------------------------------------------------------------------------------- */

static void a_record_without_end_costs_no_more_than_a_block (void **state) {
    (void) state;
    static char bytes[PIPE_BYTES];
    source_t s = s_source ('\n', 1000);
    memset (bytes, 'x', sizeof bytes);
    s_write (&s, bytes, sizeof bytes);
    s_read (&s);
    EXPECT_TOO_LARGE;
    for (int i = 0; i < 1000; i++) {
        EXPECT_NOT_YET;
        s_write (&s, bytes, sizeof bytes);
        s_read (&s);
        assert_in_range (s.records.room, 1, BLOCK_MAX);
    }
    EXPECT_NOT_YET;
    WRITE ("\nback\n");
    EXPECT ("back");
    assert_int_equal (s.records.count, 2);
    s_close (&s);
}

static void the_memory_of_a_large_record_is_given_back (void **state) {
    (void) state;
    static char bytes[1u << 20];
    source_t s = s_source ('\n', sizeof bytes);
    memset (bytes, 'x', sizeof bytes);
    for (size_t at = 0; at < sizeof bytes; at += PIPE_BYTES) {
        EXPECT_NOT_YET;
        s_write (&s, bytes + at, PIPE_BYTES);
        s_read (&s);
        assert_in_range (s.records.room, 1, sizeof bytes + 1);
    }
    EXPECT_NOT_YET;
    WRITE ("\n");
    s_expect (&s, DW_RECORDS_ONE, bytes, sizeof bytes);
    EXPECT_NOT_YET;
    WRITE ("small\n");
    EXPECT ("small");
    assert_in_range (s.records.room, 1, BLOCK_MAX);
    s_close (&s);
}

/* ---- Any bytes, in any pieces ------------------------------------------------------------- */

static size_t s_naive_size (const char *bytes, size_t size, char delimiter) {
    const char *end = size > 0 ? memchr (bytes, delimiter, size) : NULL;
    return end ? (size_t) (end - bytes) : size;
}

/* Takes what there is and compares it with what a naive split gives; how far that is, is in
 * *at_p. */
static dw_records_next_t s_compare (source_t *self, const char *bytes, size_t size, size_t *at_p) {
    for (;;) {
        const char *text;
        size_t text_size;
        dw_records_next_t next = dw_records_next (&self->records, &text, &text_size);
        if (next == DW_RECORDS_NOT_YET || next == DW_RECORDS_END)
            return next;
        size_t expected = s_naive_size (bytes + *at_p, size - *at_p, self->records.delimiter);
        assert_int_equal (next, expected > self->records.size_max ? DW_RECORDS_TOO_LARGE
                                                                  : DW_RECORDS_ONE);
        if (next == DW_RECORDS_ONE) {
            assert_int_equal (text_size, expected);
            assert_memory_equal (text, bytes + *at_p, expected);
        }
        *at_p += expected + (*at_p + expected < size);
    }
}

static void s_try (random_t *random) {
    static const char delimiters[] = {'\n', '\0'};
    char bytes[BYTES_MAX];
    size_t size = random_below (random, BYTES_MAX + 1), written = 0, at = 0;
    uint32_t rare = 1 + random_below (random, 200);
    source_t s = s_source (delimiters[random_below (random, 2)], random_below (random, 300));
    for (size_t i = 0; i < size; i++) {
        bytes[i] = random_below (random, rare) == 0 ? s.records.delimiter
                                                    : (char) random_below (random, 256);
    }
    while (written < size) {
        size_t piece = 1 + random_below (random, 700);
        piece = piece < size - written ? piece : size - written;
        s_write (&s, bytes + written, piece);
        s_read (&s);
        written += piece;
        assert_int_equal (s_compare (&s, bytes, size, &at), DW_RECORDS_NOT_YET);
    }
    s_end (&s);
    s_read (&s);
    assert_int_equal (s_compare (&s, bytes, size, &at), DW_RECORDS_END);
    assert_int_equal (at, size);
    s_close (&s);
}

static void any_bytes_in_any_pieces_are_the_records_of_a_naive_split (void **state) {
    (void) state;
    random_t random = random_from (random_seed ());
    for (int i = 0; i < ROUNDS; i++)
        s_try (&random);
}

int main (void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (what_is_behind_the_last_delimiter_is_a_record_unless_it_is_empty),
        cmocka_unit_test (a_record_that_is_too_large_is_told_once_and_passed_over),
        cmocka_unit_test (a_record_without_end_costs_no_more_than_a_block),
        cmocka_unit_test (the_memory_of_a_large_record_is_given_back),
        cmocka_unit_test (any_bytes_in_any_pieces_are_the_records_of_a_naive_split),
    };
    return !!cmocka_run_group_tests_name ("records", tests, NULL, NULL);
}
