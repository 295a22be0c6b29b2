/* Leases: what is extended, and what is given up. */
#include "lone_node.h"

#include <stdlib.h>

#include "base/clock.h"
#include "supervisor/duty_lease.h"

static long long lease_of(const char *id) {
  return strtoll(lone_ask("ZSCORE asynq:{default}:lease %s", id), NULL, 10);
}

/* Extends, and waits for the answer. */
static void extend(lone_node *lone) {
  mc_duty_lease(&lone->node);
  LONE_UNTIL(lone, mc_conn_waiting(lone->node.link.commands) == 0);
}

static void everything_held_is_extended(void **state) {
  lone_node *lone = *state;
  mc_held *at_worker = lone_hold_plain(lone, "a"), *waiting = lone_hold_plain(lone, "b");
  mc_held_assign(waiting, NULL);
  lone_ask("ZADD asynq:{default}:lease 1 a 1 b");
  at_worker->renewed_boot_ms = waiting->renewed_boot_ms = 1;
  extend(lone);
  assert_in_range(lease_of("a"), mc_clock_wall_s() + 25, mc_clock_wall_s() + 30);
  assert_in_range(lease_of("b"), mc_clock_wall_s() + 25, mc_clock_wall_s() + 30);
  assert_true(at_worker->renewed_boot_ms > 1);
  assert_true(waiting->renewed_boot_ms > 1);
}

static void a_task_that_another_has_is_given_up(void **state) {
  lone_node *lone = *state;
  mc_held *mine = lone_hold_plain(lone, "a"), *taken = lone_hold_plain(lone, "b");
  lone_ask("HSET asynq:{default}:t:b mc_owner other:1:node:7");
  lone_ask("ZADD asynq:{default}:lease 1 b");
  extend(lone);
  assert_false(mine->lost);
  assert_true(taken->lost);
  assert_true(taken->cancelled_ms > 0);
  assert_int_equal(lease_of("b"), 1);
}

static void of_two_attempts_in_hand_the_older_is_given_up(void **state) {
  lone_node *lone = *state;
  mc_held *old = lone_hold_plain(lone, "a");
  lone_ask("DEL asynq:{default}:active asynq:{default}:lease asynq:{default}:t:a");
  mc_held *new = lone_hold_plain(lone, "a");
  extend(lone);
  assert_true(old->lost);
  assert_false(new->lost);
  extend(lone);
  assert_false(new->lost);
}

/* Half a minute without Redis ends the leases, but nobody has taken anything. */
static void a_lease_is_given_up_half_a_minute_after_its_end(void **state) {
  lone_node *lone = *state;
  mc_held *held = lone_hold_plain(lone, "a");
  held->renewed_boot_ms = mc_clock_boot_ms() - 55000;
  mc_duty_lease_loss(&lone->node);
  assert_false(held->lost);
  held->renewed_boot_ms = mc_clock_boot_ms() - 60000;
  mc_duty_lease_loss(&lone->node);
  assert_true(held->lost);
  assert_true(lone_logged(lone, "\"task lost\"", "could not be renewed in time", NULL));
}

static void a_result_that_waits_for_redis_is_not_given_up(void **state) {
  lone_node *lone = *state;
  mc_held *held = lone_hold_plain(lone, "a");
  held->renewed_boot_ms = mc_clock_boot_ms() - 600000;
  mc_settle_add(&lone->node, held, MC_SETTLE_COMPLETE);
  mc_duty_lease_loss(&lone->node);
  LONE_SETTLED(lone);
  assert_redis("1", "GET asynq:{default}:processed");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      lone_test(everything_held_is_extended),
      lone_test(a_task_that_another_has_is_given_up),
      lone_test(of_two_attempts_in_hand_the_older_is_given_up),
      lone_test(a_lease_is_given_up_half_a_minute_after_its_end),
      lone_test(a_result_that_waits_for_redis_is_not_given_up),
  };
  return cmocka_run_group_tests(tests, lone_group_start, lone_group_stop);
}
