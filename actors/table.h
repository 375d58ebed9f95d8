/* table.h - the slots of one run, by node, and one more for its input.
 *
 * A slot is empty until it is written. The table is not emptied when it is made but page by page,
 * when a slot of the page is asked for first: that is when its memory is needed in the cache, and a
 * table of a large graph is larger than the cache. Only the coordinator's thread uses it; at its
 * end the slots are given away. */

#ifndef DW_TABLE_H
#define DW_TABLE_H

#include "actors/slot.h"

#define DW_TABLE_PAGE 64u /* slots: 2 KiB */

typedef struct dw_table_t {
    dw_slot_t *slots;  /* NULL: it has been given away, or was never made */
    uint8_t *is_ready; /* by page; in the same memory, behind the slots */
    uint32_t slots_count;
} dw_table_t;

/* False: no memory. */
bool dw_table_init (dw_table_t *self, uint32_t slots_count);
/* Frees the memory, not what slots own. */
void dw_table_free (dw_table_t *self);
/* Empties a page. */
void dw_table_make_ready (dw_table_t *self, uint32_t page);
/* Empties what was never asked for: the slots can then be read one after another. */
void dw_table_make_all_ready (dw_table_t *self);
/* The slots, whose memory is the caller's to free; all of them are ready. */
dw_slot_t *dw_table_give (dw_table_t *self);

/* One that is about to be asked for is fetched into the cache. */
static inline void dw_table_prefetch (const dw_table_t *self, uint32_t index) {
    __builtin_prefetch (&self->slots[index], 1);
    __builtin_prefetch (&self->is_ready[index / DW_TABLE_PAGE]);
}

static inline dw_slot_t *dw_table_slot (dw_table_t *self, uint32_t index) {
    if (!self->is_ready[index / DW_TABLE_PAGE])
        dw_table_make_ready (self, index / DW_TABLE_PAGE);
    return &self->slots[index];
}

#endif
