/* protocol/enqueue.c: defaults, checks, where a task goes, and what an answer means. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "base/mem.h"
#include "protocol/enqueue.h"

#define NOW_MS INT64_C(1700000000000)

static mc_enqueue_options plain(void) {
  mc_enqueue_options options;
  mc_enqueue_options_init(&options);
  options.type = MC_SLICE_LITERAL("kind");
  return options;
}

/* Makes an enqueue, and its message as it will be read. */
static void make(const mc_enqueue_options *options, mc_enqueue *enqueue, mc_message_box *box) {
  mc_err err = {{0}};
  if (mc_enqueue_init(enqueue, options, NOW_MS, &err) != 0 || mc_message_decode(enqueue->message, box, &err) != 0)
    fail_msg("%s", err.text);
}

static void done(mc_enqueue *enqueue, mc_message_box *box) {
  mc_message_free(box);
  mc_enqueue_deinit(enqueue);
}

static void assert_text(mc_slice actual, const char *expected) {
  if (!mc_slice_equal(actual, mc_slice_of(expected)))
    fail_msg("\"%.*s\" is not \"%s\"", MC_SLICE_PRINT(actual), expected);
}

static void defaults_are_asynqs(void **state) {
  (void)state;
  const mc_enqueue_options options = plain();
  mc_enqueue enqueue;
  mc_message_box box;
  make(&options, &enqueue, &box);
  assert_int_equal(enqueue.kind, MC_ENQUEUE_PENDING);
  assert_text(enqueue.queue, "default");
  assert_text(enqueue.type, "kind");
  assert_int_equal(enqueue.id.size, 36);
  assert_false(enqueue.id_is_callers);
  assert_int_equal(enqueue.unique_ttl_s, 0);
  assert_int_equal(enqueue.unique_key.size, 0);
  assert_true(mc_slice_equal(box.message.id, enqueue.id));
  assert_text(box.message.queue, "default");
  assert_int_equal(box.message.max_retry, 25);
  assert_int_equal(box.message.timeout_s, 1800);
  assert_int_equal(box.message.deadline_s, 0);
  assert_int_equal(box.message.retention_s, 0);
  done(&enqueue, &box);
}

static void every_option_reaches_the_message(void **state) {
  (void)state;
  const mc_header header = {MC_SLICE_LITERAL("trace"), MC_SLICE_LITERAL("1")};
  mc_enqueue_options options = plain();
  options.payload = MC_SLICE_LITERAL("{}");
  options.queue = MC_SLICE_LITERAL("low");
  options.id = MC_SLICE_LITERAL("mine");
  options.has_id = options.has_queue = options.has_group = true;
  options.max_retry = -3;
  options.timeout_ms = 1001;
  options.deadline_s = 1800000000;
  options.unique_ms = 1500;
  options.retention_ms = 1;
  options.group = MC_SLICE_LITERAL("g");
  options.headers = &header;
  options.header_count = 1;
  mc_enqueue enqueue;
  mc_message_box box;
  make(&options, &enqueue, &box);
  assert_int_equal(enqueue.kind, MC_ENQUEUE_GROUP);
  assert_true(enqueue.id_is_callers);
  assert_text(enqueue.id, "mine");
  assert_text(enqueue.group, "g");
  assert_text(enqueue.unique_key, "asynq:{low}:unique:kind:99914b932bd37a50b983c5e7c90ae93b");
  assert_int_equal(enqueue.unique_ttl_s, 2);
  assert_text(box.message.unique_key, "asynq:{low}:unique:kind:99914b932bd37a50b983c5e7c90ae93b");
  assert_text(box.message.payload, "{}");
  assert_text(box.message.group_key, "g");
  assert_text(box.message.headers[0].name, "trace");
  assert_int_equal(box.message.max_retry, 0);
  assert_int_equal(box.message.timeout_s, 2);
  assert_int_equal(box.message.deadline_s, 1800000000);
  assert_int_equal(box.message.retention_s, 1);
  done(&enqueue, &box);
}

static void an_empty_payload_takes_the_lock_of_none(void **state) {
  (void)state;
  static const mc_slice payloads[] = {{NULL, 0}, {"", 0}};
  for (size_t i = 0; i < MC_COUNT(payloads); i++) {
    mc_enqueue_options options = plain();
    mc_enqueue enqueue;
    mc_message_box box;
    options.payload = payloads[i];
    options.unique_ms = 1000;
    make(&options, &enqueue, &box);
    assert_text(enqueue.unique_key, "asynq:{default}:unique:kind:");
    done(&enqueue, &box);
  }
}

static void the_default_timeout_stands_for_neither_timeout_nor_deadline(void **state) {
  (void)state;
  static const struct {
    int64_t timeout_ms, deadline_s, timeout_expected_s, deadline_expected_s;
  } cases[] = {
      {-1, -1, 1800, 0}, {-1, 0, 1800, 0}, {-1, 9, 0, 9}, {0, -1, 0, 0}, {5000, -1, 5, 0}, {5000, 9, 5, 9},
  };
  for (size_t i = 0; i < MC_COUNT(cases); i++) {
    mc_enqueue_options options = plain();
    mc_enqueue enqueue;
    mc_message_box box;
    options.timeout_ms = cases[i].timeout_ms;
    options.deadline_s = cases[i].deadline_s;
    make(&options, &enqueue, &box);
    assert_int_equal(box.message.timeout_s, cases[i].timeout_expected_s);
    assert_int_equal(box.message.deadline_s, cases[i].deadline_expected_s);
    done(&enqueue, &box);
  }
}

