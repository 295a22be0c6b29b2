/* The command line: argv is read by Lua (lua/mooncrew/cli), in a state that is closed again before any work begins. */
#ifndef MC_CLI_CLI_H
#define MC_CLI_CLI_H

#include "cli/private_redis.h"
#include "config/config.h"

#include <stdbool.h>
#include <sys/types.h>

typedef struct mc_cli_outcome {
  int exit_code;                             /* 0 done, 1 failed, 2 wrong usage; when run is false */
  bool run;                                  /* `run` or `dev`: start the supervisor with this configuration */
  mc_config config;                          /* when run is true; the caller deinits */
  pid_t redis;                               /* `dev`: the private redis-server to stop afterwards; else 0 */
  char redis_folder[MC_SOCKET_PATH_MAX + 1]; /* the folder that was made for its socket alone; else empty */
} mc_cli_outcome;

struct luaL_Reg;

/* program: the path of this binary. modules: C halves of Lua modules beside our own, which specs may ask for; the last
 * one has no name; borrowed. */
void mc_cli_main(int argc, char **argv, const char *program, const struct luaL_Reg *modules, mc_cli_outcome *out);

/* Stops the private redis-server, if there is one, waits until it has saved and gone, and removes its socket's folder.
 */
void mc_cli_stop_redis(const mc_cli_outcome *outcome);

#endif
