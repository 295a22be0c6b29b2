/* Reloading the scripts under load, by generations of workers.
 *
 *   idle ── asked ──▶ starting     a copy of the scripts is made; beside the workers that serve, as many load it
 *    ▲                   │ one does not load, is too slow, dies, or declares other things than its neighbours
 *    │◀── refused ───────┤         the new workers are dropped; the error is in the log; the old ones serve on
 *    │                   │ all are ready
 *    │                   ▼
 *    │                draining     the new ones serve; the old ones finish what they run, and end (retire.h)
 *    └── they are gone ──┘
 *
 * All workers of a generation load the same copy (snapshot.h), also those that are started again when one has died; so
 * a script that is broken, or half written, never replaces one that works. The cron entries and rules for groups of the
 * new manifest come into force in the moment of the change (manifest.h).
 *
 * One generation at most is draining: what is asked while a reload is under way waits for its end, and however often it
 * was asked for becomes one reload. A handler that runs for an hour delays the next reload for an hour.
 *
 * Only the scripts are loaded anew, not the configuration: other workers, pools or queues need a restart.
 */
#ifndef MC_SUPERVISOR_RELOAD_H
#define MC_SUPERVISOR_RELOAD_H

#include "base/err.h"
#include "base/slice.h"
#include "supervisor/snapshot.h"

#include <stddef.h>

struct mc_node;
struct mc_worker;

typedef struct mc_generation {
  uint64_t number; /* 0: there is none. Counts attempts: one that was refused leaves a gap */
  mc_snapshot scripts;
  int64_t loaded_at_ms; /* unix; 0: not loaded yet */
} mc_generation;

typedef struct mc_reload {
  mc_generation serving, coming;
  struct mc_worker **successors; /* of `coming`, one per place */
  size_t ready;                  /* of those */
  uint64_t begun_ms;             /* CLOCK_MONOTONIC */
  uint64_t last_number;
  bool draining;         /* workers of an older generation live */
  uint64_t asked;        /* how often a reload was asked for */
  uint64_t covered;      /* which of these the last that began is for: all up to this one */
  uint64_t answered;     /* … and which have their answer: `error`, or that they serve */
  mc_err error;          /* of the last reload, or of the first load; empty: it serves */
  int64_t refused_at_ms; /* unix */
} mc_reload;

/* Makes the copy that the first workers load. 0, or an error as of mc_snapshot_take. */
int mc_reload_init(struct mc_node *node, mc_err *err);
void mc_reload_deinit(struct mc_node *node);

void mc_reload_ask(struct mc_node *node); /* at SIGHUP, or when a script was changed */

/* Whether a worker is one of those that load. */
bool mc_reload_awaits(const struct mc_worker *worker);

/* Such a worker is ready; one does not load, or not in time: why. */
void mc_reload_on_ready(struct mc_worker *worker);
void mc_reload_refuse(struct mc_node *node, mc_slice why);

/* The first workers have loaded, or their scripts do not load. */
void mc_reload_first_ready(struct mc_node *node);
void mc_reload_first_failed(struct mc_node *node, mc_slice why);

/* A worker has ended and is in no list any more. */
void mc_reload_on_exit(struct mc_node *node);

/* One of those that load has ended, is in no list any more, and nobody dropped it. status and signal as libuv's exit
 * callback has them. */
void mc_reload_on_death(struct mc_worker *worker, int64_t status, int signal);

size_t mc_reload_draining(const struct mc_node *node); /* workers of older generations that live */

#endif
