/* Time zones: see zone.h. The format is RFC 8536's: a header, a table of 32-bit times that nobody needs any more, a
 * second header, the table of 64-bit times, and the rule in a line of its own.
 */
#include "base/zone.h"

#include "base/buf.h"
#include "base/mem.h"
#include "base/utf8.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define FILE_MAX (1 << 20)
#define NAME_MAX_SIZE 255
#define LOCALTIME "/etc/localtime"

struct mc_zone {
  char *name;
  size_t count, kinds;
  int64_t *times;         /* count of them, ascending: when the offset changes … */
  unsigned char *kind_at; /* … and to which kind */
  int32_t *offsets;       /* by kind; kind 0 holds before the first change */
  bool has_rule;
  mc_zone_rule rule; /* from the last change on */
};

/* ---- numbers ---- */

static uint32_t read_u32(const unsigned char *at) {
  return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | (uint32_t)at[3];
}

static int64_t read_i64(const unsigned char *at) {
  return (int64_t)((uint64_t)read_u32(at) << 32 | read_u32(at + 4));
}

/* ---- the file's blocks ---- */

#define HEADER_SIZE 44
#define KIND_SIZE 6 /* offset (4), daylight saving (1), place of its name (1) */

typedef struct zone_block {
  size_t times, kinds, name_bytes, leaps, standard_flags, ut_flags;
  const unsigned char *data;
} zone_block;

static size_t block_size(const zone_block *block, size_t time_size) {
  return block->times * (time_size + 1) + block->kinds * KIND_SIZE + block->name_bytes +
         block->leaps * (time_size + 4) + block->standard_flags + block->ut_flags;
}

/* The block that begins at *at, which then moves behind it; false when the bytes are not there. */
static bool take_block(mc_slice bytes, size_t *at, size_t time_size, zone_block *out) {
  if (bytes.size - *at < HEADER_SIZE || memcmp(bytes.data + *at, "TZif", 4) != 0 || bytes.data[*at + 4] < '2')
    return false;
  const unsigned char *counts = (const unsigned char *)bytes.data + *at + 20;
  zone_block read = {
      .ut_flags = read_u32(counts),
      .standard_flags = read_u32(counts + 4),
      .leaps = read_u32(counts + 8),
      .times = read_u32(counts + 12),
      .kinds = read_u32(counts + 16),
      .name_bytes = read_u32(counts + 20),
      .data = counts + 24,
  };
  size_t size = block_size(&read, time_size); /* six 32-bit counts: no overflow in 64 bits */
  if (bytes.size - *at - HEADER_SIZE < size)
    return false;
  *at += HEADER_SIZE + size;
  *out = read;
  return true;
}

static bool read_table(mc_zone *zone, const zone_block *from) {
  const unsigned char *kinds = from->data + from->times * 8, *table = kinds + from->times;
  if (from->kinds == 0 || from->kinds > 256)
    return false;
  zone->count = from->times;
  zone->kinds = from->kinds;
  zone->times = mc_alloc((from->times + 1) * sizeof *zone->times);
  zone->kind_at = mc_alloc(from->times + 1);
  zone->offsets = mc_alloc(from->kinds * sizeof *zone->offsets);
  for (size_t i = 0; i < from->times; i++) {
    zone->times[i] = read_i64(from->data + i * 8);
    zone->kind_at[i] = kinds[i];
    if (kinds[i] >= from->kinds || (i > 0 && zone->times[i] <= zone->times[i - 1]))
      return false;
  }
  for (size_t i = 0; i < from->kinds; i++) {
    zone->offsets[i] = (int32_t)read_u32(table + i * KIND_SIZE);
    if (zone->offsets[i] < -7 * 86400 || zone->offsets[i] > 7 * 86400)
      return false;
  }
  return true;
}

/* "\n<rule>\n" or nothing; an empty rule means that nobody knows what comes after the table. */
static bool read_rule(mc_zone *zone, mc_slice bytes, size_t at) {
  if (at == bytes.size)
    return true;
  const char *start = bytes.data + at + 1, *end = bytes.data + bytes.size;
  const char *stop = bytes.data[at] == '\n' ? memchr(start, '\n', (size_t)(end - start)) : NULL;
  if (!stop)
    return false;
  if (stop == start)
    return true;
  zone->has_rule = mc_zone_rule_parse((mc_slice){start, (size_t)(stop - start)}, &zone->rule);
  return zone->has_rule;
}

int mc_zone_parse(mc_slice name, mc_slice bytes, mc_zone **out, mc_err *err) {
  mc_zone *zone = mc_zalloc(sizeof *zone);
  zone_block old, table;
  size_t at = 0;
  zone->name = mc_strndup(name.data ? name.data : "", name.size);
  if (!take_block(bytes, &at, 4, &old) || !take_block(bytes, &at, 8, &table) || !read_table(zone, &table) ||
      !read_rule(zone, bytes, at)) {
    mc_zone_free(zone);
    return mc_fail(err, MC_EINVALID, "the file of time zone '%.*s' is not in the TZif format, version 2 or later",
                   MC_SLICE_PRINT(name));
  }
  *out = zone;
  return 0;
}

