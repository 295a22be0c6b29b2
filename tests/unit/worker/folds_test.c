/* Folds of groups in a worker. */
#include "crew.h"

#include "base/clock.h"

#include <stdatomic.h>
#include <unistd.h>

static const char fold_script[] =
    "local crew = require 'mooncrew'\n"
    "crew.task('item', { payload = crew.schema.object { n = crew.schema.integer {} }, perform = print })\n"
    "crew.task('sleep', { perform = function() crew.sleep(60) end })\n"
    "crew.aggregate { group = 'g:*', queue = 'low', max_delay = '1h', max_size = 3, timeout = '90s', type = 'sum',\n"
    "  fold = function(payloads, group, tasks)\n"
    "    if group == 'g:sleep' then crew.sleep(60) elseif group == 'g:spin' then while true do end end\n"
    "    local sum = 0\n"
    "    for _, payload in ipairs(payloads) do sum = sum + payload.n end\n"
    "    if sum == 13 then error('unlucky') end\n"
    "    return { sum = sum, id = tasks[2].id, header = tasks[2].headers.h }, { max_retry = 3, headers = { a = 'b' } "
    "}\n"
    "  end }\n";

/* A fold of two tasks whose payloads are these. */
static uint64_t send_fold(crew *self, const char *group, const char *first, const char *second, int64_t timeout_ms) {
  static const mc_header header = {MC_SLICE_LITERAL("h"), MC_SLICE_LITERAL("v")};
  const mc_frame_fold_task tasks[] = {
      {.id = MC_SLICE_LITERAL("a"), .type = MC_SLICE_LITERAL("item"), .payload = mc_slice_of(first)},
      {MC_SLICE_LITERAL("b"), MC_SLICE_LITERAL("item"), mc_slice_of(second), &header, 1}};
  mc_frame_fold fold = {.attempt = ++self->last_attempt,
                        .rule_queue = MC_SLICE_LITERAL("low"),
                        .pattern = MC_SLICE_LITERAL("g:*"),
                        .queue = MC_SLICE_LITERAL("low"),
                        .group = mc_slice_of(group),
                        .timeout_ms = timeout_ms,
                        .tasks = tasks,
                        .count = 2};
  mc_frame_fold_encode(&self->out, &fold);
  crew_send(self);
  return fold.attempt;
}

static void ready_lists_the_rules_for_groups(void **state) {
  crew *self = *state;
  mc_frame_ready ready;
  crew_write_script(self, "tasks.lua", fold_script);
  crew_spawn(self, 1);
  assert_int_equal(mc_frame_ready_decode(crew_expect(self, MC_FRAME_READY).body, &ready), 0);
  assert_int_equal(ready.rule_count, 1);
  assert_text(ready.rules[0].queue, "low");
  assert_text(ready.rules[0].pattern, "g:*");
  assert_int_equal(ready.rules[0].grace_s, 60);
  assert_int_equal(ready.rules[0].max_delay_s, 3600);
  assert_int_equal(ready.rules[0].max_size, 3);
  assert_int_equal(ready.rules[0].timeout_ms, 90000);
  mc_frame_ready_free(&ready);
}

static void a_fold_gives_a_new_task(void **state) {
  crew *self = *state;
  mc_frame_folded folded;
  crew_start(self, 1, fold_script);
  uint64_t fold = send_fold(self, "g:1", "{\"n\":1}", "{\"n\":2}", 0);
  assert_int_equal(mc_frame_folded_decode(crew_expect(self, MC_FRAME_FOLDED).body, &folded), 0);
  assert_int_equal(folded.attempt, fold);
  assert_int_equal(folded.unfit_count, 0);
  assert_text(folded.options.type, "sum");
  assert_text(folded.options.payload, "{\"header\":\"v\",\"id\":\"b\",\"sum\":3}");
  assert_text(folded.options.queue, "low");
  assert_int_equal(folded.options.max_retry, 3);
  assert_int_equal(folded.options.timeout_ms, -1);
  assert_int_equal(folded.options.header_count, 1);
  assert_text(folded.options.headers[0].value, "b");
  assert_int_equal(atomic_load(&self->page->slots[0].attempt), 0);
  mc_frame_folded_free(&folded);
}

static void a_fold_tells_which_payloads_do_not_fit(void **state) {
  crew *self = *state;
  mc_frame_folded folded;
  crew_start(self, 1, fold_script);
  send_fold(self, "g:1", "{\"n\":1}", "{\"n\":\"x\"}", 0);
  assert_int_equal(mc_frame_folded_decode(crew_expect(self, MC_FRAME_FOLDED).body, &folded), 0);
  assert_int_equal(folded.unfit_count, 1);
  assert_int_equal(folded.unfit[0], 1);
  mc_frame_folded_free(&folded);
}

static void a_fold_fails_like_a_task(void **state) {
  crew *self = *state;
  crew_start(self, 1, fold_script);
  mc_frame_result result =
      crew_expect_result(self, send_fold(self, "g:1", "{\"n\":6}", "{\"n\":7}", 0), MC_OUTCOME_FAILED);
  assert_holds(result.text, "unlucky");
  assert_holds(result.trace, "stack traceback");
  uint64_t late = send_fold(self, "g:sleep", "{\"n\":1}", "{\"n\":1}", 50);
  assert_text(crew_expect_result(self, late, MC_OUTCOME_TIMED_OUT).text, "context deadline exceeded");
}

static void a_fold_takes_a_slot_and_can_be_handed_back_or_cancelled(void **state) {
  crew *self = *state;
  crew_start(self, 1, fold_script);
  uint64_t running = send_fold(self, "g:sleep", "{\"n\":1}", "{\"n\":1}", 0);
  while (atomic_load(&self->page->slots[0].attempt) != running)
    usleep(1000);
  uint64_t waiting = send_fold(self, "g:1", "{\"n\":1}", "{\"n\":1}", 0);
  mc_frame_drain_encode(&self->out);
  crew_send(self);
  crew_expect_result(self, waiting, MC_OUTCOME_NOT_STARTED);
  assert_int_equal(atomic_load(&self->page->slots[0].attempt), running);
  mc_frame_cancel_encode(&self->out, &(mc_frame_attempt){running});
  crew_send(self);
  crew_expect_result(self, running, MC_OUTCOME_CANCELLED);
}

static void the_page_names_the_fold_that_runs(void **state) {
  crew *self = *state;
  crew_start(self, 1, fold_script);
  uint64_t spinner = send_fold(self, "g:spin", "{\"n\":1}", "{\"n\":1}", 1000);
  while (atomic_load(&self->page->current) != spinner)
    usleep(1000);
  assert_true(atomic_load(&self->page->slots[0].deadline_ms) > mc_clock_mono_ms());
}

int main(void) {
  const struct CMUnitTest tests[] = {
      crew_test(ready_lists_the_rules_for_groups),
      crew_test(a_fold_gives_a_new_task),
      crew_test(a_fold_tells_which_payloads_do_not_fit),
      crew_test(a_fold_fails_like_a_task),
      crew_test(a_fold_takes_a_slot_and_can_be_handed_back_or_cancelled),
      crew_test(the_page_names_the_fold_that_runs),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
