/* The life of a connection: see conn.h. One timer serves every phase; what it does when due is in `due_actions`. */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/random.h"
#include "redis/conn_state.h"

#define DEFAULT_CONNECT_TIMEOUT_MS 5000
#define DEFAULT_COMMAND_TIMEOUT_MS 10000
#define DEFAULT_BACKOFF_MIN_MS 50
#define DEFAULT_BACKOFF_MAX_MS 3000

static void set_options(mc_conn *conn, const mc_conn_options *options);
static void attempt(mc_conn *conn);
static void give_up_attempt(mc_conn *conn);
static void on_timer(uv_timer_t *timer);
static void on_transport_open(void *arg);
static void on_transport_data(void *arg, const char *bytes, size_t size);
static void on_transport_failed(void *arg, const char *why);
static void stop_activity(mc_conn *conn);
static uint64_t next_backoff_ms(mc_conn *conn, bool was_ready);
static void on_handle_closed(uv_handle_t *handle);

/* What a phase waits for, when its time has come. */
static void (*const due_actions[])(mc_conn *conn) = {
    [MC_CONN_CONNECTING] = give_up_attempt,
    [MC_CONN_GREETING] = give_up_attempt,
    [MC_CONN_READY] = mc_conn_check_overdue,
    [MC_CONN_WAITING] = attempt,
    [MC_CONN_CLOSING] = NULL,
};

mc_conn *mc_conn_new(uv_loop_t *loop, const mc_redis_url *url, const mc_conn_options *options) {
  mc_conn *conn = mc_zalloc(sizeof *conn);
  conn->loop = loop;
  mc_redis_url_copy(url, &conn->url);
  set_options(conn, options);
  conn->open_transport = url->tls ? mc_transport_open_tls : mc_transport_open_stream;
  uv_timer_init(loop, &conn->timer);
  uv_prepare_init(loop, &conn->turn_end);
  uv_idle_init(loop, &conn->stay_awake);
  conn->timer.data = conn->turn_end.data = conn->stay_awake.data = conn;
  conn->open_handles = 3;
  return conn;
}

void mc_conn_start(mc_conn *conn) {
  if (conn->phase == MC_CONN_NEW)
    attempt(conn);
}

void mc_conn_close(mc_conn *conn, void (*on_closed)(void *arg), void *arg) {
  if (conn->phase == MC_CONN_CLOSING)
    return;
  conn->phase = MC_CONN_CLOSING;
  conn->on_closed = on_closed;
  conn->on_closed_arg = arg;
  stop_activity(conn);
  uv_close((uv_handle_t *)&conn->timer, on_handle_closed);
  uv_close((uv_handle_t *)&conn->turn_end, on_handle_closed);
  uv_close((uv_handle_t *)&conn->stay_awake, on_handle_closed);
}

void mc_conn_lose(mc_conn *conn, const char *format, ...) {
  char why[512];
  va_list list;
  bool was_ready = conn->phase == MC_CONN_READY;
  mc_redis_url_show(&conn->url, why, sizeof why / 2);
  size_t size = strlen(why);
  size += (size_t)snprintf(why + size, sizeof why - size, ": ");
  va_start(list, format);
  vsnprintf(why + size, sizeof why - size, format, list);
  va_end(list);

  conn->phase = MC_CONN_WAITING;
  stop_activity(conn);
  mc_conn_drop_waiting(conn);
  if (conn->phase == MC_CONN_CLOSING) /* a callback closed it */
    return;
  mc_conn_wake_at(conn, mc_clock_mono_ms() + next_backoff_ms(conn, was_ready));
  if (conn->options.on_lost)
    conn->options.on_lost(conn->options.arg, why);
}

void mc_conn_become_ready(mc_conn *conn) {
  conn->phase = MC_CONN_READY;
  conn->ready_at_ms = mc_clock_mono_ms();
  uv_timer_stop(&conn->timer);
  if (conn->options.on_ready)
    conn->options.on_ready(conn->options.arg);
}

void mc_conn_wake_at(mc_conn *conn, uint64_t due_at_ms) {
  uint64_t now = mc_clock_mono_ms();
  conn->due_at_ms = due_at_ms;
  uv_timer_start(&conn->timer, on_timer, due_at_ms > now ? due_at_ms - now : 0, 0);
}

