/* Tasks in every state, and what moves them by hand: for the tests of run_tasks, shelve_tasks and delete_tasks. */
#ifndef MC_TESTS_MOVES_H
#define MC_TESTS_MOVES_H

#include "queue.h"

#include "protocol/inspect.h"

/* A task of queue q that stands where its state says; score_s is not used in lists. */
void moves_give(const char *id, const char *state, int64_t score_s);

/* One that waits in a group. */
void moves_give_grouped(const char *id, const char *group);

/* Moves these ids (spaces between), found in whatever state; the answers. */
const char *moves_one(mc_move move, const char *ids);

/* The same, found in a state, and a group ("" but for aggregating). */
const char *moves_found(mc_move move, mc_task_state state, const char *group, const char *ids);

#endif
