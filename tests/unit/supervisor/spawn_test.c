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

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_a_worker_inherits_nothing_of_ours)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
