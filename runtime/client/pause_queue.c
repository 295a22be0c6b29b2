/* Whether a queue is worked on. See mooncrew.h. */
#include "client/ask.h"
#include "client/inspect.h"

#include "base/clock.h"
#include "protocol/keys.h"
#include "protocol/message.h"

/* SET … NX answers nil when the key was there; DEL answers how many keys went. */
static int on_switched(void *arg, size_t i, const mc_value *reply, mc_err *err) {
  bool *switched = arg;
  (void)i;
  (void)err;
  *switched = reply->kind == MC_VALUE_STRING || (reply->kind == MC_VALUE_INTEGER && reply->integer > 0);
  return 0;
}

static int switch_queue(mc_client *client, mc_call *call, mc_slice queue, const char *already, mc_err *err) {
  bool switched = false;
  int code = mc_text_is_blank(queue) ? mc_fail(err, MC_EINVALID, "queue: a queue has a name") : 0;
  if (code == 0)
    code = mc_client_begin(client, err);
  if (code == 0) {
    code = mc_client_tell(client, call, on_switched, &switched, err);
    mc_client_end(client);
  }
  mc_calls_deinit(call, 1);
  if (code == 0 && !switched)
    return mc_fail(err, MC_ESTATE, "queue \"%.*s\" is %s", MC_SLICE_PRINT(queue), already);
  return code;
}

int mc_pause_queue(mc_client *client, mc_slice queue, mc_err *err) {
  mc_call call = {0};
  mc_args_add_text(&call.args, "SET");
  mc_key_queue(&call.args.bytes, queue, MC_KEY_PAUSED);
  mc_args_end(&call.args);
  mc_args_add_int(&call.args, mc_clock_wall_s());
  mc_args_add_text(&call.args, "NX");
  return switch_queue(client, &call, queue, "paused already", err);
}

int mc_unpause_queue(mc_client *client, mc_slice queue, mc_err *err) {
  mc_call call = {0};
  mc_args_add_text(&call.args, "DEL");
  mc_key_queue(&call.args.bytes, queue, MC_KEY_PAUSED);
  mc_args_end(&call.args);
  return switch_queue(client, &call, queue, "not paused", err);
}
