/* The tasks that this supervisor holds: from the reply of a dequeue until Redis has confirmed their settling.
 *
 *   dequeued ──▶ at a worker ──▶ settling ──▶ gone
 *        │             │            ▲
 *        └─────────────┴────────────┘  (not started, worker died, shutdown)
 *
 * A held task is found by its attempt, never by its id: the same id may come back to us while an older attempt of it
 * is still being given up.
 */
#ifndef MC_SUPERVISOR_HELD_H
#define MC_SUPERVISOR_HELD_H

#include "base/list.h"
#include "protocol/frames.h"
#include "protocol/message.h"
#include "protocol/work.h"

#include <uthash.h>

struct mc_queue;
struct mc_worker;

typedef struct mc_held {
  uint64_t attempt;
  mc_message_box box; /* the decoded message */
  struct mc_queue *queue;
  uint32_t crashes;             /* mc_crashes when it was dequeued */
  uint64_t renewed_boot_ms;     /* when its lease was last known to be ours, on the clock that counts sleep */
  struct mc_worker *worker;     /* who has it; NULL before and after */
  mc_list in_worker;            /* link in worker->held; alone when at no worker */
  mc_list in_queue;             /* link in queue->held, oldest first */
  mc_list in_settle;            /* link in a settle list; alone before */
  uint64_t cancelled_ms;        /* CLOCK_MONOTONIC: when its worker was told to stop it; 0: not told */
  struct mc_progress *progress; /* told by its handler and not yet sent (progress.h); NULL: nothing */
  bool lost;                    /* no longer ours: whatever its handler says is not written */

  /* Set when settling begins: what is written and what is logged. */
  bool settling;
  mc_outcome outcome; /* of the handler; 0: it has not ended by itself */
  bool resent;        /* the settle was sent before and its reply was lost */
  mc_settle_kind kind;
  mc_settle_item item;
  mc_buf message; /* item.message points into it */
  mc_buf text;    /* the result or the error; item.result, item.error point into it */
  mc_buf trace;
  mc_buf crash;         /* item.crash points into it */
  int32_t worker_index; /* -1: none */
  const char *pool;     /* of that worker; "" where pools have no names */
  uint64_t duration_us;

  UT_hash_handle hh;
} mc_held;

typedef struct mc_held_table {
  mc_held *by_attempt;
  size_t count;
} mc_held_table;

/* A new entry; takes the box. It is in the table and at the young end of the queue's list. */
mc_held *mc_held_new(mc_held_table *table, struct mc_queue *queue, uint64_t attempt, mc_message_box *box);
mc_held *mc_held_find(const mc_held_table *table, uint64_t attempt); /* NULL: not held, or no more */
void mc_held_free(mc_held_table *table, mc_held *held);              /* out of every list, gone */

/* Hands it to a worker, or (NULL) takes it back. */
void mc_held_assign(mc_held *held, struct mc_worker *worker);

/* Whether its id is likelier near the left, newest, end of the queue's `active` list. */
bool mc_held_near_head(const mc_held *held);

#endif
