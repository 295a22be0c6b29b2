/* Taking back what a stuck worker has not started. */
#include "lone_node.h"

#include <stdatomic.h>

#include "supervisor/outcome.h"
#include "supervisor/withdraw.h"

static void hold_three(lone_node *lone) {
  lone_hold_plain(lone, "a");
  lone_hold_plain(lone, "b");
  lone_hold_plain(lone, "c");
}

static void answer(lone_node *lone, uint64_t attempt, mc_outcome outcome) {
  mc_outcome_take(&lone->node, &(mc_frame_result){.attempt = attempt, .outcome = outcome, .delay_ms = -1});
}

/* a has ended, and its result lies in the worker's buffer: it is in no slot. b runs. */
static void what_is_newer_than_all_that_started_goes_back(void **state) {
  lone_node *lone = *state;
  hold_three(lone);
  atomic_store(&lone->worker.page->newest, 2);
  atomic_store(&lone->worker.page->slots[0].attempt, 2);
  mc_worker_withdraw(&lone->worker);
  assert_int_equal(lone->worker.held_count, 2);
  assert_int_equal(atomic_load(&lone->worker.page->withdrawn), 3);
  LONE_UNTIL(lone, lone->node.held.count == 2);
  assert_redis("c", "LRANGE asynq:{default}:pending 0 -1");
  assert_redis("b a", "LRANGE asynq:{default}:active 0 -1");
}

static void its_late_answer_is_of_no_interest_and_a_result_is(void **state) {
  lone_node *lone = *state;
  hold_three(lone);
  atomic_store(&lone->worker.page->newest, 2);
  mc_worker_withdraw(&lone->worker);
  answer(lone, 3, MC_OUTCOME_NOT_STARTED);
  answer(lone, 1, MC_OUTCOME_DONE);
  answer(lone, 2, MC_OUTCOME_DONE);
  LONE_SETTLED(lone);
  answer(lone, 3, MC_OUTCOME_NOT_STARTED);
  assert_false(lone_logged(lone, "result refused", NULL));
  answer(lone, 2, MC_OUTCOME_DONE);
  assert_true(lone_logged(lone, "result refused", NULL));
  assert_redis("c", "LRANGE asynq:{default}:pending 0 -1");
}

static void nothing_is_withdrawn_when_all_has_started(void **state) {
  lone_node *lone = *state;
  hold_three(lone);
  atomic_store(&lone->worker.page->newest, 3);
  mc_worker_withdraw(&lone->worker);
  assert_int_equal(lone->worker.held_count, 3);
  assert_int_equal(atomic_load(&lone->worker.page->withdrawn), 0);
}

static void what_was_cancelled_meanwhile_fails(void **state) {
  lone_node *lone = *state;
  hold_three(lone);
  mc_held_find(&lone->node.held, 3)->cancelled_ms = 1;
  atomic_store(&lone->worker.page->newest, 2);
  mc_worker_withdraw(&lone->worker);
  LONE_UNTIL(lone, lone->node.held.count == 2);
  assert_redis("retry", "HGET asynq:{default}:t:c state");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      lone_test(what_is_newer_than_all_that_started_goes_back),
      lone_test(its_late_answer_is_of_no_interest_and_a_result_is),
      lone_test(nothing_is_withdrawn_when_all_has_started),
      lone_test(what_was_cancelled_meanwhile_fails),
  };
  return cmocka_run_group_tests(tests, lone_group_start, lone_group_stop);
}
