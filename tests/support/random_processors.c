/* random_processors.c - the processors of random graphs, as a test runs them. */

#include "tests/support/random_processors.h"

#include "tests/support/random_graph.h"

bool random_processors_add (dw_processors_t *self,
                            int (*process) (dw_call_t *call, void *instance)) {
    static const dw_option_t options[] = {
        {"index", DW_INTEGER, NULL, 0, 0, "the node"},
        {"failures", DW_INTEGER, "0", 0, 0, "how many attempts fail; -1: all"},
        {"code", DW_INTEGER, "500", 0, 0, "of the failures"},
        {"skips", DW_BOOLEAN, "false", 0, 0, "whether it ends its branch"},
        {"inner", DW_INTEGER, "0", 0, 0, "the seed of what it becomes"},
        {"depth", DW_INTEGER, "0", 0, 0, "how deep that is"},
        {"output", DW_INTEGER, "0", 0, 0, "which node of that is the output"},
        {"within", DW_INTEGER, "0", 0, 0, "the seed of what it is a node of"},
        {NULL, DW_TEXT, NULL, 0, 0, NULL},
    };
    static const random_processor_t all[] = {
        RANDOM_MIX,           RANDOM_MIX_BRIEF, RANDOM_MIX_PAYLOAD, RANDOM_ECHO, RANDOM_MEASURE,
        RANDOM_MEASURE_BRIEF, RANDOM_PICK,      RANDOM_PICK_BRIEF,  RANDOM_GROW, RANDOM_GROW_BRIEF};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        dw_trait_t trait = random_processor_trait (all[i]);
        dw_processor_t processor = {.name = random_processor_name (all[i]),
                                    .help = "hashes what it reads",
                                    .intent = trait.intent,
                                    .brief = trait.brief,
                                    .payload_only = trait.payload_only,
                                    .may_skip = trait.may_skip,
                                    .may_add = trait.may_add,
                                    .options = options,
                                    .process = process,
                                    .arg = (void *) (uintptr_t) &all[i]};
        if (dw_processors_add (self, &processor))
            return false;
    }
    return true;
}
