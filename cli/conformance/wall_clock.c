/* wall_clock.c */

#include "cli/conformance/wall_clock.h"

#include <errno.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/command.h"

#define NAME    "libfaketimeMT.so.1" /* the one for programs with threads */
#define OWN_MAX 8                    /* variables */
#define PRELOAD "LD_PRELOAD="
#define PREFIX  "FAKETIME" /* of all of its variables but one */

/* Debian's and Fedora's places, Arch's, and that of who has built it. */
static const char *const s_places[] = {"/usr/lib/*/faketime/" NAME, "/usr/lib64/faketime/" NAME,
                                       "/usr/lib/faketime/" NAME, "/usr/local/lib/faketime/" NAME};

/* The name is made one that the loader need not look for, and that a process says of itself. */
int dw_wall_clock_find (dw_wall_clock_t *self, const char *library) {
    if (library && access (library, R_OK))
        return dw_command_cannot_read (library, errno);
    if (library) {
        self->library = realpath (library, NULL);
        return self->library ? DW_EXIT_OK : dw_command_fail (DW_ENOMEM, NULL, library);
    }
    for (size_t i = 0; !self->library && i < sizeof s_places / sizeof *s_places; i++) {
        glob_t found;
        if (glob (s_places[i], 0, NULL, &found) == 0) {
            self->library = realpath (found.gl_pathv[0], NULL);
            globfree (&found);
        }
    }
    return DW_EXIT_OK;
}

/* ---- What a program with this clock takes ----------------------------------------------------- */

/* LD_PRELOAD that there was is kept, and comes first: a sanitizer's library wants to. */
static bool s_make_own_variables (dw_wall_clock_t *self) {
    static const char *const settings[] = {
        "FAKETIME_NO_CACHE=1",            /* the file is read at each look */
        "FAKETIME_DONT_FAKE_MONOTONIC=1", /* a clock that jumps is the wall clock alone */
        "FAKETIME_FORCE_MONOTONIC_FIX=0", /* else 0.9.10 spoils waits for conditions by it */
        "NO_FAKE_STAT=1",                 /* nor do the times of files */
    };
    const char *before = getenv ("LD_PRELOAD");
    bool has_before = before && before[0];
    size_t count = sizeof settings / sizeof *settings;
    bool ok = asprintf (&self->environment[0], PRELOAD "%s%s%s", has_before ? before : "",
                        has_before ? ":" : "", self->library) >= 0;
    self->own_variables = ok ? 1 : 0;
    ok = ok && asprintf (&self->environment[1], PREFIX "_TIMESTAMP_FILE=%s", self->file) >= 0;
    self->own_variables += ok ? 1 : 0;
    for (size_t i = 0; ok && i < count; i++) {
        self->environment[self->own_variables] = strdup (settings[i]);
        ok = self->environment[self->own_variables] != NULL;
        self->own_variables += ok ? 1 : 0;
    }
    return ok;
}

static bool s_is_replaced (const char *variable) {
    return strncmp (variable, PRELOAD, strlen (PRELOAD)) == 0 ||
           strncmp (variable, PREFIX, strlen (PREFIX)) == 0;
}

static bool s_make_environment (dw_wall_clock_t *self) {
    size_t count = 0;
    while (environ[count])
        count++;
    self->environment = calloc (count + OWN_MAX + 1, sizeof *self->environment);
    if (!self->environment || !s_make_own_variables (self))
        return false;
    size_t at = self->own_variables;
    for (size_t i = 0; i < count; i++)
        if (!s_is_replaced (environ[i]))
            self->environment[at++] = environ[i];
    return true;
}

static void s_forget_environment (dw_wall_clock_t *self) {
    for (size_t i = 0; i < self->own_variables; i++)
        free (self->environment[i]);
    free (self->environment);
    self->environment = NULL;
    self->own_variables = 0;
}

static int s_make_folder (dw_wall_clock_t *self) {
    int status = dw_command_make_folder (&self->folder, "a clock");
    if (status)
        return status;
    if (asprintf (&self->file, "%s/offset", self->folder) < 0) {
        self->file = NULL;
        return dw_command_fail (DW_ENOMEM, NULL, "a clock");
    }
    return DW_EXIT_OK;
}

int dw_wall_clock_begin (dw_wall_clock_t *self) {
    int status = self->file ? DW_EXIT_OK : s_make_folder (self);
    s_forget_environment (self);
    if (!status && !s_make_environment (self))
        status = dw_command_fail (DW_ENOMEM, NULL, "a clock");
    if (!status && !dw_wall_clock_set (self, 0)) {
        dw_command_say ("%s cannot be written: %s", self->file, strerror (errno));
        status = DW_EXIT_REFUSED;
    }
    return status;
}

void dw_wall_clock_close (dw_wall_clock_t *self) {
    s_forget_environment (self);
    if (self->file)
        (void) unlink (self->file);
    if (self->folder)
        (void) rmdir (self->folder);
    free (self->file);
    free (self->folder);
    free (self->library);
    *self = (dw_wall_clock_t){0};
}

/* ---- While it runs ---------------------------------------------------------------------------- */

/* Who reads the file finds one text or the other, and never a part of it. */
bool dw_wall_clock_set (dw_wall_clock_t *self, int seconds) {
    char *next = NULL;
    if (asprintf (&next, "%s.next", self->file) < 0)
        return false;
    FILE *file = fopen (next, "we");
    bool ok = file && fprintf (file, "%+d\n", seconds) > 0;
    ok = file && fclose (file) == 0 && ok;
    ok = ok && rename (next, self->file) == 0;
    if (!ok)
        (void) unlink (next);
    free (next);
    return ok;
}

bool dw_wall_clock_is_in (const dw_wall_clock_t *self, pid_t pid) {
    char path[40];
    char *line = NULL;
    size_t room = 0;
    bool is_in = false;
    snprintf (path, sizeof path, "/proc/%ld/maps", (long) pid);
    FILE *maps = fopen (path, "re");
    while (maps && !is_in && getline (&line, &room, maps) >= 0)
        is_in = strstr (line, self->library) != NULL;
    free (line);
    if (maps)
        (void) fclose (maps);
    return is_in;
}

/* A semaphore and a piece of memory, which have its number, and which the next process with that
 * number would stumble over. */
void dw_wall_clock_clean_up (pid_t pid) {
    char path[64];
    snprintf (path, sizeof path, "/dev/shm/sem.faketime_sem_%ld", (long) pid);
    (void) unlink (path);
    snprintf (path, sizeof path, "/dev/shm/faketime_shm_%ld", (long) pid);
    (void) unlink (path);
}
