/* mooncrew.native_http: see native_http.h.
 *
 * Lua errors leave C functions by longjmp, so a transfer hangs on a userdata with a __gc from the beginning. While it
 * runs, the registry keeps {handle, request, callback}: the request's strings are not copied.
 */
#include "worker/native_http.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "worker/dialogue.h"

#include <lauxlib.h>

#define HTTP_TYPE "mooncrew.native_http"
#define HANDLE_TYPE "mooncrew.native_http.handle"

typedef struct http {
  uv_loop_t *loop;
  mc_multi *multi;
  lua_State *L; /* a thread of our own, to call back from the loop */
  lua_Integer running;
} http;

typedef struct handle {
  http *owner;
  mc_transfer *transfer; /* NULL once it has ended */
  mc_dialogue *dialogue; /* NULL before the first exchange */
  uint64_t deadline_ms;  /* monotonic, of all exchanges; 0: none */
  int kept;              /* the registry's reference, LUA_NOREF unless a callback is to come */
} handle;

/* ---- the request: a table of options ---- */

typedef enum option_kind { OPTION_NUMBER, OPTION_TEXT, OPTION_LIST } option_kind;

static const struct option {
  const char *name;
  CURLoption option;
  option_kind kind;
} options[] = {
    {"url", CURLOPT_URL, OPTION_TEXT},
    {"protocols", CURLOPT_PROTOCOLS_STR, OPTION_TEXT},
    {"timeout_ms", CURLOPT_TIMEOUT_MS, OPTION_NUMBER},
    {"connect_timeout_ms", CURLOPT_CONNECTTIMEOUT_MS, OPTION_NUMBER},
    {"verify_peer", CURLOPT_SSL_VERIFYPEER, OPTION_NUMBER}, /* 0 or 1 */
    {"verify_host", CURLOPT_SSL_VERIFYHOST, OPTION_NUMBER}, /* 0 or 2 */
    {"ca_file", CURLOPT_CAINFO, OPTION_TEXT},
    {"proxy", CURLOPT_PROXY, OPTION_TEXT},
    /* HTTP */
    {"method", CURLOPT_CUSTOMREQUEST, OPTION_TEXT},
    {"no_body", CURLOPT_NOBODY, OPTION_NUMBER},
    {"headers", CURLOPT_HTTPHEADER, OPTION_LIST},
    {"accept_encoding", CURLOPT_ACCEPT_ENCODING, OPTION_TEXT},
    /* SMTP */
    {"username", CURLOPT_USERNAME, OPTION_TEXT},
    {"password", CURLOPT_PASSWORD, OPTION_TEXT},
    {"use_ssl", CURLOPT_USE_SSL, OPTION_NUMBER},
};

/* The list of texts on top of the stack; popped. */
static void set_list(lua_State *L, mc_transfer *transfer, CURLoption option) {
  struct curl_slist *list = NULL;
  luaL_checktype(L, -1, LUA_TTABLE);
  size_t count = lua_objlen(L, -1);
  for (size_t i = 1; i <= count; i++) {
    lua_rawgeti(L, -1, (int)i);
    const char *text = lua_tostring(L, -1);
    struct curl_slist *longer = text ? mc_curl.slist_append(list, text) : NULL;
    if (!longer) {
      mc_curl.slist_free_all(list);
      luaL_error(L, "a list of texts is malformed");
    }
    list = longer;
    lua_pop(L, 1);
  }
  if (!mc_transfer_own_list(transfer, list)) {
    mc_curl.slist_free_all(list);
    luaL_error(L, "too many lists");
  }
  mc_curl.easy_setopt(transfer->easy, option, list);
}

static void set_option(lua_State *L, mc_transfer *transfer, const struct option *option) {
  switch (option->kind) {
  case OPTION_NUMBER:
    mc_curl.easy_setopt(transfer->easy, option->option, (long)luaL_checknumber(L, -1));
    break;
  case OPTION_TEXT:
    mc_curl.easy_setopt(transfer->easy, option->option, luaL_checkstring(L, -1)); /* curl copies it */
    break;
  case OPTION_LIST:
    set_list(L, transfer, option->option);
    break;
  }
}

static mc_slice field(lua_State *L, int table, const char *name) {
  mc_slice text;
  lua_getfield(L, table, name);
  text.data = lua_tolstring(L, -1, &text.size);
  lua_pop(L, 1); /* the table keeps it alive */
  return text;
}

