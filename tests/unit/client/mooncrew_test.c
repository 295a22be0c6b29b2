/* The public face, against a real Redis: what the options become, and what the caller is told. */
#include "client/mooncrew.h"

#include "base/clock.h"
#include "base/err.h"
#include "protocol/message.h"
#include "../support/redis_server.h"
#include "../support/redis_sync.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

struct fixture {
  redis_server *server;
  redis_sync *redis;
  mooncrew_client *client;
};

static struct fixture *fixture_new(const char *const *extra) {
  struct fixture *fixture = calloc(1, sizeof *fixture);
  fixture->server = redis_server_start(extra);
  fixture->redis = redis_sync_open(redis_server_socket(fixture->server));
  assert_int_equal(mooncrew_open(redis_server_url(fixture->server), &fixture->client, NULL), MOONCREW_OK);
  return fixture;
}

static int set_up(void **state) {
  *state = fixture_new(NULL);
  return 0;
}

static int tear_down(void **state) {
  struct fixture *fixture = *state;
  mooncrew_close(fixture->client);
  redis_sync_close(fixture->redis);
  redis_server_stop(fixture->server);
  free(fixture);
  return 0;
}

/* The message of a task as it lies in Redis. */
static mc_message_box message_of(struct fixture *fixture, const char *queue, const char *id) {
  mc_message_box box;
  mc_err err;
  const mc_value *bytes = redis_sync_ask(fixture->redis, "HGET asynq:{%s}:t:%s msg", queue, id);
  assert_int_equal(bytes->kind, MC_VALUE_STRING);
  if (mc_message_decode(bytes->text, &box, &err))
    fail_msg("%s", err.text);
  return box;
}

static void assert_slice(mc_slice slice, const char *text) {
  if (!mc_slice_equal(slice, mc_slice_of(text)))
    fail_msg("\"%.*s\" is not \"%s\"", MC_SLICE_PRINT(slice), text);
}

static void assert_redis(struct fixture *fixture, const char *expected, const char *format, ...) {
  va_list list;
  va_start(list, format);
  assert_string_equal(redis_sync_text(fixture->redis, redis_sync_vask(fixture->redis, format, list)), expected);
  va_end(list);
}

static void a_task_without_options_gets_the_defaults_of_asynq(void **state) {
  struct fixture *fixture = *state;
  mooncrew_task task = MOONCREW_TASK("email:send", "{\"to\":\"ada\"}");
  mooncrew_result result;
  mooncrew_error error;
  assert_int_equal(mooncrew_enqueue(fixture->client, &task, &result, &error), MOONCREW_OK);
  assert_int_equal(error.code, MOONCREW_OK);
  assert_int_equal(strlen(result.id), 36);
  assert_string_equal(result.queue, "default");
  assert_string_equal(result.state, "pending");
  assert_int_equal(result.process_at_s, 0);
  mc_message_box box = message_of(fixture, "default", result.id);
  const mc_message *message = &box.message;
  assert_slice(message->type, "email:send");
  assert_slice(message->payload, "{\"to\":\"ada\"}");
  assert_slice(message->id, result.id);
  assert_slice(message->queue, "default");
  assert_int_equal(message->max_retry, 25);
  assert_int_equal(message->timeout_s, 1800);
  assert_int_equal(message->deadline_s, 0);
  assert_int_equal(message->retention_s, 0);
  assert_int_equal(message->unique_key.size, 0);
  assert_int_equal(message->header_count, 0);
  assert_redis(fixture, result.id, "LRANGE asynq:{default}:pending 0 -1");
  assert_redis(fixture, "default", "SMEMBERS asynq:queues");
  mc_message_free(&box);
  mooncrew_result_release(&result);
}

