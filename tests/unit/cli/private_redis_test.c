/* The private Redis of `mooncrew dev`: cli/private_redis.c and cli/redis_process.c, with a real redis-server. */
#include "cli/private_redis.h"

#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

typedef struct place {
  char folder[64], socket[96];
  pid_t redis; /* 0: none to stop */
} place;

static int set_up(void **state) {
  place *here = calloc(1, sizeof *here);
  strcpy(here->folder, "/tmp/mooncrew-test-XXXXXX");
  assert_non_null(mkdtemp(here->folder));
  snprintf(here->socket, sizeof here->socket, "%s/redis.sock", here->folder);
  *state = here;
  return 0;
}

static int tear_down(void **state) {
  place *here = *state;
  char command[128];
  if (here->redis)
    mc_private_redis_stop(here->redis);
  snprintf(command, sizeof command, "rm -rf '%s'", here->folder);
  assert_int_equal(system(command), 0);
  free(here);
  return 0;
}

static void start(place *here) {
  mc_err err = {""};
  int code = mc_private_redis_start(here->folder, here->socket, &here->redis, &err);
  assert_string_equal(err.text, "");
  assert_int_equal(code, 0);
}

static void it_answers_once_it_has_started_and_is_gone_once_stopped(void **state) {
  place *here = *state;
  assert_false(mc_private_redis_alive(here->socket));
  start(here);
  assert_true(mc_private_redis_alive(here->socket));
  pid_t redis = here->redis;
  here->redis = 0;
  mc_private_redis_stop(redis);
  assert_int_equal(kill(redis, 0), -1);
  assert_int_equal(errno, ESRCH);
  assert_false(mc_private_redis_alive(here->socket));
}

static void what_it_holds_outlives_it(void **state) {
  place *here = *state;
  char command[256];
  start(here);
  snprintf(command, sizeof command, "redis-cli -s '%s' set crew moon >/dev/null", here->socket);
  assert_int_equal(system(command), 0);
  mc_private_redis_stop(here->redis);
  here->redis = 0;
  start(here);
  snprintf(command, sizeof command, "test \"$(redis-cli -s '%s' get crew)\" = moon", here->socket);
  assert_int_equal(system(command), 0);
}

static void it_is_for_its_user_alone_and_in_its_own_session(void **state) {
  place *here = *state;
  struct stat info;
  start(here);
  assert_int_equal(stat(here->socket, &info), 0);
  assert_int_equal(info.st_mode & 0777, 0700);
  assert_int_equal(getsid(here->redis), here->redis);
}

static void a_second_one_in_the_same_folder_is_refused(void **state) {
  place *here = *state;
  mc_err err;
  pid_t second = 77;
  start(here);
  assert_int_equal(mc_private_redis_start(here->folder, here->socket, &second, &err), MC_ECONFLICT);
  assert_non_null(strstr(err.text, "already runs in"));
  assert_int_equal(second, 77);
  assert_true(mc_private_redis_alive(here->socket));
}

static void it_ends_when_its_starter_dies(void **state) {
  place *here = *state;
  int ends[2];
  char byte;
  pid_t redis = 0;
  assert_int_equal(pipe(ends), 0);
  pid_t starter = fork();
  if (starter == 0) {
    int code = mc_private_redis_start(here->folder, here->socket, &redis, NULL);
    _exit(code == 0 ? 0 : 1); /* the server inherits the write end of the pipe */
  }
  close(ends[1]);
  int status;
  assert_int_equal(waitpid(starter, &status, 0), starter);
  assert_int_equal(status, 0);
  assert_int_equal(read(ends[0], &byte, 1), 0); /* returns when the last holder of the write end is gone */
  close(ends[0]);
  assert_false(mc_private_redis_alive(here->socket));
}

static void a_missing_program_is_told_with_what_to_install(void **state) {
  place *here = *state;
  mc_err err;
  pid_t pid;
  char *path = strdup(getenv("PATH"));
  setenv("PATH", here->folder, 1);
  int code = mc_private_redis_start(here->folder, here->socket, &pid, &err);
  setenv("PATH", path, 1);
  free(path);
  assert_int_equal(code, MC_ENOT_FOUND);
  assert_non_null(strstr(err.text, "redis-server is not installed"));
}

static void a_server_that_ends_at_once_is_told_with_its_last_words(void **state) {
  place *here = *state;
  mc_err err;
  pid_t pid;
  char program[96], *path = strdup(getenv("PATH")), both[4096];
  snprintf(program, sizeof program, "%s/redis-server", here->folder);
  FILE *file = fopen(program, "w");
  fputs("#!/bin/sh\necho first\necho the moon is down\nexit 3\n", file);
  fclose(file);
  chmod(program, 0700);
  snprintf(both, sizeof both, "%s:%s", here->folder, path);
  setenv("PATH", both, 1);
  int code = mc_private_redis_start(here->folder, here->socket, &pid, &err);
  setenv("PATH", path, 1);
  free(path);
  assert_int_equal(code, MC_EIO);
  assert_non_null(strstr(err.text, "redis-server ended at once (exit code 3): the moon is down"));
}

static void a_folder_that_is_not_there_is_told(void **state) {
  place *here = *state;
  mc_err err;
  pid_t pid;
  assert_int_equal(mc_private_redis_start("/nonexistent/folder", here->socket, &pid, &err), MC_EIO);
  assert_string_equal(err.text, "cannot open /nonexistent/folder/lock: No such file or directory");
}

static void a_socket_path_that_is_too_long_is_refused(void **state) {
  place *here = *state;
  char path[200];
  mc_err err;
  pid_t pid;
  memset(path, 'a', sizeof path - 1);
  path[0] = '/';
  path[sizeof path - 1] = '\0';
  assert_int_equal(mc_private_redis_start(here->folder, path, &pid, &err), MC_EINVALID);
  assert_non_null(strstr(err.text, "is longer than 107 bytes"));
  assert_false(mc_private_redis_alive(path));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(it_answers_once_it_has_started_and_is_gone_once_stopped, set_up, tear_down),
      cmocka_unit_test_setup_teardown(what_it_holds_outlives_it, set_up, tear_down),
      cmocka_unit_test_setup_teardown(it_is_for_its_user_alone_and_in_its_own_session, set_up, tear_down),
      cmocka_unit_test_setup_teardown(a_second_one_in_the_same_folder_is_refused, set_up, tear_down),
      cmocka_unit_test_setup_teardown(it_ends_when_its_starter_dies, set_up, tear_down),
      cmocka_unit_test_setup_teardown(a_missing_program_is_told_with_what_to_install, set_up, tear_down),
      cmocka_unit_test_setup_teardown(a_server_that_ends_at_once_is_told_with_its_last_words, set_up, tear_down),
      cmocka_unit_test_setup_teardown(a_folder_that_is_not_there_is_told, set_up, tear_down),
      cmocka_unit_test_setup_teardown(a_socket_path_that_is_too_long_is_refused, set_up, tear_down),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
