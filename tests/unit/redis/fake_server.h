/* A server that says what it is told, on a unix socket and on the probe's loop: one line of its script for each time
 * that bytes arrive; it hangs up when the script ends. Every connection begins the script anew, unless it goes on. */
#ifndef MC_TESTS_FAKE_SERVER_H
#define MC_TESTS_FAKE_SERVER_H

#include <stdlib.h>
#include <unistd.h>

#include "base/mem.h"
#include "probe.h"

typedef struct fake_server {
  uv_pipe_t listener;
  char folder[64], url[128];
  const char *const *script; /* NULL at the end */
  size_t at;
  bool goes_on;        /* the next connection takes up the script where the last one left it */
  const char *parting; /* said to every connection at once, and then it is closed; NULL: not */
  int accepted;
} fake_server;

typedef struct fake_client {
  uv_pipe_t pipe;
  fake_server *server;
  char bytes[65536];
} fake_client;

static void fake_on_closed(uv_handle_t *handle) {
  free(mc_container_of(handle, fake_client, pipe));
}

static void fake_on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *buf) {
  fake_client *client = mc_container_of(handle, fake_client, pipe);
  (void)suggested;
  *buf = uv_buf_init(client->bytes, sizeof client->bytes);
}

static void fake_say(fake_client *client, const char *text) {
  uv_buf_t bytes = uv_buf_init((char *)text, (unsigned)strlen(text));
  uv_try_write((uv_stream_t *)&client->pipe, &bytes, 1);
}

static void fake_on_read(uv_stream_t *stream, ssize_t size, const uv_buf_t *buf) {
  fake_client *client = mc_container_of(stream, fake_client, pipe);
  (void)buf;
  if (size == 0)
    return;
  const char *says = size > 0 ? client->server->script[client->server->at] : NULL;
  if (!says) {
    uv_close((uv_handle_t *)stream, fake_on_closed);
    return;
  }
  client->server->at++;
  fake_say(client, says);
}

static void fake_on_connection(uv_stream_t *listener, int status) {
  fake_server *server = mc_container_of(listener, fake_server, listener);
  assert_int_equal(status, 0);
  fake_client *client = mc_zalloc(sizeof *client);
  client->server = server;
  server->accepted++;
  if (!server->goes_on)
    server->at = 0;
  uv_pipe_init(listener->loop, &client->pipe, 0);
  assert_int_equal(uv_accept(listener, (uv_stream_t *)&client->pipe), 0);
  if (server->parting) {
    fake_say(client, server->parting);
    uv_close((uv_handle_t *)&client->pipe, fake_on_closed);
    return;
  }
  uv_read_start((uv_stream_t *)&client->pipe, fake_on_alloc, fake_on_read);
}

/* A probe and a fake server for it; the connection is started. */
static void fake_open(fake_server *server, probe *p, const char *const *script, mc_conn_options options) {
  char path[96];
  *server = (fake_server){.script = script};
  snprintf(server->folder, sizeof server->folder, "/tmp/mooncrew-test-XXXXXX");
  assert_non_null(mkdtemp(server->folder));
  snprintf(path, sizeof path, "%s/fake.sock", server->folder);
  snprintf(server->url, sizeof server->url, "redis+unix://bob:hunter2@%s", path);
  probe_init(p, server->url, options);
  uv_pipe_init(&p->loop, &server->listener, 0);
  assert_int_equal(uv_pipe_bind(&server->listener, path), 0);
  assert_int_equal(uv_listen((uv_stream_t *)&server->listener, 8, fake_on_connection), 0);
  mc_conn_start(p->conn);
}

static void fake_end(fake_server *server, probe *p) {
  uv_close((uv_handle_t *)&server->listener, NULL); /* removes the socket as well */
  probe_end(p);
  rmdir(server->folder);
}

#endif
