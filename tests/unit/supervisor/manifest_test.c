/* Which workers' manifest is in force: the first one's, and a changed one as soon as no serving worker has another. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "supervisor/node.h"
#include "supervisor/worker_frames.h"

#define WORKERS 2
#define DIFFER "scripts differ between workers"
#define AGREE "scripts agree again"

struct crew {
  mc_node node;
  mc_worker workers[WORKERS];
  mc_pool_place places[WORKERS];
  int log_fd;
};

/* Scripts with two types, a cron entry and a rule each; backwards: the same, declared in the other order. */
struct scripts {
  const char *first, *second;
  const char *source;
  mc_cron_missed missed;
  bool backwards;
};

static const struct scripts old = {.first = "a", .second = "b"}, new = {.first = "a", .second = "c"};

static void start(struct crew *crew, int i) {
  static const mc_config_pool config = {.name = ""};
  crew->workers[i] =
      (mc_worker){.node = &crew->node, .config = &config, .index = (uint32_t)i, .state = MC_WORKER_STARTING};
  crew->places[i].worker = &crew->workers[i];
}

static int setup(void **state) {
  struct crew *crew = mc_zalloc(sizeof *crew);
  mc_crons_init(&crew->node.crons);
  crew->node.pool = (mc_pool){.places = crew->places, .count = WORKERS};
  for (int i = 0; i < WORKERS; i++)
    start(crew, i);
  crew->log_fd = memfd_create("log", MFD_CLOEXEC);
  mc_log_configure(crew->log_fd, MC_LOG_JSON, MC_LOG_DEBUG);
  *state = crew;
  return 0;
}

static int teardown(void **state) {
  struct crew *crew = *state;
  for (int i = 0; i < WORKERS; i++)
    mc_buf_deinit(&crew->workers[i].manifest.body);
  mc_crons_deinit(&crew->node.crons);
  mc_group_rules_deinit(&crew->node.folds.rules);
  mc_log_close();
  close(crew->log_fd);
  free(crew);
  return 0;
}

/* ---- what happens to workers ---- */

static void ready(struct crew *crew, int i, const struct scripts *scripts) {
  const char *types[] = {scripts->first, scripts->second};
  mc_frame_manifest_entry entries[2];
  mc_cron_entry cron[2];
  mc_frame_group_rule rules[2];
  for (int n = 0; n < 2; n++) {
    mc_slice type = mc_slice_of(types[scripts->backwards ? 1 - n : n]);
    entries[n] = (mc_frame_manifest_entry){.type = type};
    cron[n] = (mc_cron_entry){.spec = MC_SLICE_LITERAL("@daily"), .source = mc_slice_of(scripts->source)};
    cron[n].missed = scripts->missed;
    mc_enqueue_options_init(&cron[n].options);
    cron[n].options.type = type;
    rules[n] = (mc_frame_group_rule){.pattern = type, .grace_s = 1};
  }
  mc_buf bytes = {0};
  mc_frame_ready_encode(
      &bytes, &(mc_frame_ready){
                  .entries = entries, .count = 2, .cron = cron, .cron_count = 2, .rules = rules, .rule_count = 2});
  mc_slice body = {bytes.data + MC_FRAME_HEAD_SIZE, bytes.size - MC_FRAME_HEAD_SIZE};
  mc_worker_on_frame(&crew->workers[i], &(mc_frame){.type = MC_FRAME_READY, .body = body});
  mc_buf_deinit(&bytes);
  assert_int_equal(crew->workers[i].state, MC_WORKER_SERVING);
}

static void end(struct crew *crew, int i) {
  crew->places[i].worker = NULL;
  mc_buf_deinit(&crew->workers[i].manifest.body);
  mc_manifest_agree(&crew->node);
}

static void replace(struct crew *crew, int i, const struct scripts *scripts) {
  end(crew, i);
  start(crew, i);
  ready(crew, i, scripts);
}

/* ---- what is in force ---- */

static bool has_cron(struct crew *crew, const char *type) {
  MC_LIST_EACH(link, &crew->node.crons.items) {
    const mc_cron_item *item = mc_container_of(link, mc_cron_item, link);
    if (!item->leaving && mc_slice_equal(item->entry.options.type, mc_slice_of(type)))
      return true;
  }
  return false;
}

