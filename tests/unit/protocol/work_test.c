/* protocol/work.c: the arguments of each call in their order, and replies good and bad. What the scripts do with them
 * is tested in tests/unit/server/.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "base/mem.h"
#include "protocol/work.h"

#define NOW_NS INT64_C(1700000000000000005)

static const mc_slice queue = MC_SLICE_LITERAL("q"), server = MC_SLICE_LITERAL("h:1:u");

/* Expects script and arguments (with spaces between; "-" for an empty one), and frees them. */
static void assert_call(mc_call *call, const char *script, const char *expected) {
  mc_buf text = {0};
  for (size_t i = 0; i < call->args.count; i++) {
    mc_slice argument = mc_args_at(&call->args, i);
    if (i > 0)
      mc_buf_add_char(&text, ' ');
    mc_buf_add_slice(&text, argument.size ? argument : mc_slice_of("-"));
  }
  mc_buf_add_char(&text, '\0');
  assert_string_equal(call->script->name, script);
  assert_string_equal(text.data, expected);
  mc_buf_deinit(&text);
  mc_args_deinit(&call->args);
}

static void a_dequeue(void **state) {
  (void)state;
  mc_call call = {0};
  mc_call_dequeue(&call, queue, server, 7, 20, 1700000030);
  assert_int_equal(call.script->keys, 6);
  assert_call(
      &call, "dequeue",
      "asynq:{q}:pending asynq:{q}:paused asynq:{q}:active asynq:{q}:lease asynq:{q}:mc_limits asynq:{q}:mc_rate "
      "asynq:{q}:t: h:1:u: 7 20 1700000030");
}

static void a_dequeue_asks_for_a_batch_at_most(void **state) {
  (void)state;
  mc_call call = {0};
  mc_call_dequeue(&call, queue, server, 7, 100000, 1);
  assert_true(mc_slice_equal(mc_args_at(&call.args, 9), mc_slice_of("500")));
  mc_args_deinit(&call.args);
}

#define COUNTERS "asynq:{q}:processed asynq:{q}:processed:2023-11-14 "
#define BOTH_COUNTERS COUNTERS "asynq:{q}:failed asynq:{q}:failed:2023-11-14 "

static void a_settle_of_each_kind(void **state) {
  (void)state;
  static const struct {
    mc_settle_kind kind;
    int keys;
    const char *script, *arguments;
  } cases[] = {
      {MC_SETTLE_COMPLETE, 4, "complete",
       "asynq:{q}:active asynq:{q}:lease " COUNTERS "asynq:{q}:t: h:1:u: a 3 1 lock b 4 -1 -"},
      {MC_SETTLE_RETAIN, 5, "retain",
       "asynq:{q}:active asynq:{q}:lease asynq:{q}:completed " COUNTERS
       "asynq:{q}:t: h:1:u: a 3 1 msg 99 lock 1 result b 4 -1 - 0 - 0 -"},
      {MC_SETTLE_RETRY, 7, "retry",
       "asynq:{q}:active asynq:{q}:lease asynq:{q}:retry " BOTH_COUNTERS
       "asynq:{q}:t: h:1:u: retry a 3 1 msg 99 1 b 4 -1 - 0 0"},
      {MC_SETTLE_SNOOZE, 7, "retry",
       "asynq:{q}:active asynq:{q}:lease asynq:{q}:scheduled " BOTH_COUNTERS
       "asynq:{q}:t: h:1:u: scheduled a 3 1 msg 99 0 b 4 -1 - 0 0"},
      {MC_SETTLE_ARCHIVE, 7, "archive",
       "asynq:{q}:active asynq:{q}:lease asynq:{q}:archived " BOTH_COUNTERS
       "asynq:{q}:t: h:1:u: 1700000000 1699999900 50 a 3 1 msg why died b 4 -1 - - -"},
      {MC_SETTLE_REQUEUE, 3, "requeue",
       "asynq:{q}:active asynq:{q}:lease asynq:{q}:pending "
       "asynq:{q}:t: h:1:u: 1700000000000000005 a 3 1 2 died b 4 -1 0 -"},
  };
  const mc_settle_context context = {
      .queue = queue, .server = server, .now_ns = NOW_NS, .archive_max_age_s = 100, .archive_max_size = 50};
  const mc_settle_item full = {.id = MC_SLICE_LITERAL("a"),
                               .attempt = 3,
                               .near_head = true,
                               .counts_failure = true,
                               .crashes = 2,
                               .at_s = 99,
                               .message = MC_SLICE_LITERAL("msg"),
                               .unique_key = MC_SLICE_LITERAL("lock"),
                               .result = MC_SLICE_LITERAL("result"),
                               .has_result = true,
                               .error = MC_SLICE_LITERAL("why"),
                               .crash = MC_SLICE_LITERAL("died")};
  const mc_settle_item bare = {.id = MC_SLICE_LITERAL("b"), .attempt = 4};
  const mc_settle_item *items[] = {&full, &bare};
  assert_int_equal(MC_COUNT(cases), MC_SETTLE_KINDS);
  for (size_t i = 0; i < MC_COUNT(cases); i++) {
    mc_call call = {0};
    mc_call_settle(&call, cases[i].kind, &context, items, 2);
    assert_int_equal(call.script->keys, cases[i].keys);
    assert_call(&call, cases[i].script, cases[i].arguments);
  }
}