static void every_option_lands_in_the_message(void **state) {
  struct fixture *fixture = *state;
  mooncrew_task task = {"image:resize", "\0\xff\x01", 3, MOONCREW_OPTIONS_INIT};
  const mooncrew_header headers[] = {{"trace", "abc"}, {"lang", "fr"}};
  mooncrew_result result;
  task.options.queue = "low";
  task.options.task_id = "resize-1";
  task.options.max_retry = 3;
  task.options.timeout_ms = 1500;
  task.options.deadline_s = 4000000000;
  task.options.unique_ms = 60000;
  task.options.retention_ms = 7200000;
  task.options.headers = headers;
  task.options.header_count = 2;
  assert_int_equal(mooncrew_enqueue(fixture->client, &task, &result, NULL), MOONCREW_OK);
  assert_string_equal(result.id, "resize-1");
  assert_string_equal(result.queue, "low");
  mc_message_box box = message_of(fixture, "low", "resize-1");
  const mc_message *message = &box.message;
  assert_int_equal(message->payload.size, 3);
  assert_memory_equal(message->payload.data, "\0\xff\x01", 3);
  assert_int_equal(message->max_retry, 3);
  assert_int_equal(message->timeout_s, 2);
  assert_int_equal(message->deadline_s, 4000000000);
  assert_int_equal(message->retention_s, 7200);
  assert_int_equal(message->header_count, 2);
  assert_slice(message->headers[0].name, "lang");
  assert_slice(message->headers[0].value, "fr");
  assert_slice(message->headers[1].name, "trace");
  char lock[256];
  snprintf(lock, sizeof lock, "%.*s", MC_SLICE_PRINT(message->unique_key));
  assert_redis(fixture, "resize-1", "GET %s", lock);
  mc_message_free(&box);
  mooncrew_result_release(&result);
}

static void a_task_for_later_is_scheduled_and_never_early(void **state) {
  struct fixture *fixture = *state;
  mooncrew_task task = MOONCREW_TASK("email:send", "");
  mooncrew_result result;
  task.options.process_in_ms = 2500;
  int64_t earliest_ms = mc_clock_wall_ms() + 2500;
  assert_int_equal(mooncrew_enqueue(fixture->client, &task, &result, NULL), MOONCREW_OK);
  assert_string_equal(result.state, "scheduled");
  assert_in_range(result.process_at_s * 1000, earliest_ms, mc_clock_wall_ms() + 3500);
  char score[32];
  snprintf(score, sizeof score, "%lld", (long long)result.process_at_s);
  assert_redis(fixture, score, "ZSCORE asynq:{default}:scheduled %s", result.id);
  mooncrew_result_release(&result);

  task.options.process_in_ms = -1;
  task.options.process_at_s = mc_clock_wall_s() + 60;
  assert_int_equal(mooncrew_enqueue(fixture->client, &task, &result, NULL), MOONCREW_OK);
  assert_int_equal(result.process_at_s, task.options.process_at_s);
  mooncrew_result_release(&result);
}

static void a_task_of_a_group_waits_in_it(void **state) {
  struct fixture *fixture = *state;
  mooncrew_task task = MOONCREW_TASK("email:send", "");
  mooncrew_result result;
  task.options.group = "digest";
  assert_int_equal(mooncrew_enqueue(fixture->client, &task, &result, NULL), MOONCREW_OK);
  assert_string_equal(result.state, "aggregating");
  assert_redis(fixture, "digest", "SMEMBERS asynq:{default}:groups");
  assert_redis(fixture, result.id, "ZRANGE asynq:{default}:g:digest 0 -1");
  mooncrew_result_release(&result);
}

static void expect_invalid(struct fixture *fixture, const mooncrew_task *task, const char *word) {
  mooncrew_result result;
  mooncrew_error error;
  assert_int_equal(mooncrew_enqueue(fixture->client, task, &result, &error), MOONCREW_EINVALID);
  assert_int_equal(result.code, MOONCREW_EINVALID);
  assert_int_equal(error.code, MOONCREW_EINVALID);
  if (!strstr(error.message, word))
    fail_msg("\"%s\" does not name %s", error.message, word);
  assert_string_equal(result.message, error.message);
  assert_null(result.id);
  assert_null(result.state);
  mooncrew_result_release(&result);
}

