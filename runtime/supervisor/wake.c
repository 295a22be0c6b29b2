/* Wake-ups: see wake.h. */
#include "supervisor/wake.h"

#include "base/clock.h"
#include "base/mem.h"
#include "base/random.h"
#include "protocol/keys.h"
#include "supervisor/duty_discover.h"
#include "supervisor/node.h"

#include <stdlib.h>

#define MISSES_BEFORE_HOLD_OFF 3
#define HOLD_OFF_MAX_MS 5
#define SLOW_CHECK_MS 5000

/* ---- what a waiting queue watches ---- */

/* A key to be read under tracking, and whether the answer says that the queue need not wait any more. */
typedef struct watch {
  void (*ask)(mc_args *args, const mc_queue *queue);
  bool (*is_over)(const mc_queue *queue, const mc_value *reply);
} watch;

static void ask_key(mc_args *args, const char *command, const mc_queue *queue, mc_queue_key key) {
  mc_args_add_text(args, command);
  mc_key_queue(&args->bytes, queue->name, key);
  mc_args_end(args);
}

static void ask_pending(mc_args *args, const mc_queue *queue) {
  ask_key(args, "EXISTS", queue, MC_KEY_PENDING);
}

static bool has_pending(const mc_queue *queue, const mc_value *reply) {
  int64_t exists = 0;
  (void)queue;
  return mc_value_integer(reply, &exists) == 0 && exists;
}

static void ask_paused(mc_args *args, const mc_queue *queue) {
  ask_key(args, "EXISTS", queue, MC_KEY_PAUSED);
}

static bool is_unpaused(const mc_queue *queue, const mc_value *reply) {
  int64_t exists = 1;
  (void)queue;
  return mc_value_integer(reply, &exists) == 0 && !exists;
}

static void ask_leases(mc_args *args, const mc_queue *queue) {
  ask_key(args, "ZCARD", queue, MC_KEY_LEASE);
}

static bool has_slot(const mc_queue *queue, const mc_value *reply) {
  int64_t leases;
  return mc_value_integer(reply, &leases) == 0 && leases < queue->limits.concurrency;
}

static void ask_limits(mc_args *args, const mc_queue *queue) {
  mc_limits_ask(args, queue->name);
}

static bool are_changed(const mc_queue *queue, const mc_value *reply) {
  mc_limits found;
  return mc_limits_read(reply, &found) == 0 && !mc_limits_equal(&found, &queue->limits);
}

static const watch pending = {ask_pending, has_pending}, paused = {ask_paused, is_unpaused},
                   leases = {ask_leases, has_slot}, limits = {ask_limits, are_changed};

#define WATCHES_MAX 2

static const watch *const plans[MC_WAITS][WATCHES_MAX] = {
    [MC_WAIT_TASKS] = {&pending},
    [MC_WAIT_UNPAUSE] = {&paused},
    [MC_WAIT_SLOT] = {&leases, &limits},
    [MC_WAIT_RATE] = {&limits},
};

/* ---- arming ---- */

struct arm {
  mc_queue *queue;
  const watch *what;
};

/* An error: the connection went (everything is ready after a reconnect), or Redis refuses (the slow check stays). */
static void on_armed(void *arg, int status, const mc_value *reply) {
  struct arm request = *(struct arm *)arg;
  mc_queue *queue = request.queue;
  free(arg);
  queue->arming--;
  if (status || !request.what->is_over(queue, reply))
    return;
  queue->ready = true;
  if (request.what == &limits)
    queue->hold_until_ms = 0;
}

static void arm_watch(mc_node *node, mc_queue *queue, const watch *what) {
  mc_args args = {0};
  struct arm *request = mc_alloc(sizeof *request);
  *request = (struct arm){queue, what};
  what->ask(&args, queue);
  queue->arming++;
  if (mc_conn_send_words(node->link.commands, NULL, NULL, "CLIENT", "CACHING", "YES", NULL) ||
      mc_conn_send(node->link.commands, &args, on_armed, request)) {
    queue->arming--;
    free(request);
  }
  mc_args_deinit(&args);
}

