/* protocol/inspect.c: names of states, and answers that are not what they should be. (What is asked, and what comes
 * back, is tested with a real Redis in tests/unit/server.) */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "base/mem.h"
#include "protocol/inspect.h"

static mc_value text = {.kind = MC_VALUE_STRING, .text = {"a", 1}};
static mc_value empty = {.kind = MC_VALUE_STRING, .text = {"", 0}};
static mc_value number = {.kind = MC_VALUE_INTEGER, .integer = 5};
static mc_value nil = {.kind = MC_VALUE_NIL};
static mc_value error = {.kind = MC_VALUE_ERROR, .text = {"ERR no", 6}};

static mc_value array_of(mc_value **items, size_t count) {
  return (mc_value){.kind = MC_VALUE_ARRAY, .count = count, .items = items};
}

static void states_have_the_names_that_stand_in_redis(void **state) {
  (void)state;
  static const char *const names[] = {"active",   "pending",   "scheduled",  "retry",
                                      "archived", "completed", "aggregating"};
  for (size_t i = 0; i < MC_TASK_STATES; i++) {
    mc_task_state found;
    assert_string_equal(mc_state_name((mc_task_state)i), names[i]);
    assert_int_equal(mc_state_find(mc_slice_of(names[i]), &found), 0);
    assert_int_equal(found, i);
    assert_int_equal(mc_state_is_list(found), i < 2);
  }
  mc_task_state untouched = MC_TASK_RETRY;
  assert_int_equal(mc_state_find(mc_slice_of("done"), &untouched), MC_ENOT_FOUND);
  assert_int_equal(untouched, MC_TASK_RETRY);
}

static void states_stand_in_keys(void **state) {
  (void)state;
  mc_buf key = {0};
  mc_key_state(&key, mc_slice_of("q"), MC_TASK_COMPLETED, (mc_slice){0});
  mc_key_state(&key, mc_slice_of("q"), MC_TASK_AGGREGATING, mc_slice_of("g"));
  assert_true(mc_slice_equal(mc_buf_slice(&key), MC_SLICE_LITERAL("asynq:{q}:completedasynq:{q}:g:g")));
  mc_buf_deinit(&key);
}

static void a_page_of_another_shape_is_refused(void **state) {
  (void)state;
  mc_value *items[] = {&text, &empty, &text};
  mc_value odd = array_of(items, 2), tasks = array_of(items, 3);
  mc_value *no_number[] = {&text, &number, &tasks}, *no_tasks[] = {&number, &number, &number};
  mc_value *odd_tasks[] = {&number, &number, &odd}, *good[] = {&number, &number, &tasks};
  mc_value replies[] = {
      error, number, nil, array_of(good, 2), array_of(no_number, 3), array_of(no_tasks, 3), array_of(odd_tasks, 3)};
  mc_task_page page;
  mc_err err;
  for (size_t i = 0; i < MC_COUNT(replies); i++)
    assert_int_equal(mc_task_page_read(&replies[i], &page, &err), i == 0 ? MC_ESERVER : MC_EMALFORMED);
  mc_value reply = array_of(good, 3);
  mc_task_record record;
  assert_int_equal(mc_task_page_read(&reply, &page, &err), 0);
  assert_int_equal(page.count, 1);
  assert_int_equal(mc_task_page_at(&page, 0, &record), MC_EMALFORMED); /* its fields are no array */
  assert_int_equal(mc_task_page_at(&page, 1, &record), MC_EMALFORMED);
}

static void a_task_of_another_shape_is_refused(void **state) {
  (void)state;
  mc_value *odd_items[] = {&text}, *bad_items[] = {&text, &number}, *good_items[] = {&text, &empty};
  mc_value odd = array_of(odd_items, 1), bad = array_of(bad_items, 2), fields = array_of(good_items, 2);
  mc_value *odd_parts[] = {&empty, &odd}, *bad_parts[] = {&empty, &bad}, *good_parts[] = {&empty, &fields};
  mc_value none = array_of(NULL, 0),
           replies[] = {array_of(odd_parts, 2), array_of(bad_parts, 2), array_of(good_parts, 1)};
  mc_task_record record;
  mc_slice value;
  for (size_t i = 0; i < MC_COUNT(replies); i++)
    assert_int_equal(mc_task_record_read(&replies[i], &record, NULL), MC_EMALFORMED);
  assert_int_equal(mc_task_record_read(&none, &record, NULL), MC_ENOT_FOUND);
  mc_value reply = array_of(good_parts, 2);
  assert_int_equal(mc_task_record_read(&reply, &record, NULL), 0);
  assert_true(mc_task_record_field(&record, "a", &value));
  assert_int_equal(value.size, 0);
  assert_false(mc_task_record_field(&record, "b", &value));
}

static void queue_info_of_another_shape_is_refused(void **state) {
  (void)state;
  mc_value *items[15];
  mc_queue_info info;
  for (size_t i = 0; i < MC_COUNT(items); i++)
    items[i] = &number;
  mc_value good = array_of(items, 15), less = array_of(items, 14);
  assert_int_equal(mc_queue_info_read(&less, &info, NULL), MC_EMALFORMED);
  assert_int_equal(mc_queue_info_read(&error, &info, NULL), MC_ESERVER);
  assert_int_equal(mc_queue_info_read(&good, &info, NULL), 0);
  assert_int_equal(info.memory_bytes, 5);
}

static void verdicts_are_numbers_of_a_range(void **state) {
  (void)state;
  int64_t verdict = 7;
  mc_moved moved;
  mc_value *items[] = {&number};
  mc_value reply = array_of(items, 1);
  assert_int_equal(mc_verdict_read(&number, 0, 4, &verdict, NULL), MC_EMALFORMED);
  assert_int_equal(mc_verdict_read(&nil, 0, 4, &verdict, NULL), MC_EMALFORMED);
  assert_int_equal(mc_verdict_read(NULL, 0, 4, &verdict, NULL), MC_EMALFORMED);
  assert_int_equal(mc_verdict_read(&error, 0, 4, &verdict, NULL), MC_ESERVER);
  assert_int_equal(verdict, 7);
  assert_int_equal(mc_verdict_read(&number, 0, 5, &verdict, NULL), 0);
  assert_int_equal(verdict, 5);
  assert_int_equal(mc_moved_at(&reply, 0, &moved), MC_EMALFORMED);
  assert_int_equal(mc_moved_at(&reply, 1, &moved), MC_EMALFORMED);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(states_have_the_names_that_stand_in_redis), cmocka_unit_test(states_stand_in_keys),
      cmocka_unit_test(a_page_of_another_shape_is_refused),        cmocka_unit_test(a_task_of_another_shape_is_refused),
      cmocka_unit_test(queue_info_of_another_shape_is_refused),    cmocka_unit_test(verdicts_are_numbers_of_a_range),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
