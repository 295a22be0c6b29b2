/* The cron entries of this node: see crons.h. */
#include "supervisor/crons.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "supervisor/node.h"

#include <stdlib.h>

void mc_crons_init(mc_crons *crons) {
  *crons = (mc_crons){0};
  mc_list_init(&crons->items);
}

static void item_free(mc_cron_item *item) {
  mc_list_remove(&item->link);
  mc_enqueue_deinit(&item->task);
  mc_cron_deinit(&item->cron);
  free(item->memory);
  free(item);
}

void mc_crons_drop(mc_cron_item *item) {
  item_free(item);
}

void mc_crons_deinit(mc_crons *crons) {
  MC_LIST_EACH(link, &crons->items) {
    item_free(mc_container_of(link, mc_cron_item, link));
  }
}

/* A worker has checked it on this host; only its zone may have become unreadable since. */
static mc_cron_item *item_new(mc_node *node, const mc_cron_entry *entry) {
  mc_err err;
  mc_cron_item *item = mc_zalloc(sizeof *item);
  mc_list_init(&item->link);
  item->node = node;
  item->memory = mc_cron_entry_copy(entry, &item->entry);
  if (mc_cron_parse(item->entry.spec, &item->cron, &err)) {
    mc_log_begin(MC_LOG_ERROR, "cron entry left out");
    mc_log_slice("source", entry->source);
    mc_log_text("detail", err.text);
    mc_log_end();
    item_free(item);
    return NULL;
  }
  mc_cron_entry_name(&item->entry, &item->cron, item->name);
  item->id = item->entry.id.size ? item->entry.id : mc_slice_of(item->name);
  return item;
}

static bool same(const mc_cron_item *a, const mc_cron_item *b) {
  return strcmp(a->name, b->name) == 0 && mc_slice_equal(a->id, b->id) && a->entry.missed == b->entry.missed;
}

static mc_cron_item *find_same(const mc_list *items, const mc_cron_item *wanted) {
  MC_LIST_EACH(link, items) {
    mc_cron_item *item = mc_container_of(link, mc_cron_item, link);
    if (!item->leaving && same(item, wanted))
      return item;
  }
  return NULL;
}

/* The item that stands for this entry already, taken out of the list, or a new one; NULL: it cannot be used. */
static mc_cron_item *take_item(mc_node *node, const mc_cron_entry *entry, int64_t now_s) {
  mc_cron_item *fresh = item_new(node, entry), *standing = fresh ? find_same(&node->crons.items, fresh) : NULL;
  if (standing) {
    item_free(fresh);
    mc_list_remove(&standing->link);
    return standing;
  }
  /* Up to now is the business of what stood here before; the first list goes on where the record in Redis ends. */
  if (fresh)
    mc_cron_plan_init(&fresh->plan, &fresh->cron, fresh->entry.missed, node->crons.installed ? now_s : 0);
  return fresh;
}

static void retire(mc_cron_item *item, int64_t now_s) {
  if (item->leaving)
    return;
  item->leaving = true;
  item->plan.until_s = now_s;
  if (!item->opened && !item->asking)
    item_free(item);
}

void mc_crons_install(mc_node *node, const mc_cron_entry *entries, size_t count) {
  mc_crons *crons = &node->crons;
  int64_t now_s = mc_clock_wall_s();
  mc_list fresh, *link;
  mc_list_init(&fresh);
  crons->count = 0;
  for (size_t i = 0; i < count; i++) {
    mc_cron_item *item = take_item(node, &entries[i], now_s);
    if (!item)
      continue;
    mc_list_push_back(&fresh, &item->link);
    crons->count++;
  }
  MC_LIST_EACH(old, &crons->items) {
    retire(mc_container_of(old, mc_cron_item, link), now_s);
  }
  while ((link = mc_list_pop_front(&fresh)))
    mc_list_push_back(&crons->items, link);
  crons->installed = true;
}
