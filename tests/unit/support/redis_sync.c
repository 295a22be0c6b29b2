/* Redis for tests: see redis_sync.h. */
#include "redis_sync.h"

#include <hiredis/hiredis.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"

struct redis_sync {
  redisContext *context;
  redisReply *reply; /* the last answer, which value points into */
  mc_value *value;
  mc_buf text;
};

static const mc_value *keep_answer(redis_sync *redis, redisReply *reply);
static mc_value *value_new(const redisReply *reply);
static void value_free(mc_value *value);
static void add_text(mc_buf *out, const mc_value *value, bool nested);

static void die(const char *what, const char *detail) {
  fprintf(stderr, "redis_sync: %s: %s\n", what, detail);
  exit(2);
}

redis_sync *redis_sync_open(const char *socket_path) {
  redis_sync *redis = mc_zalloc(sizeof *redis);
  redis->context = redisConnectUnix(socket_path);
  if (!redis->context || redis->context->err)
    die("cannot connect", redis->context ? redis->context->errstr : "out of memory");
  return redis;
}

void redis_sync_close(redis_sync *redis) {
  value_free(redis->value);
  if (redis->reply)
    freeReplyObject(redis->reply);
  redisFree(redis->context);
  mc_buf_deinit(&redis->text);
  free(redis);
}

static const mc_value *send_call(redis_sync *redis, mc_call *call, const char *command, const char *script) {
  char keys[16];
  size_t count = call->args.count + 3, sizes[count];
  const char *words[count];
  snprintf(keys, sizeof keys, "%d", call->script->keys);
  words[0] = command, sizes[0] = strlen(command);
  words[1] = script, sizes[1] = strlen(script);
  words[2] = keys, sizes[2] = strlen(keys);
  for (size_t i = 0; i < call->args.count; i++) {
    mc_slice argument = mc_args_at(&call->args, i);
    words[i + 3] = argument.data;
    sizes[i + 3] = argument.size;
  }
  redisReply *reply = redisCommandArgv(redis->context, (int)count, words, sizes);
  mc_args_deinit(&call->args);
  return keep_answer(redis, reply);
}

const mc_value *redis_sync_call(redis_sync *redis, mc_call *call) {
  return send_call(redis, call, "EVAL", call->script->body);
}

const mc_value *redis_sync_call_cached(redis_sync *redis, mc_call *call) {
  return send_call(redis, call, "EVALSHA", call->script->sha1);
}

const mc_value *redis_sync_ask(redis_sync *redis, const char *format, ...) {
  va_list list;
  va_start(list, format);
  const mc_value *answer = redis_sync_vask(redis, format, list);
  va_end(list);
  return answer;
}

const mc_value *redis_sync_vask(redis_sync *redis, const char *format, va_list list) {
  return keep_answer(redis, redisvCommand(redis->context, format, list));
}

const char *redis_sync_text(redis_sync *redis, const mc_value *value) {
  mc_buf_clear(&redis->text);
  add_text(&redis->text, value, false);
  mc_buf_add_char(&redis->text, '\0');
  return redis->text.data;
}

static const mc_value *keep_answer(redis_sync *redis, redisReply *reply) {
  if (!reply)
    die("no answer", redis->context->errstr);
  value_free(redis->value);
  if (redis->reply)
    freeReplyObject(redis->reply);
  redis->reply = reply;
  redis->value = value_new(reply);
  return redis->value;
}

static mc_value_kind kind_of(const redisReply *reply) {
  switch (reply->type) {
  case REDIS_REPLY_INTEGER:
    return MC_VALUE_INTEGER;
  case REDIS_REPLY_STRING:
  case REDIS_REPLY_STATUS:
    return MC_VALUE_STRING;
  case REDIS_REPLY_ERROR:
    return MC_VALUE_ERROR;
  case REDIS_REPLY_ARRAY:
    return MC_VALUE_ARRAY;
  default:
    return MC_VALUE_NIL;
  }
}

static mc_value *value_new(const redisReply *reply) {
  mc_value *value = mc_zalloc(sizeof *value);
  value->kind = kind_of(reply);
  value->integer = reply->integer;
  value->text = (mc_slice){reply->str, reply->len};
  if (value->kind != MC_VALUE_ARRAY)
    return value;
  value->count = reply->elements;
  value->items = mc_alloc((value->count + 1) * sizeof *value->items);
  for (size_t i = 0; i < value->count; i++)
    value->items[i] = value_new(reply->element[i]);
  return value;
}

static void value_free(mc_value *value) {
  if (!value)
    return;
  for (size_t i = 0; i < value->count; i++)
    value_free(value->items[i]);
  free(value->items);
  free(value);
}

static void add_array(mc_buf *out, const mc_value *array, bool nested) {
  if (nested)
    mc_buf_add_char(out, '[');
  for (size_t i = 0; i < array->count; i++) {
    if (i > 0)
      mc_buf_add_char(out, ' ');
    add_text(out, array->items[i], true);
  }
  if (nested)
    mc_buf_add_char(out, ']');
}

static void add_text(mc_buf *out, const mc_value *value, bool nested) {
  switch (value->kind) {
  case MC_VALUE_NIL:
    mc_buf_add_text(out, "(nil)");
    break;
  case MC_VALUE_INTEGER:
    mc_buf_printf(out, "%lld", (long long)value->integer);
    break;
  case MC_VALUE_ERROR:
    mc_buf_add_text(out, "error: ");
    mc_buf_add_slice(out, value->text);
    break;
  case MC_VALUE_STRING:
    mc_buf_add_slice(out, value->text);
    break;
  case MC_VALUE_ARRAY:
    add_array(out, value, nested);
    break;
  }
}
