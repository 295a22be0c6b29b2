/* Many tasks in a worker: time-outs, cancellation, draining, and what the shared page tells of them. */
#include "crew.h"

#include "base/clock.h"

#include <stdatomic.h>
#include <stdio.h>
#include <unistd.h>

static const char waiting_script[] = "local crew = require 'mooncrew'\n"
                                     "crew.task('sleep', { perform = function(payload) crew.sleep(payload) end })\n"
                                     "local begun = 0\n"
                                     "crew.task('meet', { perform = function(payload)\n"
                                     "  begun = begun + 1\n"
                                     "  repeat crew.sleep(0.2) until begun == payload\n"
                                     "end })\n"
                                     "crew.task('stubborn', { perform = function()\n"
                                     "  local _, first = pcall(crew.sleep, '1h')\n"
                                     "  local _, second = pcall(crew.sleep, 0)\n"
                                     "  return { first, second }\n"
                                     "end })\n"
                                     "crew.task('wraps', { perform = function()\n"
                                     "  local ok, message = pcall(crew.sleep, '1h')\n"
                                     "  error('gave up: ' .. message, 0)\n"
                                     "end })\n"
                                     "crew.task('spin', { perform = function() while true do end end })\n";

static void many_tasks_sleep_at_a_time(void **state) {
  crew *self = *state;
  char all[16];
  snprintf(all, sizeof all, "%d", CREW_CONCURRENCY);
  crew_start(self, CREW_CONCURRENCY, waiting_script);
  for (int i = 0; i < CREW_CONCURRENCY; i++)
    crew_add_task(self, "meet", all, 0);
  crew_send(self);
  for (uint64_t i = 1; i <= CREW_CONCURRENCY; i++)
    assert_true(crew_expect_result(self, i, MC_OUTCOME_DONE).duration_us >= 200000);
}

static void tasks_that_compute_whenever_they_run_let_others_start(void **state) {
  crew *self = *state;
  crew_start(self, 2,
             "local crew = require 'mooncrew'\n"
             "local done\n"
             "crew.task('busy', { perform = function()\n"
             "  repeat\n"
             "    local stop = os.clock() + 0.03\n"
             "    repeat until os.clock() > stop\n"
             "    crew.sleep(0)\n"
             "  until done\n"
             "end })\n"
             "crew.task('other', { perform = function() done = true end })\n");
  uint64_t busy = crew_send_task(self, "busy", "");
  while (atomic_load(&self->page->current) != busy)
    usleep(1000);
  crew_expect_result(self, crew_send_task(self, "other", ""), MC_OUTCOME_DONE);
  crew_expect_result(self, busy, MC_OUTCOME_DONE);
}

static void a_time_out_raises_where_the_handler_waits(void **state) {
  crew *self = *state;
  crew_start(self, 1, waiting_script);
  uint64_t attempt = crew_add_task(self, "sleep", "3600", 50);
  crew_send(self);
  mc_frame_result result = crew_expect_result(self, attempt, MC_OUTCOME_TIMED_OUT);
  assert_text(result.text, "context deadline exceeded");
  assert_holds(result.trace, "scripts/tasks.lua:2: in function");
  assert_true(result.duration_us >= 49000);
}

static void a_time_out_is_sticky_and_finishing_anyway_is_done(void **state) {
  crew *self = *state;
  crew_start(self, 1, waiting_script);
  uint64_t attempt = crew_add_task(self, "stubborn", "", 20);
  crew_send(self);
  assert_text(crew_expect_result(self, attempt, MC_OUTCOME_DONE).text,
              "[\"context deadline exceeded\",\"context deadline exceeded\"]");
  attempt = crew_add_task(self, "wraps", "", 20);
  crew_send(self);
  assert_text(crew_expect_result(self, attempt, MC_OUTCOME_TIMED_OUT).text, "gave up: context deadline exceeded");
}

