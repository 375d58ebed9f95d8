/* test_endpoint.c - where a system may listen, and that it takes nobody's place: at every place. */

#include "tests/support/system_fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "actors/system.h"

#define TRIES 8u /* to open: a descriptor that each leaves behind is seen among ... */
#define STRAY 4u /* ... those that come and go while connections are noticed to be over */

/* A system cannot be opened at endpoint, says so with this code and part, and leaves nothing. */
static void s_expect_refused_with (system_fixture_t *f, const char *endpoint, int code,
                                   const char *part) {
    dw_system_options_t options = f->options;
    unsigned descriptors = descriptors_count (), threads = threads_count ();
    options.endpoint = endpoint;
    for (unsigned i = 0; i < TRIES; i++) {
        dw_error_t *error = dw_error_new ();
        dw_system_t *system = NULL;
        if (dw_system_open (&system, f->graph, &options, error) == DW_OK)
            fail_msg ("it opens at %s", endpoint);
        assert_null (system);
        assert_int_equal (dw_error_code (error), code);
        assert_int_equal (dw_error_count (error), 1);
        expect_message (error, part);
        dw_error_destroy (&error);
    }
    assert_true (threads_fall_to (threads));
    for (int64_t end_ms = now_ms () + 5000;
         descriptors_count () > descriptors + STRAY && now_ms () < end_ms;)
        sleep_ms (1);
    assert_in_range (descriptors_count (), 0, descriptors + STRAY);
}

static void s_expect_refused (system_fixture_t *f, const char *endpoint, const char *part) {
    s_expect_refused_with (f, endpoint, DW_EINVAL, part);
}

/* A system at endpoint, with a client that is served. */
static void s_open_at (system_fixture_t *f, const char *endpoint) {
    f->options.endpoint = endpoint;
    system_fixture_open (f);
    system_fixture_expect_run (f, "abc", "a", "ABC");
}

/* An endpoint of this test's own, in a folder of its own. */
typedef struct s_spot_t {
    char folder[32];
    char file[48];
    char endpoint[64];
} s_spot_t;

static s_spot_t s_spot_new (void) {
    s_spot_t self = {.folder = "/tmp/dagwood-test-XXXXXX"};
    assert_non_null (mkdtemp (self.folder));
    snprintf (self.file, sizeof self.file, "%s/s", self.folder);
    snprintf (self.endpoint, sizeof self.endpoint, "ipc://%s", self.file);
    return self;
}

static void s_spot_destroy (const s_spot_t *self) {
    unlink (self->file);
    assert_int_equal (rmdir (self->folder), 0);
}

/* ---- Which there are -------------------------------------------------------------------------- */

static void an_endpoint_that_others_could_reach_takes_keys (void **state) {
    system_fixture_t *f = *state;
    static const char *const beyond[] = {
        "tcp://*:*",    "tcp://0.0.0.0:*",      "tcp://[::]:*",  "tcp://10.0.0.1:5000",
        "tcp://eth0:*", "tcp://example.org:80", "tcp://lo:5000", "tcp://127.0.0.1.example.org:80"};
    system_fixture_add (f, "a", "identity", "");
    for (size_t i = 0; i < sizeof beyond / sizeof *beyond; i++)
        s_expect_refused_with (f, beyond[i], DW_EKEY, beyond[i]);
}

static void what_is_no_endpoint_is_refused (void **state) {
    system_fixture_t *f = *state;
    static const char *const wrong[] = {"tcp://127.0.0.1",
                                        "tcp://127.0.0.1:",
                                        "tcp://127.0.0.1:99999",
                                        "tcp://127.0.0.1:x",
                                        "tcp://127.0.0.1:5000;0.0.0.0:5001",
                                        "tcp://",
                                        "inproc://coordinator",
                                        "inproc://other",
                                        "pgm://127.0.0.1:5000",
                                        "udp://127.0.0.1:5000",
                                        "ipc://",
                                        "ipc:///no/such/folder/at/all",
                                        "nonsense",
                                        ""};
    system_fixture_add (f, "a", "identity", "");
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        s_expect_refused (f, wrong[i], wrong[i]);
    char too_long[400] = "ipc://";
    memset (too_long + 6, 'x', sizeof too_long - 7);
    s_expect_refused (f, too_long, "ipc://xxxx");
}

/* ---- Taken ------------------------------------------------------------------------------------ */

