/* Pages of tasks, one task, its payload, its cancellation. */
#include "inspected.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/mem.h"
#include "protocol/message.h"

static mooncrew_task_info *only(mooncrew_task_list *list) {
  assert_int_equal(list->count, 1);
  return (mooncrew_task_info *)list->items;
}

static void everything_known_of_a_task_is_told(void **state) {
  inspected *i = *state;
  mooncrew_task_list list;
  const mooncrew_header headers[] = {{"trace", "abc"}};
  mooncrew_options options = MOONCREW_OPTIONS_INIT;
  options.max_retry = 7;
  options.timeout_ms = 60000;
  options.deadline_s = 4000000000;
  options.unique_ms = 3600000;
  options.retention_ms = 90000;
  options.process_at_s = 3000000000;
  options.headers = headers;
  options.header_count = 1;
  inspected_give_options(i, "a", "payload", options);
  inspected_ask(i, "HSET asynq:{q}:t:a mc_crashes 2 result %b", "r\0s", (size_t)3);
  inspected_expect(i, mooncrew_find_task(i->client, "q", "a", &list, &i->error), MOONCREW_OK);
  const mooncrew_task_info *task = only(&list);
  assert_string_equal(task->id, "a");
  assert_string_equal(task->queue, "q");
  assert_string_equal(task->type, "kind");
  assert_string_equal(task->state, "scheduled");
  assert_null(task->problem);
  assert_int_equal(task->payload_size, 7);
  assert_memory_equal(task->payload, "payload", 7);
  assert_int_equal(task->max_retry, 7);
  assert_int_equal(task->retried, 0);
  assert_null(task->last_error);
  assert_int_equal(task->timeout_s, 60);
  assert_int_equal(task->deadline_s, 4000000000);
  assert_int_equal(task->retention_s, 90);
  assert_int_equal(task->next_process_at_s, 3000000000);
  assert_non_null(strstr(task->unique_key, "asynq:{q}:unique:kind:"));
  assert_int_equal(task->header_count, 1);
  assert_string_equal(task->headers[0].name, "trace");
  assert_string_equal(task->headers[0].value, "abc");
  assert_int_equal(task->result_size, 3);
  assert_memory_equal(task->result, "r\0s", 3);
  assert_int_equal(task->extra_count, 1);
  assert_string_equal(task->extra[0].name, "mc_crashes");
  assert_string_equal(task->extra[0].value, "2");
  mooncrew_release(list.memory);
}

static void the_last_crash_is_told_with_its_time_if_it_has_one(void **state) {
  inspected *i = *state;
  static const struct {
    const char *field, *text;
    int64_t at_s;
  } cases[] = {
      {"1700000000 it died: of old age", "it died: of old age", 1700000000},
      {"1700000000 ", "", 1700000000},
      {"it died", "it died", 0},
      {" it died", " it died", 0},
      {"1700000000", "1700000000", 0},
      {"", "", 0},
      {"1 \xff", "\xef\xbf\xbd", 1},
  };
  inspected_give(i, "a");
  for (size_t k = 0; k < MC_COUNT(cases); k++) {
    mooncrew_task_list list;
    inspected_ask(i, "HSET asynq:{q}:t:a mc_last_crash %b", cases[k].field, strlen(cases[k].field));
    inspected_expect(i, mooncrew_find_task(i->client, "q", "a", &list, &i->error), MOONCREW_OK);
    assert_string_equal(only(&list)->last_crash, cases[k].text);
    assert_int_equal(only(&list)->last_crash_at_s, cases[k].at_s);
    assert_int_equal(only(&list)->extra_count, 0);
    mooncrew_release(list.memory);
  }
}

static void a_task_that_does_not_exist_is_not_found(void **state) {
  inspected *i = *state;
  mooncrew_task_list list;
  inspected_expect(i, mooncrew_find_task(i->client, "q", "a", &list, &i->error), MOONCREW_ENOT_FOUND);
  assert_non_null(strstr(i->error.message, "no queue"));
  inspected_give(i, "a");
  inspected_expect(i, mooncrew_find_task(i->client, "q", "b", &list, &i->error), MOONCREW_ENOT_FOUND);
  assert_non_null(strstr(i->error.message, "no task \"b\""));
}

