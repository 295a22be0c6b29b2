/* The project's own Lua modules: see modules.h. */
#include "lualib/modules.h"

#include <lauxlib.h>
#include <string.h>

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
