/* Groups page by page: see walk_groups.h. */
#include "client/walk_groups.h"

#include "base/buf.h"
#include "client/ask.h"
#include "protocol/inspect.h"

struct walk {
  mc_buf cursor;
  int64_t tasks;
};

static int on_page(void *arg, size_t i, const mc_value *reply, mc_err *err) {
  struct walk *walk = arg;
  mc_slice cursor;
  int64_t tasks;
  (void)i;
  int code = mc_group_page_read(reply, &cursor, &tasks, err);
  if (code)
    return code;
  mc_buf_clear(&walk->cursor);
  mc_buf_add_slice(&walk->cursor, cursor);
  walk->tasks += tasks;
  return 0;
}

static bool is_over(const struct walk *walk) {
  return mc_slice_equal(mc_buf_slice(&walk->cursor), mc_slice_of("0"));
}

int mc_client_walk_groups(mc_client *client, mc_slice queue, bool forget, int64_t *tasks, mc_err *err) {
  struct walk walk = {0};
  mc_call call = {0};
  int code;
  mc_buf_add_text(&walk.cursor, "0");
  do {
    mc_call_walk_groups(&call, queue, mc_buf_slice(&walk.cursor), forget);
    code = mc_client_ask(client, &call, 1, on_page, &walk, err);
  } while (code == 0 && !is_over(&walk));
  mc_calls_deinit(&call, 1);
  mc_buf_deinit(&walk.cursor);
  if (code == 0)
    *tasks = walk.tasks;
  return code;
}
