/* Tasks that are run, archived or deleted by hand: one, and all of a state, up to a million. */
#include "inspected.h"

#include <stdio.h>
#include <stdlib.h>

#include "../support/relay.h"

#define CALL_IDS_MAX 1000

/* What progress told. */
struct report {
  int calls;
  int64_t last_done, total, largest_step;
  int stop_after; /* calls; 0: never */
  inspected *i;
  void (*meanwhile)(inspected *i, int call);
};

static int on_progress(void *arg, int64_t done, int64_t total) {
  struct report *report = arg;
  int64_t step = done - report->last_done;
  assert_true(step >= 0 && done <= total);
  report->largest_step = step > report->largest_step ? step : report->largest_step;
  report->last_done = done;
  report->total = total;
  report->calls++;
  if (report->meanwhile)
    report->meanwhile(report->i, report->calls);
  return report->calls == report->stop_after;
}

static mooncrew_bulk bulk_of(const char *state, struct report *report) {
  mooncrew_bulk bulk = MOONCREW_BULK_INIT;
  bulk.queue = "q";
  bulk.state = state;
  bulk.progress = report ? on_progress : NULL;
  bulk.arg = report;
  return bulk;
}

/* Makes tasks "1" … "count" of a state in one go, as small as they can be. */
static void make(inspected *i, const char *state, int count) {
  static const char script[] =
      "local list = ARGV[1] == 'pending' "
      "for n = 1, tonumber(ARGV[2]) do "
      "redis.call('HSET', 'asynq:{q}:t:' .. n, 'msg', ARGV[3], 'state', ARGV[1]) "
      "if list then redis.call('LPUSH', KEYS[1], n) else redis.call('ZADD', KEYS[1], n, n) end "
      "end";
  /* type "t", id "i": enough of a message */
  inspected_ask(i, "SADD asynq:queues q");
  inspected_ask(i, "EVAL %s 1 asynq:{q}:%s %s %d %b", script, state, state, count, "\x0a\x01t\x1a\x01i", (size_t)6);
}

static void one_task_is_run_archived_and_deleted(void **state) {
  inspected *i = *state;
  mooncrew_options later = MOONCREW_OPTIONS_INIT;
  later.process_in_ms = 60000;
  inspected_give_options(i, "a", "x", later);
  inspected_expect(i, mooncrew_run_task(i->client, "q", "a", &i->error), MOONCREW_OK);
  assert_string_equal(inspected_ask(i, "LRANGE asynq:{q}:pending 0 -1"), "a");
  inspected_expect(i, mooncrew_run_task(i->client, "q", "a", &i->error), MOONCREW_ESTATE);
  inspected_expect(i, mooncrew_archive_task(i->client, "q", "a", &i->error), MOONCREW_OK);
  assert_string_equal(inspected_ask(i, "ZRANGE asynq:{q}:archived 0 -1"), "a");
  inspected_expect(i, mooncrew_archive_task(i->client, "q", "a", &i->error), MOONCREW_ESTATE);
  inspected_expect(i, mooncrew_delete_task(i->client, "q", "a", &i->error), MOONCREW_OK);
  assert_string_equal(inspected_ask(i, "KEYS *"), "asynq:queues");
  inspected_expect(i, mooncrew_delete_task(i->client, "q", "a", &i->error), MOONCREW_ENOT_FOUND);
  inspected_expect(i, mooncrew_delete_task(i->client, "p", "a", &i->error), MOONCREW_ENOT_FOUND);
}

static void active_tasks_are_never_moved(void **state) {
  inspected *i = *state;
  mooncrew_bulk bulk = bulk_of("active", NULL);
  inspected_give(i, "a");
  inspected_ask(i, "RPOPLPUSH asynq:{q}:pending asynq:{q}:active");
  inspected_ask(i, "HSET asynq:{q}:t:a state active");
  inspected_expect(i, mooncrew_run_task(i->client, "q", "a", &i->error), MOONCREW_ESTATE);
  inspected_expect(i, mooncrew_archive_task(i->client, "q", "a", &i->error), MOONCREW_ESTATE);
  inspected_expect(i, mooncrew_delete_task(i->client, "q", "a", &i->error), MOONCREW_ESTATE);
  inspected_expect(i, mooncrew_run_tasks(i->client, &bulk, NULL, &i->error), MOONCREW_ESTATE);
  inspected_expect(i, mooncrew_archive_tasks(i->client, &bulk, NULL, &i->error), MOONCREW_ESTATE);
  inspected_expect(i, mooncrew_delete_tasks(i->client, &bulk, NULL, &i->error), MOONCREW_ESTATE);
  assert_string_equal(inspected_ask(i, "LRANGE asynq:{q}:active 0 -1"), "a");
}

