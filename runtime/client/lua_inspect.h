/* The methods of the native client that look at queues and tasks and change them: mooncrew.inspect checks their
 * arguments and says what each does.
 */
#ifndef MC_CLIENT_LUA_INSPECT_H
#define MC_CLIENT_LUA_INSPECT_H

#include <lua.h>

/* Adds the methods to the metatable of clients, which is on top of the stack. */
void mc_lua_inspect_open(lua_State *L);

#endif
