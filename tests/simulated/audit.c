/* audit.c - a result as a client got it. */

#include "tests/simulated/audit.h"

#include <string.h>

#include "tests/support/verdict.h"
#include "tests/simulated/watch.h"

typedef struct s_audit_t {
    const plot_t *plot;
    const dw_result_t *result;
    const plot_run_t *run;
    const ended_t *ended;
    char name[48];
    /* By declaration. */
    bool fails[PLOT_NODES_MAX], skips[PLOT_NODES_MAX], cut[PLOT_NODES_MAX];
} s_audit_t;

/* Time ended it, or somebody did: what was not done by then may be anything but done. Or what was
 * added to it came to nobody knows what. */
static bool s_was_ended (const s_audit_t *self) {
    return self->ended->is_tainted || self->ended->was_cancelled || self->ended->ran_out;
}

/* A node may fail only for a reason that there is. Whether the scheduler had it, the model
 * knows. */
static void s_check_failure (s_audit_t *self, uint32_t node, int at) {
    const random_node_t *described = &self->plot->graph->nodes[node];
    int code = dw_result_error_code (self->result, at);
    bool is_timed = described->timeout_us != DW_UNSET ||
                    self->plot->graph->options.timeout_us != DW_UNSET;
    bool has_liar = false;
    for (uint32_t i = 0; i < PLOT_AGENTS_MAX; i++)
        has_liar |= self->plot->agents[i].is_there && self->plot->agents[i].lies;
    bool has_reason = described->failures > 0 ||
                      (code == 408 && (is_timed || self->ended->ran_out)) ||
                      (code == 502 && has_liar) || (code == 503 && self->plot->listens) ||
                      (code == 400 && has_liar && described->inner); /* which was not its graph */
    const char *message = dw_result_error_message (self->result, at);
    bool has_story = strstr (message, ", lost") || strstr (message, ", its lease of ") ||
                     strstr (message, ", gave it back") ||
                     strstr (message, "nothing more is known");
    if (code == 503 && described->failures == 0 && (!has_story || strstr (message, "was told to")))
        verdict_fail ("%s: node %u was lost, of which \"%s\" tells nothing", self->name, node,
                      message);
    if (!has_reason)
        verdict_fail ("%s: node %u failed with %d (%s) for no reason", self->name, node, code,
                      message);
}

static void s_find_failures (s_audit_t *self) {
    for (uint32_t node = 0; node < self->plot->graph->nodes_count; node++) {
        int at = (int) self->plot->evaluator->rank[node];
        self->fails[node] = random_graph_fails (self->plot->graph, node) && !self->ended->cut[at];
        self->skips[node] = self->plot->graph->nodes[node].skips;
        self->cut[node] = self->ended->cut[at];
        bool has_failed = dw_result_node_status (self->result, at) == DW_NODE_FAILED;
        if (!has_failed || self->plot->graph->nodes[node].inner) /* s_explain_graphs */
            continue;
        self->fails[node] = true;
        s_check_failure (self, node, at);
    }
}

static void s_check_metadata (const s_audit_t *self, uint32_t node, int at,
                              const random_metadata_t *expected) {
    const char *key, *value;
    bool is_same = dw_result_metadata_count (self->result, at) == expected->count;
    for (size_t i = 0; is_same && i < expected->count; i++) {
        is_same = dw_result_metadata_at (self->result, at, i, &key, &value) == DW_OK;
        const char *other = is_same ? random_metadata_find (expected, key) : NULL;
        is_same = other && strcmp (value, other) == 0;
    }
    if (!is_same)
        verdict_fail ("%s: node %u has other metadata than it set", self->name, node);
}

static void s_check_done (const s_audit_t *self, uint32_t node, int at,
                          const evaluated_node_t *expected) {
    size_t size;
    const void *bytes = dw_result_payload (self->result, at, &size);
    if (!expected->requested && bytes)
        verdict_fail ("%s: node %u's output was not asked for, and is there", self->name, node);
    if (!expected->requested || self->ended->is_tainted)
        return;
    if (expected->status != DW_NODE_DONE || !bytes || size != expected->output.size ||
        memcmp (bytes, expected->output.bytes, size) != 0)
        verdict_fail ("%s: node %u gave %zu bytes, not the %zu that it should", self->name, node,
                      bytes ? size : 0, expected->output.size);
    s_check_metadata (self, node, at, &expected->metadata);
    if (dw_result_added_nodes (self->result, at) != expected->added_nodes ||
        dw_result_added_depth (self->result, at) != expected->added_depth)
        verdict_fail ("%s: node %u was added %u nodes, not %u", self->name, node,
                      dw_result_added_nodes (self->result, at), expected->added_nodes);
    verdict->grown += expected->added_nodes > 0;
}

/* Whose failure, or whose ended branch, left it without its turn. */
static void s_check_causes (const s_audit_t *self, uint32_t node, int at,
                            const evaluated_node_t *expected) {
    bool is_same = dw_result_because_of_count (self->result, at) == expected->because_of_count;
    for (uint32_t i = 0; is_same && i < expected->because_of_count; i++)
        is_same = dw_result_because_of_at (self->result, at, i) ==
                  (int) self->plot->evaluator->rank[expected->because_of[i]];
    if (!is_same)
        verdict_fail ("%s: node %u has other first causes", self->name, node);
}

/* That it was asked for, of this node or of one that it depends on. */
static void s_check_cut (const s_audit_t *self, uint32_t node) {
    uint32_t cut = self->run->cut_node;
    if (!self->run->cut_ns ||
        (node != cut && !evaluator_is_ancestor (self->plot->evaluator, node, cut)))
        verdict_fail ("%s: node %u was cancelled by itself, and nobody has asked for that",
                      self->name, node);
}

