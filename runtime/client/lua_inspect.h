/* The methods of the native client that look at queues and tasks and change them, one file per noun: mooncrew.inspect
 * checks their arguments and says what each does.
 */
#ifndef MC_CLIENT_LUA_INSPECT_H
#define MC_CLIENT_LUA_INSPECT_H

#include <lauxlib.h>

extern const luaL_Reg mc_lua_queue_methods[];
extern const luaL_Reg mc_lua_task_methods[];
extern const luaL_Reg mc_lua_move_methods[];
extern const luaL_Reg mc_lua_server_methods[];
extern const luaL_Reg mc_lua_cron_methods[];

#endif