static bool in_force(struct crew *crew, const struct scripts *scripts) {
  const char *types[] = {scripts->first, scripts->second};
  bool all = crew->node.crons.count == 2 && crew->node.folds.rules.count == 2;
  for (int n = 0; n < 2; n++)
    all = all && has_cron(crew, types[n]) &&
          mc_group_rules_find(&crew->node.folds.rules, mc_slice_of("q"), mc_slice_of(types[n]));
  return all;
}

static int logged(struct crew *crew, const char *event) {
  char text[1 << 14] = "";
  int count = 0;
  mc_log_flush();
  assert_true(pread(crew->log_fd, text, sizeof text - 1, 0) >= 0);
  for (const char *at = text; (at = strstr(at, event)); at++)
    count++;
  return count;
}

static void the_first_one_counts_at_once(void **state) {
  struct crew *crew = *state;
  ready(crew, 0, &old);
  assert_true(in_force(crew, &old));
  ready(crew, 1, &old);
  assert_true(in_force(crew, &old));
  assert_int_equal(logged(crew, DIFFER) + logged(crew, AGREE), 0);
}

static void a_changed_one_waits_until_all_workers_have_it(void **state) {
  struct crew *crew = *state;
  ready(crew, 0, &old);
  ready(crew, 1, &old);
  replace(crew, 1, &new);
  assert_true(in_force(crew, &old));
  replace(crew, 1, &new);
  assert_true(in_force(crew, &old));
  assert_int_equal(logged(crew, DIFFER), 1);
  assert_int_equal(logged(crew, "mend the scripts and reload"), 1);
  replace(crew, 0, &new);
  assert_true(in_force(crew, &new));
  assert_int_equal(logged(crew, AGREE), 1);
  replace(crew, 0, &old); /* and it is said again */
  assert_true(in_force(crew, &new));
  assert_int_equal(logged(crew, DIFFER), 2);
}

static void it_comes_when_the_last_old_worker_ends(void **state) {
  struct crew *crew = *state;
  ready(crew, 0, &old);
  ready(crew, 1, &new);
  assert_true(in_force(crew, &old));
  end(crew, 0);
  assert_true(in_force(crew, &new));
}

static void a_worker_that_ends_leaves_its_manifest_in_force(void **state) {
  struct crew *crew = *state;
  ready(crew, 0, &old);
  end(crew, 0);
  assert_true(in_force(crew, &old));
  ready(crew, 1, &new);
  assert_true(in_force(crew, &new));
  assert_int_equal(logged(crew, DIFFER), 0);
}

static void a_difference_ends_with_scripts_that_were_put_back(void **state) {
  struct crew *crew = *state;
  ready(crew, 0, &old);
  ready(crew, 1, &new);
  end(crew, 1);
  assert_int_equal(logged(crew, AGREE), 0);
  start(crew, 1);
  ready(crew, 1, &old);
  assert_true(in_force(crew, &old));
  assert_int_equal(logged(crew, AGREE), 1);
}

static void one_who_drains_has_no_say(void **state) {
  struct crew *crew = *state;
  ready(crew, 0, &old);
  crew->workers[0].state = MC_WORKER_DRAINING;
  ready(crew, 1, &new);
  assert_true(in_force(crew, &new));
}

static void order_and_lines_are_no_difference(void **state) {
  struct crew *crew = *state;
  struct scripts moved = old;
  moved.backwards = true;
  moved.source = "moved.lua:7";
  ready(crew, 0, &old);
  ready(crew, 1, &moved);
  assert_int_equal(logged(crew, DIFFER), 0);
}

static void what_becomes_of_missed_ticks_is_a_difference(void **state) {
  struct crew *crew = *state;
  struct scripts latest = old;
  latest.missed = MC_CRON_LATEST;
  ready(crew, 0, &old);
  ready(crew, 1, &latest);
  assert_int_equal(logged(crew, DIFFER), 1);
}

#define test(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void) {
  const struct CMUnitTest tests[] = {
      test(the_first_one_counts_at_once),
      test(a_changed_one_waits_until_all_workers_have_it),
      test(it_comes_when_the_last_old_worker_ends),
      test(a_worker_that_ends_leaves_its_manifest_in_force),
      test(a_difference_ends_with_scripts_that_were_put_back),
      test(one_who_drains_has_no_say),
      test(order_and_lines_are_no_difference),
      test(what_becomes_of_missed_ticks_is_a_difference),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
