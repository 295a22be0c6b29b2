/* The state of one supervisor: what its parts share. Each part has a file of its own that says what it does with it.
 *
 * One loop turn: replies, frames, timers and signals arrive and change the state; then, once, on_turn_end of
 * supervisor.c sends what has gathered: settles and enqueues, dequeues for the slots that came free, frames to the
 * workers, log lines.
 */
#ifndef MC_SUPERVISOR_NODE_H
#define MC_SUPERVISOR_NODE_H

#include "base/random.h"
#include "config/config.h"
#include "redis/url.h"
#include "supervisor/crons.h"
#include "supervisor/folds.h"
#include "supervisor/held.h"
#include "supervisor/link.h"
#include "supervisor/manifest.h"
#include "supervisor/pool.h"
#include "supervisor/queue.h"
#include "supervisor/reload.h"
#include "supervisor/outbox.h"
#include "supervisor/own_redis.h"
#include "supervisor/progress.h"
#include "supervisor/settle.h"
#include "supervisor/shutdown.h"
#include "supervisor/duty.h"
#include "supervisor/duty_discover.h"
#include "supervisor/watch.h"

#include <uv.h>

typedef struct mc_node {
  const mc_config *config;
  uv_loop_t loop;
  uv_prepare_t turn;
  uv_timer_t nudge; /* ends a queue's hold-off: makes a loop turn happen */
  uv_signal_t signals[4];

  char host[256];
  char uuid[MC_UUID_SIZE];
  char server[320]; /* host:pid:uuid, as other tools name us */
  int64_t started_ns;
  uint64_t next_attempt; /* attempts are numbered from 1, none is used twice */

  mc_link link;
  mc_queues queues;
  mc_held_table held;
  mc_pool pool;
  mc_reload reload;
  mc_settle settle;
  mc_outbox outbox;
  mc_list progress; /* mc_progress.link */
  mc_manifest_force manifest;
  mc_crons crons;
  mc_folds folds;
  mc_duties duties;
  mc_discovery discovery;
  mc_shutdown shutdown;
  mc_own_redis own_redis;
  mc_watch watch;
} mc_node;

static inline mc_slice mc_node_server(const mc_node *node) {
  return mc_slice_of(node->server);
}

#endif
