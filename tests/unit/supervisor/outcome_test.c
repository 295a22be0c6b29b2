/* From what a handler did to what stands in Redis. */
#include "lone_node.h"

#include <stdlib.h>

#include "base/clock.h"
#include "supervisor/outcome.h"

static mc_frame_result result_of(const mc_held *held, mc_outcome outcome) {
  return (mc_frame_result){.attempt = held->attempt,
                           .outcome = outcome,
                           .delay_ms = -1,
                           .duration_us = 1500,
                           .text = MC_SLICE_LITERAL("why")};
}

/* The handler ends so, and what is written is written. */
static void end(lone_node *lone, const mc_frame_result *result) {
  mc_outcome_take(&lone->node, result);
  LONE_SETTLED(lone);
  assert_int_equal(lone->worker.held_count, 0);
  assert_redis("0", "EXISTS asynq:{default}:active asynq:{default}:lease");
}

static void end_plain(lone_node *lone, mc_message message, mc_outcome outcome) {
  mc_frame_result result = result_of(lone_hold(lone, "a", message), outcome);
  end(lone, &result);
}

static void assert_error(const char *expected, int32_t retried) {
  mc_message_box box = lone_message("a");
  assert_true(mc_slice_equal(box.message.error_msg, mc_slice_of(expected)));
  assert_int_equal(box.message.retried, retried);
  assert_in_range(box.message.last_failed_at_s, mc_clock_wall_s() - 5, mc_clock_wall_s());
  mc_message_free(&box);
}

static long long score_of(const char *set) {
  return strtoll(lone_ask("ZSCORE asynq:{default}:%s a", set), NULL, 10);
}

#define assert_counters(processed, failed)                                                                             \
  assert_redis(processed " " failed, "MGET asynq:{default}:processed asynq:{default}:failed")

static void done_without_retention_is_gone(void **state) {
  end_plain(*state, (mc_message){0}, MC_OUTCOME_DONE);
  assert_redis("0", "EXISTS asynq:{default}:t:a");
  assert_counters("1", "(nil)");
}

static void done_with_retention_keeps_its_result_and_gives_up_its_lock(void **state) {
  lone_node *lone = *state;
  lone_ask("SET lock a");
  mc_held *held = lone_hold(lone, "a", (mc_message){.retention_s = 60, .unique_key = MC_SLICE_LITERAL("lock")});
  mc_frame_result result = result_of(held, MC_OUTCOME_DONE);
  result.has_result = true;
  result.text = MC_SLICE_LITERAL("42");
  end(lone, &result);
  assert_redis("completed 42", "HMGET asynq:{default}:t:a state result");
  mc_message_box box = lone_message("a");
  assert_in_range(box.message.completed_at_s, mc_clock_wall_s() - 5, mc_clock_wall_s());
  assert_int_equal(score_of("completed"), box.message.completed_at_s + 60);
  mc_message_free(&box);
  assert_redis("0", "EXISTS lock");
  assert_counters("1", "(nil)");
}

static void an_empty_result_is_one_and_no_result_is_none(void **state) {
  lone_node *lone = *state;
  mc_frame_result result = result_of(lone_hold(lone, "a", (mc_message){.retention_s = 60}), MC_OUTCOME_DONE);
  result.text = (mc_slice){0};
  end(lone, &result);
  assert_redis("0", "HEXISTS asynq:{default}:t:a result");
  result = result_of(lone_hold(lone, "b", (mc_message){.retention_s = 60}), MC_OUTCOME_DONE);
  result.text = (mc_slice){0};
  result.has_result = true;
  end(lone, &result);
  assert_redis("1", "HEXISTS asynq:{default}:t:b result");
}

static void failed_is_retried_later_by_the_default_formula(void **state) {
  int64_t before_s = mc_clock_wall_s();
  end_plain(*state, (mc_message){.retried = 2}, MC_OUTCOME_FAILED);
  assert_redis("retry", "HGET asynq:{default}:t:a state");
  assert_error("why", 3);
  /* 2^4 + 15 + random(0..29) * 3, and what passed meanwhile. */
  assert_in_range(score_of("retry"), before_s + 31, mc_clock_wall_s() + 1 + 31 + 87);
  assert_counters("1", "1");
}

