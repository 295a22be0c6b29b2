/* A second look at a decoded JSON text: see json_scan.h.
 *
 * The scan walks the text with a stack of open containers. Because cjson has accepted the text, it is known to be
 * JSON but for cjson's leniencies; the scan relies on that for what it accepts, never for its own memory safety.
 * The decoded tables are looked at only where something is odd: then the containers on the way are put on the Lua
 * stack, where they stay until they close, so that no container is looked up twice.
 *
 * The functions that step through the text return 0 to go on, or the number of results pushed for a refusal.
 */
#include "lualib/json_scan.h"

#include <lauxlib.h>
#include <math.h>
#include <stdlib.h>

#include "base/mem.h"
#include "base/slice.h"
#include "lualib/json_key.h"
#include "lualib/json_number.h"

enum { ARG_TEXT = 1, ARG_VALUE, ARG_ARRAY_METATABLE, ARG_ON_INTEGER, ARG_CONTEXT };

#define TYPE_NAME "mooncrew.json_scan"
#define KEPT_KEYS 4096 /* more room than this is given back after a scan */

typedef struct frame {
  bool object, expects_key;
  size_t first_key; /* object: where its keys begin in scan.keys */
  size_t key;       /* object: the key of the member at hand */
  size_t index;     /* array: the item at hand, from 0 */
} frame;

typedef struct scan {
  lua_State *L;
  const char *start, *at, *end;
  int depth, resolved; /* open containers; how many of them are on the Lua stack */
  frame frames[MC_JSON_MAX_DEPTH];
  mc_slice *keys; /* the keys of all open objects, unescaped */
  size_t key_count, key_room;
  char *unescaped, *unescaped_end; /* where keys with escapes are written; as large as the text, made when needed */
} scan;

/* ---- paths and refusals ---- */

static void push_keys(const scan *s, int depth) {
  lua_State *L = s->L;
  lua_createtable(L, depth, 0);
  for (int i = 0; i < depth; i++) {
    const frame *f = &s->frames[i];
    if (!f->object)
      lua_pushnumber(L, (lua_Number)f->index);
    else if (!f->expects_key)
      lua_pushlstring(L, s->keys[f->key].data, s->keys[f->key].size);
    else
      return; /* between two members: the path ends at the object */
    lua_rawseti(L, -2, i + 1);
  }
}

static int refuse(const scan *s, const char *message) {
  lua_pushnil(s->L);
  push_keys(s, s->depth);
  lua_pushstring(s->L, message);
  return 3;
}

static int refuse_syntax(const scan *s, const char *message) {
  return refuse(s, lua_pushfstring(s->L, "not valid JSON at byte %d: %s", (int)(s->at - s->start) + 1, message));
}

/* ---- the decoded value ---- */

/* Pushes the member or item at hand of the container on top of the stack. */
static void push_member(const scan *s, const frame *f) {
  if (f->object) {
    lua_pushlstring(s->L, s->keys[f->key].data, s->keys[f->key].size);
    lua_rawget(s->L, -2);
  } else {
    lua_rawgeti(s->L, -1, (int)f->index + 1);
  }
}

/* Puts every open container on the Lua stack. False where a duplicate key hides one: the text is refused later. */
static bool resolve(scan *s) {
  for (; s->resolved < s->depth; s->resolved++) {
    if (s->resolved == 0)
      lua_pushvalue(s->L, ARG_VALUE);
    else
      push_member(s, &s->frames[s->resolved - 1]);
    if (!lua_istable(s->L, -1)) {
      lua_pop(s->L, 1);
      return false;
    }
  }
  return true;
}

/* Pushes what was decoded from the place at hand. */
static void push_current(scan *s) {
  if (s->depth == 0)
    lua_pushvalue(s->L, ARG_VALUE);
  else if (resolve(s))
    push_member(s, &s->frames[s->depth - 1]);
  else
    lua_pushnil(s->L);
}

