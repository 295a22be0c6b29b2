/* Our pools and generations: see status.h. */
#include "supervisor/status.h"

#include "base/mem.h"
#include "protocol/keys.h"
#include "protocol/server_status.h"
#include "supervisor/node.h"

#include <stdlib.h>

#define TTL_S 10 /* as the heartbeat's */

static void count_pools(const mc_node *node, mc_pool_status *pools) {
  const mc_pool *pool = &node->pool;
  for (size_t i = 0; i < pool->section_count; i++) {
    const mc_config_pool *config = &pool->sections[i].turns->pool;
    pools[i] = (mc_pool_status){
        .name = mc_slice_of(config->name), .workers = config->workers, .concurrency = config->concurrency};
  }
  MC_LIST_EACH(link, &pool->workers) {
    const mc_worker *worker = mc_worker_of(link);
    const mc_pool_place *place = mc_worker_place(worker);
    mc_pool_status *its = &pools[place->section - pool->sections];
    its->busy += (int64_t)mc_worker_load(worker);
    its->serving += place->worker == worker && worker->state == MC_WORKER_SERVING;
  }
}

static void list_patterns(const mc_queues *queues, mc_buf *out) {
  for (size_t i = 0; i < queues->turns_count; i++) {
    const mc_turns *turns = &queues->turns[i];
    for (size_t k = 0; k < turns->share_count; k++)
      if (turns->shares[k].pattern)
        mc_buf_printf(out, "%s%s", out->size ? "," : "", turns->shares[k].config->name);
  }
}

static void transmit(mc_node *node, const mc_server_status *status) {
  mc_args args = {0};
  mc_server_status_encode(status, mc_node_server(node), &args);
  mc_conn_send(node->link.commands, &args, NULL, NULL); /* a refusal shows in that of the heartbeat */
  mc_args_clear(&args);
  mc_args_add_text(&args, "EXPIRE");
  mc_key_server_status(&args.bytes, mc_node_server(node));
  mc_args_end(&args);
  mc_args_add_int(&args, TTL_S);
  mc_conn_send(node->link.commands, &args, NULL, NULL);
  mc_args_deinit(&args);
}

void mc_status_tell(mc_node *node) {
  const mc_reload *reload = &node->reload;
  if (!node->link.up || node->shutdown.phase == MC_CLOSING)
    return;
  mc_buf patterns = {0};
  list_patterns(&node->queues, &patterns);
  mc_server_status status = {
      .generation = (int64_t)reload->serving.number,
      .loaded_at_ms = reload->serving.loaded_at_ms,
      .draining = (int64_t)mc_reload_draining(node),
      .asked = (int64_t)reload->asked,
      .answered = (int64_t)reload->answered,
      .error = mc_slice_of(reload->error.text),
      .refused_at_ms = *reload->error.text ? reload->refused_at_ms : 0,
      .patterns = mc_buf_slice(&patterns),
      .pools = mc_zalloc((node->pool.section_count + 1) * sizeof *status.pools),
      .pool_count = node->pool.section_count,
  };
  count_pools(node, status.pools);
  transmit(node, &status);
  free(status.pools);
  mc_buf_deinit(&patterns);
}

void mc_status_clear(mc_node *node) {
  mc_args args = {0};
  mc_args_add_text(&args, "DEL");
  mc_key_server_status(&args.bytes, mc_node_server(node));
  mc_args_end(&args);
  mc_conn_send(node->link.commands, &args, NULL, NULL);
  mc_args_deinit(&args);
}
