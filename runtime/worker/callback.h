/* Lua functions that C calls from the loop, outside of any task: an error in one is logged and ends nothing else. */
#ifndef MC_WORKER_CALLBACK_H
#define MC_WORKER_CALLBACK_H

#include <lauxlib.h>
#include <lua.h>
#include <stdint.h>

/* A thread of the state to call from, which lives as long as the state does. */
lua_State *mc_callback_thread(lua_State *L);

/* Calls the function that lies below its arguments on the thread's stack, and leaves the stack empty. */
void mc_callback_run(lua_State *thread, int arguments);

/* Puts functions into the table below the userdata on top, which becomes their first upvalue; takes it off the stack
 * and keeps it as long as the state lives. */
void mc_callback_register(lua_State *L, const luaL_Reg *functions, size_t count);

/* Pushes nil, message, code; returns 3. */
int mc_callback_push_failure(lua_State *L, const char *message, const char *code);

/* Pushes a number, or an int64_t of LuaJIT where a number would round. */
void mc_callback_push_int64(lua_State *L, int64_t value);

#endif
