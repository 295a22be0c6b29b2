/* The deliveries of one call, sent together.
 *
 * One round trip carries everything: `SADD asynq:queues`, then one script call, a parcel, per queue and batch. The
 * round is repeated for the parcels that have no answer, until all have or the deadline has passed.
 *
 * What makes the accounts honest: a parcel whose answer was lost with the connection is sent again as it was, with the
 * same ids; a conflict with an id that we made ourselves then means that the first time had worked (mc_enqueue_answer).
 * UNAVAILABLE is said only of tasks that no connection was ever given; a task that was sent, and has no answer at the
 * deadline, is UNKNOWN.
 */
#include "client/shipment.h"

#include "base/clock.h"
#include "base/mem.h"
#include "protocol/keys.h"

#include <stdio.h>
#include <stdlib.h>

/* A parcel is full when it holds this much, so that one script call does not block Redis for long. */
#define PARCEL_BYTES ((size_t)4 << 20)

struct shipment {
  mc_client *client;
  mc_delivery **list; /* what is to be sent: by queue, and within a queue in the caller's order */
  size_t count;
  struct parcel *parcels;
  size_t parcel_count;
  char busy[160]; /* Redis did nothing and asks to come again later: what it said; else empty */
};

struct parcel {
  struct shipment *shipment;
  mc_delivery **deliveries; /* a stretch of the shipment's list, of one queue */
  size_t count;
  bool answered;
  bool lost; /* it was sent, and the connection went before the answer came */
};

static void shipment_init(struct shipment *out, mc_client *client, mc_delivery *deliveries, size_t count);
static void shipment_deinit(struct shipment *shipment);
static void shipment_pack(struct shipment *shipment);
static int shipment_try(struct shipment *shipment, mc_err *err);
static void shipment_give_up(struct shipment *shipment, int code, const char *why);

void mc_shipment_send(mc_client *client, mc_delivery *deliveries, size_t count) {
  struct shipment shipment;
  mc_err err = {""};
  shipment_init(&shipment, client, deliveries, count);
  if (shipment.count) {
    shipment_pack(&shipment);
    int code = mc_client_begin(client, &err);
    if (code == 0) {
      code = shipment_try(&shipment, &err);
      mc_client_end(client);
    }
    if (code)
      shipment_give_up(&shipment, code, err.text);
  }
  shipment_deinit(&shipment);
}

/* ---- packing ---- */

static void shipment_init(struct shipment *out, mc_client *client, mc_delivery *deliveries, size_t count) {
  *out = (struct shipment){.client = client, .list = mc_alloc(count * sizeof *out->list)};
  for (size_t i = 0; i < count; i++)
    if (!deliveries[i].settled)
      out->list[out->count++] = &deliveries[i];
}

static void shipment_deinit(struct shipment *shipment) {
  free(shipment->list);
  free(shipment->parcels);
}

static int queue_compare(mc_slice a, mc_slice b) {
  int order = memcmp(a.data, b.data, a.size < b.size ? a.size : b.size);
  return order ? order : (a.size > b.size) - (a.size < b.size);
}

/* By queue; within a queue by place in the caller's array, which the addresses tell. */
static int delivery_compare(const void *left, const void *right) {
  const mc_delivery *a = *(mc_delivery *const *)left, *b = *(mc_delivery *const *)right;
  int order = queue_compare(a->task.queue, b->task.queue);
  return order ? order : (a > b) - (a < b);
}

/* How many deliveries from `start` on fit into one parcel: of one queue, not too many, not too big. */
static size_t parcel_size(const struct shipment *shipment, size_t start) {
  mc_slice queue = shipment->list[start]->task.queue;
  size_t bytes = 0, count = 0;
  while (start + count < shipment->count && count < MC_ENQUEUE_BATCH) {
    const mc_enqueue *task = &shipment->list[start + count]->task;
    bytes += task->message.size;
    if (!mc_slice_equal(task->queue, queue) || (count > 0 && bytes > PARCEL_BYTES))
      break;
    count++;
  }
  return count;
}

static void shipment_pack(struct shipment *shipment) {
  qsort(shipment->list, shipment->count, sizeof *shipment->list, delivery_compare);
  shipment->parcels = mc_alloc(shipment->count * sizeof *shipment->parcels);
  for (size_t start = 0, size; start < shipment->count; start += size) {
    size = parcel_size(shipment, start);
    shipment->parcels[shipment->parcel_count++] =
        (struct parcel){.shipment = shipment, .deliveries = shipment->list + start, .count = size};
  }
}

/* ---- sending ---- */