static void a_wrong_option_is_refused_by_its_name(void **state) {
  struct fixture *fixture = *state;
  const mooncrew_header half = {"trace", NULL};
  mooncrew_task task = MOONCREW_TASK("email:send", "");
  mooncrew_task wrong = task;
  wrong.type = NULL;
  expect_invalid(fixture, &wrong, "type");
  wrong = task;
  wrong.type = "\xff";
  expect_invalid(fixture, &wrong, "type");
  wrong = task;
  wrong.payload = NULL;
  wrong.payload_size = 5;
  expect_invalid(fixture, &wrong, "payload");
  wrong = task;
  wrong.options.queue = "";
  expect_invalid(fixture, &wrong, "queue");
  wrong = task;
  wrong.options.task_id = " ";
  expect_invalid(fixture, &wrong, "id");
  wrong = task;
  wrong.options.unique_ms = 999;
  expect_invalid(fixture, &wrong, "unique");
  wrong = task;
  wrong.options.process_in_ms = -2;
  expect_invalid(fixture, &wrong, "process_in_ms");
  wrong = task;
  wrong.options.process_at_s = INT64_MAX;
  expect_invalid(fixture, &wrong, "process_at_s");
  wrong = task;
  wrong.options.process_at_s = 5;
  wrong.options.process_in_ms = 5;
  expect_invalid(fixture, &wrong, "both");
  wrong = task;
  wrong.options.headers = &half;
  wrong.options.header_count = 1;
  expect_invalid(fixture, &wrong, "headers");
  assert_redis(fixture, "0", "DBSIZE");
}

static void a_taken_id_is_a_conflict(void **state) {
  struct fixture *fixture = *state;
  mooncrew_task task = MOONCREW_TASK("email:send", "");
  mooncrew_result result;
  mooncrew_error error;
  task.options.task_id = "one";
  assert_int_equal(mooncrew_enqueue(fixture->client, &task, NULL, NULL), MOONCREW_OK);
  assert_int_equal(mooncrew_enqueue(fixture->client, &task, &result, &error), MOONCREW_ECONFLICT);
  assert_string_equal(error.message, "a task with the id \"one\" exists in queue \"default\"");
  assert_string_equal(result.id, "one");
  assert_null(result.state);
  assert_string_equal(mooncrew_code_name(result.code), "TASK_ID_CONFLICT");
  mooncrew_result_release(&result);
}

static void a_unique_task_is_accepted_once(void **state) {
  struct fixture *fixture = *state;
  mooncrew_task task = MOONCREW_TASK("email:send", "x");
  mooncrew_error error;
  task.options.unique_ms = 60000;
  assert_int_equal(mooncrew_enqueue(fixture->client, &task, NULL, NULL), MOONCREW_OK);
  assert_int_equal(mooncrew_enqueue(fixture->client, &task, NULL, &error), MOONCREW_EDUPLICATE);
  assert_non_null(strstr(error.message, "email:send"));
  assert_string_equal(mooncrew_code_name(error.code), "DUPLICATE_TASK");
  assert_redis(fixture, "1", "LLEN asynq:{default}:pending");
}

static void a_unique_task_whose_id_exists_leaves_no_lock(void **state) {
  struct fixture *fixture = *state;
  mooncrew_task task = MOONCREW_TASK("email:send", "x");
  task.options.task_id = "one";
  assert_int_equal(mooncrew_enqueue(fixture->client, &task, NULL, NULL), MOONCREW_OK);
  task.options.unique_ms = 60000;
  assert_int_equal(mooncrew_enqueue(fixture->client, &task, NULL, NULL), MOONCREW_ECONFLICT);
  assert_redis(fixture, "0", "EXISTS asynq:{default}:unique:email:send:9dd4e461268c8034f5c8564e155c67a6");
  task.options.task_id = "two";
  assert_int_equal(mooncrew_enqueue(fixture->client, &task, NULL, NULL), MOONCREW_OK);
  assert_redis(fixture, "two", "GET asynq:{default}:unique:email:send:9dd4e461268c8034f5c8564e155c67a6");
}

