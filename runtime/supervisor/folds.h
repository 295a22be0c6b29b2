/* The folds in hand: aggregation sets that this node made, until Redis has confirmed what became of them.
 *
 *   made ──▶ at a worker ──▶ settling: fold (one task for all of them) or regroup (back to their group) ──▶ gone
 *     └───────────┴─────────────▲  (no worker left, its worker died, shutdown)
 *
 * Folds are numbered like attempts, from the same counter, and take a slot of their worker, so that the shared page,
 * time-outs and kills work for them as for tasks. A fold that fails, or kills its worker, goes back to its group with
 * one more failure in a row, and the group is not tried again, by any node, before 1, 2, 4 … 300 s have passed. What
 * goes back for another reason has not failed.
 *
 * Sets are registered in Redis with a deadline, which is extended while they are in hand. If this node dies, or Redis
 * is away for longer, another one gives them back to their groups (duty_aggregate.h); what we then still send is
 * refused.
 */
#ifndef MC_SUPERVISOR_FOLDS_H
#define MC_SUPERVISOR_FOLDS_H

#include "base/list.h"
#include "protocol/fold.h"
#include "protocol/frames.h"
#include "supervisor/group_rules.h"

#include <uthash.h>

struct mc_node;
struct mc_section;
struct mc_worker;

typedef struct mc_fold {
  uint64_t number;
  mc_buf names; /* what queue and group point into */
  mc_slice queue, group;
  char set_id[MC_UUID_SIZE];
  mc_args ids;       /* of the tasks, in the order in which the worker has them */
  mc_args locks;     /* id and lock, in turn, of those that are unique */
  uint32_t failures; /* in a row, before this one */
  bool full;         /* the set has max_size tasks: there may be more in the group */
  uint64_t extended_ms;
  struct mc_worker *worker; /* who has it; NULL before and after */
  mc_list in_worker;

  /* Set when settling begins. */
  mc_list in_settling; /* alone while it is not settling, and while a call is in flight */
  bool settling;
  bool resent;   /* a call was sent and its reply was lost */
  bool has_task; /* fold; else regroup */
  mc_enqueue task;
  mc_buf error;    /* empty: it has not failed */
  mc_slice *alone; /* into ids: tasks that go to pending */
  size_t alone_count;
  uint64_t duration_us;

  struct mc_node *node; /* for callbacks */
  UT_hash_handle hh;
} mc_fold;

typedef struct mc_folds {
  mc_group_rules rules;
  mc_fold *by_number;
  size_t count;
  mc_list settling; /* mc_fold.in_settling: those that are not sent */
  mc_list passes;   /* duty_aggregate.c's looks that are under way */
  unsigned ticks;   /* of that duty */
} mc_folds;

void mc_folds_init(mc_folds *folds);
void mc_folds_deinit(struct mc_node *node); /* logs what could not be given back */

void mc_fold_assign(mc_fold *fold, struct mc_worker *worker); /* hands it to a worker, or (NULL) takes it back */
void mc_fold_free(mc_fold *fold);                             /* out of every list, gone */

bool mc_folds_has(const mc_folds *folds, mc_slice queue, mc_slice group); /* a set of this group is in hand */

/* A set was made for slots of a section: it goes to a worker of that, or back to its group. */
void mc_folds_take(struct mc_node *node, const struct mc_section *section, mc_slice queue, const mc_group_check *group,
                   const mc_aggregated *set);

/* ---- how it ended ---- */

/* A FOLDED frame. A fold that is not in hand any more is logged and dropped. */
void mc_folds_end(struct mc_node *node, const mc_frame_folded *folded);

/* A RESULT frame: true when it is about a fold. */
bool mc_folds_fail(struct mc_node *node, const mc_frame_result *result);

/* A worker has ended. death: how, in words; nobody is to blame when it was killed at shutdown. */
void mc_folds_bury(struct mc_worker *worker, const char *death, bool by_us);

/* ---- every so often ---- */

void mc_folds_extend(struct mc_node *node); /* deadlines in Redis that are due to be extended */
void mc_folds_cancel(struct mc_node *node); /* at shutdown */

#endif
