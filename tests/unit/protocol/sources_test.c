/* The scripts' sources as one run of bytes: they come back as they went in, and damage is told. */
#include "protocol/sources.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

static void test_files_come_back(void **state) {
  (void)state;
  mc_buf bytes = {0};
  mc_source_add(&bytes, mc_slice_of("a.lua"), (mc_slice){"x\0y", 3});
  mc_source_add(&bytes, mc_slice_of("b.lua"), (mc_slice){0});
  mc_slice rest = mc_buf_slice(&bytes);
  mc_source source;
  assert_true(mc_source_next(&rest, &source));
  assert_true(mc_slice_equal(source.path, mc_slice_of("a.lua")));
  assert_true(mc_slice_equal(source.text, (mc_slice){"x\0y", 3}));
  assert_true(mc_source_next(&rest, &source));
  assert_int_equal(source.text.size, 0);
  assert_false(mc_source_next(&rest, &source));
  assert_int_equal(rest.size, 0);
  mc_buf_deinit(&bytes);
}

static void test_what_is_cut_anywhere_is_no_file(void **state) {
  (void)state;
  mc_buf bytes = {0};
  mc_source_add(&bytes, mc_slice_of("a.lua"), mc_slice_of("return 1"));
  for (size_t size = 1; size < bytes.size; size++) {
    mc_slice rest = {bytes.data, size};
    mc_source source;
    assert_false(mc_source_next(&rest, &source));
  }
  mc_buf_deinit(&bytes);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_files_come_back),
      cmocka_unit_test(test_what_is_cut_anywhere_is_no_file),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
