/* One connection to PostgreSQL on a libuv loop, by libpq without blocking.
 *
 *   open ──▶ resolving ──▶ connecting ──▶ ready ⇄ busy ──▶ broken
 *                └──────────────┴─ on_open says that it failed
 *
 * A connection does one query at a time. It never comes back from broken: whoever owns it closes it and opens another.
 * What blocks in libpq is kept away: names are looked up before (postgres_hosts.h), and a query that is still running
 * when its connection is closed is cancelled by a thread (postgres_cancel.h).
 *
 * Requires libpq (mc_pq_load). No text from here holds a password.
 */
#ifndef MC_WORKER_POSTGRES_H
#define MC_WORKER_POSTGRES_H

#include "worker/libpq.h"

#include <stdbool.h>
#include <uv.h>

typedef struct mc_postgres mc_postgres;

/* None runs from inside of a function below; any may close the connection. */
typedef struct mc_postgres_events {
  /* Once: 0, or MC_EUNAVAILABLE and why; then it is broken. */
  void (*on_open)(void *arg, int status, const char *reason);
  /* Once per query. 0: what the server answered, which may be an error, borrowed until return. MC_EUNKNOWN: the
   * connection went meanwhile, the query may have been carried out. MC_EINVALID: it cannot be done here (COPY). After
   * both it is broken, and result is NULL. */
  void (*on_result)(void *arg, int status, PGresult *result, const char *reason);
  void (*on_lost)(void *arg); /* the server ended a connection that was ready; it is broken */
  void *arg;
} mc_postgres_events;

/* The parameters of a query, borrowed until return. A value that is NULL is SQL's. */
typedef struct mc_postgres_parameters {
  int count;
  const Oid *types; /* 0: the server decides */
  const char *const *values;
  const int *lengths; /* of the binary ones */
  const int *formats; /* 0: text, 1: binary */
} mc_postgres_parameters;

/* 0 and a connection that opens; MC_EINVALID for a malformed address, MC_EUNAVAILABLE when it failed at once. There is
 * no time limit: who waits closes it. */
int mc_postgres_open(uv_loop_t *loop, const char *address, const mc_postgres_events *events, mc_postgres **out,
                     mc_err *err);

/* Its events do not run any more. A query that runs is cancelled. */
void mc_postgres_close(mc_postgres *conn);

/* Sends a query; requires mc_postgres_is_ready. 0; MC_EUNAVAILABLE when nothing was sent since the connection has gone
 * (it is broken), MC_EINVALID when libpq refuses it. */
int mc_postgres_query(mc_postgres *conn, const char *sql, const mc_postgres_parameters *parameters, mc_err *err);

bool mc_postgres_is_ready(const mc_postgres *conn);
bool mc_postgres_in_transaction(const mc_postgres *conn);

#endif
