/* deaths.h - which workers went down lately, with what, and how: the story of a task that is
 * quarantined.
 *
 * The last DW_DEATHS_MAX of them are remembered, and of a run only until it ends, so that memory is
 * bounded whatever goes down. The coordinator's own. */

#ifndef DW_DEATHS_H
#define DW_DEATHS_H

#include "runtime/wire.h"

#define DW_DEATHS_MAX 256u

typedef struct dw_death_t {
    uint64_t run; /* 0: the place is free */
    uint32_t node;
    uint16_t attempt;
    bool is_settled; /* nothing more will be heard of it */
    uint32_t worker;
    char *story; /* printable lines; NULL: nothing is known, or there was no memory */
    size_t size;
} dw_death_t;

typedef struct dw_deaths_t {
    dw_death_t items[DW_DEATHS_MAX];
    uint32_t next;  /* the oldest, and the next to be written over */
    uint32_t count; /* places in use */
} dw_deaths_t;

/* Appends size bytes of text that come from outside as printable UTF-8: what is none, control
 * characters and those that turn text around become "?"; lines stay, each but the first behind
 * indent. */
void dw_deaths_print (dw_writer_t *self, const void *text, size_t size, const char *indent);

/* Adds one that is described by all but its story, which is copied. */
void dw_deaths_add (dw_deaths_t *self, const dw_death_t *death, const char *story, size_t size);
/* A later word of how the worker went down that was added last and is not settled takes the place
 * of its story; its connection may be found cut before its parent says why. */
void dw_deaths_amend (dw_deaths_t *self, uint32_t worker, const char *story, size_t size);
/* From here on such a word is of a later worker with that number. */
void dw_deaths_settle (dw_deaths_t *self, uint32_t worker);
/* Appends a line, or more, for each that went down with node of run, oldest first. Returns how
 * many. */
unsigned dw_deaths_tell (const dw_deaths_t *self, uint64_t run, uint32_t node, dw_writer_t *writer);
void dw_deaths_forget (dw_deaths_t *self, uint64_t run);
void dw_deaths_free (dw_deaths_t *self);

#endif
