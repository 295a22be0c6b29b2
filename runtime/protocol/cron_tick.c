/* Ticks in Redis: see cron_tick.h. */
#include "protocol/cron_tick.h"

#include "base/mem.h"
#include "protocol/keys.h"
#include "protocol/scripts.h"

static void add_record_key(mc_args *args, mc_slice queue, mc_slice entry) {
  mc_key_cron(&args->bytes, queue, entry);
  mc_args_end(args);
}

void mc_call_cron_open(mc_call *call, mc_slice queue, mc_slice entry, int64_t start_s, int64_t lasts_s) {
  mc_args *args = &call->args;
  call->script = &mc_server_script_cron_open;
  mc_args_clear(args);
  add_record_key(args, queue, entry);
  mc_args_add_int(args, start_s);
  mc_args_add_int(args, lasts_s);
}

static int check_reply(const mc_value *reply, const char *operation, mc_err *err) {
  int code = mc_value_check_array(reply, operation, err);
  if (code == 0 && reply->count != 2)
    code = mc_fail(err, MC_EMALFORMED, "%s: the reply is no pair", operation);
  return code;
}

int mc_cron_record_read(const mc_value *reply, mc_cron_record *out, mc_err *err) {
  mc_cron_record record = {0};
  int code = check_reply(reply, "open cron entry", err);
  if (code != 0)
    return code;
  if (mc_value_integer(reply->items[0], &record.newest_s) != 0)
    return mc_fail(err, MC_EMALFORMED, "open cron entry: the newest tick is no number");
  if (reply->items[1]->kind != MC_VALUE_NIL && mc_value_integer(reply->items[1], &record.enqueued_s) != 0)
    return mc_fail(err, MC_EMALFORMED, "open cron entry: the last tick is no number");
  *out = record;
  return 0;
}

void mc_call_cron_tick(mc_call *call, mc_slice entry, const mc_cron_tick *tick, const mc_enqueue *task, int64_t lasts_s,
                       int64_t now_ns) {
  static const mc_queue_key keys[] = {MC_KEY_PENDING, MC_KEY_SCHEDULED, MC_KEY_GROUPS};
  mc_args *args = &call->args;
  call->script = &mc_server_script_cron_tick;
  mc_args_clear(args);
  add_record_key(args, task->queue, entry);
  mc_key_cron_claim(&args->bytes, task->queue, entry, tick->at_s);
  mc_args_end(args);
  for (size_t i = 0; i < MC_COUNT(keys); i++) {
    mc_key_queue_arg(args, task->queue, keys[i]);
  }
  mc_key_task_prefix_arg(args, task->queue);
  mc_key_group_prefix_arg(args, task->queue);
  mc_args_add_int(args, tick->at_s);
  mc_args_add_int(args, tick->missed);
  mc_args_add_int(args, MC_CRON_CLAIM_S);
  mc_args_add_int(args, lasts_s);
  mc_enqueue_add(args, task, now_ns);
}

int mc_cron_answer_read(const mc_value *reply, const mc_enqueue *task, mc_cron_answer *out, mc_err *err) {
  int64_t answer;
  int code = check_reply(reply, "enqueue cron tick", err);
  if (code != 0)
    return code;
  if (mc_value_integer(reply->items[0], &answer) != 0 || answer > MC_CRON_ENQUEUED || answer < MC_CRON_TOO_LATE)
    return mc_fail(err, MC_EMALFORMED, "enqueue cron tick: the answer is none of ours");
  bool ours = reply->items[1]->kind == MC_VALUE_STRING && mc_slice_equal(reply->items[1]->text, task->id);
  *out = answer == MC_CRON_TAKEN && ours ? MC_CRON_ENQUEUED : (mc_cron_answer)answer;
  return 0;
}
