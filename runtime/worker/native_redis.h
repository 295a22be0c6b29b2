/* The Lua module mooncrew.native_redis: connections of handlers, for mooncrew.redis.
 *
 *   open(url, connect_seconds, command_seconds, once) → link | nil, message, code     it connects by itself
 *   send(link, commands, callback) → number      commands: a list of lists of strings. The callback is called once,
 *                                                later: callback(replies) or callback(nil, message, code)
 *   forget(link, number)                         the callback is not called; harmless when it was
 *   over(link) → boolean                         nothing can be sent any more (once, and lost)
 *   close(link)                                  harmless when it is closed
 *   name(link) → text                            the address without user and password
 *   make_errors(make)                            comes first: make(text) is what stands for an error among the replies
 *
 * nil is lua-cjson's null in replies, so that lists have no holes.
 */
#ifndef MC_WORKER_NATIVE_REDIS_H
#define MC_WORKER_NATIVE_REDIS_H

#include <lua.h>
#include <uv.h>

/* Pushes the module, whose connections live on this loop, which is borrowed. */
void mc_native_redis_push(lua_State *L, uv_loop_t *loop);

#endif
