/* A supervisor's state without its processes: see lone_node.h. */
#include "lone_node.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "protocol/keys.h"
#include "protocol/scripts.h"

#define LIMIT_MS 20000
#define WAKE_MS 5 /* what waits for a time, not for an event, is looked at so often */
#define CONCURRENCY 600
#define COMMAND_TIMEOUT_MS 2000

static redis_server *server;
static redis_sync *redis;
static mc_config_queue queues[] = {{.name = "default", .weight = 1}};

static const mc_script *const scripts[] = {
    &mc_server_script_complete, &mc_server_script_retain,  &mc_server_script_retry,  &mc_server_script_archive,
    &mc_server_script_requeue,  &mc_server_script_dequeue, &mc_server_script_extend,
};

int lone_group_start(void **state) {
  (void)state;
  server = redis_server_start(NULL);
  redis = redis_sync_open(redis_server_socket(server));
  for (size_t i = 0; i < MC_COUNT(scripts); i++)
    redis_sync_ask(redis, "SCRIPT LOAD %b", scripts[i]->body, scripts[i]->body_size);
  return 0;
}

int lone_group_stop(void **state) {
  (void)state;
  redis_sync_close(redis);
  redis_server_stop(server);
  return 0;
}

/* ---- the node ---- */

static void on_ready(void *arg) {
  lone_node *lone = arg;
  lone->node.link.up = true;
  lone->ready++;
}

static void on_lost(void *arg, const char *why) {
  (void)why;
  ((lone_node *)arg)->node.link.up = false;
}

static void connect_to(lone_node *lone, const char *address) {
  mc_redis_url url;
  mc_err err;
  if (mc_redis_url_parse(address, &url, &err))
    fail_msg("%s", err.text);
  lone->node.link.commands = mc_conn_new(&lone->node.loop, &url,
                                         &(mc_conn_options){.command_timeout_ms = COMMAND_TIMEOUT_MS,
                                                            .backoff_min_ms = 1,
                                                            .backoff_max_ms = 5,
                                                            .on_ready = on_ready,
                                                            .on_lost = on_lost,
                                                            .arg = lone});
  mc_redis_url_deinit(&url);
  mc_conn_start(lone->node.link.commands);
}

static void on_limit(uv_timer_t *timer) {
  mc_container_of(timer, lone_node, limit)->expired = true;
}

static void on_wake(uv_timer_t *timer) {
  (void)timer; /* the loop has turned */
}

static void open_worker(lone_node *lone) {
  mc_pool *pool = &lone->node.pool;
  lone->worker.node = &lone->node;
  lone->worker.config = &lone->node.queues.turns[0].pool;
  lone->worker.state = MC_WORKER_SERVING;
  lone->worker.page = mc_zalloc(mc_page_size(CONCURRENCY));
  mc_list_init(&lone->worker.held);
  mc_list_init(&lone->worker.folds);
  mc_list_init(&pool->workers);
  mc_list_push_back(&pool->workers, &lone->worker.in_pool);
  pool->count = 1;
  pool->places = mc_zalloc(sizeof *pool->places);
  pool->sections = mc_zalloc(sizeof *pool->sections);
  pool->section_count = 1;
  pool->sections[0] = (mc_section){.turns = &lone->node.queues.turns[0], .places = pool->places, .count = 1};
  pool->places[0] = (mc_pool_place){.node = &lone->node, .section = &pool->sections[0], .worker = &lone->worker};
}

int lone_start(void **state) {
  lone_node *lone = mc_zalloc(sizeof *lone);
  mc_node *node = &lone->node;
  redis_sync_ask(redis, "FLUSHALL");
  mc_config_init(&lone->config);
  lone->config.concurrency = CONCURRENCY;
  node->config = &lone->config;
  node->next_attempt = 1;
  snprintf(node->server, sizeof node->server, "host:1:lone");
  uv_loop_init(&node->loop);
  mc_queues_init(&node->queues, &(mc_config){.queues = queues,
                                             .queue_count = 1,
                                             .concurrency = CONCURRENCY,
                                             .prefetch = lone->config.prefetch,
                                             .archive_max_age_s = lone->config.archive_max_age_s,
                                             .archive_max_size = lone->config.archive_max_size});
  mc_outbox_init(&node->outbox);
  mc_list_init(&node->progress);
  mc_folds_init(&node->folds);
  open_worker(lone);
  lone->log_fd = memfd_create("log", MFD_CLOEXEC);
  mc_log_configure(lone->log_fd, MC_LOG_JSON, MC_LOG_DEBUG);
  uv_timer_init(&node->loop, &lone->limit);
  uv_timer_start(&lone->limit, on_limit, LIMIT_MS, 0);
  uv_timer_init(&node->loop, &lone->wake);
  uv_timer_start(&lone->wake, on_wake, WAKE_MS, WAKE_MS);
  connect_to(lone, redis_server_url(server));
  LONE_UNTIL(lone, node->link.up);
  *state = lone;
  return 0;
}

