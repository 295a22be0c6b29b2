/* Redis addresses: see url.h. No part of the text goes into an error: a misplaced sign can make the password any part.
 */
#include "redis/url.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/slice.h"

#define DEFAULT_PORT 6379
#define ENCODING_HINT "in a user or password, write / as %%2F, ? as %%3F and # as %%23"
#define HINT "write redis://[[user]:password@]host[:port][/db] or redis+unix://[[user]:password@]/path[?db=0]"

/* The parts of the text, borrowed. The data of a part that is absent is NULL. */
typedef struct url_parts {
  bool is_unix;
  mc_slice user, password, place, path, query; /* place: host and port */
} url_parts;

static int split(const char *text, url_parts *out, mc_err *err);
static int read_credentials(const url_parts *parts, mc_redis_url *url, mc_err *err);
static int read_place(const url_parts *parts, mc_redis_url *url, mc_err *err);
static int read_socket(const url_parts *parts, mc_redis_url *url, mc_err *err);
static int read_db(const url_parts *parts, mc_redis_url *url, mc_err *err);

int mc_redis_url_parse(const char *text, mc_redis_url *out, mc_err *err) {
  url_parts parts = {0};
  mc_redis_url url = {0};
  int rc = split(text, &parts, err);
  if (rc == 0)
    rc = read_credentials(&parts, &url, err);
  if (rc == 0)
    rc = parts.is_unix ? read_socket(&parts, &url, err) : read_place(&parts, &url, err);
  if (rc == 0)
    rc = read_db(&parts, &url, err);
  if (rc != 0)
    mc_redis_url_deinit(&url);
  else
    *out = url;
  return rc;
}

void mc_redis_url_copy(const mc_redis_url *from, mc_redis_url *to) {
  *to = *from;
  to->host = mc_strdup(from->host);
  to->path = mc_strdup(from->path);
  to->user = mc_strdup(from->user);
  to->password = mc_strdup(from->password);
}

void mc_redis_url_deinit(mc_redis_url *url) {
  if (url->password)
    explicit_bzero(url->password, strlen(url->password));
  free(url->password);
  free(url->user);
  free(url->host);
  free(url->path);
  *url = (mc_redis_url){0};
}

/* With what a path in a URL may not hold plainly percent-encoded. */
static void show_socket(const mc_redis_url *url, char *text, size_t size) {
  mc_buf shown = {0};
  mc_buf_add_text(&shown, "redis+unix://");
  for (const char *at = url->path; *at; at++)
    mc_buf_printf(&shown, isalnum((unsigned char)*at) || strchr("-._~/", *at) ? "%c" : "%%%02X", (unsigned char)*at);
  snprintf(text, size, "%.*s?db=%d", MC_SLICE_PRINT(shown), url->db);
  mc_buf_deinit(&shown);
}

const char *mc_redis_url_show(const mc_redis_url *url, char *text, size_t size) {
  if (size == 0)
    return text;
  if (url->path)
    show_socket(url, text, size);
  else if (url->host && strchr(url->host, ':'))
    snprintf(text, size, "redis://[%s]:%d/%d", url->host, url->port, url->db);
  else
    snprintf(text, size, "redis://%s:%d/%d", url->host ? url->host : "", url->port, url->db);
  return text;
}

/* ---- splitting ---- */

static bool begins_with(const char *text, const char *beginning) {
  return strncmp(text, beginning, strlen(beginning)) == 0;
}

/* Takes from text what stands before the first of the stops; text then begins with the stop, or is empty. */
static mc_slice take_until(const char **text, const char *stops) {
  mc_slice part = {*text, strcspn(*text, stops)};
  *text += part.size;
  return part;
}

