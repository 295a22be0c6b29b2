/* The ceiling: see ceiling.h. Two chains of dequeue → complete + dequeue keep Redis busy all the time. */
#include "ceiling.h"

#include "base/clock.h"
#include "base/mem.h"
#include "protocol/work.h"
#include "redis/conn.h"

#include <stdio.h>
#include <stdlib.h>

#define CHAINS 2

struct ceiling {
  mc_conn *conn;
  size_t batch;
  size_t wanted, taken; /* tasks */
  size_t unanswered;    /* completes in flight */
  uint64_t next_attempt;
  uint64_t started_us, ended_us;
};

struct chain {
  struct ceiling *ceiling;
  uint64_t first_attempt;
};

static const mc_slice queue = {"default", 7};
static const mc_slice server = {"bench:1:ceiling", 15};

static void die(const char *what) {
  fprintf(stderr, "bench: ceiling: %s\n", what);
  exit(1);
}

static void dequeue(struct chain *chain);

static void on_completed(void *arg, int status, const mc_value *reply) {
  struct ceiling *ceiling = arg;
  size_t refused = 0;
  if (status || mc_refused_read(reply, &refused, NULL) || refused)
    die("a complete was refused");
  if (--ceiling->unanswered || ceiling->taken < ceiling->wanted)
    return;
  ceiling->ended_us = mc_clock_mono_us();
  mc_conn_close(ceiling->conn, NULL, NULL);
}

static void complete(struct chain *chain, const mc_dequeued *dequeued) {
  struct ceiling *ceiling = chain->ceiling;
  mc_settle_item *items = mc_zalloc((dequeued->count + 1) * sizeof *items);
  const mc_settle_item **pointers = mc_zalloc((dequeued->count + 1) * sizeof *pointers);
  mc_settle_context context = {.queue = queue, .server = server, .now_ns = mc_clock_wall_ns()};
  for (size_t i = 0; i < dequeued->count; i++) {
    mc_dequeued_task task;
    if (mc_dequeued_task_at(dequeued, i, &task))
      die("a dequeued task makes no sense");
    items[i].id = task.id;
    items[i].attempt = chain->first_attempt + i;
    pointers[i] = &items[i];
  }
  mc_call call = {0};
  mc_call_settle(&call, MC_SETTLE_COMPLETE, &context, pointers, dequeued->count);
  ceiling->taken += dequeued->count;
  ceiling->unanswered++;
  if (mc_conn_call(ceiling->conn, &call, on_completed, ceiling))
    die("the connection went");
  free(pointers);
  free(items);
}

static void on_dequeued(void *arg, int status, const mc_value *reply) {
  struct chain *chain = arg;
  mc_dequeued dequeued;
  mc_err err;
  if (chain->ceiling->ended_us)
    return; /* all is done and the connection closed, also to this empty dequeue */
  if (status || mc_dequeued_read(reply, &dequeued, &err))
    die("a dequeue failed");
  if (dequeued.count == 0)
    return; /* the other chain completes the last batch */
  complete(chain, &dequeued);
  dequeue(chain);
}

static void dequeue(struct chain *chain) {
  struct ceiling *ceiling = chain->ceiling;
  mc_call call = {0};
  chain->first_attempt = ceiling->next_attempt;
  ceiling->next_attempt += ceiling->batch;
  mc_call_dequeue(&call, queue, server, chain->first_attempt, ceiling->batch, mc_clock_wall_s() + MC_LEASE_S);
  if (mc_conn_call(ceiling->conn, &call, on_dequeued, chain))
    die("the connection went");
}

static void on_ready(void *arg) {
  struct chain *chains = arg;
  chains->ceiling->started_us = mc_clock_mono_us();
  for (size_t i = 0; i < CHAINS; i++)
    dequeue(&chains[i]);
}

static void on_lost(void *arg, const char *why) {
  (void)arg;
  die(why);
}

double ceiling_drain(const char *url_text, size_t count, size_t batch) {
  struct ceiling ceiling = {.batch = batch, .wanted = count, .next_attempt = 1};
  struct chain chains[CHAINS] = {{.ceiling = &ceiling}, {.ceiling = &ceiling}};
  mc_conn_options options = {.name = "ceiling", .on_ready = on_ready, .on_lost = on_lost, .arg = chains};
  mc_redis_url url;
  mc_err err;
  uv_loop_t loop;
  if (mc_redis_url_parse(url_text, &url, &err))
    die(err.text);
  uv_loop_init(&loop);
  ceiling.conn = mc_conn_new(&loop, &url, &options);
  mc_redis_url_deinit(&url);
  mc_conn_start(ceiling.conn);
  uv_run(&loop, UV_RUN_DEFAULT);
  if (uv_loop_close(&loop))
    die("handles left open");
  return (double)(ceiling.ended_us - ceiling.started_us) / 1e6;
}
