/* A connection to PostgreSQL: see postgres.h.
 *
 * While it connects, libpq closes sockets and opens others, perhaps under the same number. So the poll is stopped
 * before each of its steps, which makes the kernel forget the socket, and begun anew after it.
 */
#include "worker/postgres.h"

#include "base/log.h"
#include "base/mem.h"
#include "worker/behalf.h"
#include "worker/postgres_cancel.h"
#include "worker/postgres_hosts.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef enum phase { RESOLVING, CONNECTING, READY, BUSY, BROKEN } phase;

struct mc_postgres {
  uv_loop_t *loop;
  mc_postgres_events events;
  mc_postgres_settings settings;
  mc_postgres_lookup *lookup; /* NULL unless resolving */
  PGconn *pq;
  uv_poll_t *poll; /* NULL: no socket is watched. It frees itself when it has closed */
  int socket;      /* that poll is for */
  phase phase;
  uint64_t attempt; /* on whose behalf it connects or queries (behalf.h) */
  bool unsent;      /* a query is not written out yet */
  PGresult *answer; /* of the query at hand: its last result, or the first error */
  char reason[512];
};

static void on_poll(uv_poll_t *poll, int status, int events);

/* ---- texts ---- */

/* libpq's messages have several lines; ours have one. */
static void copy_line(char *out, size_t size, const char *text) {
  size_t used = 0;
  for (; *text && used + 1 < size; text++) {
    bool space = isspace((unsigned char)*text);
    if (!space)
      out[used++] = *text;
    else if (used > 0 && out[used - 1] != ' ')
      out[used++] = ' ';
  }
  while (used > 0 && out[used - 1] == ' ')
    used--;
  out[used] = '\0';
}

static void note_reason(mc_postgres *self, const char *text) {
  copy_line(self->reason, sizeof self->reason, *text ? text : "the connection to PostgreSQL was lost");
}

/* From WARNING on; FATAL is what the server says before it ends a connection that is idle. */
static bool is_serious(const char *severity) {
  static const char *const harmless[] = {"DEBUG", "LOG", "INFO", "NOTICE"};
  for (size_t i = 0; i < MC_COUNT(harmless); i++)
    if (severity && strcmp(severity, harmless[i]) == 0)
      return false;
  return true;
}

/* Called by libpq, which would print them. */
static void on_notice(void *arg, const PGresult *notice) {
  (void)arg;
  const char *severity = mc_pq.resultErrorField(notice, PG_DIAG_SEVERITY_NONLOCALIZED);
  mc_log_begin(is_serious(severity) ? MC_LOG_WARN : MC_LOG_INFO, "PostgreSQL says");
  mc_log_text("severity", severity);
  mc_log_text("message", mc_pq.resultErrorField(notice, PG_DIAG_MESSAGE_PRIMARY));
  mc_log_text("sqlstate", mc_pq.resultErrorField(notice, PG_DIAG_SQLSTATE));
  mc_log_end();
}

/* ---- the socket ---- */

static void on_poll_closed(uv_handle_t *poll) {
  free(poll);
}

static void stop_watching(mc_postgres *self) {
  if (self->poll)
    uv_close((uv_handle_t *)self->poll, on_poll_closed);
  self->poll = NULL;
}

static int watch(mc_postgres *self, int events) {
  int socket = mc_pq.socket(self->pq);
  if (self->poll && socket != self->socket)
    stop_watching(self);
  if (!self->poll) {
    self->poll = mc_zalloc(sizeof *self->poll);
    self->socket = socket;
    int rc = uv_poll_init(self->loop, self->poll, socket);
    if (rc) {
      free(self->poll);
      self->poll = NULL;
      return rc;
    }
    self->poll->data = self;
  }
  return uv_poll_start(self->poll, events, on_poll);
}

/* ---- breaking ---- */

static void become_broken(mc_postgres *self) {
  stop_watching(self);
  self->phase = BROKEN;
}

/* The event is the last thing that is done: it may close the connection. */
static void fail_open(mc_postgres *self) {
  become_broken(self);
  self->events.on_open(self->events.arg, MC_EUNAVAILABLE, self->reason);
}

static void fail_query(mc_postgres *self, int status) {
  become_broken(self);
  mc_pq.clear(self->answer);
  self->answer = NULL;
  self->events.on_result(self->events.arg, status, NULL, self->reason);
}

