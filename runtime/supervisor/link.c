/* The way to Redis: see link.h. */
#include "supervisor/link.h"

#include "base/clock.h"
#include "base/log.h"
#include "protocol/keys.h"
#include "supervisor/cancel.h"
#include "supervisor/duty_discover.h"
#include "supervisor/duty_recover.h"
#include "supervisor/node.h"
#include "supervisor/wake.h"

#include <stdio.h>

#define STILL_AWAY_MS 60000
#define INVALIDATION_CHANNEL "__redis__:invalidate"

static void log_refused(mc_node *node, const mc_value *reply) {
  if (node->link.refused)
    return;
  node->link.refused = true;
  mc_log_begin(MC_LOG_WARN, "wake-ups refused");
  mc_log_slice("reply", reply->text);
  mc_log_int("poll_ms", node->config->task_check_interval_ms);
  mc_log_text("detail", "the server does not grant invalidation messages; idle queues are polled instead");
  mc_log_end();
}

static void on_tracking(void *arg, int status, const mc_value *reply) {
  mc_node *node = arg;
  if (status)
    return; /* lost: begun again after the reconnect */
  if (node->link.notices_id == 0)
    return; /* the notice connection went meanwhile: begun again when it is back */
  node->link.tracking = mc_value_is_text(reply, "OK");
  if (!node->link.tracking)
    log_refused(node, reply);
  mc_queues_set_ready(&node->queues); /* whatever came while nobody watched */
  mc_duty_discover(node);
}

/* Called when either connection has become ready; acts when both are. */
static void start_tracking(mc_node *node) {
  char id[32];
  if (!node->link.up || node->link.notices_id == 0)
    return;
  snprintf(id, sizeof id, "%lld", (long long)node->link.notices_id);
  mc_conn_send_words(node->link.commands, NULL, NULL, "CLIENT", "TRACKING", "OFF", NULL);
  mc_conn_send_words(node->link.commands, on_tracking, node, "CLIENT", "TRACKING", "ON", "REDIRECT", id, "OPTIN", NULL);
}

static void on_notices_id(void *arg, int status, const mc_value *reply) {
  mc_node *node = arg;
  if (status)
    return;
  if (reply->kind == MC_VALUE_INTEGER)
    node->link.subscriber_id = reply->integer;
  else
    log_refused(node, reply);
}

/* Only a connection that is subscribed can be redirected to. */
static void on_subscribed(void *arg, int status, const mc_value *reply) {
  mc_node *node = arg;
  if (status)
    return;
  if (reply->kind == MC_VALUE_ERROR) {
    log_refused(node, reply);
    return;
  }
  node->link.notices_id = node->link.subscriber_id;
  start_tracking(node);
}

static void on_cancel_subscribed(void *arg, int status, const mc_value *reply) {
  (void)arg;
  if (status || reply->kind != MC_VALUE_ERROR)
    return;
  mc_log_begin(MC_LOG_WARN, "cancellation refused");
  mc_log_slice("reply", reply->text);
  mc_log_text("detail", "the server does not let us subscribe to " MC_CHANNEL_CANCEL "; tasks cannot be cancelled");
  mc_log_end();
}

static void on_commands_ready(void *arg) {
  mc_node *node = arg;
  node->link.up = true;
  if (!node->link.was_up || node->link.away) {
    mc_log_begin(MC_LOG_INFO, node->link.was_up ? "redis is back" : "connected to redis");
    mc_log_text("redis", node->link.address);
    mc_log_end();
  }
  node->link.was_up = true;
  node->link.away = false;
  mc_queues_set_ready(&node->queues);
  mc_recover_forget(node);
  mc_duties_run_now(node);
  start_tracking(node);
}

/* Once when it goes; then once a minute, since the reason may have become another one, such as a changed password. */
static void log_away(mc_link *link, const char *why) {
  uint64_t now_ms = mc_clock_mono_ms();
  if (link->away && now_ms - link->said_ms < STILL_AWAY_MS)
    return;
  mc_log_begin(MC_LOG_ERROR, link->away ? "redis is still away" : "redis is away");
  mc_log_text("detail", why); /* begins with the address */
  mc_log_end();
  link->away = true;
  link->said_ms = now_ms;
}

static void on_commands_lost(void *arg, const char *why) {
  mc_node *node = arg;
  node->link.up = false;
  node->link.tracking = false;
  log_away(&node->link, why);
}

static void on_notices_ready(void *arg) {
  mc_node *node = arg;
  /* The id first: a subscribed connection takes no other commands. */
  mc_conn_send_words(node->link.notices, on_notices_id, node, "CLIENT", "ID", NULL);
  mc_conn_send_words(node->link.notices, on_subscribed, node, "SUBSCRIBE", INVALIDATION_CHANNEL, NULL);
  mc_conn_send_words(node->link.notices, on_cancel_subscribed, node, "SUBSCRIBE", MC_CHANNEL_CANCEL, NULL);
}

static void on_notices_lost(void *arg, const char *why) {
  mc_node *node = arg;
  node->link.notices_id = 0;
  node->link.tracking = false;
  mc_log_event(MC_LOG_DEBUG, "notice connection lost", "%s", why);
}

static void on_notice(void *arg, const mc_value *message) {
  mc_node *node = arg;
  const mc_value *channel = mc_value_item(message, 1), *content = mc_value_item(message, 2);
  if (!mc_value_is_text(mc_value_item(message, 0), "message") || !content)
    return;
  if (mc_value_is_text(channel, INVALIDATION_CHANNEL))
    mc_wake_on_notice(node, content);
  else if (mc_value_is_text(channel, MC_CHANNEL_CANCEL) && content->kind == MC_VALUE_STRING)
    mc_cancel_by_id(node, content->text);
}

int mc_link_open(mc_node *node, mc_err *err) {
  mc_link *link = &node->link;
  mc_redis_url url;
  int rc = mc_redis_url_parse(node->config->redis, &url, err);
  if (rc)
    return rc;
  mc_redis_url_show(&url, link->address, sizeof link->address);
  mc_conn_options commands = {
      .name = "mooncrew", .on_ready = on_commands_ready, .on_lost = on_commands_lost, .arg = node};
  mc_conn_options notices = {.name = "mooncrew-notices",
                             .on_ready = on_notices_ready,
                             .on_lost = on_notices_lost,
                             .on_push = on_notice,
                             .arg = node};
  link->commands = mc_conn_new(&node->loop, &url, &commands);
  link->notices = mc_conn_new(&node->loop, &url, &notices);
  mc_redis_url_deinit(&url);
  mc_conn_start(link->commands);
  mc_conn_start(link->notices);
  return 0;
}

void mc_link_close(mc_node *node) {
  mc_link *link = &node->link;
  link->up = false;
  link->tracking = false;
  if (link->commands)
    mc_conn_close(link->commands, NULL, NULL);
  if (link->notices)
    mc_conn_close(link->notices, NULL, NULL);
  link->commands = link->notices = NULL;
}