static void a_call_may_be_built_where_another_was(void **state) {
  (void)state;
  mc_call call = {0};
  mc_call_forward(&call, queue, NOW_NS);
  mc_call_forward(&call, queue, NOW_NS);
  assert_int_equal(call.script->keys, 4);
  assert_call(&call, "forward",
              "asynq:{q}:scheduled asynq:{q}:retry asynq:{q}:pending asynq:{q}:groups "
              "asynq:{q}:t: asynq:{q}:g: 1700000000 1700000000000000005 100");
}

static void an_extend(void **state) {
  (void)state;
  const mc_held_id ids[] = {{MC_SLICE_LITERAL("a"), 3}, {MC_SLICE_LITERAL("b"), 4}};
  mc_call call = {0};
  mc_call_extend(&call, queue, server, 1700000035, ids, 2);
  assert_int_equal(call.script->keys, 1);
  assert_call(&call, "extend", "asynq:{q}:lease asynq:{q}:t: h:1:u: 1700000035 a 3 b 4");
}

static void a_janitor(void **state) {
  (void)state;
  mc_call call = {0};
  mc_call_janitor(&call, queue, 1700000000, 100, 50);
  assert_int_equal(call.script->keys, 2);
  assert_call(&call, "janitor", "asynq:{q}:completed asynq:{q}:archived asynq:{q}:t: 1700000000 1699999900 50 100");
}

static void a_recover(void **state) {
  (void)state;
  const mc_orphan orphans[] = {{MC_SLICE_LITERAL("a"), 1700000000}, {MC_SLICE_LITERAL("b"), MC_NO_LEASE}};
  mc_call call = {0};
  mc_call_recover(&call, queue, NOW_NS, orphans, 2);
  assert_int_equal(call.script->keys, 4);
  assert_call(&call, "recover",
              "asynq:{q}:active asynq:{q}:lease asynq:{q}:pending asynq:{q}:aggregation_sets "
              "asynq:{q}:t: asynq:{q}: asynq:{q}:g: 1700000000000000005 a 1700000000 b -1");
}

/* ---- replies ---- */

static mc_value nothing = {.kind = MC_VALUE_NIL}, empty = {.kind = MC_VALUE_ARRAY}, zero = {.kind = MC_VALUE_INTEGER},
                text = {.kind = MC_VALUE_STRING, .text = MC_SLICE_LITERAL("a")},
                error = {.kind = MC_VALUE_ERROR, .text = MC_SLICE_LITERAL("NOPERM no")};

static mc_value array(mc_value **items, size_t count) {
  return (mc_value){.kind = MC_VALUE_ARRAY, .count = count, .items = items};
}

static void bad_dequeue_replies_are_refused(void **state) {
  (void)state;
  mc_value *one[] = {&text};
  mc_value odd = array(one, 1);
  mc_value two = {.kind = MC_VALUE_INTEGER, .integer = 2}, four = {.kind = MC_VALUE_INTEGER, .integer = 4};
  mc_value *cases[][5] = {
      {&text, &empty, &empty, &empty, &empty},   {&zero, &text, &empty, &empty, &empty},
      {&zero, &empty, &nothing, &empty, &empty}, {&zero, &empty, &empty, &zero, &empty},
      {&zero, &odd, &empty, &empty, &empty},     {&zero, &empty, &empty, &empty, &zero},
      {&four, &empty, &empty, &empty, &empty},   {&two, &empty, &empty, &empty, &odd},
  };
  mc_dequeued out = {.count = 77};
  mc_err err = {{0}};
  for (size_t i = 0; i < MC_COUNT(cases); i++) {
    mc_value reply = array(cases[i], 5);
    assert_int_equal(mc_dequeued_read(&reply, &out, &err), MC_EMALFORMED);
  }
  mc_value *good[] = {&zero, &empty, &empty, &empty, &empty};
  mc_value short_reply = array(good, 4), reply = array(good, 5);
  assert_int_equal(mc_dequeued_read(&short_reply, &out, &err), MC_EMALFORMED);
  assert_int_equal(mc_dequeued_read(&nothing, &out, &err), MC_EMALFORMED);
  assert_int_equal(mc_dequeued_read(NULL, &out, &err), MC_EMALFORMED);
  assert_int_equal(mc_dequeued_read(&error, &out, &err), MC_ESERVER);
  assert_non_null(strstr(err.text, "NOPERM no"));
  assert_int_equal(out.count, 77);
  assert_int_equal(mc_dequeued_read(&reply, &out, &err), 0);
  assert_int_equal(out.count, 0);
}

