/* Looking at queues and tasks, and moving tasks by hand: script calls to build and replies to read. No I/O here. What
 * each does and refuses stands in server/<name>.lua; it is what asynq's inspector does on the same keys.
 */
#ifndef MC_PROTOCOL_INSPECT_H
#define MC_PROTOCOL_INSPECT_H

#include "base/err.h"
#include "base/script.h"
#include "base/value.h"

#define MC_MOVE_BATCH 1000 /* ids per call that runs, archives or deletes, at most */
#define MC_PAGE_MAX 1000   /* tasks per page */

/* In the order of their names in Redis (mc_state_name). */
typedef enum mc_task_state {
  MC_TASK_ACTIVE,
  MC_TASK_PENDING,
  MC_TASK_SCHEDULED,
  MC_TASK_RETRY,
  MC_TASK_ARCHIVED,
  MC_TASK_COMPLETED,
  MC_TASK_AGGREGATING,
  MC_TASK_STATES,
} mc_task_state;

const char *mc_state_name(mc_task_state state);                                      /* "active" … */
int mc_state_find(mc_slice name, mc_task_state *out);                                /* 0, or MC_ENOT_FOUND */
bool mc_state_is_list(mc_task_state state);                                          /* else a zset */
void mc_key_state(mc_buf *out, mc_slice queue, mc_task_state state, mc_slice group); /* where its tasks stand */

/* ---- one queue ---- */
typedef struct mc_queue_info {
  int64_t sizes[MC_TASK_STATES]; /* of aggregating, -1: more groups than one call counts (mc_call_walk_groups) */
  int64_t groups;
  int64_t paused; /* 1 or 0 */
  int64_t processed, failed, processed_today, failed_today;
  int64_t pending_since_ns; /* of the oldest pending task; 0: none, or not known */
  int64_t memory_bytes;
} mc_queue_info;

void mc_call_queue_info(mc_call *call, mc_slice queue, int64_t now_s);
int mc_queue_info_read(const mc_value *reply, mc_queue_info *out, mc_err *err);

/* Counts the tasks of groups, a page of groups per call: cursor is "0" at first, then what the last reply says, until
 * it says "0" again. forget: groups without tasks lose their names. The cursor read is borrowed from the reply. */
void mc_call_walk_groups(mc_call *call, mc_slice queue, mc_slice cursor, bool forget);
int mc_group_page_read(const mc_value *reply, mc_slice *cursor, int64_t *tasks, mc_err *err);

/* ---- tasks ---- */

/* Where a page begins: after so many tasks, or, in a zset, after the task that is named. */
typedef struct mc_page_start {
  int64_t skip;
  mc_slice after_score, after_id; /* both empty: skip counts */
} mc_page_start;

void mc_call_list_tasks(mc_call *call, mc_slice queue, mc_task_state state, mc_slice group, const mc_page_start *start,
                        size_t size);

typedef struct mc_task_page {
  const mc_value *tasks; /* borrowed */
  size_t count;
  int64_t total, skipped;
} mc_task_page;

/* A task as it stands in Redis. Slices are borrowed from the reply. */
typedef struct mc_task_record {
  mc_slice id;            /* empty from read_task: the caller knows it */
  mc_slice score;         /* where it stands; active: when the lease ends; empty: none */
  const mc_value *fields; /* names and values in turn; empty: there is no hash */
} mc_task_record;

int mc_task_page_read(const mc_value *reply, mc_task_page *out, mc_err *err);
int mc_task_page_at(const mc_task_page *page, size_t i, mc_task_record *out);

void mc_call_read_task(mc_call *call, mc_slice queue, mc_slice id);
int mc_task_record_read(const mc_value *reply, mc_task_record *out, mc_err *err); /* MC_ENOT_FOUND: no such task */

/* The value of a field of the hash; false when it is not there. */
bool mc_task_record_field(const mc_task_record *record, const char *name, mc_slice *out);

/* ---- moving tasks ---- */
typedef enum mc_move { MC_MOVE_RUN, MC_MOVE_ARCHIVE, MC_MOVE_DELETE } mc_move;

typedef enum mc_moved {
  MC_MOVED = 1,
  MC_MOVE_MISSING = 0,
  MC_MOVE_ACTIVE = -1,
  MC_MOVE_ALREADY = -2,   /* it is pending (run) or archived (archive) already */
  MC_MOVE_ELSEWHERE = -3, /* it does not stand where its state says: it is just being aggregated, or something broke */
  MC_MOVE_CHANGED = -4,   /* it is not in the state it was found in */
} mc_moved;

/* Where the ids come from. found_in: MC_TASK_STATES when the caller knows the ids alone. */
typedef struct mc_move_source {
  mc_slice queue;
  mc_task_state found_in;
  mc_slice group;
} mc_move_source;

void mc_call_move(mc_call *call, mc_move move, const mc_move_source *source, int64_t now_ns, const mc_slice *ids,
                  size_t count);
int mc_moved_at(const mc_value *reply, size_t i, mc_moved *out);

/* ---- the rest ---- */

/* old_lock: what the old message names. new_lock: empty leaves the task's lock alone. The reply is one number:
 * mc_updated. */
void mc_call_update_task(mc_call *call, mc_slice queue, mc_slice id, mc_slice old_message, mc_slice new_message,
                         mc_slice old_lock, mc_slice new_lock);
typedef enum mc_updated {
  MC_UPDATED = 1,
  MC_UPDATE_MISSING = 0,
  MC_UPDATE_ACTIVE = -1,
  MC_UPDATE_COMPLETED = -2,
  MC_UPDATE_CHANGED = -3, /* the message is not old_message any more */
  MC_UPDATE_DUPLICATE = -4,
  MC_UPDATE_FOLDING = -5, /* it is in an aggregation set */
} mc_updated;

/* The reply is one number: mc_removed. */
void mc_call_remove_queue(mc_call *call, mc_slice queue);
typedef enum mc_removed { MC_REMOVED = 1, MC_REMOVE_NOT_EMPTY = 0, MC_REMOVE_ACTIVE = -1 } mc_removed;

/* EXISTS of the places where tasks stand that are still to be worked on: a plain command; its reply is 0 when there are
 * none. */
void mc_queue_filled(mc_args *args, mc_slice queue);

/* A number between low and high: 0, or MC_ESERVER, MC_EMALFORMED. */
int mc_verdict_read(const mc_value *reply, int64_t low, int64_t high, int64_t *out, mc_err *err);

#endif
