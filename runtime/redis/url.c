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
#include "redis/percent.h"
#include "redis/url_query.h"

#define DEFAULT_PORT 6379
#define ENCODING_HINT "in a user or password, write / as %%2F, ? as %%3F and # as %%23"
#define HINT                                                                                                           \
  "write redis://[[user]:password@]host[:port][/db], the same with rediss:// for TLS, or "                             \
  "redis+unix://[[user]:password@]/path[?db=0]"

/* The parts of the text, borrowed. The data of a part that is absent is NULL. */
typedef struct url_parts {
  bool is_unix, tls;
  mc_slice user, password, place, path, query; /* place: host and port */
} url_parts;

static const struct scheme {
  const char *beginning;
  bool is_unix, tls;
} schemes[] = {
    {"redis://", false, false},
    {"rediss://", false, true},
    {"redis+unix://", true, false},
};

static int split(const char *text, url_parts *out, mc_err *err);
static int read_credentials(const url_parts *parts, mc_redis_url *url, mc_err *err);
static int read_place(const url_parts *parts, mc_redis_url *url, mc_err *err);
static int read_socket(const url_parts *parts, mc_redis_url *url, mc_err *err);
static int read_settings(const url_parts *parts, mc_redis_url *url, mc_err *err);

int mc_redis_url_parse(const char *text, mc_redis_url *out, mc_err *err) {
  url_parts parts = {0};
  mc_redis_url url = {0};
  int rc = split(text, &parts, err);
  url.tls = parts.tls;
  if (rc == 0)
    rc = read_credentials(&parts, &url, err);
  if (rc == 0)
    rc = parts.is_unix ? read_socket(&parts, &url, err) : read_place(&parts, &url, err);
  if (rc == 0)
    rc = read_settings(&parts, &url, err);
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
  to->ca = mc_strdup(from->ca);
  to->cert = mc_strdup(from->cert);
  to->key = mc_strdup(from->key);
}

void mc_redis_url_deinit(mc_redis_url *url) {
  if (url->password)
    explicit_bzero(url->password, strlen(url->password));
  free(url->password);
  free(url->user);
  free(url->host);
  free(url->path);
  free(url->ca);
  free(url->cert);
  free(url->key);
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
  const char *host = url->host ? url->host : "";
  bool is_ipv6 = strchr(host, ':') != NULL;
  if (url->path)
    show_socket(url, text, size);
  else
    snprintf(text, size, "%s://%s%s%s:%d/%d", url->tls ? "rediss" : "redis", is_ipv6 ? "[" : "", host,
             is_ipv6 ? "]" : "", url->port, url->db);
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
  for (size_t i = 0; i < MC_COUNT(schemes); i++) {
    if (!begins_with(*text, schemes[i].beginning))
      continue;
    out->is_unix = schemes[i].is_unix;
    out->tls = schemes[i].tls;
    *text += strlen(schemes[i].beginning);
    return 0;
  }
  return mc_fail(err, MC_EINVALID, "Redis address: it must begin with redis://, rediss:// or redis+unix://; " HINT);
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
    return mc_fail(err, MC_EINVALID,
                   "Redis address: an @ stands behind the host: " ENCODING_HINT "; in the path of a file, @ as %%40");
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

static int read_credentials(const url_parts *parts, mc_redis_url *url, mc_err *err) {
  if (!parts->password.data)
    return 0;
  int rc = parts->user.size ? mc_percent_decode(parts->user, "user", &url->user, err) : 0;
  return rc == 0 ? mc_percent_decode(parts->password, "password", &url->password, err) : rc;
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
    url->port = mc_redis_url_number((mc_slice){rest.data + 1, rest.size - 1}, 65535);
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
  int rc = mc_percent_decode(parts->path, "path", &url->path, err);
  if (rc == 0 && strlen(url->path) >= sizeof address.sun_path)
    return mc_fail(err, MC_EINVALID, "Redis address: the path of a unix socket has at most %zu bytes",
                   sizeof address.sun_path - 1);
  return rc;
}

static int read_settings(const url_parts *parts, mc_redis_url *url, mc_err *err) {
  bool has_db = !parts->is_unix && parts->path.size > 1;
  if (has_db)
    url->db = mc_redis_url_number((mc_slice){parts->path.data + 1, parts->path.size - 1}, INT_MAX);
  if (url->db < 0)
    return mc_fail(err, MC_EINVALID, "Redis address: the database must be a number, 0 or more");
  return parts->query.data ? mc_redis_url_read_query(parts->query, has_db, url, err) : 0;
}
