/* The public face of the client: C strings in, owned results out. The work is done in client.c and shipment.c. */
#include "client/mooncrew.h"

#include "base/clock.h"
#include "base/mem.h"
#include "client/shipment.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

static_assert((int)MOONCREW_EINVALID == (int)MC_EINVALID, "the public codes are the internal ones");
static_assert((int)MOONCREW_EDUPLICATE == (int)MC_EDUPLICATE, "the public codes are the internal ones");
static_assert((int)MOONCREW_ECONFLICT == (int)MC_ECONFLICT, "the public codes are the internal ones");
static_assert((int)MOONCREW_EUNAVAILABLE == (int)MC_EUNAVAILABLE, "the public codes are the internal ones");
static_assert((int)MOONCREW_EUNKNOWN == (int)MC_EUNKNOWN, "the public codes are the internal ones");
static_assert((int)MOONCREW_ESERVER == (int)MC_ESERVER, "the public codes are the internal ones");
static_assert((int)MOONCREW_EMALFORMED == (int)MC_EMALFORMED, "the public codes are the internal ones");

static void delivery_prepare(mc_delivery *out, const mooncrew_task *task);
static void result_fill(mooncrew_result *out, const mc_delivery *delivery);

static int report(mooncrew_error *error, int code, const char *text) {
  if (error) {
    error->code = code;
    snprintf(error->message, sizeof error->message, "%s", text);
  }
  return code;
}

int mooncrew_open(const char *url, mooncrew_client **out, mooncrew_error *error) {
  mc_err err = {""};
  if (!url)
    return report(error, MC_EINVALID, "a URL is wanted, such as redis://127.0.0.1:6379/0");
  return report(error, mc_client_open(url, out, &err), err.text);
}

void mooncrew_set_timeout(mooncrew_client *client, int64_t timeout_ms) {
  mc_client_set_timeout(client, timeout_ms);
}

int mooncrew_enqueue(mooncrew_client *client, const mooncrew_task *task, mooncrew_result *result,
                     mooncrew_error *error) {
  mooncrew_result own;
  int code = mooncrew_enqueue_many(client, task, 1, result ? result : &own, error);
  if (!result)
    mooncrew_result_release(&own);
  return code;
}

int mooncrew_enqueue_many(mooncrew_client *client, const mooncrew_task *tasks, size_t count, mooncrew_result *results,
                          mooncrew_error *error) {
  mc_delivery *deliveries = mc_alloc(count * sizeof *deliveries);
  const mooncrew_result *failed = NULL;
  for (size_t i = 0; i < count; i++)
    delivery_prepare(&deliveries[i], &tasks[i]);
  mc_shipment_send(client, deliveries, count);
  for (size_t i = 0; i < count; i++) {
    result_fill(&results[i], &deliveries[i]);
    mc_delivery_deinit(&deliveries[i]);
    if (results[i].code && !failed)
      failed = &results[i];
  }
  free(deliveries);
  return failed ? report(error, failed->code, failed->message) : report(error, MOONCREW_OK, "");
}

void mooncrew_result_release(mooncrew_result *result) {
  free(result->id);
  free(result->queue);
  *result = (mooncrew_result){0};
}

void mooncrew_close(mooncrew_client *client) {
  mc_client_close(client);
}

const char *mooncrew_code_name(int code) {
  return mc_err_name(code);
}

const char *mooncrew_version(void) {
  return MC_VERSION;
}

/* ---- options ---- */

static int check_pointers(const mooncrew_task *task, mc_err *err) {
  const mooncrew_options *options = &task->options;
  if (!task->type)
    return mc_fail(err, MC_EINVALID, "type: a task needs one, such as \"email:send\"");
  if (!task->payload && task->payload_size)
    return mc_fail(err, MC_EINVALID, "payload: NULL, yet payload_size is %zu", task->payload_size);
  if (!options->headers && options->header_count)
    return mc_fail(err, MC_EINVALID, "headers: NULL, yet header_count is %zu", options->header_count);
  for (size_t i = 0; i < options->header_count; i++)
    if (!options->headers[i].name || !options->headers[i].value)
      return mc_fail(err, MC_EINVALID, "headers: the name or value of number %zu is NULL", i);
  return 0;
}

/* Two ways to say when, of which -1 means "not this way". */
static int process_at(const mooncrew_options *options, int64_t *out_ms, mc_err *err) {
  int64_t at_s = options->process_at_s, in_ms = options->process_in_ms, at_ms = -1;
  if (at_s != -1 && in_ms != -1)
    return mc_fail(err, MC_EINVALID, "process_at_s and process_in_ms are both given: leave one at -1");
  if (at_s != -1 && (at_s < 0 || __builtin_mul_overflow(at_s, 1000, &at_ms)))
    return mc_fail(err, MC_EINVALID, "process_at_s: %lld is no unix time", (long long)at_s);
  if (in_ms != -1 && (in_ms < 0 || __builtin_add_overflow(mc_clock_wall_ms(), in_ms, &at_ms)))
    return mc_fail(err, MC_EINVALID, "process_in_ms: give 0 or more, not %lld", (long long)in_ms);
  *out_ms = at_ms;
  return 0;
}

static mc_header *headers_convert(const mooncrew_options *options) {
  mc_header *headers = mc_alloc(options->header_count * sizeof *headers);
  for (size_t i = 0; i < options->header_count; i++)
    headers[i] = (mc_header){mc_slice_of(options->headers[i].name), mc_slice_of(options->headers[i].value)};
  return headers;
}

static void delivery_prepare(mc_delivery *out, const mooncrew_task *task) {
  const mooncrew_options *given = &task->options;
  mc_enqueue_options options;
  mc_header *headers = NULL;
  mc_err err;
  mc_enqueue_options_init(&options);
  if (check_pointers(task, &err) || process_at(given, &options.process_at_ms, &err)) {
    mc_delivery_refuse(out, err.text);
    return;
  }
  headers = headers_convert(given);
  options.type = mc_slice_of(task->type);
  options.payload = (mc_slice){task->payload, task->payload_size};
  options.queue = mc_slice_of(given->queue);
  options.has_queue = given->queue != NULL;
  options.id = mc_slice_of(given->task_id);
  options.has_id = given->task_id != NULL;
  options.group = mc_slice_of(given->group);
  options.has_group = given->group != NULL;
  options.max_retry = given->max_retry;
  options.timeout_ms = given->timeout_ms;
  options.deadline_s = given->deadline_s;
  options.unique_ms = given->unique_ms;
  options.retention_ms = given->retention_ms;
  options.headers = headers;
  options.header_count = given->header_count;
  mc_delivery_prepare(out, &options);
  free(headers);
}

/* ---- results ---- */

static char *slice_copy(mc_slice slice) {
  return slice.size ? mc_strndup(slice.data, slice.size) : NULL;
}

static void result_fill(mooncrew_result *out, const mc_delivery *delivery) {
  const mc_enqueue *task = &delivery->task;
  *out = (mooncrew_result){
      .code = delivery->code,
      .id = slice_copy(task->id),
      .queue = slice_copy(task->queue),
      .state = mc_delivery_state(delivery),
      .process_at_s = task->kind == MC_ENQUEUE_SCHEDULED ? task->process_at_s : 0,
  };
  snprintf(out->message, sizeof out->message, "%.*s", (int)sizeof out->message - 1, delivery->err.text);
}
