/* offer.h - what a worker process offers its coordinator: the names of its processors, and its
 * tags.
 *
 * actors/lanes.h is how that is matched with what nodes demand. */

#ifndef DW_OFFER_H
#define DW_OFFER_H

#include "dagwood.h"
#include "runtime/core/graph.h"
#include "runtime/wire.h"

typedef struct dw_offer_t {
    const dw_processors_t *processors; /* borrowed */
    dw_tag_t *tags;
    uint32_t tags_count;
} dw_offer_t;

/* Copies the tags. Errors: DW_EINVAL more than a message takes, or a tag that cannot be; DW_ENOMEM.
 * Whatever comes of it, self is to be freed. */
int dw_offer_set (dw_offer_t *self, const dw_processors_t *processors, const dw_worker_tag_t *tags,
                  size_t tags_count, dw_error_t *error);
void dw_offer_free (dw_offer_t *self);

uint32_t dw_offer_processors_count (const dw_offer_t *self);
/* Appends it behind an agent's record. */
void dw_offer_write (const dw_offer_t *self, dw_writer_t *writer);

#endif
