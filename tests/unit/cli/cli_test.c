/* From argv to an outcome: cli/cli.c and cli/native_cli.c, with the command line that is compiled in. */
#include "cli/cli.h"

#include "base/mem.h"

#include <lauxlib.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

typedef struct place {
  char folder[64];
  char *before;
  int output, errors; /* the test program's own, while the files `out` and `err` take their place */
} place;

static int set_up(void **state) {
  place *here = calloc(1, sizeof *here);
  strcpy(here->folder, "/tmp/mooncrew-test-XXXXXX");
  assert_non_null(mkdtemp(here->folder));
  here->before = getcwd(NULL, 0);
  assert_int_equal(chdir(here->folder), 0);
  assert_int_equal(mkdir("scripts", 0700), 0);
  fflush(NULL);
  here->output = dup(1);
  here->errors = dup(2);
  assert_non_null(freopen("out", "w", stdout));
  assert_non_null(freopen("err", "w", stderr));
  *state = here;
  return 0;
}

static void give_back(FILE *stream, int original) {
  fflush(stream);
  dup2(original, fileno(stream));
  close(original);
}

static int tear_down(void **state) {
  place *here = *state;
  char command[128];
  give_back(stdout, here->output);
  give_back(stderr, here->errors);
  if (chdir(here->before) != 0)
    return -1;
  snprintf(command, sizeof command, "rm -rf '%s'", here->folder);
  int code = system(command);
  free(here->before);
  free(here);
  return code;
}

static mc_cli_outcome run(int argc, char **argv) {
  mc_cli_outcome outcome;
  static const luaL_Reg none[] = {{NULL, NULL}};
  mc_cli_main(argc, argv, "/usr/bin/mooncrew", none, &outcome);
  fflush(NULL);
  return outcome;
}

static const char *content(const char *path) {
  static char text[4096];
  FILE *file = fopen(path, "r");
  text[fread(text, 1, sizeof text - 1, file)] = '\0';
  fclose(file);
  return text;
}

#define RUN(...) run((int)MC_COUNT(((char *[]){"mooncrew", __VA_ARGS__})), (char *[]){"mooncrew", __VA_ARGS__, NULL})

static void a_command_that_is_done_gives_0(void **state) {
  (void)state;
  mc_cli_outcome outcome = RUN("version");
  assert_false(outcome.run);
  assert_int_equal(outcome.exit_code, 0);
  assert_non_null(strstr(content("out"), "mooncrew " MC_VERSION " (LuaJIT "));
  assert_string_equal(content("err"), "");
}

static void a_command_that_failed_gives_1_and_one_line(void **state) {
  (void)state;
  mc_cli_outcome outcome = RUN("run", "--scripts", "nowhere");
  assert_false(outcome.run);
  assert_int_equal(outcome.exit_code, 1);
  assert_string_equal(content("err"), "mooncrew: there is no scripts folder 'nowhere': make it, or name another with "
                                      "--scripts\n");
  assert_string_equal(content("out"), "");
}

static void wrong_usage_gives_2_and_one_line(void **state) {
  (void)state;
  mc_cli_outcome outcome = RUN("run", "--bogus");
  assert_false(outcome.run);
  assert_int_equal(outcome.exit_code, 2);
  assert_string_equal(content("err"), "mooncrew: unknown option '--bogus'; see `mooncrew run --help`\n");
}

static void run_gives_the_configuration(void **state) {
  (void)state;
  mc_cli_outcome outcome = RUN("run", "--workers", "7", "-q", "mail=3", "--redis", "redis://h:1234/5");
  assert_true(outcome.run);
  assert_int_equal(outcome.redis, 0);
  assert_int_equal(outcome.config.workers, 7);
  assert_int_equal(outcome.config.concurrency, 100);
  assert_string_equal(outcome.config.redis, "redis://h:1234/5");
  assert_int_equal(outcome.config.queue_count, 1);
  assert_string_equal(outcome.config.queues[0].name, "mail");
  mc_config_deinit(&outcome.config);
}

static void dev_gives_a_private_redis_that_can_be_stopped(void **state) {
  (void)state;
  mc_cli_outcome outcome = RUN("dev");
  assert_true(outcome.run);
  assert_true(outcome.redis > 0);
  assert_int_equal(access(".mooncrew/redis.sock", F_OK), 0);
  assert_non_null(strstr(outcome.config.redis, "/.mooncrew/redis.sock"));
  mc_cli_stop_redis(&outcome);
  assert_int_equal(access(".mooncrew/redis.sock", F_OK), -1);
  mc_config_deinit(&outcome.config);
}

static void a_password_is_used_and_leaves_the_arguments(void **state) {
  (void)state;
  char url[] = "redis://me:hunter2@h";
  char *argv[] = {"mooncrew", "run", "--redis", url, NULL};
  mc_cli_outcome outcome = run(4, argv);
  assert_true(outcome.run);
  assert_string_equal(outcome.config.redis, "redis://me:hunter2@h");
  assert_string_equal(url, "redis://me:xxxxxxx@h");
  mc_config_deinit(&outcome.config);
}

static void a_bug_in_the_lua_part_gives_1_and_a_traceback(void **state) {
  (void)state;
  assert_int_equal(mkdir("mooncrew", 0700), 0);
  FILE *file = fopen("mooncrew/cli.lua", "w");
  fputs("return { main = function() error('the moon is down') end }", file);
  fclose(file);
  setenv("MOONCREW_LUA_PATH", ".", 1);
  mc_cli_outcome outcome = RUN("version");
  unsetenv("MOONCREW_LUA_PATH");
  assert_false(outcome.run);
  assert_int_equal(outcome.exit_code, 1);
  assert_non_null(strstr(content("err"), "a bug in the command line: ./mooncrew/cli.lua:1: the moon is down\n"
                                         "stack traceback:"));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(a_command_that_is_done_gives_0, set_up, tear_down),
      cmocka_unit_test_setup_teardown(a_command_that_failed_gives_1_and_one_line, set_up, tear_down),
      cmocka_unit_test_setup_teardown(wrong_usage_gives_2_and_one_line, set_up, tear_down),
      cmocka_unit_test_setup_teardown(run_gives_the_configuration, set_up, tear_down),
      cmocka_unit_test_setup_teardown(dev_gives_a_private_redis_that_can_be_stopped, set_up, tear_down),
      cmocka_unit_test_setup_teardown(a_password_is_used_and_leaves_the_arguments, set_up, tear_down),
      cmocka_unit_test_setup_teardown(a_bug_in_the_lua_part_gives_1_and_a_traceback, set_up, tear_down),
  };
  unsetenv("MOONCREW_LUA_PATH");
  unsetenv("MOONCREW_REDIS");
  return cmocka_run_group_tests(tests, NULL, NULL);
}