/* Puts the value on top of the stack into the place at hand, whose container lies below it; pops the value. */
static void replace_current(scan *s) {
  if (s->depth == 0) {
    lua_replace(s->L, ARG_VALUE);
    return;
  }
  const frame *f = &s->frames[s->depth - 1];
  if (f->object) {
    lua_pushlstring(s->L, s->keys[f->key].data, s->keys[f->key].size);
    lua_insert(s->L, -2);
    lua_rawset(s->L, -3);
  } else {
    lua_rawseti(s->L, -2, (int)f->index + 1);
  }
}

/* ---- keys ---- */

static mc_slice unescape_key(scan *s, mc_slice raw) {
  if (!s->unescaped)
    s->unescaped = s->unescaped_end = mc_alloc((size_t)(s->end - s->start));
  char *begin = s->unescaped_end;
  s->unescaped_end = mc_json_key_unescape(raw, begin);
  return (mc_slice){begin, (size_t)(s->unescaped_end - begin)};
}

static void add_key(scan *s, frame *f, mc_slice key) {
  if (s->key_count == s->key_room) {
    s->key_room = s->key_room ? s->key_room * 2 : 64;
    s->keys = mc_realloc(s->keys, s->key_room * sizeof *s->keys);
  }
  f->key = s->key_count;
  f->expects_key = false;
  s->keys[s->key_count++] = key;
}

static int check_duplicates(scan *s, const frame *f) {
  const mc_slice *key = mc_json_key_duplicate(s->keys + f->first_key, s->key_count - f->first_key);
  if (!key)
    return 0;
  lua_pushnil(s->L);
  push_keys(s, s->depth - 1);
  lua_pushlstring(s->L, key->data, key->size);
  lua_rawseti(s->L, -2, s->depth);
  lua_pushliteral(s->L, "duplicate key");
  return 3;
}

/* ---- the text ---- */

