/* processors.c - the set of processors that a graph may name, and what it makes of a graph. */

#include "actors/processors.h"

#include "actors/processors/stock.h"
#include "runtime/settings.h"

#include <assert.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define REPORTS_MAX 100 /* nodes with wrong options that are told one by one */

/* Sorted by name. Each processor has memory of its own, so that it stays where it is when others
 * are added. */
struct dw_processors_t {
    dw_processor_t **processors;
    size_t count;
    size_t room;
};

#define X(name) &dw_stock_##name,
static const dw_processor_t *const s_stock[] = {DW_STOCK (X)};
#undef X

/* ---- The set ------------------------------------------------------------------------------ */

dw_processors_t *dw_processors_new_empty (void) {
    return calloc (1, sizeof (dw_processors_t));
}

dw_processors_t *dw_processors_new (void) {
    dw_processors_t *self = dw_processors_new_empty ();
    int err = self ? 0 : DW_ENOMEM;
    for (size_t i = 0; !err && i < sizeof s_stock / sizeof s_stock[0]; i++)
        err = dw_processors_add (self, s_stock[i]);
    if (err)
        dw_processors_destroy (&self);
    return self;
}

void dw_processors_destroy (dw_processors_t **self_p) {
    dw_processors_t *self = self_p ? *self_p : NULL;
    if (self) {
        for (size_t i = 0; i < self->count; i++)
            free (self->processors[i]);
        free (self->processors);
        free (self);
        *self_p = NULL;
    }
}