static double number_field(lua_State *L, int table, const char *name) {
  lua_getfield(L, table, name);
  double number = luaL_checknumber(L, -1);
  lua_pop(L, 1);
  return number;
}

/* ---- what it sends ---- */

static void set_body(lua_State *L, mc_transfer *transfer, int request) {
  mc_slice body = field(L, request, "body");
  if (!body.data)
    return;
  mc_curl.easy_setopt(transfer->easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)body.size);
  mc_curl.easy_setopt(transfer->easy, CURLOPT_POSTFIELDS, body.data); /* borrowed from the request */
}

/* One part of a multipart body: {name=, content= or file=, filename=, type=}. */
static CURLcode add_part(lua_State *L, curl_mime *mime, int table) {
  curl_mimepart *part = mc_curl.mime_addpart(mime);
  mc_slice content = field(L, table, "content"), filename = field(L, table, "filename");
  CURLcode code = mc_curl.mime_name(part, field(L, table, "name").data);
  if (!code)
    code = content.data ? mc_curl.mime_data(part, content.data, content.size)
                        : mc_curl.mime_filedata(part, field(L, table, "file").data);
  if (!code && filename.data)
    code = mc_curl.mime_filename(part, filename.data);
  return code ? code : mc_curl.mime_type(part, field(L, table, "type").data);
}

/* Files are read while they are sent. CURLE_READ_ERROR: one is not there. */
static CURLcode set_parts(lua_State *L, mc_transfer *transfer, int request) {
  CURLcode code = CURLE_OK;
  lua_getfield(L, request, "parts");
  size_t count = lua_istable(L, -1) ? lua_objlen(L, -1) : 0;
  if (count > 0)
    transfer->mime = mc_curl.mime_init(transfer->easy);
  for (size_t i = 1; i <= count && !code; i++) {
    lua_rawgeti(L, -1, (int)i);
    code = add_part(L, transfer->mime, lua_gettop(L));
    lua_pop(L, 1);
  }
  lua_pop(L, 1);
  if (transfer->mime)
    mc_curl.easy_setopt(transfer->easy, CURLOPT_MIMEPOST, transfer->mime);
  return code;
}

/* ---- its end ---- */

static void unkeep(handle *self) {
  if (self->kept == LUA_NOREF)
    return;
  luaL_unref(self->owner->L, LUA_REGISTRYINDEX, self->kept);
  self->kept = LUA_NOREF;
  self->owner->running--;
}

static void release_transfer(handle *self, mc_slice last_words) {
  if (self->dialogue)
    mc_dialogue_close(self->dialogue, last_words);
  self->dialogue = NULL;
  mc_transfer_free(self->transfer);
  self->transfer = NULL;
}

static void release(handle *self) {
  release_transfer(self, (mc_slice){0});
  unkeep(self);
}

/* Pushes the callback of what is under way. */
static lua_State *push_callback(const handle *self) {
  lua_State *L = self->owner->L;
  lua_rawgeti(L, LUA_REGISTRYINDEX, self->kept);
  lua_rawgeti(L, -1, 3);
  return L;
}

static void call_back(lua_State *L, int count) {
  if (lua_pcall(L, count, 0, 0)) {
    const char *text = lua_tostring(L, -1);
    mc_log_event(MC_LOG_ERROR, "error outside of any task", "%s", text ? text : "an error that is no string");
  }
  lua_settop(L, 0);
}

static void set_slice(lua_State *L, const char *name, mc_slice slice) {
  lua_pushlstring(L, slice.data ? slice.data : "", slice.size);
  lua_setfield(L, -2, name);
}

static int push_answer(lua_State *L, const mc_transfer *transfer) {
  double duration = 0;
  mc_curl.easy_getinfo(transfer->easy, CURLINFO_TOTAL_TIME, &duration);
  lua_createtable(L, 0, 4);
  lua_pushinteger(L, mc_transfer_status(transfer));
  lua_setfield(L, -2, "status");
  lua_pushnumber(L, duration);
  lua_setfield(L, -2, "duration");
  set_slice(L, "head", mc_buf_slice(&transfer->head));
  set_slice(L, "body", mc_buf_slice(&transfer->body.memory));
  return 1;
}

