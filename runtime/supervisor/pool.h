/* The workers of this node: started, watched, started again.
 *
 *   starting ── READY ──▶ serving ── DRAIN ──▶ draining
 *       │                    │                    │
 *       └────────────────────┴─── process ends ───┴──▶ its tasks go back (death.h) ──▶ respawn
 *
 * The first respawn comes at once; from the second quick death on it waits longer each time. A worker whose scripts do
 * not load is not started again, unless one at its place was ready before: then what fails is what a function of
 * crew.on_start needs, and may pass. When no worker is left the supervisor stops.
 *
 * Prefetch: tasks beyond a worker's concurrency hide the round trip to Redis while handlers are short, and would only
 * keep others from running them while handlers are long. So a worker gets them only while the mean duration of its
 * handlers is short, and hands back what it has not started once nothing ended between two looks.
 *
 * Each incarnation of a worker is an mc_worker of its own, freed once its process and its channel are closed. It runs
 * in a process group of its own: kills go to the group, so that a handler's children die with it.
 */
#ifndef MC_SUPERVISOR_POOL_H
#define MC_SUPERVISOR_POOL_H

#include "base/list.h"
#include "protocol/frames.h"
#include "supervisor/channel.h"
#include "supervisor/manifest.h"

#include <uv.h>

struct mc_node;

typedef enum mc_worker_state {
  MC_WORKER_STARTING,
  MC_WORKER_SERVING,
  MC_WORKER_DRAINING,
  MC_WORKER_ENDED
} mc_worker_state;

typedef struct mc_worker {
  struct mc_node *node;
  uint32_t index; /* its place in the pool; stands in the log */
  mc_worker_state state;
  uv_process_t process;
  mc_channel channel;
  bool has_process; /* the handle is there to be closed */
  int holders;      /* open handles, and one while its process may run: the memory goes with the last */
  mc_page *page;
  uint64_t started_ms;
  mc_manifest manifest;
  mc_list held; /* mc_held.in_worker, in the order of dispatch */
  size_t held_count;
  mc_list folds; /* mc_fold.in_worker */
  size_t fold_count;
  uint64_t overdue_attempt; /* killed since this attempt was past its time; 0: not for that */
  bool killed_to_stop;      /* killed at shutdown: nobody is to blame */
  bool load_failed;
  bool too_slow;              /* killed since it did not become ready */
  double mean_us;             /* of its handlers' durations, the last ones counting most */
  uint64_t ended, last_ended; /* handlers that ended: now, and at the last look */
  uint64_t last_current;      /* the attempt it was resuming when last looked at */
  bool stuck;                 /* it was resuming the same attempt for too long: it gets no new tasks meanwhile */
} mc_worker;

typedef struct mc_pool_place {
  struct mc_node *node;
  mc_worker *worker; /* NULL: none runs here */
  uv_timer_t respawn;
  unsigned quick_deaths; /* in a row */
  bool served;           /* a worker was ready here */
} mc_pool_place;

typedef struct mc_pool {
  mc_pool_place *places;
  size_t count;
  size_t failed; /* places whose scripts did not load */
  char **environment;
  bool closing;
} mc_pool;

void mc_pool_open(struct mc_node *node);

size_t mc_pool_free_slots(const struct mc_node *node); /* tasks that workers can take now */
size_t mc_pool_capacity(const struct mc_node *node);   /* tasks that all of them together can hold */
size_t mc_pool_serving(const mc_pool *pool);           /* workers ready for tasks */

mc_worker *mc_pool_pick(const struct mc_node *node); /* the least busy one with a free slot; NULL: none */
bool mc_worker_has_room(const mc_worker *worker);    /* NULL has none */
void mc_pool_flush(mc_pool *pool);                   /* frames gathered in this turn */

void mc_pool_drain(mc_pool *pool); /* every worker hands back what it has not started, and takes no more */
void mc_pool_kill(mc_pool *pool);  /* every worker, at shutdown */
void mc_worker_kill(mc_worker *worker);
void mc_worker_ended_one(mc_worker *worker, uint64_t duration_us); /* a handler of it has ended */
void mc_worker_recall(mc_worker *worker); /* at each look: takes back what stands in line behind long handlers */

/* No more respawns; closes the sockets, at which workers exit, and kills those that do not. The loop ends when all are
 * gone. */
void mc_pool_close(struct mc_node *node);
bool mc_pool_closed(const mc_pool *pool); /* no worker's process is left */
void mc_pool_deinit(mc_pool *pool);       /* after the loop has ended */

#endif
