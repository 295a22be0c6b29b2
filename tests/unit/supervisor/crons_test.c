/* The list of cron entries: what a new manifest keeps, begins and ends. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/mem.h"
#include "supervisor/node.h"

static mc_cron_entry entry_of(const char *spec, const char *type) {
  mc_cron_entry entry = {.spec = mc_slice_of(spec), .source = MC_SLICE_LITERAL("a.lua:1")};
  mc_enqueue_options_init(&entry.options);
  entry.options.type = mc_slice_of(type);
  return entry;
}

static mc_cron_item *find(mc_node *node, const char *type, bool leaving) {
  MC_LIST_EACH(link, &node->crons.items) {
    mc_cron_item *item = mc_container_of(link, mc_cron_item, link);
    if (mc_slice_equal(item->entry.options.type, mc_slice_of(type)) && item->leaving == leaving)
      return item;
  }
  return NULL;
}

static int start_node(void **state) {
  mc_node *node = mc_zalloc(sizeof *node);
  mc_crons_init(&node->crons);
  *state = node;
  return 0;
}

static int stop_node(void **state) {
  mc_node *node = *state;
  mc_crons_deinit(&node->crons);
  free(node);
  return 0;
}

static void the_first_manifest_goes_on_where_the_record_in_redis_ends(void **state) {
  mc_node *node = *state;
  mc_cron_entry entries[] = {entry_of("@every 1s", "a"), entry_of("@daily", "b")};
  mc_crons_install(node, entries, 2);
  assert_int_equal(node->crons.count, 2);
  assert_int_equal(find(node, "a", false)->plan.done_s, 0);
  assert_false(find(node, "a", false)->opened);
}

static void an_entry_that_stays_goes_on_untouched(void **state) {
  mc_node *node = *state;
  mc_cron_entry entries[] = {entry_of("@every 1s", "a")};
  mc_crons_install(node, entries, 1);
  mc_cron_item *item = find(node, "a", false);
  item->opened = true;
  mc_cron_plan_done(&item->plan, 1700000000);
  mc_crons_install(node, entries, 1);
  assert_ptr_equal(find(node, "a", false), item);
  assert_int_equal(item->plan.done_s, 1700000000);
  assert_null(find(node, "a", true));
  assert_int_equal(node->crons.count, 1);
}

static void a_change_ends_the_old_entry_where_the_new_one_begins(void **state) {
  mc_node *node = *state;
  mc_cron_entry before[] = {entry_of("@every 1s", "old")}, after[] = {entry_of("@every 1s", "new")};
  before[0].id = after[0].id = MC_SLICE_LITERAL("name");
  mc_crons_install(node, before, 1);
  mc_cron_item *old = find(node, "old", false);
  old->opened = true;
  mc_cron_plan_done(&old->plan, mc_clock_wall_s() - 5);
  int64_t now_s = mc_clock_wall_s();
  mc_crons_install(node, after, 1);
  mc_cron_item *fresh = find(node, "new", false);
  assert_ptr_equal(find(node, "old", true), old); /* five ticks are still its own */
  assert_in_range(fresh->plan.done_s, now_s, now_s + 1);
  assert_int_equal(old->plan.until_s, fresh->plan.done_s);
  mc_cron_tick tick;
  for (int ticks = 5; ticks > 0; ticks--) {
    assert_true(mc_cron_plan_due(&old->plan, now_s + 3, &tick));
    mc_cron_plan_done(&old->plan, tick.at_s);
    assert_true(tick.at_s <= fresh->plan.done_s);
  }
}

static void an_entry_that_did_nothing_yet_goes_at_once(void **state) {
  mc_node *node = *state;
  mc_cron_entry entries[] = {entry_of("@every 1s", "a")};
  mc_crons_install(node, entries, 1);
  mc_crons_install(node, NULL, 0);
  assert_null(find(node, "a", true));
  assert_int_equal(node->crons.count, 0);
}

static void another_policy_is_another_entry_of_the_same_name(void **state) {
  mc_node *node = *state;
  mc_cron_entry entries[] = {entry_of("@every 1s", "a")};
  mc_crons_install(node, entries, 1);
  find(node, "a", false)->opened = true;
  entries[0].missed = MC_CRON_LATEST;
  mc_crons_install(node, entries, 1);
  mc_cron_item *fresh = find(node, "a", false), *old = find(node, "a", true);
  assert_int_equal(fresh->plan.missed, MC_CRON_LATEST);
  assert_true(mc_slice_equal(fresh->id, old->id));
}

#define test(name) cmocka_unit_test_setup_teardown(name, start_node, stop_node)

int main(void) {
  const struct CMUnitTest tests[] = {
      test(the_first_manifest_goes_on_where_the_record_in_redis_ends), test(an_entry_that_stays_goes_on_untouched),
      test(a_change_ends_the_old_entry_where_the_new_one_begins),      test(an_entry_that_did_nothing_yet_goes_at_once),
      test(another_policy_is_another_entry_of_the_same_name),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