static void a_deadline_that_has_passed_starts_nothing(void **state) {
  crew *self = *state;
  crew_start(self, 1, waiting_script);
  mc_frame_task task = {.attempt = 7, .type = MC_SLICE_LITERAL("spin"), .deadline_ms = 1000};
  mc_frame_task_encode(&self->out, &task);
  crew_send(self);
  assert_text(crew_expect_result(self, 7, MC_OUTCOME_TIMED_OUT).text, "context deadline exceeded");
}

static void cancel(crew *self, uint64_t attempt) {
  mc_frame_attempt frame = {attempt};
  mc_frame_cancel_encode(&self->out, &frame);
  crew_send(self);
}

static void cancel_reaches_running_and_waiting_tasks(void **state) {
  crew *self = *state;
  crew_start(self, 1, waiting_script);
  uint64_t running = crew_send_task(self, "sleep", "3600"), waiting = crew_send_task(self, "sleep", "3600");
  cancel(self, waiting);
  assert_text(crew_expect_result(self, waiting, MC_OUTCOME_CANCELLED).text, "context canceled");
  cancel(self, running);
  assert_text(crew_expect_result(self, running, MC_OUTCOME_CANCELLED).text, "context canceled");
  cancel(self, running); /* too late: nothing happens */
  crew_expect_result(self, crew_send_task(self, "sleep", "0"), MC_OUTCOME_DONE);
}

static void drain_hands_back_in_order_and_lets_the_rest_finish(void **state) {
  crew *self = *state;
  crew_start(self, 1, waiting_script);
  uint64_t running = crew_add_task(self, "stubborn", "", 100);
  uint64_t second = crew_add_task(self, "sleep", "0", 0), third = crew_add_task(self, "sleep", "0", 0);
  crew_send(self);
  while (atomic_load(&self->page->slots[0].attempt) != running)
    usleep(1000); /* the page has no event to wait on; the test's own time limit ends this */
  mc_frame_drain_encode(&self->out);
  crew_send(self);
  crew_expect_result(self, second, MC_OUTCOME_NOT_STARTED);
  crew_expect_result(self, third, MC_OUTCOME_NOT_STARTED);
  uint64_t later = crew_send_task(self, "sleep", "0"); /* it was not there yet: it is run in its turn */
  crew_expect_result(self, running, MC_OUTCOME_DONE);
  crew_expect_result(self, later, MC_OUTCOME_DONE);
}

static void the_page_names_who_runs_and_until_when(void **state) {
  crew *self = *state;
  crew_start(self, 2, waiting_script);
  uint64_t sleeper = crew_add_task(self, "sleep", "3600", 0), spinner = crew_add_task(self, "spin", "", 5000);
  uint64_t before_ms = mc_clock_mono_ms();
  crew_send(self);
  while (atomic_load(&self->page->current) != spinner)
    usleep(1000);
  assert_int_equal(atomic_load(&self->page->slots[0].attempt), sleeper);
  assert_int_equal(atomic_load(&self->page->slots[0].deadline_ms), 0);
  assert_int_equal(atomic_load(&self->page->slots[1].attempt), spinner);
  uint64_t started_ms = atomic_load(&self->page->slots[1].started_ms);
  assert_in_range(started_ms, before_ms, mc_clock_mono_ms());
  assert_in_range(atomic_load(&self->page->slots[1].deadline_ms), started_ms + 4999, started_ms + 5001);
}

static void slots_are_emptied_and_nobody_is_current_afterwards(void **state) {
  crew *self = *state;
  crew_start(self, 2, waiting_script);
  crew_expect_result(self, crew_send_task(self, "sleep", "0"), MC_OUTCOME_DONE);
  crew_expect_result(self, crew_send_task(self, "sleep", "0"), MC_OUTCOME_DONE);
  assert_int_equal(atomic_load(&self->page->current), 0);
  assert_int_equal(atomic_load(&self->page->slots[0].attempt), 0);
  assert_int_equal(atomic_load(&self->page->slots[1].attempt), 0);
}

