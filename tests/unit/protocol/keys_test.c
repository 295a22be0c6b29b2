/* protocol/keys.c: the names, as asynq spells them. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "base/mem.h"
#include "protocol/keys.h"

static const mc_slice queue = MC_SLICE_LITERAL("low");

static void assert_key(mc_buf *key, const char *expected) {
  mc_buf_add_char(key, '\0');
  assert_string_equal(key->data, expected);
  mc_buf_deinit(key);
}

static void the_keys_of_a_queue(void **state) {
  (void)state;
  static const struct {
    mc_queue_key key;
    const char *name;
  } cases[] = {
      {MC_KEY_PENDING, "asynq:{low}:pending"},
      {MC_KEY_ACTIVE, "asynq:{low}:active"},
      {MC_KEY_LEASE, "asynq:{low}:lease"},
      {MC_KEY_SCHEDULED, "asynq:{low}:scheduled"},
      {MC_KEY_RETRY, "asynq:{low}:retry"},
      {MC_KEY_ARCHIVED, "asynq:{low}:archived"},
      {MC_KEY_COMPLETED, "asynq:{low}:completed"},
      {MC_KEY_PAUSED, "asynq:{low}:paused"},
      {MC_KEY_PROCESSED, "asynq:{low}:processed"},
      {MC_KEY_FAILED, "asynq:{low}:failed"},
      {MC_KEY_GROUPS, "asynq:{low}:groups"},
      {MC_KEY_AGGREGATION_SETS, "asynq:{low}:aggregation_sets"},
      {MC_KEY_FOLD_FAILURES, "asynq:{low}:mc_fold_failures"},
  };
  mc_buf key = {0};
  for (size_t i = 0; i < MC_COUNT(cases); i++) {
    mc_key_queue(&key, queue, cases[i].key);
    assert_key(&key, cases[i].name);
  }
}

static void prefixes_and_task_keys(void **state) {
  (void)state;
  mc_buf key = {0};
  mc_key_task_prefix(&key, queue);
  assert_key(&key, "asynq:{low}:t:");
  mc_key_task(&key, queue, mc_slice_of("id1"));
  assert_key(&key, "asynq:{low}:t:id1");
  mc_key_group_prefix(&key, queue);
  assert_key(&key, "asynq:{low}:g:");
  mc_key_group(&key, queue, mc_slice_of("g1"));
  assert_key(&key, "asynq:{low}:g:g1");
  mc_key_queue_prefix(&key, queue);
  assert_key(&key, "asynq:{low}:");
  mc_key_scheduler_history(&key, mc_slice_of("e1"));
  assert_key(&key, "asynq:scheduler_history:e1");
  mc_key_group(&key, queue, mc_slice_of("mail:ada"));
  assert_key(&key, "asynq:{low}:g:mail:ada");
  mc_key_aggregation_set(&key, queue, mc_slice_of("mail:ada"), mc_slice_of("id1"));
  assert_key(&key, "asynq:{low}:g:mail:ada:id1");
}

static void locks_are_named_by_type_and_md5(void **state) {
  (void)state;
  mc_buf key = {0};
  assert_int_equal(mc_key_unique(&key, queue, mc_slice_of("a:b"), mc_slice_of("{}")), 0);
  assert_key(&key, "asynq:{low}:unique:a:b:99914b932bd37a50b983c5e7c90ae93b");
  assert_int_equal(mc_key_unique(&key, queue, mc_slice_of("a:b"), mc_slice_of("")), 0);
  assert_key(&key, "asynq:{low}:unique:a:b:d41d8cd98f00b204e9800998ecf8427e");
  assert_int_equal(mc_key_unique(&key, queue, mc_slice_of("a:b"), (mc_slice){0}), 0);
  assert_key(&key, "asynq:{low}:unique:a:b:");
}

static void days_are_utc_days(void **state) {
  (void)state;
  mc_buf key = {0};
  mc_key_daily(&key, queue, MC_KEY_PROCESSED, 1709251199); /* 29 February, 23:59:59 */
  assert_key(&key, "asynq:{low}:processed:2024-02-29");
  mc_key_daily(&key, queue, MC_KEY_FAILED, 1709251200);
  assert_key(&key, "asynq:{low}:failed:2024-03-01");
}

static void server_keys(void **state) {
  (void)state;
  mc_buf key = {0};
  mc_key_server(&key, mc_slice_of("host:1:uuid"));
  assert_key(&key, "asynq:servers:{host:1:uuid}");
  mc_key_server_workers(&key, mc_slice_of("host:1:uuid"));
  assert_key(&key, "asynq:workers:{host:1:uuid}");
}

static void cron_keys(void **state) {
  (void)state;
  mc_buf key = {0};
  mc_key_scheduler_entries(&key, mc_slice_of("host:1:uuid"));
  assert_key(&key, "asynq:schedulers:{host:1:uuid}");
  mc_key_scheduler_history(&key, mc_slice_of("nightly"));
  assert_key(&key, "asynq:scheduler_history:nightly");
  mc_key_cron(&key, queue, mc_slice_of("nightly"));
  assert_key(&key, "asynq:{low}:mc_cron:nightly");
  mc_key_cron_claim(&key, queue, mc_slice_of("nightly"), 1700000000);
  assert_key(&key, "asynq:{low}:mc_cron:nightly:1700000000");
}

static void a_key_is_split_into_queue_and_suffix(void **state) {
  (void)state;
  static const struct {
    const char *key, *queue, *suffix;
  } cases[] = {
      {"asynq:{low}:pending", "low", "pending"},
      {"asynq:{a}:b}:paused", "a}:b", "paused"},
      {"asynq:{low}:t:id", "low", "t:id"},
      {"asynq:{low}:", "low", ""},
  };
  for (size_t i = 0; i < MC_COUNT(cases); i++) {
    mc_slice name, suffix;
    assert_true(mc_key_split(mc_slice_of(cases[i].key), &name, &suffix));
    assert_true(mc_slice_equal(name, mc_slice_of(cases[i].queue)));
    assert_true(mc_slice_equal(suffix, mc_slice_of(cases[i].suffix)));
  }
}

static void other_keys_are_not_split(void **state) {
  (void)state;
  static const char *const cases[] = {
      "", "asynq:{", "asynq:queues", "asynq:{}:pending", "asynq:{low}", "asynq:low:pending", "other:{low}:pending"};
  for (size_t i = 0; i < MC_COUNT(cases); i++) {
    mc_slice name, suffix;
    if (mc_key_split(mc_slice_of(cases[i]), &name, &suffix))
      fail_msg("%s was split", cases[i]);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(the_keys_of_a_queue),
      cmocka_unit_test(prefixes_and_task_keys),
      cmocka_unit_test(locks_are_named_by_type_and_md5),
      cmocka_unit_test(days_are_utc_days),
      cmocka_unit_test(server_keys),
      cmocka_unit_test(cron_keys),
      cmocka_unit_test(a_key_is_split_into_queue_and_suffix),
      cmocka_unit_test(other_keys_are_not_split),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