static void many_tasks_have_a_result_each(void **state) {
  struct fixture *fixture = *state;
  enum { COUNT = 6 };
  mooncrew_task tasks[COUNT];
  mooncrew_result results[COUNT];
  mooncrew_error error;
  const int codes[COUNT] = {MOONCREW_OK, MOONCREW_EINVALID,   MOONCREW_ECONFLICT,
                            MOONCREW_OK, MOONCREW_EDUPLICATE, MOONCREW_OK};
  for (int i = 0; i < COUNT; i++)
    tasks[i] = (mooncrew_task)MOONCREW_TASK("email:send", "x");
  tasks[0].options.task_id = tasks[2].options.task_id = "one";
  tasks[1].options.queue = " ";
  tasks[3].options.unique_ms = tasks[4].options.unique_ms = 60000;
  tasks[5].options.queue = "a";
  assert_int_equal(mooncrew_enqueue_many(fixture->client, tasks, COUNT, results, &error), MOONCREW_EINVALID);
  assert_non_null(strstr(error.message, "queue"));
  for (int i = 0; i < COUNT; i++) {
    assert_int_equal(results[i].code, codes[i]);
    assert_int_equal(results[i].message[0] == '\0', codes[i] == MOONCREW_OK);
    mooncrew_result_release(&results[i]);
  }
  assert_redis(fixture, "2", "LLEN asynq:{default}:pending");
  assert_redis(fixture, "1", "LLEN asynq:{a}:pending");
  assert_redis(fixture, "2", "SCARD asynq:queues");
}

static void ten_thousand_tasks_arrive_in_their_order(void **state) {
  struct fixture *fixture = *state;
  enum { COUNT = 10000 };
  mooncrew_task *tasks = calloc(COUNT, sizeof *tasks);
  mooncrew_result *results = calloc(COUNT, sizeof *results);
  char(*ids)[16] = calloc(COUNT, sizeof *ids);
  const char *const queues[] = {"low", "default", "critical"};
  for (int i = 0; i < COUNT; i++) {
    snprintf(ids[i], sizeof ids[i], "%d", i);
    tasks[i] = (mooncrew_task)MOONCREW_TASK("email:send", "{}");
    tasks[i].options.task_id = ids[i];
    tasks[i].options.queue = queues[i % 3];
  }
  assert_int_equal(mooncrew_enqueue_many(fixture->client, tasks, COUNT, results, NULL), MOONCREW_OK);
  for (int q = 0; q < 3; q++) {
    const mc_value *list = redis_sync_ask(fixture->redis, "LRANGE asynq:{%s}:pending 0 -1", queues[q]);
    assert_int_equal(list->count, (COUNT - q + 2) / 3);
    for (size_t i = 0; i < list->count; i++) /* the first to be dequeued stands at the end */
      assert_slice(list->items[list->count - 1 - i]->text, ids[(size_t)q + 3 * i]);
  }
  for (int i = 0; i < COUNT; i++) {
    assert_string_equal(results[i].id, ids[i]);
    mooncrew_result_release(&results[i]);
  }
  free(tasks);
  free(results);
  free(ids);
}

static void an_idle_client_survives_a_restart_of_redis(void **state) {
  struct fixture *fixture = *state;
  mooncrew_task task = MOONCREW_TASK("email:send", "");
  mooncrew_error error;
  assert_int_equal(mooncrew_enqueue(fixture->client, &task, NULL, &error), MOONCREW_OK);
  redis_server_halt(fixture->server);
  redis_server_resume(fixture->server);
  assert_int_equal(mooncrew_enqueue(fixture->client, &task, NULL, &error), MOONCREW_OK);
  assert_string_equal(redis_server_ask(fixture->server, "LLEN asynq:{default}:pending"), "1");
}