static void what_was_taken_back_by_the_page_is_not_started(void **state) {
  crew *self = *state;
  crew_start(self, 2, "require('mooncrew').task('t', { perform = function() end })\n");
  atomic_store(&self->page->withdrawn, 2);
  crew_expect_result(self, crew_send_task(self, "t", ""), MC_OUTCOME_NOT_STARTED);
  crew_expect_result(self, crew_send_task(self, "t", ""), MC_OUTCOME_NOT_STARTED);
  crew_expect_result(self, crew_send_task(self, "t", ""), MC_OUTCOME_DONE);
  crew_expect_result(self, crew_send_task(self, "t", ""), MC_OUTCOME_DONE);
  crew_expect_result(self, crew_send_task(self, "t", ""), MC_OUTCOME_DONE); /* no slot was lost */
}

/* Loops that LuaJIT compiles, and that never come back to the worker's loop. */
static const char polling_script[] =
    "local crew = require 'mooncrew'\n"
    "crew.task('poll', { perform = function(_, task)\n"
    "  local n = 0\n"
    "  while not task:cancelled() do n = n + 1 end\n"
    "  return 'heard'\n"
    "end })\n"
    "crew.task('raise', { perform = function(_, task)\n"
    "  repeat local sum = 0 for i = 1, 1000 do sum = sum + i end until task:cancelled()\n"
    "  error 'gave up'\n"
    "end })\n"
    "crew.task('wait', { perform = function(_, task)\n"
    "  repeat until task:cancelled()\n"
    "  crew.sleep(60)\n"
    "end })\n";

static uint64_t send_timed(crew *self, const char *type, int64_t timeout_ms) {
  uint64_t attempt = crew_add_task(self, type, "", timeout_ms);
  crew_send(self);
  return attempt;
}

static void a_loop_that_never_waits_hears_that_its_time_is_up(void **state) {
  crew *self = *state;
  crew_start(self, 1, polling_script);
  assert_text(crew_expect_result(self, send_timed(self, "poll", 50), MC_OUTCOME_DONE).text, "heard");
  assert_holds(crew_expect_result(self, send_timed(self, "raise", 50), MC_OUTCOME_TIMED_OUT).text, "gave up");
  assert_holds(crew_expect_result(self, send_timed(self, "wait", 50), MC_OUTCOME_TIMED_OUT).text, "deadline exceeded");
}

/* As the supervisor does, once the handler runs. */
static void cancel_in_page(crew *self, uint64_t attempt) {
  uint64_t until = mc_clock_mono_ms() + CREW_LIMIT_MS;
  while (atomic_load(&self->page->slots[0].attempt) != attempt)
    assert_true(mc_clock_mono_ms() < until);
  atomic_store(&self->page->slots[0].cancelled, attempt);
}

static void a_loop_that_never_waits_hears_that_it_is_cancelled(void **state) {
  crew *self = *state;
  crew_start(self, 1, polling_script);
  uint64_t attempt = crew_send_task(self, "poll", "");
  cancel_in_page(self, attempt);
  assert_text(crew_expect_result(self, attempt, MC_OUTCOME_DONE).text, "heard");
  attempt = crew_send_task(self, "raise", "");
  cancel_in_page(self, attempt);
  crew_expect_result(self, attempt, MC_OUTCOME_CANCELLED);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      crew_test(many_tasks_sleep_at_a_time),
      crew_test(tasks_that_compute_whenever_they_run_let_others_start),
      crew_test(a_time_out_raises_where_the_handler_waits),
      crew_test(a_time_out_is_sticky_and_finishing_anyway_is_done),
      crew_test(a_deadline_that_has_passed_starts_nothing),
      crew_test(cancel_reaches_running_and_waiting_tasks),
      crew_test(drain_hands_back_in_order_and_lets_the_rest_finish),
      crew_test(the_page_names_who_runs_and_until_when),
      crew_test(slots_are_emptied_and_nobody_is_current_afterwards),
      crew_test(what_was_taken_back_by_the_page_is_not_started),
      crew_test(a_loop_that_never_waits_hears_that_its_time_is_up),
      crew_test(a_loop_that_never_waits_hears_that_it_is_cancelled),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