static void s_check_node (const s_audit_t *self, uint32_t node, const evaluation_t *evaluation) {
    uint32_t rank = self->plot->evaluator->rank[node];
    int at = (int) rank;
    dw_node_status_t status = dw_result_node_status (self->result, at);
    dw_node_state_t state = self->ended->states[rank];
    if (state == DW_STATE_LEFT_OUT)
        state = DW_STATE_SKIPPED;
    if (status != (dw_node_status_t) (state - DW_STATE_DONE))
        verdict_fail ("%s: node %u is %s, and the scheduler said else", self->name, node,
                      dw_node_status_text (status));
    if (dw_result_attempts (self->result, at) != self->ended->attempts[rank])
        verdict_fail ("%s: node %u had %u attempts, not %u", self->name, node,
                      dw_result_attempts (self->result, at), self->ended->attempts[rank]);
    if (self->ended->cut[rank])
        s_check_cut (self, node);
    if (status == DW_NODE_DONE)
        s_check_done (self, node, at, &evaluation->nodes[node]);
    else if (!s_was_ended (self) && !(self->ended->cut[rank] && status == DW_NODE_CANCELLED) &&
             !evaluation_allows (evaluation, node, status))
        verdict_fail ("%s: node %u is %s, not %s", self->name, node, dw_node_status_text (status),
                      dw_node_status_text (evaluation->nodes[node].status));
    if (status == DW_NODE_SKIPPED && !s_was_ended (self) &&
        dw_result_status (self->result) != DW_RUN_FAILED)
        s_check_causes (self, node, at, &evaluation->nodes[node]);
}

/* What the evaluator says, unless something that was asked for was cancelled. */
static dw_run_status_t s_status_due (const s_audit_t *self, const evaluation_t *evaluation) {
    dw_run_status_t status = evaluation->status;
    for (uint32_t node = 0; node < self->plot->graph->nodes_count; node++)
        if (status == DW_RUN_OK && evaluation->nodes[node].requested &&
            self->ended->cut[self->plot->evaluator->rank[node]])
            status = DW_RUN_PARTIAL;
    return status;
}

static evaluation_t *s_evaluate (const s_audit_t *self) {
    const dw_graph_options_t *options = &self->plot->graph->options;
    evaluator_run_t question = {.failure_strategy = options->failure_strategy,
                                .fails = self->fails,
                                .skips = self->skips,
                                .outputs = self->run->outputs,
                                .outputs_count = self->run->outputs_count,
                                .input = self->run->input,
                                .input_size = self->run->input_size,
                                .added_nodes_max = (uint32_t) options->added_nodes_max,
                                .added_depth_max = (uint32_t) options->added_depth_max,
                                .budget = (uint32_t) options->added_nodes_max,
                                .cut = self->cut};
    return evaluation_new (self->plot->evaluator, &question);
}

/* A node that becomes a graph fails by what is in that, or may not become it; else as any other,
 * and then it is that what follows from it is asked for again. Whether all of them are
 * explained. */
static bool s_explain_graphs (s_audit_t *self, const evaluation_t *evaluation) {
    for (uint32_t rank = 0; rank < self->plot->graph->nodes_count; rank++) {
        uint32_t node = self->plot->evaluator->by_rank[rank];
        const evaluated_node_t *expected = &evaluation->nodes[node];
        int at = (int) rank, code = dw_result_error_code (self->result, at);
        bool is_fast = self->plot->graph->options.failure_strategy == DW_FAIL_FAST;
        if (!self->plot->graph->nodes[node].inner || self->fails[node] ||
            dw_result_node_status (self->result, at) != DW_NODE_FAILED)
            continue;
        if (self->ended->is_tainted ||
            (expected->code && (code == expected->code || (is_fast && expected->added_nodes)))) {
            verdict->grown_failed++;
            continue;
        }
        self->fails[node] = true;
        s_check_failure (self, node, at);
        return false;
    }
    return true;
}

void audit_result (const plot_t *plot, uint32_t client, uint32_t run, const dw_result_t *result) {
    s_audit_t self = {.plot = plot,
                      .result = result,
                      .run = &plot->clients[client].runs[run],
                      .ended = watch_ended (client, run)};
    snprintf (self.name, sizeof self.name, "run %u of client %u", run, client);
    if (!self.ended->has_ended)
        verdict_fail ("%s has a result and has not ended", self.name);
    if (dw_result_status (result) != self.ended->status)
        verdict_fail ("%s is %s, and the scheduler said else", self.name,
                      dw_run_status_text (dw_result_status (result)));
    if (self.ended->was_cancelled && !self.run->cancel_ns)
        verdict_fail ("%s was cancelled, and nobody has asked for that", self.name);
    s_find_failures (&self);
    verdict->tainted += self.ended->is_tainted;
    evaluation_t *evaluation = s_evaluate (&self);
    while (!s_explain_graphs (&self, evaluation)) {
        evaluation_destroy (&evaluation);
        evaluation = s_evaluate (&self);
    }
    dw_run_status_t due = s_status_due (&self, evaluation);
    if (!s_was_ended (&self) && dw_result_status (result) != due)
        verdict_fail ("%s is %s, not %s", self.name, dw_run_status_text (dw_result_status (result)),
                      dw_run_status_text (due));
    for (uint32_t node = 0; node < plot->graph->nodes_count; node++)
        s_check_node (&self, node, evaluation);
    evaluation_destroy (&evaluation);
    verdict->results++;
}
