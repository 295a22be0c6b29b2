/* The C half of the Lua command line: see native_cli.h. */
#include "cli/native_cli.h"

#include "base/mem.h"
#include "cli/private_redis.h"
#include "redis/url.h"

#include <hiredis/hiredis.h>
#include <lauxlib.h>
#include <openssl/opensslv.h>
#include <protobuf-c/protobuf-c.h>
#include <string.h>

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#define CONFIG_TYPE "mooncrew.config"
#define TEXT_OF(x) #x
#define NUMBER_TEXT(x) TEXT_OF(x)

static const char *const type_names[] = {
    [MC_OPTION_TEXT] = "text",           [MC_OPTION_INTEGER] = "integer",
    [MC_OPTION_BOOLEAN] = "boolean",     [MC_OPTION_DURATION_MS] = "duration",
    [MC_OPTION_DURATION_S] = "duration", [MC_OPTION_QUEUES] = "queues",
    [MC_OPTION_CHOICE] = "choice",       [MC_OPTION_POOLS] = "pools",
    [MC_OPTION_SIZE] = "size",
};

/* nil, message, code */
static int push_failure(lua_State *L, int code, const mc_err *err) {
  lua_pushnil(L);
  lua_pushstring(L, err->text);
  lua_pushstring(L, mc_err_name(code));
  return 3;
}

static void set_text(lua_State *L, const char *key, const char *value) {
  lua_pushstring(L, value); /* nil for NULL */
  lua_setfield(L, -2, key);
}

static void push_option(lua_State *L, const mc_option *option) {
  lua_newtable(L);
  set_text(L, "name", option->name);
  set_text(L, "type", type_names[option->type]);
  set_text(L, "default", option->value);
  set_text(L, "choices", option->choices);
  set_text(L, "doc", option->doc);
  lua_pushboolean(L, option->secret);
  lua_setfield(L, -2, "secret");
  lua_pushnumber(L, (lua_Number)option->min);
  lua_setfield(L, -2, "min");
  lua_pushnumber(L, (lua_Number)option->max);
  lua_setfield(L, -2, "max");
}

static int native_options(lua_State *L) {
  lua_createtable(L, (int)mc_option_count, 0);
  for (size_t i = 0; i < mc_option_count; i++) {
    push_option(L, &mc_options[i]);
    lua_rawseti(L, -2, (int)i + 1);
  }
  return 1;
}

static int native_config(lua_State *L) {
  mc_config *config = lua_newuserdata(L, sizeof *config);
  mc_config_init(config);
  luaL_getmetatable(L, CONFIG_TYPE);
  lua_setmetatable(L, -2);
  return 1;
}

static int config_set(lua_State *L) {
  mc_config *config = luaL_checkudata(L, 1, CONFIG_TYPE);
  mc_err err;
  int code = mc_config_set(config, luaL_checkstring(L, 2), luaL_checkstring(L, 3), &err);
  if (code)
    return push_failure(L, code, &err);
  lua_pushboolean(L, 1);
  return 1;
}

static int config_get(lua_State *L) {
  const mc_config *config = luaL_checkudata(L, 1, CONFIG_TYPE);
  const char *name = luaL_checkstring(L, 2);
  mc_buf text = {0};
  for (size_t i = 0; i < mc_option_count; i++)
    if (strcmp(mc_options[i].name, name) == 0)
      mc_config_show(config, &mc_options[i], &text);
  lua_pushlstring(L, text.data ? text.data : "", text.size);
  mc_buf_deinit(&text);
  return 1;
}

static int config_gc(lua_State *L) {
  mc_config_deinit(luaL_checkudata(L, 1, CONFIG_TYPE));
  return 0;
}

void mc_native_cli_take_config(lua_State *L, int index, mc_config *out) {
  mc_config *config = luaL_checkudata(L, index, CONFIG_TYPE);
  *out = *config;
  memset(config, 0, sizeof *config);
}

static int native_redis_url(lua_State *L) {
  mc_redis_url url;
  mc_err err;
  char shown[1024];
  int code = mc_redis_url_parse(luaL_checkstring(L, 1), &url, &err);
  if (code)
    return push_failure(L, code, &err);
  mc_redis_url_show(&url, shown, sizeof shown);
  mc_redis_url_deinit(&url);
  lua_pushstring(L, shown);
  return 1;
}

static int native_start_redis(lua_State *L) {
  pid_t pid;
  mc_err err;
  int code = mc_private_redis_start(luaL_checkstring(L, 1), luaL_checkstring(L, 2), &pid, &err);
  if (code)
    return push_failure(L, code, &err);
  lua_pushinteger(L, pid);
  return 1;
}

static int native_redis_alive(lua_State *L) {
  lua_pushboolean(L, mc_private_redis_alive(luaL_checkstring(L, 1)));
  return 1;
}

static int native_versions(lua_State *L) {
  static const struct {
    const char *name, *version;
  } parts[] = {
      {"mooncrew", MC_VERSION},
      {"hiredis", NUMBER_TEXT(HIREDIS_MAJOR) "." NUMBER_TEXT(HIREDIS_MINOR) "." NUMBER_TEXT(HIREDIS_PATCH)},
      {"protobuf-c", PROTOBUF_C_VERSION},
      {"OpenSSL", OPENSSL_VERSION_STR},
      {"PCRE2", NUMBER_TEXT(PCRE2_MAJOR) "." NUMBER_TEXT(PCRE2_MINOR)},
  };
  lua_createtable(L, MC_COUNT(parts), 0);
  for (size_t i = 0; i < MC_COUNT(parts); i++) {
    lua_createtable(L, 0, 2);
    set_text(L, "name", parts[i].name);
    set_text(L, "version", parts[i].version);
    lua_rawseti(L, -2, (int)i + 1);
  }
  return 1;
}

static const luaL_Reg functions[] = {
    {"options", native_options},
    {"config", native_config},
    {"redis_url", native_redis_url},
    {"start_redis", native_start_redis},
    {"redis_alive", native_redis_alive},
    {"versions", native_versions},
    {NULL, NULL},
};

static const luaL_Reg config_methods[] = {{"set", config_set}, {"get", config_get}, {NULL, NULL}};

int luaopen_mooncrew_native_cli(lua_State *L) {
  luaL_newmetatable(L, CONFIG_TYPE);
  lua_pushcfunction(L, config_gc);
  lua_setfield(L, -2, "__gc");
  lua_newtable(L);
  luaL_setfuncs(L, config_methods, 0);
  lua_setfield(L, -2, "__index");
  lua_pop(L, 1);
  lua_newtable(L);
  luaL_setfuncs(L, functions, 0);
  return 1;
}
