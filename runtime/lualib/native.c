/* The Lua module mooncrew.native: see native.h. */
#include "lualib/native.h"

#include <lauxlib.h>

#include "base/clock.h"
#include "base/queue_name.h"
#include "base/random.h"
#include "base/utf8.h"
#include "lualib/alarm.h"
#include "lualib/cron.h"
#include "lualib/json_scan.h"
#include "lualib/regex.h"
#include "lualib/traversal.h"

static mc_slice check_text(lua_State *L, int index) {
  mc_slice text;
  text.data = luaL_checklstring(L, index, &text.size);
  return text;
}

/* The size of the character that text begins with; 0 when it begins with none. */
static size_t first_character_size(mc_slice text) {
  for (size_t size = 1; size <= 4 && size <= text.size; size++)
    if (mc_utf8_valid((mc_slice){text.data, size}))
      return size;
  return 0;
}

static size_t first_bad_byte(mc_slice text) {
  size_t at = 0;
  for (size_t size; (size = first_character_size((mc_slice){text.data + at, text.size - at})); at += size)
    ;
  return at;
}

static int native_utf8_valid(lua_State *L) {
  mc_slice text = check_text(L, 1);
  bool valid = mc_utf8_valid(text);
  lua_pushboolean(L, valid);
  if (valid)
    return 1;
  lua_pushnumber(L, (lua_Number)(first_bad_byte(text) + 1));
  return 2;
}

static int native_utf8_length(lua_State *L) {
  mc_slice text = check_text(L, 1);
  size_t characters = 0;
  if (!mc_utf8_valid(text))
    return 0;
  for (size_t i = 0; i < text.size; i++)
    characters += (text.data[i] & 0xc0) != 0x80;
  lua_pushnumber(L, (lua_Number)characters);
  return 1;
}

static int native_queue_name_usable(lua_State *L) {
  lua_pushboolean(L, mc_queue_name_usable(check_text(L, 1)));
  lua_pushliteral(L, MC_QUEUE_NAME_RULE);
  return 2;
}

static int native_wall_ms(lua_State *L) {
  lua_pushnumber(L, (lua_Number)mc_clock_wall_ms());
  return 1;
}

static int native_uuid(lua_State *L) {
  char uuid[MC_UUID_SIZE];
  mc_random_uuid(uuid);
  lua_pushstring(L, uuid);
  return 1;
}

static const luaL_Reg functions[] = {
    {"utf8_valid", native_utf8_valid},
    {"utf8_length", native_utf8_length},
    {"queue_name_usable", native_queue_name_usable},
    {"wall_ms", native_wall_ms},
    {"uuid", native_uuid},
    {"regex", mc_lua_regex_new},
    {"cron_next", mc_lua_cron_next},
    {"alarm_set", mc_lua_alarm_set},
    {"alarm_report", mc_lua_alarm_report},
    {"alarm_now", mc_lua_alarm_now},
    {"alarm_clear", mc_lua_alarm_clear},
    {NULL, NULL},
};

int luaopen_mooncrew_native(lua_State *L) {
  mc_lua_regex_register(L);
  lua_newtable(L);
  luaL_register(L, NULL, functions);
  mc_lua_traversal_set(L);
  mc_lua_json_scan_push(L);
  lua_setfield(L, -2, "json_scan");
  lua_pushinteger(L, MC_JSON_MAX_DEPTH);
  lua_setfield(L, -2, "json_max_depth");
  return 1;
}
