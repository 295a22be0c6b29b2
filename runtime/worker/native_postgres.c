/* mooncrew.native_postgres: see native_postgres.h. */
#include "worker/native_postgres.h"

#include "base/mem.h"
#include "worker/callback.h"
#include "worker/postgres.h"
#include "worker/postgres_rows.h"

#include <lauxlib.h>

#define CONN_TYPE "mooncrew.native_postgres.conn"
#define BYTEA 17
#define MAX_PARAMETERS 65535

typedef struct module {
  uv_loop_t *loop;
  lua_State *thread; /* to call back from the loop */
} module;

typedef struct handle {
  module *owner;
  mc_postgres *conn;            /* NULL once it is closed */
  int on_open, on_lost, on_end; /* references, LUA_NOREF for none */
} handle;

static module *module_of(lua_State *L) {
  return lua_touserdata(L, lua_upvalueindex(1));
}

static handle *check_handle(lua_State *L) {
  return luaL_checkudata(L, 1, CONN_TYPE);
}

static mc_postgres *check_conn(lua_State *L) {
  handle *self = check_handle(L);
  luaL_argcheck(L, self->conn, 1, "the connection is closed");
  return self->conn;
}

/* ---- what the connection tells ---- */

static void unref(handle *self, int *reference) {
  luaL_unref(self->owner->thread, LUA_REGISTRYINDEX, *reference);
  *reference = LUA_NOREF;
}

/* Pushes the function behind the reference, and drops that. */
static lua_State *push_callback(handle *self, int *reference) {
  lua_State *L = self->owner->thread;
  lua_rawgeti(L, LUA_REGISTRYINDEX, *reference);
  unref(self, reference);
  return L;
}

static void on_open(void *arg, int status, const char *reason) {
  handle *self = arg;
  lua_State *L = push_callback(self, &self->on_open);
  int count = 1;
  if (status)
    count = mc_callback_push_failure(L, reason, mc_err_name(status));
  else
    lua_pushboolean(L, 1);
  mc_callback_run(L, count);
}

static void on_lost(void *arg) {
  handle *self = arg;
  mc_callback_run(push_callback(self, &self->on_lost), 0);
}

static const struct detail {
  const char *name;
  int field;
} details[] = {
    {"detail", PG_DIAG_MESSAGE_DETAIL},      {"hint", PG_DIAG_MESSAGE_HINT}, {"schema", PG_DIAG_SCHEMA_NAME},
    {"constraint", PG_DIAG_CONSTRAINT_NAME}, {"table", PG_DIAG_TABLE_NAME},  {"column", PG_DIAG_COLUMN_NAME},
};

static int push_refusal(lua_State *L, const PGresult *result) {
  const char *text = mc_pq.resultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
  mc_callback_push_failure(L, text ? text : "an error without a message",
                           mc_pq.resultErrorField(result, PG_DIAG_SQLSTATE));
  lua_newtable(L);
  for (size_t i = 0; i < MC_COUNT(details); i++) {
    lua_pushstring(L, mc_pq.resultErrorField(result, details[i].field)); /* nil where there is none */
    lua_setfield(L, -2, details[i].name);
  }
  return 4;
}

static void on_result(void *arg, int status, PGresult *result, const char *reason) {
  handle *self = arg;
  lua_State *L = push_callback(self, &self->on_end);
  int count = 1;
  if (status)
    count = mc_callback_push_failure(L, reason, mc_err_name(status));
  else if (mc_pq.resultStatus(result) == PGRES_FATAL_ERROR)
    count = push_refusal(L, result);
  else
    mc_postgres_rows_push(L, result);
  mc_callback_run(L, count);
}

/* ---- the module ---- */

static int postgres_open(lua_State *L) {
  const char *address = luaL_checkstring(L, 1);
  luaL_checktype(L, 2, LUA_TFUNCTION);
  luaL_checktype(L, 3, LUA_TFUNCTION);
  lua_settop(L, 3);
  handle *self = lua_newuserdata(L, sizeof *self);
  *self = (handle){module_of(L), NULL, LUA_NOREF, LUA_NOREF, LUA_NOREF};
  luaL_getmetatable(L, CONN_TYPE);
  lua_setmetatable(L, -2);
  mc_postgres_events events = {on_open, on_result, on_lost, self};
  mc_err err;
  int rc = mc_postgres_open(self->owner->loop, address, &events, &self->conn, &err);
  if (rc)
    return mc_callback_push_failure(L, err.text, mc_err_name(rc));
  lua_pushvalue(L, 2);
  self->on_open = luaL_ref(L, LUA_REGISTRYINDEX);
  lua_pushvalue(L, 3);
  self->on_lost = luaL_ref(L, LUA_REGISTRYINDEX);
  return 1;
}

