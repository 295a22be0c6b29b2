/* luv on the worker's loop: see luv.h. */
#include "worker/luv.h"

#include "base/log.h"
#include "base/mem.h"
#include "worker/bindings.h"
#include "worker/library.h"
#include "worker/page.h"

#include <lauxlib.h>

typedef int (*callback_runner)(lua_State *L, int arguments, int results, int flags);

static struct {
  void (*set_loop)(lua_State *L, uv_loop_t *loop);
  void (*set_callback)(lua_State *L, callback_runner run);
  lua_CFunction open;
} luv;

static const mc_symbol symbols[] = {
    {"luv_set_loop", &luv.set_loop},
    {"luv_set_callback", &luv.set_callback},
    {"luaopen_luv", &luv.open},
};

static mc_tasks *owner; /* a process has one worker, and the runner gets no argument of ours */

/* Runs what luv calls back, a function of lua/mooncrew/luv.lua, which raises only when memory has run out. As luv has
 * it, the result is the number of values left on the stack, or negative. */
static int run_callback(lua_State *L, int arguments, int results, int flags) {
  (void)flags;
  uint64_t outer = mc_page_current(owner->page);
  int base = lua_gettop(L) - arguments - 1;
  int rc = lua_pcall(L, arguments, results, 0);
  mc_tasks_blame_end(owner, outer);
  if (rc == 0)
    return lua_gettop(L) - base;
  const char *text = lua_tostring(L, -1);
  mc_log_begin(MC_LOG_ERROR, "error in a callback of luv");
  mc_log_int("worker", owner->vm->worker);
  mc_log_text("error", text ? text : "an error that is no string");
  mc_log_end();
  lua_pop(L, 1);
  return -rc;
}

/* luv calls back in the coroutine that it was opened in. One of its own stays clear of the handlers' and of ours. */
static int open_luv(lua_State *L) {
  mc_bindings *bindings = lua_touserdata(L, lua_upvalueindex(1));
  mc_err err;
  if (mc_library_load(luaL_checkstring(L, 1), "lua-luv", symbols, MC_COUNT(symbols), &err))
    return luaL_error(L, "%s", err.text);
  owner = bindings->tasks;
  lua_State *callbacks = lua_newthread(L);
  luaL_ref(L, LUA_REGISTRYINDEX);
  luv.set_loop(callbacks, owner->loop);
  luv.set_callback(callbacks, run_callback);
  lua_pushcfunction(callbacks, luv.open);
  int rc = lua_pcall(callbacks, 0, 1, 0);
  lua_xmove(callbacks, L, 1);
  return rc ? lua_error(L) : 1;
}

int luaopen_mooncrew_luv(lua_State *L) {
  lua_getglobal(L, "require");
  lua_pushliteral(L, "mooncrew.luv");
  lua_call(L, 1, 1);
  lua_getfield(L, -1, "open");
  lua_call(L, 0, 1);
  return 1;
}

static int blame(lua_State *L) {
  mc_bindings *bindings = lua_touserdata(L, lua_upvalueindex(1));
  uint32_t slot = lua_isnoneornil(L, 1) ? MC_NO_SLOT : mc_bindings_check_slot(L, bindings->tasks);
  mc_tasks_blame(bindings->tasks, slot);
  return 0;
}

static const luaL_Reg functions[] = {{"open", open_luv}, {"blame", blame}};

int luaopen_mooncrew_native_luv(lua_State *L) {
  mc_bindings_register(L, functions, MC_COUNT(functions));
  return 1;
}
