/* Notices of changed keys: see notices.h. */
#include "client/notices.h"

#include <stdio.h>

#define INVALIDATION_CHANNEL "__redis__:invalidate"
#define BACKOFF_MAX_MS 1000

static void on_id(void *arg, int status, const mc_value *reply) {
  mc_notices *notices = arg;
  if (status)
    return;
  notices->next_id = reply->kind == MC_VALUE_INTEGER ? reply->integer : 0;
}

static void on_subscribed(void *arg, int status, const mc_value *reply) {
  mc_notices *notices = arg;
  if (status)
    return;
  if (reply->kind == MC_VALUE_ERROR || notices->next_id == 0)
    return;
  notices->id = notices->next_id;
  notices->wake = true;
}

static void on_ready(void *arg) {
  mc_notices *notices = arg;
  /* The id first: a subscribed connection takes no other commands. */
  mc_conn_send_words(notices->conn, on_id, notices, "CLIENT", "ID", NULL);
  mc_conn_send_words(notices->conn, on_subscribed, notices, "SUBSCRIBE", INVALIDATION_CHANNEL, NULL);
}

static void on_lost(void *arg, const char *why) {
  mc_notices *notices = arg;
  (void)why;
  notices->id = 0;
  notices->wake = notices->wake || notices->armed; /* what was armed may have changed unheard */
  notices->armed = false;
}

static void on_push(void *arg, const mc_value *message) {
  mc_notices *notices = arg;
  if (mc_value_is_text(mc_value_item(message, 0), "message"))
    notices->wake = true;
}

void mc_notices_open(mc_notices *out, mc_client *client) {
  const mc_conn_options options = {
      .backoff_max_ms = BACKOFF_MAX_MS,
      .name = "mooncrew-client-notices",
      .on_ready = on_ready,
      .on_lost = on_lost,
      .on_push = on_push,
      .arg = out,
  };
  *out = (mc_notices){.client = client};
  out->conn = mc_client_open_conn(client, &options);
}

void mc_notices_close(mc_notices *notices) {
  mc_conn *conn = mc_client_conn(notices->client);
  if (conn && notices->id != 0)
    mc_conn_send_words(conn, NULL, NULL, "CLIENT", "TRACKING", "OFF", NULL);
  mc_client_close_conn(notices->client, notices->conn);
  notices->conn = NULL;
}

/* Either of the two commands that arm; the second one has the last word. */
static void on_arming(void *arg, int status, const mc_value *reply) {
  mc_notices *notices = arg;
  notices->armed = status == 0 && reply->kind != MC_VALUE_ERROR;
}

void mc_notices_arm(mc_notices *notices) {
  char id[32];
  mc_conn *conn = mc_client_conn(notices->client);
  notices->armed = false;
  if (notices->id == 0)
    return;
  snprintf(id, sizeof id, "%lld", (long long)notices->id);
  mc_conn_send_words(conn, on_arming, notices, "CLIENT", "TRACKING", "ON", "REDIRECT", id, "OPTIN", NULL);
  mc_conn_send_words(conn, on_arming, notices, "CLIENT", "CACHING", "YES", NULL);
}
