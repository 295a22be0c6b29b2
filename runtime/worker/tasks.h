/* The tasks this worker holds: those that wait for a slot, and those whose handlers run. Folds of groups are held, run
 * and stopped in the same way.
 *
 *   TASK ──▶ waiting ──▶ running: parked ⇄ ready ──▶ RESULT
 *               │           (a slot of the shared page)
 *               └── DRAIN, or taken back by the page: handed back as NOT_STARTED; CANCEL: CANCELLED
 *
 * Handlers run in one place only, the turn: an idle callback of the loop, active while there is anything to do. It
 * resumes what is ready, then starts what waits, and returns to the loop after TURN_US at the latest, so that frames
 * and timers are heard of. A time-out costs no timer until its handler waits for the first time.
 *
 * Every call into a task's Lua code is bracketed in the shared page: `current` names its attempt while it runs, and
 * only then, so that a death is blamed on the right one.
 */
#ifndef MC_WORKER_TASKS_H
#define MC_WORKER_TASKS_H

#include "base/list.h"
#include "protocol/frames.h"
#include "worker/growth.h"
#include "worker/upstream.h"
#include "worker/vm.h"

#include <uv.h>

typedef struct mc_attempt mc_attempt;

typedef struct mc_tasks {
  uv_loop_t *loop;
  mc_vm *vm;
  mc_upstream *upstream;
  mc_page *page;
  uv_idle_t turn;
  mc_growth growth;
  mc_list waiting, ready, spare; /* mc_attempt.link */
  mc_attempt **slots;            /* by slot; NULL: free */
  uint32_t *free_slots;          /* a stack */
  uint32_t free_count, concurrency;
  uint64_t next_request;
} mc_tasks;

/* loop, vm, upstream and page are set by the caller before. */
void mc_tasks_init(mc_tasks *tasks, uint32_t concurrency);

/* ---- what the supervisor says ---- */

int mc_tasks_add(mc_tasks *tasks, mc_slice body);        /* the body of a TASK frame, copied; MC_EMALFORMED */
int mc_tasks_add_fold(mc_tasks *tasks, mc_slice body);   /* likewise, of a FOLD frame */
void mc_tasks_cancel(mc_tasks *tasks, uint64_t attempt); /* nothing when it has ended meanwhile */
void mc_tasks_drain(mc_tasks *tasks);                    /* hands back what was not started */
void mc_tasks_enqueued(mc_tasks *tasks, const mc_frame_enqueued *enqueued);
void mc_tasks_wake(mc_tasks *tasks); /* there may be something to do: results leave again */

/* ---- what Lua says of the task in a slot ---- */

bool mc_tasks_has(const mc_tasks *tasks, uint32_t slot);
void mc_tasks_park(mc_tasks *tasks, uint32_t slot);
void mc_tasks_ready(mc_tasks *tasks, uint32_t slot);
/* "CANCELLED" or "TIMED_OUT" when it should stop, also before a frame or a timer could tell; NULL: it may go on. */
const char *mc_tasks_stopped(const mc_tasks *tasks, uint32_t slot);
/* Its Lua code runs now, in a callback (MC_NO_SLOT: no task's). */
#define MC_NO_SLOT UINT32_MAX
void mc_tasks_blame(mc_tasks *tasks, uint32_t slot);
/* The callback has ended: the attempt that was current before it is so again. */
void mc_tasks_blame_end(mc_tasks *tasks, uint64_t outer);
/* It has failed by this, which is known from now on also if what follows takes the process with it. */
void mc_tasks_failed(mc_tasks *tasks, uint32_t slot, mc_slice text);
/* Sends the result (attempt and duration are filled in here) and frees the slot. */
void mc_tasks_finish(mc_tasks *tasks, uint32_t slot, mc_frame_result *result);
/* The same for a fold that ended well. */
void mc_tasks_folded(mc_tasks *tasks, uint32_t slot, mc_frame_folded *folded);
/* Sends what the task asks for (MC_NO_SLOT: no task, the worker itself); returns the number that the answer will carry.
 */
uint64_t mc_tasks_enqueue(mc_tasks *tasks, uint32_t slot, const mc_enqueue_options *options);

/* Sends how far the task has come (the attempt is filled in here), at once, for its handler may compute on for long.
 * Nothing while the supervisor does not read. */
void mc_tasks_progress(mc_tasks *tasks, uint32_t slot, mc_frame_progress *progress);

#endif
