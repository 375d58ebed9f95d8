/* deaths.c - which workers went down lately, with what, and how. */

#include "actors/deaths.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistr.h>

/* Whether a terminal shows it as what it is: no control, nothing that changes the direction of what
 * follows. */
static bool s_is_printable (ucs4_t c) {
    return c >= 0x20 && (c < 0x7f || c > 0x9f) && (c < 0x200b || c > 0x200f) &&
           (c < 0x2028 || c > 0x202e) && (c < 0x2060 || c > 0x206f) && c != 0xfeff;
}

void dw_deaths_print (dw_writer_t *self, const void *text, size_t size, const char *indent) {
    const uint8_t *at = text, *end = at + size;
    while (at < end && (*at & 0xc0) == 0x80) /* the rest of a character that was cut */
        at++;
    while (end > at && end[-1] == '\n')
        end--;
    while (at < end) {
        ucs4_t c = 0;
        int bytes = u8_mbtoucr (&c, at, (size_t) (end - at));
        if (bytes > 0 && c == '\n') {
            dw_write_raw (self, "\n", 1);
            dw_write_raw (self, indent, strlen (indent));
        } else if (bytes > 0 && (c == '\t' || s_is_printable (c)))
            dw_write_raw (self, at, (size_t) bytes);
        else if (bytes <= 0 || c != '\r')
            dw_write_raw (self, "?", 1);
        at += bytes > 0 ? bytes : 1;
    }
}

static void s_clear (dw_deaths_t *self, dw_death_t *death) {
    if (death->run == 0)
        return;
    free (death->story);
    *death = (dw_death_t){0};
    self->count--;
}

static void s_set_story (dw_death_t *death, const char *story, size_t size) {
    char *copy = size ? malloc (size) : NULL;
    if (!copy)
        return;
    memcpy (copy, story, size);
    free (death->story);
    death->story = copy;
    death->size = size;
}

void dw_deaths_add (dw_deaths_t *self, const dw_death_t *death, const char *story, size_t size) {
    dw_death_t *place = &self->items[self->next++ % DW_DEATHS_MAX];
    s_clear (self, place);
    *place = *death;
    place->story = NULL;
    self->count++;
    s_set_story (place, story, size);
}

void dw_deaths_amend (dw_deaths_t *self, uint32_t worker, const char *story, size_t size) {
    for (uint32_t i = 1; self->count > 0 && i <= DW_DEATHS_MAX; i++) {
        dw_death_t *death = &self->items[(self->next - i) % DW_DEATHS_MAX];
        if (death->run == 0 || death->worker != worker)
            continue;
        if (!death->is_settled)
            s_set_story (death, story, size);
        death->is_settled = true;
        return;
    }
}

void dw_deaths_settle (dw_deaths_t *self, uint32_t worker) {
    for (uint32_t i = 0; self->count > 0 && i < DW_DEATHS_MAX; i++)
        self->items[i].is_settled |= self->items[i].worker == worker;
}

unsigned dw_deaths_tell (const dw_deaths_t *self, uint64_t run, uint32_t node,
                         dw_writer_t *writer) {
    unsigned told = 0;
    for (uint32_t i = 0; self->count > 0 && i < DW_DEATHS_MAX; i++) {
        const dw_death_t *death = &self->items[(self->next + i) % DW_DEATHS_MAX];
        if (death->run != run || death->node != node)
            continue;
        char begin[32];
        int size = snprintf (begin, sizeof begin, "\n  attempt %u: ", (unsigned) death->attempt);
        dw_write_raw (writer, begin, (size_t) size);
        if (death->story)
            dw_write_raw (writer, death->story, death->size);
        else
            dw_write_raw (writer, "nothing more is known", strlen ("nothing more is known"));
        told++;
    }
    return told;
}

void dw_deaths_forget (dw_deaths_t *self, uint64_t run) {
    for (uint32_t i = 0; self->count > 0 && i < DW_DEATHS_MAX; i++)
        if (self->items[i].run == run)
            s_clear (self, &self->items[i]);
}

void dw_deaths_free (dw_deaths_t *self) {
    for (uint32_t i = 0; i < DW_DEATHS_MAX; i++)
        s_clear (self, &self->items[i]);
}
