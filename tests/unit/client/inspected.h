/* A client and a private redis-server that tests fill by hand: for the tests of what a client can see and change. */
#ifndef MC_TESTS_INSPECTED_H
#define MC_TESTS_INSPECTED_H

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <setjmp.h>
#include <cmocka.h>

#include "client/mooncrew.h"

#include "../support/redis_server.h"
#include "../support/redis_sync.h"

typedef struct inspected {
  redis_server *server;
  redis_sync *redis;
  mooncrew_client *client;
  mooncrew_error error; /* of the last call */
} inspected;

/* For cmocka: *state becomes an inspected, with an empty Redis. */
int inspected_set_up(void **state);
int inspected_tear_down(void **state);

/* One command; the answer as redis_sync_text gives it. */
const char *inspected_ask(inspected *i, const char *format, ...);

/* Enqueues a task into queue "q" with this id. */
void inspected_give(inspected *i, const char *id);

/* The same with options, whose task_id and queue are set here. */
void inspected_give_options(inspected *i, const char *id, const char *payload, mooncrew_options options);

/* Fails the test unless the code is this one. */
void inspected_expect(inspected *i, int code, int expected);

/* How often Redis has run a command since the last CONFIG RESETSTAT. */
long inspected_calls(inspected *i, const char *command);

#define inspected_test(name) cmocka_unit_test_setup_teardown(name, inspected_set_up, inspected_tear_down)

#endif