static void what_cannot_be_read_is_shown_with_the_reason(void **state) {
  inspected *i = *state;
  mooncrew_task_list list;
  mooncrew_page page = MOONCREW_PAGE_INIT;
  page.queue = "q";
  page.state = "retry";
  inspected_ask(i, "SADD asynq:queues q");
  inspected_ask(i, "ZADD asynq:{q}:retry 1 no-hash 2 no-message 3 bad-message 4 other-state");
  inspected_ask(i, "HSET asynq:{q}:t:no-message state retry");
  inspected_ask(i, "HSET asynq:{q}:t:bad-message state retry msg %b mc_owner me", "\377", (size_t)1);
  inspected_give(i, "other-state");
  inspected_ask(i, "ZADD asynq:{q}:retry 4 other-state");
  inspected_expect(i, mooncrew_tasks(i->client, &page, &list, &i->error), MOONCREW_OK);
  assert_int_equal(list.count, 4);
  static const char *const reasons[] = {"no task", "no message", "not protobuf", "another one"};
  for (size_t k = 0; k < 4; k++)
    assert_non_null(strstr(list.items[k].problem, reasons[k]));
  assert_null(list.items[2].type);
  assert_string_equal(list.items[2].extra[0].value, "me");
  assert_string_equal(list.items[3].type, "kind");
  mooncrew_release(list.memory);
}

static void the_state_tells_which_time_counts(void **state) {
  inspected *i = *state;
  static const char *const states[] = {"scheduled", "retry", "archived", "completed", "pending"};
  long long now = time(NULL);
  for (size_t k = 0; k < 5; k++) {
    mooncrew_task_list list;
    inspected_ask(i, "FLUSHALL");
    inspected_give(i, "a");
    inspected_ask(i, "HSET asynq:{q}:t:a state %s", states[k]);
    if (k < 4)
      inspected_ask(i, "ZADD asynq:{q}:%s %lld a", states[k], now + 50);
    inspected_expect(i, mooncrew_find_task(i->client, "q", "a", &list, &i->error), MOONCREW_OK);
    const mooncrew_task_info *task = only(&list);
    assert_int_equal(task->next_process_at_s > now + 40, k < 2);
    assert_int_equal(task->next_process_at_s > 0, k < 2 || k == 4);
    assert_int_equal(task->archived_at_s, k == 2 ? now + 50 : 0);
    assert_int_equal(task->expires_at_s, k == 3 ? now + 50 : 0);
    assert_int_equal(task->pending_since_ns > 0, k == 4);
    mooncrew_release(list.memory);
  }
}

static void an_active_task_whose_lease_has_run_out_is_orphaned(void **state) {
  inspected *i = *state;
  mooncrew_task_list list;
  mooncrew_page page = MOONCREW_PAGE_INIT;
  long long now = time(NULL);
  page.queue = "q";
  page.state = "active";
  static const char *const ids[] = {"none", "old", "new"};
  for (size_t k = 0; k < 3; k++) {
    inspected_give(i, ids[k]);
    inspected_ask(i, "HSET asynq:{q}:t:%s state active", ids[k]);
    inspected_ask(i, "LPUSH asynq:{q}:active %s", ids[k]);
  }
  inspected_ask(i, "ZADD asynq:{q}:lease %lld old %lld new", now - 5, now + 25);
  inspected_expect(i, mooncrew_tasks(i->client, &page, &list, &i->error), MOONCREW_OK);
  assert_int_equal(list.count, 3);
  assert_int_equal(list.items[0].orphaned, 0);
  assert_int_equal(list.items[0].lease_expires_s, 0);
  assert_int_equal(list.items[1].orphaned, 1);
  assert_int_equal(list.items[2].orphaned, 0);
  assert_int_equal(list.items[2].lease_expires_s, now + 25);
  mooncrew_release(list.memory);
}

/* ---- pages ---- */

