/* Ends a connection to PostgreSQL whose query still runs: the server is asked to cancel it, then the connection goes.
 *
 * libpq's function for that blocks until the server has answered, so it runs on libuv's thread pool; a few at a time,
 * because a server that stands still would otherwise take all of the pool's threads, and with them everybody's look-ups
 * of names.
 */
#ifndef MC_WORKER_POSTGRES_CANCEL_H
#define MC_WORKER_POSTGRES_CANCEL_H

#include "worker/libpq.h"

#include <uv.h>

/* Takes the connection, which must not be used any more. It stays open until the server has heard of it: then the query
 * that is cancelled is no other than its own. */
void mc_postgres_cancel(uv_loop_t *loop, PGconn *pq);

/* Calls back when every server has heard of its cancelling, at once where none is under way: a process that ends before
 * leaves a query that runs on. At most one may wait. */
void mc_postgres_cancel_wait(void (*on_quiet)(void *arg), void *arg);

#endif
