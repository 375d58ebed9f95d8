/* explain_json.c - a recorded run explained as JSON. */

#include <jansson.h>
#include <stdlib.h>

#include "cli/explain.h"
#include "cli/output.h"

static const char *const s_parts[DW_WHY_PARTS] = {
    [DW_WHY_DEPENDENCIES] = "dependencies_ns",
    [DW_WHY_WORKER] = "worker_ns",
    [DW_WHY_RUNNING] = "running_ns",
    [DW_WHY_RETRY] = "retry_ns",
    [DW_WHY_MESSAGES] = "messages_ns",
    [DW_WHY_ADDED] = "added_ns",
    [DW_WHY_END] = "end_ns",
};

static const char *const s_states[] = {
    [DW_STATE_WAITING] = "waiting",
    [DW_STATE_READY] = "ready",
    [DW_STATE_SENT] = "sent",
    [DW_STATE_BACKOFF] = "backoff",
    [DW_STATE_DONE] = "done",
    [DW_STATE_FAILED] = "failed",
    [DW_STATE_SKIPPED] = "skipped",
    [DW_STATE_CANCELLED] = "cancelled",
    [DW_STATE_NOT_REQUESTED] = "not_requested",
    [DW_STATE_LEFT_OUT] = "left_out",
    [DW_STATE_ADDED] = "added",
};

static const char *const s_outcomes[] = {
    [DW_OUTCOME_OPEN] = "open",           [DW_OUTCOME_DONE] = "done",
    [DW_OUTCOME_FAILED] = "failed",       [DW_OUTCOME_TIMED_OUT] = "timed_out",
    [DW_OUTCOME_LOST] = "lost",           [DW_OUTCOME_BACK] = "taken_back",
    [DW_OUTCOME_CANCELLED] = "cancelled", [DW_OUTCOME_SKIPPED] = "skipped",
    [DW_OUTCOME_ADDED] = "added",
};

static void s_set (json_t *object, const char *key, int64_t value) {
    json_object_set_new (object, key, json_integer (value));
}

/* An id that is not UTF-8 is told as its index. */
static json_t *s_id (const dw_why_t *why, uint32_t node) {
    json_t *id = json_string (why->plan->ids[node]);
    return id ? id : json_integer (node);
}

static json_t *s_parts_of (const int64_t *parts) {
    json_t *self = json_object ();
    for (int part = 0; part < DW_WHY_PARTS; part++)
        s_set (self, s_parts[part], parts[part]);
    return self;
}

static json_t *s_attempt (const dw_why_t *why, const dw_attempt_t *attempt) {
    json_t *self = json_object ();
    if (!attempt->is_own)
        s_set (self, "worker", attempt->worker);
    json_object_set_new (self, "outcome", json_string (s_outcomes[attempt->outcome]));
    if (attempt->code)
        s_set (self, "code", attempt->code);
    s_set (self, "ready_ns", attempt->ready_ns - why->submitted_ns);
    s_set (self, "sent_ns", attempt->sent_ns - why->submitted_ns);
    s_set (self, "begun_ns", attempt->begun_ns - why->submitted_ns);
    s_set (self, "ended_ns", attempt->ended_ns - why->submitted_ns);
    s_set (self, "heard_ns", attempt->heard_ns - why->submitted_ns);
    if (attempt->outcome == DW_OUTCOME_ADDED)
        s_set (self, "added_ns", attempt->added_ns);
    return self;
}

static json_t *s_node (const dw_why_t *why, uint32_t node) {
    const dw_why_node_t *it = &why->nodes[node];
    int64_t parts[DW_WHY_PARTS] = {0};
    json_t *self = json_object (), *attempts = json_array (), *causes = json_array ();
    dw_why_parts (why, node, parts);
    json_object_set_new (self, "node", s_id (why, node));
    json_object_set_new (self, "state", json_string (s_states[it->state]));
    if (it->released_by != DW_NONE)
        json_object_set_new (self, "released_by", s_id (why, it->released_by));
    for (uint32_t i = it->first; i != DW_NONE; i = why->attempts[i].next)
        json_array_append_new (attempts, s_attempt (why, &why->attempts[i]));
    for (uint32_t i = 0; i < it->causes_count; i++)
        json_array_append_new (causes, s_id (why, why->causes[it->causes_at + i]));
    json_object_set_new (self, "attempts", attempts);
    json_object_set_new (self, "because_of", causes);
    if (it->state == DW_STATE_CANCELLED && it->cut_with != DW_NONE)
        json_object_set_new (self, "cancelled_with", s_id (why, it->cut_with));
    json_object_set_new (self, "is_critical", json_boolean (dw_why_is_critical (why, node)));
    json_object_set_new (self, "parts", s_parts_of (parts));
    return self;
}

static json_t *s_run (const dw_explain_t *self) {
    const dw_why_t *why = self->why;
    int64_t path[DW_WHY_PARTS] = {0}, all[DW_WHY_PARTS] = {0};
    json_t *object = json_object (), *nodes = json_array ();
    dw_why_path_parts (why, path);
    for (uint32_t node = 0; node < why->plan->nodes_count; node++)
        dw_why_parts (why, node, all);
    for (uint32_t at = dw_why_last (why); at != DW_NONE; at = why->nodes[at].released_by)
        json_array_insert_new (nodes, 0, s_id (why, at));
    s_set (object, "run", (int64_t) why->run);
    s_set (object, "runs", (int64_t) self->runs_count);
    json_object_set_new (object, "status",
                         why->has_ended ? json_string (dw_run_status_text (why->status))
                                        : json_null ());
    s_set (object, "duration_ns", why->ended_ns - why->submitted_ns);
    json_object_set_new (object, "critical_path", nodes);
    json_object_set_new (object, "path_parts", s_parts_of (path));
    json_object_set_new (object, "nodes_parts", s_parts_of (all));
    return object;
}

int dw_explain_json (const dw_explain_t *self, uint32_t node) {
    dw_why_best_t best;
    if (dw_why_best (self->why, &best))
        return dw_command_fail (DW_ENOMEM, NULL, self->file);
    json_t *object = s_run (self), *bound = json_object ();
    s_set (bound, "path_ns", best.path_ns);
    s_set (bound, "work_ns", best.work_ns);
    s_set (bound, "threads", best.threads);
    s_set (bound, "bound_ns", best.bound_ns);
    json_object_set_new (object, "best", bound);
    if (node != DW_NONE)
        json_object_set_new (object, "node", s_node (self->why, node));
    char *text = json_dumps (object, JSON_INDENT (2));
    if (text)
        dw_output_print ("%s\n", text);
    json_decref (object);
    free (text);
    return text ? DW_EXIT_OK : dw_command_fail (DW_ENOMEM, NULL, self->file);
}