static void fill(inspected *i, const char *state, int count) {
  mooncrew_options options = MOONCREW_OPTIONS_INIT;
  char id[16];
  for (int k = 0; k < count; k++) {
    snprintf(id, sizeof id, "t%03d", k);
    inspected_give_options(i, id, "x", options);
    if (strcmp(state, "pending") == 0)
      continue;
    inspected_ask(i, "LREM asynq:{q}:pending 1 %s", id);
    inspected_ask(i, "HSET asynq:{q}:t:%s state %s", id, state);
    inspected_ask(i, "ZADD asynq:{q}:%s %d %s", state, 1000 + k / 10, id);
  }
}

/* Follows `next` to the end, doing what is asked between the pages; all ids seen. */
static const char *follow(inspected *i, const char *state, int size, void (*between)(inspected *i, const char *last)) {
  static char seen[4096];
  char after[64] = "";
  mooncrew_page page = MOONCREW_PAGE_INIT;
  page.queue = "q";
  page.state = state;
  page.size = size;
  seen[0] = '\0';
  for (bool more = true; more;) {
    mooncrew_task_list list;
    page.after = after[0] ? after : NULL;
    inspected_expect(i, mooncrew_tasks(i->client, &page, &list, &i->error), MOONCREW_OK);
    for (size_t k = 0; k < list.count; k++)
      snprintf(seen + strlen(seen), sizeof seen - strlen(seen), "%s ", list.items[k].id);
    more = list.next != NULL;
    if (more) {
      snprintf(after, sizeof after, "%s", list.next);
      if (between)
        between(i, list.items[list.count - 1].id);
    }
    mooncrew_release(list.memory);
  }
  return seen;
}

static const char *all_ids(int count) {
  static char ids[4096];
  ids[0] = '\0';
  for (int k = 0; k < count; k++)
    snprintf(ids + strlen(ids), sizeof ids - strlen(ids), "t%03d ", k);
  return ids;
}

static void pages_follow_one_another_without_gap_or_overlap(void **state) {
  inspected *i = *state;
  static const char *const states[] = {"pending", "archived"};
  for (size_t k = 0; k < 2; k++) {
    inspected_ask(i, "FLUSHALL");
    fill(i, states[k], 45);
    assert_string_equal(follow(i, states[k], 10, NULL), all_ids(45));
    assert_string_equal(follow(i, states[k], 9, NULL), all_ids(45));
  }
}

static void remove_last(inspected *i, const char *last) {
  inspected_ask(i, "ZREM asynq:{q}:archived %s", last);
}

static void a_set_is_paged_right_while_what_was_seen_goes(void **state) {
  inspected *i = *state;
  fill(i, "archived", 45);
  assert_string_equal(follow(i, "archived", 7, remove_last), all_ids(45));
}

static void pages_can_be_counted_too(void **state) {
  inspected *i = *state;
  mooncrew_task_list list;
  mooncrew_page page = MOONCREW_PAGE_INIT;
  fill(i, "archived", 25);
  page.queue = "q";
  page.state = "archived";
  page.size = 10;
  page.number = 3;
  inspected_expect(i, mooncrew_tasks(i->client, &page, &list, &i->error), MOONCREW_OK);
  assert_int_equal(list.count, 5);
  assert_int_equal(list.total, 25);
  assert_string_equal(list.items[0].id, "t020");
  assert_null(list.next);
  mooncrew_release(list.memory);
}

static void a_page_that_makes_no_sense_is_refused(void **state) {
  inspected *i = *state;
  const mooncrew_page wrong[] = {
      {"q", "sleeping", NULL, 30, 1, NULL}, {"q", "retry", NULL, 0, 1, NULL},
      {"q", "retry", NULL, 1001, 1, NULL},  {"q", "retry", NULL, 30, 0, NULL},
      {"q", "retry", NULL, 30, 1, "5"},     {"q", "retry", NULL, 30, 1, "x y"},
      {"q", "retry", NULL, 30, 1, " y"},    {"q", "pending", NULL, 30, 1, "1 x"},
      {"q", "pending", NULL, 30, 1, "-1"},  {"q", "aggregating", NULL, 30, 1, NULL},
      {"q", "retry", "g", 30, 1, NULL},     {"q", NULL, NULL, 30, 1, NULL},
      {"", "retry", NULL, 30, 1, NULL},
  };
  inspected_give(i, "a");
  for (size_t k = 0; k < sizeof wrong / sizeof wrong[0]; k++) {
    mooncrew_task_list list;
    inspected_expect(i, mooncrew_tasks(i->client, &wrong[k], &list, &i->error), MOONCREW_EINVALID);
  }
}

