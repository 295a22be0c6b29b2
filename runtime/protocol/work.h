/* The commands of a task's working life: script calls to build and replies to read. No I/O here.
 *
 * Everything that settles or extends is fenced: dequeue writes the hash field mc_owner = "<server>:<attempt>", and the
 * scripts touch only tasks whose mc_owner is still that. Their replies list the attempts they refused: not the ids,
 * since two attempts of one id may be in hand at the same time.
 *
 * "server" is our id, "host:pid:uuid". Attempts are numbers that a supervisor never uses twice, below 2^53.
 */
#ifndef MC_PROTOCOL_WORK_H
#define MC_PROTOCOL_WORK_H

#include "base/err.h"
#include "base/script.h"
#include "base/value.h"
#include "protocol/limits.h"

#define MC_LEASE_S 30
#define MC_LEASE_VOID_S 30  /* so long after its expiry a lease is anyone's, whoever claims the task: asynq's rule */
#define MC_SETTLE_BATCH 500 /* items per settle, extend or recover call, at most */
#define MC_DEQUEUE_BATCH 500
#define MC_FORWARD_BATCH 100
#define MC_JANITOR_BATCH 100

/* ---- dequeue: up to count ids from the head of pending to active, leased until lease_until_s. Task k of the reply
 * has the attempt first_attempt + k. ---- */
void mc_call_dequeue(mc_call *call, mc_slice queue, mc_slice server, uint64_t first_attempt, size_t count,
                     int64_t lease_until_s);

/* What must change before the queue gives more. */
typedef enum mc_wait {
  MC_WAIT_TASKS,   /* nothing: it gives what was asked, as long as it has tasks */
  MC_WAIT_UNPAUSE, /* it is paused */
  MC_WAIT_SLOT,    /* as many tasks are at work as its concurrency allows */
  MC_WAIT_RATE,    /* as many tasks began as its rate allows: wait_ms */
  MC_WAITS
} mc_wait;

typedef struct mc_dequeued {
  const mc_value *reply; /* borrowed */
  mc_wait wait;
  mc_limits limits;     /* WAIT_SLOT, WAIT_RATE: as they were found */
  int64_t wait_ms;      /* WAIT_RATE: when to ask again */
  size_t count;         /* tasks taken */
  size_t missing_count; /* ids without a hash: dropped from the queue, to be logged */
} mc_dequeued;

typedef struct mc_dequeued_task {
  mc_slice id, message;
  uint32_t crashes; /* mc_crashes so far */
} mc_dequeued_task;

int mc_dequeued_read(const mc_value *reply, mc_dequeued *out, mc_err *err);
int mc_dequeued_task_at(const mc_dequeued *dequeued, size_t i, mc_dequeued_task *out);
mc_slice mc_dequeued_missing_at(const mc_dequeued *dequeued, size_t i);

/* ---- settle: one call per queue and kind. ---- */
typedef enum mc_settle_kind {
  MC_SETTLE_COMPLETE, /* done, nothing retained (also revoke): deletes the task */
  MC_SETTLE_RETAIN,   /* done, kept as completed until at_s with its result */
  MC_SETTLE_RETRY,    /* to `retry` at at_s */
  MC_SETTLE_SNOOZE,   /* to `scheduled` at at_s; no counter moves */
  MC_SETTLE_ARCHIVE,  /* to `archived`; trims it by age and size */
  MC_SETTLE_REQUEUE,  /* back to the head of pending, in the order given: the first item is dequeued first */
  MC_SETTLE_KINDS
} mc_settle_kind;

