/* table.c - the slots of one run. */

#include "actors/table.h"

#include <stdlib.h>

static uint32_t s_pages (const dw_table_t *self) {
    return (self->slots_count + DW_TABLE_PAGE - 1) / DW_TABLE_PAGE;
}

bool dw_table_init (dw_table_t *self, uint32_t slots_count) {
    self->slots_count = slots_count;
    size_t size = slots_count * sizeof *self->slots;
    uint8_t *memory = malloc (size + s_pages (self) + 1);
    if (!memory)
        return false;
    self->slots = (dw_slot_t *) memory;
    self->is_ready = memory + size;
    memset (self->is_ready, 0, s_pages (self));
    return true;
}

void dw_table_free (dw_table_t *self) {
    free (self->slots);
    *self = (dw_table_t){0};
}

void dw_table_make_ready (dw_table_t *self, uint32_t page) {
    uint32_t begin = page * DW_TABLE_PAGE, left = self->slots_count - begin;
    uint32_t count = left < DW_TABLE_PAGE ? left : DW_TABLE_PAGE;
    memset (&self->slots[begin], 0, count * sizeof *self->slots);
    self->is_ready[page] = true;
    /* The next page is mostly asked for next: nodes run in about the order of their ranks. */
    for (uint32_t i = 0; i < DW_TABLE_PAGE && left > 2 * DW_TABLE_PAGE; i += 2)
        __builtin_prefetch (&self->slots[begin + DW_TABLE_PAGE + i], 1);
}

void dw_table_make_all_ready (dw_table_t *self) {
    for (uint32_t page = 0; page < s_pages (self); page++)
        if (!self->is_ready[page])
            dw_table_make_ready (self, page);
}

dw_slot_t *dw_table_give (dw_table_t *self) {
    dw_slot_t *slots = self->slots;
    dw_table_make_all_ready (self);
    *self = (dw_table_t){0};
    return slots;
}