/* ---- payload ---- */

static mc_message_box message_of(inspected *i, const char *id) {
  mc_message_box box;
  mc_err err;
  const mc_value *bytes = redis_sync_ask(i->redis, "HGET asynq:{q}:t:%s msg", id);
  assert_int_equal(mc_message_decode(bytes->text, &box, &err), 0);
  return box;
}

static void a_new_payload_takes_the_lock_along(void **state) {
  inspected *i = *state;
  mooncrew_options options = MOONCREW_OPTIONS_INIT;
  options.unique_ms = 3600000;
  options.process_in_ms = 60000;
  inspected_give_options(i, "a", "old", options);
  inspected_expect(i, mooncrew_update_payload(i->client, "q", "a", "new", 3, &i->error), MOONCREW_OK);
  mc_message_box box = message_of(i, "a");
  assert_true(mc_slice_equal(box.message.payload, MC_SLICE_LITERAL("new")));
  assert_true(mc_slice_equal(box.message.unique_key,
                             MC_SLICE_LITERAL("asynq:{q}:unique:kind:22af645d1859cb5ca6da0c484f1f37ea")));
  assert_int_equal(box.message.max_retry, 25);
  mc_message_free(&box);
  assert_string_equal(inspected_ask(i, "GET asynq:{q}:unique:kind:22af645d1859cb5ca6da0c484f1f37ea"), "a");
  assert_string_equal(inspected_ask(i, "EXISTS asynq:{q}:unique:kind:149603e6c03516362a8da23f624db945"), "0");
  inspected_give_options(i, "b", "old", options); /* the old payload is free again */
  mooncrew_task task = {"kind", "new", 3, options};
  task.options.queue = "q";
  inspected_expect(i, mooncrew_enqueue(i->client, &task, NULL, &i->error), MOONCREW_EDUPLICATE);
  inspected_expect(i, mooncrew_update_payload(i->client, "q", "b", "new", 3, &i->error), MOONCREW_EDUPLICATE);
  inspected_expect(i, mooncrew_delete_task(i->client, "q", "a", &i->error), MOONCREW_OK);
  inspected_expect(i, mooncrew_update_payload(i->client, "q", "b", "new", 3, &i->error), MOONCREW_OK);
}

/* asynq's inspector writes another payload into the message and leaves the lock that the first one took. */
static void update_as_go_does(inspected *i, const char *id, const char *payload) {
  mc_message_box box = message_of(i, id);
  mc_buf bytes = {0};
  box.message.payload = mc_slice_of(payload);
  mc_message_encode(&box.message, &bytes);
  inspected_ask(i, "HSET asynq:{q}:t:%s msg %b", id, bytes.data, bytes.size);
  mc_buf_deinit(&bytes);
  mc_message_free(&box);
}

static void the_lock_of_an_earlier_payload_comes_along_too(void **state) {
  inspected *i = *state;
  mooncrew_options options = MOONCREW_OPTIONS_INIT;
  options.unique_ms = 3600000;
  options.process_in_ms = 60000;
  inspected_give_options(i, "a", "old", options);
  update_as_go_does(i, "a", "other");
  inspected_expect(i, mooncrew_update_payload(i->client, "q", "a", "new", 3, &i->error), MOONCREW_OK);
  assert_string_equal(inspected_ask(i, "GET asynq:{q}:unique:kind:22af645d1859cb5ca6da0c484f1f37ea"), "a");
  assert_string_equal(inspected_ask(i, "EXISTS asynq:{q}:unique:kind:149603e6c03516362a8da23f624db945"), "0");
}