/* Had the task gone into the dead connection first, a conflict could have been with itself: UNKNOWN. */
static void a_connection_that_redis_closed_meanwhile_is_noticed_before_sending(void **state) {
  struct fixture *fixture = *state;
  mooncrew_task task = MOONCREW_TASK("email:send", "");
  task.options.task_id = "one";
  assert_int_equal(mooncrew_enqueue(fixture->client, &task, NULL, NULL), MOONCREW_OK);
  for (int i = 0; i < 5; i++) {
    redis_sync_ask(fixture->redis, "CLIENT KILL TYPE normal SKIPME yes");
    assert_int_equal(mooncrew_enqueue(fixture->client, &task, NULL, NULL), MOONCREW_ECONFLICT);
  }
}

static void without_redis_nothing_is_accepted(void **state) {
  struct fixture *fixture = *state;
  mooncrew_task task = MOONCREW_TASK("email:send", "");
  mooncrew_result result;
  mooncrew_error error;
  redis_server_halt(fixture->server);
  mooncrew_set_timeout(fixture->client, 200);
  uint64_t start_ms = mc_clock_mono_ms();
  assert_int_equal(mooncrew_enqueue(fixture->client, &task, &result, &error), MOONCREW_EUNAVAILABLE);
  assert_in_range(mc_clock_mono_ms() - start_ms, 190, 2000);
  assert_non_null(strstr(error.message, redis_server_socket(fixture->server)));
  assert_non_null(strstr(error.message, "is it running?"));
  assert_int_equal(strlen(result.id), 36);
  mooncrew_result_release(&result);
  redis_server_resume(fixture->server);
  mooncrew_set_timeout(fixture->client, 0);
  assert_int_equal(mooncrew_enqueue(fixture->client, &task, NULL, NULL), MOONCREW_OK);
}

static void no_text_holds_the_password(void **state) {
  struct fixture *fixture = *state;
  mooncrew_client *client = NULL;
  mooncrew_task task = MOONCREW_TASK("email:send", "");
  mooncrew_error error;
  char url[256];
  redis_sync_ask(fixture->redis, "CONFIG SET requirepass right");
  snprintf(url, sizeof url, "redis+unix://:hunter2@%s", redis_server_socket(fixture->server));
  assert_int_equal(mooncrew_open(url, &client, NULL), MOONCREW_OK);
  mooncrew_set_timeout(client, 200);
  assert_int_equal(mooncrew_enqueue(client, &task, NULL, &error), MOONCREW_EUNAVAILABLE);
  assert_null(strstr(error.message, "hunter2"));
  assert_non_null(strstr(error.message, "password"));
  mooncrew_close(client);
  assert_int_equal(mooncrew_open("redis://:hunter2@host:99999/0", &client, &error), MOONCREW_EINVALID);
  assert_null(strstr(error.message, "hunter2"));
}

static void a_refusal_of_redis_is_passed_on(void **state) {
  struct fixture *fixture = *state;
  mooncrew_task task = MOONCREW_TASK("email:send", "");
  mooncrew_result result;
  mooncrew_error error;
  redis_sync_ask(fixture->redis, "CONFIG SET maxmemory 1");
  assert_int_equal(mooncrew_enqueue(fixture->client, &task, &result, &error), MOONCREW_ESERVER);
  assert_non_null(strstr(error.message, "OOM"));
  assert_string_equal(mooncrew_code_name(error.code), "SERVER_ERROR");
  mooncrew_result_release(&result);
  redis_sync_ask(fixture->redis, "CONFIG SET maxmemory 0");
  assert_redis(fixture, "0", "LLEN asynq:{default}:pending");
  assert_int_equal(mooncrew_enqueue(fixture->client, &task, NULL, NULL), MOONCREW_OK);
}

