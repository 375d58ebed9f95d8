/* explain.c - a recorded run in words. */

#include "cli/explain.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/output.h"

#define PATH_MAX_SHOWN 40u /* nodes of the critical path: of more the beginning and the end */

static const char *const s_parts[DW_WHY_PARTS] = {
    [DW_WHY_DEPENDENCIES] = "waiting for dependencies",
    [DW_WHY_WORKER] = "waiting for a worker",
    [DW_WHY_RUNNING] = "running",
    [DW_WHY_RETRY] = "put off until a retry",
    [DW_WHY_MESSAGES] = "messages",
    [DW_WHY_ADDED] = "running what it added",
    [DW_WHY_END] = "until the run ended",
};

static const char *s_run_status (const dw_why_t *why) {
    return why->has_ended ? dw_run_status_text (why->status) : "not ended in this recording";
}

static const char *s_state (dw_node_state_t state) {
    switch (state) {
        case DW_STATE_WAITING: return "waiting";
        case DW_STATE_READY: return "ready";
        case DW_STATE_SENT: return "running";
        case DW_STATE_BACKOFF: return "put off";
        case DW_STATE_ADDED: return "running what it added";
        case DW_STATE_DONE: return "done";
        case DW_STATE_FAILED: return "failed";
        case DW_STATE_SKIPPED: return "skipped";
        case DW_STATE_LEFT_OUT: return "left out";
        case DW_STATE_CANCELLED: return "cancelled";
        case DW_STATE_NOT_REQUESTED: return "not requested";
    }
    return "";
}

/* ---- The run ------------------------------------------------------------------------------ */

static void s_print_states (const dw_why_t *why) {
    uint32_t counts[DW_STATE_LEFT_OUT + 1] = {0};
    const char *separator = " (";
    for (uint32_t node = 0; node < why->plan->nodes_count; node++)
        counts[why->nodes[node].state]++;
    for (int state = 0; state <= DW_STATE_LEFT_OUT; state++) {
        if (counts[state]) {
            dw_output_print ("%s%" PRIu32 " %s", separator, counts[state],
                             s_state ((dw_node_state_t) state));
            separator = ", ";
        }
    }
    dw_output_text (why->plan->nodes_count ? ")\n" : "\n");
}

static void s_print_head (const dw_explain_t *self) {
    const dw_why_t *why = self->why;
    char text[32];
    dw_output_print ("run %" PRIu64 " of %" PRIu64 ": %s, %s", why->run, self->runs_count,
                     s_run_status (why),
                     dw_recording_ns (text, (double) (why->ended_ns - why->submitted_ns)));
    s_print_states (why);
}

static void s_print_parts (const dw_why_t *why) {
    int64_t path[DW_WHY_PARTS] = {0}, all[DW_WHY_PARTS] = {0};
    int64_t together = why->ended_ns - why->submitted_ns;
    char one[32], other[32];
    dw_why_path_parts (why, path);
    for (uint32_t node = 0; node < why->plan->nodes_count; node++)
        dw_why_parts (why, node, all);
    dw_output_print ("\n%-26s %12s %6s %14s\n", "where its time went", "critical path", "",
                     "sum of nodes");
    for (int part = 0; part < DW_WHY_PARTS; part++) {
        if (path[part] == 0 && all[part] == 0)
            continue;
        dw_output_print ("  %-24s %12s %5.1f%% %14s\n", s_parts[part],
                         dw_recording_ns (one, (double) path[part]),
                         together ? 100 * (double) path[part] / (double) together : 0,
                         part == DW_WHY_END ? "" : dw_recording_ns (other, (double) all[part]));
    }
}

/* Where an attempt ran. */
static void s_print_where (const dw_why_t *why, const dw_attempt_t *attempt) {
    if (attempt->is_own) {
        dw_output_text ("the coordinator's thread");
        return;
    }
    dw_output_print ("worker %" PRIu32, attempt->worker);
    const char *place = attempt->worker < why->places_size ? why->places[attempt->worker] : NULL;
    if (place) {
        dw_output_text (" (");
        dw_output_write_visible (place, strlen (place));
        dw_output_text (")");
    }
}