static int push_failure(lua_State *L, const mc_transfer *transfer, CURLcode result) {
  const mc_sink *body = &transfer->body;
  const char *text = transfer->error[0] ? transfer->error : mc_curl.easy_strerror(result);
  lua_pushnil(L);
  lua_pushstring(L, body->code ? body->failure.text : text);
  lua_pushstring(L, body->code ? body->code : mc_curl_code_name(result));
  lua_pushinteger(L, mc_transfer_status(transfer));
  lua_pushlstring(L, transfer->head.data ? transfer->head.data : "", transfer->head.size);
  return 5;
}

/* A file is kept only when what it holds is the whole of what was asked for. */
static bool keep_file(mc_transfer *transfer) {
  long status = mc_transfer_status(transfer);
  return !transfer->body.path || status < 200 || status > 299 || mc_sink_keep(&transfer->body);
}

static void on_done(mc_transfer *transfer, CURLcode result) {
  handle *self = transfer->arg;
  lua_State *L = push_callback(self);
  bool ok = result == CURLE_OK && !transfer->body.code && keep_file(transfer);
  int count = ok ? push_answer(L, transfer) : push_failure(L, transfer, result);
  if (ok && transfer->connect_only)
    unkeep(self);
  else
    release(self);
  call_back(L, count);
}

static int handle_gc(lua_State *L) {
  release_transfer(luaL_checkudata(L, 1, HANDLE_TYPE), (mc_slice){0});
  return 0;
}

/* ---- the module ---- */

static handle *push_handle(lua_State *L, http *owner) {
  handle *self = lua_newuserdata(L, sizeof *self);
  *self = (handle){.owner = owner, .kept = LUA_NOREF};
  luaL_getmetatable(L, HANDLE_TYPE);
  lua_setmetatable(L, -2);
  return self;
}

static int fail(lua_State *L, const char *message, const char *code) {
  lua_pushnil(L);
  lua_pushstring(L, message);
  lua_pushstring(L, code);
  return 3;
}

static void set_options(lua_State *L, mc_transfer *transfer, int request) {
  for (size_t i = 0; i < MC_COUNT(options); i++) {
    lua_getfield(L, request, options[i].name);
    if (!lua_isnil(L, -1))
      set_option(L, transfer, &options[i]);
    lua_pop(L, 1);
  }
  set_body(L, transfer, request);
}

static void set_connect_only(lua_State *L, handle *self, int request) {
  lua_getfield(L, request, "connect_only");
  bool connect_only = lua_toboolean(L, -1);
  lua_pop(L, 1);
  if (!connect_only)
    return;
  double timeout_ms = number_field(L, request, "timeout_ms");
  self->deadline_ms = timeout_ms > 0 ? mc_clock_mono_ms() + (uint64_t)timeout_ms : 0;
  mc_transfer_connect_only(self->transfer);
}

/* On the stack: what is borrowed from meanwhile, the callback, the handle. */
static void keep(lua_State *L, handle *self) {
  enum { BORROWED = 1, CALLBACK, HANDLE };
  lua_createtable(L, 3, 0);
  lua_pushvalue(L, HANDLE);
  lua_rawseti(L, -2, 1);
  lua_pushvalue(L, BORROWED);
  lua_rawseti(L, -2, 2);
  lua_pushvalue(L, CALLBACK);
  lua_rawseti(L, -2, 3);
  self->kept = luaL_ref(L, LUA_REGISTRYINDEX);
  self->owner->running++;
}

static int http_start(lua_State *L) {
  http *owner = lua_touserdata(L, lua_upvalueindex(1));
  mc_err err;
  luaL_checktype(L, 1, LUA_TTABLE);
  luaL_checktype(L, 2, LUA_TFUNCTION);
  lua_settop(L, 2);
  luaL_checkstack(L, 16, "a request");
  handle *self = push_handle(L, owner);
  mc_transfer_limits limits = {
      .to_file = field(L, 1, "to_file").data,
      .file_size = (uint64_t)number_field(L, 1, "max_file"),
      .memory_size = (uint64_t)number_field(L, 1, "max_memory"),
  };
  if (mc_transfer_new(owner->multi, &limits, &self->transfer, &err))
    return fail(L, err.text, "IO_ERROR");
  self->transfer->on_done = on_done;
  self->transfer->arg = self;
  set_options(L, self->transfer, 1);
  set_connect_only(L, self, 1);
  CURLcode code = set_parts(L, self->transfer, 1);
  if (code || mc_transfer_start(self->transfer, &err)) {
    release_transfer(self,
                     (mc_slice){0}); /* at once: a file that was begun is not to lie there until it is collected */
    return code ? fail(L, "multipart: a file to send cannot be read", mc_curl_code_name(code))
                : fail(L, err.text, "CONNECTION");
  }
  keep(L, self);
  return 1;
}

