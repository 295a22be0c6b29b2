/* The project's own Lua modules: see modules.h. */
#include "lualib/modules.h"

#include "base/err.h"

#include <lauxlib.h>
#include <string.h>

static const char own_globals[] = "mooncrew.globals"; /* in the registry */

static const mc_lua_module *module_find(const char *name) {
  for (size_t i = 0; i < mc_lua_module_count; i++)
    if (strcmp(mc_lua_modules[i].name, name) == 0)
      return &mc_lua_modules[i];
  return NULL;
}

/* A package loader: the compiled-in module of this name, or nothing. */
static int load_module(lua_State *L) {
  const mc_lua_module *module = module_find(luaL_checkstring(L, 1));
  if (!module)
    return 0;
  if (luaL_loadbuffer(L, module->body, module->size, module->chunk) != 0)
    return lua_error(L);
  lua_getfield(L, LUA_REGISTRYINDEX, own_globals);
  if (lua_istable(L, -1))
    lua_setfenv(L, -2);
  else
    lua_pop(L, 1);
  return 1;
}

static void install_loader(lua_State *L) {
  lua_getglobal(L, "package");
  lua_getfield(L, -1, "loaders");
  for (int i = (int)lua_objlen(L, -1); i >= 2; i--) { /* behind package.preload, before the files */
    lua_rawgeti(L, -1, i);
    lua_rawseti(L, -2, i + 1);
  }
  lua_pushcfunction(L, load_module);
  lua_rawseti(L, -2, 2);
  lua_pop(L, 2);
}

static void prepend_path(lua_State *L, const char *folder) {
  lua_getglobal(L, "package");
  lua_getfield(L, -1, "path");
  lua_pushfstring(L, "%s/?.lua;%s/?/init.lua;%s", folder, folder, lua_tostring(L, -1));
  lua_setfield(L, -3, "path");
  lua_pop(L, 2);
}

void mc_lua_modules_install(lua_State *L, const char *lua_path) {
  if (lua_path && *lua_path)
    prepend_path(L, lua_path);
  else
    install_loader(L);
}

int mc_lua_modules_isolate(lua_State *L) {
  lua_getglobal(L, "require");
  lua_pushstring(L, own_globals);
  if (lua_pcall(L, 1, 1, 0))
    return MC_EINTERNAL;
  lua_getfield(L, -1, "own");
  if (lua_pcall(L, 0, 1, 0))
    return MC_EINTERNAL;
  lua_setfield(L, LUA_REGISTRYINDEX, own_globals);
  lua_pop(L, 1);
  return 0;
}
