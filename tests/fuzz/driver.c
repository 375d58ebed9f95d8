/* driver.c - runs a fuzz target without libFuzzer: every input of its corpus, then mutations of
 * them for some seconds.
 *
 *     fuzz_NAME SECONDS CORPUS [SEED]     the suite's run; CORPUS is a folder that need not exist
 *     fuzz_NAME FILE...                   runs these inputs once, to look at a crash
 *
 * An input is a function of the seed and its number alone. One that crashes the target is written
 * to a file whose name is printed, whether the end is a signal or a sanitizer's report. */

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define INPUT_BYTES_MAX  (64 * 1024)
#define CORPUS_FILES_MAX 4096

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size);
void __sanitizer_set_death_callback (void (*callback) (void)) __attribute__ ((weak));

typedef struct {
    uint8_t *bytes;
    size_t size;
} input_t;

static input_t s_corpus[CORPUS_FILES_MAX];
static size_t s_corpus_count;

/* What the target is reading now, for the handlers below. */
static const uint8_t *s_current_bytes;
static size_t s_current_size;
static char s_crash_name[64];

/* -- The input that crashed is kept --------------------------------------------------------- */

/* Only calls that a signal handler may make. */
static void s_keep_current (void) {
    int file = open (s_crash_name, O_WRONLY | O_CREAT | O_TRUNC, 0644);
    if (file < 0)
        return;
    if (write (file, s_current_bytes, s_current_size) == (ssize_t) s_current_size) {
        static const char said[] = "the input that crashed was written to ";
        if (write (STDERR_FILENO, said, sizeof (said) - 1) > 0 &&
            write (STDERR_FILENO, s_crash_name, strlen (s_crash_name)) > 0 &&
            write (STDERR_FILENO, "\n", 1) > 0)
            close (file);
    }
}

static void s_on_signal (int number) {
    s_keep_current ();
    signal (number, SIG_DFL);
    raise (number);
}

static void s_catch_crashes (const char *program) {
    const char *slash = strrchr (program, '/');
    snprintf (s_crash_name, sizeof (s_crash_name), "crash-%.40s-%ld", slash ? slash + 1 : program,
              (long) getpid ());
    if (__sanitizer_set_death_callback) {
        __sanitizer_set_death_callback (s_keep_current);
        return;
    }
    static char stack[64 * 1024]; /* A stack of its own: the target may have used up the other. */
    stack_t alternative = {.ss_sp = stack, .ss_size = sizeof (stack)};
    sigaltstack (&alternative, NULL);
    struct sigaction action = {.sa_handler = s_on_signal, .sa_flags = SA_ONSTACK | SA_NODEFER};
    static const int numbers[] = {SIGSEGV, SIGBUS, SIGABRT, SIGFPE, SIGILL};
    for (size_t i = 0; i < sizeof (numbers) / sizeof (numbers[0]); i++)
        sigaction (numbers[i], &action, NULL);
}

/* -- Inputs --------------------------------------------------------------------------------- */

static int s_read_file (const char *path, input_t *input) {
    FILE *file = fopen (path, "rb");
    if (!file) {
        fprintf (stderr, "%s: %s\n", path, strerror (errno));
        return -1;
    }
    static uint8_t buffer[INPUT_BYTES_MAX];
    input->size = fread (buffer, 1, sizeof (buffer), file);
    fclose (file);
    input->bytes = malloc (input->size + 1);
    if (!input->bytes)
        abort ();
    memcpy (input->bytes, buffer, input->size);
    return 0;
}

static int s_is_file (const struct dirent *entry) {
    return entry->d_name[0] != '.';
}

/* Sorted by name, so that the same seed means the same inputs everywhere. */
static int s_read_corpus (const char *folder) {
    struct dirent **entries;
    int entries_count = scandir (folder, &entries, s_is_file, alphasort);
    int err = 0;
    for (int i = 0; i < entries_count; i++) {
        char path[4096];
        snprintf (path, sizeof (path), "%s/%s", folder, entries[i]->d_name);
        if (s_corpus_count < CORPUS_FILES_MAX && !err) {
            err = s_read_file (path, &s_corpus[s_corpus_count]);
            s_corpus_count += !err;
        }
        free (entries[i]);
    }
    if (entries_count >= 0)
        free (entries);
    if (!err && s_corpus_count == 0) /* Without a corpus mutations start from nothing. */
        s_corpus[s_corpus_count++] = (input_t){.bytes = calloc (1, 1), .size = 0};
    return err;
}

/* The target gets a copy of just this size, so that a sanitizer or valgrind sees a read past its
 * end. */
static void s_run (const uint8_t *bytes, size_t size) {
    uint8_t *copy = malloc (size ? size : 1);
    if (!copy)
        abort ();
    memcpy (copy, bytes, size);
    s_current_bytes = copy;
    s_current_size = size;
    LLVMFuzzerTestOneInput (copy, size);
    free (copy);
}

/* -- Mutations ------------------------------------------------------------------------------ */

