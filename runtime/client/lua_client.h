/* The Lua half of the client: the C module mooncrew.native_client, for LuaJIT and plain Lua 5.1.
 *
 *   open(url, timeout_ms|nil) → client
 *   client:enqueue(type, payload, options) → info
 *   client:enqueue_many{ {type, payload, options}, … } → { info | {error =, code =, id =}, … }
 *   client:stats() → { queues = { {name =, pending =, …}, … }, servers = { name, … } }
 *   and the methods of lua_inspect.h
 *   client:close()                           also when collected; closing twice is fine
 *
 * options is what mooncrew.options makes of a caller's table. What fails returns nil, message, code name. Wrong types
 * raise: mooncrew.client checks before it calls.
 */
#ifndef MC_CLIENT_LUA_CLIENT_H
#define MC_CLIENT_LUA_CLIENT_H

#include "client/client.h"

#include <lua.h>

__attribute__((visibility("default"))) int luaopen_mooncrew_native_client(lua_State *L);

#define MC_LUA_CLIENT_TYPE "mooncrew.native_client" /* a userdata that holds an mc_client *, NULL when closed */

/* The client at index 1; an error when it is none, closed, or busy with a call that reports its progress. */
mc_client *mc_lua_client_check(lua_State *L);

/* nil, text, the code's name: returns 3. */
int mc_lua_fail(lua_State *L, int code, const char *text);

#endif
