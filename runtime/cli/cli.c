/* The command line: a Lua state that reads the arguments, does what can be done without a supervisor, and says what is
 * to be run. See cli.h.
 */
#include "cli/cli.h"

#include "base/mem.h"
#include "cli/native_cli.h"
#include "cli/scrub.h"
#include "lualib/modules.h"
#include "lualib/traversal.h"

#include <lauxlib.h>
#include <lua.h>
#include <lualib.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int luaopen_mooncrew_native(lua_State *L);        /* lualib/ */
int luaopen_mooncrew_native_client(lua_State *L); /* client/ */

typedef struct request {
  int argc;
  char **argv; /* passwords in it are overwritten once Lua has its copy */
  const char *program;
  const luaL_Reg *modules;
  mc_cli_outcome *out;
} request;

static const luaL_Reg own_modules[] = {
    {"mooncrew.native", luaopen_mooncrew_native},
    {"mooncrew.native_client", luaopen_mooncrew_native_client},
    {"mooncrew.native_cli", luaopen_mooncrew_native_cli},
    {NULL, NULL},
};

static void preload(lua_State *L, const luaL_Reg *modules) {
  lua_getglobal(L, "package");
  lua_getfield(L, -1, "preload");
  for (; modules->name; modules++) {
    lua_pushcfunction(L, modules->func);
    lua_setfield(L, -2, modules->name);
  }
  lua_pop(L, 2);
}

static void push_arguments(lua_State *L, const request *asked) {
  lua_createtable(L, asked->argc, 0);
  for (int i = 1; i < asked->argc; i++) {
    lua_pushstring(L, asked->argv[i]);
    lua_rawseti(L, -2, i);
  }
  mc_scrub_args(asked->argc, asked->argv);
}

/* Reads what main returned, { exit_code = } or { run = true, config =, redis =, redis_folder = }, from the top of the
 * stack. */
static void take_outcome(lua_State *L, mc_cli_outcome *out) {
  luaL_checktype(L, -1, LUA_TTABLE);
  lua_getfield(L, -1, "exit_code");
  lua_getfield(L, -2, "redis");
  lua_getfield(L, -3, "run");
  out->exit_code = (int)lua_tointeger(L, -3);
  out->redis = (pid_t)lua_tointeger(L, -2);
  bool run = lua_toboolean(L, -1);
  lua_pop(L, 3);
  if (!run)
    return;
  lua_getfield(L, -1, "redis_folder");
  snprintf(out->redis_folder, sizeof out->redis_folder, "%s", lua_isstring(L, -1) ? lua_tostring(L, -1) : "");
  lua_getfield(L, -2, "config");
  mc_native_cli_take_config(L, -1, &out->config);
  out->run = true;
  lua_pop(L, 2);
}

static int run_protected(lua_State *L) {
  const request *asked = lua_touserdata(L, 1);
  luaL_openlibs(L);
  mc_lua_traversal_install(L);
  preload(L, own_modules);
  preload(L, asked->modules);
  mc_lua_modules_install(L, getenv("MOONCREW_LUA_PATH"));
  lua_getglobal(L, "require");
  lua_pushliteral(L, "mooncrew.cli");
  lua_call(L, 1, 1);
  lua_getfield(L, -1, "main");
  push_arguments(L, asked);
  lua_pushstring(L, asked->program);
  lua_call(L, 2, 1);
  take_outcome(L, asked->out);
  return 0;
}

/* The message handler: the message with the place it came from. */
static int add_traceback(lua_State *L) {
  const char *message = lua_tostring(L, 1);
  luaL_traceback(L, L, message ? message : "(an error that is no text)", 1);
  return 1;
}

void mc_cli_main(int argc, char **argv, const char *program, const luaL_Reg *modules, mc_cli_outcome *out) {
  request asked = {argc, argv, program, modules, out};
  *out = (mc_cli_outcome){.exit_code = 1};
  lua_State *L = luaL_newstate();
  if (!L) {
    fprintf(stderr, "mooncrew: out of memory\n");
    return;
  }
  lua_pushcfunction(L, add_traceback);
  lua_pushcfunction(L, run_protected);
  lua_pushlightuserdata(L, &asked);
  if (lua_pcall(L, 1, 0, 1) != 0) {
    fprintf(stderr, "mooncrew: a bug in the command line: %s\n", lua_tostring(L, -1));
    out->exit_code = 1;
  }
  lua_close(L);
}

void mc_cli_stop_redis(const mc_cli_outcome *outcome) {
  if (!outcome->redis)
    return;
  mc_private_redis_stop(outcome->redis);
  if (*outcome->redis_folder)
    rmdir(outcome->redis_folder);
}
