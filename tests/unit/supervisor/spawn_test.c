/* What a worker inherits. */
#include "supervisor/spawn.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

static void test_a_worker_inherits_nothing_of_ours(void **state) {
  (void)state;
  char *from[] = {"PATH=/bin", "MOONCREW_REDIS=redis://:secret@host", "MOONCREW_WORKERS=3", "HOME=/x", NULL};
  char **environment = mc_spawn_environment(from);
  assert_string_equal(environment[0], "PATH=/bin");
  assert_string_equal(environment[1], "HOME=/x");
  assert_null(environment[2]);
  mc_spawn_environment_free(environment);
}

static void test_a_worker_inherits_what_its_handlers_need(void **state) {
  (void)state;
  char *from[] = {"MOONCREW_SMTP_URL=smtps://u:p@host", "MOONCREW_SMTP_URLS=x", "https_proxy=http://p:1", NULL};
  char **environment = mc_spawn_environment(from);
  assert_string_equal(environment[0], "MOONCREW_SMTP_URL=smtps://u:p@host");
  assert_string_equal(environment[1], "https_proxy=http://p:1");
  assert_null(environment[2]);
  mc_spawn_environment_free(environment);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_a_worker_inherits_nothing_of_ours),
      cmocka_unit_test(test_a_worker_inherits_what_its_handlers_need),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
