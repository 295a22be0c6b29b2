/* One worker: its process, its channel, and what is in its hands.
 *
 *   starting ── READY ──▶ serving ── DRAIN ──▶ draining
 *       │                    │                    │
 *       └────────────────────┴─── process ends ───┴──▶ its tasks go back (death.h) ──▶ respawn (place.h)
 *
 * Each incarnation is an mc_worker of its own, freed once its process and its channel are closed. It runs in a process
 * group of its own: kills go to the group, so that a handler's children die with it.
 *
 * Prefetch: tasks beyond a worker's concurrency hide the round trip to Redis while handlers are short, and would only
 * keep others from running them while handlers are long. So a worker gets them only while the mean duration of its
 * handlers is short, and hands back what it has not started once nothing ended between two looks.
 */
#ifndef MC_SUPERVISOR_WORKER_H
#define MC_SUPERVISOR_WORKER_H

#include "base/list.h"
#include "config/config.h"
#include "protocol/shared_page.h"
#include "supervisor/channel.h"
#include "supervisor/manifest.h"
#include "supervisor/pulse.h"

#include <uv.h>

struct mc_generation;
struct mc_node;
struct mc_pool_place;

typedef enum mc_worker_state {
  MC_WORKER_STARTING,
  MC_WORKER_SERVING,
  MC_WORKER_DRAINING,
  MC_WORKER_ENDED
} mc_worker_state;

typedef struct mc_worker {
  struct mc_node *node;
  const mc_config_pool *config; /* its section's */
  mc_list in_pool;              /* link in pool->workers, from its start until its process has ended */
  uint32_t index;               /* its place among all of the node; stands in the log */
  uint64_t generation;          /* whose scripts it loads (reload.h) */
  mc_worker_state state;
  uv_process_t process;
  mc_channel channel;
  bool has_process; /* the handle is there to be closed */
  int holders;      /* open handles, and one while its process may run: the memory goes with the last */
  mc_page *page;
  uint64_t started_ms, ready_ms; /* by CLOCK_MONOTONIC; it is ready since it has loaded its scripts, 0: it has not */
  mc_manifest manifest;
  mc_list held; /* mc_held.in_worker, in the order of dispatch */
  size_t held_count;
  mc_list folds; /* mc_fold.in_worker */
  size_t fold_count;
  uint64_t overdue_attempt; /* killed since this attempt was past its time; 0: not for that */
  uint64_t culprit;      /* who to blame whatever runs at its end: it took the memory, or closed the socket; 0: none */
  uint64_t suspect;      /* whom to blame if it resumes none at its end; 0: nobody */
  bool killed_to_stop;   /* killed since it was to end anyhow: nobody is to blame */
  bool retired;          /* another one has its place, or will (retire.h) */
  uint64_t dismissed_ms; /* when its socket was closed since it had nothing left to do; 0: not yet */
  char killed_for[192];  /* why we killed it, other than for an attempt past its time or to stop; empty: not so */
  bool load_failed;
  bool too_slow;              /* killed since it did not become ready */
  double mean_us;             /* of its handlers' durations, the last ones counting most */
  uint64_t ended, last_ended; /* handlers and folds that ended: now, and at the last look */
  mc_pulse pulse;
  bool stuck;           /* it does not move on (pulse.h): it gets no new tasks meanwhile */
  int statm;            /* descriptor of its /proc/…/statm (memory.h); -1: not open */
  int64_t resident;     /* bytes, at the last look; 0: not looked at, there is no memory_limit */
  bool killed_for_size; /* killed since it took too much memory */
  bool killed_cut_off;  /* killed since its end of the socket was closed (pulse.h) */
} mc_worker;

mc_worker *mc_worker_of(mc_list *link); /* whose in_pool this is */
struct mc_pool_place *mc_worker_place(const mc_worker *worker);

/* Starts a worker that belongs to a place but does not serve it yet: that is for the caller to arrange, by
 * mc_worker_retire() or place->worker. It loads the scripts of the generation that serves, or of another one. NULL when
 * no process could be started, which is logged. */
mc_worker *mc_worker_start(struct mc_pool_place *place);
mc_worker *mc_worker_start_of(struct mc_pool_place *place, const struct mc_generation *generation);

size_t mc_worker_load(const mc_worker *worker); /* tasks and folds it has been given and has not ended */
void mc_worker_drain(mc_worker *worker);        /* hands back what it has not started, takes no more; idempotent */
void mc_worker_recall(mc_worker *worker);       /* at each look: takes back what stands in line behind long handlers */
void mc_worker_ended_one(mc_worker *worker, uint64_t duration_us); /* of its handlers, or a fold */
void mc_worker_kill(mc_worker *worker);
void mc_worker_kill_unending(mc_worker *worker); /* its socket is closed and it should have ended: the log says so */
void mc_worker_log(const mc_worker *worker);     /* adds to a log line which worker, and of which pool */

#endif
