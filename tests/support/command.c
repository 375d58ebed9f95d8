/* command.c */

#include "tests/support/command.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define BINARY        DAGWOOD_BUILD_DIR "/dagwood"
#define WORDS_MAX     64
#define FILES_MAX     128
#define SECONDS_MAX   120
#define AWAIT_LOOKS   2000
#define AWAIT_LOOK_US 5000

/* ---- A command ---------------------------------------------------------------------------- */

/* In the new process. Standard streams are files, so that neither side waits for the other. The
 * binary is opened before prepare may give up the right to look into its folder. */
static void s_become_dagwood (const command_t *self, int in_fd, const char *const *words) {
    const char *arguments[WORDS_MAX] = {"dagwood"};
    for (size_t i = 0; words[i] && i + 2 < WORDS_MAX; i++)
        arguments[i + 1] = words[i];
    int binary = open (BINARY, O_RDONLY | O_CLOEXEC);
    dup2 (in_fd, STDIN_FILENO);
    dup2 (self->out_fd, STDOUT_FILENO);
    dup2 (self->err_fd, STDERR_FILENO);
    alarm (SECONDS_MAX);
    if (self->prepare)
        self->prepare ();
    fexecve (binary, (char *const *) (uintptr_t) arguments, environ);
    dprintf (STDERR_FILENO, "%s: %s\n", BINARY, strerror (errno));
    _exit (127);
}

static int s_memory_file (const char *content) {
    int fd = memfd_create ("command", MFD_CLOEXEC);
    assert_true (fd >= 0);
    size_t size = content ? strlen (content) : 0;
    assert_int_equal (write (fd, content ? content : "", size), size);
    assert_int_equal (lseek (fd, 0, SEEK_SET), 0);
    return fd;
}

void command_start (command_t *self, const char *const *words) {
    int in_fd = s_memory_file (self->input);
    self->out_fd = s_memory_file (NULL);
    self->err_fd = s_memory_file (NULL);
    fflush (NULL);
    self->pid = fork ();
    assert_true (self->pid >= 0);
    if (self->pid == 0)
        s_become_dagwood (self, in_fd, words);
    close (in_fd);
}

static char *s_read (int fd, size_t *size_p) {
    struct stat about;
    assert_int_equal (fstat (fd, &about), 0);
    size_t size = (size_t) about.st_size;
    char *text = malloc (size + 1);
    assert_non_null (text);
    assert_int_equal (pread (fd, text, size, 0), size);
    text[size] = '\0';
    *size_p = size;
    return text;
}

/* Waits until the file has text in it; *said_p gets what it has then. */
static void s_await (int fd, const char *text, char **said_p) {
    for (int looks = 0; looks < AWAIT_LOOKS; looks++) {
        size_t size;
        free (*said_p);
        *said_p = s_read (fd, &size);
        if (strstr (*said_p, text))
            return;
        usleep (AWAIT_LOOK_US);
    }
    fail_msg ("\"%s\" was not said; only:\n%.4000s", text, *said_p);
}

void command_await_output (command_t *self, const char *text) {
    s_await (self->out_fd, text, &self->out);
}

void command_await_error (command_t *self, const char *text) {
    s_await (self->err_fd, text, &self->err);
}

void command_signal (const command_t *self, int number) {
    assert_true (self->pid > 0);
    assert_int_equal (kill (self->pid, number), 0);
}

void command_end (command_t *self) {
    int status;
    assert_int_equal (waitpid (self->pid, &status, 0), self->pid);
    self->pid = 0;
    self->status = WIFEXITED (status) ? WEXITSTATUS (status) : -WTERMSIG (status);
    size_t err_size;
    free (self->out);
    free (self->err);
    self->out = s_read (self->out_fd, &self->out_size);
    self->err = s_read (self->err_fd, &err_size);
    close (self->out_fd);
    close (self->err_fd);
}