static void s_print_path_node (const dw_why_t *why, uint32_t node) {
    int64_t parts[DW_WHY_PARTS] = {0};
    char at[32], waited[32], ran[32], messages[32];
    const dw_why_node_t *it = &why->nodes[node];
    dw_why_own_parts (why, node, parts);
    dw_output_print (
        "  %12s %12s %12s %12s  ",
        dw_recording_ns (at, (double) (it->ready_ns - why->submitted_ns)),
        dw_recording_ns (waited, (double) (parts[DW_WHY_WORKER] + parts[DW_WHY_RETRY])),
        dw_recording_ns (ran, (double) parts[DW_WHY_RUNNING]),
        dw_recording_ns (messages, (double) parts[DW_WHY_MESSAGES]));
    dw_recording_print_id (why->plan, node);
    dw_output_text (", ");
    s_print_where (why, &why->attempts[it->last]);
    if (it->state != DW_STATE_DONE)
        dw_output_print (", %s", s_state (it->state));
    dw_output_text ("\n");
}

/* The critical path from its beginning; NULL: no memory. */
static uint32_t *s_path (const dw_why_t *why, uint32_t *count_p) {
    uint32_t count = 0, last = dw_why_last (why);
    for (uint32_t at = last; at != DW_NONE; at = why->nodes[at].released_by)
        count++;
    uint32_t *nodes = calloc (count + 1u, sizeof *nodes);
    *count_p = count;
    for (uint32_t at = last; nodes && at != DW_NONE; at = why->nodes[at].released_by)
        nodes[--count] = at;
    return nodes;
}

static bool s_print_path (const dw_why_t *why) {
    uint32_t count;
    uint32_t *nodes = s_path (why, &count);
    if (!nodes)
        return false;
    if (count > 0) {
        dw_output_print ("\nthe critical path: %" PRIu32 " of %" PRIu32
                         " nodes, each released by the one before\n  %12s %12s %12s %12s  %s\n",
                         count, why->plan->nodes_count, "ready at", "waited", "ran", "messages",
                         "node, where");
    }
    for (uint32_t i = 0; i < count; i++) {
        if (count > PATH_MAX_SHOWN && i == PATH_MAX_SHOWN / 2) {
            dw_output_print ("  ... and %" PRIu32 " more ...\n", count - PATH_MAX_SHOWN);
            i = count - PATH_MAX_SHOWN / 2;
        }
        s_print_path_node (why, nodes[i]);
    }
    free (nodes);
    return true;
}

static bool s_print_best (const dw_why_t *why) {
    dw_why_best_t best;
    char one[32], two[32], three[32];
    double took = (double) (why->ended_ns - why->submitted_ns);
    if (dw_why_best (why, &best))
        return false;
    dw_output_print (
        "\nthe best possible: %s (the longest path runs for %s; all that ran, on %" PRIu32
        " at a time, for %s)",
        dw_recording_ns (one, (double) best.bound_ns), dw_recording_ns (two, (double) best.path_ns),
        best.threads, dw_recording_ns (three, (double) best.work_ns / best.threads));
    if (best.bound_ns > 0)
        dw_output_print ("; it took %.2f times that", took / (double) best.bound_ns);
    dw_output_text ("\n");
    return true;
}

int dw_explain_run (const dw_explain_t *self) {
    s_print_head (self);
    s_print_parts (self->why);
    if (!s_print_path (self->why) || !s_print_best (self->why))
        return dw_command_fail (DW_ENOMEM, NULL, self->file);
    return DW_EXIT_OK;
}

/* ---- A node ------------------------------------------------------------------------------- */

static const char *s_since (const dw_why_t *why, int64_t ns, char *text) {
    return dw_recording_ns (text, (double) (ns - why->submitted_ns));
}

