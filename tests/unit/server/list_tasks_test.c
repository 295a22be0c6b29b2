/* server/list_tasks.lua and server/read_task.lua against a real Redis. */
#include "moves.h"

#include <stdio.h>

/* The page as "total skipped: ids". */
static const char *list(mc_task_state state, const char *group, const mc_page_start *start, size_t size) {
  static char text[512];
  mc_call call = {0};
  mc_task_page page;
  mc_err err;
  mc_call_list_tasks(&call, mc_slice_of("q"), state, mc_slice_of(group), start, size);
  if (mc_task_page_read(queue_call_value(&call), &page, &err))
    fail_msg("%s", err.text);
  int used = sprintf(text, "%d %d:", (int)page.total, (int)page.skipped);
  for (size_t i = 0; i < page.count; i++) {
    mc_task_record record;
    assert_int_equal(mc_task_page_at(&page, i, &record), 0);
    used += sprintf(text + used, " %.*s", MC_SLICE_PRINT(record.id));
  }
  return text;
}

static const char *list_from(mc_task_state state, int64_t skip, size_t size) {
  return list(state, "", &(mc_page_start){.skip = skip}, size);
}

static const char *list_after(const char *score, const char *id, size_t size) {
  return list(MC_TASK_RETRY, "", &(mc_page_start){0, mc_slice_of(score), mc_slice_of(id)}, size);
}

static void a_list_begins_with_what_is_worked_on_next(void **state) {
  (void)state;
  queue_give("a b c d e");
  assert_string_equal(list_from(MC_TASK_PENDING, 0, 2), "5 0: a b");
  assert_string_equal(list_from(MC_TASK_PENDING, 2, 2), "5 2: c d");
  assert_string_equal(list_from(MC_TASK_PENDING, 4, 2), "5 4: e");
  assert_string_equal(list_from(MC_TASK_PENDING, 5, 2), "5 5:");
}

static void a_set_is_in_order_of_score_then_of_bytes(void **state) {
  (void)state;
  queue_ask("ZADD asynq:{q}:retry 2 b 2 B 1 z 2 a 3 a0");
  assert_string_equal(list_from(MC_TASK_RETRY, 0, 3), "5 0: z B a");
  assert_string_equal(list_from(MC_TASK_RETRY, 3, 3), "5 3: b a0");
}

static void a_page_begins_after_a_task_even_when_that_has_gone(void **state) {
  (void)state;
  queue_ask("ZADD asynq:{q}:retry 1 z 2 B 2 a 2 b 2 c 2 \303\251 3 a0");
  assert_string_equal(list_after("2", "a", 2), "7 3: b c");
  queue_ask("ZREM asynq:{q}:retry a");
  assert_string_equal(list_after("2", "a", 2), "6 2: b c");
  assert_string_equal(list_after("2", "bb", 2), "6 3: c \303\251");
  assert_string_equal(list_after("2", "c", 2), "6 4: \303\251 a0");
  assert_string_equal(list_after("2", "\377", 2), "6 5: a0");
  assert_string_equal(list_after("2", "A", 2), "6 1: B b");
  assert_string_equal(list_after("1.5", "x", 1), "6 1: B");
  assert_string_equal(list_after("3", "a0", 1), "6 6:");
}

static void a_group_is_a_set(void **state) {
  (void)state;
  moves_give_grouped("a", "g1");
  moves_give_grouped("b", "g2");
  assert_string_equal(list(MC_TASK_AGGREGATING, "g1", &(mc_page_start){0}, 5), "1 0: a");
}

static void a_task_comes_with_its_score_and_its_fields(void **state) {
  (void)state;
  mc_call call = {0};
  moves_give("a", "retry", NOW_S);
  queue_ask("ZADD asynq:{q}:retry 1 nobody");
  mc_call_list_tasks(&call, mc_slice_of("q"), MC_TASK_RETRY, (mc_slice){0}, &(mc_page_start){0}, 5);
  assert_string_equal(queue_call(&call), "2 0 [nobody 1 [] a 1700000000 [msg m state retry]]");
  queue_give("b");
  queue_take(1, 1);
  queue_ask("LPUSH asynq:{q}:active c");
  mc_call_list_tasks(&call, mc_slice_of("q"), MC_TASK_ACTIVE, (mc_slice){0}, &(mc_page_start){0}, 1);
  assert_non_null(strstr(queue_call(&call), "2 0 [b 1700000030 [msg "));
  mc_call_list_tasks(&call, mc_slice_of("q"), MC_TASK_ACTIVE, (mc_slice){0}, &(mc_page_start){.skip = 1}, 1);
  assert_string_equal(queue_call(&call), "2 1 [c  []]");
}

/* ---- one task ---- */

static const char *read_task(const char *id) {
  mc_call call = {0};
  mc_call_read_task(&call, mc_slice_of("q"), mc_slice_of(id));
  return queue_call(&call);
}

static void one_task_comes_with_its_score_where_it_stands(void **state) {
  (void)state;
  assert_string_equal(read_task("a"), "");
  moves_give("a", "scheduled", NOW_S);
  assert_string_equal(read_task("a"), "1700000000 [msg m state scheduled]");
  moves_give_grouped("b", "g1");
  assert_string_equal(read_task("b"), "1700000000 [msg m state aggregating group g1]");
  queue_give("c d");
  queue_take(1, 1);
  assert_non_null(strstr(read_task("c"), "1700000030 [msg "));
  assert_non_null(strstr(read_task("d"), " [msg ")); /* pending: no score */
  queue_ask("HSET asynq:{q}:t:e msg m");
  assert_string_equal(read_task("e"), " [msg m]");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      queue_test(a_list_begins_with_what_is_worked_on_next),
      queue_test(a_set_is_in_order_of_score_then_of_bytes),
      queue_test(a_page_begins_after_a_task_even_when_that_has_gone),
      queue_test(a_group_is_a_set),
      queue_test(a_task_comes_with_its_score_and_its_fields),
      queue_test(one_task_comes_with_its_score_where_it_stands),
  };
  return cmocka_run_group_tests(tests, queue_start, queue_stop);
}
