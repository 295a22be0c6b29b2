/* What the end of a fold says of its worker. */
#include "lone_node.h"

#include "base/mem.h"
#include "supervisor/folds.h"

/* A fold in the hands of the worker. */
static mc_fold *hold_fold(lone_node *lone) {
  mc_fold *fold = mc_zalloc(sizeof *fold);
  fold->node = &lone->node;
  fold->number = lone->node.next_attempt++;
  fold->queue = MC_SLICE_LITERAL("default");
  fold->group = MC_SLICE_LITERAL("g");
  mc_list_init(&fold->in_worker);
  mc_list_init(&fold->in_settling);
  HASH_ADD(hh, lone->node.folds.by_number, number, sizeof fold->number, fold);
  lone->node.folds.count++;
  mc_fold_assign(fold, &lone->worker);
  return fold;
}

static void assert_ended(lone_node *lone, mc_fold *fold, uint64_t folds) {
  assert_int_equal(lone->worker.ended, folds);
  assert_true(fold->settling);
  assert_null(fold->worker);
  mc_fold_free(fold);
}

static void end_by_result(lone_node *lone, mc_outcome outcome, uint64_t folds) {
  mc_fold *fold = hold_fold(lone);
  mc_frame_result result = {.attempt = fold->number, .outcome = outcome, .duration_us = 1000, .delay_ms = -1};
  assert_true(mc_folds_fail(&lone->node, &result));
  assert_ended(lone, fold, folds);
}

/* Else one that only folds would be started again ever more slowly, as if nothing had ever come of it. */
static void a_worker_that_folded_has_ended_something(void **state) {
  lone_node *lone = *state;
  uint64_t unfit = 0;
  mc_fold *fold = hold_fold(lone);
  mc_folds_end(&lone->node, &(mc_frame_folded){.attempt = fold->number, .options.type = MC_SLICE_LITERAL("sum")});
  assert_ended(lone, fold, 1);
  fold = hold_fold(lone);
  mc_folds_end(&lone->node, &(mc_frame_folded){.attempt = fold->number, .unfit = &unfit, .unfit_count = 1});
  assert_ended(lone, fold, 2);
  end_by_result(lone, MC_OUTCOME_FAILED, 3);
  end_by_result(lone, MC_OUTCOME_TIMED_OUT, 4);
}

static void what_it_hands_back_unstarted_it_has_not_ended(void **state) {
  end_by_result(*state, MC_OUTCOME_NOT_STARTED, 0);
}

static void what_is_not_in_hand_any_more_counts_for_nobody(void **state) {
  lone_node *lone = *state;
  mc_fold *fold = hold_fold(lone);
  mc_folds_end(&lone->node, &(mc_frame_folded){.attempt = fold->number + 1, .options.type = MC_SLICE_LITERAL("sum")});
  assert_int_equal(lone->worker.ended, 0);
  assert_ptr_equal(fold->worker, &lone->worker);
  mc_fold_free(fold);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      lone_test(a_worker_that_folded_has_ended_something),
      lone_test(what_it_hands_back_unstarted_it_has_not_ended),
      lone_test(what_is_not_in_hand_any_more_counts_for_nobody),
  };
  return cmocka_run_group_tests(tests, lone_group_start, lone_group_stop);
}
