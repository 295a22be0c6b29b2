/* Commands as Redis reads them. */
#include "redis/command.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>

#include "base/mem.h"

static void assert_bytes(const mc_buf *out, mc_slice expected) {
  assert_int_equal(out->size, expected.size);
  assert_memory_equal(out->data, expected.data, expected.size);
}

static void head_and_arguments_make_one_command(void **state) {
  (void)state;
  mc_command command = {0};
  mc_buf out = {0};
  mc_args args = {0};
  mc_args_add(&args, MC_SLICE_LITERAL("a\0\r\n"));
  mc_args_add_text(&args, "");
  mc_slice head[] = {MC_SLICE_LITERAL("SET"), {0}};
  mc_command_write(&command, head, MC_COUNT(head), &args, &out);
  mc_command_write(&command, head, 1, NULL, &out);
  assert_bytes(&out, MC_SLICE_LITERAL("*4\r\n$3\r\nSET\r\n$0\r\n\r\n$4\r\na\0\r\n\r\n$0\r\n\r\n*1\r\n$3\r\nSET\r\n"));
  mc_args_deinit(&args);
  mc_buf_deinit(&out);
  mc_command_deinit(&command);
}

static void a_command_may_have_many_arguments(void **state) {
  (void)state;
  mc_command command = {0};
  mc_buf out = {0}, expected = {0};
  mc_args args = {0};
  mc_buf_add_text(&expected, "*3000\r\n");
  for (int i = 0; i < 3000; i++) {
    mc_args_printf(&args, "%04d", i);
    mc_buf_printf(&expected, "$4\r\n%04d\r\n", i);
  }
  mc_command_write(&command, NULL, 0, &args, &out);
  assert_bytes(&out, mc_buf_slice(&expected));
  mc_args_deinit(&args);
  mc_buf_deinit(&out);
  mc_buf_deinit(&expected);
  mc_command_deinit(&command);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(head_and_arguments_make_one_command),
      cmocka_unit_test(a_command_may_have_many_arguments),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
