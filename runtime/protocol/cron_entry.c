/* Cron entries: see cron_entry.h. */
#include "protocol/cron_entry.h"

#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"

/* ---- copies ---- */

static mc_slice move(char **at, mc_slice text) {
  if (text.size > 0)
    memcpy(*at, text.data, text.size);
  mc_slice moved = {*at, text.size};
  *at += text.size;
  return moved;
}

void *mc_cron_entry_copy(const mc_cron_entry *from, mc_cron_entry *out) {
  mc_cron_entry copy = *from;
  const mc_enqueue_options *options = &from->options;
  mc_slice *const texts[] = {&copy.id,
                             &copy.spec,
                             &copy.source,
                             &copy.options.type,
                             &copy.options.payload,
                             &copy.options.queue,
                             &copy.options.id,
                             &copy.options.group};
  size_t size = options->header_count * sizeof(mc_header);
  for (size_t i = 0; i < MC_COUNT(texts); i++)
    size += texts[i]->size;
  for (size_t i = 0; i < options->header_count; i++)
    size += options->headers[i].name.size + options->headers[i].value.size;
  mc_header *headers = mc_alloc(size + 1);
  char *at = (char *)(headers + options->header_count);
  for (size_t i = 0; i < MC_COUNT(texts); i++)
    *texts[i] = move(&at, *texts[i]);
  for (size_t i = 0; i < options->header_count; i++)
    headers[i] = (mc_header){move(&at, options->headers[i].name), move(&at, options->headers[i].value)};
  copy.options.headers = headers;
  *out = copy;
  return headers;
}

/* ---- names ---- */

/* Sizes before texts, so that no two entries give the same bytes. */
static void add_text(mc_buf *out, mc_slice text) {
  mc_buf_printf(out, "%zu:", text.size);
  mc_buf_add_slice(out, text);
}

static void add_number(mc_buf *out, int64_t number) {
  mc_buf_printf(out, "%lld,", (long long)number);
}

static int compare_headers(const void *a, const void *b) {
  const mc_header *left = a, *right = b;
  size_t common = left->name.size < right->name.size ? left->name.size : right->name.size;
  int order = common ? memcmp(left->name.data, right->name.data, common) : 0;
  return order != 0 ? order : (left->name.size > right->name.size) - (left->name.size < right->name.size);
}

static void add_headers(mc_buf *out, const mc_enqueue_options *options) {
  size_t size = options->header_count * sizeof(mc_header);
  mc_header *sorted = mc_alloc(size + 1);
  if (size > 0)
    memcpy(sorted, options->headers, size);
  qsort(sorted, options->header_count, sizeof *sorted, compare_headers); /* tables in Lua have no order */
  for (size_t i = 0; i < options->header_count; i++) {
    add_text(out, sorted[i].name);
    add_text(out, sorted[i].value);
  }
  free(sorted);
}

void mc_cron_entry_name(const mc_cron_entry *entry, const mc_cron *cron, char out[MC_CRON_NAME_SIZE]) {
  const mc_enqueue_options *options = &entry->options;
  unsigned char hash[EVP_MAX_MD_SIZE] = {0};
  mc_buf all = {0};
  add_text(&all, mc_slice_of(mc_zone_name(cron->zone)));
  add_text(&all, mc_cron_fields(entry->spec));
  add_text(&all, options->type);
  add_text(&all, options->queue.size ? options->queue : mc_slice_of(MC_DEFAULT_QUEUE));
  add_text(&all, options->payload);
  add_text(&all, options->id);
  add_text(&all, options->group);
  add_number(&all, options->max_retry);
  add_number(&all, options->timeout_ms);
  add_number(&all, options->unique_ms);
  add_number(&all, options->retention_ms);
  add_number(&all, entry->process_in_ms);
  add_headers(&all, options);
  EVP_Digest(all.data, all.size, hash, NULL, EVP_sha256(), NULL);
  for (size_t i = 0; i < (MC_CRON_NAME_SIZE - 1) / 2; i++)
    sprintf(out + 2 * i, "%02x", hash[i]);
  mc_buf_deinit(&all);
}
