/* A connection under observation: a loop of its own with a time limit, and counts of what happened. */
#ifndef MC_TESTS_PROBE_H
#define MC_TESTS_PROBE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "../support/redis_server.h"
#include "base/mem.h"
#include "redis/conn_state.h"

#define PROBE_LIMIT_MS 20000

typedef struct answer {
  int calls, status;
  mc_value_kind kind;
  int64_t integer;
  size_t count; /* of an array */
  char text[256];
} answer;

typedef struct probe {
  uv_loop_t loop;
  uv_timer_t limit;
  mc_conn *conn;
  bool expired;
  int ready, lost, pushed, closed;
  char why[512];    /* of the last loss */
  char push[4][64]; /* the items of the last push, as text */
  bool close_on_ready, close_on_lost;
  uint64_t wait_ms;     /* until the next attempt, as it was when on_lost ran */
  int failed_when_lost; /* commands that had failed when on_lost ran */
  int failed;           /* commands that ended with MC_ECLOSED, counted by on_answer_of_probe */
} probe;

#define UNUSED __attribute__((unused))

/* Turns the loop until the condition holds. */
#define RUN_UNTIL(p, condition)                                                                                        \
  do {                                                                                                                 \
    while (!(condition) && !(p)->expired)                                                                              \
      uv_run(&(p)->loop, UV_RUN_ONCE);                                                                                 \
    if (!(condition))                                                                                                  \
      fail_msg("time limit while waiting for: %s (last loss: %s)", #condition, (p)->why);                              \
  } while (0)

UNUSED static void probe_on_limit(uv_timer_t *timer) {
  mc_container_of(timer, probe, limit)->expired = true;
}

UNUSED static void probe_on_closed(void *arg) {
  probe *p = arg;
  p->closed++;
  p->conn = NULL;
}

UNUSED static void probe_on_ready(void *arg) {
  probe *p = arg;
  p->ready++;
  if (p->close_on_ready)
    mc_conn_close(p->conn, probe_on_closed, p);
}

UNUSED static void probe_on_lost(void *arg, const char *why) {
  probe *p = arg;
  p->lost++;
  p->failed_when_lost = p->failed;
  p->wait_ms = uv_timer_get_due_in(&p->conn->timer);
  snprintf(p->why, sizeof p->why, "%s", why);
  if (p->close_on_lost)
    mc_conn_close(p->conn, probe_on_closed, p);
}

UNUSED static void describe(const mc_value *value, char *out, size_t size) {
  if (value->kind == MC_VALUE_INTEGER)
    snprintf(out, size, "%lld", (long long)value->integer);
  else if (value->kind == MC_VALUE_ARRAY)
    snprintf(out, size, "[%zu]", value->count);
  else
    snprintf(out, size, "%.*s", MC_SLICE_PRINT(value->text));
}

UNUSED static void probe_on_push(void *arg, const mc_value *message) {
  probe *p = arg;
  p->pushed++;
  for (size_t i = 0; i < 4; i++) {
    p->push[i][0] = '\0';
    if (i < message->count)
      describe(message->items[i], p->push[i], sizeof p->push[i]);
  }
}

/* Fills an answer. */
UNUSED static void on_answer(void *arg, int status, const mc_value *reply) {
  answer *a = arg;
  a->calls++;
  a->status = status;
  if (!reply)
    return;
  a->kind = reply->kind;
  a->integer = reply->integer;
  a->count = reply->count;
  describe(reply, a->text, sizeof a->text);
}

/* Counts failed commands of the probe. */
UNUSED static void on_answer_of_probe(void *arg, int status, const mc_value *reply) {
  probe *p = arg;
  if (status == MC_ECLOSED && !reply)
    p->failed++;
}

UNUSED static mc_conn *probe_connect(probe *p, const char *url_text, mc_conn_options options) {
  mc_redis_url url;
  mc_err err = {""};
  if (mc_redis_url_parse(url_text, &url, &err) != 0)
    fail_msg("%s", err.text);
  options.on_ready = probe_on_ready;
  options.on_lost = probe_on_lost;
  options.on_push = probe_on_push;
  options.arg = p;
  mc_conn *conn = mc_conn_new(&p->loop, &url, &options);
  mc_redis_url_deinit(&url);
  return conn;
}

/* A probe with a connection that is not started yet. */
UNUSED static void probe_init(probe *p, const char *url_text, mc_conn_options options) {
  *p = (probe){0};
  signal(SIGPIPE, SIG_IGN);
  assert_int_equal(uv_loop_init(&p->loop), 0);
  uv_timer_init(&p->loop, &p->limit);
  uv_timer_start(&p->limit, probe_on_limit, PROBE_LIMIT_MS, 0);
  p->conn = probe_connect(p, url_text, options);
}

/* A probe with a connection that is ready. */
UNUSED static void probe_open(probe *p, const char *url_text, mc_conn_options options) {
  probe_init(p, url_text, options);
  mc_conn_start(p->conn);
  RUN_UNTIL(p, p->ready == 1);
}

/* Closes what is open, and asserts that nothing is left on the loop. */
UNUSED static void probe_end(probe *p) {
  if (p->conn && p->conn->phase != MC_CONN_CLOSING)
    mc_conn_close(p->conn, probe_on_closed, p);
  RUN_UNTIL(p, !p->conn);
  assert_int_equal(p->closed, 1);
  uv_close((uv_handle_t *)&p->limit, NULL);
  uv_run(&p->loop, UV_RUN_DEFAULT);
  assert_int_equal(uv_loop_close(&p->loop), 0);
}

/* ---- a transport that counts writes ---- */

static struct {
  int count;
  size_t bytes;
  const mc_transport_ops *real;
} writes;

UNUSED static void counted_write(mc_transport *transport, mc_buf *bytes) {
  writes.count++;
  writes.bytes += bytes->size;
  writes.real->write(transport, bytes);
}

UNUSED static void counted_close(mc_transport *transport, void (*on_closed)(void *arg), void *arg) {
  writes.real->close(transport, on_closed, arg);
}

UNUSED static const char *counted_missing(const mc_transport *transport) {
  return writes.real->missing(transport);
}

UNUSED static mc_transport *open_counted(uv_loop_t *loop, const mc_redis_url *url, const mc_transport_events *events) {
  static const mc_transport_ops counted = {counted_write, counted_close, counted_missing};
  mc_transport *transport = mc_transport_open_stream(loop, url, events);
  writes.real = transport->ops;
  transport->ops = &counted;
  return transport;
}

#endif
