/* base/queue_name.c: which names a queue may be given. */
#include "base/queue_name.h"

#include "base/mem.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

static void names_that_can_be_served_are_usable(void **state) {
  static const char *const names[] = {"default", "tenant:1", "a-b_c.d/e", "schlüssel", "*", "a*b", "\"", "#"};
  (void)state;
  for (size_t i = 0; i < MC_COUNT(names); i++)
    if (!mc_queue_name_usable(mc_slice_of(names[i])))
      fail_msg("%s", names[i]);
}

static void others_are_not(void **state) {
  static const mc_slice names[] = {
      MC_SLICE_LITERAL(""),     MC_SLICE_LITERAL(" "),        MC_SLICE_LITERAL("sp ace"), MC_SLICE_LITERAL("a\tb"),
      MC_SLICE_LITERAL("a\n"),  MC_SLICE_LITERAL("{br}"),     MC_SLICE_LITERAL("a}"),     MC_SLICE_LITERAL("a,b"),
      MC_SLICE_LITERAL("a=1"),  MC_SLICE_LITERAL("a\x7f"),    MC_SLICE_LITERAL("a\xff"),  MC_SLICE_LITERAL("a\0b"),
      MC_SLICE_LITERAL("\x1b"), MC_SLICE_LITERAL("\xc3\x28"),
  };
  (void)state;
  for (size_t i = 0; i < MC_COUNT(names); i++)
    if (mc_queue_name_usable(names[i]))
      fail_msg("number %zu: %.*s", i, MC_SLICE_PRINT(names[i]));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(names_that_can_be_served_are_usable),
      cmocka_unit_test(others_are_not),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
