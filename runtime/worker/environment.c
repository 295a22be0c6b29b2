/* Environments of programs: see environment.h. */
#include "worker/environment.h"

#include <lauxlib.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

extern char **environ;

static bool is_changed(lua_State *L, int changes, const char *variable) {
  const char *equals = strchr(variable, '=');
  lua_pushlstring(L, variable, equals ? (size_t)(equals - variable) : strlen(variable));
  lua_rawget(L, changes);
  bool changed = !lua_isnil(L, -1);
  lua_pop(L, 1);
  return changed;
}

static size_t count_entries(lua_State *L, int changes) {
  size_t count = 0;
  while (environ[count])
    count++;
  if (lua_istable(L, changes))
    for (lua_pushnil(L); lua_next(L, changes); lua_pop(L, 1))
      count++;
  return count;
}

/* Names that are no text make no sense, and must not be converted while the table is walked. The texts are kept in the
 * table at `texts`. */
static size_t add_changes(lua_State *L, int changes, int texts, char **list, size_t count) {
  for (lua_pushnil(L); lua_next(L, changes); lua_pop(L, 1)) {
    if (lua_type(L, -2) != LUA_TSTRING)
      luaL_error(L, "env: a name must be a string");
    if (!lua_toboolean(L, -1))
      continue;
    list[count++] = (char *)lua_pushfstring(L, "%s=%s", lua_tostring(L, -2), luaL_checkstring(L, -1));
    lua_rawseti(L, texts, (int)lua_objlen(L, texts) + 1);
  }
  return count;
}

char **mc_environment_push(lua_State *L, int changes) {
  char **list = lua_newuserdata(L, (count_entries(L, changes) + 1) * sizeof *list);
  size_t count = 0;
  lua_newtable(L);
  int texts = lua_gettop(L);
  for (char **at = environ; *at; at++)
    if (!lua_istable(L, changes) || !is_changed(L, changes, *at))
      list[count++] = *at;
  if (lua_istable(L, changes))
    count = add_changes(L, changes, texts, list, count);
  list[count] = NULL;
  return list;
}
