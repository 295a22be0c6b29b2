/* What becomes of a handler, and what it asks for: results, failures, log lines, tasks to enqueue. */
#include "crew.h"

#include <stdio.h>
#include <stdlib.h>

static const char outcomes_script[] =
    "local crew = require 'mooncrew'\n"
    "crew.task('echo', { perform = function(payload, task) return { payload, task.retried, task.max_retry } end })\n"
    "crew.task('text', { payload = 'raw', perform = function(payload) return payload .. '!' end })\n"
    "crew.task('nothing', { perform = function() end })\n"
    "crew.task('fail', { retry = '90s', perform = function()\n"
    "  error 'boom'\n"
    "end })\n"
    "crew.task('strict', { payload = crew.schema.object { n = crew.schema.integer() }, perform = function() end })\n"
    "crew.task('skip', { perform = function(_, task) task:skip_retry('no use') end })\n"
    "crew.task('revoke', { perform = function(_, task) task:revoke() end })\n"
    "crew.task('snooze', { perform = function(_, task) task:snooze('10m') end })\n"
    "crew.task('later', { perform = function(_, task) task:retry_in(1.5, 'busy') end })\n"
    "crew.task('yield', { perform = function() coroutine.yield() end })\n"
    "crew.task('says', { perform = function(_, task) task.log:warn('look\\nhere', { a = { 1 }, b = 'x y' }) end })\n";

static void results_are_none_a_string_or_json(void **state) {
  crew *self = *state;
  crew_start(self, 1, outcomes_script);
  mc_frame_result result = crew_expect_result(self, crew_send_task(self, "nothing", ""), MC_OUTCOME_DONE);
  assert_false(result.has_result);
  result = crew_expect_result(self, crew_send_task(self, "text", "raw \xff"), MC_OUTCOME_DONE);
  assert_true(result.has_result);
  assert_text(result.text, "raw \xff!");
  result = crew_expect_result(self, crew_send_task(self, "echo", "{\"b\":1,\"a\":[]}"), MC_OUTCOME_DONE);
  assert_text(result.text, "[{\"a\":[],\"b\":1},2,5]");
  assert_int_equal(result.delay_ms, -1);
}

static void a_failure_carries_message_place_trace_and_delay(void **state) {
  crew *self = *state;
  crew_start(self, 1, outcomes_script);
  mc_frame_result result = crew_expect_result(self, crew_send_task(self, "fail", ""), MC_OUTCOME_FAILED);
  assert_holds(result.text, "scripts/tasks.lua:6: boom");
  assert_holds(result.trace, "scripts/tasks.lua:6: in function");
  assert_int_equal(result.delay_ms, 90000);
  result = crew_expect_result(self, crew_send_task(self, "unknown", ""), MC_OUTCOME_FAILED);
  assert_text(result.text, "handler not found for task \"unknown\"");
}

static void of_an_error_without_end_the_beginning_is_told(void **state) {
  crew *self = *state;
  crew_start(self, 1,
             "local crew = require 'mooncrew'\n"
             "crew.task('shout', { perform = function() error(('x'):rep(1000000)) end })\n"
             "crew.task('text', { perform = function() return ('x'):rep(1000000) end })\n");
  mc_frame_result result = crew_expect_result(self, crew_send_task(self, "shout", ""), MC_OUTCOME_FAILED);
  assert_int_equal(result.text.size, 65536);
  assert_holds(result.text, "scripts/tasks.lua:2: xxx");
  assert_true(result.trace.size <= 65536);
  result = crew_expect_result(self, crew_send_task(self, "text", ""), MC_OUTCOME_DONE);
  assert_int_equal(result.text.size, 1000000);
}

static void a_payload_that_does_not_fit_is_invalid(void **state) {
  crew *self = *state;
  crew_start(self, 1, outcomes_script);
  mc_frame_result result =
      crew_expect_result(self, crew_send_task(self, "strict", "{\"n\":\"1\"}"), MC_OUTCOME_INVALID);
  assert_text(result.text, "payload.n: expected integer, got string");
  result = crew_expect_result(self, crew_send_task(self, "echo", "{\"n\":"), MC_OUTCOME_INVALID);
  assert_holds(result.text, "payload: not valid JSON");
}

static void a_handler_can_say_how_it_ends(void **state) {
  crew *self = *state;
  crew_start(self, 1, outcomes_script);
  mc_frame_result result = crew_expect_result(self, crew_send_task(self, "skip", ""), MC_OUTCOME_SKIP_RETRY);
  assert_text(result.text, "no use");
  crew_expect_result(self, crew_send_task(self, "revoke", ""), MC_OUTCOME_REVOKED);
  result = crew_expect_result(self, crew_send_task(self, "snooze", ""), MC_OUTCOME_SNOOZED);
  assert_int_equal(result.delay_ms, 600000);
  result = crew_expect_result(self, crew_send_task(self, "later", ""), MC_OUTCOME_RETRY_IN);
  assert_text(result.text, "busy");
  assert_int_equal(result.delay_ms, 1500);
}

static void a_stray_yield_fails_the_task_and_frees_the_slot(void **state) {
  crew *self = *state;
  crew_start(self, 1, outcomes_script);
  mc_frame_result result = crew_expect_result(self, crew_send_task(self, "yield", ""), MC_OUTCOME_FAILED);
  assert_holds(result.text, "scripts/tasks.lua:13: the handler called coroutine.yield");
  crew_expect_result(self, crew_send_task(self, "nothing", ""), MC_OUTCOME_DONE);
}

