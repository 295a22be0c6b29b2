/* Servers and what they work on, as a client sees them. */
#include "inspected.h"

#include <time.h>

#include "protocol/server_info.h"

/* A server of this name ("host:pid:uuid"), whose heartbeat lives until then. */
static void beat(inspected *i, const char *name, long long until_s) {
  const mc_queue_weight weights[] = {{MC_SLICE_LITERAL("high"), 6}, {MC_SLICE_LITERAL("low"), 1}};
  const mc_server_info info = {
      .host = MC_SLICE_LITERAL("h"),
      .server_id = MC_SLICE_LITERAL("u"),
      .pid = 7,
      .concurrency = 10,
      .active_workers = 1,
      .queues = weights,
      .queue_count = 2,
      .strict = true,
      .status = MC_SLICE_LITERAL("active"),
      .started_ns = 1700000000500000000,
  };
  mc_buf bytes = {0};
  mc_server_info_encode(&info, &bytes);
  inspected_ask(i, "SET asynq:servers:{%s} %b", name, bytes.data, bytes.size);
  inspected_ask(i, "ZADD asynq:servers %lld asynq:servers:{%s}", until_s, name);
  mc_buf_deinit(&bytes);
}

static void work(inspected *i, const char *name, const char *id) {
  const mc_worker_info info = {
      .host = MC_SLICE_LITERAL("h"),
      .server_id = MC_SLICE_LITERAL("u"),
      .task_id = mc_slice_of(id),
      .type = MC_SLICE_LITERAL("kind"),
      .payload = MC_SLICE_LITERAL("a\0b"),
      .queue = MC_SLICE_LITERAL("high"),
      .pid = 7,
      .started_ns = 1700000001000000000,
  };
  mc_buf bytes = {0};
  mc_worker_info_encode(&info, &bytes);
  inspected_ask(i, "HSET asynq:workers:{%s} %s %b", name, id, bytes.data, bytes.size);
  mc_buf_deinit(&bytes);
}

static void servers_tell_of_themselves_and_their_work(void **state) {
  inspected *i = *state;
  mooncrew_server_list list;
  long long now = time(NULL);
  beat(i, "h:9:u", now + 10);
  beat(i, "h:7:u", now + 10);
  work(i, "h:7:u", "t1");
  inspected_expect(i, mooncrew_servers(i->client, &list, &i->error), MOONCREW_OK);
  assert_int_equal(list.count, 2);
  const mooncrew_server_info *server = &list.items[0];
  assert_string_equal(server->id, "h:7:u");
  assert_string_equal(server->host, "h");
  assert_string_equal(server->status, "active");
  assert_int_equal(server->pid, 7);
  assert_int_equal(server->concurrency, 10);
  assert_int_equal(server->active_workers, 1);
  assert_int_equal(server->strict, 1);
  assert_true(server->started_ns == 1700000000500000000);
  assert_int_equal(server->queue_count, 2);
  assert_string_equal(server->queues[0].name, "high");
  assert_int_equal(server->queues[0].priority, 6);
  assert_int_equal(server->worker_count, 1);
  const mooncrew_worker_info *worker = &server->workers[0];
  assert_string_equal(worker->task_id, "t1");
  assert_string_equal(worker->type, "kind");
  assert_string_equal(worker->queue, "high");
  assert_int_equal(worker->payload_size, 3);
  assert_memory_equal(worker->payload, "a\0b", 3);
  assert_true(worker->started_ns == 1700000001000000000);
  assert_true(worker->deadline_ns == 0);
  assert_string_equal(list.items[1].id, "h:9:u");
  assert_int_equal(list.items[1].worker_count, 0);
  mooncrew_release(list.memory);
}

static void who_is_silent_or_garbled_is_left_out(void **state) {
  inspected *i = *state;
  mooncrew_server_list list;
  long long now = time(NULL);
  beat(i, "dead:1:u", now - 1);
  beat(i, "garbled:1:u", now + 10);
  beat(i, "expired:1:u", now + 10);
  beat(i, "alive:1:u", now + 10);
  work(i, "alive:1:u", "t1");
  inspected_ask(i, "SET asynq:servers:{garbled:1:u} %b", "\377", (size_t)1);
  inspected_ask(i, "DEL asynq:servers:{expired:1:u}");
  inspected_ask(i, "HSET asynq:workers:{alive:1:u} t2 %b", "\377", (size_t)1);
  inspected_ask(i, "ZADD asynq:servers %lld nonsense", now + 10);
  inspected_expect(i, mooncrew_servers(i->client, &list, &i->error), MOONCREW_OK);
  assert_int_equal(list.count, 1);
  assert_string_equal(list.items[0].id, "alive:1:u");
  assert_int_equal(list.items[0].worker_count, 1);
  mooncrew_release(list.memory);
}

static void without_servers_the_list_is_empty(void **state) {
  inspected *i = *state;
  mooncrew_server_list list;
  inspected_expect(i, mooncrew_servers(i->client, &list, &i->error), MOONCREW_OK);
  assert_int_equal(list.count, 0);
  mooncrew_release(list.memory);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      inspected_test(servers_tell_of_themselves_and_their_work),
      inspected_test(who_is_silent_or_garbled_is_left_out),
      inspected_test(without_servers_the_list_is_empty),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
