/* endpoints.c - texts of endpoints, good, bad and tricky, by what there is of keys: a process of
 * its own tries to listen at each, and what it listens at then the kernel tells (listener.h).
 * Without keys and a list that are in order nobody listens where other machines could come. */

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "tests/chaos/chaos.h"
#include "tests/chaos/secrets.h"
#include "tests/support/endpoints.h"

#define PLACE 0u
#define CASES LISTENER_CASES_MAX

typedef enum s_keys_t { S_NO_KEYS, S_KEYS, S_NO_LIST, S_OPEN_KEY, S_STATES } s_keys_t;

static const char *const s_names[S_STATES] = {"no keys", "keys", "no list", "open key"};

static const char *s_text (listener_outcome_t outcome) {
    switch (outcome) {
        case LISTENER_NOTHING: return "nothing";
        case LISTENER_MACHINE: return "machine";
        case LISTENER_BEYOND: return "beyond";
        case LISTENER_NO_KEY: return "no key";
        case LISTENER_NO_ENDPOINT: return "none";
        case LISTENER_NOT_HERE: return "not here";
    }
    return "?";
}

/* What may come of it; a name or an address may not be one of this machine's. */
static bool s_is_right (s_keys_t keys, dw_reach_t reach, listener_outcome_t outcome) {
    if (keys == S_NO_LIST || keys == S_OPEN_KEY)
        return outcome == LISTENER_NO_KEY ||
               (reach == DW_REACH_NONE && outcome == LISTENER_NO_ENDPOINT);
    switch (reach) {
        case DW_REACH_NONE: return outcome == LISTENER_NO_ENDPOINT;
        case DW_REACH_MACHINE: return outcome == LISTENER_MACHINE || outcome == LISTENER_NOT_HERE;
        case DW_REACH_BEYOND:
            return keys == S_NO_KEYS ? outcome == LISTENER_NO_KEY
                                     : outcome == LISTENER_MACHINE || outcome == LISTENER_BEYOND ||
                                           outcome == LISTENER_NOT_HERE;
    }
    return false;
}

/* A folder with the keys and not all that they need. */
static bool s_spoil (const char *folder, const char *name, char path[48]) {
    char from[96];
    snprintf (path, 48, "%s/%s", folder, name);
    if ((mkdir (path, 0700) && errno != EEXIST) || !secrets_make (path))
        return false;
    snprintf (from, sizeof from, "%s/%s", path,
              strcmp (name, "no-list") == 0 ? "allowed" : "coordinator.key");
    return strcmp (name, "no-list") == 0 ? remove (from) == 0 || errno == ENOENT
                                         : chmod (from, 0644) == 0;
}

/* One process, which tries all of them; what it saw is in cases. */
static void s_try (chaos_t *self, s_keys_t keys, const char *folder, listener_case_t *cases) {
    fleet_job_t job = {.role = FLEET_LISTENER};
    snprintf (job.keys, sizeof job.keys, "%s", folder);
    memset (fleet_counts (), 0, sizeof (fleet_counts_t));
    int64_t begin_ms = now_ms ();
    fleet_start (PLACE, &job);
    int ended = fleet_wait (PLACE, 60000);
    fleet_signal (PLACE, SIGKILL);
    self->row->took_ms = now_ms () - begin_ms;
    chaos_check (self, ended == FLEET_ENDED_OK, "with %s it ended with %d", s_names[keys], ended);
    memcpy (cases, fleet_counts ()->listened, CASES * sizeof *cases);
}

static int s_compare (const void *a, const void *b) {
    int64_t x = *(const int64_t *) a, y = *(const int64_t *) b;
    return (x > y) - (x < y);
}

