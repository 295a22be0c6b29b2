/* The Lua module mooncrew.native_http: transfers of libcurl for mooncrew.http and mooncrew.mail.
 *
 *   start(request, callback) → handle | nil, message, code
 *       request: a table of curl's options, as `options` in native_http.c names them. The callback is called once,
 *       later, with {status=, head=, body=, duration=} or with nil, message, code, status, head.
 *   cancel(handle)
 *       ends it at once, the callback is not called; harmless when it has ended
 *   stats() → transfers that run, sockets that are watched
 *
 * Of a request with connect_only the callback tells that it is connected and logged in. Then the handle is for
 *
 *   exchange(handle, bytes, callback) → true | nil, message, code
 *       sends the bytes and waits for an answer: callback(bytes), which may be a part of it, or callback(nil, message,
 *       code). What the request's timeout_ms leaves is its limit.
 *   close(handle, last_words)
 *       ends it; the last words are sent as far as they can be without waiting
 *
 * Opened without a worker (see native_http_alone.c) it has one more: turn.
 */
#ifndef MC_WORKER_NATIVE_HTTP_H
#define MC_WORKER_NATIVE_HTTP_H

#include <lua.h>
#include <uv.h>

/* Pushes the module, whose transfers run on this loop; raises when libcurl does not load. The loop is borrowed, and
 * must be run on for its handles to close after the Lua state has closed. */
void mc_native_http_push(lua_State *L, uv_loop_t *loop);

/* The module with a loop of its own, for programs that are no workers. */
__attribute__((visibility("default"))) int luaopen_mooncrew_native_http(lua_State *L);

#endif