static void a_wrong_url_is_refused_at_once(void **state) {
  mooncrew_client *client = NULL;
  mooncrew_error error;
  (void)state;
  assert_int_equal(mooncrew_open(NULL, &client, &error), MOONCREW_EINVALID);
  assert_int_equal(mooncrew_open("http://localhost", &client, &error), MOONCREW_EINVALID);
  assert_true(strlen(error.message) > 0);
  assert_null(client);
  mooncrew_close(NULL);
}

static int open_descriptors(void) {
  int count = 0;
  for (int fd = 0; fd < 256; fd++)
    count += fcntl(fd, F_GETFD) != -1;
  return count;
}

static void a_closed_client_leaves_nothing_open(void **state) {
  struct fixture *fixture = *state;
  mooncrew_task task = MOONCREW_TASK("email:send", "");
  mooncrew_client *client;
  assert_int_equal(mooncrew_enqueue(fixture->client, &task, NULL, NULL), MOONCREW_OK);
  int before = open_descriptors();
  for (int i = 0; i < 3; i++) {
    assert_int_equal(mooncrew_open(redis_server_url(fixture->server), &client, NULL), MOONCREW_OK);
    assert_int_equal(mooncrew_enqueue(client, &task, NULL, NULL), MOONCREW_OK);
    mooncrew_close(client);
  }
  assert_int_equal(open_descriptors(), before);
}

static int in_child(mooncrew_client *client) {
  mooncrew_task task = MOONCREW_TASK("email:send", "");
  mooncrew_error error;
  int refused = mooncrew_enqueue(client, &task, NULL, &error) == MOONCREW_EINVALID && strstr(error.message, "fork");
  mooncrew_close(client);
  return refused ? 0 : 1;
}

static void a_child_may_close_the_client_but_not_use_it(void **state) {
  struct fixture *fixture = *state;
  mooncrew_task task = MOONCREW_TASK("email:send", "");
  int status;
  assert_int_equal(mooncrew_enqueue(fixture->client, &task, NULL, NULL), MOONCREW_OK);
  pid_t child = fork();
  if (child == 0)
    _exit(in_child(fixture->client));
  assert_int_equal(waitpid(child, &status, 0), child);
  assert_true(WIFEXITED(status));
  assert_int_equal(WEXITSTATUS(status), 0);
  assert_int_equal(mooncrew_enqueue(fixture->client, &task, NULL, NULL), MOONCREW_OK);
  assert_redis(fixture, "2", "LLEN asynq:{default}:pending");
}

static void nothing_to_enqueue_is_no_error(void **state) {
  struct fixture *fixture = *state;
  mooncrew_error error;
  assert_int_equal(mooncrew_enqueue_many(fixture->client, NULL, 0, NULL, &error), MOONCREW_OK);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void) {
  const struct CMUnitTest tests[] = {
      TEST(a_task_without_options_gets_the_defaults_of_asynq),
      TEST(every_option_lands_in_the_message),
      TEST(a_task_for_later_is_scheduled_and_never_early),
      TEST(a_task_of_a_group_waits_in_it),
      TEST(a_wrong_option_is_refused_by_its_name),
      TEST(a_taken_id_is_a_conflict),
      TEST(a_unique_task_is_accepted_once),
      TEST(a_unique_task_whose_id_exists_leaves_no_lock),
      TEST(many_tasks_have_a_result_each),
      TEST(ten_thousand_tasks_arrive_in_their_order),
      TEST(an_idle_client_survives_a_restart_of_redis),
      TEST(a_connection_that_redis_closed_meanwhile_is_noticed_before_sending),
      TEST(without_redis_nothing_is_accepted),
      TEST(no_text_holds_the_password),
      TEST(a_refusal_of_redis_is_passed_on),
      cmocka_unit_test(a_wrong_url_is_refused_at_once),
      TEST(a_closed_client_leaves_nothing_open),
      TEST(a_child_may_close_the_client_but_not_use_it),
      TEST(nothing_to_enqueue_is_no_error),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
