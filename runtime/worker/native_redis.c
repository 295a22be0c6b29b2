/* mooncrew.native_redis: see native_redis.h. */
#include "worker/native_redis.h"

#include "base/mem.h"
#include "worker/callback.h"
#include "worker/redis_link.h"

#include <lauxlib.h>
#include <stdlib.h>

#define LINK_TYPE "mooncrew.native_redis.link"

typedef struct module {
  uv_loop_t *loop;
  lua_State *thread; /* to call back from the loop */
  int make_error;    /* a reference: text → what stands for an error among replies */
} module;

typedef struct handle {
  mc_redis_link *link; /* NULL once it is closed */
} handle;

/* A batch of a script: its callback, and the replies so far. */
typedef struct request {
  module *owner;
  int callback, replies; /* references */
  int count;
} request;

static module *module_of(lua_State *L) {
  return lua_touserdata(L, lua_upvalueindex(1));
}

static mc_redis_link *check_link(lua_State *L) {
  handle *self = luaL_checkudata(L, 1, LINK_TYPE);
  luaL_argcheck(L, self->link, 1, "the connection is closed");
  return self->link;
}

/* ---- replies ---- */

static void push_value(lua_State *L, const module *owner, const mc_value *value);

static void push_error(lua_State *L, const module *owner, mc_slice text) {
  lua_rawgeti(L, LUA_REGISTRYINDEX, owner->make_error);
  lua_pushlstring(L, text.data, text.size);
  lua_call(L, 1, 1);
}

static void push_array(lua_State *L, const module *owner, const mc_value *value) {
  luaL_checkstack(L, 8, "a reply");
  lua_createtable(L, (int)value->count, 0);
  for (size_t i = 0; i < value->count; i++) {
    push_value(L, owner, value->items[i]);
    lua_rawseti(L, -2, (int)i + 1);
  }
}

static void push_value(lua_State *L, const module *owner, const mc_value *value) {
  switch (value->kind) {
  case MC_VALUE_NIL:
    lua_pushlightuserdata(L, NULL); /* cjson.null */
    break;
  case MC_VALUE_INTEGER:
    mc_callback_push_int64(L, value->integer);
    break;
  case MC_VALUE_STRING:
    lua_pushlstring(L, value->text.data, value->text.size);
    break;
  case MC_VALUE_ERROR:
    push_error(L, owner, value->text);
    break;
  case MC_VALUE_ARRAY:
    push_array(L, owner, value);
    break;
  }
}

static void on_reply(void *arg, const mc_value *reply) {
  request *self = arg;
  lua_State *L = self->owner->thread;
  lua_rawgeti(L, LUA_REGISTRYINDEX, self->replies);
  push_value(L, self->owner, reply);
  lua_rawseti(L, -2, ++self->count);
  lua_pop(L, 1);
}

static void request_free(request *self) {
  luaL_unref(self->owner->thread, LUA_REGISTRYINDEX, self->callback);
  luaL_unref(self->owner->thread, LUA_REGISTRYINDEX, self->replies);
  free(self);
}

static void on_end(void *arg, int status, const char *reason) {
  request *self = arg;
  lua_State *L = self->owner->thread;
  int count = 1;
  lua_rawgeti(L, LUA_REGISTRYINDEX, self->callback);
  if (status == 0)
    lua_rawgeti(L, LUA_REGISTRYINDEX, self->replies);
  else
    count = mc_callback_push_failure(L, reason, mc_err_name(status));
  request_free(self);
  mc_callback_run(L, count);
}

/* ---- the module ---- */

static uint64_t check_ms(lua_State *L, int index) {
  double ms = luaL_checknumber(L, index) * 1000;
  luaL_argcheck(L, ms >= 0 && ms < 1e15, index, "no number of seconds");
  return (uint64_t)ms + 1;
}

static int redis_open(lua_State *L) {
  const char *url = luaL_checkstring(L, 1);
  mc_redis_link_options options = {
      .connect_timeout_ms = check_ms(L, 2), .command_timeout_ms = check_ms(L, 3), .once = lua_toboolean(L, 4)};
  handle *self = lua_newuserdata(L, sizeof *self);
  self->link = NULL;
  luaL_getmetatable(L, LINK_TYPE);
  lua_setmetatable(L, -2);
  mc_err err;
  int rc = mc_redis_link_open(module_of(L)->loop, url, &options, &self->link, &err);
  return rc ? mc_callback_push_failure(L, err.text, mc_err_name(rc)) : 1;
}

