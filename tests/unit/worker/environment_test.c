#include "worker/environment.h"

#include <lauxlib.h>
#include <lualib.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const char *find(char **list, const char *name) {
  size_t size = strlen(name);
  for (; *list; list++)
    if (strncmp(*list, name, size) == 0 && (*list)[size] == '=')
      return *list + size + 1;
  return NULL;
}

static char **push(lua_State *L, const char *changes) {
  lua_settop(L, 0);
  assert_int_equal(luaL_dostring(L, changes), 0);
  return mc_environment_push(L, 1);
}

static void changes_the_own_environment(void **state) {
  (void)state;
  lua_State *L = luaL_newstate();
  luaL_openlibs(L);
  setenv("MC_TEST_STAYS", "1", 1);
  setenv("MC_TEST_CHANGES", "2", 1);
  setenv("MC_TEST_GOES", "3", 1);
  char **list = push(L, "return { MC_TEST_CHANGES = 'a=b', MC_TEST_GOES = false, MC_TEST_NEW = '' }");
  assert_string_equal(find(list, "MC_TEST_STAYS"), "1");
  assert_string_equal(find(list, "MC_TEST_CHANGES"), "a=b");
  assert_null(find(list, "MC_TEST_GOES"));
  assert_string_equal(find(list, "MC_TEST_NEW"), "");
  list = push(L, "return nil");
  assert_string_equal(find(list, "MC_TEST_GOES"), "3");
  lua_close(L);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(changes_the_own_environment)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