static void its_own_delay_comes_first_and_is_rounded_up(void **state) {
  lone_node *lone = *state;
  mc_frame_result result = result_of(lone_hold_plain(lone, "a"), MC_OUTCOME_RETRY_IN);
  result.delay_ms = 90001;
  int64_t earliest_ms = mc_clock_wall_ms() + 90001;
  end(lone, &result);
  assert_true(score_of("retry") * 1000 >= earliest_ms);
  assert_true(score_of("retry") * 1000 < mc_clock_wall_ms() + 90001 + 1000);
  assert_error("why", 1);
}

static void failures_of_every_sort_spend_a_retry(void **state) {
  static const mc_outcome sorts[] = {MC_OUTCOME_FAILED, MC_OUTCOME_TIMED_OUT, MC_OUTCOME_CANCELLED};
  for (size_t i = 0; i < MC_COUNT(sorts); i++) {
    lone_ask("FLUSHALL");
    end_plain(*state, (mc_message){0}, sorts[i]);
    assert_redis("retry", "HGET asynq:{default}:t:a state");
    assert_error("why", 1);
    assert_counters("1", "1");
  }
}

static void the_last_retry_spent_means_the_archive(void **state) {
  end_plain(*state, (mc_message){.retried = 25}, MC_OUTCOME_FAILED);
  assert_redis("archived", "HGET asynq:{default}:t:a state");
  assert_error("why", 25);
  assert_counters("1", "1");
  assert_true(lone_logged(*state, "\"task archived\"", "\"error\":\"why\"", NULL));
}

static void skipped_and_invalid_go_to_the_archive_at_once(void **state) {
  static const mc_outcome sorts[] = {MC_OUTCOME_SKIP_RETRY, MC_OUTCOME_INVALID};
  for (size_t i = 0; i < MC_COUNT(sorts); i++) {
    lone_ask("FLUSHALL");
    end_plain(*state, (mc_message){0}, sorts[i]);
    assert_redis("archived", "HGET asynq:{default}:t:a state");
    assert_error("why", 0);
  }
}

static void revoked_is_dropped_whatever_its_retention(void **state) {
  end_plain(*state, (mc_message){.retention_s = 60}, MC_OUTCOME_REVOKED);
  assert_redis("0", "EXISTS asynq:{default}:t:a asynq:{default}:completed");
  assert_true(lone_logged(*state, "\"task revoked\"", "\"reason\":\"why\"", NULL));
}

static void snoozed_waits_in_scheduled_and_counts_nothing(void **state) {
  lone_node *lone = *state;
  mc_frame_result result = result_of(lone_hold_plain(lone, "a"), MC_OUTCOME_SNOOZED);
  result.delay_ms = 600000;
  int64_t earliest_s = mc_clock_wall_s() + 600;
  end(lone, &result);
  assert_redis("scheduled", "HGET asynq:{default}:t:a state");
  assert_in_range(score_of("scheduled"), earliest_s, mc_clock_wall_s() + 601);
  assert_redis("0", "EXISTS asynq:{default}:processed asynq:{default}:failed");
  mc_message_box box = lone_message("a");
  assert_int_equal(box.message.retried, 0);
  mc_message_free(&box);
}

static void not_started_goes_back_as_it_came(void **state) {
  lone_node *lone = *state;
  end_plain(lone, (mc_message){0}, MC_OUTCOME_NOT_STARTED);
  assert_redis("a", "LRANGE asynq:{default}:pending 0 -1");
  assert_redis("0", "EXISTS asynq:{default}:processed");
  assert_int_equal(lone->worker.ended, 0); /* no handler has */
}

static void cancelled_while_we_stop_goes_back_too(void **state) {
  lone_node *lone = *state;
  lone->node.shutdown.phase = MC_CANCELLING;
  end_plain(lone, (mc_message){0}, MC_OUTCOME_CANCELLED);
  assert_redis("a", "LRANGE asynq:{default}:pending 0 -1");
  assert_redis("0", "EXISTS asynq:{default}:failed");
}

static void an_error_is_made_fit_for_redis(void **state) {
  lone_node *lone = *state;
  char text[6000];
  memset(text, 'x', sizeof text);
  text[0] = '\xff';
  mc_frame_result result = result_of(lone_hold_plain(lone, "a"), MC_OUTCOME_FAILED);
  result.text = (mc_slice){text, sizeof text};
  end(lone, &result);
  mc_message_box box = lone_message("a");                      /* a bad byte would make this fail */
  assert_in_range(box.message.error_msg.size, 4000, 4096 + 3); /* three dots mark the cut */
  mc_message_free(&box);
}