/* The number of items of the table at the index, all of which must be strings. Raises. */
static size_t check_words(lua_State *L, int table) {
  luaL_checktype(L, table, LUA_TTABLE);
  size_t count = lua_objlen(L, table);
  luaL_argcheck(L, count > 0, 2, "an empty command");
  for (size_t i = 1; i <= count; i++) {
    lua_rawgeti(L, table, (int)i);
    luaL_argcheck(L, lua_type(L, -1) == LUA_TSTRING, 2, "a command's words must be strings");
    lua_pop(L, 1);
  }
  return count;
}

static void read_words(lua_State *L, int table, size_t count, mc_args *out) {
  for (size_t i = 1; i <= count; i++) {
    mc_slice word;
    lua_rawgeti(L, table, (int)i);
    word.data = lua_tolstring(L, -1, &word.size);
    mc_args_add(out, word);
    lua_pop(L, 1);
  }
}

/* Checks all before anything is allocated: nothing raises after that. */
static mc_args *check_commands(lua_State *L, size_t *out_count) {
  luaL_checktype(L, 2, LUA_TTABLE);
  size_t count = lua_objlen(L, 2);
  luaL_argcheck(L, count > 0, 2, "no commands");
  for (size_t i = 1; i <= count; i++) {
    lua_rawgeti(L, 2, (int)i);
    check_words(L, lua_gettop(L));
    lua_pop(L, 1);
  }
  mc_args *commands = mc_zalloc(count * sizeof *commands);
  for (size_t i = 0; i < count; i++) {
    lua_rawgeti(L, 2, (int)i + 1);
    read_words(L, lua_gettop(L), lua_objlen(L, -1), &commands[i]);
    lua_pop(L, 1);
  }
  *out_count = count;
  return commands;
}

static int redis_send(lua_State *L) {
  mc_redis_link *link = check_link(L);
  size_t count;
  luaL_checktype(L, 3, LUA_TFUNCTION);
  lua_settop(L, 3);
  luaL_argcheck(L, !mc_redis_link_is_over(link), 1, "the connection is over");
  mc_args *commands = check_commands(L, &count);
  request *added = mc_zalloc(sizeof *added);
  added->owner = module_of(L);
  added->callback = luaL_ref(L, LUA_REGISTRYINDEX);
  lua_createtable(L, (int)count, 0);
  added->replies = luaL_ref(L, LUA_REGISTRYINDEX);
  mc_redis_batch_events events = {on_reply, on_end, added};
  lua_pushnumber(L, (lua_Number)mc_redis_link_send(link, commands, count, &events));
  return 1;
}

static int redis_forget(lua_State *L) {
  handle *self = luaL_checkudata(L, 1, LINK_TYPE);
  lua_Number number = luaL_checknumber(L, 2);
  void *forgotten;
  if (self->link && number >= 0 && number < 0x1p53 && mc_redis_link_forget(self->link, (uint64_t)number, &forgotten))
    request_free(forgotten);
  return 0;
}

static int redis_over(lua_State *L) {
  const handle *self = luaL_checkudata(L, 1, LINK_TYPE);
  lua_pushboolean(L, !self->link || mc_redis_link_is_over(self->link));
  return 1;
}

static int redis_name(lua_State *L) {
  lua_pushstring(L, mc_redis_link_name(check_link(L)));
  return 1;
}

static int redis_close(lua_State *L) {
  handle *self = luaL_checkudata(L, 1, LINK_TYPE);
  if (self->link)
    mc_redis_link_close(self->link);
  self->link = NULL;
  return 0;
}

/* Collected with batches that wait, which only the end of the state can do: their callbacks are gone as well. */
static int redis_gc(lua_State *L) {
  handle *self = luaL_checkudata(L, 1, LINK_TYPE);
  if (self->link)
    mc_redis_link_drop(self->link);
  self->link = NULL;
  return 0;
}

static int redis_make_errors(lua_State *L) {
  luaL_checktype(L, 1, LUA_TFUNCTION);
  lua_settop(L, 1);
  module_of(L)->make_error = luaL_ref(L, LUA_REGISTRYINDEX);
  return 0;
}

static const luaL_Reg functions[] = {
    {"make_errors", redis_make_errors},
    {"open", redis_open},
    {"send", redis_send},
    {"forget", redis_forget},
    {"over", redis_over},
    {"name", redis_name},
    {"close", redis_close},
};

void mc_native_redis_push(lua_State *L, uv_loop_t *loop) {
  luaL_newmetatable(L, LINK_TYPE);
  lua_pushcfunction(L, redis_gc);
  lua_setfield(L, -2, "__gc");
  lua_createtable(L, 0, MC_COUNT(functions));
  module *self = lua_newuserdata(L, sizeof *self);
  *self = (module){loop, mc_callback_thread(L), LUA_NOREF};
  mc_callback_register(L, functions, MC_COUNT(functions)); /* requests point at it */
  lua_remove(L, -2);                                       /* the links' metatable */
}