static void a_task_without_its_texts_is_malformed(void **state) {
  (void)state;
  mc_value *pairs[] = {&text, &nothing, &zero, &text};
  mc_value tasks = array(pairs, 4);
  mc_value *parts[] = {&zero, &tasks, &empty, &empty, &empty};
  mc_value reply = array(parts, 5);
  mc_dequeued dequeued;
  mc_dequeued_task task;
  assert_int_equal(mc_dequeued_read(&reply, &dequeued, NULL), 0);
  assert_int_equal(mc_dequeued_task_at(&dequeued, 0, &task), MC_EMALFORMED);
  assert_int_equal(mc_dequeued_task_at(&dequeued, 1, &task), MC_EMALFORMED);
  assert_int_equal(mc_dequeued_missing_at(&dequeued, 0).size, 0);
}

static void the_limits_that_are_waited_for_are_read(void **state) {
  (void)state;
  mc_value numbers[] = {{.kind = MC_VALUE_INTEGER, .integer = 3},
                        {.kind = MC_VALUE_INTEGER, .integer = 10},
                        {.kind = MC_VALUE_INTEGER, .integer = 1000},
                        {.kind = MC_VALUE_INTEGER, .integer = 42}};
  mc_value *items[] = {&numbers[0], &numbers[1], &numbers[2], &numbers[3]};
  mc_value limits = array(items, 4);
  mc_value *parts[] = {&numbers[0], &empty, &empty, &empty, &limits};
  mc_value reply = array(parts, 5);
  mc_dequeued dequeued;
  assert_int_equal(mc_dequeued_read(&reply, &dequeued, NULL), 0);
  assert_int_equal(dequeued.wait, MC_WAIT_RATE);
  assert_true(mc_limits_equal(&dequeued.limits, &(mc_limits){3, 10, 1000}));
  assert_int_equal(dequeued.wait_ms, 42);
}

static void refused_attempts_are_read(void **state) {
  (void)state;
  mc_value seven = {.kind = MC_VALUE_STRING, .text = MC_SLICE_LITERAL("7")};
  mc_value *items[] = {&text, &nothing, &seven};
  mc_value reply = array(items, 3);
  mc_err err = {{0}};
  size_t count = 77;
  assert_int_equal(mc_refused_read(&error, &count, &err), MC_ESERVER);
  assert_non_null(strstr(err.text, "NOPERM no"));
  assert_int_equal(mc_refused_read(&zero, &count, &err), MC_EMALFORMED);
  assert_int_equal(count, 77);
  assert_int_equal(mc_refused_read(&reply, &count, &err), 0);
  assert_int_equal(count, 3);
  assert_true(mc_refused_has(&reply, 7));
  assert_false(mc_refused_has(&reply, 77));
  assert_false(mc_refused_has(&reply, 0));
}

static void recovered_answers_are_read(void **state) {
  (void)state;
  mc_value two = {.kind = MC_VALUE_INTEGER, .integer = MC_RECOVER_DROPPED},
           unknown = {.kind = MC_VALUE_INTEGER, .integer = MC_RECOVER_POSTPONED + 1};
  mc_value *items[] = {&zero, &two, &unknown, &text};
  mc_value reply = array(items, 4);
  mc_recovered out = MC_RECOVER_REQUEUED;
  assert_int_equal(mc_recovered_at(&reply, 2, &out), MC_EMALFORMED);
  assert_int_equal(mc_recovered_at(&reply, 3, &out), MC_EMALFORMED);
  assert_int_equal(mc_recovered_at(&reply, 4, &out), MC_EMALFORMED);
  assert_int_equal(mc_recovered_at(&error, 0, &out), MC_EMALFORMED);
  assert_int_equal(out, MC_RECOVER_REQUEUED);
  assert_int_equal(mc_recovered_at(&reply, 0, &out), 0);
  assert_int_equal(out, MC_RECOVER_CHANGED);
  assert_int_equal(mc_recovered_at(&reply, 1, &out), 0);
  assert_int_equal(out, MC_RECOVER_DROPPED);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_dequeue),
      cmocka_unit_test(a_dequeue_asks_for_a_batch_at_most),
      cmocka_unit_test(a_settle_of_each_kind),
      cmocka_unit_test(a_call_may_be_built_where_another_was),
      cmocka_unit_test(an_extend),
      cmocka_unit_test(a_janitor),
      cmocka_unit_test(a_recover),
      cmocka_unit_test(bad_dequeue_replies_are_refused),
      cmocka_unit_test(a_task_without_its_texts_is_malformed),
      cmocka_unit_test(the_limits_that_are_waited_for_are_read),
      cmocka_unit_test(refused_attempts_are_read),
      cmocka_unit_test(recovered_answers_are_read),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