static void a_lock_that_says_nothing_of_the_payload_stays(void **state) {
  inspected *i = *state;
  const mc_message message = {.type = MC_SLICE_LITERAL("kind"),
                              .id = MC_SLICE_LITERAL("a"),
                              .queue = MC_SLICE_LITERAL("q"),
                              .unique_key = MC_SLICE_LITERAL("custom")};
  mc_buf bytes = {0};
  mc_message_encode(&message, &bytes);
  inspected_give(i, "a");
  inspected_ask(i, "HSET asynq:{q}:t:a unique_key custom msg %b", bytes.data, bytes.size);
  inspected_ask(i, "SET custom a");
  inspected_expect(i, mooncrew_update_payload(i->client, "q", "a", "new", 3, &i->error), MOONCREW_OK);
  assert_string_equal(inspected_ask(i, "GET custom"), "a");
  assert_string_equal(inspected_ask(i, "HGET asynq:{q}:t:a unique_key"), "custom");
  mc_buf_deinit(&bytes);
}

static void an_empty_payload_is_none(void **state) {
  inspected *i = *state;
  mooncrew_options options = MOONCREW_OPTIONS_INIT;
  options.unique_ms = 3600000;
  inspected_give_options(i, "a", "x", options);
  inspected_expect(i, mooncrew_update_payload(i->client, "q", "a", NULL, 0, &i->error), MOONCREW_OK);
  assert_string_equal(inspected_ask(i, "GET asynq:{q}:unique:kind:"), "a");
  inspected_expect(i, mooncrew_update_payload(i->client, "q", "a", "x", 1, &i->error), MOONCREW_OK);
  assert_string_equal(inspected_ask(i, "EXISTS asynq:{q}:unique:kind:"), "0");
}

static void the_payload_of_what_runs_or_has_run_stays(void **state) {
  inspected *i = *state;
  inspected_give(i, "a");
  inspected_ask(i, "HSET asynq:{q}:t:a state active");
  inspected_expect(i, mooncrew_update_payload(i->client, "q", "a", "x", 1, &i->error), MOONCREW_ESTATE);
  assert_non_null(strstr(i->error.message, "active"));
  inspected_ask(i, "HSET asynq:{q}:t:a state completed");
  inspected_expect(i, mooncrew_update_payload(i->client, "q", "a", "x", 1, &i->error), MOONCREW_ESTATE);
  inspected_expect(i, mooncrew_update_payload(i->client, "q", "b", "x", 1, &i->error), MOONCREW_ENOT_FOUND);
  inspected_ask(i, "HSET asynq:{q}:t:a msg %b", "\377", (size_t)1);
  inspected_expect(i, mooncrew_update_payload(i->client, "q", "a", "x", 1, &i->error), MOONCREW_EMALFORMED);
}

/* ---- cancel ---- */

static void a_cancellation_tells_who_heard_it(void **state) {
  inspected *i = *state;
  int64_t listeners = -1;
  inspected_expect(i, mooncrew_cancel(i->client, "a", &listeners, &i->error), MOONCREW_OK);
  assert_int_equal(listeners, 0);
  redis_sync *server = redis_sync_open(redis_server_socket(i->server));
  redis_sync_ask(server, "SUBSCRIBE asynq:cancel");
  inspected_expect(i, mooncrew_cancel(i->client, "a", &listeners, &i->error), MOONCREW_OK);
  assert_int_equal(listeners, 1);
  redis_sync_close(server);
  inspected_expect(i, mooncrew_cancel(i->client, "", NULL, &i->error), MOONCREW_EINVALID);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      inspected_test(everything_known_of_a_task_is_told),
      inspected_test(the_last_crash_is_told_with_its_time_if_it_has_one),
      inspected_test(a_task_that_does_not_exist_is_not_found),
      inspected_test(what_cannot_be_read_is_shown_with_the_reason),
      inspected_test(the_state_tells_which_time_counts),
      inspected_test(an_active_task_whose_lease_has_run_out_is_orphaned),
      inspected_test(pages_follow_one_another_without_gap_or_overlap),
      inspected_test(a_set_is_paged_right_while_what_was_seen_goes),
      inspected_test(pages_can_be_counted_too),
      inspected_test(a_page_that_makes_no_sense_is_refused),
      inspected_test(a_new_payload_takes_the_lock_along),
      inspected_test(the_lock_of_an_earlier_payload_comes_along_too),
      inspected_test(a_lock_that_says_nothing_of_the_payload_stays),
      inspected_test(an_empty_payload_is_none),
      inspected_test(the_payload_of_what_runs_or_has_run_stays),
      inspected_test(a_cancellation_tells_who_heard_it),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