void command_free (command_t *self) {
    free (self->out);
    free (self->err);
    *self = (command_t){0};
}

void command_forget (command_t *self) {
    if (self->pid > 0) {
        kill (self->pid, SIGKILL);
        command_end (self);
    }
    command_free (self);
}

void command_take_endpoint (const command_t *self, char endpoint[COMMAND_ENDPOINT_SIZE]) {
    assert_int_equal (sscanf (self->out, "listening at %255s", endpoint), 1);
}

void command_run (command_t *self, const char *const *words) {
    command_start (self, words);
    command_end (self);
}

/* ---- What is expected of it --------------------------------------------------------------- */

void command_expect (const command_t *self, int status) {
    if (self->status != status) {
        fail_msg ("status %d, not %d; it said:\n%.4000s%.4000s", self->status, status, self->out,
                  self->err);
    }
}

void command_expect_error (const command_t *self, const char *text) {
    if (!strstr (self->err, text))
        fail_msg ("standard error has no \"%s\"; it is:\n%.4000s", text, self->err);
}

void command_expect_output (const command_t *self, const char *text) {
    if (!strstr (self->out, text))
        fail_msg ("standard output has no \"%s\"; it is:\n%.4000s", text, self->out);
}

/* ASCII's control characters but the end of a line, and those from U+0080 on, which begin with
 * 0xC2. */
static void s_expect_tame (const char *text) {
    for (const unsigned char *at = (const unsigned char *) text; *at; at++) {
        bool is_control = (*at < 0x20 && *at != '\n') || *at == 0x7f ||
                          (at[0] == 0xc2 && at[1] >= 0x80 && at[1] <= 0x9f);
        if (is_control)
            fail_msg ("the byte 0x%02x, %td bytes from the beginning of: %s", *at,
                      (const char *) at - text, text);
    }
}

void command_expect_tame (const command_t *self) {
    s_expect_tame (self->out ? self->out : "");
    s_expect_tame (self->err ? self->err : "");
}

json_t *command_json (const command_t *self) {
    json_error_t error;
    json_t *json = json_loadb (self->out, self->out_size, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL,
                               &error);
    if (!json) {
        fail_msg ("standard output is no JSON: %s\n%.4000s\n%.4000s", error.text, self->out,
                  self->err);
    }
    return json;
}

json_t *command_next_json (const char **text_p) {
    const char *end = strchr (*text_p, '\n');
    json_error_t error;
    assert_non_null (end);
    json_t *json = json_loadb (*text_p, (size_t) (end - *text_p),
                               JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, &error);
    if (!json)
        fail_msg ("a line is no JSON: %s\n%.400s", error.text, *text_p);
    *text_p = end + 1;
    return json;
}

/* ---- Files -------------------------------------------------------------------------------- */

static char s_folder[] = "/tmp/dagwood-test-XXXXXX";
static char s_files[FILES_MAX][128];
static size_t s_files_count;

int command_folder_set_up (void **state) {
    (void) state;
    return mkdtemp (s_folder) && chmod (s_folder, 0755) == 0 ? 0 : -1;
}

int command_folder_tear_down (void **state) {
    (void) state;
    for (size_t i = 0; i < s_files_count; i++)
        unlink (s_files[i]);
    return rmdir (s_folder);
}

const char *command_path (const char *name) {
    assert_true (s_files_count < FILES_MAX);
    char *path = s_files[s_files_count++];
    snprintf (path, sizeof s_files[0], "%s/%s", s_folder, name);
    return path;
}

const char *command_file_of (const char *name, const void *bytes, size_t size) {
    const char *path = command_path (name);
    FILE *file = fopen (path, "w");
    assert_non_null (file);
    assert_int_equal (fwrite (bytes, 1, size, file), size);
    assert_int_equal (fclose (file), 0);
    return path;
}

const char *command_file (const char *name, const char *text) {
    return command_file_of (name, text, strlen (text));
}
