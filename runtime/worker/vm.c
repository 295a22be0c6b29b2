/* The LuaJIT state: see vm.h. */
#include "worker/vm.h"

#include "base/log.h"
#include "base/mem.h"
#include "base/random.h"
#include "lualib/modules.h"
#include "lualib/native.h"
#include "lualib/traversal.h"
#include "worker/bindings.h"
#include "worker/exec.h"
#include "worker/luv.h"
#include "worker/native_http.h"
#include "worker/native_postgres.h"
#include "worker/native_redis.h"

#include <lauxlib.h>
#include <lualib.h>
#include <stdlib.h>

static const char *const entry_names[MC_VM_ENTRIES] = {
    [MC_VM_LOAD] = "load",     [MC_VM_START] = "start",       [MC_VM_STEP] = "step", [MC_VM_STOP] = "stop",
    [MC_VM_FORGET] = "forget", [MC_VM_ENQUEUED] = "enqueued", [MC_VM_FOLD] = "fold", [MC_VM_CLOSE] = "close",
};

static uv_loop_t *loop_of(lua_State *L) {
  const mc_bindings *bindings = lua_touserdata(L, lua_upvalueindex(1));
  return bindings->tasks->loop;
}

static int open_native_http(lua_State *L) {
  mc_native_http_push(L, loop_of(L));
  return 1;
}

static int open_native_postgres(lua_State *L) {
  mc_native_postgres_push(L, loop_of(L));
  return 1;
}

static int open_native_redis(lua_State *L) {
  mc_native_redis_push(L, loop_of(L));
  return 1;
}

/* C halves of Lua modules that need the worker: opened when a script first asks for them. The upvalue is the
 * mc_bindings. */
static const luaL_Reg native_modules[] = {
    {"mooncrew.native_worker", luaopen_mooncrew_native_worker},
    {"mooncrew.native_http", open_native_http},
    {"mooncrew.native_luv", luaopen_mooncrew_native_luv},
    {"luv", luaopen_mooncrew_luv},
    {"mooncrew.native_exec", luaopen_mooncrew_native_exec},
    {"mooncrew.native_postgres", open_native_postgres},
    {"mooncrew.native_redis", open_native_redis},
};

/* Where a call of ours stands on the Lua stack: it is always empty between calls, and coroutines have their own. */
enum { HANDLER = 1, FIRST_RESULT };

/* No protected call is left: an error in our own C code. The supervisor sees the death and puts the tasks back. */
static int on_panic(lua_State *L) {
  const char *text = lua_tostring(L, -1);
  mc_log_event(MC_LOG_ERROR, "worker panics", "%s", text ? text : "an error that is no string");
  mc_log_close();
  abort();
}

/* message → message and traceback, as one text */
static int on_error(lua_State *L) {
  if (!lua_isstring(L, 1))
    return 1;
  luaL_traceback(L, L, lua_tostring(L, 1), 1);
  return 1;
}

static void preload(lua_State *L, const char *name, lua_CFunction open, void *upvalue) {
  lua_getglobal(L, "package");
  lua_getfield(L, -1, "preload");
  lua_pushlightuserdata(L, upvalue);
  lua_pushcclosure(L, open, 1);
  lua_setfield(L, -2, name);
  lua_pop(L, 2);
}

/* LuaJIT starts every state with the same seed; workers are not to make the same "random" numbers. */
static void seed_random(lua_State *L) {
  lua_getglobal(L, "math");
  lua_getfield(L, -1, "randomseed");
  lua_pushnumber(L, (lua_Number)mc_random_below(UINT32_MAX));
  lua_call(L, 1, 0);
  lua_pop(L, 1);
}

static int fail_open(lua_State *L, mc_err *err) {
  const char *text = lua_tostring(L, -1);
  int rc = mc_fail(err, MC_EINTERNAL, "the library does not load: %s", text ? text : "an error that is no string");
  lua_close(L);
  return rc;
}

int mc_vm_open(mc_vm *vm, const char *lua_path, struct mc_bindings *bindings, mc_err *err) {
  lua_State *L = luaL_newstate();
  if (!L)
    return mc_fail(err, MC_ENO_MEMORY, "no memory for a Lua state");
  lua_atpanic(L, on_panic);
  luaL_openlibs(L);
  mc_lua_traversal_install(L);
  seed_random(L);
  mc_lua_modules_install(L, lua_path);
  preload(L, "mooncrew.native", luaopen_mooncrew_native, NULL);
  for (size_t i = 0; i < MC_COUNT(native_modules); i++)
    preload(L, native_modules[i].name, native_modules[i].func, bindings);
  if (mc_lua_modules_isolate(L))
    return fail_open(L, err);
  lua_pushcfunction(L, on_error);
  vm->error_handler = luaL_ref(L, LUA_REGISTRYINDEX);
  lua_getglobal(L, "require");
  lua_pushliteral(L, "mooncrew.worker");
  if (lua_pcall(L, 1, 1, 0))
    return fail_open(L, err);
  for (int i = 0; i < MC_VM_ENTRIES; i++) {
    lua_getfield(L, -1, entry_names[i]);
    vm->entries[i] = luaL_ref(L, LUA_REGISTRYINDEX);
  }
  lua_settop(L, 0);
  vm->L = L;
  return 0;
}

static void begin(mc_vm *vm, int reference) {
  vm->hook_mask = lua_gethookmask(vm->L);
  lua_settop(vm->L, 0);
  lua_rawgeti(vm->L, LUA_REGISTRYINDEX, vm->error_handler);
  lua_rawgeti(vm->L, LUA_REGISTRYINDEX, reference);
}

void mc_vm_begin(mc_vm *vm, mc_vm_entry entry) {
  begin(vm, vm->entries[entry]);
}

int mc_vm_run(mc_vm *vm, int results, mc_err *err) {
  lua_State *L = vm->L;
  if (lua_pcall(L, lua_gettop(L) - FIRST_RESULT, results, HANDLER) == 0)
    return 0;
  const char *text = lua_tostring(L, -1);
  text = text ? text : "an error that is no string";
  mc_log_begin(MC_LOG_ERROR, "error outside of any task");
  mc_log_int("worker", vm->worker);
  mc_log_text("error", text);
  mc_log_end();
  mc_fail(err, MC_EINTERNAL, "%s", text);
  lua_settop(L, 0);
  return MC_EINTERNAL;
}

void mc_vm_end(mc_vm *vm) {
  lua_settop(vm->L, 0);
}

bool mc_vm_unhook(mc_vm *vm) {
  if (lua_gethookmask(vm->L) == vm->hook_mask)
    return false;
  lua_sethook(vm->L, NULL, 0, 0);
  return true;
}

void mc_vm_call_back(mc_vm *vm, int reference) {
  begin(vm, reference);
  if (mc_vm_run(vm, 0, NULL) == 0)
    mc_vm_end(vm);
}
