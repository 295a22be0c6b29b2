/* `next` and `pairs` that LuaJIT does not compile.
 *
 * What LuaJIT 2.1.0-beta3, Debian 12's, compiles for its own now and then cuts a pointer to 32 bits (`xchg eax, edx`
 * behind lj_vm_next), and the process dies. Loops over these run interpreted.
 */
#ifndef MC_LUALIB_TRAVERSAL_H
#define MC_LUALIB_TRAVERSAL_H

#include <lua.h>

/* Sets the fields `next` and `pairs` of the table on top of the stack. */
void mc_lua_traversal_set(lua_State *L);

/* Makes them the global ones: to be called before any Lua code has run. */
void mc_lua_traversal_install(lua_State *L);

#endif
