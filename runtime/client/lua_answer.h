/* What the Lua client's answers are made of, and how its methods read their arguments.
 *
 * Lua errors leave C functions by longjmp, so the memory of an answer hangs on a userdata with a __gc until all of it
 * is pushed: made before the call that fills it in, released once the answer stands on the stack.
 */
#ifndef MC_CLIENT_LUA_ANSWER_H
#define MC_CLIENT_LUA_ANSWER_H

#include "base/err.h"
#include "base/slice.h"
#include "client/memory.h"

#include <lua.h>
#include <stdint.h>

/* Registers the userdata's type; once per Lua state, before all else. */
void mc_lua_answer_open(lua_State *L);

/* An empty place for an answer's memory, on the stack from now on. */
mc_memory **mc_lua_memory_new(lua_State *L);
void mc_lua_memory_release(mc_memory **slot);

/* ---- arguments ---- */

/* Borrowed from the value at this index; an error when that is no string. */
mc_slice mc_lua_slice_at(lua_State *L, int index);

/* A whole number of Lua that C takes as an int; what does not fit becomes 0, which C refuses. */
int mc_lua_int_at(lua_State *L, int index);

/* ---- fields of the table on top of the stack ---- */

void mc_lua_set_text(lua_State *L, const char *name, const char *text); /* NULL is left out */
void mc_lua_set_bytes(lua_State *L, const char *name, const void *bytes, size_t size);
void mc_lua_set_number(lua_State *L, const char *name, double value);
void mc_lua_set_given(lua_State *L, const char *name, int64_t value); /* 0 means none, and is left out */
void mc_lua_set_time(lua_State *L, const char *name, int64_t ns);     /* unix ns, set in seconds; 0 is left out */
void mc_lua_set_flag(lua_State *L, const char *name, int value);

/* ---- results ---- */

/* One push function per kind of item: it leaves the value of items[i] on the stack. */
typedef void (*mc_lua_push_fn)(lua_State *L, const void *items, size_t i);

void mc_lua_push_list(lua_State *L, mc_lua_push_fn push, const void *items, size_t count);

/* The list, or its only item, as the function's result; the memory is given back. */
int mc_lua_answer_list(lua_State *L, mc_memory **slot, mc_memory *memory, mc_lua_push_fn push, const void *items,
                       size_t count);
int mc_lua_answer_item(lua_State *L, mc_memory **slot, mc_memory *memory, mc_lua_push_fn push, const void *items);

/* nil, message, code, or true. */
int mc_lua_answer_order(lua_State *L, int code, const mc_err *err);

#endif