static void all_of_a_state_are_moved_in_order(void **state) {
  inspected *i = *state;
  struct report report = {0};
  mooncrew_bulk bulk = bulk_of("pending", &report);
  int64_t done = 0;
  make(i, "pending", 2500);
  inspected_expect(i, mooncrew_archive_tasks(i->client, &bulk, &done, &i->error), MOONCREW_OK);
  assert_int_equal(done, 2500);
  assert_int_equal(report.calls, 3);
  assert_int_equal(report.total, 2500);
  assert_string_equal(inspected_ask(i, "ZCARD asynq:{q}:archived"), "2500");
  bulk.state = "archived";
  report = (struct report){0};
  inspected_expect(i, mooncrew_run_tasks(i->client, &bulk, &done, &i->error), MOONCREW_OK);
  assert_int_equal(done, 2500);
  assert_string_equal(inspected_ask(i, "LLEN asynq:{q}:pending"), "2500");
  inspected_expect(i, mooncrew_run_tasks(i->client, &bulk, &done, &i->error), MOONCREW_OK);
  assert_int_equal(done, 0);
  bulk.state = "pending";
  inspected_expect(i, mooncrew_run_tasks(i->client, &bulk, &done, &i->error), MOONCREW_ESTATE);
}

static void a_group_is_moved_as_one(void **state) {
  inspected *i = *state;
  mooncrew_bulk bulk = bulk_of("aggregating", NULL);
  mooncrew_options options = MOONCREW_OPTIONS_INIT;
  int64_t done = 0;
  options.group = "g1";
  inspected_give_options(i, "a", "x", options);
  inspected_give_options(i, "b", "x", options);
  options.group = "g2";
  inspected_give_options(i, "c", "x", options);
  inspected_expect(i, mooncrew_delete_tasks(i->client, &bulk, &done, &i->error), MOONCREW_EINVALID);
  bulk.group = "g1";
  inspected_expect(i, mooncrew_run_tasks(i->client, &bulk, &done, &i->error), MOONCREW_OK);
  assert_int_equal(done, 2);
  assert_string_equal(inspected_ask(i, "SMEMBERS asynq:{q}:groups"), "g2");
}

static void what_contradicts_itself_is_passed_over(void **state) {
  inspected *i = *state;
  mooncrew_bulk bulk = bulk_of("retry", NULL);
  int64_t done = 0;
  make(i, "retry", 2000);
  inspected_ask(i, "EVAL %s 0",
                "for n = 1, 1500 do redis.call('HSET', 'asynq:{q}:t:' .. n, 'state', 'active') end "
                "for n = 1, 10 do redis.call('ZADD', 'asynq:{q}:retry', 1800, 'x' .. n) end");
  inspected_expect(i, mooncrew_delete_tasks(i->client, &bulk, &done, &i->error), MOONCREW_OK);
  assert_int_equal(done, 500);
  assert_string_equal(inspected_ask(i, "ZCARD asynq:{q}:retry"), "1500"); /* without the ids that are no tasks */
}

/* While all pending tasks are deleted, a server takes some and a producer adds some. */
static void work_on(inspected *i, int call) {
  (void)call;
  inspected_ask(i, "EVAL %s 0",
                "for n = 1, 50 do local id = redis.call('RPOPLPUSH', 'asynq:{q}:pending', 'asynq:{q}:active') "
                "if id then redis.call('HSET', 'asynq:{q}:t:' .. id, 'state', 'active') end end "
                "for n = 1, 20 do local id = redis.call('INCR', 'next') "
                "redis.call('HSET', 'asynq:{q}:t:n' .. id, 'msg', 'm', 'state', 'pending') "
                "redis.call('LPUSH', 'asynq:{q}:pending', 'n' .. id) end");
}

static void others_may_work_on_the_queue_meanwhile(void **state) {
  inspected *i = *state;
  struct report report = {.i = i, .meanwhile = work_on};
  mooncrew_bulk bulk = bulk_of("pending", &report);
  int64_t done = 0;
  make(i, "pending", 5000);
  inspected_expect(i, mooncrew_delete_tasks(i->client, &bulk, &done, &i->error), MOONCREW_OK);
  long active = atol(inspected_ask(i, "LLEN asynq:{q}:active")), added = atol(inspected_ask(i, "GET next"));
  long left = atol(inspected_ask(i, "LLEN asynq:{q}:pending"));
  assert_true(done <= 5000 && active > 0);
  assert_int_equal(done, 5000 + added - active - left); /* every task was deleted, taken, or is there */
  assert_int_equal(atol(inspected_ask(i, "DBSIZE")),
                   active + left + 3 + (left > 0)); /* queues, next, active, pending */
}

static void progress_can_end_the_work(void **state) {
  inspected *i = *state;
  struct report report = {.stop_after = 2};
  mooncrew_bulk bulk = bulk_of("retry", &report);
  int64_t done = 0;
  make(i, "retry", 5000);
  inspected_expect(i, mooncrew_delete_tasks(i->client, &bulk, &done, &i->error), MOONCREW_OK);
  assert_int_equal(done, 2000);
  assert_string_equal(inspected_ask(i, "ZCARD asynq:{q}:retry"), "3000");
}

