/* A handler's connection to Redis: see redis_link.h. */
#include "worker/redis_link.h"

#include "base/list.h"
#include "base/mem.h"
#include "worker/behalf.h"

#include <stdio.h>
#include <stdlib.h>

typedef struct batch {
  mc_list link; /* in unsent, sent or lost */
  mc_redis_link *owner;
  uint64_t number;
  uint64_t attempt;  /* whose it is (behalf.h) */
  mc_args *commands; /* NULL once they were sent */
  size_t count, answered;
  bool forgotten, sent;
  mc_redis_batch_events events;
} batch;

struct mc_redis_link {
  mc_conn *conn;
  mc_list unsent, sent, lost; /* lost: sent, and the connection went; the reason is still to come */
  uint64_t last_number;
  bool once, over; /* over: its connection closes, or has closed */
  uint64_t outer;  /* while it reads: who was current before */
  bool disowned;   /* by its owner: the memory goes with the connection */
  char name[256];
};

static void free_commands(batch *self) {
  for (size_t i = 0; self->commands && i < self->count; i++)
    mc_args_deinit(&self->commands[i]);
  free(self->commands);
  self->commands = NULL;
}

/* Its events may close the link, so it is the last that is done with both. */
static void end(batch *self, int status, const char *reason) {
  mc_redis_batch_events events = self->events;
  bool forgotten = self->forgotten;
  mc_list_remove(&self->link);
  free_commands(self);
  free(self);
  if (!forgotten)
    events.on_end(events.arg, status, reason);
}

static void end_all(mc_list *list, int status, const char *reason) {
  mc_list ending;
  mc_list_init(&ending);
  for (mc_list *link; (link = mc_list_pop_front(list));) /* what is sent meanwhile is not among them */
    mc_list_push_back(&ending, link);
  while (!mc_list_empty(&ending))
    end(mc_container_of(ending.next, batch, link), status, reason);
}

static void take_reply(batch *self, int status, const mc_value *reply) {
  self->answered++;
  if (status != 0) {
    mc_list_remove(&self->link);
    mc_list_push_back(&self->owner->lost, &self->link);
    return;
  }
  if (!self->forgotten)
    self->events.on_reply(self->events.arg, reply);
  if (self->answered == self->count)
    end(self, 0, NULL);
}

static void on_reply(void *arg, int status, const mc_value *reply) {
  batch *self = arg;
  uint64_t outer = mc_behalf_begin(self->attempt);
  take_reply(self, status, reply);
  mc_behalf_end(outer);
}

/* What has come of a reply that is not whole yet is that of the oldest batch. */
static void on_read(void *arg, bool begins) {
  mc_redis_link *self = arg;
  if (!begins)
    mc_behalf_end(self->outer);
  else
    self->outer =
        mc_behalf_begin(mc_list_empty(&self->sent) ? 0 : mc_container_of(self->sent.next, batch, link)->attempt);
}

static void send_now(batch *self) {
  mc_redis_link *owner = self->owner;
  self->sent = true;
  mc_list_remove(&self->link);
  mc_list_push_back(&owner->sent, &self->link);
  for (size_t i = 0; i < self->count; i++)
    mc_conn_send(owner->conn, &self->commands[i], on_reply, self);
  free_commands(self);
}

static void on_ready(void *arg) {
  mc_redis_link *self = arg;
  MC_LIST_EACH(link, &self->unsent) {
    send_now(mc_container_of(link, batch, link));
  }
}

static void free_if_done(mc_redis_link *self) {
  if (!self->conn && self->disowned)
    free(self);
}

static void on_conn_closed(void *arg) {
  mc_redis_link *self = arg;
  self->conn = NULL;
  end_all(&self->lost, MC_EUNKNOWN, "the connection was closed");
  end_all(&self->unsent, MC_EUNAVAILABLE, "the connection was closed");
  free_if_done(self);
}

/* Closing a connection takes until a later turn, so the memory stays while this runs. */
static void on_lost(void *arg, const char *why) {
  mc_redis_link *self = arg;
  if (self->once) {
    self->over = true;
    mc_conn_close(self->conn, on_conn_closed, self);
  }
  end_all(&self->lost, MC_EUNKNOWN, why);
  end_all(&self->unsent, MC_EUNAVAILABLE, why);
}

int mc_redis_link_open(uv_loop_t *loop, const char *text, const mc_redis_link_options *options, mc_redis_link **out,
                       mc_err *err) {
  mc_redis_url url;
  int rc = mc_redis_url_parse(text, &url, err);
  if (rc)
    return rc;
  mc_redis_link *self = mc_zalloc(sizeof *self);
  mc_conn_options conn_options = {
      .connect_timeout_ms = options->connect_timeout_ms,
      .command_timeout_ms = options->command_timeout_ms,
      .name = "mooncrew-handler",
      .on_ready = on_ready,
      .on_lost = on_lost,
      .on_read = on_read,
      .arg = self,
  };
  mc_list_init(&self->unsent);
  mc_list_init(&self->sent);
  mc_list_init(&self->lost);
  self->once = options->once;
  mc_redis_url_show(&url, self->name, sizeof self->name);
  self->conn = mc_conn_new(loop, &url, &conn_options);
  mc_conn_start(self->conn);
  mc_redis_url_deinit(&url);
  *out = self;
  return 0;
}

void mc_redis_link_close(mc_redis_link *self) {
  self->disowned = true;
  if (self->conn && !self->over)
    mc_conn_close(self->conn, on_conn_closed, self);
  self->over = true;
  free_if_done(self);
}

void mc_redis_link_drop(mc_redis_link *self) {
  mc_list *lists[] = {&self->unsent, &self->sent, &self->lost};
  for (size_t i = 0; i < MC_COUNT(lists); i++) {
    MC_LIST_EACH(link, lists[i]) {
      mc_container_of(link, batch, link)->forgotten = true;
    }
  }
  mc_redis_link_close(self);
}

bool mc_redis_link_is_over(const mc_redis_link *self) {
  return self->over;
}

uint64_t mc_redis_link_send(mc_redis_link *self, mc_args *commands, size_t count, const mc_redis_batch_events *events) {
  batch *added = mc_zalloc(sizeof *added);
  added->owner = self;
  added->number = ++self->last_number;
  added->attempt = mc_behalf_now();
  added->commands = commands;
  added->count = count;
  added->events = *events;
  mc_list_push_back(&self->unsent, &added->link);
  if (self->conn && mc_conn_is_ready(self->conn))
    send_now(added);
  return added->number;
}

static batch *find(mc_redis_link *self, uint64_t number) {
  mc_list *lists[] = {&self->unsent, &self->sent, &self->lost};
  for (size_t i = 0; i < MC_COUNT(lists); i++) {
    MC_LIST_EACH(link, lists[i]) {
      batch *candidate = mc_container_of(link, batch, link);
      if (candidate->number == number)
        return candidate;
    }
  }
  return NULL;
}

bool mc_redis_link_forget(mc_redis_link *self, uint64_t number, void **out_arg) {
  batch *found = find(self, number);
  if (!found || found->forgotten)
    return false;
  *out_arg = found->events.arg;
  found->forgotten = true;
  if (!found->sent)
    end(found, 0, NULL);
  return true;
}

const char *mc_redis_link_name(const mc_redis_link *self) {
  return self->name;
}
