/* A synchronous client: see client.h. */
#include "client/client.h"

#include "base/mem.h"
#include "client/sigpipe.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define PAUSE_MS 50
#define BACKOFF_MAX_MS 500 /* somebody waits */

/* A reply that takes long is a matter of the call's deadline, not of the connection. */
#define COMMAND_TIMEOUT_MS INT32_MAX

struct mooncrew_client {
  uv_loop_t loop;
  uv_timer_t deadline;
  uv_timer_t pause;
  mc_redis_url url;
  mc_conn *conn; /* NULL before the first call, and after one that ended with an answer overdue */
  int64_t timeout_ms;
  int64_t call_timeout_ms; /* of the call that runs */
  pid_t process;           /* that opened it */
  bool late;               /* the deadline of this call has passed */
  bool paused;
  mc_sigpipe sigpipe;
  char where[256];
  char why[512]; /* where and why the last attempt to connect failed; empty while none has */
};

static int loop_open(mc_client *client, mc_err *err);
static void conn_open(mc_client *client);
static void conn_drop(mc_client *client);
static int explain(const mc_client *client, mc_err *err);

int mc_client_open(const char *url, mc_client **out, mc_err *err) {
  mc_client *client = mc_zalloc(sizeof *client);
  int code = mc_redis_url_parse(url, &client->url, err);
  if (code)
    goto fail;
  code = loop_open(client, err);
  if (code)
    goto fail;
  mc_redis_url_show(&client->url, client->where, sizeof client->where);
  client->timeout_ms = MC_CLIENT_TIMEOUT_MS;
  client->process = getpid();
  *out = client;
  return 0;

fail:
  mc_redis_url_deinit(&client->url);
  free(client);
  return code;
}

void mc_client_close(mc_client *client) {
  if (!client)
    return;
  if (client->process != getpid())
    uv_loop_fork(&client->loop); /* the kernel's side of the loop is still shared with the parent */
  mc_sigpipe_block(&client->sigpipe);
  conn_drop(client);
  uv_close((uv_handle_t *)&client->deadline, NULL);
  uv_close((uv_handle_t *)&client->pause, NULL);
  uv_run(&client->loop, UV_RUN_DEFAULT); /* their close callbacks; nothing else is left */
  uv_loop_close(&client->loop);
  mc_sigpipe_restore(&client->sigpipe);
  mc_redis_url_deinit(&client->url);
  free(client);
}

void mc_client_set_timeout(mc_client *client, int64_t timeout_ms) {
  client->timeout_ms = timeout_ms > 0 ? timeout_ms : MC_CLIENT_TIMEOUT_MS;
}

static void on_deadline(uv_timer_t *timer) {
  mc_client *client = mc_container_of(timer, mc_client, deadline);
  client->late = true;
}

int mc_client_begin(mc_client *client, mc_err *err) {
  return mc_client_begin_for(client, client->timeout_ms, err);
}

int mc_client_begin_for(mc_client *client, int64_t timeout_ms, mc_err *err) {
  if (client->process != getpid())
    return mc_fail(err, MC_EINVALID, "this client was opened before a fork(): open one in each process");
  mc_sigpipe_block(&client->sigpipe);
  client->late = false;
  client->call_timeout_ms = timeout_ms;
  uv_update_time(&client->loop);
  uv_timer_start(&client->deadline, on_deadline, (uint64_t)timeout_ms, 0);
  if (client->conn)
    uv_run(&client->loop, UV_RUN_NOWAIT); /* what happened to the connection while the loop stood still */
  else
    conn_open(client);
  return 0;
}

void mc_client_end(mc_client *client) {
  uv_timer_stop(&client->deadline);
  mc_sigpipe_restore(&client->sigpipe);
}

int mc_client_ready(mc_client *client, mc_err *err) {
  while (client->conn && !mc_conn_is_ready(client->conn) && !client->late)
    uv_run(&client->loop, UV_RUN_ONCE);
  if (client->conn && mc_conn_is_ready(client->conn) && !client->late)
    return 0;
  return explain(client, err);
}