void lone_relay(lone_node *lone, const relay_rule *rules, size_t count) {
  int ready = lone->ready;
  mc_conn_close(lone->node.link.commands, NULL, NULL);
  lone->node.link.up = false;
  lone->relay = relay_start(redis_server_socket(server), rules, count);
  connect_to(lone, relay_url(lone->relay));
  LONE_UNTIL(lone, lone->ready > ready);
}

static void free_held(mc_node *node) {
  mc_held *held, *next;
  HASH_ITER(hh, node->held.by_attempt, held, next) {
    mc_held_free(&node->held, held);
  }
}

int lone_stop(void **state) {
  lone_node *lone = *state;
  mc_node *node = &lone->node;
  mc_conn_close(node->link.commands, NULL, NULL);
  uv_close((uv_handle_t *)&lone->limit, NULL);
  uv_close((uv_handle_t *)&lone->wake, NULL);
  uv_run(&node->loop, UV_RUN_DEFAULT);
  assert_int_equal(uv_loop_close(&node->loop), 0);
  if (lone->relay)
    relay_stop(lone->relay);
  free_held(node);
  mc_queues_deinit(&node->queues);
  mc_buf_deinit(&lone->worker.channel.out);
  free(lone->worker.page);
  free(node->pool.sections);
  free(node->pool.places);
  mc_config_deinit(&lone->config);
  mc_log_flush();
  mc_log_configure(STDERR_FILENO, MC_LOG_TEXT, MC_LOG_INFO);
  close(lone->log_fd);
  free(lone);
  return 0;
}

void lone_turn(lone_node *lone) {
  mc_settle_flush(&lone->node);
  mc_conn_flush(lone->node.link.commands);
  uv_run(&lone->node.loop, UV_RUN_ONCE);
}

/* ---- tasks ---- */

const char *lone_ask(const char *format, ...) {
  va_list list;
  va_start(list, format);
  const mc_value *answer = redis_sync_vask(redis, format, list);
  va_end(list);
  return redis_sync_text(redis, answer);
}

static void enqueue(const mc_message *message) {
  mc_buf bytes = {0};
  char key[128];
  mc_message_encode(message, &bytes);
  snprintf(key, sizeof key, "asynq:{default}:t:%.*s", MC_SLICE_PRINT(message->id));
  redis_sync_ask(redis, "HSET %s msg %b state pending pending_since 1", key, bytes.data, bytes.size);
  redis_sync_ask(redis, "RPUSH asynq:{default}:pending %b", message->id.data, message->id.size);
  mc_buf_deinit(&bytes);
}

mc_held *lone_hold(lone_node *lone, const char *id, mc_message message) {
  mc_node *node = &lone->node;
  mc_call call = {0};
  mc_dequeued dequeued;
  mc_dequeued_task task;
  mc_message_box box;
  mc_err err;
  message.type = mc_slice_of("kind");
  message.id = mc_slice_of(id);
  message.queue = mc_slice_of("default");
  message.max_retry = 25;
  enqueue(&message);
  uint64_t attempt = node->next_attempt++;
  mc_call_dequeue(&call, message.queue, mc_node_server(node), attempt, 1, mc_clock_wall_s() + MC_LEASE_S);
  if (mc_dequeued_read(redis_sync_call(redis, &call), &dequeued, &err) || mc_dequeued_task_at(&dequeued, 0, &task) ||
      mc_message_decode(task.message, &box, &err))
    fail_msg("cannot take task %s: %s", id, err.text);
  mc_held *held = mc_held_new(&node->held, node->queues.items[0], attempt, &box);
  held->crashes = task.crashes;
  mc_held_assign(held, &lone->worker);
  return held;
}

mc_held *lone_hold_plain(lone_node *lone, const char *id) {
  return lone_hold(lone, id, (mc_message){0});
}

mc_message_box lone_message(const char *id) {
  mc_message_box box;
  mc_err err;
  const mc_value *bytes = redis_sync_ask(redis, "HGET asynq:{default}:t:%s msg", id);
  if (bytes->kind != MC_VALUE_STRING || mc_message_decode(bytes->text, &box, &err))
    fail_msg("task %s has no message", id);
  return box;
}

/* ---- the log ---- */

static bool line_has(const char *line, va_list wanted) {
  va_list copy;
  bool all = true;
  va_copy(copy, wanted);
  for (const char *text = va_arg(copy, const char *); text; text = va_arg(copy, const char *))
    all = all && strstr(line, text);
  va_end(copy);
  return all;
}

bool lone_logged(lone_node *lone, ...) {
  va_list wanted;
  char *text = mc_zalloc(1 << 20), *rest = NULL;
  bool found = false;
  mc_log_flush();
  if (pread(lone->log_fd, text, (1 << 20) - 1, 0) < 0)
    fail_msg("cannot read the log");
  va_start(wanted, lone);
  for (char *line = strtok_r(text, "\n", &rest); line && !found; line = strtok_r(NULL, "\n", &rest))
    found = line_has(line, wanted);
  va_end(wanted);
  free(text);
  return found;
}
