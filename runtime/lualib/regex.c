/* Regular expressions for Lua: see regex.h. */
#define PCRE2_CODE_UNIT_WIDTH 8
#include "lualib/regex.h"

#include <lauxlib.h>
#include <pcre2.h>

#define TYPE_NAME "mooncrew.regex"
#define COMPILE_OPTIONS (PCRE2_UTF | PCRE2_DOLLAR_ENDONLY | PCRE2_NEVER_BACKSLASH_C)

/* Far above what a sane pattern needs, and still well under a second of work. */
#define MATCH_LIMIT 1000000
#define DEPTH_LIMIT 10000
#define HEAP_LIMIT_KIB 20000

typedef struct regex {
  pcre2_code *code;
  pcre2_match_data *data;
  pcre2_match_context *limits;
} regex;

static int push_compile_error(lua_State *L, int code, size_t offset) {
  PCRE2_UCHAR text[256];
  pcre2_get_error_message(code, text, sizeof text);
  lua_pushnil(L);
  lua_pushfstring(L, "pattern \"%s\": %s at offset %d", lua_tostring(L, 1), (const char *)text, (int)offset);
  return 2;
}

static regex *push_regex(lua_State *L) {
  regex *self = lua_newuserdata(L, sizeof *self);
  *self = (regex){0};
  luaL_getmetatable(L, TYPE_NAME);
  lua_setmetatable(L, -2);
  return self;
}

int mc_lua_regex_new(lua_State *L) {
  size_t size, offset;
  int code;
  const char *pattern = luaL_checklstring(L, 1, &size);
  regex *self = push_regex(L);
  self->code = pcre2_compile((PCRE2_SPTR)pattern, size, COMPILE_OPTIONS, &code, &offset, NULL);
  if (!self->code)
    return push_compile_error(L, code, offset);
  pcre2_jit_compile(self->code, PCRE2_JIT_COMPLETE); /* without JIT it is interpreted: slower, not different */
  self->data = pcre2_match_data_create(1, NULL);
  self->limits = pcre2_match_context_create(NULL);
  if (!self->data || !self->limits)
    return luaL_error(L, "out of memory");
  pcre2_set_match_limit(self->limits, MATCH_LIMIT);
  pcre2_set_depth_limit(self->limits, DEPTH_LIMIT);
  pcre2_set_heap_limit(self->limits, HEAP_LIMIT_KIB);
  return 1;
}

static int search(regex *self, const char *text, size_t size, uint32_t options) {
  return pcre2_match(self->code, (PCRE2_SPTR)text, size, 0, options, self->data, self->limits);
}

static const char *explain(int code) {
  switch (code) {
  case PCRE2_ERROR_MATCHLIMIT:
  case PCRE2_ERROR_DEPTHLIMIT:
  case PCRE2_ERROR_HEAPLIMIT:
    return "the search was given up after too many steps; simplify the pattern (nested repetitions)";
  default:
    return code >= PCRE2_ERROR_UTF8_ERR21 && code <= PCRE2_ERROR_UTF8_ERR1 ? "the text is not valid UTF-8" : NULL;
  }
}

static int push_match_error(lua_State *L, int code) {
  const char *known = explain(code);
  PCRE2_UCHAR text[256];
  lua_pushnil(L);
  if (!known)
    pcre2_get_error_message(code, text, sizeof text);
  lua_pushstring(L, known ? known : (const char *)text);
  return 2;
}

static int regex_matches(lua_State *L) {
  regex *self = luaL_checkudata(L, 1, TYPE_NAME);
  size_t size;
  const char *text = luaL_checklstring(L, 2, &size);
  if (!self->data)
    return luaL_error(L, "regex is closed");
  int code = search(self, text, size, 0);
  if (code == PCRE2_ERROR_JIT_STACKLIMIT) /* the interpreter keeps its frames on the heap */
    code = search(self, text, size, PCRE2_NO_JIT);
  if (code < 0 && code != PCRE2_ERROR_NOMATCH)
    return push_match_error(L, code);
  lua_pushboolean(L, code >= 0);
  return 1;
}

static int regex_gc(lua_State *L) {
  regex *self = luaL_checkudata(L, 1, TYPE_NAME);
  pcre2_match_context_free(self->limits);
  pcre2_match_data_free(self->data);
  pcre2_code_free(self->code);
  *self = (regex){0};
  return 0;
}

void mc_lua_regex_register(lua_State *L) {
  static const luaL_Reg methods[] = {{"matches", regex_matches}, {"__gc", regex_gc}, {NULL, NULL}};
  luaL_newmetatable(L, TYPE_NAME);
  luaL_register(L, NULL, methods);
  lua_pushvalue(L, -1);
  lua_setfield(L, -2, "__index");
  lua_pop(L, 1);
}