void mc_zone_free(mc_zone *zone) {
  if (!zone)
    return;
  free(zone->name);
  free(zone->times);
  free(zone->kind_at);
  free(zone->offsets);
  free(zone);
}

const char *mc_zone_name(const mc_zone *zone) {
  return zone->name;
}

/* ---- opening ---- */

static int read_file(const char *path, mc_buf *out) {
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  ssize_t got = fd < 0 ? -1 : 1;
  while (got > 0 && out->size < FILE_MAX) {
    got = read(fd, mc_buf_reserve(out, 4096), 4096);
    out->size += got > 0 ? (size_t)got : 0;
  }
  int failure = got < 0 ? errno : 0;
  if (fd >= 0)
    close(fd);
  return failure;
}

static int open_file(mc_slice name, const char *path, mc_zone **out, mc_err *err) {
  mc_buf bytes = {0};
  int failure = read_file(path, &bytes), rc;
  if (failure == ENOENT || failure == ENOTDIR || failure == EISDIR)
    rc = mc_fail(err, MC_EINVALID,
                 "there is no time zone '%.*s' on this host: write it as in " MC_ZONE_FOLDER
                 ", such as 'Europe/Paris' (the package tzdata has them)",
                 MC_SLICE_PRINT(name));
  else if (failure)
    rc =
        mc_fail(err, MC_EIO, "cannot read time zone '%.*s' from %s: %s", MC_SLICE_PRINT(name), path, strerror(failure));
  else
    rc = mc_zone_parse(name, mc_buf_slice(&bytes), out, err);
  mc_buf_deinit(&bytes);
  return rc;
}

/* No name of a zone begins with a slash or a dot, or holds two dots, and none may lead out of the folder. */
static bool name_is_sane(mc_slice name) {
  if (name.size > NAME_MAX_SIZE || !mc_utf8_clean(name) || memchr("/.\\", name.data[0], 3))
    return false;
  return !memmem(name.data, name.size, "..", 2);
}

static int open_named(mc_slice name, mc_zone **out, mc_err *err) {
  if (!name_is_sane(name))
    return mc_fail(err, MC_EINVALID, "'%.*s' is no name of a time zone: write one such as 'Europe/Paris'",
                   name.size < 100 ? (int)name.size : 100, name.data);
  char path[sizeof MC_ZONE_FOLDER + NAME_MAX_SIZE + 1];
  snprintf(path, sizeof path, MC_ZONE_FOLDER "/%.*s", MC_SLICE_PRINT(name));
  return open_file(name, path, out, err);
}

static mc_zone *utc(void) {
  mc_zone *zone = mc_zalloc(sizeof *zone);
  zone->name = mc_strdup("UTC");
  zone->has_rule = true;
  return zone;
}

/* What /etc/localtime is a link to, behind ".../zoneinfo/"; its own path where that cannot be told. */
static mc_slice localtime_name(char *room, size_t size) {
  ssize_t length = readlink(LOCALTIME, room, size - 1);
  if (length > 0) {
    room[length] = '\0';
    const char *behind = strstr(room, "zoneinfo/");
    if (behind)
      return mc_slice_of(behind + strlen("zoneinfo/"));
  }
  return MC_SLICE_LITERAL("Local");
}

static int open_local(mc_zone **out, mc_err *err) {
  char room[512];
  const char *tz = getenv("TZ");
  if (tz && *tz == ':')
    tz++;
  if (tz && strcmp(tz, "Local") != 0)
    return mc_zone_open(mc_slice_of(tz), out, err);
  if (access(LOCALTIME, F_OK) == 0)
    return open_file(localtime_name(room, sizeof room), LOCALTIME, out, err);
  *out = utc();
  return 0;
}

int mc_zone_open(mc_slice name, mc_zone **out, mc_err *err) {
  if (name.size == 0 || mc_slice_equal(name, MC_SLICE_LITERAL("UTC"))) {
    *out = utc();
    return 0;
  }
  if (mc_slice_equal(name, MC_SLICE_LITERAL("Local")))
    return open_local(out, err);
  return open_named(name, out, err);
}

/* ---- asking ---- */

mc_zone_span mc_zone_at(const mc_zone *zone, int64_t at_s) {
  size_t low = 0, high = zone->count; /* the first change after at_s */
  while (low < high) {
    size_t middle = low + (high - low) / 2;
    if (zone->times[middle] <= at_s)
      low = middle + 1;
    else
      high = middle;
  }
  if (low == zone->count && zone->has_rule)
    return mc_zone_rule_at(&zone->rule, at_s);
  return (mc_zone_span){
      .start_s = low > 0 ? zone->times[low - 1] : INT64_MIN,
      .end_s = low < zone->count ? zone->times[low] : INT64_MAX,
      .offset_s = zone->offsets[low > 0 ? zone->kind_at[low - 1] : 0],
  };
}

int64_t mc_zone_instant(const mc_zone *zone, int64_t local_s) {
  mc_zone_span span = mc_zone_at(zone, local_s); /* as if it were UTC: wrong only near a change */
  int64_t at_s = local_s - span.offset_s;
  if (at_s < span.start_s || at_s >= span.end_s)
    at_s = local_s - mc_zone_at(zone, at_s).offset_s;
  return at_s;
}
