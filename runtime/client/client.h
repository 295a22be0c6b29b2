/* A synchronous client: one connection to Redis on a private loop that runs only inside a call.
 *
 *   begin ──▶ ready ──▶ send on mc_client_conn ──▶ drain ──▶ end
 *               ▲                                    │
 *               └──── what was lost, sent again ─────┘
 *
 * A call has one deadline, which begin sets. Between calls the loop stands still: that the server closed an idle
 * connection is noticed by the next begin, or by drain when the news arrives after it. No thread is started, except
 * libuv's pool for looking up host names, and no signal is handled.
 */
#ifndef MC_CLIENT_CLIENT_H
#define MC_CLIENT_CLIENT_H

#include "base/err.h"
#include "redis/conn.h"

#define MC_CLIENT_TIMEOUT_MS 5000

typedef struct mooncrew_client mc_client;

/* Checks the URL; does not connect. MC_EINVALID, or MC_EUNAVAILABLE when the system gives no event loop. */
int mc_client_open(const char *url, mc_client **out, mc_err *err);

/* NULL is fine. Also in the child of a fork, where it leaves the parent's connection alone. */
void mc_client_close(mc_client *client);

/* For each call as a whole; 0 or less: MC_CLIENT_TIMEOUT_MS. */
void mc_client_set_timeout(mc_client *client, int64_t timeout_ms);

/* Starts a call. MC_EINVALID in the child of a fork: then nothing was started and end is not called. */
int mc_client_begin(mc_client *client, mc_err *err);
int mc_client_begin_for(mc_client *client, int64_t timeout_ms, mc_err *err); /* with a deadline of its own */
void mc_client_end(mc_client *client);

/* Waits for a ready connection: 0, or MC_EUNAVAILABLE at the deadline, with why the last attempt had failed. */
int mc_client_ready(mc_client *client, mc_err *err);

/* The connection to send on; only between a successful ready and the next drain. */
mc_conn *mc_client_conn(mc_client *client);

/* Waits until every callback has run: with its answer, or with MC_ECLOSED when the connection went or the deadline
 * passed. After a deadline the connection is gone, so that no late answer finds its caller. */
void mc_client_drain(mc_client *client);

/* Waits a moment before something that Redis could not do yet is tried again. False when the deadline has passed. */
bool mc_client_pause(mc_client *client);

/* Waits for so long, or until *wake (may be NULL) is true. False when the deadline has passed. */
bool mc_client_sleep(mc_client *client, uint64_t ms, const bool *wake);

/* For a second connection beside the client's own, which must be closed, and be gone, before the call ends:
 * mc_client_close_conn does that. */
mc_conn *mc_client_open_conn(mc_client *client, const mc_conn_options *options);
void mc_client_close_conn(mc_client *client, mc_conn *conn);

/* Where Redis is, without user and password. */
const char *mc_client_where(const mc_client *client);

#endif