static uint64_t or_default(uint64_t value, uint64_t fallback) {
  return value ? value : fallback;
}

static void set_options(mc_conn *conn, const mc_conn_options *options) {
  mc_conn_options *own = &conn->options;
  if (options)
    *own = *options;
  own->connect_timeout_ms = or_default(own->connect_timeout_ms, DEFAULT_CONNECT_TIMEOUT_MS);
  own->command_timeout_ms = or_default(own->command_timeout_ms, DEFAULT_COMMAND_TIMEOUT_MS);
  own->backoff_min_ms = or_default(own->backoff_min_ms, DEFAULT_BACKOFF_MIN_MS);
  own->backoff_max_ms = or_default(own->backoff_max_ms, DEFAULT_BACKOFF_MAX_MS);
  own->name = mc_strdup(own->name);
}

static void attempt(mc_conn *conn) {
  conn->phase = MC_CONN_CONNECTING;
  mc_replies_free(conn->replies);
  conn->replies = mc_replies_new();
  conn->subscriptions = (mc_subscriptions){0};
  conn->answered = conn->overdue_at = 0;
  mc_conn_wake_at(conn, mc_clock_mono_ms() + conn->options.connect_timeout_ms);
  mc_transport_events events = {on_transport_open, on_transport_data, on_transport_failed, conn};
  conn->transport = conn->open_transport(conn->loop, &conn->url, &events);
}

static void give_up_attempt(mc_conn *conn) {
  const char *missing = conn->phase == MC_CONN_CONNECTING ? conn->transport->ops->missing(conn->transport)
                                                          : "no answer to the first commands";
  mc_conn_lose(conn, "%s within %" PRIu64 " ms", missing, conn->options.connect_timeout_ms);
}

static void on_timer(uv_timer_t *timer) {
  mc_conn *conn = timer->data;
  if (mc_clock_mono_ms() < conn->due_at_ms)
    mc_conn_wake_at(conn, conn->due_at_ms);
  else
    due_actions[conn->phase](conn);
}

static void on_transport_open(void *arg) {
  mc_conn *conn = arg;
  conn->phase = MC_CONN_GREETING;
  mc_conn_greet(conn);
}

static void on_transport_data(void *arg, const char *bytes, size_t size) {
  mc_conn_receive(arg, bytes, size);
}

static void on_transport_failed(void *arg, const char *why) {
  mc_conn_lose(arg, "%s", why);
}

/* Waits double from attempt to attempt, and vary between half and whole so that many clients do not come back at once.
 * Only a connection that lasted begins anew: a server that greets and hangs up is not to be hammered. */
static uint64_t next_backoff_ms(mc_conn *conn, bool was_ready) {
  uint64_t wait = conn->options.backoff_min_ms, most = conn->options.backoff_max_ms;
  if (was_ready && mc_clock_mono_ms() - conn->ready_at_ms >= most)
    conn->failed_attempts = 0;
  for (unsigned i = 0; i < conn->failed_attempts && wait < most; i++)
    wait *= 2;
  if (wait > most)
    wait = most;
  conn->failed_attempts++;
  return wait / 2 + mc_random_below((uint32_t)(wait - wait / 2) + 1);
}

static void release_handle(mc_conn *conn) {
  if (--conn->open_handles)
    return;
  mc_conn_drop_waiting(conn);
  if (conn->on_closed)
    conn->on_closed(conn->on_closed_arg);
  mc_redis_url_deinit(&conn->url);
  free((char *)conn->options.name);
  mc_buf_deinit(&conn->out);
  mc_command_deinit(&conn->command);
  mc_args_deinit(&conn->words);
  mc_requests_deinit(&conn->waiting);
  mc_replies_free(conn->replies);
  free(conn);
}

static void on_handle_closed(uv_handle_t *handle) {
  release_handle(handle->data);
}

static void on_transport_closed(void *arg) {
  release_handle(arg);
}

static void stop_activity(mc_conn *conn) {
  uv_timer_stop(&conn->timer);
  uv_prepare_stop(&conn->turn_end);
  uv_idle_stop(&conn->stay_awake);
  if (!conn->transport)
    return;
  conn->open_handles++;
  mc_transport *transport = conn->transport;
  conn->transport = NULL;
  transport->ops->close(transport, on_transport_closed, conn);
}
