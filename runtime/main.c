/* argv → the supervisor, a worker, the guard of a program that a handler runs, or the command line. */
#include "cli/cli.h"
#include "supervisor/supervisor.h"
#include "worker/guard.h"
#include "worker/native_http.h"
#include "worker/worker.h"

#include <fcntl.h>
#include <lauxlib.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* A descriptor from 0 to 2 that is closed would be given to the first file or socket that is opened. The place of input
 * and output is taken in the wrong direction, so that who reads or writes there is told (EBADF); what goes to standard
 * error is dropped. */
static bool standard_files_open(void) {
  static const int modes[] = {O_WRONLY, O_RDONLY, O_WRONLY};
  for (int fd = 0; fd <= 2; fd++)
    if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", modes[fd]) != fd) /* the lowest that is free */
      return false;
  return true;
}

/* What specs reach that `mooncrew test` runs, and the command line itself does not need. */
static const luaL_Reg test_modules[] = {
    {"mooncrew.native_http", luaopen_mooncrew_native_http},
    {NULL, NULL},
};

int main(int argc, char **argv) {
  char program[PATH_MAX];
  if (!standard_files_open()) {
    perror("mooncrew: cannot open /dev/null for a standard file that is closed");
    return 1;
  }
  ssize_t size = readlink("/proc/self/exe", program, sizeof program - 1);
  if (size < 0) {
    perror("mooncrew: cannot find its own binary through /proc/self/exe");
    return 1;
  }
  program[size] = '\0';
  if (argc == 2 && strcmp(argv[1], "worker") == 0)
    return mc_worker_run();
  if (argc > 2 && strcmp(argv[1], "guard") == 0)
    return mc_guard_run(argc, argv);

  mc_cli_outcome outcome;
  mc_cli_main(argc, argv, program, test_modules, &outcome);
  if (!outcome.run)
    return outcome.exit_code;
  int code = mc_supervisor_run(&outcome.config, outcome.redis);
  mc_cli_stop_redis(&outcome);
  mc_config_deinit(&outcome.config);
  fflush(NULL);
  _exit(code);
}
