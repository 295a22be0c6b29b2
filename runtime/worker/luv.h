/* The Lua module mooncrew.native_luv: luv on the worker's loop.
 *
 *   open(path) → luv     loads the shared object; called once. Raises when it does not load
 *   blame(slot)          the callback that runs belongs to the task in this slot; nil: to none
 *
 * lua/mooncrew/luv.lua makes of it what scripts get.
 */
#ifndef MC_WORKER_LUV_H
#define MC_WORKER_LUV_H

#include <lua.h>

/* Its first upvalue is the mc_bindings, a light userdata. */
int luaopen_mooncrew_native_luv(lua_State *L);

/* The module luv itself, as lua/mooncrew/luv.lua makes it. */
int luaopen_mooncrew_luv(lua_State *L);

#endif
