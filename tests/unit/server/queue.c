/* One queue in a private redis-server: see queue.h. */
#include "queue.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "../support/redis_server.h"
#include "../support/redis_sync.h"

#define TASKS_AT_MOST 512

static redis_server *server;
static redis_sync *redis;

int queue_start(void **state) {
  (void)state;
  server = redis_server_start(NULL);
  redis = redis_sync_open(redis_server_socket(server));
  return 0;
}

int queue_stop(void **state) {
  (void)state;
  redis_sync_close(redis);
  redis_server_stop(server);
  return 0;
}

int queue_clear(void **state) {
  (void)state;
  redis_sync_ask(redis, "CONFIG SET maxmemory 0");
  redis_sync_ask(redis, "FLUSHALL");
  return 0;
}

const char *queue_ask(const char *format, ...) {
  va_list list;
  va_start(list, format);
  const mc_value *answer = redis_sync_vask(redis, format, list);
  va_end(list);
  return redis_sync_text(redis, answer);
}

static int compare_values(const void *a, const void *b) {
  const mc_value *left = *(mc_value *const *)a, *right = *(mc_value *const *)b;
  return strcmp(left->text.data, right->text.data);
}

const char *queue_fields(const char *id) {
  const mc_value *fields = redis_sync_ask(redis, "HKEYS asynq:{q}:t:%s", id);
  qsort(fields->items, fields->count, sizeof *fields->items, compare_values);
  return redis_sync_text(redis, fields);
}

const mc_value *queue_call_value(mc_call *call) {
  return redis_sync_call(redis, call);
}

const char *queue_call(mc_call *call) {
  return redis_sync_text(redis, redis_sync_call(redis, call));
}

const char *queue_call_cached(mc_call *call) {
  return redis_sync_text(redis, redis_sync_call_cached(redis, call));
}

mc_enqueue_options queue_options(const char *id) {
  mc_enqueue_options options;
  mc_enqueue_options_init(&options);
  options.type = MC_SLICE_LITERAL("kind");
  options.payload = MC_SLICE_LITERAL("{}");
  options.queue = MC_SLICE_LITERAL("q");
  options.has_queue = options.has_id = true;
  options.id = mc_slice_of(id);
  return options;
}

const char *queue_enqueue(const mc_enqueue_options *options, size_t count) {
  mc_call call = {0};
  mc_enqueue tasks[TASKS_AT_MOST];
  const mc_enqueue *pointers[TASKS_AT_MOST] = {NULL};
  for (size_t i = 0; i < count; i++) {
    mc_err err = {{0}};
    if (mc_enqueue_init(&tasks[i], &options[i], NOW_S * 1000, &err) != 0)
      fail_msg("%s", err.text);
    pointers[i] = &tasks[i];
  }
  mc_call_enqueue(&call, pointers, count, NOW_NS);
  for (size_t i = 0; i < count; i++)
    mc_enqueue_deinit(&tasks[i]);
  return queue_call(&call);
}

void queue_give(const char *ids) {
  mc_enqueue_options options[TASKS_AT_MOST];
  char *copy = mc_strdup(ids), *rest = NULL;
  size_t count = 0;
  for (char *id = strtok_r(copy, " ", &rest); id; id = strtok_r(NULL, " ", &rest))
    options[count++] = queue_options(id);
  queue_enqueue(options, count);
  free(copy);
}

const char *queue_take(size_t count, uint64_t first_attempt) {
  static char text[TASKS_AT_MOST * 40];
  mc_call call = {0};
  mc_dequeued dequeued;
  mc_err err = {{0}};
  mc_call_dequeue(&call, mc_slice_of("q"), mc_slice_of("s"), first_attempt, count, LEASE_S);
  if (mc_dequeued_read(queue_call_value(&call), &dequeued, &err) != 0)
    fail_msg("%s", err.text);
  size_t used = 0;
  text[0] = '\0';
  for (size_t i = 0; i < dequeued.count; i++) {
    mc_dequeued_task task;
    assert_int_equal(mc_dequeued_task_at(&dequeued, i, &task), 0);
    used += (size_t)sprintf(text + used, "%s%.*s", i ? " " : "", MC_SLICE_PRINT(task.id));
  }
  return text;
}

const char *queue_settle(mc_settle_kind kind, const mc_settle_item *items, size_t count) {
  const mc_settle_context context = {
      .queue = mc_slice_of("q"),
      .server = mc_slice_of("s"),
      .now_ns = NOW_NS,
      .archive_max_age_s = 90 * 86400,
      .archive_max_size = 10000,
  };
  const mc_settle_item *pointers[TASKS_AT_MOST] = {NULL};
  mc_call call = {0};
  for (size_t i = 0; i < count; i++)
    pointers[i] = &items[i];
  mc_call_settle(&call, kind, &context, pointers, count);
  return queue_call(&call);
}
