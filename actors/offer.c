/* offer.c - what a worker process offers its coordinator. */

#include "actors/offer.h"

#include <stdlib.h>
#include <string.h>

#include "dagwood_processor.h"
#include "runtime/core/error.h"

static int s_check_processors (const dw_processors_t *processors, dw_error_t *error) {
    size_t count = dw_processors_count (processors);
    if (count > DW_WIRE_OFFERED_MAX)
        return dw_error_add (error, DW_EINVAL, DW_NOWHERE,
                             "a worker offers at most %u processors, and there are %zu",
                             DW_WIRE_OFFERED_MAX, count);
    for (size_t i = 0; i < count; i++) {
        const char *name = dw_processors_at (processors, i)->name;
        if (strlen (name) > DW_WIRE_NAME_MAX)
            return dw_error_add (error, DW_EINVAL, DW_NOWHERE,
                                 "the processor \"%.60s...\": a worker offers names of at most %u "
                                 "bytes",
                                 name, DW_WIRE_NAME_MAX);
    }
    return DW_OK;
}

static int s_copy_tag (dw_offer_t *self, const dw_worker_tag_t *tag, dw_error_t *error) {
    const char *wrong = tag->name && tag->value ? dw_graph_check_tag (tag->name, tag->value)
                                                : "a tag has a name and a value";
    if (wrong)
        return dw_error_add (error, DW_EINVAL, DW_NOWHERE, "%s", wrong);
    dw_tag_t *copy = &self->tags[self->tags_count++];
    *copy = (dw_tag_t){strdup (tag->name), strdup (tag->value)};
    if (!copy->name || !copy->value)
        return dw_error_add (error, DW_ENOMEM, DW_NOWHERE, "out of memory");
    return DW_OK;
}

int dw_offer_set (dw_offer_t *self, const dw_processors_t *processors, const dw_worker_tag_t *tags,
                  size_t tags_count, dw_error_t *error) {
    self->processors = processors;
    if (tags_count > DW_WIRE_TAGS_MAX)
        return dw_error_add (error, DW_EINVAL, DW_NOWHERE, "a worker has at most %u tags",
                             DW_WIRE_TAGS_MAX);
    self->tags = calloc (tags_count + 1, sizeof *self->tags);
    if (!self->tags)
        return dw_error_add (error, DW_ENOMEM, DW_NOWHERE, "out of memory");
    int err = s_check_processors (processors, error);
    for (size_t i = 0; i < tags_count && !err; i++)
        err = s_copy_tag (self, &tags[i], error);
    return err;
}

void dw_offer_free (dw_offer_t *self) {
    for (uint32_t i = 0; i < self->tags_count; i++) {
        free ((void *) self->tags[i].name);
        free ((void *) self->tags[i].value);
    }
    free (self->tags);
    *self = (dw_offer_t){0};
}

uint32_t dw_offer_processors_count (const dw_offer_t *self) {
    return (uint32_t) dw_processors_count (self->processors);
}

static void s_write_name (dw_writer_t *writer, const char *name) {
    dw_write_str (writer, name, strlen (name));
}

void dw_offer_write (const dw_offer_t *self, dw_writer_t *writer) {
    for (uint32_t i = 0; i < dw_offer_processors_count (self); i++)
        s_write_name (writer, dw_processors_at (self->processors, i)->name);
    dw_write_array (writer, self->tags_count);
    for (uint32_t i = 0; i < self->tags_count; i++) {
        s_write_name (writer, self->tags[i].name);
        s_write_name (writer, self->tags[i].value);
    }
}
