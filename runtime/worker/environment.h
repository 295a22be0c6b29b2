/* The environment of a program that a handler runs: the worker's own, with changes. */
#ifndef MC_WORKER_ENVIRONMENT_H
#define MC_WORKER_ENVIRONMENT_H

#include <lua.h>

/* changes: the place of a table (name → text, or false to take the variable away) or nil. The array, ended by NULL, and
 * its texts live in values that are left on the stack. */
char **mc_environment_push(lua_State *L, int changes);

#endif