static void log_lines_carry_the_task_and_stay_lines(void **state) {
  crew *self = *state;
  crew_start(self, 1, outcomes_script);
  crew_expect_result(self, crew_send_task(self, "says", ""), MC_OUTCOME_DONE);
  assert_holds(mc_slice_of(crew_log(self)),
               "\"level\":\"warn\",\"event\":\"look here\",\"worker\":1,\"task_id\":\"some-id\",\"type\":\"says\","
               "\"a\":[1],\"b\":\"x y\"}\n");
}

static void large_results_wait_for_a_supervisor_that_is_slow_to_read(void **state) {
  enum { TASKS = 60, SIZE = 200000 };
  crew *self = *state;
  char payload[16];
  crew_start(self, 4,
             "require('mooncrew').task('large', { perform = function(n) return string.char(n):rep(200000) end })\n");
  for (int i = 1; i <= TASKS; i++) {
    snprintf(payload, sizeof payload, "%d", i);
    crew_add_task(self, "large", payload, 0);
  }
  crew_send(self);
  for (uint64_t i = 1; i <= TASKS; i++) {
    mc_slice text = crew_expect_result(self, i, MC_OUTCOME_DONE).text;
    assert_int_equal(text.size, SIZE);
    assert_true(text.data[0] == (char)i && text.data[SIZE - 1] == (char)i);
  }
}

/* ---- enqueueing ---- */

static void answer(crew *self, const mc_frame_enqueued *enqueued) {
  mc_frame_enqueued_encode(&self->out, enqueued);
  crew_send(self);
}

static mc_frame_enqueue expect_enqueue(crew *self, uint64_t attempt) {
  mc_frame_enqueue enqueue;
  assert_int_equal(mc_frame_enqueue_decode(crew_expect(self, MC_FRAME_ENQUEUE).body, &enqueue), 0);
  assert_int_equal(enqueue.attempt, attempt);
  return enqueue;
}

static void a_handler_enqueues_through_the_supervisor(void **state) {
  crew *self = *state;
  crew_start(self, 1,
             "local crew = require 'mooncrew'\n"
             "crew.task('parent', { perform = function(_, task)\n"
             "  local info = assert(task:enqueue('child', { n = 1 }, { queue = 'low', max_retry = 3, timeout = '10s',\n"
             "    unique = 60, retention = '1h', task_id = 'chosen', headers = { a = 'b' } }))\n"
             "  local none, message, code = crew.enqueue('child')\n"
             "  return { info, none == nil, message, code }\n"
             "end })\n");
  uint64_t attempt = crew_send_task(self, "parent", "");
  mc_frame_enqueue enqueue = expect_enqueue(self, attempt);
  assert_text(enqueue.options.type, "child");
  assert_text(enqueue.options.payload, "{\"n\":1}");
  assert_text(enqueue.options.queue, "low");
  assert_text(enqueue.options.id, "chosen");
  assert_true(enqueue.options.has_id && enqueue.options.has_queue && !enqueue.options.has_group);
  assert_int_equal(enqueue.options.max_retry, 3);
  assert_int_equal(enqueue.options.timeout_ms, 10000);
  assert_int_equal(enqueue.options.deadline_s, -1);
  assert_int_equal(enqueue.options.unique_ms, 60000);
  assert_int_equal(enqueue.options.process_at_ms, -1);
  assert_int_equal(enqueue.options.retention_ms, 3600000);
  assert_int_equal(enqueue.options.header_count, 1);
  assert_text(enqueue.options.headers[0].name, "a");
  assert_text(enqueue.options.headers[0].value, "b");
  free((void *)enqueue.options.headers);
  answer(self, &(mc_frame_enqueued){.request = enqueue.request, .id = MC_SLICE_LITERAL("chosen")});
  enqueue = expect_enqueue(self, attempt);
  assert_int_equal(enqueue.options.max_retry, MC_DEFAULT_MAX_RETRY);
  answer(self,
         &(mc_frame_enqueued){.request = enqueue.request, .code = MC_EDUPLICATE, .message = MC_SLICE_LITERAL("taken")});
  assert_text(crew_expect_result(self, attempt, MC_OUTCOME_DONE).text,
              "[{\"id\":\"chosen\",\"queue\":\"low\",\"state\":\"pending\",\"type\":\"child\"},true,\"taken\","
              "\"DUPLICATE_TASK\"]");
}

static void a_handler_gets_no_client_of_its_own(void **state) {
  crew *self = *state;
  crew_start(self, 1,
             "local crew = require 'mooncrew'\n"
             "crew.task('client', { perform = function() return crew.client('redis://127.0.0.1:1/0') end })\n");
  mc_frame_result result = crew_expect_result(self, crew_send_task(self, "client", ""), MC_OUTCOME_FAILED);
  assert_holds(result.text, "a handler enqueues with crew.enqueue");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      crew_test(results_are_none_a_string_or_json),
      crew_test(a_failure_carries_message_place_trace_and_delay),
      crew_test(of_an_error_without_end_the_beginning_is_told),
      crew_test(a_payload_that_does_not_fit_is_invalid),
      crew_test(a_handler_can_say_how_it_ends),
      crew_test(a_stray_yield_fails_the_task_and_frees_the_slot),
      crew_test(log_lines_carry_the_task_and_stay_lines),
      crew_test(large_results_wait_for_a_supervisor_that_is_slow_to_read),
      crew_test(a_handler_enqueues_through_the_supervisor),
      crew_test(a_handler_gets_no_client_of_its_own),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