static void s_account (chaos_t *self, s_keys_t keys, const listener_case_t *cases) {
    row_t *row = self->row;
    uint64_t by[LISTENER_NOT_HERE + 1] = {0};
    int64_t refusals_ms[CASES];
    size_t refusals = 0, count = endpoint_cases_count;
    row->has_load = true;
    for (size_t i = 0; i < count; i++) {
        const listener_case_t *is = &cases[i];
        by[is->outcome]++;
        row->accepted += is->is_tried;
        row->committed += is->is_served;
        if (is->outcome != LISTENER_MACHINE && is->outcome != LISTENER_BEYOND)
            refusals_ms[refusals++] = is->took_ms;
        chaos_check (self, s_is_right (keys, endpoint_cases[i].reach, is->outcome),
                     "with %s \"%s\" gives: %s", s_names[keys], endpoint_cases[i].endpoint,
                     s_text (is->outcome));
    }
    row->lost = row->accepted - row->committed;
    chaos_check (self, row->lost == 0, "where it listens it does not serve");
    if (refusals) {
        qsort (refusals_ms, refusals, sizeof *refusals_ms, s_compare);
        row->noticed_ms = refusals_ms[refusals / 2];
        row->noticed_most_ms = refusals_ms[refusals - 1];
    }
    chaos_check (self, row->noticed_most_ms < 1000, "a refusal takes too long");
    row->memory[0] = cases[0].memory[0]; /* of a process that has not opened anything yet */
    row->memory[1] = cases[count - 1].memory[1];
    row->descriptors[0] = cases[0].descriptors[0];
    row->descriptors[1] = cases[count - 1].descriptors[1];
    chaos_check (self, row->descriptors[1] <= row->descriptors[0], "descriptors stay behind");
    chaos_check (self, row->memory[1] < row->memory[0] + (16u << 10), "memory stays behind");
    bool may_listen = keys == S_NO_KEYS || keys == S_KEYS;
    chaos_fault (self, "listens here", by[LISTENER_MACHINE], may_listen ? 8 : 0);
    chaos_fault (self, "listens beyond", by[LISTENER_BEYOND], keys == S_KEYS ? 4 : 0);
    chaos_fault (self, "refused, no key", by[LISTENER_NO_KEY], keys == S_KEYS ? 0 : 20);
    chaos_fault (self, "no endpoints", by[LISTENER_NO_ENDPOINT], may_listen ? 30 : 0);
    chaos_fault (self, "not of this machine", by[LISTENER_NOT_HERE], keys == S_KEYS ? 8 : 0);
}

/* Every endpoint, and what came of it. */
static void s_print (listener_case_t cases[S_STATES][CASES]) {
    static const char *const reaches[] = {
        [DW_REACH_NONE] = "none", [DW_REACH_MACHINE] = "machine", [DW_REACH_BEYOND] = "beyond"};
    printf ("  %-42s %-8s", "endpoint", "reach");
    for (int k = 0; k < S_STATES; k++)
        printf (" %-8s", s_names[k]);
    printf ("\n");
    for (size_t i = 0; i < endpoint_cases_count; i++) {
        char shown[42];
        snprintf (shown, sizeof shown, "\"%s\"", endpoint_cases[i].endpoint);
        for (char *c = shown; *c; c++)
            *c = *c < ' ' ? '?' : *c;
        printf ("  %-42s %-8s", shown, reaches[endpoint_cases[i].reach]);
        for (int k = 0; k < S_STATES; k++)
            printf (" %-8s", s_text (cases[k][i].outcome));
        printf ("\n");
    }
}

void chaos_endpoints (chaos_t *self) {
    static listener_case_t cases[S_STATES][CASES];
    char folders[S_STATES][48] = {{0}};
    snprintf (folders[S_KEYS], sizeof folders[S_KEYS], "%s", self->folder);
    bool ok = secrets_make (self->folder) &&
              s_spoil (self->folder, "no-list", folders[S_NO_LIST]) &&
              s_spoil (self->folder, "open-key", folders[S_OPEN_KEY]) &&
              endpoint_cases_count <= CASES;
    chaos_check (self, ok, "there are no keys");
    for (int k = 0; ok && k < S_STATES; k++) {
        if (k > 0)
            chaos_row (self, "");
        snprintf (self->row->name, sizeof self->row->name, "endpoints, %s", s_names[k]);
        s_try (self, (s_keys_t) k, folders[k], cases[k]);
        s_account (self, (s_keys_t) k, cases[k]);
    }
    if (ok)
        s_print (cases);
}
