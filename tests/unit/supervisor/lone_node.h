/* A supervisor's state without its processes: a real redis-server behind a real connection, one worker that is nothing
 * but its entry in the pool (what is sent to it stays in its channel's buffer), and the log in memory. No duties, no
 * dequeues: a test puts tasks into its hands and sees what becomes of them.
 */
#ifndef MC_TESTS_LONE_NODE_H
#define MC_TESTS_LONE_NODE_H

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <setjmp.h>
#include <cmocka.h>

#include "../support/redis_server.h"
#include "../support/redis_sync.h"
#include "../support/relay.h"
#include "base/mem.h"
#include "supervisor/node.h"

typedef struct lone_node {
  mc_node node;
  mc_config config;
  mc_worker worker;
  struct relay *relay; /* NULL: none */
  uv_timer_t limit, wake;
  bool expired;
  int ready; /* how often the connection became ready */
  int log_fd;
} lone_node;

/* For cmocka: the redis-server and the log live as long as the program; each test begins with an empty database and a
 * new node, which it finds in *state. */
int lone_group_start(void **state);
int lone_group_stop(void **state);
int lone_start(void **state);
int lone_stop(void **state);
#define lone_test(name) cmocka_unit_test_setup_teardown(name, lone_start, lone_stop)

/* Puts a relay before Redis that does this to the settle calls of the node. Before anything was sent. */
void lone_relay(lone_node *lone, const relay_rule *rules, size_t count);

/* One command; the answer as redis_sync_text gives it. */
const char *lone_ask(const char *format, ...);
#define assert_redis(expected, ...) assert_string_equal(lone_ask(__VA_ARGS__), expected)

/* Enqueues a task of queue `default` as asynq does and takes it: it is active, ours, and at the worker. Of its message
 * the test may fill in what it needs; type, id, queue and a max_retry of 25 are set. */
mc_held *lone_hold(lone_node *lone, const char *id, mc_message message);
mc_held *lone_hold_plain(lone_node *lone, const char *id);

/* The message in the hash of a task, decoded; the caller frees it. */
mc_message_box lone_message(const char *id);

/* Whether a line of the log has all of these texts (NULL at the end). */
bool lone_logged(lone_node *lone, ...) __attribute__((sentinel));

/* Turns the loop, flushing settles at each turn as the supervisor does, until the condition holds. */
#define LONE_UNTIL(lone, condition)                                                                                    \
  do {                                                                                                                 \
    while (!(condition) && !(lone)->expired)                                                                           \
      lone_turn(lone);                                                                                                 \
    if (!(condition))                                                                                                  \
      fail_msg("time limit while waiting for: %s", #condition);                                                        \
  } while (0)
void lone_turn(lone_node *lone);

/* Until all that is held has been settled. */
#define LONE_SETTLED(lone) LONE_UNTIL(lone, (lone)->node.held.count == 0)

#endif
