/* The Lua module mooncrew.native_postgres: connections, for mooncrew.postgres.
 *
 *   open(address, on_open, on_lost) → conn | nil, message, code     on_open(true) or on_open(nil, message, code), once;
 *                                     on_lost() when the server ends a connection that is ready
 *   query(conn, sql, values, callback) → true | nil, message, code  values: {n =, [i] = text or nil, binary = {[i] =
 *                                     true}}. The callback is called once: callback(result), callback(nil, message,
 *                                     SQLSTATE or code, details); a result is as postgres_rows.h says
 *   is_ready(conn), in_transaction(conn) → boolean
 *   close(conn)                       nothing is called back any more; a query that runs is cancelled; harmless twice
 *
 * Loading it loads libpq, and raises when that is not there. No callback runs from inside of these functions.
 */
#ifndef MC_WORKER_NATIVE_POSTGRES_H
#define MC_WORKER_NATIVE_POSTGRES_H

#include <lua.h>
#include <uv.h>

/* Pushes the module, whose connections live on this loop, which is borrowed. */
void mc_native_postgres_push(lua_State *L, uv_loop_t *loop);

#endif