static void a_time_in_the_future_is_rounded_up_and_the_rest_is_now(void **state) {
  (void)state;
  static const struct {
    int64_t process_at_ms;
    bool group;
    mc_enqueue_kind kind;
    int64_t process_at_s, unique_ttl_s;
  } cases[] = {
      {NOW_MS + 1, false, MC_ENQUEUE_SCHEDULED, 1700000001, 11},
      {NOW_MS + 2000, false, MC_ENQUEUE_SCHEDULED, 1700000002, 12},
      {NOW_MS + 2001, true, MC_ENQUEUE_SCHEDULED, 1700000003, 13},
      {NOW_MS, false, MC_ENQUEUE_PENDING, 0, 10},
      {NOW_MS - 5000, false, MC_ENQUEUE_PENDING, 0, 10},
      {-5000, false, MC_ENQUEUE_PENDING, 0, 10},
      {NOW_MS, true, MC_ENQUEUE_GROUP, 0, 10},
  };
  for (size_t i = 0; i < MC_COUNT(cases); i++) {
    mc_enqueue_options options = plain();
    mc_enqueue enqueue;
    mc_message_box box;
    options.process_at_ms = cases[i].process_at_ms;
    options.unique_ms = 10000;
    options.group = cases[i].group ? mc_slice_of("g") : (mc_slice){0};
    make(&options, &enqueue, &box);
    assert_int_equal(enqueue.kind, cases[i].kind);
    assert_int_equal(enqueue.process_at_s, cases[i].process_at_s);
    assert_int_equal(enqueue.unique_ttl_s, cases[i].unique_ttl_s);
    done(&enqueue, &box);
  }
}

/* Expects options to be refused, with a text that begins with the name of the option, and nothing given back. */
static void assert_refused(const mc_enqueue_options *options, const char *name) {
  mc_enqueue enqueue = {.unique_ttl_s = 77};
  mc_err err = {{0}};
  assert_int_equal(mc_enqueue_init(&enqueue, options, NOW_MS, &err), MC_EINVALID);
  if (strncmp(err.text, name, strlen(name)) != 0)
    fail_msg("\"%s\" does not begin with %s", err.text, name);
  assert_int_equal(enqueue.unique_ttl_s, 77);
}

#define REFUSE(name, change)                                                                                           \
  do {                                                                                                                 \
    mc_enqueue_options options = plain();                                                                              \
    change;                                                                                                            \
    assert_refused(&options, name);                                                                                    \
  } while (0)

/* None of these bytes is looked at. */
static void what_redis_cannot_hold_is_refused(void **state) {
  (void)state;
  const size_t redis_max = 512u << 20;
  char text[10000];
  memset(text, 'x', sizeof text);
  const mc_header header = {MC_SLICE_LITERAL("name"), {text, sizeof text}};
  REFUSE("payload and headers take 536870912 bytes", options.payload.size = redis_max - options.type.size);
  REFUSE("payload and headers take", options.payload.size = redis_max - 60000);
  REFUSE("payload and headers take", options.payload.size = redis_max - 70000; options.headers = &header;
         options.header_count = 1);
}

static void bad_texts_are_refused_by_name(void **state) {
  (void)state;
  const mc_header bad_name = {MC_SLICE_LITERAL("\xff"), MC_SLICE_LITERAL("v")};
  const mc_header bad_value = {MC_SLICE_LITERAL("n"), MC_SLICE_LITERAL("\0")};
  REFUSE("type", options.type = (mc_slice){0});
  REFUSE("type", options.type = mc_slice_of(" "));
  REFUSE("type", options.type = mc_slice_of("\xff"));
  REFUSE("queue", options.has_queue = true);
  REFUSE("queue", (options.has_queue = true, options.queue = mc_slice_of(" ")));
  REFUSE("queue", (options.has_queue = true, options.queue = mc_slice_of("sp ace")));
  REFUSE("queue", (options.has_queue = true, options.queue = mc_slice_of("{br}")));
  REFUSE("queue", (options.has_queue = true, options.queue = mc_slice_of("a,b")));
  REFUSE("queue", options.queue = MC_SLICE_LITERAL("a\0b"));
  REFUSE("task_id", options.has_id = true);
  REFUSE("task_id", (options.has_id = true, options.id = mc_slice_of("\xc0")));
  REFUSE("group", options.has_group = true);
  REFUSE("group", options.group = mc_slice_of("\xc0"));
  REFUSE("headers", (options.headers = &bad_name, options.header_count = 1));
  REFUSE("headers", (options.headers = &bad_value, options.header_count = 1));
}