/* splitmix64 (Steele, Lea, Flood 2014). */
static uint64_t s_random (uint64_t *state) {
    uint64_t z = (*state += 0x9e3779b97f4a7c15u);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

static size_t s_below (uint64_t *state, size_t limit) {
    return limit ? (size_t) (s_random (state) % limit) : 0;
}

/* Bytes at the edges of integers, of msgpack's types and of YAML's grammar. */
static const uint8_t s_edges[] = {0x00, 0x01, 0x7f, 0x80, 0x90, 0xa0, 0xc0, 0xc4,
                                  0xc6, 0xd9, 0xdc, 0xdd, 0xde, 0xdf, 0xff, '\n',
                                  ' ',  '-',  ':',  '[',  '{',  '&',  '*',  '"'};

static size_t s_mutate (uint8_t *bytes, size_t size, uint64_t *state) {
    size_t at = s_below (state, size + 1);
    switch (s_random (state) % 7) {
        case 0: /* flips a bit */
            if (at < size)
                bytes[at] ^= (uint8_t) (1u << s_below (state, 8));
            break;
        case 1: /* sets a byte to an edge */
            if (at < size)
                bytes[at] = s_edges[s_below (state, sizeof (s_edges))];
            break;
        case 2: /* sets a byte to anything */
            if (at < size)
                bytes[at] = (uint8_t) s_random (state);
            break;
        case 3: /* inserts an edge */
            if (size < INPUT_BYTES_MAX) {
                memmove (bytes + at + 1, bytes + at, size - at);
                bytes[at] = s_edges[s_below (state, sizeof (s_edges))];
                size++;
            }
            break;
        case 4: { /* removes a piece */
            size_t piece = s_below (state, size - at + 1);
            memmove (bytes + at, bytes + at + piece, size - at - piece);
            size -= piece;
            break;
        }
        case 5: { /* doubles a piece */
            size_t piece = s_below (state, size - at + 1);
            if (size + piece <= INPUT_BYTES_MAX) {
                memmove (bytes + at + piece, bytes + at, size - at);
                size += piece;
            }
            break;
        }
        case 6: { /* continues with a piece of another input */
            const input_t *other = &s_corpus[s_below (state, s_corpus_count)];
            size_t from = s_below (state, other->size + 1);
            size_t piece = s_below (state, other->size - from + 1);
            if (at + piece <= INPUT_BYTES_MAX) {
                memcpy (bytes + at, other->bytes + from, piece);
                size = at + piece > size ? at + piece : size;
            }
            break;
        }
    }
    return size;
}

static void s_run_mutation (uint64_t seed, uint64_t number) {
    static uint8_t bytes[INPUT_BYTES_MAX];
    uint64_t state = seed + number * 0xd1342543de82ef95u;
    const input_t *parent = &s_corpus[s_below (&state, s_corpus_count)];
    size_t size = parent->size;
    memcpy (bytes, parent->bytes, size);
    for (size_t left = 1 + s_below (&state, 8); left > 0; left--)
        size = s_mutate (bytes, size, &state);
    s_run (bytes, size);
}

/* -- The two ways to call ------------------------------------------------------------------- */

static double s_now_seconds (void) {
    struct timespec now;
    clock_gettime (CLOCK_MONOTONIC, &now);
    return (double) now.tv_sec + (double) now.tv_nsec / 1e9;
}

static int s_fuzz (double seconds, const char *folder, uint64_t seed) {
    if (s_read_corpus (folder))
        return 1;
    for (size_t i = 0; i < s_corpus_count; i++)
        s_run (s_corpus[i].bytes, s_corpus[i].size);
    uint64_t mutations_count = 0;
    double end = s_now_seconds () + seconds;
    while (s_now_seconds () < end)
        for (int i = 0; i < 16; i++)
            s_run_mutation (seed, mutations_count++);
    printf ("%zu inputs, %" PRIu64 " mutations, seed %" PRIu64 "\n", s_corpus_count,
            mutations_count, seed);
    for (size_t i = 0; i < s_corpus_count; i++)
        free (s_corpus[i].bytes);
    return 0;
}

static int s_run_files (char **paths, int paths_count) {
    for (int i = 0; i < paths_count; i++) {
        input_t input;
        if (s_read_file (paths[i], &input))
            return 1;
        s_run (input.bytes, input.size);
        free (input.bytes);
    }
    return 0;
}

int main (int argc, char **argv) {
    s_catch_crashes (argv[0]);
    char *end = "";
    double seconds = argc > 1 ? strtod (argv[1], &end) : 0;
    if (argc > 1 && *end)
        return s_run_files (argv + 1, argc - 1);
    if (argc < 3 || argc > 4) {
        fprintf (stderr, "usage: %s SECONDS CORPUS [SEED] | FILE...\n", argv[0]);
        return 64;
    }
    return s_fuzz (seconds, argv[2], argc == 4 ? strtoull (argv[3], NULL, 10) : 1);
}
