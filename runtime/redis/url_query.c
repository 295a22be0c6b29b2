/* The settings of a Redis address: see url_query.h. */
#include "redis/url_query.h"

#include <ctype.h>
#include <limits.h>
#include <stdint.h>
#include <string.h>

#include "base/mem.h"
#include "base/nearest.h"
#include "redis/percent.h"

static int read_db(mc_slice value, mc_redis_url *url, mc_err *err);
static int read_ca(mc_slice value, mc_redis_url *url, mc_err *err);
static int read_cert(mc_slice value, mc_redis_url *url, mc_err *err);
static int read_key(mc_slice value, mc_redis_url *url, mc_err *err);

static const struct setting {
  const char *name;
  bool needs_tls;
  int (*read)(mc_slice value, mc_redis_url *url, mc_err *err);
} settings[] = {
    {"db", false, read_db},
    {"ca", true, read_ca},
    {"cert", true, read_cert},
    {"key", true, read_key},
};

static int read_setting(mc_slice pair, unsigned *seen, mc_redis_url *url, mc_err *err);

int mc_redis_url_read_query(mc_slice query, bool has_db, mc_redis_url *url, mc_err *err) {
  unsigned seen = has_db ? 1u : 0u; /* bit i: settings[i] was given; the database is the first */
  mc_slice rest = query;
  for (bool more = true; more;) {
    const char *end = memchr(rest.data, '&', rest.size);
    mc_slice pair = {rest.data, end ? (size_t)(end - rest.data) : rest.size};
    int rc = read_setting(pair, &seen, url, err);
    if (rc != 0)
      return rc;
    more = end != NULL;
    rest = more ? (mc_slice){end + 1, rest.size - pair.size - 1} : rest;
  }
  if (url->key && !url->cert)
    return mc_fail(err, MC_EINVALID, "Redis address: key= belongs to a certificate: name that by cert=");
  return 0;
}

int mc_redis_url_number(mc_slice digits, int most) {
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

/* The name is not quoted: a password that holds a ? would be. The known name that it comes near to is. */
static int refuse_name(mc_slice name, mc_err *err) {
  const char *names[MC_COUNT(settings)], *meant = NULL;
  char text[16];
  for (size_t i = 0; i < MC_COUNT(settings); i++)
    names[i] = settings[i].name;
  if (name.size < sizeof text) {
    memcpy(text, name.data, name.size);
    text[name.size] = '\0';
    meant = mc_name_nearest(text, names, MC_COUNT(names));
  }
  return mc_fail(
      err, MC_EINVALID,
      "Redis address: behind ? only db=<number> is known, and with rediss:// ca=, cert= and key=<path>%s%s%s",
      meant ? "; did you mean " : "", meant ? meant : "", meant ? "=?" : "");
}

static int read_setting(mc_slice pair, unsigned *seen, mc_redis_url *url, mc_err *err) {
  const char *sign = memchr(pair.data, '=', pair.size);
  mc_slice name = {pair.data, sign ? (size_t)(sign - pair.data) : pair.size};
  for (size_t i = 0; i < MC_COUNT(settings); i++) {
    if (!sign || !mc_slice_equal(name, mc_slice_of(settings[i].name)))
      continue;
    if (settings[i].needs_tls && !url->tls)
      return mc_fail(err, MC_EINVALID, "Redis address: %s= is for TLS: write rediss://", settings[i].name);
    if (*seen & 1u << i)
      return mc_fail(err, MC_EINVALID, "Redis address: %s= is given twice%s", settings[i].name,
                     i == 0 ? ", or beside a database behind the host" : "");
    *seen |= 1u << i;
    return settings[i].read((mc_slice){sign + 1, pair.size - name.size - 1}, url, err);
  }
  return refuse_name(name, err);
}

static int read_db(mc_slice value, mc_redis_url *url, mc_err *err) {
  int db = mc_redis_url_number(value, INT_MAX);
  if (db < 0)
    return mc_fail(err, MC_EINVALID, "Redis address: the database must be a number, 0 or more");
  url->db = db;
  return 0;
}

static int read_path(mc_slice value, const char *name, char **out, mc_err *err) {
  if (value.size == 0)
    return mc_fail(err, MC_EINVALID, "Redis address: %s= needs the path of a PEM file", name);
  return mc_percent_decode(value, name, out, err);
}

static int read_ca(mc_slice value, mc_redis_url *url, mc_err *err) {
  return read_path(value, "ca", &url->ca, err);
}

static int read_cert(mc_slice value, mc_redis_url *url, mc_err *err) {
  return read_path(value, "cert", &url->cert, err);
}

static int read_key(mc_slice value, mc_redis_url *url, mc_err *err) {
  return read_path(value, "key", &url->key, err);
}
