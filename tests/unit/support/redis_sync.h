/* Redis for tests, one question at a time: hiredis' blocking connection, with answers as mc_values.
 *
 * Whatever goes wrong with the connection ends the test program with a text that says what.
 */
#ifndef MC_TESTS_REDIS_SYNC_H
#define MC_TESTS_REDIS_SYNC_H

#include <stdarg.h>

#include "base/script.h"
#include "base/value.h"

typedef struct redis_sync redis_sync;

redis_sync *redis_sync_open(const char *socket_path);
void redis_sync_close(redis_sync *redis);

/* Runs a script call and takes its arguments: the call is empty afterwards. The answer lives until the next question.
 */
const mc_value *redis_sync_call(redis_sync *redis, mc_call *call);

/* The same by the script's hash, as supervisors call it: Redis must have seen the script before. */
const mc_value *redis_sync_call_cached(redis_sync *redis, mc_call *call);

/* One command; the format is redisCommand's: words parted by spaces, %s, %b, %d … */
const mc_value *redis_sync_ask(redis_sync *redis, const char *format, ...);
const mc_value *redis_sync_vask(redis_sync *redis, const char *format, va_list list);

/* A value as text: strings as they are, integers in digits, "(nil)", errors behind "error: ", the items of an array
 * one after the other with a space between, those of a nested one in brackets. Lives until the next call. */
const char *redis_sync_text(redis_sync *redis, const mc_value *value);

#endif
