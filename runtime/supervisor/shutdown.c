/* Stopping: see shutdown.h. */
#include "supervisor/shutdown.h"

#include "base/log.h"
#include "base/mem.h"
#include "supervisor/cancel.h"
#include "supervisor/duty_cron_tell.h"
#include "supervisor/duty_heartbeat.h"
#include "supervisor/node.h"
#include "supervisor/supervisor.h"

#include <signal.h>

#define CANCEL_MS 300   /* for coroutines to end after they were cancelled */
#define FAREWELL_MS 150 /* for Redis to answer our last command */
#define CLOSE_MS 700    /* for connections to close; workers have kill_grace, and then as long for their death */
#define KILLED_MS 550   /* for Redis to take back what killed workers had; with CANCEL_MS under a second */

bool mc_shutdown_fetching(const mc_node *node) {
  return node->shutdown.phase == MC_RUNNING;
}

bool mc_shutdown_started(const mc_node *node) {
  return node->shutdown.phase >= MC_DRAINING;
}

/* ---- closing ---- */

static void report_left(mc_node *node) {
  if (node->held.count == 0 && node->folds.count == 0)
    return;
  node->shutdown.exit_code = 1;
  mc_log_begin(MC_LOG_ERROR, "stopped with tasks in hand");
  mc_log_int("tasks", (int64_t)node->held.count);
  mc_log_int("folds", (int64_t)node->folds.count);
  mc_log_text("detail", "Redis did not take them back in time; another node recovers them, no retry is spent");
  mc_log_end();
}

static void close_signals(mc_node *node) {
  for (size_t i = 0; i < MC_COUNT(node->signals); i++)
    uv_close((uv_handle_t *)&node->signals[i], NULL);
}

static void on_not_closed(uv_timer_t *timer) {
  mc_node *node = mc_container_of(timer, mc_node, shutdown.timer);
  if (!mc_pool_closed(&node->pool) && !node->shutdown.workers_late) {
    node->shutdown.workers_late = true;
    uv_timer_start(timer, on_not_closed, (uint64_t)node->config->kill_grace_ms, 0);
    return;
  }
  node->shutdown.cut_short = true;
  uv_stop(&node->loop);
}

static void close_all(mc_node *node) {
  if (!node->link.commands)
    return; /* done already: the farewell's answer and its time-out both lead here */
  uv_timer_start(&node->shutdown.timer, on_not_closed, CLOSE_MS, 0);
  uv_unref((uv_handle_t *)&node->shutdown.timer); /* it alone keeps no loop alive */
  close_signals(node);
  mc_own_redis_close(node);
  mc_watch_close(node);
  uv_close((uv_handle_t *)&node->turn, NULL);
  uv_close((uv_handle_t *)&node->nudge, NULL);
  mc_link_close(node);
  mc_pool_close(node);
  mc_log_flush();
}

static void on_farewell(void *arg, int status, const mc_value *reply) {
  (void)status;
  (void)reply;
  close_all(arg);
}

static void on_farewell_over(uv_timer_t *timer) {
  close_all(mc_container_of(timer, mc_node, shutdown.timer));
}

/* What takes our entries away must have been read before the connection closes, or they stay until they expire. A Redis
 * that did not answer before is not waited for. */
static void enter_closing(mc_node *node) {
  node->shutdown.phase = MC_CLOSING;
  report_left(node);
  mc_duties_close(node);
  mc_heartbeat_clear(node);
  mc_cron_tell_clear(node);
  if (node->held.count || mc_conn_send_words(node->link.commands, on_farewell, node, "PING", NULL))
    close_all(node);
  else
    uv_timer_start(&node->shutdown.timer, on_farewell_over, FAREWELL_MS, 0);
}

/* ---- cancelling ---- */

static void on_too_late(uv_timer_t *timer) {
  enter_closing(mc_container_of(timer, mc_node, shutdown.timer));
}

static void on_cancel_over(uv_timer_t *timer) {
  mc_node *node = mc_container_of(timer, mc_node, shutdown.timer);
  mc_pool_kill(&node->pool);
  uv_timer_start(timer, on_too_late, KILLED_MS, 0);
}

static void enter_cancelling(mc_node *node) {
  mc_held *held, *next;
  node->shutdown.phase = MC_CANCELLING;
  mc_log_begin(MC_LOG_WARN, "cancelling tasks");
  mc_log_int("tasks", (int64_t)node->held.count);
  mc_log_int("folds", (int64_t)node->folds.count);
  mc_log_end();
  HASH_ITER(hh, node->held.by_attempt, held, next) {
    mc_cancel_held(held);
  }
  mc_folds_cancel(node);
  uv_timer_start(&node->shutdown.timer, on_cancel_over, CANCEL_MS, 0);
}

/* ---- draining ---- */

static void on_timeout(uv_timer_t *timer) {
  enter_cancelling(mc_container_of(timer, mc_node, shutdown.timer));
}

static void enter_draining(mc_node *node, const char *why) {
  node->shutdown.phase = MC_DRAINING;
  mc_log_begin(MC_LOG_INFO, "stopping");
  mc_log_text("reason", why);
  mc_log_int("tasks_in_hand", (int64_t)node->held.count);
  mc_log_int("timeout_ms", node->config->shutdown_timeout_ms);
  mc_log_end();
  mc_pool_drain(&node->pool);
  uv_timer_start(&node->shutdown.timer, on_timeout, (uint64_t)node->config->shutdown_timeout_ms, 0);
}

void mc_shutdown_check(mc_node *node) {
  mc_phase phase = node->shutdown.phase;
  if ((phase == MC_DRAINING || phase == MC_CANCELLING) && node->held.count == 0 && node->outbox.pending == 0 &&
      node->folds.count == 0 && mc_pool_asked(&node->pool) == 0)
    enter_closing(node);
}

void mc_shutdown_fail(mc_node *node) {
  node->shutdown.exit_code = 1;
  if (!mc_shutdown_started(node))
    enter_draining(node, "failure");
}

/* ---- signals ---- */

static void on_stop(uv_signal_t *handle, int number) {
  mc_node *node = handle->data;
  if (!mc_shutdown_started(node))
    enter_draining(node, strsignal(number));
  else if (node->shutdown.phase == MC_DRAINING && number == SIGINT)
    enter_cancelling(node); /* asked twice: do not wait */
}

static void on_quiet(uv_signal_t *handle, int number) {
  mc_node *node = handle->data;
  (void)number;
  if (node->shutdown.phase != MC_RUNNING)
    return;
  node->shutdown.phase = MC_QUIET;
  mc_log_event(MC_LOG_INFO, "quiet", "no new tasks are fetched; what runs goes on");
}

static void on_reload(uv_signal_t *handle, int number) {
  (void)number;
  mc_reload_ask(handle->data);
}

static const struct {
  int number;
  uv_signal_cb run;
} signals[] = {{SIGTERM, on_stop}, {SIGINT, on_stop}, {SIGHUP, on_reload}, {SIGTSTP, on_quiet}};

void mc_shutdown_open(mc_node *node) {
  uv_timer_init(&node->loop, &node->shutdown.timer);
  for (size_t i = 0; i < MC_COUNT(signals); i++) {
    uv_signal_init(&node->loop, &node->signals[i]);
    node->signals[i].data = node;
    uv_signal_start(&node->signals[i], signals[i].run, signals[i].number);
  }
}

void mc_shutdown_close(mc_node *node) {
  if (node->shutdown.cut_short)
    return;
  uv_close((uv_handle_t *)&node->shutdown.timer, NULL);
  uv_run(&node->loop, UV_RUN_DEFAULT);
}
