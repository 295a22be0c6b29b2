/* What answers point to. */
#include "client/memory.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

static void texts_are_copies_with_a_nul_behind_them(void **state) {
  (void)state;
  mc_memory *memory = mc_memory_new();
  char text[] = "a\0bc";
  char *copy = mc_memory_text(memory, (mc_slice){text, 3});
  text[0] = 'x';
  assert_memory_equal(copy, "a\0b\0", 4);
  assert_string_equal(mc_memory_text(memory, (mc_slice){0}), "");
  assert_null(mc_memory_text_or_null(memory, (mc_slice){0}));
  mc_memory_free(memory);
}

static void arrays_are_zeroed_and_never_null(void **state) {
  (void)state;
  mc_memory *memory = mc_memory_new();
  for (int i = 0; i < 100; i++) {
    int64_t *array = mc_memory_take(memory, 1000, sizeof *array);
    for (size_t k = 0; k < 1000; k++)
      assert_true(array[k] == 0);
    memset(array, 0xff, 1000 * sizeof *array);
  }
  assert_non_null(mc_memory_take(memory, 0, 8));
  mc_memory_free(memory);
  mc_memory_free(NULL);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(texts_are_copies_with_a_nul_behind_them),
      cmocka_unit_test(arrays_are_zeroed_and_never_null),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
