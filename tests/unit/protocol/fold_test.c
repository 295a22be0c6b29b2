/* protocol/fold.c: the arguments of each call in their order, and replies good and bad. What the scripts do with them
 * is tested in tests/unit/server/fold_test.c.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "base/mem.h"
#include "protocol/fold.h"

#define NOW_S INT64_C(1700000000)

static const mc_slice queue = MC_SLICE_LITERAL("q"), group = MC_SLICE_LITERAL("mail");

/* Expects script and arguments (with "|" between), and frees them. */
static void assert_call(mc_call *call, const char *script, int keys, const char *expected) {
  mc_buf text = {0};
  for (size_t i = 0; i < call->args.count; i++) {
    if (i > 0)
      mc_buf_add_char(&text, '|');
    mc_buf_add_slice(&text, mc_args_at(&call->args, i));
  }
  mc_buf_add_char(&text, '\0');
  assert_string_equal(call->script->name, script);
  assert_int_equal(call->script->keys, keys);
  assert_string_equal(text.data, expected);
  mc_buf_deinit(&text);
  mc_args_deinit(&call->args);
}

static void an_aggregate(void **state) {
  (void)state;
  mc_call call = {0};
  const mc_group_check groups[] = {{group, "id1", 20, 60, 10}, {MC_SLICE_LITERAL("h"), "id2", 0, 0, 1}};
  mc_call_aggregate(&call, queue, NOW_S, 99, groups, 2);
  assert_call(&call, "aggregate", 3,
              "asynq:{q}:groups|asynq:{q}:aggregation_sets|asynq:{q}:mc_fold_failures|asynq:{q}:t:|asynq:{q}:g:|"
              "1700000000|30|16|33554432|mail|id1|20|20|60|10|h|id2|0|10000|0|1");
}

static void a_fold_that_is_pending_or_scheduled(void **state) {
  (void)state;
  mc_call call = {0};
  mc_args locks = {0};
  mc_enqueue task = {.queue = queue, .id = MC_SLICE_LITERAL("new"), .message = MC_SLICE_LITERAL("msg")};
#define KEYS                                                                                                           \
  "asynq:{q}:g:mail:id1|asynq:{q}:aggregation_sets|asynq:{q}:mc_fold_failures|asynq:{q}:pending|asynq:{q}:scheduled|"  \
  "asynq:{q}:t:|mail|"
  mc_call_fold(&call, group, "id1", &task, &locks, 5);
  assert_call(&call, "fold", 5, KEYS "pending|new|msg||0|5");
  task.kind = MC_ENQUEUE_SCHEDULED;
  task.process_at_s = 77;
  task.unique_key = MC_SLICE_LITERAL("lock");
  task.unique_ttl_s = 9;
  mc_args_add_text(&locks, "b");
  mc_args_add_text(&locks, "lock of b");
  mc_call_fold(&call, group, "id1", &task, &locks, 5);
  assert_call(&call, "fold", 5, KEYS "scheduled|new|msg|lock|9|77|b|lock of b");
  mc_args_deinit(&locks);
#undef KEYS
}

static void a_regroup_with_and_without_a_failure(void **state) {
  (void)state;
  mc_call call = {0};
  const mc_slice alone[] = {MC_SLICE_LITERAL("a"), MC_SLICE_LITERAL("b")};
  mc_regroup regroup = {.queue = queue, .group = group, .set_id = "id1", .alone = alone, .alone_count = 2};
#define KEYS                                                                                                           \
  "asynq:{q}:g:mail:id1|asynq:{q}:aggregation_sets|asynq:{q}:g:mail|asynq:{q}:groups|asynq:{q}:pending|"               \
  "asynq:{q}:mc_fold_failures|asynq:{q}:t:|mail|5|"
  mc_call_regroup(&call, &regroup, 5);
  assert_call(&call, "regroup", 6, KEYS "|a|b");
  regroup = (mc_regroup){.queue = queue,
                         .group = group,
                         .set_id = "id1",
                         .failures = 2,
                         .next_try_s = 1700000002,
                         .error = MC_SLICE_LITERAL("it broke")};
  mc_call_regroup(&call, &regroup, 5);
  assert_call(&call, "regroup", 6, KEYS "2 1700000002 it broke");
#undef KEYS
}

static void a_reclaim(void **state) {
  (void)state;
  mc_call call = {0};
  mc_call_reclaim(&call, queue);
  assert_call(&call, "reclaim", 2, "asynq:{q}:aggregation_sets|asynq:{q}:groups|asynq:{q}:g:|100");
}

/* ---- replies ---- */

static mc_value integer(int64_t number) {
  return (mc_value){.kind = MC_VALUE_INTEGER, .integer = number};
}

static mc_value text(const char *characters) {
  return (mc_value){.kind = MC_VALUE_STRING, .text = mc_slice_of(characters)};
}

static mc_value array(mc_value **items, size_t count) {
  return (mc_value){.kind = MC_VALUE_ARRAY, .items = items, .count = count};
}

static mc_value failure(const char *why) {
  return (mc_value){.kind = MC_VALUE_ERROR, .text = mc_slice_of(why)};
}