static void a_lost_answer_is_unknown_and_the_count_honest(void **state) {
  inspected *i = *state;
  const relay_rule rule = {"EVALSHA", RELAY_CUT, NULL, 1, 1};
  struct relay *relay = relay_start(redis_server_socket(i->server), &rule, 1);
  mooncrew_bulk bulk = bulk_of("retry", NULL);
  mooncrew_client *client;
  int64_t done = -1;
  make(i, "retry", 3000);
  mooncrew_delete_tasks(i->client, &bulk, &done, NULL); /* Redis knows the script from now on */
  make(i, "retry", 3000);
  assert_int_equal(mooncrew_open(relay_url(relay), &client, NULL), MOONCREW_OK);
  inspected_expect(i, mooncrew_delete_tasks(client, &bulk, &done, &i->error), MOONCREW_EUNKNOWN);
  assert_int_equal(done, 1000);
  assert_string_equal(inspected_ask(i, "ZCARD asynq:{q}:retry"), "1000");
  mooncrew_close(client);
  relay_stop(relay);
}

/* ---- a million ---- */

/* Reading of elements, told by what Redis has sent. */
static long long bytes_sent(inspected *i) {
  static const char name[] = "total_net_output_bytes:";
  const char *stats = inspected_ask(i, "INFO stats"), *found = strstr(stats, name);
  return found ? atoll(found + sizeof name - 1) : 0;
}

static void first_page(inspected *i, const char *state, const char *after, int number) {
  mooncrew_page page = MOONCREW_PAGE_INIT;
  mooncrew_task_list list;
  page.queue = "q";
  page.state = state;
  page.after = after;
  page.number = number;
  inspected_expect(i, mooncrew_tasks(i->client, &page, &list, &i->error), MOONCREW_OK);
  assert_int_equal(list.count, 30);
  assert_int_equal(list.total, 1000000);
  assert_non_null(list.next);
  mooncrew_release(list.memory);
}

/* The page, and nothing but the page: one script call, one range of 30 ids, 30 hashes. */
static void check_first_page(inspected *i, const char *state, const char *range) {
  first_page(i, state, NULL, 1); /* the script is known to Redis from now on */
  inspected_ask(i, "CONFIG RESETSTAT");
  first_page(i, state, NULL, 1);
  assert_true(bytes_sent(i) < 20000);
  assert_int_equal(inspected_calls(i, "evalsha"), 1);
  assert_int_equal(inspected_calls(i, range), 1);
  assert_int_equal(inspected_calls(i, "hgetall"), 30);
  assert_int_equal(inspected_calls(i, "zrange") + inspected_calls(i, "lrange"), 1);
}

static void check_delete_all(inspected *i, const char *state) {
  struct report report = {0};
  mooncrew_bulk bulk = bulk_of(state, &report);
  int64_t done = 0;
  inspected_expect(i, mooncrew_delete_tasks(i->client, &bulk, &done, &i->error), MOONCREW_OK);
  assert_int_equal(done, 1000000);
  assert_int_equal(report.calls, 1000000 / CALL_IDS_MAX);
  assert_int_equal(report.largest_step, CALL_IDS_MAX);
  assert_string_equal(inspected_ask(i, "KEYS *"), "asynq:queues");
}

static void of_a_million_in_a_set_a_page_costs_a_page(void **state) {
  inspected *i = *state;
  make(i, "archived", 1000000);
  check_first_page(i, "archived", "zrange");
  inspected_ask(i, "ZREM asynq:{q}:archived 500000");
  inspected_ask(i, "ZADD asynq:{q}:archived 2000000 500000");
  inspected_ask(i, "CONFIG RESETSTAT");
  first_page(i, "archived", "500000 500000", 1); /* after a task that has gone */
  assert_int_equal(inspected_calls(i, "hgetall"), 30);
  assert_true(inspected_calls(i, "zrange") <= 21);
  check_delete_all(i, "archived");
}

static void of_a_million_in_a_list_a_page_costs_a_page(void **state) {
  inspected *i = *state;
  make(i, "pending", 1000000);
  check_first_page(i, "pending", "lrange");
  check_delete_all(i, "pending");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      inspected_test(one_task_is_run_archived_and_deleted),
      inspected_test(active_tasks_are_never_moved),
      inspected_test(all_of_a_state_are_moved_in_order),
      inspected_test(a_group_is_moved_as_one),
      inspected_test(what_contradicts_itself_is_passed_over),
      inspected_test(others_may_work_on_the_queue_meanwhile),
      inspected_test(progress_can_end_the_work),
      inspected_test(a_lost_answer_is_unknown_and_the_count_honest),
      inspected_test(of_a_million_in_a_set_a_page_costs_a_page),
      inspected_test(of_a_million_in_a_list_a_page_costs_a_page),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
