/* document.h - a YAML or JSON text as a stream of scalars, lists and maps with their places.
 *
 * What the two formats have in common, so that one reader reads both, one item at a time: nothing
 * is kept but the item that is being looked at. YAML 1.1 is read by libyaml. JSON is read strictly:
 * its strings, numbers and words by jansson, its brackets, commas and colons here, because jansson
 * keeps no places and takes many times the text's size for a whole one (a million nodes: 0.9 GB).
 *
 * A text is from outside: nesting ends at DW_DOCUMENT_DEPTH_MAX, nothing recurses, time is linear,
 * memory is that of the longest scalar, and no alias, tag or second document is taken. One thread
 * at a time. */

#ifndef DW_DOCUMENT_H
#define DW_DOCUMENT_H

#include "runtime/core/error.h"

#define DW_DOCUMENT_DEPTH_MAX 16 /* lists and maps within each other */

typedef enum dw_item_type_t {
    DW_ITEM_SCALAR,
    DW_ITEM_LIST, /* then its items, then DW_ITEM_END */
    DW_ITEM_MAP,  /* then a key item and a value item by turns, then DW_ITEM_END */
    DW_ITEM_END,
    DW_ITEM_DONE, /* the text has ended; the only item of an empty one */
} dw_item_type_t;

typedef struct dw_item_t {
    dw_item_type_t type;
    uint32_t line, column; /* where it begins, from 1; a column counts characters */
    bool plain;            /* a scalar without quotes */
    const char *text;      /* of a scalar, ended by NUL; valid until the next item is asked for */
    size_t size;           /* bytes; NUL bytes may be among them */
} dw_item_t;

typedef struct dw_document_t dw_document_t;

/* text (UTF-8, with or without a byte order mark) and file are borrowed until self is destroyed,
 * error too. file may be NULL.
 * Errors: DW_EGRAPH text is seen at once not to be UTF-8; DW_ENOMEM. */
int dw_document_new (dw_document_t **self_p, const char *text, size_t size, const char *file,
                     bool json, dw_error_t *error);
void dw_document_destroy (dw_document_t **self_p);

/* Gives the next item. Once it has failed, or has given DW_ITEM_DONE, it may not be asked again.
 * Errors: DW_EGRAPH what is wrong and where is in the error list; DW_ENOMEM. */
int dw_document_next (dw_document_t *self, dw_item_t *item);

#endif