static void numbers_out_of_range_are_refused_by_name(void **state) {
  (void)state;
  REFUSE("timeout", options.timeout_ms = -2);
  REFUSE("timeout", options.timeout_ms = INT64_MAX);
  REFUSE("deadline", options.deadline_s = -2);
  REFUSE("deadline", options.deadline_s = INT64_MAX);
  REFUSE("unique", options.unique_ms = 0);
  REFUSE("unique", options.unique_ms = 999);
  REFUSE("unique", options.unique_ms = INT64_MAX);
  REFUSE("process_at", options.process_at_ms = INT64_MAX);
  REFUSE("retention", options.retention_ms = -1);
  REFUSE("retention", options.retention_ms = INT64_MAX);
}

static void a_call_names_its_keys_and_six_arguments_per_task(void **state) {
  (void)state;
  static const char *const expected[] = {
      "asynq:{default}:pending", "asynq:{default}:scheduled", "asynq:{default}:groups",
      "asynq:{default}:t:",      "asynq:{default}:g:",        "1700000000"};
  mc_enqueue_options options = plain();
  mc_enqueue enqueue;
  mc_message_box box;
  mc_call call = {0};
  options.process_at_ms = NOW_MS + 1;
  make(&options, &enqueue, &box);
  const mc_enqueue *tasks[] = {&enqueue, &enqueue};
  mc_call_enqueue(&call, tasks, 2, NOW_MS * 1000000);
  assert_string_equal(call.script->name, "enqueue");
  assert_int_equal(call.script->keys, 3);
  assert_int_equal(call.args.count, 6 + 2 * 6);
  for (size_t i = 0; i < MC_COUNT(expected); i++)
    assert_text(mc_args_at(&call.args, i), expected[i]);
  assert_text(mc_args_at(&call.args, 6), "scheduled");
  assert_text(mc_args_at(&call.args, 11), "1700000001");
  mc_args_deinit(&call.args);
  done(&enqueue, &box);
}

static int answer(int64_t number, bool resent, bool id_is_callers) {
  mc_value item = {.kind = MC_VALUE_INTEGER, .integer = number};
  mc_value *items[] = {&item};
  const mc_value reply = {.kind = MC_VALUE_ARRAY, .count = 1, .items = items};
  const mc_enqueue task = {.id_is_callers = id_is_callers};
  return mc_enqueue_answer(&reply, 0, &task, resent);
}

static void answers_have_their_codes(void **state) {
  (void)state;
  assert_int_equal(answer(1, false, false), 0);
  assert_int_equal(answer(0, false, true), MC_ECONFLICT);
  assert_int_equal(answer(-1, false, false), MC_EDUPLICATE);
  assert_int_equal(answer(-2, false, true), MC_EDUPLICATE);
  assert_int_equal(answer(5, false, false), MC_EMALFORMED);
}

static void a_task_sent_again_knows_itself(void **state) {
  (void)state;
  assert_int_equal(answer(1, true, true), 0);
  assert_int_equal(answer(0, true, false), 0);
  assert_int_equal(answer(-2, true, false), 0);
  assert_int_equal(answer(0, true, true), MC_EUNKNOWN);
  assert_int_equal(answer(-2, true, true), MC_EUNKNOWN);
  assert_int_equal(answer(-1, true, false), MC_EDUPLICATE);
}

static void replies_that_make_no_sense_have_a_code_too(void **state) {
  (void)state;
  mc_value error = {.kind = MC_VALUE_ERROR, .text = MC_SLICE_LITERAL("OOM")}, nil = {.kind = MC_VALUE_NIL};
  mc_value *items[] = {&error, &nil};
  const mc_value reply = {.kind = MC_VALUE_ARRAY, .count = 2, .items = items};
  const mc_enqueue task = {0};
  assert_int_equal(mc_enqueue_answer(&error, 0, &task, false), MC_ESERVER);
  assert_int_equal(mc_enqueue_answer(&reply, 0, &task, false), MC_ESERVER);
  assert_int_equal(mc_enqueue_answer(&reply, 1, &task, false), MC_EMALFORMED);
  assert_int_equal(mc_enqueue_answer(&reply, 2, &task, false), MC_EMALFORMED);
  assert_int_equal(mc_enqueue_answer(&nil, 0, &task, false), MC_EMALFORMED);
  assert_int_equal(mc_enqueue_answer(NULL, 0, &task, false), MC_EMALFORMED);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(defaults_are_asynqs),
      cmocka_unit_test(every_option_reaches_the_message),
      cmocka_unit_test(an_empty_payload_takes_the_lock_of_none),
      cmocka_unit_test(the_default_timeout_stands_for_neither_timeout_nor_deadline),
      cmocka_unit_test(a_time_in_the_future_is_rounded_up_and_the_rest_is_now),
      cmocka_unit_test(what_redis_cannot_hold_is_refused),
      cmocka_unit_test(bad_texts_are_refused_by_name),
      cmocka_unit_test(numbers_out_of_range_are_refused_by_name),
      cmocka_unit_test(a_call_names_its_keys_and_six_arguments_per_task),
      cmocka_unit_test(answers_have_their_codes),
      cmocka_unit_test(a_task_sent_again_knows_itself),
      cmocka_unit_test(replies_that_make_no_sense_have_a_code_too),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
