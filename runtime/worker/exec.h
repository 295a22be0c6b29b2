/* The Lua module mooncrew.native_exec: programs that handlers run, each under a guard (guard.h).
 *
 *   start(argv, options, callback) → number | nil, message
 *       argv: a list of strings. options: stdin (a string), cwd, env (name → string, or false to take it away: over the
 *       worker's own), output_limit (bytes of each of the two outputs). Calls back once, when the program and all that
 *       it started have ended
 *   take(number) → end, value, stdout, stderr    to be called in the callback. end: "EXITED" (value: the status),
 *       "SIGNALED" (the signal), "NO_FOLDER", "NO_PROGRAM" (value: a text, then its code such as "ENOENT"),
 *       "OUTPUT_LIMIT", or "KILLED" (by stop, or by somebody else)
 *   stop(number)       kills it; it calls back as always
 *   abandon(number)    kills it; nothing is called back any more
 */
#ifndef MC_WORKER_EXEC_H
#define MC_WORKER_EXEC_H

#include <lua.h>

/* Its first upvalue is the mc_bindings, a light userdata. */
int luaopen_mooncrew_native_exec(lua_State *L);

#endif
