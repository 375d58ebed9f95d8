/* children.h - the slots of a worker process, each in a process of its own, so that a crash takes one of them.
 *
 *     agent's thread ---- children ----order---> child: a program that calls dw_agent_serve_slot (child.c)
 *                             ^  <---how it left---
 *                             +------standard error, its end
 *
 * A child is started (spawn.h) and told what to do through a socket that is its standard input: nothing secret is in
 * its words or its environment. When that socket closes the child ends, so none outlives its parent, whatever that died
 * of. What it writes to standard output or standard error is passed on to this process's standard error as far as that
 * takes it, and the last of it is kept, for whoever asks why it ended.
 *
 * Nothing waits: whoever owns it waits for dw_children_fd. No signal handler; it waits for its own children only, each by its number.
 * Used by the agent's thread, or the one that stands in for it. */

#ifndef DW_CHILDREN_H
#define DW_CHILDREN_H

#include "actors/squad.h"

typedef struct dw_children_t dw_children_t;

/* Checks the graph as dw_squad_new does, then starts a process for each slot. command is the words
 * of a program that calls dw_agent_serve_slot, ended by NULL, and borrowed for the life of the
 * children.
 * Errors: as dw_squad_new; DW_ELIMIT the program cannot be started. Nothing is left running. */
int dw_children_new (dw_children_t **self_p, const dw_squad_options_t *options,
                     const char *const *command, dw_error_t *error);
/* Readable when dw_children_look has something to do. */
int dw_children_fd (const dw_children_t *self);
/* Takes in what has come, not without end; ended is told of every slot that ended unasked: it is
 * not started again before dw_children_replace; and of every one that could not be started again
 * otherwise (DW_WIRE_DOWN). */
void dw_children_look (dw_children_t *self, void (*ended) (void *arg, const dw_wire_ended_t *end),
                       void *arg);
/* Kills the slot's process, if it still runs, and starts another.
 * Errors: DW_ENOENT no such slot; DW_EPROCESSOR it went down too often: it stays down; DW_ELIMIT no
 * process is to be had: it stays down. */
int dw_children_replace (dw_children_t *self, uint32_t number, dw_error_t *error);
/* Whether one has ended because its connection was cut. */
bool dw_children_are_cut (const dw_children_t *self);
/* Starts those again whose connection was cut, all that it can. Errors: as dw_children_replace, of
 * the first that it could not; dw_children_look tells of each. */
int dw_children_mend (dw_children_t *self, dw_error_t *error);
/* As dw_squad_ask; *count_p: how many. */
const dw_wire_slot_t *dw_children_ask (dw_children_t *self, uint32_t *count_p);
/* Whether all slots are down to stay. */
bool dw_children_are_down (const dw_children_t *self);
/* Ends all of them, kills those that do not end, and frees everything. */
void dw_children_end (dw_children_t **self_p);

#endif
