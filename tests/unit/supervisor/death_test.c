/* What the death of a worker does to its tasks: whom it blames, and where the others go. */
#include "lone_node.h"

#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>

#include "supervisor/death.h"

/* The worker has a, b and c, and was resuming the one with this place among them (-1: none). */
static void hold_three(lone_node *lone, int resumed) {
  static const char *const ids[] = {"a", "b", "c"};
  for (int i = 0; i < 3; i++) {
    const mc_held *held = lone_hold_plain(lone, ids[i]);
    if (i == resumed)
      atomic_store(&lone->worker.page->current, held->attempt);
  }
}

static void die(lone_node *lone, int64_t status, int number) {
  mc_death_settle(&lone->worker, status, number);
  assert_int_equal(lone->worker.held_count, 0);
  LONE_SETTLED(lone);
  assert_redis("0", "EXISTS asynq:{default}:active asynq:{default}:lease");
}

static void assert_crashes(const char *a, const char *b, const char *c) {
  assert_redis(a, "HGET asynq:{default}:t:a mc_crashes");
  assert_redis(b, "HGET asynq:{default}:t:b mc_crashes");
  assert_redis(c, "HGET asynq:{default}:t:c mc_crashes");
}

static void assert_nothing_spent(void) {
  static const char *const ids[] = {"a", "b", "c"};
  for (int i = 0; i < 3; i++) {
    mc_message_box box = lone_message(ids[i]);
    assert_int_equal(box.message.retried, 0);
    assert_int_equal(box.message.error_msg.size, 0);
    mc_message_free(&box);
  }
  assert_redis("0", "EXISTS asynq:{default}:processed asynq:{default}:failed");
}

static void who_was_running_is_blamed_and_all_go_back_in_order(void **state) {
  lone_node *lone = *state;
  hold_three(lone, 1);
  die(lone, 0, SIGSEGV);
  assert_redis("c b a", "LRANGE asynq:{default}:pending 0 -1");
  assert_crashes("(nil)", "1", "(nil)");
  assert_nothing_spent();
  assert_true(lone_logged(lone, "\"worker died\"", "signal 11", "\"task_id\":\"b\"", "\"tasks_in_flight\":3", NULL));
}

/* The task itself says how its worker died, and when: for who looks at it before it has crashed too often. */
static void assert_last_crash(const char *id, const char *why) {
  const char *field = lone_ask("HGET asynq:{default}:t:%s mc_last_crash", id);
  char *rest;
  assert_true(llabs(strtoll(field, &rest, 10) - (long long)time(NULL)) < 60);
  assert_string_equal(rest, why);
}

static void how_it_died_stands_on_the_blamed_task_alone(void **state) {
  lone_node *lone = *state;
  hold_three(lone, 1);
  die(lone, 3, 0);
  assert_last_crash("b", " the worker died of exit code 3 while it ran this task: the handler ended its process: "
                         "handlers must not call os.exit() or exit()");
  assert_redis("0", "HEXISTS asynq:{default}:t:a mc_last_crash");
  lone_ask("FLUSHALL");
  snprintf(lone->worker.killed_for, sizeof lone->worker.killed_for, "it took too much");
  hold_three(lone, 2);
  die(lone, 0, SIGKILL);
  assert_last_crash("c", " the worker was killed while it ran this task: it took too much");
}

static void an_exit_with_code_0_is_a_crash_like_any_other(void **state) {
  lone_node *lone = *state;
  hold_three(lone, 0);
  die(lone, 0, 0);
  assert_crashes("1", "(nil)", "(nil)");
  assert_true(lone_logged(lone, "\"worker died\"", "exit code 0", NULL));
}

static void nobody_is_blamed_when_nothing_ran(void **state) {
  lone_node *lone = *state;
  hold_three(lone, -1);
  die(lone, 0, SIGKILL);
  assert_redis("c b a", "LRANGE asynq:{default}:pending 0 -1");
  assert_crashes("(nil)", "(nil)", "(nil)");
  assert_nothing_spent();
}

static void nobody_is_blamed_for_what_is_not_held_any_more(void **state) {
  lone_node *lone = *state;
  hold_three(lone, -1);
  atomic_store(&lone->worker.page->current, 77);
  die(lone, 0, SIGKILL);
  assert_crashes("(nil)", "(nil)", "(nil)");
}

static void nobody_is_blamed_when_we_killed_it_to_stop(void **state) {
  lone_node *lone = *state;
  hold_three(lone, 1);
  lone->worker.killed_to_stop = true;
  die(lone, 0, SIGKILL);
  assert_crashes("(nil)", "(nil)", "(nil)");
  assert_nothing_spent();
  assert_false(lone_logged(lone, "\"worker died\"", NULL));
}