typedef struct mc_settle_item {
  mc_slice id;
  uint64_t attempt;
  bool near_head;      /* the id is likelier near the left (newest) end of active: LREM scans from there */
  bool counts_failure; /* RETRY: processed and failed grow (asynq's IsFailure) */
  uint32_t crashes;    /* REQUEUE: the new mc_crashes; 0 leaves the field as it is */
  int64_t at_s;        /* RETAIN: expires at; RETRY, SNOOZE: process at; unix s */
  mc_slice message;    /* RETAIN, RETRY, SNOOZE, ARCHIVE: the new encoded message; empty leaves msg untouched */
  mc_slice unique_key; /* COMPLETE, RETAIN: the lock to release if this id holds it; empty: none */
  mc_slice result;     /* RETAIN: for the field `result`, when has_result */
  bool has_result;
  mc_slice error; /* ARCHIVE with an empty message: for the field mc_error */
  mc_slice crash; /* REQUEUE with crashes, ARCHIVE: for the field mc_last_crash; empty in ARCHIVE: stays as it is */
} mc_settle_item;

typedef struct mc_settle_context {
  mc_slice queue, server;
  int64_t now_ns;
  int64_t archive_max_age_s; /* 90 days in asynq */
  int64_t archive_max_size;  /* 10,000 in asynq */
} mc_settle_context;

void mc_call_settle(mc_call *call, mc_settle_kind kind, const mc_settle_context *context,
                    const mc_settle_item *const *items, size_t count);

/* ---- extend: leases of held tasks. ---- */
typedef struct mc_held_id {
  mc_slice id;
  uint64_t attempt;
} mc_held_id;
void mc_call_extend(mc_call *call, mc_slice queue, mc_slice server, int64_t lease_until_s, const mc_held_id *ids,
                    size_t count);

/* The reply of settle and extend: the attempts that are no longer ours. 0 and their number, or an error; then whether
 * one is among them. */
int mc_refused_read(const mc_value *reply, size_t *out_count, mc_err *err);
bool mc_refused_has(const mc_value *reply, uint64_t attempt);

/* ---- progress: how far tasks have come, for those that are still ours. The reply is of no interest. ---- */
typedef struct mc_progress_item {
  mc_slice id;
  uint64_t attempt;
  double fraction; /* 0 … 1 */
  int64_t at_ms;   /* unix ms */
  bool has_text;
  mc_slice text; /* UTF-8 */
} mc_progress_item;
void mc_call_progress(mc_call *call, mc_slice queue, mc_slice server, const mc_progress_item *items, size_t count);

/* ---- forward: due ids of `scheduled` and `retry` to pending (or to their group), up to MC_FORWARD_BATCH of each.
 * The reply is an integer: how many ids moved or were dropped; call again while it is at least MC_FORWARD_BATCH. ----
 */
void mc_call_forward(mc_call *call, mc_slice queue, int64_t now_ns);

/* ---- janitor: deletes what is kept no longer: expired `completed`, then `archived` that are too old or too many; up
 * to MC_JANITOR_BATCH ids in all. The reply is an integer: how many went; call again while it is MC_JANITOR_BATCH. ----
 */
void mc_call_janitor(mc_call *call, mc_slice queue, int64_t now_s, int64_t archive_max_age_s, int64_t archive_max_size);

/* ---- recover: puts orphans back at the head of pending, if they are still as they were seen. ---- */
typedef struct mc_orphan {
  mc_slice id;
  double lease_s; /* the lease score seen, whole unless somebody else wrote it; MC_NO_LEASE when it stood in active
                     without one */
} mc_orphan;
#define MC_NO_LEASE (-1)
void mc_call_recover(mc_call *call, mc_slice queue, int64_t now_ns, const mc_orphan *orphans, size_t count);

/* The reply: an array with one of these per orphan. */
typedef enum mc_recovered {
  MC_RECOVER_CHANGED = 0,   /* meanwhile, and left alone; or a mere trace, which was cleared away */
  MC_RECOVER_REQUEUED = 1,  /* put back to pending */
  MC_RECOVER_DROPPED = 2,   /* it has no hash */
  MC_RECOVER_RELISTED = 3,  /* it had ended, and stands among those again */
  MC_RECOVER_POSTPONED = 4, /* left alone: that call had searched pending for long enough */
} mc_recovered;
int mc_recovered_at(const mc_value *reply, size_t i, mc_recovered *out);

#endif
