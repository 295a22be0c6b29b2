/* Cron entries and their history, as a client sees them. The bytes are written out: they are what asynq writes. */
#include "inspected.h"

#include <stdio.h>
#include <time.h>

/* id, spec "@daily", type "report", payload "p", options MaxRetry(3) and Queue("low"), next and prev as given (s). */
static void add_entry(inspected *i, const char *scheduler, const char *id, int next, int prev) {
  char bytes[128], *at = bytes;
  at += sprintf(at, "\x0a%c%s\x12\x06@daily\x1a\x06report\x22\x01p\x2a\x0bMaxRetry(3)\x2a\x0cQueue(\"low\")",
                (int)strlen(id), id);
  at += sprintf(at, "\x32\x02\x08%c", next);
  if (prev)
    at += sprintf(at, "\x3a\x02\x08%c", prev);
  inspected_ask(i, "RPUSH asynq:schedulers:{%s} %b", scheduler, bytes, (size_t)(at - bytes));
  inspected_ask(i, "ZADD asynq:schedulers %lld asynq:schedulers:{%s}", (long long)time(NULL) + 10, scheduler);
}

static void entries_of_all_schedulers_stand_by_id(void **state) {
  inspected *i = *state;
  mooncrew_cron_list list;
  add_entry(i, "h:1:u", "e2", 100, 0);
  add_entry(i, "h:2:u", "e1", 90, 40);
  inspected_expect(i, mooncrew_cron(i->client, &list, &i->error), MOONCREW_OK);
  assert_int_equal(list.count, 2);
  const mooncrew_cron_info *entry = &list.items[0];
  assert_string_equal(entry->id, "e1");
  assert_string_equal(entry->spec, "@daily");
  assert_string_equal(entry->type, "report");
  assert_int_equal(entry->payload_size, 1);
  assert_int_equal(entry->option_count, 2);
  assert_string_equal(entry->options[0], "MaxRetry(3)");
  assert_string_equal(entry->options[1], "Queue(\"low\")");
  assert_true(entry->next_ns == 90000000000);
  assert_true(entry->prev_ns == 40000000000);
  assert_int_equal(entry->schedulers, 1);
  assert_string_equal(list.items[1].id, "e2");
  assert_true(list.items[1].prev_ns == 0);
  mooncrew_release(list.memory);
}

static void an_entry_that_several_hold_stands_there_once(void **state) {
  inspected *i = *state;
  mooncrew_cron_list list;
  add_entry(i, "h:1:u", "e1", 100, 40);
  add_entry(i, "h:2:u", "e1", 90, 50);
  add_entry(i, "h:3:u", "e1", 95, 0);
  inspected_ask(i, "ZADD asynq:schedulers 1 asynq:schedulers:{h:3:u}"); /* dead */
  inspected_ask(i, "RPUSH asynq:schedulers:{h:2:u} %b", "\377", (size_t)1);
  inspected_expect(i, mooncrew_cron(i->client, &list, &i->error), MOONCREW_OK);
  assert_int_equal(list.count, 1);
  assert_int_equal(list.items[0].schedulers, 2);
  assert_true(list.items[0].next_ns == 90000000000);
  assert_true(list.items[0].prev_ns == 50000000000);
  mooncrew_release(list.memory);
}

static void the_history_begins_with_the_latest(void **state) {
  inspected *i = *state;
  mooncrew_cron_event_list list;
  char bytes[32];
  for (int k = 1; k <= 5; k++) {
    sprintf(bytes, "\x0a\x02t%d\x12\x02\x08%c", k, 10 + k);
    inspected_ask(i, "ZADD asynq:scheduler_history:e1 %d %b", 10 + k, bytes, strlen(bytes));
  }
  inspected_expect(i, mooncrew_cron_history(i->client, "e1", 1, 2, &list, &i->error), MOONCREW_OK);
  assert_int_equal(list.count, 2);
  assert_string_equal(list.items[0].task_id, "t5");
  assert_true(list.items[0].at_ns == 15000000000);
  assert_string_equal(list.items[1].task_id, "t4");
  mooncrew_release(list.memory);
  inspected_expect(i, mooncrew_cron_history(i->client, "e1", 3, 2, &list, &i->error), MOONCREW_OK);
  assert_int_equal(list.count, 1);
  assert_string_equal(list.items[0].task_id, "t1");
  mooncrew_release(list.memory);
  inspected_expect(i, mooncrew_cron_history(i->client, "e1", 0, 2, &list, &i->error), MOONCREW_EINVALID);
}

static void without_schedulers_there_is_nothing(void **state) {
  inspected *i = *state;
  mooncrew_cron_list entries;
  mooncrew_cron_event_list events;
  inspected_expect(i, mooncrew_cron(i->client, &entries, &i->error), MOONCREW_OK);
  assert_int_equal(entries.count, 0);
  mooncrew_release(entries.memory);
  inspected_expect(i, mooncrew_cron_history(i->client, "e1", 1, 30, &events, &i->error), MOONCREW_OK);
  assert_int_equal(events.count, 0);
  mooncrew_release(events.memory);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      inspected_test(entries_of_all_schedulers_stand_by_id),
      inspected_test(an_entry_that_several_hold_stands_there_once),
      inspected_test(the_history_begins_with_the_latest),
      inspected_test(without_schedulers_there_is_nothing),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
