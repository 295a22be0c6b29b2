/* The scripts that run inside Redis (server/<name>.lua), as the build embeds them. */
#ifndef MC_PROTOCOL_SCRIPTS_H
#define MC_PROTOCOL_SCRIPTS_H

#include "base/script.h"

extern const mc_script mc_server_script_aggregate;
extern const mc_script mc_server_script_archive;
extern const mc_script mc_server_script_complete;
extern const mc_script mc_server_script_cron_open;
extern const mc_script mc_server_script_cron_tick;
extern const mc_script mc_server_script_delete_tasks;
extern const mc_script mc_server_script_dequeue;
extern const mc_script mc_server_script_enqueue;
extern const mc_script mc_server_script_extend;
extern const mc_script mc_server_script_extend_set;
extern const mc_script mc_server_script_fold;
extern const mc_script mc_server_script_forward;
extern const mc_script mc_server_script_janitor;
extern const mc_script mc_server_script_list_tasks;
extern const mc_script mc_server_script_progress;
extern const mc_script mc_server_script_queue_info;
extern const mc_script mc_server_script_read_task;
extern const mc_script mc_server_script_reclaim;
extern const mc_script mc_server_script_recover;
extern const mc_script mc_server_script_regroup;
extern const mc_script mc_server_script_remove_queue;
extern const mc_script mc_server_script_requeue;
extern const mc_script mc_server_script_retain;
extern const mc_script mc_server_script_retry;
extern const mc_script mc_server_script_run_tasks;
extern const mc_script mc_server_script_shelve_tasks;
extern const mc_script mc_server_script_update_task;
extern const mc_script mc_server_script_walk_groups;

#endif