static void who_closed_its_socket_is_blamed_whoever_runs_when_it_is_killed(void **state) {
  lone_node *lone = *state;
  hold_three(lone, 1);
  lone->worker.killed_cut_off = true;
  lone->worker.culprit = atomic_load(&lone->worker.page->current) - 1;
  die(lone, 0, SIGKILL);
  assert_crashes("1", "(nil)", "(nil)");
}

static void nobody_is_blamed_when_it_cannot_be_told_who_closed_it(void **state) {
  lone_node *lone = *state;
  hold_three(lone, 1);
  lone->worker.killed_cut_off = true;
  die(lone, 0, SIGKILL);
  assert_crashes("(nil)", "(nil)", "(nil)");
}

static void crashes_add_up(void **state) {
  lone_node *lone = *state;
  hold_three(lone, 1);
  die(lone, 0, SIGSEGV);
  lone_ask("DEL asynq:{default}:pending");
  mc_held *again = lone_hold_plain(lone, "b");
  assert_int_equal(again->crashes, 1);
  atomic_store(&lone->worker.page->current, again->attempt);
  die(lone, 0, SIGSEGV);
  assert_crashes("(nil)", "2", "(nil)");
}

static void at_max_crashes_the_blamed_one_is_archived_with_the_reason(void **state) {
  lone_node *lone = *state;
  hold_three(lone, 1);
  mc_held_find(&lone->node.held, atomic_load(&lone->worker.page->current))->crashes = 2;
  die(lone, 0, SIGSEGV);
  assert_redis("c a", "LRANGE asynq:{default}:pending 0 -1");
  assert_redis("b", "ZRANGE asynq:{default}:archived 0 -1");
  mc_message_box box = lone_message("b");
  assert_int_equal(box.message.retried, 0);
  assert_non_null(memmem(box.message.error_msg.data, box.message.error_msg.size, "signal 11", 9));
  assert_non_null(memmem(box.message.error_msg.data, box.message.error_msg.size, "3 times", 7));
  mc_message_free(&box);
  assert_redis("0", "HEXISTS asynq:{default}:t:b mc_crashes");
  assert_non_null(strstr(lone_ask("HGET asynq:{default}:t:b mc_last_crash"), "signal 11"));
}

/* The supervisor killed the worker since this task was past its time: that is a time-out, not a crash. */
static void assert_time_is_up(lone_node *lone, bool cancelled, const char *error) {
  lone_ask("FLUSHALL");
  hold_three(lone, 1);
  lone->worker.overdue_attempt = atomic_load(&lone->worker.page->current);
  mc_held_find(&lone->node.held, lone->worker.overdue_attempt)->cancelled_ms = cancelled;
  die(lone, 0, SIGKILL);
  assert_redis("c a", "LRANGE asynq:{default}:pending 0 -1");
  mc_message_box box = lone_message("b");
  assert_int_equal(box.message.error_msg.size, strlen(error));
  assert_memory_equal(box.message.error_msg.data, error, strlen(error));
  assert_int_equal(box.message.retried, 1);
  mc_message_free(&box);
  assert_crashes("(nil)", "(nil)", "(nil)");
  assert_true(lone_logged(lone, "\"worker killed\"", "\"task_id\":\"b\"", NULL));
}

static void what_did_not_stop_in_time_fails(void **state) {
  assert_time_is_up(*state, false,
                    "context deadline exceeded: the handler went on, and its worker was killed after kill_grace");
  assert_time_is_up(*state, true, "context canceled: the handler went on, and its worker was killed after kill_grace");
}

/* It stood waiting when its worker was killed: the page names nobody, the supervisor knows whom it was killed for. */
static void so_does_what_only_waits_on(void **state) {
  lone_node *lone = *state;
  hold_three(lone, -1);
  lone->worker.overdue_attempt = 3;
  die(lone, 0, SIGKILL);
  assert_redis("b a", "LRANGE asynq:{default}:pending 0 -1");
  assert_redis("retry", "HGET asynq:{default}:t:c state");
}

static void assert_error_holds(const char *id, const char *text) {
  mc_message_box box = lone_message(id);
  if (!memmem(box.message.error_msg.data, box.message.error_msg.size, text, strlen(text)))
    fail_msg("\"%.*s\" does not hold \"%s\"", MC_SLICE_PRINT(box.message.error_msg), text);
  mc_message_free(&box);
}

/* b computes, and its own time is not up; a's is. */
static void who_let_no_other_run_is_told_so(void **state) {
  lone_node *lone = *state;
  hold_three(lone, 1);
  lone->worker.overdue_attempt = 1;
  die(lone, 0, SIGKILL);
  assert_error_holds("b", "the handler let no other run");
  assert_redis("c a", "LRANGE asynq:{default}:pending 0 -1");
}

