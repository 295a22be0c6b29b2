/* Groups: their tasks move to aggregation sets, are folded into one task by a script's function, and go with the set
 * when that task is accepted. Calls to build and replies to read; no I/O here.
 *
 *   group ── aggregate ──▶ set, with a deadline ──┬─ fold ─────▶ one task; the set and its tasks are deleted
 *     ▲                                           │
 *     └──── regroup (not folded), reclaim (its deadline has passed)
 *
 * Deadlines are by Redis' own clock, so that one host does not judge by its own what another has written.
 *
 * A set's id is never used twice, so fold and regroup are fenced by the set's being registered.
 */
#ifndef MC_PROTOCOL_FOLD_H
#define MC_PROTOCOL_FOLD_H

#include "base/err.h"
#include "base/script.h"
#include "base/value.h"
#include "protocol/enqueue.h"

#define MC_FOLD_LEASE_S 30                /* from here to the deadline of a set; extended while it is worked on */
#define MC_FOLD_TASKS 10000               /* in one set, at most */
#define MC_FOLD_BYTES (INT64_C(32) << 20) /* of messages in one aggregate call, if they are several */
#define MC_AGGREGATE_BATCH 100            /* groups looked at in one call */
#define MC_AGGREGATE_SETS 16              /* sets made in one call */
#define MC_RECLAIM_BATCH 100

/* ---- aggregate: makes sets of those groups that are due ---- */

typedef struct mc_group_check {
  mc_slice group;
  const char *set_id;
  uint32_t max_size;   /* due when it has so many tasks, and so many are taken at most; 0: its size does not matter */
  int64_t max_delay_s; /* due when its oldest is so old; 0: its age does not matter */
  int64_t grace_s;     /* due when its newest is so old */
} mc_group_check;

/* At most MC_AGGREGATE_BATCH groups and MC_AGGREGATE_SETS sets. */
void mc_call_aggregate(mc_call *call, mc_slice queue, int64_t now_s, size_t sets, const mc_group_check *groups,
                       size_t count);

typedef struct mc_aggregated {
  size_t place; /* of the group among those that were looked at */
  uint32_t failures;
  size_t count;          /* tasks; at least one */
  const mc_value *tasks; /* for mc_aggregated_task */
} mc_aggregated;

/* 0 and the number of sets made, or an error; then set i (0 or MC_EMALFORMED), and task k of it. All borrowed. */
int mc_aggregated_read(const mc_value *reply, size_t *out_count, mc_err *err);
int mc_aggregated_at(const mc_value *reply, size_t i, size_t groups, mc_aggregated *out);
void mc_aggregated_task(const mc_aggregated *set, size_t k, mc_slice *id, mc_slice *message);

/* How many of the groups, in their order, the script has looked at: it stops when it has made `sets`, or has read
 * enough bytes. The reply is one that mc_aggregated_read took. */
size_t mc_aggregated_seen(const mc_value *reply, size_t sets, size_t groups);

/* ---- extend: the deadline of a set that is worked on ---- */
void mc_call_extend_set(mc_call *call, mc_slice queue, mc_slice group, const char *set_id);

/* ---- fold: the new task is accepted and the set goes ----
 *
 * The task is pending or scheduled, and in the same queue. locks: id and lock, in turn, of those folded tasks whose
 * message names one. */
void mc_call_fold(mc_call *call, mc_slice group, const char *set_id, const mc_enqueue *task, const mc_args *locks,
                  int64_t now_ns);

/* 0; MC_ECONFLICT or MC_EDUPLICATE: the set stands; MC_ENOT_FOUND: the set is no more; MC_ESERVER; MC_EMALFORMED. */
int mc_fold_answer(const mc_value *reply);

/* ---- regroup: a set that was not folded goes back, but for those tasks that are to go to pending ---- */

typedef struct mc_regroup {
  mc_slice queue, group;
  const char *set_id;
  uint32_t failures;     /* in a row, with this one; 0: it did not fail */
  int64_t next_try_s;    /* when it failed */
  mc_slice error;        /* likewise */
  const mc_slice *alone; /* ids that go to pending */
  size_t alone_count;
} mc_regroup;

void mc_call_regroup(mc_call *call, const mc_regroup *regroup, int64_t now_ns);

/* ---- reclaim: sets that are past their deadline ---- */
void mc_call_reclaim(mc_call *call, mc_slice queue);

/* 0 and the number of sets that went back, or an error; then the group of set i, and how many tasks it had. */
int mc_reclaimed_read(const mc_value *reply, size_t *out_count, mc_err *err);
int mc_reclaimed_at(const mc_value *reply, size_t i, mc_slice *group, int64_t *tasks);

#endif
