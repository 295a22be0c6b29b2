/* Calls from the loop into Lua: see callback.h. */
#include "worker/callback.h"

#include "base/log.h"

#include <inttypes.h>
#include <lauxlib.h>
#include <stdio.h>

#define MAX_EXACT 9007199254740991 /* 2^53 - 1, as in lua/mooncrew/json/int64.lua */

lua_State *mc_callback_thread(lua_State *L) {
  lua_State *thread = lua_newthread(L);
  luaL_ref(L, LUA_REGISTRYINDEX);
  return thread;
}

void mc_callback_run(lua_State *thread, int arguments) {
  if (lua_pcall(thread, arguments, 0, 0)) {
    const char *text = lua_tostring(thread, -1);
    mc_log_event(MC_LOG_ERROR, "error outside of any task", "%s", text ? text : "an error that is no string");
  }
  lua_settop(thread, 0);
}

int mc_callback_push_failure(lua_State *L, const char *message, const char *code) {
  lua_pushnil(L);
  lua_pushstring(L, message);
  lua_pushstring(L, code);
  return 3;
}

/* C cannot make a cdata; the module that reads integers of JSON does. */
static void push_wide(lua_State *L, int64_t value) {
  char digits[24];
  snprintf(digits, sizeof digits, "%" PRId64, value);
  lua_getglobal(L, "require");
  lua_pushliteral(L, "mooncrew.json.int64");
  lua_call(L, 1, 1);
  lua_getfield(L, -1, "parse");
  lua_remove(L, -2);
  lua_pushstring(L, digits);
  lua_call(L, 1, 1);
}

void mc_callback_push_int64(lua_State *L, int64_t value) {
  if (value >= -MAX_EXACT && value <= MAX_EXACT)
    lua_pushnumber(L, (lua_Number)value);
  else
    push_wide(L, value);
}

void mc_callback_register(lua_State *L, const luaL_Reg *functions, size_t count) {
  for (size_t i = 0; i < count; i++) {
    lua_pushvalue(L, -1);
    lua_pushcclosure(L, functions[i].func, 1);
    lua_setfield(L, -3, functions[i].name);
  }
  luaL_ref(L, LUA_REGISTRYINDEX);
}
