/* shrink.c - plays worlds in processes of their own, and makes one that does not hold smaller. */

#include "tests/simulated/shrink.h"

#include <assert.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/simulated/play.h"
#include "tests/simulated/verdict.h"

#define WORLD_S     30  /* of real time: one that takes longer goes round in circles */
#define TWICE_EVERY 16u /* so many worlds one is played twice, and must come to the same */

static uint64_t s_play (uint64_t seed, uint64_t off, FILE *transcript) {
    plot_t *plot = plot_new (seed, off);
    if (transcript)
        plot_print (plot, transcript);
    uint64_t hash = play (plot, transcript);
    plot_destroy (&plot);
    verdict->worlds++;
    return hash;
}

static void s_play_all (uint64_t from, uint64_t to, uint64_t off, FILE *transcript) {
    for (uint64_t seed = from; seed <= to; seed++) {
        verdict->seed = seed;
        alarm (WORLD_S);
        uint64_t hash = s_play (seed, off, transcript);
        if (seed % TWICE_EVERY == 0 && !transcript && s_play (seed, off, NULL) != hash)
            verdict_fail ("the same seed gave another world");
    }
}

bool shrink_play (uint64_t from, uint64_t to, uint64_t off, bool verbose) {
    int status;
    verdict->wrong[0] = '\0';
    fflush (stdout);
    pid_t child = fork ();
    assert (child >= 0);
    if (child == 0) {
        s_play_all (from, to, off, verbose ? stdout : NULL);
        exit (0); /* where a sanitizer looks for what was left */
    }
    while (waitpid (child, &status, 0) != child)
        ;
    if (WIFSIGNALED (status))
        snprintf (verdict->wrong, sizeof verdict->wrong, "signal %d (%s)", WTERMSIG (status),
                  strsignal (WTERMSIG (status)));
    else if (WEXITSTATUS (status) && !verdict->wrong[0])
        snprintf (verdict->wrong, sizeof verdict->wrong, "exit status %d", WEXITSTATUS (status));
    return !verdict->wrong[0];
}

uint64_t shrink (uint64_t seed, uint64_t off) {
    verdict_t before = *verdict;
    int own = dup (STDERR_FILENO), none = open ("/dev/null", O_WRONLY);
    dup2 (none, STDERR_FILENO);
    close (none);
    for (bool is_smaller = true; is_smaller;) {
        is_smaller = false;
        for (uint32_t what = 0; what < PLOT_OFF_COUNT; what++) {
            uint64_t less = off | (uint64_t) 1 << what;
            if (less != off && !shrink_play (seed, seed, less, false)) {
                off = less;
                is_smaller = true;
            }
        }
    }
    dup2 (own, STDERR_FILENO);
    close (own);
    *verdict = before;
    return off;
}
