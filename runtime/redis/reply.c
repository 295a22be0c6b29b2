/* Replies from the wire: see reply.h.
 *
 * hiredis' reader parses; the functions below build our values instead of its replies. All values of one reply lie in
 * one arena, which is emptied when the next reply is asked for: a reply of hundreds of items costs a few additions per
 * item and no free. The reader allows arrays seven levels deep, which is more than any reply we ask for.
 */
#include "redis/reply.h"

#include <hiredis/hiredis.h>
#include <stdlib.h>

#include "base/mem.h"
#include "redis/arena.h"

/* Room for the items of an array that announces more comes as they arrive: a length is only a claim. */
#define ITEMS_AT_FIRST 1024
/* Redis' own limit for one string is 512 MB, and hiredis holds at most one unfinished string. */
#define UNREAD_AT_MOST ((size_t)1 << 30)
/* Read buffers up to this size are kept when they run empty. */
#define READ_BUFFER_KEPT ((size_t)256 * 1024)

struct mc_replies {
  redisReader *reader;
  mc_arena arena;
  bool whole; /* the arena holds a reply that was handed out */
};

/* An array while it is read: value.count items are there, of `room` that fit and `announced` that will come. */
typedef struct array_value {
  mc_value value;
  size_t room, announced;
} array_value;

static void *create_string(const redisReadTask *task, char *bytes, size_t size);
static void *create_array(const redisReadTask *task, int announced);
static void *create_integer(const redisReadTask *task, long long integer);
static void *create_nil(const redisReadTask *task);
static void free_nothing(void *value);

static redisReplyObjectFunctions functions = {create_string, create_array, create_integer, create_nil, free_nothing};

mc_replies *mc_replies_new(void) {
  mc_replies *replies = mc_zalloc(sizeof *replies);
  replies->reader = redisReaderCreateWithFunctions(&functions);
  if (!replies->reader)
    abort();
  replies->reader->privdata = replies;
  replies->reader->maxbuf = READ_BUFFER_KEPT;
  return replies;
}

void mc_replies_free(mc_replies *replies) {
  if (!replies)
    return;
  redisReaderFree(replies->reader);
  mc_arena_deinit(&replies->arena);
  free(replies);
}

int mc_replies_feed(mc_replies *replies, const char *bytes, size_t size, mc_err *err) {
  redisReader *reader = replies->reader;
  if (reader->len - reader->pos + size > UNREAD_AT_MOST)
    return mc_fail(err, MC_EMALFORMED, "the reply is larger than Redis ever sends");
  if (redisReaderFeed(reader, bytes, size) != REDIS_OK)
    return mc_fail(err, MC_EMALFORMED, "%s", reader->errstr);
  return 0;
}

int mc_replies_next(mc_replies *replies, const mc_value **out, mc_err *err) {
  void *reply = NULL;
  if (replies->whole)
    mc_arena_reset(&replies->arena);
  replies->whole = false;
  if (redisReaderGetReply(replies->reader, &reply) != REDIS_OK)
    return mc_fail(err, MC_EMALFORMED, "this is not the Redis protocol: %s", replies->reader->errstr);
  replies->whole = reply != NULL;
  *out = reply;
  return 0;
}

static mc_replies *owner(const redisReadTask *task) {
  return task->privdata;
}

static void array_grow(mc_replies *replies, array_value *array) {
  size_t room = array->room * 2 < array->announced ? array->room * 2 : array->announced;
  mc_value **items = mc_arena_take(&replies->arena, room * sizeof *items);
  memcpy(items, array->value.items, array->value.count * sizeof *items);
  array->value.items = items;
  array->room = room;
}

/* Hangs a value into the array that it is an item of. */
static void *place(const redisReadTask *task, mc_value *value) {
  if (task->parent) {
    array_value *array = task->parent->obj;
    if (array->value.count == array->room)
      array_grow(owner(task), array);
    array->value.items[array->value.count++] = value;
  }
  return value;
}

static void *create_string(const redisReadTask *task, char *bytes, size_t size) {
  mc_value *value = mc_arena_take(&owner(task)->arena, sizeof *value + size);
  char *copy = (char *)(value + 1);
  memcpy(copy, bytes, size);
  *value = (mc_value){.kind = task->type == REDIS_REPLY_ERROR ? MC_VALUE_ERROR : MC_VALUE_STRING, .text = {copy, size}};
  return place(task, value);
}

static void *create_array(const redisReadTask *task, int announced) {
  mc_arena *arena = &owner(task)->arena;
  array_value *array = mc_arena_take(arena, sizeof *array);
  *array = (array_value){.value = {.kind = MC_VALUE_ARRAY}, .announced = (size_t)announced};
  array->room = array->announced < ITEMS_AT_FIRST ? array->announced : ITEMS_AT_FIRST;
  array->value.items = mc_arena_take(arena, array->room * sizeof *array->value.items);
  return place(task, &array->value);
}

static void *create_integer(const redisReadTask *task, long long integer) {
  mc_value *value = mc_arena_take(&owner(task)->arena, sizeof *value);
  *value = (mc_value){.kind = MC_VALUE_INTEGER, .integer = integer};
  return place(task, value);
}

static void *create_nil(const redisReadTask *task) {
  mc_value *value = mc_arena_take(&owner(task)->arena, sizeof *value);
  *value = (mc_value){.kind = MC_VALUE_NIL};
  return place(task, value);
}

/* Values belong to the arena. */
static void free_nothing(void *value) {
  (void)value;
}