static int split_scheme(const char **text, url_parts *out, mc_err *err) {
  static const char tcp[] = "redis://", local[] = "redis+unix://";
  if (begins_with(*text, "rediss://"))
    return mc_fail(err, MC_EINVALID, "Redis address: TLS (rediss://) is not supported; " HINT);
  out->is_unix = begins_with(*text, local);
  if (!out->is_unix && !begins_with(*text, tcp))
    return mc_fail(err, MC_EINVALID, "Redis address: it must begin with redis:// or redis+unix://; " HINT);
  *text += out->is_unix ? sizeof local - 1 : sizeof tcp - 1;
  return 0;
}

/* The last @ ends the credentials, so that one in a password does no harm. */
static int split_authority(mc_slice authority, url_parts *out, mc_err *err) {
  const char *at = memrchr(authority.data, '@', authority.size);
  out->place = authority;
  if (!at)
    return 0;
  mc_slice credentials = {authority.data, (size_t)(at - authority.data)};
  out->place = (mc_slice){at + 1, authority.size - credentials.size - 1};
  const char *colon = memchr(credentials.data, ':', credentials.size);
  if (!colon)
    return mc_fail(err, MC_EINVALID, "Redis address: a user needs a password: write user:password@ or :password@");
  out->user = (mc_slice){credentials.data, (size_t)(colon - credentials.data)};
  out->password = (mc_slice){colon + 1, (size_t)(at - colon - 1)};
  return 0;
}

static int split(const char *text, url_parts *out, mc_err *err) {
  int rc = split_scheme(&text, out, err);
  if (rc != 0)
    return rc;
  rc = split_authority(take_until(&text, "/?#"), out, err);
  if (rc != 0)
    return rc;
  if (!out->is_unix && strchr(text, '@')) /* no database holds one */
    return mc_fail(err, MC_EINVALID, "Redis address: an @ stands behind the host: " ENCODING_HINT);
  if (*text == '/')
    out->path = take_until(&text, "?#");
  if (*text == '?') {
    text++;
    out->query = take_until(&text, "#");
  }
  if (*text)
    return mc_fail(err, MC_EINVALID, "Redis address: it must not hold #; write %%23 in a user, password or path");
  return 0;
}

/* ---- reading the parts ---- */