static void lose(mc_postgres *self) {
  become_broken(self);
  self->events.on_lost(self->events.arg);
}

/* ---- connecting ---- */

static void become_ready(mc_postgres *self) {
  if (mc_pq.setnonblocking(self->pq, 1) != 0 || watch(self, UV_READABLE) != 0) {
    note_reason(self, mc_pq.errorMessage(self->pq));
    fail_open(self);
    return;
  }
  self->phase = READY;
  self->events.on_open(self->events.arg, 0, NULL);
}

static void connect_step(mc_postgres *self) {
  if (self->poll)
    uv_poll_stop(self->poll);
  PostgresPollingStatusType wanted = mc_pq.connectPoll(self->pq);
  if (wanted == PGRES_POLLING_OK) {
    become_ready(self);
  } else if (wanted == PGRES_POLLING_FAILED) {
    note_reason(self, mc_pq.errorMessage(self->pq));
    fail_open(self);
  } else if (watch(self, wanted == PGRES_POLLING_READING ? UV_READABLE : UV_WRITABLE) != 0) {
    note_reason(self, "the socket to PostgreSQL cannot be watched");
    fail_open(self);
  }
}

/* 0, or MC_EUNAVAILABLE and self->reason. */
static int begin_connecting(mc_postgres *self) {
  self->phase = CONNECTING;
  self->pq = mc_pq.connectStartParams((const char *const *)self->settings.names,
                                      (const char *const *)self->settings.values, 0);
  if (!self->pq)
    note_reason(self, "out of memory");
  else if (mc_pq.status(self->pq) == CONNECTION_BAD)
    note_reason(self, mc_pq.errorMessage(self->pq));
  else if (watch(self, UV_WRITABLE) != 0)
    note_reason(self, "the socket to PostgreSQL cannot be watched");
  else {
    mc_pq.setNoticeReceiver(self->pq, on_notice, NULL);
    return 0;
  }
  become_broken(self);
  return MC_EUNAVAILABLE;
}

static void on_resolved(void *arg, int status, const char *reason) {
  mc_postgres *self = arg;
  self->lookup = NULL;
  if (status)
    note_reason(self, reason);
  if (status || begin_connecting(self))
    fail_open(self);
}

int mc_postgres_open(uv_loop_t *loop, const char *address, const mc_postgres_events *events, mc_postgres **out,
                     mc_err *err) {
  mc_postgres *self = mc_zalloc(sizeof *self);
  self->loop = loop;
  self->events = *events;
  self->attempt = mc_behalf_now();
  int rc = mc_postgres_settings_parse(address, &self->settings, err);
  if (!rc)
    rc = mc_postgres_lookup_start(loop, &self->settings, on_resolved, self, &self->lookup, err);
  if (!rc && !self->lookup && begin_connecting(self))
    rc = mc_fail(err, MC_EUNAVAILABLE, "%s", self->reason);
  if (rc)
    mc_postgres_close(self);
  else
    *out = self;
  return rc;
}

/* ---- queries ---- */

bool mc_postgres_is_ready(const mc_postgres *self) {
  return self->phase == READY;
}

bool mc_postgres_in_transaction(const mc_postgres *self) {
  return self->pq && mc_pq.transactionStatus(self->pq) != PQTRANS_IDLE;
}

/* Writes what the socket takes; the rest when it takes more. 0, or -1 when the connection has gone. */
static int flush(mc_postgres *self) {
  int rc = mc_pq.flush(self->pq);
  self->unsent = rc > 0;
  if (rc < 0 || watch(self, UV_READABLE | (self->unsent ? UV_WRITABLE : 0)) != 0)
    return -1;
  return 0;
}

int mc_postgres_query(mc_postgres *self, const char *sql, const mc_postgres_parameters *parameters, mc_err *err) {
  bool alive = mc_pq.consumeInput(self->pq) && mc_pq.status(self->pq) == CONNECTION_OK;
  bool sent = alive && mc_pq.sendQueryParams(self->pq, sql, parameters->count, parameters->types, parameters->values,
                                             parameters->lengths, parameters->formats, 0);
  if (!sent) {
    alive = alive && mc_pq.status(self->pq) == CONNECTION_OK;
    note_reason(self, mc_pq.errorMessage(self->pq));
    if (!alive)
      become_broken(self);
    return mc_fail(err, alive ? MC_EINVALID : MC_EUNAVAILABLE, "%s", self->reason);
  }
  self->phase = BUSY;
  self->attempt = mc_behalf_now();
  flush(self); /* a connection that has gone is found by its poll, which reports it from the loop */
  return 0;
}