static int http_cancel(lua_State *L) {
  release(luaL_checkudata(L, 1, HANDLE_TYPE));
  return 0;
}

/* ---- a connection alone ---- */

static const char *silence_text(CURLcode result) {
  if (result == CURLE_GOT_NOTHING)
    return "the server closed the connection";
  return result == CURLE_OPERATION_TIMEDOUT ? "no answer in time" : mc_curl.easy_strerror(result);
}

static void on_heard(void *arg, CURLcode result, mc_slice heard) {
  handle *self = arg;
  lua_State *L = push_callback(self);
  int count = 1;
  if (result)
    count = fail(L, silence_text(result), mc_curl_code_name(result));
  else
    lua_pushlstring(L, heard.data, heard.size);
  unkeep(self);
  call_back(L, count);
}

static uint64_t left_ms(const handle *self) {
  uint64_t now = mc_clock_mono_ms();
  if (!self->deadline_ms)
    return 0;
  return self->deadline_ms > now ? self->deadline_ms - now : 1;
}

static int http_exchange(lua_State *L) {
  handle *self = luaL_checkudata(L, 1, HANDLE_TYPE);
  mc_slice bytes;
  bytes.data = luaL_checklstring(L, 2, &bytes.size);
  luaL_checktype(L, 3, LUA_TFUNCTION);
  lua_settop(L, 3);
  bool idle = self->transfer && self->transfer->connect_only && self->kept == LUA_NOREF;
  luaL_argcheck(L, idle, 1, "it is not connected, or has an exchange under way");
  mc_err err;
  if (!self->dialogue && mc_dialogue_open(self->owner->loop, self->transfer, &self->dialogue, &err))
    return fail(L, err.text, "CONNECTION");
  lua_pushvalue(L, 1);
  lua_remove(L, 1);
  keep(L, self);
  mc_dialogue_exchange(self->dialogue, bytes, left_ms(self), on_heard, self);
  lua_pushboolean(L, true);
  return 1;
}

static int http_close(lua_State *L) {
  handle *self = luaL_checkudata(L, 1, HANDLE_TYPE);
  mc_slice last_words;
  last_words.data = luaL_checklstring(L, 2, &last_words.size);
  release_transfer(self, last_words);
  unkeep(self);
  return 0;
}

static int http_stats(lua_State *L) {
  http *owner = lua_touserdata(L, lua_upvalueindex(1));
  lua_pushinteger(L, owner->running);
  lua_pushinteger(L, (lua_Integer)mc_multi_sockets(owner->multi));
  return 2;
}

/* The handles, made later, were collected before. */
static int http_gc(lua_State *L) {
  http *self = luaL_checkudata(L, 1, HTTP_TYPE);
  if (self->multi)
    mc_multi_close(self->multi);
  self->multi = NULL;
  return 0;
}

static void make_type(lua_State *L, const char *name, lua_CFunction gc) {
  luaL_newmetatable(L, name);
  lua_pushcfunction(L, gc);
  lua_setfield(L, -2, "__gc");
  lua_pop(L, 1);
}

static void push_http(lua_State *L, uv_loop_t *loop) {
  mc_err err;
  http *self = lua_newuserdata(L, sizeof *self);
  *self = (http){.loop = loop};
  luaL_getmetatable(L, HTTP_TYPE);
  lua_setmetatable(L, -2);
  if (mc_transfers_open(loop, &self->multi, &err))
    luaL_error(L, "%s", err.text);
  self->L = lua_newthread(L);
  luaL_ref(L, LUA_REGISTRYINDEX); /* for as long as the state lives */
}

static const luaL_Reg functions[] = {{"start", http_start},
                                     {"cancel", http_cancel},
                                     {"exchange", http_exchange},
                                     {"close", http_close},
                                     {"stats", http_stats}};

void mc_native_http_push(lua_State *L, uv_loop_t *loop) {
  make_type(L, HTTP_TYPE, http_gc);
  make_type(L, HANDLE_TYPE, handle_gc);
  lua_createtable(L, 0, MC_COUNT(functions));
  push_http(L, loop);
  for (size_t i = 0; i < MC_COUNT(functions); i++) {
    lua_pushvalue(L, -1);
    lua_pushcclosure(L, functions[i].func, 1);
    lua_setfield(L, -3, functions[i].name);
  }
  lua_pop(L, 1);
}