/* LOADING after a restart, BUSY with a long script: nothing was done, and it passes. */
static bool is_passing(const mc_value *reply) {
  return mc_value_is_error(reply, "LOADING") || mc_value_is_error(reply, "BUSY");
}

/* An error in the answer to a second sending says nothing about the first. */
static int answer_code(const struct parcel *parcel, const mc_value *reply, size_t i) {
  int code = mc_enqueue_answer(reply, i, &parcel->deliveries[i]->task, parcel->lost);
  return parcel->lost && (code == MC_ESERVER || code == MC_EMALFORMED) ? MC_EUNKNOWN : code;
}

/* Copies what Redis said against task i: of the whole call, or of this task alone. Empty when nothing. */
static void error_text(const mc_value *reply, size_t i, char *out, size_t size) {
  const mc_value *error = reply->kind == MC_VALUE_ARRAY ? mc_value_item(reply, i) : reply;
  bool is_error = error && error->kind == MC_VALUE_ERROR;
  snprintf(out, size, "%.*s", is_error ? (int)error->text.size : 0, is_error ? error->text.data : "");
}

static void parcel_settle(struct parcel *parcel, const mc_value *reply) {
  const char *where = mc_client_where(parcel->shipment->client);
  char why[160];
  for (size_t i = 0; i < parcel->count; i++) {
    error_text(reply, i, why, sizeof why);
    mc_delivery_settle(parcel->deliveries[i], answer_code(parcel, reply, i), why, where);
  }
  parcel->answered = true;
}

static void on_answer(void *arg, int status, const mc_value *reply) {
  struct parcel *parcel = arg;
  struct shipment *shipment = parcel->shipment;
  if (status)
    parcel->lost = true;
  else if (is_passing(reply))
    error_text(reply, 0, shipment->busy, sizeof shipment->busy);
  else
    parcel_settle(parcel, reply);
}

/* One that cannot be sent, because the connection has gone, keeps its turn for the next round. */
static void parcel_send(struct parcel *parcel, mc_conn *conn) {
  const mc_enqueue *tasks[MC_ENQUEUE_BATCH];
  mc_call call = {0};
  for (size_t i = 0; i < parcel->count; i++)
    tasks[i] = &parcel->deliveries[i]->task;
  mc_call_enqueue(&call, tasks, parcel->count, mc_clock_wall_ns());
  mc_conn_call(conn, &call, on_answer, parcel);
}

/* Makes the queues known to servers and inspectors. Where Redis refuses it, it refuses the script calls as well, and
 * their answers say so. */
static void send_queues(const struct shipment *shipment, mc_conn *conn) {
  mc_args args = {0};
  mc_args_add_text(&args, "SADD");
  mc_args_add_text(&args, MC_KEY_QUEUES);
  for (size_t i = 0; i < shipment->parcel_count; i++) {
    mc_slice queue = shipment->parcels[i].deliveries[0]->task.queue;
    if (i == 0 || !mc_slice_equal(queue, shipment->parcels[i - 1].deliveries[0]->task.queue))
      mc_args_add(&args, queue);
  }
  mc_conn_send(conn, &args, NULL, NULL);
  mc_args_deinit(&args);
}

/* True when every parcel has its answer. */
static bool shipment_round(struct shipment *shipment) {
  mc_conn *conn = mc_client_conn(shipment->client);
  size_t missing = 0;
  shipment->busy[0] = '\0';
  send_queues(shipment, conn);
  for (size_t i = 0; i < shipment->parcel_count; i++)
    if (!shipment->parcels[i].answered)
      parcel_send(&shipment->parcels[i], conn);
  mc_client_drain(shipment->client);
  for (size_t i = 0; i < shipment->parcel_count; i++)
    missing += !shipment->parcels[i].answered;
  return missing == 0;
}

/* 0 when all was answered; else why the rest was not, at the deadline. */
static int shipment_try(struct shipment *shipment, mc_err *err) {
  for (;;) {
    int code = mc_client_ready(shipment->client, err);
    if (code)
      return code;
    if (shipment_round(shipment))
      return 0;
    if (shipment->busy[0] && !mc_client_pause(shipment->client))
      return mc_fail(err, MC_EUNAVAILABLE, "Redis at %s takes no commands: %s", mc_client_where(shipment->client),
                     shipment->busy);
  }
}

static void shipment_give_up(struct shipment *shipment, int code, const char *why) {
  for (size_t i = 0; i < shipment->parcel_count; i++) {
    const struct parcel *parcel = &shipment->parcels[i];
    for (size_t k = 0; k < parcel->count && !parcel->answered; k++)
      mc_delivery_settle(parcel->deliveries[k], parcel->lost ? MC_EUNKNOWN : code, why,
                         mc_client_where(shipment->client));
  }
}
