/* argv → the supervisor, a worker, or the command line. */
#include "cli/cli.h"
#include "supervisor/supervisor.h"
#include "worker/worker.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

int main(int argc, char **argv) {
  char program[PATH_MAX];
  ssize_t size = readlink("/proc/self/exe", program, sizeof program - 1);
  if (size < 0) {
    perror("mooncrew: cannot find its own binary through /proc/self/exe");
    return 1;
  }
  program[size] = '\0';
  if (argc == 2 && strcmp(argv[1], "worker") == 0)
    return mc_worker_run();

  mc_cli_outcome outcome;
  mc_cli_main(argc, argv, program, &outcome);
  if (!outcome.run)
    return outcome.exit_code;
  int code = mc_supervisor_run(&outcome.config);
  if (outcome.redis)
    mc_cli_stop_redis(outcome.redis);
  mc_config_deinit(&outcome.config);
  fflush(NULL);
  _exit(code);
}
