/* The project's own Lua modules, compiled into the binary.
 *
 * With a search path (MOONCREW_LUA_PATH, a folder that holds mooncrew/init.lua) the files there are read instead.
 */
#ifndef MC_LUALIB_MODULES_H
#define MC_LUALIB_MODULES_H

#include <lua.h>
#include <stddef.h>

typedef struct mc_lua_module {
  const char *name;  /* as required: "mooncrew.schema" */
  const char *chunk; /* for error messages: "@lua/mooncrew/schema.lua" */
  const char *body;
  size_t size;
} mc_lua_module;

extern const mc_lua_module mc_lua_modules[];
extern const size_t mc_lua_module_count;

/* Makes `require` find the modules, before any file on package.path. lua_path: NULL or empty for the compiled-in ones.
 */
void mc_lua_modules_install(lua_State *L, const char *lua_path);

/* Gives the compiled-in modules that are loaded from now on globals of their own (lua/mooncrew/globals.lua).
 * MC_EINTERNAL leaves the error on the stack. */
int mc_lua_modules_isolate(lua_State *L);

#endif
