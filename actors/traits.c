/* traits.c - what a coordinator says of the processors of its graph. */

#include "actors/traits.h"

#include <stdlib.h>
#include <string.h>

#include "actors/processors.h"

#define TRAIT_BYTES_MIN 4u /* of one in a message */

/* Sorted by name. */
struct dw_traits_t {
    uint32_t count;
    dw_wire_trait_t traits[]; /* the names follow them */
};

void dw_traits_write (const dw_plan_t *plan, const dw_processor_t *const *processors,
                      dw_writer_t *writer) {
    dw_write_array (writer, plan->kinds_count);
    for (uint32_t kind = 0; kind < plan->kinds_count; kind++) {
        dw_write_trait (writer, &(dw_wire_trait_t){.name = plan->kinds[kind],
                                                   .name_size = strlen (plan->kinds[kind]),
                                                   .trait = dw_processor_trait (processors[kind])});
    }
}

void dw_traits_pass_on (const dw_traits_t *self, dw_writer_t *writer) {
    dw_write_array (writer, self ? self->count : 0);
    for (uint32_t i = 0; self && i < self->count; i++)
        dw_write_trait (writer, &self->traits[i]);
}

static int s_compare_names (const char *a, size_t a_size, const char *b, size_t b_size) {
    int order = memcmp (a, b, a_size < b_size ? a_size : b_size);
    return order ? order : (a_size > b_size) - (a_size < b_size);
}

static int s_compare (const void *a, const void *b) {
    const dw_wire_trait_t *left = a, *right = b;
    return s_compare_names (left->name, left->name_size, right->name, right->name_size);
}

int dw_traits_read (dw_traits_t **self_p, dw_wire_reader_t *reader) {
    uint32_t count = dw_read_array (reader);
    size_t left = (size_t) (reader->end - reader->at);
    if (reader->is_damaged || count > left / TRAIT_BYTES_MIN)
        return DW_EPROTOCOL;
    size_t size = sizeof (dw_traits_t) + count * sizeof (dw_wire_trait_t);
    dw_traits_t *self = malloc (size + left);
    if (!self)
        return DW_ENOMEM;
    char *names = (char *) self + size;
    self->count = count;
    for (uint32_t i = 0; i < count; i++) {
        dw_wire_trait_t *trait = &self->traits[i];
        if (!dw_read_trait (reader, trait)) {
            free (self);
            return DW_EPROTOCOL;
        }
        memcpy (names, trait->name, trait->name_size);
        trait->name = names;
        names += trait->name_size;
    }
    qsort (self->traits, count, sizeof *self->traits, s_compare);
    *self_p = self;
    return DW_OK;
}

void dw_traits_destroy (dw_traits_t **self_p) {
    free (*self_p);
    *self_p = NULL;
}

bool dw_traits_find (const dw_traits_t *self, const char *name, dw_trait_t *trait_p) {
    size_t size = strlen (name);
    uint32_t low = 0, high = self ? self->count : 0;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        const dw_wire_trait_t *trait = &self->traits[middle];
        int order = s_compare_names (trait->name, trait->name_size, name, size);
        if (order == 0) {
            *trait_p = trait->trait;
            return true;
        }
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return false;
}
