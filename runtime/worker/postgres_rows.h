/* PostgreSQL's results as Lua values, by the types of their columns:
 *
 *   int2 int4 oid float4 float8 → number    int8 → number, or int64_t of LuaJIT where a number would round
 *   bool → boolean    bytea → the bytes    null → nil    anything else (numeric, times, arrays …) → PostgreSQL's text
 *
 * json and jsonb are left as text; their columns are named in the result's field `json`, for Lua to decode.
 */
#ifndef MC_WORKER_POSTGRES_ROWS_H
#define MC_WORKER_POSTGRES_ROWS_H

#include "worker/libpq.h"

#include <lua.h>

/* Pushes {columns = {name …}, rows = {{name = value …} …}, count = rows, affected = rows or nil, command = "UPDATE 3",
 * json = {name …} or nil}. A name that stands twice has the value of its last column. */
void mc_postgres_rows_push(lua_State *L, PGresult *result);

#endif
