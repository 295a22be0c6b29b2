/* The scripts' sources that the supervisor hands to a worker (protocol/sources.h). */
#ifndef MC_WORKER_SOURCES_H
#define MC_WORKER_SOURCES_H

#include "base/err.h"

#include <lua.h>

/* Pushes a table: path → text; nil when the descriptor is not there, and the scripts are to be read from their folder.
 * Closes the descriptor. 0, or MC_EIO or MC_EMALFORMED, and then nothing is pushed. */
int mc_sources_push(lua_State *L, int fd, mc_err *err);

/* The descriptor, kept from the programs that handlers start; -1 when it is not there. To be asked before anything else
 * is opened. */
int mc_sources_fd(void);

#endif