static void arm(mc_node *node, mc_queue *queue) {
  if (queue->arming || !node->link.tracking)
    return;
  for (size_t i = 0; i < WATCHES_MAX && plans[queue->waits_for][i]; i++)
    arm_watch(node, queue, plans[queue->waits_for][i]);
}

/* ---- holding a queue off for a time ---- */

static void set_nudge(mc_node *node);

static void on_nudge(uv_timer_t *timer) { /* the end of this loop turn asks the queue */
  set_nudge(mc_container_of(timer, mc_node, nudge));
}

/* Makes a loop turn happen when the next of the queues that are held off may be asked. */
static void set_nudge(mc_node *node) {
  uint64_t now_ms = mc_clock_mono_ms(), next_ms = UINT64_MAX;
  for (size_t i = 0; i < node->queues.count; i++) {
    uint64_t at_ms = node->queues.items[i]->hold_until_ms;
    if (node->queues.items[i]->ready && at_ms > now_ms && at_ms < next_ms)
      next_ms = at_ms;
  }
  if (next_ms == UINT64_MAX)
    return;
  uv_update_time(&node->loop); /* the timer counts from the loop's time, which is older than the clock's */
  uv_timer_start(&node->nudge, on_nudge, next_ms - now_ms, 0);
}

/* Never shorter than it is held already: a rate limit stands behind that. */
static void hold_off(mc_node *node, mc_queue *queue, uint64_t ms) {
  uint64_t until_ms = mc_clock_mono_ms() + ms;
  if (queue->hold_until_ms < until_ms)
    queue->hold_until_ms = until_ms;
  set_nudge(node);
}

void mc_wake_wait(mc_node *node, mc_queue *queue, const mc_dequeued *dequeued) {
  queue->waits_for = dequeued->wait;
  queue->limits = dequeued->limits;
  if (dequeued->wait != MC_WAIT_TASKS)
    mc_queue_set_waiting(queue);
  if (!queue->ready)
    arm(node, queue);
  if (dequeued->wait != MC_WAIT_RATE)
    return;
  /* Also where no notice tells of a change of the limit, one is found by the slow check. */
  int64_t check_ms = node->link.tracking ? SLOW_CHECK_MS : node->config->task_check_interval_ms;
  queue->ready = true;
  hold_off(node, queue, (uint64_t)(dequeued->wait_ms < check_ms ? dequeued->wait_ms : check_ms));
}

/* ---- notices ---- */

static void wake_queue(mc_node *node, mc_queue *queue, mc_slice suffix) {
  queue->ready = true;
  queue->noticed = true;
  if (mc_key_suffix_is(suffix, MC_KEY_LIMITS))
    queue->hold_until_ms = 0;
  if (queue->misses >= MISSES_BEFORE_HOLD_OFF)
    hold_off(node, queue, mc_random_below(HOLD_OFF_MAX_MS + 1));
}

void mc_wake_on_notice(mc_node *node, const mc_value *keys) {
  if (keys->kind != MC_VALUE_ARRAY) {
    mc_queues_set_ready(&node->queues);
    mc_duty_discover(node);
    return;
  }
  for (size_t i = 0; i < keys->count; i++) {
    mc_slice name, suffix;
    if (mc_value_is_text(keys->items[i], MC_KEY_QUEUES))
      mc_duty_discover(node);
    if (!mc_key_split(keys->items[i]->text, &name, &suffix))
      continue;
    mc_queue *queue = mc_queues_find(&node->queues, name);
    if (queue)
      wake_queue(node, queue, suffix);
  }
}

void mc_wake_on_answer(mc_queue *queue, size_t got) {
  if (got)
    queue->misses = 0;
  else if (queue->noticed) /* another node was quicker */
    queue->misses++;
  queue->noticed = false;
}

void mc_wake_check(mc_node *node) {
  uint64_t now_ms = mc_clock_mono_ms();
  if (node->link.tracking && now_ms - node->duties.checked_ms < SLOW_CHECK_MS)
    return;
  node->duties.checked_ms = now_ms;
  mc_queues_set_ready(&node->queues);
}
