/* Results as Lua values: see postgres_rows.h. */
#include "worker/postgres_rows.h"

#include "base/mem.h"
#include "worker/callback.h"

#include <lauxlib.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

typedef void (*push_fn)(lua_State *L, const char *text, size_t size);

static void push_text(lua_State *L, const char *text, size_t size) {
  lua_pushlstring(L, text, size);
}

static void push_number(lua_State *L, const char *text, size_t size) {
  (void)size;
  lua_pushnumber(L, strtod(text, NULL)); /* "NaN" and "-Infinity" too */
}

static void push_int8(lua_State *L, const char *text, size_t size) {
  (void)size;
  mc_callback_push_int64(L, strtoll(text, NULL, 10));
}

static void push_bool(lua_State *L, const char *text, size_t size) {
  (void)size;
  lua_pushboolean(L, text[0] == 't');
}

static void push_bytes(lua_State *L, const char *text, size_t size) {
  (void)size;
  size_t count = 0;
  unsigned char *bytes = mc_pq.unescapeBytea((const unsigned char *)text, &count);
  lua_pushlstring(L, bytes ? (const char *)bytes : "", bytes ? count : 0);
  mc_pq.freemem(bytes);
}

enum { JSON = 114, JSONB = 3802 };

/* Types of the catalogue, whose numbers never change. */
static const struct type {
  Oid oid;
  push_fn push;
} types[] = {
    {16, push_bool},   {17, push_bytes},  {20, push_int8},    {21, push_number},
    {23, push_number}, {26, push_number}, {700, push_number}, {701, push_number},
};

static push_fn find_push(Oid oid) {
  for (size_t i = 0; i < MC_COUNT(types); i++)
    if (types[i].oid == oid)
      return types[i].push;
  return push_text;
}

static void push_columns(lua_State *L, const PGresult *result, int columns) {
  lua_createtable(L, columns, 0);
  for (int i = 0; i < columns; i++) {
    lua_pushstring(L, mc_pq.fname(result, i));
    lua_rawseti(L, -2, i + 1);
  }
}

static void push_row(lua_State *L, const PGresult *result, int row, int columns, const push_fn *pushes, int names) {
  lua_createtable(L, 0, columns);
  for (int i = 0; i < columns; i++) {
    lua_rawgeti(L, names, i + 1);
    if (mc_pq.getisnull(result, row, i))
      lua_pushnil(L); /* also over another column of the same name */
    else
      pushes[i](L, mc_pq.getvalue(result, row, i), (size_t)mc_pq.getlength(result, row, i));
    lua_rawset(L, -3);
  }
}

static void push_rows(lua_State *L, const PGresult *result, int columns, int names) {
  int rows = mc_pq.ntuples(result);
  push_fn *pushes = lua_newuserdata(L, ((size_t)columns + 1) * sizeof *pushes);
  for (int i = 0; i < columns; i++)
    pushes[i] = find_push(mc_pq.ftype(result, i));
  lua_createtable(L, rows, 0);
  for (int row = 0; row < rows; row++) {
    push_row(L, result, row, columns, pushes, names);
    lua_rawseti(L, -2, row + 1);
  }
  lua_remove(L, -2);
}

/* Of several columns with one name, rows hold the last. */
static bool is_hidden(const PGresult *result, int column, int columns) {
  for (int i = column + 1; i < columns; i++)
    if (strcmp(mc_pq.fname(result, i), mc_pq.fname(result, column)) == 0)
      return true;
  return false;
}

static void set_json_columns(lua_State *L, const PGresult *result, int columns) {
  int found = 0;
  for (int i = 0; i < columns; i++) {
    Oid type = mc_pq.ftype(result, i);
    if ((type != JSON && type != JSONB) || is_hidden(result, i, columns))
      continue;
    if (found == 0)
      lua_newtable(L);
    lua_pushstring(L, mc_pq.fname(result, i));
    lua_rawseti(L, -2, ++found);
  }
  if (found)
    lua_setfield(L, -2, "json");
}

void mc_postgres_rows_push(lua_State *L, PGresult *result) {
  int columns = mc_pq.nfields(result);
  luaL_checkstack(L, 16, "a result");
  lua_createtable(L, 0, 6);
  push_columns(L, result, columns);
  push_rows(L, result, columns, lua_gettop(L));
  lua_setfield(L, -3, "rows");
  lua_setfield(L, -2, "columns");
  lua_pushinteger(L, mc_pq.ntuples(result));
  lua_setfield(L, -2, "count");
  lua_pushstring(L, mc_pq.cmdStatus(result));
  lua_setfield(L, -2, "command");
  const char *affected = mc_pq.cmdTuples(result);
  if (*affected) {
    lua_pushnumber(L, strtod(affected, NULL));
    lua_setfield(L, -2, "affected");
  }
  set_json_columns(L, result, columns);
}