/* ---- what is not ours any more ---- */

static void the_result_of_an_unknown_attempt_is_refused(void **state) {
  lone_node *lone = *state;
  mc_outcome_take(&lone->node, &(mc_frame_result){.attempt = 77, .outcome = MC_OUTCOME_DONE});
  assert_true(lone_logged(lone, "\"result refused\"", "\"attempt\":77", NULL));
}

static void a_second_result_of_one_attempt_is_refused(void **state) {
  lone_node *lone = *state;
  mc_frame_result result = result_of(lone_hold_plain(lone, "a"), MC_OUTCOME_DONE);
  mc_outcome_take(&lone->node, &result);
  result.outcome = MC_OUTCOME_FAILED;
  mc_outcome_take(&lone->node, &result);
  LONE_SETTLED(lone);
  assert_true(lone_logged(lone, "\"result refused\"", "\"task_id\":\"a\"", NULL));
  assert_counters("1", "(nil)");
}

static bool was_cancelled(lone_node *lone, uint64_t attempt) {
  mc_frame_reader reader = {0};
  mc_frame frame;
  mc_frame_attempt cancel = {0};
  const mc_buf *out = &lone->worker.channel.out;
  mc_frame_reader_feed(&reader, out->data, out->size);
  bool cancelled = mc_frame_reader_next(&reader, &frame, NULL) == 1 && frame.type == MC_FRAME_CANCEL &&
                   mc_frame_cancel_decode(frame.body, &cancel) == 0 && cancel.attempt == attempt;
  mc_frame_reader_deinit(&reader);
  return cancelled;
}

static void a_lost_task_is_cancelled_and_its_result_not_written(void **state) {
  lone_node *lone = *state;
  mc_held *held = lone_hold_plain(lone, "a");
  mc_frame_result result = result_of(held, MC_OUTCOME_DONE);
  mc_outcome_lose(&lone->node, held, "gone");
  mc_outcome_lose(&lone->node, held, "gone");
  assert_true(lone_logged(lone, "\"task lost\"", "\"task_id\":\"a\"", "gone", NULL));
  assert_true(was_cancelled(lone, result.attempt));
  assert_int_equal(lone->node.held.count, 1); /* its handler still has a slot */
  mc_outcome_take(&lone->node, &result);
  assert_int_equal(lone->node.held.count, 0);
  assert_int_equal(lone->node.settle.waiting, 0);
  assert_true(lone_logged(lone, "\"result refused\"", "\"task_id\":\"a\"", NULL));
  assert_redis("active", "HGET asynq:{default}:t:a state");
}

static void a_task_lost_before_it_was_started_is_let_go(void **state) {
  lone_node *lone = *state;
  mc_held *held = lone_hold_plain(lone, "a");
  mc_held_assign(held, NULL);
  mc_outcome_lose(&lone->node, held, "gone");
  assert_int_equal(lone->node.held.count, 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      lone_test(done_without_retention_is_gone),
      lone_test(done_with_retention_keeps_its_result_and_gives_up_its_lock),
      lone_test(an_empty_result_is_one_and_no_result_is_none),
      lone_test(failed_is_retried_later_by_the_default_formula),
      lone_test(its_own_delay_comes_first_and_is_rounded_up),
      lone_test(failures_of_every_sort_spend_a_retry),
      lone_test(the_last_retry_spent_means_the_archive),
      lone_test(skipped_and_invalid_go_to_the_archive_at_once),
      lone_test(revoked_is_dropped_whatever_its_retention),
      lone_test(snoozed_waits_in_scheduled_and_counts_nothing),
      lone_test(not_started_goes_back_as_it_came),
      lone_test(cancelled_while_we_stop_goes_back_too),
      lone_test(an_error_is_made_fit_for_redis),
      lone_test(the_result_of_an_unknown_attempt_is_refused),
      lone_test(a_second_result_of_one_attempt_is_refused),
      lone_test(a_lost_task_is_cancelled_and_its_result_not_written),
      lone_test(a_task_lost_before_it_was_started_is_let_go),
  };
  return cmocka_run_group_tests(tests, lone_group_start, lone_group_stop);
}