static int hex_digit(char c) {
  if (c >= '0' && c <= '9')
    return c - '0';
  c = (char)tolower((unsigned char)c);
  return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static int decode(mc_slice part, const char *name, char **out, mc_err *err) {
  char *text = mc_alloc(part.size + 1);
  size_t size = 0;
  for (size_t i = 0; i < part.size; i++) {
    int byte = (unsigned char)part.data[i];
    if (byte == '%') {
      int high = i + 2 < part.size ? hex_digit(part.data[i + 1]) : -1;
      int low = high >= 0 ? hex_digit(part.data[i + 2]) : -1;
      byte = low >= 0 ? high * 16 + low : -1;
      i += 2;
    }
    if (byte <= 0) {
      explicit_bzero(text, size);
      free(text);
      return mc_fail(err, MC_EINVALID,
                     "Redis address: the %s is badly percent-encoded: after %% come two hex digits, and not 00", name);
    }
    text[size++] = (char)byte;
  }
  text[size] = '\0';
  *out = text;
  return 0;
}

static int read_credentials(const url_parts *parts, mc_redis_url *url, mc_err *err) {
  if (!parts->password.data)
    return 0;
  int rc = parts->user.size ? decode(parts->user, "user", &url->user, err) : 0;
  return rc == 0 ? decode(parts->password, "password", &url->password, err) : rc;
}

/* Decimal digits only, at most `most`; -1 for anything else. */
static int read_number(mc_slice digits, int most) {
  int64_t number = 0;
  if (digits.size == 0 || digits.size > 10)
    return -1;
  for (size_t i = 0; i < digits.size; i++) {
    if (!isdigit((unsigned char)digits.data[i]))
      return -1;
    number = number * 10 + (digits.data[i] - '0');
  }
  return number <= most ? (int)number : -1;
}

/* Takes [address] off the front of place. */
static int read_ipv6(mc_slice *place, mc_redis_url *url, mc_err *err) {
  struct in6_addr address;
  const char *end = memchr(place->data, ']', place->size);
  if (!end)
    return mc_fail(err, MC_EINVALID, "Redis address: the ] after the IPv6 address is missing");
  size_t size = (size_t)(end - place->data) + 1;
  url->host = mc_strndup(place->data + 1, size - 2);
  *place = (mc_slice){place->data + size, place->size - size};
  if (inet_pton(AF_INET6, url->host, &address) != 1)
    return mc_fail(err, MC_EINVALID, "Redis address: what stands in [ ] is no IPv6 address");
  return 0;
}

static int read_host_name(mc_slice *place, mc_redis_url *url, mc_err *err) {
  const char *colon = memchr(place->data, ':', place->size);
  size_t size = colon ? (size_t)(colon - place->data) : place->size;
  if (size == 0)
    return mc_fail(err, MC_EINVALID, "Redis address: the host is missing; " HINT);
  for (size_t i = 0; i < size; i++) {
    unsigned char c = (unsigned char)place->data[i];
    if (!isalnum(c) && !strchr("-._", c))
      return mc_fail(err, MC_EINVALID, "Redis address: the host holds a sign that no host name has");
  }
  url->host = mc_strndup(place->data, size);
  *place = (mc_slice){place->data + size, place->size - size};
  return 0;
}

static int read_place(const url_parts *parts, mc_redis_url *url, mc_err *err) {
  mc_slice rest = parts->place;
  int rc = rest.size && rest.data[0] == '[' ? read_ipv6(&rest, url, err) : read_host_name(&rest, url, err);
  if (rc != 0)
    return rc;
  url->port = DEFAULT_PORT;
  if (rest.size == 0)
    return 0;
  if (rest.data[0] == ':')
    url->port = read_number((mc_slice){rest.data + 1, rest.size - 1}, 65535);
  if (rest.data[0] != ':' || url->port < 1)
    return mc_fail(err, MC_EINVALID,
                   "Redis address: after the host comes nothing or : and a port from 1 to 65535 (" ENCODING_HINT ")");
  return 0;
}

static int read_socket(const url_parts *parts, mc_redis_url *url, mc_err *err) {
  struct sockaddr_un address;
  if (parts->place.size)
    return mc_fail(err, MC_EINVALID,
                   "Redis address: the path of a unix socket begins with /: redis+unix:///path (" ENCODING_HINT ")");
  if (parts->path.size < 2)
    return mc_fail(err, MC_EINVALID, "Redis address: the path of the unix socket is missing; " HINT);
  int rc = decode(parts->path, "path", &url->path, err);
  if (rc == 0 && strlen(url->path) >= sizeof address.sun_path)
    return mc_fail(err, MC_EINVALID, "Redis address: the path of a unix socket has at most %zu bytes",
                   sizeof address.sun_path - 1);
  return rc;
}

static int read_db(const url_parts *parts, mc_redis_url *url, mc_err *err) {
  bool in_path = !parts->is_unix && parts->path.size > 1;
  mc_slice digits = in_path ? (mc_slice){parts->path.data + 1, parts->path.size - 1} : (mc_slice){0};
  if (parts->query.data) {
    if (parts->query.size < 3 || memcmp(parts->query.data, "db=", 3) != 0)
      return mc_fail(err, MC_EINVALID, "Redis address: after ? only db=<number> is known");
    if (in_path)
      return mc_fail(err, MC_EINVALID, "Redis address: the database is given twice, as /db and as ?db=");
    digits = (mc_slice){parts->query.data + 3, parts->query.size - 3};
  }
  if (!digits.data)
    return 0;
  url->db = read_number(digits, INT_MAX);
  if (url->db < 0)
    return mc_fail(err, MC_EINVALID, "Redis address: the database must be a number, 0 or more");
  return 0;
}
