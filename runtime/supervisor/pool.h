/* The workers of this node: started, watched, started again. They are divided into sections, one for each pool of the
 * configuration, which have queues, concurrency and slots of their own.
 *
 *   starting ── READY ──▶ serving ── DRAIN ──▶ draining
 *       │                    │                    │
 *       └────────────────────┴─── process ends ───┴──▶ its tasks go back (death.h) ──▶ respawn
 *
 * The first respawn comes at once; from the second quick death on it waits longer each time. A death is quick when the
 * worker was not ready, or had been so for less than a second and had ended nothing. Where a task is to blame the wait
 * stays short: such a task is archived soon, and the others should not wait for it.
 *
 * A worker whose scripts do not load is not started again, unless one at its place was ready before: then what fails is
 * what a function of crew.on_start needs, and may pass. When no worker is left the supervisor stops, or, when it
 * watches the scripts, waits until they are mended.
 *
 * A place is served by one worker. Others may belong to it: those that were retired and finish what they run, which
 * counts against their successor's slots, and those that are being made ready to take it over (retire.h). All that live
 * are in the pool's list, so that whatever concerns every process reaches them.
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
#include "supervisor/turns.h"
#include "supervisor/pulse.h"

#include <uv.h>

struct mc_generation;
struct mc_node;

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

typedef struct mc_pool_place {
  struct mc_node *node;
  struct mc_section *section;
  mc_worker *worker; /* who serves it or is about to; NULL: none */
  size_t retired;    /* workers that served it before and still live */
  uv_timer_t respawn;
  unsigned quick_deaths;  /* in a row */
  unsigned quick_growths; /* in a row: workers above memory_limit soon after their start */
  bool served;            /* a worker was ready here */
} mc_pool_place;

/* The workers of one pool of the configuration. */
typedef struct mc_section {
  mc_turns *turns;       /* of its queues; with its configuration */
  mc_pool_place *places; /* a part of those of the node */
  size_t count;
  size_t asked; /* slots that calls in flight have spoken for */
} mc_section;

typedef struct mc_pool {
  mc_section *sections;
  size_t section_count;
  size_t turn; /* modulo section_count: whose turn it is to ask for tasks */
  mc_pool_place *places;
  size_t count;
  mc_list workers; /* mc_worker.in_pool: all that live, in the order of their starts */
  size_t failed;   /* places whose scripts did not load */
  char **environment;
  bool closing;
} mc_pool;

void mc_pool_open(struct mc_node *node);

mc_worker *mc_pool_find(const mc_pool *pool, uv_pid_t pid); /* NULL: it lives no more */
mc_pool_place *mc_worker_place(const mc_worker *worker);

size_t mc_section_free_slots(const mc_section *section); /* tasks that may be asked for: no call has spoken for them */
size_t mc_section_capacity(const mc_section *section);   /* tasks that its workers together can hold */
mc_worker *mc_section_pick(const mc_section *section);   /* the least busy one with a free slot; NULL: none */

/* Of the sections that serve a queue the one with the most free slots; NULL: none has any. */
mc_section *mc_pool_section(const mc_pool *pool, mc_slice queue);

size_t mc_pool_serving(const mc_pool *pool);      /* workers ready for tasks */
size_t mc_pool_asked(const mc_pool *pool);        /* slots that calls in flight have spoken for */
size_t mc_pool_concurrency(const mc_pool *pool);  /* handlers that run at a time, at most */
bool mc_worker_has_room(const mc_worker *worker); /* NULL has none */
void mc_worker_log(const mc_worker *worker);      /* adds to a log line which worker, and of which pool */
void mc_pool_flush(mc_pool *pool);                /* frames gathered in this turn */

/* Starts a worker that belongs to a place but does not serve it yet: that is for the caller to arrange, by
 * mc_worker_retire() or place->worker. It loads the scripts of the generation that serves, or of another one. NULL when
 * no process could be started, which is logged. */
mc_worker *mc_worker_start(mc_pool_place *place);
mc_worker *mc_worker_start_of(mc_pool_place *place, const struct mc_generation *generation);
void mc_place_respawn(mc_pool_place *place, uint64_t delay_ms); /* nothing once the supervisor stops */

size_t mc_worker_load(const mc_worker *worker); /* tasks and folds it has been given and has not ended */
void mc_worker_drain(mc_worker *worker);        /* hands back what it has not started, takes no more; idempotent */

/* Stops the supervisor where nobody serves and nobody will: no scripts load, and none is about to be loaded. */
void mc_pool_check_left(struct mc_node *node);

void mc_pool_drain(mc_pool *pool); /* every worker hands back what it has not started, and takes no more */
void mc_pool_kill(mc_pool *pool);  /* every worker, at shutdown */
void mc_worker_kill(mc_worker *worker);
void mc_worker_kill_unending(mc_worker *worker); /* its socket is closed and it should have ended: the log says so */
void mc_worker_ended_one(mc_worker *worker, uint64_t duration_us); /* of its handlers, or a fold */
void mc_worker_recall(mc_worker *worker); /* at each look: takes back what stands in line behind long handlers */

/* No more respawns; closes the sockets, at which workers exit, and kills those that do not. The loop ends when all are
 * gone. */
void mc_pool_close(struct mc_node *node);
bool mc_pool_closed(const mc_pool *pool); /* no worker's process is left */
void mc_pool_deinit(mc_pool *pool);       /* after the loop has ended */

#endif