/* The first place whose name is not before name: where it is, or where it belongs. */
static size_t s_place (const dw_processors_t *self, const char *name) {
    size_t low = 0;
    size_t high = self->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (strcmp (self->processors[middle]->name, name) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static int s_make_room (dw_processors_t *self) {
    if (self->count < self->room)
        return 0;
    size_t room = self->room > 0 ? 2 * self->room : 32;
    dw_processor_t **processors = realloc (self->processors, room * sizeof *processors);
    if (!processors)
        return DW_ENOMEM;
    self->processors = processors;
    self->room = room;
    return 0;
}

int dw_processors_add (dw_processors_t *self, const dw_processor_t *processor) {
    if (!self || !processor || !processor->name || !processor->name[0] || !processor->process ||
        dw_processors_find (self, processor->name))
        return DW_EINVAL;
    dw_processor_t *copy = malloc (sizeof *copy);
    if (!copy || s_make_room (self)) {
        free (copy);
        return DW_ENOMEM;
    }
    *copy = *processor;
    size_t place = s_place (self, processor->name);
    memmove (self->processors + place + 1, self->processors + place,
             (self->count - place) * sizeof *self->processors);
    self->processors[place] = copy;
    self->count++;
    return 0;
}

int dw_processors_add_function (dw_processors_t *self, const char *name,
                                int (*process) (dw_call_t *call, void *arg), void *arg) {
    const dw_processor_t processor = {
        .name = name,
        .help = "a function of the program",
        .intent = DW_TRANSFORM,
        .process = process,
        .arg = arg,
    };
    return dw_processors_add (self, &processor);
}

size_t dw_processors_count (const dw_processors_t *self) {
    return self ? self->count : 0;
}

const dw_processor_t *dw_processors_at (const dw_processors_t *self, size_t index) {
    return self && index < self->count ? self->processors[index] : NULL;
}

const dw_processor_t *dw_processors_find (const dw_processors_t *self, const char *name) {
    if (!self || !name)
        return NULL;
    const dw_processor_t *processor = dw_processors_at (self, s_place (self, name));
    return processor && strcmp (processor->name, name) == 0 ? processor : NULL;
}

const char *dw_processors_nearest (const dw_processors_t *self, const char *word) {
    const char *best = NULL;
    size_t distance = SIZE_MAX;
    for (size_t i = 0; i < self->count; i++)
        dw_error_nearest (word, self->processors[i]->name, &best, &distance);
    return best;
}

/* ---- What it makes of a graph ------------------------------------------------------------- */

dw_trait_t dw_processor_trait (const dw_processor_t *processor) {
    return (dw_trait_t){
        .intent = processor->intent == DW_ANALYZE ? DW_ANALYZE : DW_TRANSFORM,
        .brief = processor->brief,
        .payload_only = processor->payload_only,
        .may_skip = processor->may_skip,
        .may_add = processor->may_add,
    };
}

static bool s_trait (void *arg, const char *name, dw_trait_t *trait_p) {
    const dw_processor_t *processor = dw_processors_find (arg, name);
    if (processor)
        *trait_p = dw_processor_trait (processor);
    return processor != NULL;
}

static const char *s_nearest (void *arg, const char *name) {
    return dw_processors_nearest (arg, name);
}

/* Those that the scheduler's affinity leaves to this process; on a machine with more than the
 * kernel's mask has room for, those that are online. */
static uint32_t s_cpus_count (void) {
    cpu_set_t cpus;
    if (sched_getaffinity (0, sizeof cpus, &cpus) == 0)
        return (uint32_t) CPU_COUNT (&cpus);
    long online = sysconf (_SC_NPROCESSORS_ONLN);
    return online > 0 ? (uint32_t) online : 1;
}

dw_plan_lookup_t dw_processors_lookup (const dw_processors_t *self) {
    return (dw_plan_lookup_t){
        .trait = s_trait,
        .nearest = s_nearest,
        .arg = (void *) self,
        .cpus_count = s_cpus_count (),
    };
}

static bool s_requires_options (const dw_processor_t *processor) {
    if (!processor)
        return false; /* It is elsewhere. */
    for (const dw_option_t *option = processor->options; option && option->name; option++)
        if (!option->fallback)
            return true;
    return false;
}

static int s_check_node (const dw_processors_t *self, const dw_graph_t *graph,
                         const dw_node_t *node, dw_error_t *error);

static bool s_takes (const dw_processor_t *processor, const char *name, dw_option_type_t type) {
    const dw_option_t *option = processor->options;
    while (option && option->name && (option->type != type || strcmp (option->name, name) != 0))
        option++;
    return option && option->name;
}

/* What the node says for a processor that it adds, if that is known here. */
static int s_check_given (const dw_processors_t *self, const dw_graph_t *graph,
                          const dw_node_t *node, const dw_processor_t *processor,
                          const dw_settings_t *settings, dw_error_t *error) {
    if (!s_takes (processor, "options", DW_OPTIONS) || !s_takes (processor, "processor", DW_TEXT))
        return 0;
    const dw_node_t *given = dw_settings_given (settings);
    dw_node_t added = {.id = node->id,
                       .processor = dw_settings_text (settings, "processor"),
                       .line = node->line,
                       .column = node->column,
                       .settings = given ? given->settings : NULL};
    return s_check_node (self, graph, &added, error);
}

static int s_check_node (const dw_processors_t *self, const dw_graph_t *graph,
                         const dw_node_t *node, dw_error_t *error) {
    const dw_processor_t *processor = dw_processors_find (self, node->processor);
    if (!processor)
        return 0; /* The plan has said so. */
    if (!node->settings && !s_requires_options (processor))
        return 0; /* In a large graph most say nothing. */
    dw_settings_t *settings = NULL;
    int err = dw_settings_new (&settings, node, graph->file, processor, error);
    if (!err)
        err = s_check_given (self, graph, node, processor, settings, error);
    dw_settings_destroy (&settings);
    return err;
}

/* The plan is that of the graph, or NULL where there is none. */
static bool s_has_options (const dw_processors_t *self, const dw_graph_t *graph,
                           const dw_plan_t *plan) {
    bool has = !plan || graph->settings_count > 0;
    for (uint32_t kind = 0; !has && kind < plan->kinds_count; kind++)
        has = s_requires_options (dw_processors_find (self, plan->kinds[kind]));
    return has;
}

static int s_check_options (const dw_processors_t *self, const dw_graph_t *graph,
                            const dw_plan_t *plan, dw_error_t *error) {
    uint32_t wrong = 0;
    if (!s_has_options (self, graph, plan))
        return 0;
    for (uint32_t i = 0; i < graph->nodes_count; i++) {
        int err = s_check_node (self, graph, &graph->nodes[i], wrong < REPORTS_MAX ? error : NULL);
        if (err == DW_ENOMEM)
            return err;
        wrong += err != 0;
    }
    if (wrong > REPORTS_MAX) {
        dw_error_add (error, DW_EGRAPH, (dw_place_t){.file = graph->file},
                      "%u more nodes have wrong options", wrong - REPORTS_MAX);
    }
    return wrong > 0 ? DW_EGRAPH : 0;
}

static int s_plan (const dw_processors_t *self, const dw_plan_lookup_t *lookup,
                   const dw_graph_t *graph, dw_plan_t **plan_p, dw_error_t *error) {
    assert (self && graph && plan_p);
    dw_plan_t *plan = NULL;
    size_t first = dw_error_count (error);
    int plan_err = dw_plan_new (&plan, graph, lookup, error);
    int options_err = plan_err == DW_ENOMEM ? 0 : s_check_options (self, graph, plan, error);
    dw_error_sort (error, first);
    int err = plan_err ? plan_err : options_err;
    if (err) {
        dw_plan_destroy (&plan);
        return err;
    }
    *plan_p = plan;
    return 0;
}

int dw_processors_plan (const dw_processors_t *self, const dw_graph_t *graph, dw_plan_t **plan_p,
                        dw_error_t *error) {
    dw_plan_lookup_t lookup = dw_processors_lookup (self);
    return s_plan (self, &lookup, graph, plan_p, error);
}

typedef struct s_known_t {
    const dw_processors_t *own;
    const dw_traits_t *foreign;
} s_known_t;

static bool s_trait_partly (void *arg, const char *name, dw_trait_t *trait_p) {
    const s_known_t *known = arg;
    return s_trait ((void *) known->own, name, trait_p) ||
           dw_traits_find (known->foreign, name, trait_p);
}

static const char *s_nearest_partly (void *arg, const char *name) {
    const s_known_t *known = arg;
    return dw_processors_nearest (known->own, name);
}

int dw_processors_plan_partly (const dw_processors_t *self, const dw_traits_t *foreign,
                               const dw_graph_t *graph, dw_plan_t **plan_p, dw_error_t *error) {
    s_known_t known = {self, foreign};
    dw_plan_lookup_t lookup = {.trait = s_trait_partly,
                               .nearest = s_nearest_partly,
                               .arg = &known,
                               .cpus_count = s_cpus_count ()};
    return s_plan (self, &lookup, graph, plan_p, error);
}

int dw_graph_validate (const dw_graph_t *self, const dw_processors_t *processors,
                       dw_error_t *error) {
    if (!self)
        return dw_error_add (error, DW_EINVAL, DW_NOWHERE, "there is no graph to validate");
    dw_processors_t *stock = processors ? NULL : dw_processors_new ();
    if (!processors && !stock)
        return dw_error_add (error, DW_ENOMEM, DW_NOWHERE, "no memory for the stock processors");
    dw_plan_t *plan = NULL;
    int err = dw_processors_plan (processors ? processors : stock, self, &plan, error);
    dw_plan_destroy (&plan);
    dw_processors_destroy (&stock);
    return err;
}
