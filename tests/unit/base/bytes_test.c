/* Buffers, arguments, lists and random ids: what everything else stands on. */
#include "base/args.h"
#include "base/list.h"
#include "base/mem.h"
#include "base/random.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <cmocka.h>

static void test_a_buffer_grows_and_consumes(void **state) {
  (void)state;
  mc_buf buf = {0};
  for (int i = 0; i < 1000; i++)
    mc_buf_printf(&buf, "%d,", i);
  assert_int_equal(buf.size, 3890);
  mc_buf_consume(&buf, 3890 - 4);
  assert_true(mc_slice_equal(mc_buf_slice(&buf), mc_slice_of("999,")));
  mc_buf_consume(&buf, 4);
  assert_int_equal(buf.size, 0);
  mc_buf_deinit(&buf);
}

static void test_arguments_keep_their_bounds(void **state) {
  (void)state;
  mc_args args = {0};
  mc_args_add_text(&args, "SET");
  mc_args_add(&args, (mc_slice){"a\0b", 3});
  mc_args_add_int(&args, INT64_MIN);
  mc_args_add(&args, (mc_slice){0});
  mc_buf_add_text(&args.bytes, "two ");
  mc_buf_add_text(&args.bytes, "parts");
  mc_args_end(&args);
  assert_int_equal(args.count, 5);
  assert_true(mc_slice_equal(mc_args_at(&args, 1), (mc_slice){"a\0b", 3}));
  assert_true(mc_slice_equal(mc_args_at(&args, 2), mc_slice_of("-9223372036854775808")));
  assert_int_equal(mc_args_at(&args, 3).size, 0);
  assert_true(mc_slice_equal(mc_args_at(&args, 4), mc_slice_of("two parts")));
  mc_args_deinit(&args);
}

static void test_a_list_may_shrink_while_walked(void **state) {
  (void)state;
  mc_list head, links[5];
  size_t left = 0;
  mc_list_init(&head);
  for (int i = 0; i < 5; i++)
    mc_list_push_back(&head, &links[i]);
  MC_LIST_EACH(link, &head) {
    if ((link - links) % 2 == 0)
      mc_list_remove(link);
  }
  MC_LIST_EACH(link, &head) {
    left++;
  }
  assert_int_equal(left, 2);
  assert_ptr_equal(mc_list_pop_front(&head), &links[1]);
  assert_ptr_equal(mc_list_pop_front(&head), &links[3]);
  assert_null(mc_list_pop_front(&head));
}

static int compare(const void *a, const void *b) {
  return memcmp(a, b, MC_UUID_SIZE);
}

static void test_ids_are_well_formed_and_differ(void **state) {
  (void)state;
  enum { COUNT = 5000 };
  char(*ids)[MC_UUID_SIZE] = mc_alloc(COUNT * sizeof *ids);
  for (int i = 0; i < COUNT; i++) {
    mc_random_uuid(ids[i]);
    assert_int_equal(strlen(ids[i]), 36);
    assert_int_equal(ids[i][14], '4');
    assert_non_null(strchr("89ab", ids[i][19]));
  }
  qsort(ids, COUNT, sizeof *ids, compare);
  for (int i = 1; i < COUNT; i++)
    assert_int_not_equal(compare(ids[i - 1], ids[i]), 0);
  free(ids);
}

static void test_random_stays_below_its_limit(void **state) {
  (void)state;
  unsigned seen = 0;
  for (int i = 0; i < 5000; i++) {
    uint32_t number = mc_random_below(30);
    assert_in_range(number, 0, 29);
    seen |= 1u << number;
  }
  assert_int_equal(seen, (1u << 30) - 1);
  assert_int_equal(mc_random_below(0), 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_a_buffer_grows_and_consumes),    cmocka_unit_test(test_arguments_keep_their_bounds),
      cmocka_unit_test(test_a_list_may_shrink_while_walked), cmocka_unit_test(test_ids_are_well_formed_and_differ),
      cmocka_unit_test(test_random_stays_below_its_limit),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
