/* Walking tables: see traversal.h. */
#include "lualib/traversal.h"

#include <lauxlib.h>

static int traversal_next(lua_State *L) {
  luaL_checktype(L, 1, LUA_TTABLE);
  lua_settop(L, 2);
  if (lua_next(L, 1))
    return 2;
  lua_pushnil(L);
  return 1;
}

static int traversal_pairs(lua_State *L) {
  luaL_checktype(L, 1, LUA_TTABLE);
  lua_pushvalue(L, lua_upvalueindex(1));
  lua_pushvalue(L, 1);
  lua_pushnil(L);
  return 3;
}

void mc_lua_traversal_set(lua_State *L) {
  lua_pushcfunction(L, traversal_next);
  lua_pushvalue(L, -1);
  lua_setfield(L, -3, "next");
  lua_pushcclosure(L, traversal_pairs, 1);
  lua_setfield(L, -2, "pairs");
}

void mc_lua_traversal_install(lua_State *L) {
  lua_pushvalue(L, LUA_GLOBALSINDEX);
  mc_lua_traversal_set(L);
  lua_pop(L, 1);
}
