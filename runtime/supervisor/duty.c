/* Duties: see duty.h. */
#include "supervisor/duty.h"

#include "base/clock.h"
#include "base/mem.h"
#include "supervisor/duty_discover.h"
#include "supervisor/duty_cron.h"
#include "supervisor/duty_cron_tell.h"
#include "supervisor/duty_aggregate.h"
#include "supervisor/duty_forward.h"
#include "supervisor/duty_heartbeat.h"
#include "supervisor/duty_janitor.h"
#include "supervisor/duty_lease.h"
#include "supervisor/duty_overdue.h"
#include "supervisor/duty_recover.h"
#include "supervisor/node.h"
#include "supervisor/wake.h"

#define AFTER_THE_SECOND_MS 5 /* clocks of two hosts differ, and Redis' own is not asked */

/* Out of step with the other duties: a queue whose calls are in flight just then is not let go. */
#define DISCOVER_MS 2900

static const mc_duty duties[MC_DUTY_COUNT] = {
    {.name = "overdue", .every_ms = 100, .without_redis = true, .run = mc_duty_overdue},
    {.name = "forward", .whole_seconds = true, .on_connect = true, .run = mc_duty_forward},
    {.name = "check", .every_ms = 0, .run = mc_wake_check},
    {.name = "lease-loss", .every_ms = 1000, .without_redis = true, .run = mc_duty_lease_loss},
    {.name = "lease", .every_ms = 5000, .on_connect = true, .run = mc_duty_lease},
    {.name = "heartbeat", .every_ms = 5000, .on_connect = true, .run = mc_duty_heartbeat},
    {.name = "janitor", .every_ms = 2000, .run = mc_duty_janitor},
    {.name = "discover", .every_ms = DISCOVER_MS, .on_connect = true, .run = mc_duty_discover},
    {.name = "recover", .every_ms = 1500, .run = mc_duty_recover},
    {.name = "cron", .whole_seconds = true, .on_connect = true, .run = mc_duty_cron},
    {.name = "cron-tell", .every_ms = 10000, .on_connect = true, .run = mc_duty_cron_tell},
    {.name = "aggregate", .every_ms = 1000, .run = mc_duty_aggregate},
};

static void on_timer(uv_timer_t *timer);

static void arm(mc_duty_timer *at) {
  uint64_t wait_ms = at->duty->every_ms ? at->duty->every_ms : (uint64_t)at->node->config->task_check_interval_ms;
  if (at->duty->whole_seconds)
    wait_ms = 1000 - (uint64_t)(mc_clock_wall_ms() % 1000) + AFTER_THE_SECOND_MS;
  uv_timer_start(&at->timer, on_timer, wait_ms, 0);
}

static void on_timer(uv_timer_t *timer) {
  mc_duty_timer *at = mc_container_of(timer, mc_duty_timer, timer);
  if (at->duty->without_redis || at->node->link.up)
    at->duty->run(at->node);
  arm(at);
}

void mc_duties_open(mc_node *node) {
  node->duties.looked_ms = mc_clock_mono_ms();
  for (size_t i = 0; i < MC_DUTY_COUNT; i++) {
    mc_duty_timer *at = &node->duties.timers[i];
    at->node = node;
    at->duty = &duties[i];
    uv_timer_init(&node->loop, &at->timer);
    arm(at);
  }
}

void mc_duties_run_now(mc_node *node) {
  if (node->shutdown.phase == MC_CLOSING)
    return; /* our entries are taken away: none is to come back */
  for (size_t i = 0; i < MC_DUTY_COUNT; i++)
    if (duties[i].on_connect)
      duties[i].run(node);
}

void mc_duties_close(mc_node *node) {
  for (size_t i = 0; i < MC_DUTY_COUNT; i++)
    uv_close((uv_handle_t *)&node->duties.timers[i].timer, NULL);
}