static void an_endpoint_that_another_system_has_is_refused (void **state) {
    system_fixture_t *f = *state;
    static const char remedy[] = "choose another endpoint, or end";
    char endpoint[128], name[48]; /* names of that kind are the whole machine's */
    s_spot_t spot = s_spot_new ();
    const char *const first[] = {"tcp://127.0.0.1:*", spot.endpoint, name, "ipc://*"};
    snprintf (name, sizeof name, "ipc://@dagwood-test-%ld", (long) getpid ());
    system_fixture_add (f, "a", "change_text_case_upper", "");
    for (size_t i = 0; i < sizeof first / sizeof *first; i++) {
        s_open_at (f, first[i]);
        snprintf (endpoint, sizeof endpoint, "%s", dw_system_endpoint (f->system));
        assert_null (strchr (endpoint, '*')); /* the port, or the file, that it got */
        for (int again = 0; again < 3; again++) {
            s_expect_refused (f, endpoint, endpoint);
            s_expect_refused (f, endpoint, remedy);
        }
        system_fixture_expect_run (f, "abc", "a", "ABC");
        dw_client_t *late = system_fixture_client (f); /* the endpoint is still the first one's */
        dw_client_destroy (&late);
        system_fixture_close (f);
    }
    s_spot_destroy (&spot);
}

static void an_endpoint_is_free_again_when_its_system_is_closed (void **state) {
    system_fixture_t *f = *state;
    s_spot_t spot = s_spot_new ();
    system_fixture_add (f, "a", "change_text_case_upper", "");
    for (int i = 0; i < 5; i++) {
        s_open_at (f, spot.endpoint);
        system_fixture_close (f);
    }
    s_spot_destroy (&spot);
}

/* A listening socket at the spot, of whoever calls. */
static int s_listen_at (const s_spot_t *spot) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    memcpy (address.sun_path, spot->file, strlen (spot->file));
    return bind (fd, (struct sockaddr *) &address, sizeof address) || listen (fd, 0) ? -1 : fd;
}

static void what_a_process_that_died_left_behind_is_replaced (void **state) {
    system_fixture_t *f = *state;
    int status = 0;
    struct stat there;
    s_spot_t spot = s_spot_new ();
    pid_t child = fork ();
    if (child == 0)
        _exit (s_listen_at (&spot) < 0);
    assert_true (child > 0 && waitpid (child, &status, 0) == child && status == 0);
    assert_true (stat (spot.file, &there) == 0 && S_ISSOCK (there.st_mode));
    system_fixture_add (f, "a", "change_text_case_upper", "");
    s_open_at (f, spot.endpoint);
    system_fixture_close (f);
    s_spot_destroy (&spot);
}

static void one_that_listens_and_never_answers_keeps_its_endpoint (void **state) {
    system_fixture_t *f = *state;
    s_spot_t spot = s_spot_new ();
    system_fixture_add (f, "a", "change_text_case_upper", "");
    int fd = s_listen_at (&spot);
    assert_true (fd >= 0);
    for (int i = 0; i < 5; i++) /* its queue is full at once */
        s_expect_refused (f, spot.endpoint, "another program listens there");
    close (fd);
    s_open_at (f, spot.endpoint);
    system_fixture_close (f);
    s_spot_destroy (&spot);
}

static void a_file_is_not_replaced_by_a_socket (void **state) {
    system_fixture_t *f = *state;
    char text[8] = "";
    s_spot_t spot = s_spot_new ();
    FILE *file = fopen (spot.file, "w");
    assert_non_null (file);
    assert_true (fputs ("precious", file) >= 0);
    assert_int_equal (fclose (file), 0);
    system_fixture_add (f, "a", "change_text_case_upper", "");
    s_expect_refused (f, spot.endpoint, "is no socket; choose another name");
    file = fopen (spot.file, "r");
    assert_non_null (file);
    assert_int_equal (fread (text, 1, sizeof text, file), sizeof text);
    fclose (file);
    assert_memory_equal (text, "precious", sizeof text);
    s_spot_destroy (&spot);
}

int main (void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (an_endpoint_that_others_could_reach_takes_keys),
        cmocka_unit_test (what_is_no_endpoint_is_refused),
        cmocka_unit_test (an_endpoint_that_another_system_has_is_refused),
        cmocka_unit_test (an_endpoint_is_free_again_when_its_system_is_closed),
        cmocka_unit_test (what_a_process_that_died_left_behind_is_replaced),
        cmocka_unit_test (one_that_listens_and_never_answers_keeps_its_endpoint),
        cmocka_unit_test (a_file_is_not_replaced_by_a_socket),
    };
    return system_fixture_run ("endpoints", tests);
}