static bool is_copy(const PGresult *result) {
  ExecStatusType status = mc_pq.resultStatus(result);
  return status == PGRES_COPY_IN || status == PGRES_COPY_OUT || status == PGRES_COPY_BOTH;
}

static bool is_error(const PGresult *result) {
  return mc_pq.resultStatus(result) == PGRES_FATAL_ERROR;
}

/* Keeps the first error. What libpq itself says when the connection breaks has no SQLSTATE. */
static void keep_answer(mc_postgres *self, PGresult *result) {
  if (is_error(result) && !mc_pq.resultErrorField(result, PG_DIAG_SQLSTATE))
    note_reason(self, mc_pq.resultErrorMessage(result));
  if (self->answer && is_error(self->answer)) {
    mc_pq.clear(result);
    return;
  }
  mc_pq.clear(self->answer);
  self->answer = result;
}

static bool said_by_server(const PGresult *result) {
  return result && (!is_error(result) || mc_pq.resultErrorField(result, PG_DIAG_SQLSTATE));
}

static void end_query(mc_postgres *self) {
  PGresult *answer = self->answer;
  if (!said_by_server(answer)) {
    fail_query(self, MC_EUNKNOWN);
    return;
  }
  self->answer = NULL;
  if (mc_pq.status(self->pq) == CONNECTION_OK)
    self->phase = READY;
  else
    become_broken(self);
  self->events.on_result(self->events.arg, 0, answer, NULL);
  mc_pq.clear(answer);
}

/* Takes what has arrived. With a connection that was found broken libpq has all there will be, and waits for nothing.
 */
static void read_results(mc_postgres *self) {
  while (mc_pq.status(self->pq) != CONNECTION_OK || !mc_pq.isBusy(self->pq)) {
    PGresult *result = mc_pq.getResult(self->pq);
    if (!result) {
      end_query(self);
      return;
    }
    if (is_copy(result)) {
      mc_pq.clear(result);
      note_reason(self, "COPY is not supported: use INSERT with unnest, or read with SELECT");
      fail_query(self, MC_EINVALID);
      return;
    }
    keep_answer(self, result);
  }
}

/* Nothing listens to them, but they would pile up. */
static void drop_notifications(mc_postgres *self) {
  for (PGnotify *notice; (notice = mc_pq.notifies(self->pq));)
    mc_pq.freemem(notice);
}

static void on_traffic(mc_postgres *self, bool failed) {
  bool alive = !failed && mc_pq.consumeInput(self->pq);
  if (alive && self->unsent)
    alive = flush(self) == 0;
  drop_notifications(self);
  if (!alive)
    note_reason(self, mc_pq.errorMessage(self->pq));
  if (self->phase == BUSY && (alive || mc_pq.status(self->pq) != CONNECTION_OK))
    read_results(self);
  else if (self->phase == BUSY)
    fail_query(self, MC_EUNKNOWN);
  else if (!alive || mc_pq.status(self->pq) != CONNECTION_OK)
    lose(self);
}

static void on_poll(uv_poll_t *poll, int status, int events) {
  mc_postgres *self = poll->data;
  (void)events;
  uint64_t outer = mc_behalf_begin(self->phase == READY ? 0 : self->attempt);
  if (self->phase == CONNECTING)
    connect_step(self);
  else
    on_traffic(self, status < 0); /* may close it */
  mc_behalf_end(outer);
}

/* ---- closing ---- */

void mc_postgres_close(mc_postgres *self) {
  stop_watching(self);
  if (self->lookup)
    mc_postgres_lookup_stop(self->lookup);
  if (self->phase == BUSY)
    mc_postgres_cancel(self->loop, self->pq);
  else if (self->pq)
    mc_pq.finish(self->pq);
  mc_pq.clear(self->answer);
  mc_postgres_settings_deinit(&self->settings);
  free(self);
}
