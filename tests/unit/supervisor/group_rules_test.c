/* Which rule a group gets. */
#include "supervisor/group_rules.h"

#include "base/mem.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <stdlib.h>

#define TEXT(literal) MC_SLICE_LITERAL(literal)

/* The grace period tells the rules apart. */
static int64_t find(const mc_group_rules *rules, const char *queue, const char *group) {
  const mc_frame_group_rule *rule = mc_group_rules_find(rules, mc_slice_of(queue), mc_slice_of(group));
  return rule ? rule->grace_s : 0;
}

static void test_an_exact_name_goes_before_the_longest_prefix(void **state) {
  (void)state;
  static const mc_frame_group_rule given[] = {{.pattern = TEXT("mail:*"), .grace_s = 1},
                                              {.pattern = TEXT("mail:a*"), .grace_s = 2},
                                              {.pattern = TEXT("mail:ada"), .grace_s = 3},
                                              {.pattern = TEXT("exact"), .grace_s = 4}};
  mc_group_rules rules = {0};
  mc_group_rules_set(&rules, given, MC_COUNT(given));
  assert_int_equal(find(&rules, "q", "mail:bob"), 1);
  assert_int_equal(find(&rules, "q", "mail:"), 1);
  assert_int_equal(find(&rules, "q", "mail:adam"), 2);
  assert_int_equal(find(&rules, "q", "mail:ada"), 3);
  assert_int_equal(find(&rules, "q", "exact"), 4);
  assert_int_equal(find(&rules, "q", "exactly"), 0);
  assert_int_equal(find(&rules, "q", "mail"), 0);
  assert_int_equal(find(&rules, "q", ""), 0);
  mc_group_rules_deinit(&rules);
}

static void test_a_rule_can_be_for_one_queue(void **state) {
  (void)state;
  static const mc_frame_group_rule given[] = {{.queue = TEXT("low"), .pattern = TEXT("a*"), .grace_s = 1},
                                              {.queue = TEXT("low"), .pattern = TEXT("*"), .grace_s = 2},
                                              {.pattern = TEXT("a*"), .grace_s = 3}};
  mc_group_rules rules = {0};
  mc_group_rules_set(&rules, given, 2);
  assert_true(mc_group_rules_any(&rules, mc_slice_of("low")));
  assert_false(mc_group_rules_any(&rules, mc_slice_of("lower")));
  assert_int_equal(find(&rules, "high", "a"), 0);
  mc_group_rules_set(&rules, given, 3);
  assert_true(mc_group_rules_any(&rules, mc_slice_of("high")));
  assert_int_equal(find(&rules, "low", "a"), 1); /* of two alike the one that names the queue */
  assert_int_equal(find(&rules, "low", "b"), 2);
  assert_int_equal(find(&rules, "high", "a"), 3);
  mc_group_rules_deinit(&rules);
  assert_false(mc_group_rules_any(&rules, mc_slice_of("low")));
}

static void test_rules_are_copies(void **state) {
  (void)state;
  char *pattern = mc_strndup("g*", 2);
  mc_frame_group_rule given = {.pattern = {pattern, 2}, .grace_s = 9};
  mc_group_rules rules = {0};
  mc_group_rules_set(&rules, &given, 1);
  free(pattern);
  assert_int_equal(find(&rules, "q", "gg"), 9);
  mc_group_rules_set(&rules, NULL, 0);
  assert_int_equal(find(&rules, "q", "gg"), 0);
  mc_group_rules_deinit(&rules);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_an_exact_name_goes_before_the_longest_prefix),
      cmocka_unit_test(test_a_rule_can_be_for_one_queue),
      cmocka_unit_test(test_rules_are_copies),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