/* One set, of the group at a place, with this many items in its list of ids and messages. */
static int read_set(int64_t place, int64_t failures, size_t items, mc_value *second, mc_aggregated *out) {
  mc_value id = text("a"), at = integer(place), failed = integer(failures);
  mc_value *list[] = {&id, second, &id, second};
  mc_value tasks = array(list, items);
  mc_value *parts[] = {&at, &failed, &tasks};
  mc_value set = array(parts, 3);
  mc_value *sets[] = {&set};
  mc_value reply = array(sets, 1);
  size_t count = 0;
  assert_int_equal(mc_aggregated_read(&reply, &count, NULL), 0);
  assert_int_equal(count, 1);
  int code = mc_aggregated_at(&reply, 0, 3, out);
  if (code == 0) {
    mc_slice first, message;
    mc_aggregated_task(out, 1, &first, &message);
    assert_true(mc_slice_equal(first, mc_slice_of("a")) && mc_slice_equal(message, second->text));
  }
  return code;
}

static void a_set_is_read_and_nonsense_is_refused(void **state) {
  (void)state;
  mc_aggregated set;
  mc_value message = text("m"), number = integer(1);
  assert_int_equal(read_set(2, 4, 4, &message, &set), 0);
  assert_true(set.place == 2 && set.failures == 4 && set.count == 2);
  assert_int_equal(read_set(3, 0, 4, &message, &set), MC_EMALFORMED); /* there are three groups */
  assert_int_equal(read_set(-1, 0, 4, &message, &set), MC_EMALFORMED);
  assert_int_equal(read_set(0, -1, 4, &message, &set), MC_EMALFORMED);
  assert_int_equal(read_set(0, 0, 3, &message, &set), MC_EMALFORMED);
  assert_int_equal(read_set(0, 0, 0, &message, &set), MC_EMALFORMED);
  assert_int_equal(read_set(0, 0, 4, &number, &set), MC_EMALFORMED);
}

/* How many of nine groups were looked at for a reply with one set, of the group at place 4, of so many bytes. */
static size_t seen(size_t sets, size_t bytes) {
  mc_value at = integer(4), failed = integer(0), id = text("a");
  mc_value message = {.kind = MC_VALUE_STRING, .text = {"", bytes}};
  mc_value *list[] = {&id, &message};
  mc_value tasks = array(list, 2);
  mc_value *parts[] = {&at, &failed, &tasks};
  mc_value set = array(parts, 3);
  mc_value *made[] = {&set};
  mc_value reply = array(made, 1);
  return mc_aggregated_seen(&reply, sets, 9);
}

static void a_script_that_stopped_has_not_seen_all_groups(void **state) {
  (void)state;
  mc_value nothing = array(NULL, 0);
  assert_int_equal(seen(2, 1), 9);
  assert_int_equal(seen(1, 1), 5);
  assert_int_equal(seen(2, MC_FOLD_BYTES / 2), 9);
  assert_int_equal(seen(2, MC_FOLD_BYTES / 2 + 1), 5);
  assert_int_equal(mc_aggregated_seen(&nothing, 2, 9), 9);
}

static void a_list_that_is_none_is_refused(void **state) {
  (void)state;
  size_t count = 7;
  mc_err err;
  mc_value error = failure("ERR no"), number = integer(1);
  assert_int_equal(mc_aggregated_read(&error, &count, &err), MC_ESERVER);
  assert_string_equal(err.text, "aggregate: Redis answered: ERR no");
  assert_int_equal(mc_reclaimed_read(&number, &count, &err), MC_EMALFORMED);
  assert_int_equal(count, 7);
}

static void answers_to_a_fold(void **state) {
  (void)state;
  static const struct {
    int64_t answer;
    int code;
  } cases[] = {{1, 0}, {0, MC_ECONFLICT}, {-1, MC_EDUPLICATE}, {-2, MC_ENOT_FOUND}, {2, MC_EMALFORMED}};
  for (size_t i = 0; i < MC_COUNT(cases); i++) {
    mc_value reply = integer(cases[i].answer);
    assert_int_equal(mc_fold_answer(&reply), cases[i].code);
  }
  mc_value error = failure("OOM"), word = text("1");
  assert_int_equal(mc_fold_answer(&error), MC_ESERVER);
  assert_int_equal(mc_fold_answer(&word), MC_EMALFORMED);
}

static void reclaimed_sets(void **state) {
  (void)state;
  mc_value name = text("g"), tasks = integer(3);
  mc_value *parts[] = {&name, &tasks};
  mc_value set = array(parts, 2), cut = array(parts, 1);
  mc_value *sets[] = {&set, &cut};
  mc_value reply = array(sets, 2);
  mc_slice which;
  size_t count;
  int64_t number;
  assert_int_equal(mc_reclaimed_read(&reply, &count, NULL), 0);
  assert_int_equal(count, 2);
  assert_int_equal(mc_reclaimed_at(&reply, 0, &which, &number), 0);
  assert_true(mc_slice_equal(which, mc_slice_of("g")) && number == 3);
  assert_int_equal(mc_reclaimed_at(&reply, 1, &which, &number), MC_EMALFORMED);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(an_aggregate),
      cmocka_unit_test(a_fold_that_is_pending_or_scheduled),
      cmocka_unit_test(a_regroup_with_and_without_a_failure),
      cmocka_unit_test(a_reclaim),
      cmocka_unit_test(a_set_is_read_and_nonsense_is_refused),
      cmocka_unit_test(a_script_that_stopped_has_not_seen_all_groups),
      cmocka_unit_test(a_list_that_is_none_is_refused),
      cmocka_unit_test(answers_to_a_fold),
      cmocka_unit_test(reclaimed_sets),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
