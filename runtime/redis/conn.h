/* One connection to Redis on a libuv loop: it connects, authenticates, selects the database, and reconnects by itself
 * with jittered exponential back-off until it is closed.
 *
 *   new ── start ──▶ connecting ──▶ greeting (AUTH, SELECT, CLIENT SETNAME) ──▶ ready ──▶ lost ──▶ waiting ─┐
 *                        ▲                                                                                 │
 *                        └─────────────────────────────────────────────────────────────────────────────────┘
 *
 * Everything written in one loop turn leaves in one write. Replies meet their callbacks in the order of the commands.
 * A connection that is subscribed hands messages that answer no command to on_push.
 *
 * When a ready connection is lost, every waiting callback runs with MC_ECLOSED (the command may or may not have been
 * carried out) before on_lost runs; nothing is sent again by this layer. When a reply takes longer than the command
 * time-out, the connection is lost in the same way. Callbacks may send new commands and may close the connection.
 * No text that this layer produces holds a password.
 */
#ifndef MC_REDIS_CONN_H
#define MC_REDIS_CONN_H

#include "base/args.h"
#include "base/script.h"
#include "base/value.h"
#include "redis/url.h"

#include <uv.h>

typedef struct mc_conn mc_conn;

/* status 0: reply is Redis' answer, which may be an ERROR value, borrowed until return.
 * status MC_ECLOSED: the connection went before the answer came; reply is NULL. Never run from inside the call that
 * sent the command. */
typedef void (*mc_reply_fn)(void *arg, int status, const mc_value *reply);

typedef struct mc_conn_options {
  uint64_t connect_timeout_ms;                 /* until ready; 0: 5000 */
  uint64_t command_timeout_ms;                 /* for the oldest unanswered command; 0: 10000 */
  uint64_t backoff_min_ms;                     /* first wait before a reconnect; 0: 50. Doubles, with jitter, … */
  uint64_t backoff_max_ms;                     /* … up to this; 0: 3000 */
  const char *name;                            /* for CLIENT SETNAME; NULL: none. Copied. */
  void (*on_ready)(void *arg);                 /* connected, authenticated, database selected */
  void (*on_lost)(void *arg, const char *why); /* a ready connection went, or an attempt failed; another follows */
  void (*on_push)(void *arg, const mc_value *message); /* pub/sub and invalidation messages */
  void (*on_read)(void *arg, bool begins);             /* around all that is done with bytes that came */
  void *arg;
} mc_conn_options;

/* Copies url and options. Nothing happens until started. */
mc_conn *mc_conn_new(uv_loop_t *loop, const mc_redis_url *url, const mc_conn_options *options);
void mc_conn_start(mc_conn *conn);

/* Ends the connection: waiting callbacks run with MC_ECLOSED from the loop, then on_closed (may be NULL), after which
 * the memory is gone. Neither on_ready nor on_lost runs any more. */
void mc_conn_close(mc_conn *conn, void (*on_closed)(void *arg), void *arg);

bool mc_conn_is_ready(const mc_conn *conn);

/* Sends a command. 0, or MC_EUNAVAILABLE when the connection is not ready (nothing was sent, fn never runs).
 * args is borrowed until return. fn may be NULL. */
int mc_conn_send(mc_conn *conn, const mc_args *args, mc_reply_fn fn, void *arg);

/* Sends one written out as words: mc_conn_send_words(conn, fn, arg, "CLIENT", "CACHING", "YES", NULL). */
int mc_conn_send_words(mc_conn *conn, mc_reply_fn fn, void *arg, ...) __attribute__((sentinel));

/* Calls a script by EVALSHA; when Redis does not know it, once more by EVAL, which also loads it. Takes call->args:
 * the call is empty after return, whatever comes back. Otherwise like mc_conn_send. */
int mc_conn_call(mc_conn *conn, mc_call *call, mc_reply_fn fn, void *arg);

/* Writes now what this loop turn has gathered, instead of at its end. */
void mc_conn_flush(mc_conn *conn);

/* Commands sent and not answered yet. */
size_t mc_conn_waiting(const mc_conn *conn);

#endif
