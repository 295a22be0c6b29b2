/* The shared page: see page.h. Its reader may look at any moment, also after this process was killed between two
 * stores, so a slot's attempt is written last when filling and first when emptying. */
#include "worker/page.h"

#include <errno.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

int mc_page_map(int fd, uint32_t slot_count, mc_page **out, mc_err *err) {
  struct stat stat;
  size_t size = mc_page_size(slot_count);
  if (fstat(fd, &stat))
    return mc_fail(err, MC_EIO, "descriptor %d, the shared page: %s", fd, strerror(errno));
  if (stat.st_size < (off_t)size)
    return mc_fail(err, MC_EMALFORMED, "the shared page has %lld bytes, %u slots need %zu", (long long)stat.st_size,
                   slot_count, size);
  void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  if (memory == MAP_FAILED)
    return mc_fail(err, MC_EIO, "cannot map the shared page: %s", strerror(errno));
  close(fd);
  *out = memory;
  return 0;
}

/* Nobody else writes `steps`, so that it needs no locked instruction. */
void mc_page_set_current(mc_page *page, uint64_t attempt) {
  uint64_t steps = atomic_load_explicit(&page->steps, memory_order_relaxed);
  if (attempt)
    atomic_store_explicit(&page->steps, steps + 1, memory_order_relaxed);
  atomic_store_explicit(&page->current, attempt, memory_order_release);
}

uint64_t mc_page_current(const mc_page *page) {
  return atomic_load_explicit(&page->current, memory_order_relaxed);
}

static mc_page_slot *find_slot(mc_page *page, uint32_t slot_count, uint64_t attempt) {
  for (uint32_t i = 0; i < slot_count; i++)
    if (atomic_load_explicit(&page->slots[i].attempt, memory_order_relaxed) == attempt)
      return &page->slots[i];
  return NULL;
}

/* In this order: who looks between the two stores counts something twice, and misses nothing. */
void mc_page_set_peak(mc_page *page, uint32_t slot_count, uint64_t bytes) {
  uint64_t peak = atomic_load_explicit(&page->peak, memory_order_relaxed), current = mc_page_current(page);
  if (bytes <= peak)
    return;
  mc_page_slot *slot = current ? find_slot(page, slot_count, current) : NULL;
  if (slot)
    atomic_fetch_add_explicit(&slot->grown, bytes - peak, memory_order_relaxed);
  atomic_store_explicit(&page->peak, bytes, memory_order_release);
}

bool mc_page_fill(mc_page *page, uint32_t slot, uint64_t attempt, uint64_t started_ms, uint64_t deadline_ms) {
  mc_page_slot *at = &page->slots[slot];
  atomic_store_explicit(&at->started_ms, started_ms, memory_order_relaxed);
  atomic_store_explicit(&at->deadline_ms, deadline_ms, memory_order_relaxed);
  atomic_store_explicit(&at->grown, 0, memory_order_relaxed);
  atomic_store_explicit(&at->attempt, attempt, memory_order_release);
  if (attempt > atomic_load_explicit(&page->newest, memory_order_relaxed))
    atomic_store(&page->newest, attempt); /* before the next line also for other processors */
  if (attempt > atomic_load(&page->withdrawn))
    return true;
  mc_page_empty(page, slot);
  return false;
}

void mc_page_empty(mc_page *page, uint32_t slot) {
  atomic_store_explicit(&page->slots[slot].attempt, 0, memory_order_release);
}

void mc_page_set_failure(mc_page *page, uint32_t slot_count, uint32_t slot, mc_slice text) {
  mc_page_failure *failure = mc_page_failure_of(page, slot_count, slot);
  size_t size = text.size < MC_PAGE_FAILURE_MAX ? text.size : MC_PAGE_FAILURE_MAX;
  uint64_t attempt = atomic_load_explicit(&page->slots[slot].attempt, memory_order_relaxed);
  atomic_store_explicit(&failure->attempt, 0, memory_order_release);
  memcpy(failure->text, text.data, size);
  atomic_store_explicit(&failure->size, size, memory_order_relaxed);
  atomic_store_explicit(&failure->attempt, attempt, memory_order_release);
}

void mc_page_set_loading(mc_page *page, uint32_t file, uint32_t line) {
  atomic_store_explicit(&page->loading, (uint64_t)file << 32 | line, memory_order_release);
}

bool mc_page_cancelled(const mc_page *page, uint32_t slot) {
  const mc_page_slot *at = &page->slots[slot];
  return atomic_load_explicit(&at->cancelled, memory_order_relaxed) ==
         atomic_load_explicit(&at->attempt, memory_order_relaxed);
}
