/* Wake-ups: see wake.h. */
#include "supervisor/wake.h"

#include "base/clock.h"
#include "base/mem.h"
#include "base/random.h"
#include "protocol/keys.h"
#include "supervisor/node.h"

#include <stdlib.h>

#define MISSES_BEFORE_HOLD_OFF 3
#define HOLD_OFF_MAX_MS 5
#define SLOW_CHECK_MS 5000

struct arm {
  mc_node *node;
  mc_queue *queue;
  bool waits_for_unpause;
};

static void on_armed(void *arg, int status, const mc_value *reply) {
  struct arm request = *(struct arm *)arg;
  free(arg);
  request.queue->arming = false;
  int64_t exists = 0;
  if (status || mc_value_integer(reply, &exists))
    return; /* the connection went (everything is ready after a reconnect), or EXISTS is refused (the slow check stays)
             */
  if ((exists != 0) != request.waits_for_unpause)
    request.queue->ready = true;
}

void mc_wake_arm(mc_node *node, mc_queue *queue) {
  if (queue->arming || !node->link.tracking)
    return;
  mc_args exists = {0};
  mc_args_add_text(&exists, "EXISTS");
  mc_key_queue(&exists.bytes, queue->name, queue->paused ? MC_KEY_PAUSED : MC_KEY_PENDING);
  mc_args_end(&exists);
  struct arm *request = mc_alloc(sizeof *request);
  *request = (struct arm){node, queue, queue->paused};
  queue->arming = true;
  if (mc_conn_send_words(node->link.commands, NULL, NULL, "CLIENT", "CACHING", "YES", NULL) ||
      mc_conn_send(node->link.commands, &exists, on_armed, request)) {
    queue->arming = false;
    free(request);
  }
  mc_args_deinit(&exists);
}

static void on_nudge(uv_timer_t *timer) {
  (void)timer; /* the end of this loop turn asks the queue */
}

static void wake_queue(mc_node *node, mc_queue *queue) {
  queue->ready = true;
  queue->noticed = true;
  if (queue->misses < MISSES_BEFORE_HOLD_OFF)
    return;
  queue->hold_until_ms = mc_clock_mono_ms() + mc_random_below(HOLD_OFF_MAX_MS + 1);
  uv_update_time(&node->loop); /* the timer counts from the loop's time, which is older than the clock's */
  uv_timer_start(&node->nudge, on_nudge, HOLD_OFF_MAX_MS + 1, 0);
}

void mc_wake_on_notice(mc_node *node, const mc_value *keys) {
  if (keys->kind != MC_VALUE_ARRAY) {
    mc_queues_set_ready(&node->queues);
    return;
  }
  for (size_t i = 0; i < keys->count; i++) {
    mc_slice name, suffix;
    if (!mc_key_split(keys->items[i]->text, &name, &suffix))
      continue;
    mc_queue *queue = mc_queues_find(&node->queues, name);
    if (queue)
      wake_queue(node, queue);
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