static void s_print_causes (const dw_why_t *why, const dw_why_node_t *it) {
    for (uint32_t i = 0; i < it->causes_count; i++) {
        dw_output_text (i == 0 ? " because of " : i + 1 == it->causes_count ? " and " : ", ");
        dw_recording_print_id (why->plan, why->causes[it->causes_at + i]);
    }
    dw_output_text (it->state == DW_STATE_LEFT_OUT ? ", where the branch ended\n"
                                                   : ", which failed\n");
}

/* Why it did not run, or not to its end. */
static void s_print_unrun (const dw_why_t *why, const dw_why_node_t *it) {
    switch (it->state) {
        case DW_STATE_NOT_REQUESTED:
            dw_output_text ("  nobody asked for it, and nothing that was asked for needs it\n");
            return;
        case DW_STATE_SKIPPED:
        case DW_STATE_CANCELLED:
            dw_output_print ("  %s", s_state (it->state));
            if (it->cut_with != DW_NONE && it->state == DW_STATE_CANCELLED) {
                dw_output_text (" because that was asked for of ");
                dw_recording_print_id (why->plan, it->cut_with);
                dw_output_text (it == &why->nodes[it->cut_with] ? "\n" : ", which it depends on\n");
            } else if (it->causes_count) {
                s_print_causes (why, it);
            } else if (why->was_cancelled) {
                dw_output_text (" because the run was cancelled\n");
            } else {
                dw_output_text (" when the run ended\n");
            }
            return;
        case DW_STATE_LEFT_OUT:
            if (it->first != DW_NONE) {
                dw_output_text ("  it ended its branch: what depends on it alone does not run\n");
            } else {
                dw_output_text ("  left out");
                s_print_causes (why, it);
            }
            return;
        case DW_STATE_WAITING:
        case DW_STATE_READY:
        case DW_STATE_SENT:
        case DW_STATE_BACKOFF:
        case DW_STATE_ADDED:
            dw_output_print ("  %s where the recording ends\n", s_state (it->state));
            return;
        case DW_STATE_FAILED:
            if (it->is_unserved)
                dw_output_text ("  no worker that was there could run it (503)\n");
            else if (it->last == DW_NONE || why->attempts[it->last].outcome == DW_OUTCOME_BACK)
                dw_output_text ("  the run's time was over before it had begun (408)\n");
            return;
        case DW_STATE_DONE: return;
    }
}

/* What it waited for before it was ready, the longest last. */
static void s_print_ready (const dw_why_t *why, uint32_t node) {
    const dw_plan_t *plan = why->plan;
    const dw_why_node_t *it = &why->nodes[node];
    char text[32];
    if (it->released_by == DW_NONE) {
        dw_output_text ("  ready when the run was submitted: it waits for nothing\n");
        return;
    }
    dw_output_print ("  ready at %s, when ", s_since (why, it->ready_ns, text));
    dw_recording_print_id (plan, it->released_by);
    dw_output_print (" had %s",
                     why->nodes[it->released_by].state == DW_STATE_DONE ? "been done" : "ended");
    bool is_dependency = false;
    for (uint32_t e = plan->dependencies_at[node]; e < plan->dependencies_at[node + 1]; e++) {
        uint32_t other = plan->dependencies[e];
        is_dependency |= other == it->released_by;
        if (other != it->released_by && why->nodes[other].final_ns >= 0) {
            dw_output_text ("; ");
            dw_recording_print_id (plan, other);
            dw_output_print (" at %s", s_since (why, why->nodes[other].final_ns, text));
        }
    }
    dw_output_text (is_dependency                ? "\n"
                    : plan->strategy == DW_LEVEL ? ", the last of the level before\n"
                                                 : ", for which what did not run waited\n");
}

