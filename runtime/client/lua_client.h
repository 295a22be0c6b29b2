/* The Lua half of the client: the C module mooncrew.native_client, for LuaJIT and plain Lua 5.1.
 *
 *   open(url, timeout_ms|nil) → client
 *   client:enqueue(type, payload, options) → info
 *   client:enqueue_many{ {type, payload, options}, … } → { info | {error =, code =, id =}, … }
 *   client:stats() → { queues = { {name =, pending =, …}, … }, servers = { name, … } }
 *   client:close()                           also when collected; closing twice is fine
 *
 * options is what mooncrew.options makes of a caller's table. What fails returns nil, message, code name. Wrong types
 * raise: mooncrew.client checks before it calls.
 */
#ifndef MC_CLIENT_LUA_CLIENT_H
#define MC_CLIENT_LUA_CLIENT_H

#include <lua.h>

__attribute__((visibility("default"))) int luaopen_mooncrew_native_client(lua_State *L);

#endif