/* The page says that the handler of this attempt, which has the first slot, had failed when the worker ended. */
static void had_failed(lone_node *lone, uint64_t attempt, const char *error) {
  mc_page *page = lone->worker.page;
  mc_page_failure *failure = mc_page_failure_of(page, (uint32_t)lone->worker.config->concurrency, 0);
  atomic_store(&page->slots[0].attempt, attempt);
  memcpy(failure->text, error, strlen(error));
  atomic_store(&failure->size, strlen(error));
  atomic_store(&failure->attempt, attempt);
}

static void what_it_had_failed_by_is_not_lost(void **state) {
  lone_node *lone = *state;
  hold_three(lone, 1);
  had_failed(lone, atomic_load(&lone->worker.page->current), "boom");
  lone->worker.overdue_attempt = atomic_load(&lone->worker.page->current);
  die(lone, 0, SIGKILL);
  assert_error_holds("b",
                     "context deadline exceeded: a function of crew.on_error or for retries went on, and its worker "
                     "was killed after kill_grace; the handler had failed: boom");
  assert_true(lone_logged(lone, "\"worker killed\"", "\"handler_error\":\"boom\"", NULL));
  lone->worker.overdue_attempt = 0;
  lone_ask("FLUSHALL");
  hold_three(lone, 0);
  had_failed(lone, atomic_load(&lone->worker.page->current), "bang");
  die(lone, 0, SIGSEGV);
  assert_non_null(strstr(lone_ask("HGET asynq:{default}:t:a mc_last_crash"), "; the handler had failed: bang"));
  lone_ask("FLUSHALL"); /* what an attempt before had in this slot */
  hold_three(lone, 2);
  atomic_store(&lone->worker.page->slots[0].attempt, atomic_load(&lone->worker.page->current));
  die(lone, 0, SIGSEGV);
  assert_null(strstr(lone_ask("HGET asynq:{default}:t:c mc_last_crash"), "had failed"));
}

static void assert_archived_with(lone_node *lone, int64_t status, int number, const char *text) {
  lone_ask("FLUSHALL");
  lone->config.max_crashes = 1;
  mc_held *held = lone_hold_plain(lone, "a");
  atomic_store(&lone->worker.page->current, held->attempt);
  die(lone, status, number);
  assert_redis("archived", "HGET asynq:{default}:t:a state");
  assert_error_holds("a", text);
}

static void the_reason_says_what_that_death_mostly_means(void **state) {
  assert_archived_with(*state, 0, SIGSEGV, "native code, called through FFI");
  assert_archived_with(*state, 0, SIGABRT, "abort() was called");
  assert_archived_with(*state, 0, SIGKILL, "killed from outside");
  assert_archived_with(*state, 0, SIGUSR1, "signal 10 (User defined signal 1)");
  assert_archived_with(*state, 3, 0,
                       "exit code 3 while it ran this task, 1 time (max_crashes is 1): the handler ended");
}

static void the_reason_says_what_we_killed_it_for(void **state) {
  lone_node *lone = *state;
  snprintf(lone->worker.killed_for, sizeof lone->worker.killed_for, "it took too much");
  assert_archived_with(lone, 0, SIGKILL,
                       "the worker was killed while it ran this task, 1 time (max_crashes is 1): it took too much");
  assert_true(lone_logged(lone, "\"worker killed\"", "it took too much", "\"task_id\":\"a\"", NULL));
}

static void a_suspect_is_blamed_when_none_is_resumed(void **state) {
  lone_node *lone = *state;
  hold_three(lone, -1);
  lone->worker.suspect = 3;
  die(lone, 0, SIGKILL);
  assert_crashes("(nil)", "(nil)", "1");
}

static void the_only_one_that_has_started_is_blamed_for_a_crash_of_the_loop(void **state) {
  lone_node *lone = *state;
  hold_three(lone, -1);
  atomic_store(&lone->worker.page->slots[4].attempt, 2);
  die(lone, 0, SIGABRT);
  assert_crashes("(nil)", "1", "(nil)");
}

static void but_not_for_a_kill_from_outside_nor_beside_others(void **state) {
  lone_node *lone = *state;
  hold_three(lone, -1);
  atomic_store(&lone->worker.page->slots[4].attempt, 2);
  die(lone, 0, SIGKILL);
  assert_crashes("(nil)", "(nil)", "(nil)");
  lone_ask("FLUSHALL");
  lone->node.next_attempt = 1;
  lone->worker.suspect = 0;
  hold_three(lone, -1);
  atomic_store(&lone->worker.page->slots[5].attempt, 3);
  die(lone, 0, SIGABRT);
  assert_crashes("(nil)", "(nil)", "(nil)");
}

