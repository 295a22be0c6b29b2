/* Whether a worker answers, look by look; the process that may be killed is a real one that does nothing. */
#include "lone_node.h"

#include <signal.h>
#include <stdatomic.h>
#include <sys/wait.h>
#include <unistd.h>

#include "supervisor/pulse.h"

/* In looks. */
#define UNTIL_SILENT 19 /* the next one finds that the PING has not been answered for long */
#define LONG_COMPUTING 300

static int start(void **state) {
  lone_start(state);
  mc_worker *worker = &((lone_node *)*state)->worker;
  worker->ready_ms = 1;
  worker->process.pid = fork();
  if (worker->process.pid == 0) {
    pause();
    _exit(0);
  }
  setpgid(worker->process.pid, worker->process.pid);
  return 0;
}

static int stop(void **state) {
  mc_worker *worker = &((lone_node *)*state)->worker;
  kill(worker->process.pid, SIGKILL);
  waitpid(worker->process.pid, NULL, 0);
  return lone_stop(state);
}

static void look(mc_worker *worker, uint64_t looks) {
  for (uint64_t i = 0; i < looks; i++)
    mc_pulse_look(worker);
}

static uint64_t grace_looks(const mc_worker *worker) {
  return (uint64_t)worker->node->config->kill_grace_ms / 100;
}

static void a_worker_that_runs_no_task_and_does_not_answer_is_killed(void **state) {
  mc_worker *worker = &((lone_node *)*state)->worker;
  look(worker, UNTIL_SILENT + grace_looks(worker));
  assert_string_equal(worker->killed_for, "");
  look(worker, 3);
  assert_string_not_equal(worker->killed_for, "");
}

static void one_that_a_task_kept_from_answering_for_long_has_all_of_the_grace_behind_it(void **state) {
  mc_worker *worker = &((lone_node *)*state)->worker;
  atomic_store(&worker->page->current, 1);
  look(worker, LONG_COMPUTING);
  assert_true(worker->stuck);
  atomic_store(&worker->page->current, 0);
  look(worker, grace_looks(worker));
  assert_string_equal(worker->killed_for, "");
  look(worker, 3);
  assert_string_not_equal(worker->killed_for, "");
}

static void one_that_goes_on_with_a_task_is_not_killed(void **state) {
  mc_worker *worker = &((lone_node *)*state)->worker;
  look(worker, UNTIL_SILENT + grace_looks(worker));
  atomic_fetch_add(&worker->page->steps, 1);
  look(worker, grace_looks(worker));
  assert_string_equal(worker->killed_for, "");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(a_worker_that_runs_no_task_and_does_not_answer_is_killed, start, stop),
      cmocka_unit_test_setup_teardown(one_that_a_task_kept_from_answering_for_long_has_all_of_the_grace_behind_it,
                                      start, stop),
      cmocka_unit_test_setup_teardown(one_that_goes_on_with_a_task_is_not_killed, start, stop),
  };
  return cmocka_run_group_tests(tests, lone_group_start, lone_group_stop);
}