static void s_print_outcome (const dw_why_t *why, const dw_attempt_t *attempt) {
    char text[32];
    switch (attempt->outcome) {
        case DW_OUTCOME_OPEN: dw_output_text ("under way where the recording ends"); return;
        case DW_OUTCOME_DONE: dw_output_text ("done"); return;
        case DW_OUTCOME_FAILED: dw_output_print ("failed with code %u", attempt->code); return;
        case DW_OUTCOME_TIMED_OUT:
            dw_output_print ("%s time was over (408)",
                             why->nodes[attempt->node].is_out_of_time ? "the run's" : "its");
            return;
        case DW_OUTCOME_LOST: dw_output_text ("its worker was lost"); return;
        case DW_OUTCOME_BACK: dw_output_text ("taken back before it had begun"); return;
        case DW_OUTCOME_CANCELLED: dw_output_text ("cancelled while it ran"); return;
        case DW_OUTCOME_SKIPPED: dw_output_text ("ended its branch"); return;
        case DW_OUTCOME_ADDED:
            dw_output_print ("added a graph, which ran for %s",
                             dw_recording_ns (text, (double) attempt->added_ns));
            return;
    }
}

static void s_print_attempt (const dw_why_t *why, const dw_attempt_t *attempt, uint32_t number) {
    char sent[32], waited[32], ran[32], messages[32];
    dw_output_print ("  %" PRIu32 ". %s at %s %s ", number, attempt->is_own ? "taken" : "sent",
                     s_since (why, attempt->sent_ns, sent), attempt->is_own ? "by" : "to");
    s_print_where (why, attempt);
    if (attempt->head != attempt->node) {
        dw_output_text (" in one task with ");
        dw_recording_print_id (why->plan, attempt->head);
    }
    dw_output_print (": waited %s for a worker, ran %s, messages took %s; ",
                     dw_recording_ns (waited, (double) (attempt->begun_ns - attempt->ready_ns)),
                     dw_recording_ns (ran, (double) (attempt->ended_ns - attempt->begun_ns)),
                     dw_recording_ns (messages, (double) (attempt->heard_ns - attempt->ended_ns -
                                                          attempt->added_ns)));
    s_print_outcome (why, attempt);
    dw_output_text ("\n");
}

/* What lies between an attempt that failed and the next one: its backoff. */
static void s_print_put_off (const dw_attempt_t *failed, const dw_attempt_t *next,
                             uint32_t number) {
    char text[32];
    if ((failed->outcome == DW_OUTCOME_FAILED || failed->outcome == DW_OUTCOME_TIMED_OUT) &&
        next->ready_ns > failed->heard_ns) {
        dw_output_print ("  put off for %s before attempt %" PRIu32 "\n",
                         dw_recording_ns (text, (double) (next->ready_ns - failed->heard_ns)),
                         number);
    }
}

static void s_print_critical (const dw_why_t *why, uint32_t node) {
    if (why->nodes[node].first == DW_NONE)
        return;
    dw_output_text (dw_why_is_critical (why, node) ? "  on the critical path: the run ended later "
                                                     "because of it\n"
                                                   : "  not on the critical path\n");
}

int dw_explain_node (const dw_explain_t *self, uint32_t node) {
    const dw_why_t *why = self->why;
    const dw_why_node_t *it = &why->nodes[node];
    uint32_t number = 0;
    char text[32];
    s_print_head (self);
    dw_recording_print_id (why->plan, node);
    dw_output_print (": %s", s_state (it->state));
    if (it->final_ns >= 0)
        dw_output_print (" at %s", s_since (why, it->final_ns, text));
    dw_output_text ("\n");
    if (it->first != DW_NONE)
        s_print_ready (why, node);
    const dw_attempt_t *before = NULL;
    for (uint32_t i = it->first; i != DW_NONE; i = why->attempts[i].next) {
        const dw_attempt_t *attempt = &why->attempts[i];
        number++;
        if (before)
            s_print_put_off (before, attempt, number);
        s_print_attempt (why, attempt, number);
        before = attempt;
    }
    s_print_unrun (why, it);
    s_print_critical (why, node);
    return DW_EXIT_OK;
}