/* a, b and c have started, and have made the worker grow by so much; it was killed at 250, the limit is 100. */
static void kill_for_size(lone_node *lone, uint64_t a, uint64_t b, uint64_t c, int resumed) {
  const uint64_t grown[] = {a, b, c};
  lone_ask("FLUSHALL");
  lone->node.next_attempt = 1;
  hold_three(lone, resumed);
  for (int i = 0; i < 3; i++) {
    atomic_store(&lone->worker.page->slots[i].attempt, (uint64_t)i + 1);
    atomic_store(&lone->worker.page->slots[i].grown, grown[i]);
  }
  if (resumed < 0)
    atomic_store(&lone->worker.page->current, 0);
  atomic_store(&lone->worker.page->peak, 190);
  lone->node.queues.turns[0].pool.memory_limit = 100;
  lone->worker.resident = 250;
  lone->worker.killed_for_size = true;
  snprintf(lone->worker.killed_for, sizeof lone->worker.killed_for, "it took too much");
  die(lone, 0, SIGKILL);
}

static void who_took_most_of_the_memory_is_blamed_and_not_who_runs(void **state) {
  kill_for_size(*state, 10, 51, 120, 0);
  assert_crashes("(nil)", "(nil)", "1");
  kill_for_size(*state, 0, 50, 0, -1);
  assert_crashes("(nil)", "1", "(nil)");
}

static void what_came_since_the_last_measure_belongs_to_who_runs(void **state) {
  kill_for_size(*state, 66, 64, 5, 2);
  assert_crashes("1", "(nil)", "(nil)");
  kill_for_size(*state, 63, 64, 5, 2);
  assert_crashes("(nil)", "(nil)", "1");
}

static void when_nobody_took_much_it_is_who_runs_or_nobody(void **state) {
  kill_for_size(*state, 40, 30, 30, -1);
  assert_crashes("(nil)", "(nil)", "(nil)");
  lone_node *lone = *state;
  lone->worker.resident = 0;
  kill_for_size(lone, 40, 30, 30, 1);
  assert_crashes("(nil)", "1", "(nil)");
}

/* By the kernel, for want of memory. */
static void a_kill_from_outside_is_the_same_above_the_limit(void **state) {
  lone_node *lone = *state;
  lone->node.queues.turns[0].pool.memory_limit = 100;
  for (int above = 0; above < 2; above++) {
    lone_ask("FLUSHALL");
    lone->node.next_attempt = 1;
    hold_three(lone, 0);
    atomic_store(&lone->worker.page->slots[4].attempt, 2);
    atomic_store(&lone->worker.page->slots[4].grown, 90);
    lone->worker.resident = above ? 101 : 100;
    die(lone, 0, SIGKILL);
    assert_crashes(above ? "(nil)" : "1", above ? "1" : "(nil)", "(nil)");
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      lone_test(who_was_running_is_blamed_and_all_go_back_in_order),
      lone_test(an_exit_with_code_0_is_a_crash_like_any_other),
      lone_test(nobody_is_blamed_when_nothing_ran),
      lone_test(nobody_is_blamed_for_what_is_not_held_any_more),
      lone_test(nobody_is_blamed_when_we_killed_it_to_stop),
      lone_test(how_it_died_stands_on_the_blamed_task_alone),
      lone_test(who_closed_its_socket_is_blamed_whoever_runs_when_it_is_killed),
      lone_test(nobody_is_blamed_when_it_cannot_be_told_who_closed_it),
      lone_test(crashes_add_up),
      lone_test(at_max_crashes_the_blamed_one_is_archived_with_the_reason),
      lone_test(what_did_not_stop_in_time_fails),
      lone_test(so_does_what_only_waits_on),
      lone_test(who_let_no_other_run_is_told_so),
      lone_test(what_it_had_failed_by_is_not_lost),
      lone_test(the_reason_says_what_that_death_mostly_means),
      lone_test(the_reason_says_what_we_killed_it_for),
      lone_test(the_only_one_that_has_started_is_blamed_for_a_crash_of_the_loop),
      lone_test(but_not_for_a_kill_from_outside_nor_beside_others),
      lone_test(who_took_most_of_the_memory_is_blamed_and_not_who_runs),
      lone_test(what_came_since_the_last_measure_belongs_to_who_runs),
      lone_test(when_nobody_took_much_it_is_who_runs_or_nobody),
      lone_test(a_kill_from_outside_is_the_same_above_the_limit),
      lone_test(a_suspect_is_blamed_when_none_is_resumed),
  };
  return cmocka_run_group_tests(tests, lone_group_start, lone_group_stop);
}
