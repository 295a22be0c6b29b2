/* TLS: the transport above a stream. See transport.h, and tls.h for what is trusted.
 *
 *   open ── the stream opens ──▶ handshake ──▶ open ──▶ … failed
 *
 * OpenSSL never sees the socket: what arrived is put into one memory BIO, and what it has to say is taken out of
 * another and handed to the stream, which also holds what the kernel does not take at once. Whatever is written leaves
 * OpenSSL record by record, so neither BIO grows beyond a record and one read of the stream.
 *
 * Events may close the transport, whose memory stays until the stream has closed.
 */
#include <openssl/err.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "redis/tls.h"
#include "redis/transport.h"

#define RECORD_SIZE ((size_t)16 * 1024)
#define BUFFER_KEPT ((size_t)256 * 1024) /* larger ones give their memory back */

typedef struct tls {
  mc_transport transport;
  const mc_redis_url *url;
  mc_transport *stream;
  SSL *session;          /* NULL until the stream is open */
  BIO *arrived, *sealed; /* the session's */
  mc_buf out;            /* sealed, for the stream */
  mc_buf unsealed;       /* what OpenSSL takes only when it has read more */
  bool open;             /* the handshake is done */
  bool heard;            /* the server has said something after it */
  bool failed, closing;
  void (*on_closed)(void *arg);
  void *on_closed_arg;
  char plain[RECORD_SIZE];
} tls;

static void seal_rest(tls *t);
static void tls_write(mc_transport *transport, mc_buf *bytes);
static void tls_close(mc_transport *transport, void (*on_closed)(void *arg), void *arg);
static const char *tls_missing(const mc_transport *transport);
static void on_stream_open(void *arg);
static void on_stream_data(void *arg, const char *bytes, size_t size);
static void on_stream_failed(void *arg, const char *why);

static const mc_transport_ops tls_ops = {tls_write, tls_close, tls_missing};

mc_transport *mc_transport_open_tls(uv_loop_t *loop, const mc_redis_url *url, const mc_transport_events *events) {
  tls *t = mc_alloc(sizeof *t);
  memset(t, 0, offsetof(tls, plain));
  t->transport = (mc_transport){&tls_ops, *events};
  t->url = url;
  t->stream =
      mc_transport_open_stream(loop, url, &(mc_transport_events){on_stream_open, on_stream_data, on_stream_failed, t});
  return &t->transport;
}

static void fail(tls *t, const char *why) {
  if (t->failed || t->closing)
    return;
  t->failed = true;
  t->transport.events.on_failed(t->transport.events.arg, why);
}

/* Takes what the session has sealed. */
static void gather(tls *t) {
  for (size_t size; (size = BIO_ctrl_pending(t->sealed)) > 0;) {
    int taken = BIO_read(t->sealed, mc_buf_reserve(&t->out, size), (int)size);
    if (taken <= 0)
      return;
    t->out.size += (size_t)taken;
  }
}

static void send_gathered(tls *t) {
  gather(t);
  if (t->out.size)
    t->stream->ops->write(t->stream, &t->out);
}

/* After a call that did not succeed: true when it only waits for more bytes; else says why it failed, once what OpenSSL
 * wants to tell the server about it is sent. */
static bool waits(tls *t) {
  mc_err err = {""};
  int error = SSL_get_error(t->session, 0);
  if (error == SSL_ERROR_ZERO_RETURN)
    mc_fail(&err, 0, "the server closed the connection");
  else if (error != SSL_ERROR_WANT_READ)
    mc_tls_explain(t->session, &err);
  send_gathered(t);
  if (err.text[0])
    fail(t, err.text);
  return !err.text[0];
}

/* ---- the handshake ---- */

static void shake_hands(tls *t) {
  ERR_clear_error();
  if (SSL_do_handshake(t->session) != 1) {
    waits(t);
    return;
  }
  send_gathered(t);
  if (!SSL_get0_peer_certificate(t->session)) { /* a system's openssl.cnf may allow ciphers that need none */
    fail(t, "the server showed no certificate");
    return;
  }
  t->open = true;
  t->transport.events.on_open(t->transport.events.arg);
}

static void on_stream_open(void *arg) {
  tls *t = arg;
  mc_err err;
  if (mc_tls_session_new(t->url, &t->session, &err) != 0) {
    fail(t, err.text);
    return;
  }
  t->arrived = BIO_new(BIO_s_mem());
  t->sealed = BIO_new(BIO_s_mem());
  if (!t->arrived || !t->sealed)
    abort(); /* out of memory, as for mc_alloc */
  SSL_set_bio(t->session, t->arrived, t->sealed);
  shake_hands(t);
}

