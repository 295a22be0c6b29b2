/* The supervisor: see supervisor.h. Start-up, the end of each loop turn, and the tear-down. */
#include "supervisor/supervisor.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "supervisor/dispatch.h"
#include "supervisor/duty_aggregate.h"
#include "supervisor/duty_recover.h"
#include "supervisor/fold_settle.h"
#include "supervisor/node.h"

#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

/* What gathered in this turn leaves now: settles and dequeues in one write to Redis, frames in one write per worker. */
static void on_turn_end(uv_prepare_t *turn) {
  mc_node *node = mc_container_of(turn, mc_node, turn);
  mc_outbox_flush(node);
  mc_progress_flush(node);
  mc_settle_flush(node);
  mc_folds_flush(node);
  mc_aggregate_flush(node);
  mc_dispatch_run(node);
  if (node->link.commands)
    mc_conn_flush(node->link.commands);
  mc_pool_flush(&node->pool);
  mc_log_flush();
  mc_shutdown_check(node);
}

static void name_server(mc_node *node) {
  if (gethostname(node->host, sizeof node->host - 1))
    snprintf(node->host, sizeof node->host, "unknown");
  mc_random_uuid(node->uuid);
  snprintf(node->server, sizeof node->server, "%s:%d:%s", node->host, (int)getpid(), node->uuid);
}

static void log_pool(const mc_turns *turns) {
  mc_buf queues = {0};
  for (size_t i = 0; i < turns->share_count; i++)
    mc_buf_printf(&queues, "%s%s=%d", i ? "," : "", turns->shares[i].config->name, turns->shares[i].config->weight);
  if (*turns->pool.name)
    mc_log_text("pool", turns->pool.name);
  mc_log_int("workers", turns->pool.workers);
  mc_log_int("concurrency", turns->pool.concurrency);
  mc_log_slice("queues", mc_buf_slice(&queues));
  mc_log_text("order", turns->pool.strict ? "strict" : "weighted");
  mc_buf_deinit(&queues);
}

static void log_start(const mc_node *node) {
  mc_log_begin(MC_LOG_INFO, "starting");
  mc_log_text("version", MC_VERSION);
  mc_log_text("server", node->server);
  mc_log_text("redis", node->link.address);
  mc_log_text("scripts", node->config->scripts);
  if (node->queues.turns_count == 1)
    log_pool(&node->queues.turns[0]);
  mc_log_end();
  for (size_t i = 0; node->queues.turns_count > 1 && i < node->queues.turns_count; i++) {
    mc_log_begin(MC_LOG_INFO, "pool");
    log_pool(&node->queues.turns[i]);
    mc_log_end();
  }
}

static void free_held(mc_node *node) {
  mc_held *held, *next;
  HASH_ITER(hh, node->held.by_attempt, held, next) {
    mc_held_free(&node->held, held);
  }
}

static int deinit(mc_node *node) {
  int code = node->shutdown.exit_code;
  free_held(node);
  mc_outbox_deinit(node);
  mc_crons_deinit(&node->crons);
  mc_folds_deinit(node);
  mc_recover_forget(node);
  mc_pool_deinit(&node->pool);
  mc_reload_deinit(node);
  mc_queues_deinit(&node->queues);
  if (uv_loop_close(&node->loop) && !node->shutdown.cut_short)
    mc_log_event(MC_LOG_ERROR, "handles left open", "this is a defect of mooncrew; please report it");
  mc_log_event(MC_LOG_INFO, "stopped", "exit code %d", code);
  mc_log_close();
  if (!node->shutdown.cut_short)
    free(node);
  return code;
}

int mc_supervisor_run(const mc_config *config, pid_t own_redis) {
  mc_err err;
  mc_node *node = mc_zalloc(sizeof *node);
  mc_log_configure(STDERR_FILENO, (mc_log_format)mc_log_format_parse(config->log_format),
                   (mc_log_level)mc_log_level_parse(config->log_level));
  signal(SIGPIPE, SIG_IGN);
  node->config = config;
  node->started_ns = mc_clock_wall_ns();
  node->next_attempt = 1;
  name_server(node);
  uv_loop_init(&node->loop);
  mc_queues_init(&node->queues, config);
  mc_outbox_init(&node->outbox);
  mc_list_init(&node->progress);
  mc_crons_init(&node->crons);
  mc_folds_init(&node->folds);
  if (mc_reload_init(node, &err) || mc_link_open(node, &err)) {
    mc_log_event(MC_LOG_ERROR, "cannot start", "%s", err.text);
    node->shutdown.exit_code = 1;
    return deinit(node);
  }
  log_start(node);
  mc_shutdown_open(node);
  mc_own_redis_open(node, own_redis);
  mc_duties_open(node);
  mc_pool_open(node);
  mc_watch_open(node);
  uv_timer_init(&node->loop, &node->nudge);
  uv_prepare_init(&node->loop, &node->turn);
  uv_prepare_start(&node->turn, on_turn_end);
  uv_run(&node->loop, UV_RUN_DEFAULT);
  mc_shutdown_close(node);
  return deinit(node);
}