static bool is_space(char c) {
  return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static void mark_if_empty(scan *s) {
  const char *at = s->at;
  while (is_space(*at))
    at++;
  if (*at != ']' || !resolve(s))
    return;
  lua_pushvalue(s->L, ARG_ARRAY_METATABLE);
  lua_setmetatable(s->L, -2);
}

static int enter(scan *s) {
  if (s->depth == MC_JSON_MAX_DEPTH)
    return refuse_syntax(s, "nested too deeply");
  bool object = *s->at++ == '{';
  s->frames[s->depth++] =
      (frame){.object = object, .expects_key = object, .first_key = s->key_count, .key = s->key_count};
  if (!object)
    mark_if_empty(s);
  return 0;
}

static int leave(scan *s) {
  if (s->depth == 0)
    return refuse_syntax(s, "unexpected end of a container");
  frame *f = &s->frames[s->depth - 1];
  int refused = f->object ? check_duplicates(s, f) : 0;
  if (refused)
    return refused;
  s->key_count = f->first_key;
  if (s->resolved == s->depth) {
    lua_pop(s->L, 1);
    s->resolved--;
  }
  s->depth--;
  s->at++;
  return 0;
}

static int next_member(scan *s) {
  if (s->depth == 0)
    return refuse_syntax(s, "unexpected comma");
  frame *f = &s->frames[s->depth - 1];
  f->expects_key = f->object;
  f->index += !f->object;
  s->at++;
  return 0;
}

static int scan_string(scan *s) {
  const char *from = ++s->at;
  bool escaped = false;
  for (; s->at < s->end && *s->at != '"'; s->at++) {
    if ((unsigned char)*s->at < 0x20)
      return refuse_syntax(s, "a control character in a string must be written as an escape");
    if (*s->at == '\\') {
      escaped = true;
      s->at++;
    }
  }
  if (s->at >= s->end)
    return refuse_syntax(s, "a string does not end");
  mc_slice raw = {from, (size_t)(s->at++ - from)};
  frame *f = s->depth ? &s->frames[s->depth - 1] : NULL;
  if (f && f->expects_key)
    add_key(s, f, escaped ? unescape_key(s, raw) : raw);
  return 0;
}

/* Lua decides: it gives the exact value, or says why there is none. */
static int scan_wide_integer(scan *s, mc_slice text) {
  lua_State *L = s->L;
  bool found = resolve(s);
  lua_pushvalue(L, ARG_ON_INTEGER);
  lua_pushvalue(L, ARG_CONTEXT);
  push_keys(s, s->depth);
  lua_pushlstring(L, text.data, text.size);
  lua_call(L, 3, 2);
  if (lua_isnil(L, -2))
    return refuse(s, lua_tostring(L, -1));
  lua_pop(L, 1);
  if (found)
    replace_current(s);
  else
    lua_pop(L, 1);
  return 0;
}

/* cjson turns 1e400 into infinity. Only a large exponent, or very many digits, can do that. */
static int check_range(scan *s) {
  push_current(s);
  bool infinite = lua_isnumber(s->L, -1) && isinf(lua_tonumber(s->L, -1));
  lua_pop(s->L, 1);
  return infinite ? refuse(s, "the number is too large") : 0;
}

static int scan_number(scan *s) {
  const char *begin = s->at;
  switch (mc_json_number_read(begin, &s->at)) {
  case MC_JSON_NUMBER_EXACT:
    return 0;
  case MC_JSON_NUMBER_WIDE:
    return scan_wide_integer(s, (mc_slice){begin, (size_t)(s->at - begin)});
  case MC_JSON_NUMBER_EXTREME:
    return check_range(s);
  case MC_JSON_NUMBER_INVALID:
    break;
  }
  return refuse_syntax(s, strchr("-.0123456789", *begin) && *begin ? "invalid number" : "unexpected byte");
}

static int scan_word(scan *s) {
  while (*s->at >= 'a' && *s->at <= 'z')
    s->at++;
  return 0;
}

static int scan_next(scan *s) {
  switch (*s->at) {
  case ' ':
  case '\t':
  case '\n':
  case '\r':
  case ':':
    s->at++;
    return 0;
  case ',':
    return next_member(s);
  case '{':
  case '[':
    return enter(s);
  case '}':
  case ']':
    return leave(s);
  case '"':
    return scan_string(s);
  case 't':
  case 'f':
  case 'n':
    return scan_word(s);
  default:
    return scan_number(s);
  }
}

/* ---- the Lua function ---- */

/* The scan's memory is kept from call to call, and is freed with the Lua state even if a call ends in an error. */
static void scan_reset(scan *s) {
  free(s->unescaped);
  s->unescaped = s->unescaped_end = NULL;
  s->depth = s->resolved = 0;
  s->key_count = 0;
  if (s->key_room > KEPT_KEYS) {
    free(s->keys);
    s->keys = NULL;
    s->key_room = 0;
  }
}

static int scan_text(scan *s) {
  while (s->at < s->end) {
    int refused = scan_next(s);
    if (refused)
      return refused;
  }
  lua_pushboolean(s->L, 1);
  lua_pushvalue(s->L, ARG_VALUE);
  return 2;
}

static int json_scan(lua_State *L) {
  scan *s = lua_touserdata(L, lua_upvalueindex(1));
  size_t size;
  const char *text = luaL_checklstring(L, ARG_TEXT, &size);
  luaL_checkany(L, ARG_VALUE);
  luaL_checktype(L, ARG_ARRAY_METATABLE, LUA_TTABLE);
  luaL_checktype(L, ARG_ON_INTEGER, LUA_TFUNCTION);
  lua_settop(L, ARG_CONTEXT);
  luaL_checkstack(L, MC_JSON_MAX_DEPTH + 16, "JSON scan");
  scan_reset(s); /* an error may have cut the last scan short */
  s->L = L;
  s->start = s->at = text;
  s->end = text + size;
  int results = scan_text(s);
  scan_reset(s);
  return results;
}

static int scan_gc(lua_State *L) {
  scan *s = luaL_checkudata(L, 1, TYPE_NAME);
  free(s->unescaped);
  free(s->keys);
  s->unescaped = NULL;
  s->keys = NULL;
  return 0;
}

void mc_lua_json_scan_push(lua_State *L) {
  scan *s = lua_newuserdata(L, sizeof *s);
  memset(s, 0, sizeof *s);
  if (luaL_newmetatable(L, TYPE_NAME)) {
    lua_pushcfunction(L, scan_gc);
    lua_setfield(L, -2, "__gc");
  }
  lua_setmetatable(L, -2);
  lua_pushcclosure(L, json_scan, 1);
}