mc_conn *mc_client_conn(mc_client *client) {
  return client->conn;
}

void mc_client_drain(mc_client *client) {
  while (mc_conn_waiting(client->conn) > 0 && !client->late)
    uv_run(&client->loop, UV_RUN_ONCE);
  if (mc_conn_waiting(client->conn) > 0)
    conn_drop(client);
}

static void on_pause_over(uv_timer_t *timer) {
  mc_client *client = mc_container_of(timer, mc_client, pause);
  client->paused = false;
}

bool mc_client_pause(mc_client *client) {
  return mc_client_sleep(client, PAUSE_MS, NULL);
}

bool mc_client_sleep(mc_client *client, uint64_t ms, const bool *wake) {
  client->paused = true;
  uv_update_time(&client->loop);
  uv_timer_start(&client->pause, on_pause_over, ms, 0);
  while (client->paused && !client->late && !(wake && *wake))
    uv_run(&client->loop, UV_RUN_ONCE);
  uv_timer_stop(&client->pause);
  return !client->late;
}

const char *mc_client_where(const mc_client *client) {
  return client->where;
}

mc_conn *mc_client_open_conn(mc_client *client, const mc_conn_options *options) {
  mc_conn *conn = mc_conn_new(&client->loop, &client->url, options);
  mc_conn_start(conn);
  return conn;
}

static void on_closed(void *arg) {
  bool *closed = arg;
  *closed = true;
}

void mc_client_close_conn(mc_client *client, mc_conn *conn) {
  bool closed = false;
  if (!conn)
    return;
  mc_conn_close(conn, on_closed, &closed);
  while (!closed)
    uv_run(&client->loop, UV_RUN_ONCE);
}

/* ---- the loop and its connection ---- */

static int loop_open(mc_client *client, mc_err *err) {
  int status = uv_loop_init(&client->loop);
  if (status)
    return mc_fail(err, MC_EUNAVAILABLE, "cannot make an event loop: %s", uv_strerror(status));
  uv_timer_init(&client->loop, &client->deadline);
  uv_timer_init(&client->loop, &client->pause);
  return 0;
}

static void on_ready(void *arg) {
  mc_client *client = arg;
  client->why[0] = '\0';
}

static void on_lost(void *arg, const char *why) {
  mc_client *client = arg;
  snprintf(client->why, sizeof client->why, "%s", why);
}

static void conn_open(mc_client *client) {
  mc_conn_options options = {
      .command_timeout_ms = COMMAND_TIMEOUT_MS,
      .backoff_max_ms = BACKOFF_MAX_MS,
      .name = "mooncrew-client",
      .on_ready = on_ready,
      .on_lost = on_lost,
      .arg = client,
  };
  client->why[0] = '\0';
  client->conn = mc_client_open_conn(client, &options);
}

static void conn_drop(mc_client *client) {
  mc_conn *conn = client->conn;
  client->conn = NULL;
  mc_client_close_conn(client, conn);
}

/* What to look at, by what went wrong. */
static const struct hint {
  const char *word, *advice;
} hints[] = {
    {"permission denied", ": look at who may enter the socket's folder and write to the socket"},
    {"cannot connect", "; is it running?"},
    {"password", "; look at the user and password in the URL"},
    {"cannot resolve", "; look at the host in the URL"},
};

static int explain(const mc_client *client, mc_err *err) {
  const char *advice = "";
  if (!client->why[0])
    return mc_fail(err, MC_EUNAVAILABLE, "cannot reach Redis at %s: no answer within %" PRId64 " ms", client->where,
                   client->call_timeout_ms);
  for (size_t i = 0; i < MC_COUNT(hints) && !*advice; i++)
    if (strstr(client->why, hints[i].word))
      advice = hints[i].advice;
  return mc_fail(err, MC_EUNAVAILABLE, "cannot reach Redis at %s%s", client->why, advice);
}
