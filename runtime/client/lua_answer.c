/* What the Lua client's answers are made of: see lua_answer.h. */
#include "client/lua_answer.h"

#include "client/lua_client.h"

#include <lauxlib.h>

#define MEMORY_TYPE "mooncrew.native_client.memory"

mc_memory **mc_lua_memory_new(lua_State *L) {
  mc_memory **slot = lua_newuserdata(L, sizeof *slot);
  *slot = NULL;
  luaL_getmetatable(L, MEMORY_TYPE);
  lua_setmetatable(L, -2);
  return slot;
}

void mc_lua_memory_release(mc_memory **slot) {
  mc_memory_free(*slot);
  *slot = NULL;
}

static int memory_gc(lua_State *L) {
  mc_lua_memory_release(luaL_checkudata(L, 1, MEMORY_TYPE));
  return 0;
}

mc_slice mc_lua_slice_at(lua_State *L, int index) {
  mc_slice text;
  text.data = luaL_checklstring(L, index, &text.size);
  return text;
}

int mc_lua_int_at(lua_State *L, int index) {
  lua_Number number = luaL_checknumber(L, index);
  return number >= 1 && number <= INT32_MAX && number == (int)number ? (int)number : 0;
}

void mc_lua_set_text(lua_State *L, const char *name, const char *text) {
  if (!text)
    return;
  lua_pushstring(L, text);
  lua_setfield(L, -2, name);
}

void mc_lua_set_bytes(lua_State *L, const char *name, const void *bytes, size_t size) {
  lua_pushlstring(L, bytes ? bytes : "", bytes ? size : 0);
  lua_setfield(L, -2, name);
}

void mc_lua_set_number(lua_State *L, const char *name, double value) {
  lua_pushnumber(L, value);
  lua_setfield(L, -2, name);
}

void mc_lua_set_given(lua_State *L, const char *name, int64_t value) {
  if (value)
    mc_lua_set_number(L, name, (double)value);
}

void mc_lua_set_time(lua_State *L, const char *name, int64_t ns) {
  if (ns)
    mc_lua_set_number(L, name, (double)ns / 1e9);
}

void mc_lua_set_flag(lua_State *L, const char *name, int value) {
  lua_pushboolean(L, value);
  lua_setfield(L, -2, name);
}

void mc_lua_push_list(lua_State *L, mc_lua_push_fn push, const void *items, size_t count) {
  lua_createtable(L, (int)count, 0);
  for (size_t i = 0; i < count; i++) {
    push(L, items, i);
    lua_rawseti(L, -2, (int)i + 1);
  }
}

int mc_lua_answer_list(lua_State *L, mc_memory **slot, mc_memory *memory, mc_lua_push_fn push, const void *items,
                       size_t count) {
  *slot = memory;
  mc_lua_push_list(L, push, items, count);
  mc_lua_memory_release(slot);
  return 1;
}

int mc_lua_answer_item(lua_State *L, mc_memory **slot, mc_memory *memory, mc_lua_push_fn push, const void *items) {
  *slot = memory;
  push(L, items, 0);
  mc_lua_memory_release(slot);
  return 1;
}

int mc_lua_answer_order(lua_State *L, int code, const mc_err *err) {
  if (code)
    return mc_lua_fail(L, code, err->text);
  lua_pushboolean(L, 1);
  return 1;
}

void mc_lua_answer_open(lua_State *L) {
  luaL_newmetatable(L, MEMORY_TYPE);
  lua_pushcfunction(L, memory_gc);
  lua_setfield(L, -2, "__gc");
  lua_pop(L, 1);
}