static const char *tls_missing(const mc_transport *transport) {
  const tls *t = mc_container_of(transport, tls, transport);
  return t->session ? "no answer to the TLS handshake (is this the server's tls-port?)"
                    : t->stream->ops->missing(t->stream);
}

/* ---- bytes in, bytes out ---- */

static void read_plain(tls *t) {
  size_t size;
  for (;;) {
    ERR_clear_error();
    if (SSL_read_ex(t->session, t->plain, RECORD_SIZE, &size) != 1)
      break;
    t->heard = true;
    t->transport.events.on_data(t->transport.events.arg, t->plain, size);
    if (t->closing)
      return;
  }
  if (waits(t))
    seal_rest(t);
}

static void on_stream_data(void *arg, const char *bytes, size_t size) {
  tls *t = arg;
  if (t->failed || t->closing)
    return;
  if (BIO_write(t->arrived, bytes, (int)size) != (int)size)
    abort(); /* out of memory */
  if (!t->open)
    shake_hands(t);
  if (t->open && !t->failed && !t->closing)
    read_plain(t);
}

/* How many bytes are done with. Not all of them when OpenSSL is in the midst of a message of the server's (a ticket for
 * the next session, of which a part has arrived): it writes nothing before it has the whole of it. With memory on both
 * sides it fails only when the session has come to an end that reading did not tell of. */
static size_t seal(tls *t, const char *bytes, size_t size) {
  size_t at = 0, written = 0;
  ERR_clear_error();
  for (; at < size; at += written) {
    size_t rest = size - at;
    if (SSL_write_ex(t->session, bytes + at, rest < RECORD_SIZE ? rest : RECORD_SIZE, &written) != 1)
      break;
    gather(t);
  }
  if (at < size && SSL_get_error(t->session, 0) != SSL_ERROR_WANT_READ) {
    mc_err err;
    mc_tls_explain(t->session, &err);
    mc_transport_stream_fail_soon(t->stream, err.text);
    return size;
  }
  return at;
}

static void empty(mc_buf *bytes) {
  if (bytes->capacity > BUFFER_KEPT)
    mc_buf_deinit(bytes);
  else
    mc_buf_clear(bytes);
}

static void seal_rest(tls *t) {
  if (!t->unsealed.size)
    return;
  mc_buf_consume(&t->unsealed, seal(t, t->unsealed.data, t->unsealed.size));
  if (!t->unsealed.size)
    empty(&t->unsealed);
  send_gathered(t);
}

static void tls_write(mc_transport *transport, mc_buf *bytes) {
  tls *t = mc_container_of(transport, tls, transport);
  size_t done = t->unsealed.size ? 0 : seal(t, bytes->data, bytes->size);
  if (done < bytes->size)
    mc_buf_add(&t->unsealed, bytes->data + done, bytes->size - done);
  empty(bytes);
  send_gathered(t);
}

/* ---- failing and closing ---- */

/* A server that wants a client certificate lets the handshake end well, and hangs up afterwards. */
static void on_stream_failed(void *arg, const char *why) {
  tls *t = arg;
  char text[512];
  const char *hint = "";
  if (t->session && !t->open)
    hint = " in the TLS handshake: is this the server's tls-port?";
  else if (t->open && !t->heard)
    hint = " before its first answer: if it asks for a client certificate, name one by ?cert= and key= in the address";
  snprintf(text, sizeof text, "%s%s", why, hint);
  fail(t, text);
}

static void on_stream_closed(void *arg) {
  tls *t = arg;
  SSL_free(t->session);
  mc_buf_deinit(&t->out);
  mc_buf_deinit(&t->unsealed);
  if (t->on_closed)
    t->on_closed(t->on_closed_arg);
  free(t);
}

static void tls_close(mc_transport *transport, void (*on_closed)(void *arg), void *arg) {
  tls *t = mc_container_of(transport, tls, transport);
  t->on_closed = on_closed;
  t->on_closed_arg = arg;
  t->closing = true;
  if (t->open && !t->failed) {
    SSL_shutdown(t->session); /* close_notify: nobody cut the connection short */
    send_gathered(t);
  }
  t->stream->ops->close(t->stream, on_stream_closed, t);
}