/* The arrays of a query's parameters, in one piece of memory. */
typedef struct arrays {
  const char **values;
  Oid *types;
  int *lengths, *formats;
} arrays;

/* In a userdata that is left on the stack. */
static arrays push_arrays(lua_State *L, size_t count) {
  size_t room = count + 1; /* none is no reason for a size of 0 */
  const char **values = lua_newuserdata(L, room * (sizeof *values + sizeof(Oid) + 2 * sizeof(int)));
  Oid *types = (Oid *)(values + room);
  int *lengths = (int *)(types + room);
  return (arrays){values, types, lengths, lengths + room};
}

static bool is_binary(lua_State *L, int binary, int i) {
  if (!lua_istable(L, binary))
    return false;
  lua_rawgeti(L, binary, i + 1);
  bool is = lua_toboolean(L, -1);
  lua_pop(L, 1);
  return is;
}

/* Parameter i of the table, whose text the table keeps alive. */
static void read_parameter(lua_State *L, int table, int binary, int i, const arrays *out) {
  size_t size = 0;
  lua_rawgeti(L, table, i + 1);
  out->values[i] = lua_isnil(L, -1) ? NULL : luaL_checklstring(L, -1, &size);
  luaL_argcheck(L, size <= INT32_MAX, table, "a parameter is too long");
  lua_pop(L, 1);
  out->lengths[i] = (int)size;
  out->formats[i] = is_binary(L, binary, i);
  out->types[i] = out->formats[i] ? BYTEA : 0;
}

/* Raises on a wrong type. What it leaves on the stack must stay as long as the parameters are used. */
static mc_postgres_parameters check_parameters(lua_State *L, int table) {
  luaL_checktype(L, table, LUA_TTABLE);
  lua_getfield(L, table, "n");
  lua_Integer count = luaL_checkinteger(L, -1);
  luaL_argcheck(L, count >= 0 && count <= MAX_PARAMETERS, table, "too many parameters: 65535 at most");
  lua_getfield(L, table, "binary");
  int binary = lua_gettop(L);
  arrays out = push_arrays(L, (size_t)count);
  for (int i = 0; i < (int)count; i++)
    read_parameter(L, table, binary, i, &out);
  return (mc_postgres_parameters){(int)count, out.types, out.values, out.lengths, out.formats};
}

static int postgres_query(lua_State *L) {
  mc_postgres *conn = check_conn(L);
  handle *self = check_handle(L);
  const char *sql = luaL_checkstring(L, 2);
  luaL_checktype(L, 4, LUA_TFUNCTION);
  luaL_argcheck(L, mc_postgres_is_ready(conn), 1, "the connection is not ready");
  mc_postgres_parameters parameters = check_parameters(L, 3);
  mc_err err;
  int rc = mc_postgres_query(conn, sql, &parameters, &err);
  if (rc)
    return mc_callback_push_failure(L, err.text, mc_err_name(rc));
  lua_pushvalue(L, 4);
  self->on_end = luaL_ref(L, LUA_REGISTRYINDEX);
  lua_pushboolean(L, 1);
  return 1;
}

static int postgres_is_ready(lua_State *L) {
  const handle *self = check_handle(L);
  lua_pushboolean(L, self->conn && mc_postgres_is_ready(self->conn));
  return 1;
}

static int postgres_in_transaction(lua_State *L) {
  const handle *self = check_handle(L);
  lua_pushboolean(L, self->conn && mc_postgres_in_transaction(self->conn));
  return 1;
}

static int postgres_close(lua_State *L) {
  handle *self = check_handle(L);
  if (self->conn)
    mc_postgres_close(self->conn);
  self->conn = NULL;
  unref(self, &self->on_open);
  unref(self, &self->on_lost);
  unref(self, &self->on_end);
  return 0;
}

static const luaL_Reg functions[] = {
    {"open", postgres_open},
    {"query", postgres_query},
    {"close", postgres_close},
    {"is_ready", postgres_is_ready},
    {"in_transaction", postgres_in_transaction},
};

void mc_native_postgres_push(lua_State *L, uv_loop_t *loop) {
  mc_err err;
  if (mc_pq_load(&err))
    luaL_error(L, "%s", err.text);
  luaL_newmetatable(L, CONN_TYPE);
  lua_pushcfunction(L, postgres_close);
  lua_setfield(L, -2, "__gc");
  lua_createtable(L, 0, MC_COUNT(functions));
  module *self = lua_newuserdata(L, sizeof *self);
  *self = (module){loop, mc_callback_thread(L)};
  mc_callback_register(L, functions, MC_COUNT(functions)); /* handles point at it */
  lua_remove(L, -2);                                       /* the metatable */
}
