/* The table of options: what can be configured, and what holds when nothing is. See config.h. */
#include "config/config.h"

#include "base/mem.h"

#define SECOND_MS 1000
#define DAY_S 86400
#define AT(field) offsetof(mc_config, field)

const mc_option mc_options[] = {
    {"redis", MC_OPTION_TEXT, AT(redis), "redis://127.0.0.1:6379/0", 0, 0, NULL, true,
     "the Redis to use: redis://[[user]:password@]host[:port][/db] or redis+unix:///path[?db=0]"},
    {"scripts", MC_OPTION_TEXT, AT(scripts), "scripts", 0, 0, NULL, false,
     "the folder of task scripts; every .lua file in it is loaded"},
    {"workers", MC_OPTION_INTEGER, AT(workers), "2", 1, 256, NULL, false, "worker processes"},
    {"concurrency", MC_OPTION_INTEGER, AT(concurrency), "100", 1, 10000, NULL, false,
     "tasks running at a time, per worker"},
    {"prefetch", MC_OPTION_INTEGER, AT(prefetch), "32", 0, 10000, NULL, false,
     "tasks held ready beyond that, per worker; hides the round trip to Redis when tasks are short"},
    {"queues", MC_OPTION_QUEUES, AT(queues), "critical=6,default=3,low=1", 0, 0, NULL, false,
     "the queues to serve and their weights: name=weight, separated by commas; a bare name weighs 1, and one that ends "
     "in "
     "* is a prefix. Behind the weight may stand /archive_max_age=DURATION and /archive_max_size=N"},
    {"strict", MC_OPTION_BOOLEAN, AT(strict), "false", 0, 0, NULL, false,
     "serve a queue only while those of higher weight are empty, instead of sharing by weight"},
    {"pools", MC_OPTION_POOLS, AT(pools), "", 0, 0, NULL, false,
     "named pools of workers, each with what it is given of workers=N concurrency=N prefetch=N memory_limit=SIZE "
     "strict=BOOL queues=NAME=N,... and the rest as the options of these names say: 'io: concurrency=500 cpu: "
     "workers=4 "
     "concurrency=1 queues=image'"},
    {"shutdown_timeout", MC_OPTION_DURATION_MS, AT(shutdown_timeout_ms), "8s", 0, 3600 * SECOND_MS, NULL, false,
     "how long running tasks may go on after a stop was asked for"},
    {"kill_grace", MC_OPTION_DURATION_MS, AT(kill_grace_ms), "5s", 100, 3600 * SECOND_MS, NULL, false,
     "how long a worker may ignore that a task's time is up before it is killed"},
    {"load_timeout", MC_OPTION_DURATION_MS, AT(load_timeout_ms), "30s", 1000, 3600 * SECOND_MS, NULL, false,
     "how long a worker may take to load the scripts before it is killed"},
    {"watch", MC_OPTION_BOOLEAN, AT(watch), "false", 0, 0, NULL, false,
     "reload the scripts when one of them was changed"},
    {"memory_limit", MC_OPTION_SIZE, AT(memory_limit), "0", 1 << 20, 1LL << 50, NULL, false,
     "memory a worker may take (RSS): above it, it is replaced as soon as its tasks have ended; above twice as much it "
     "is killed, and the task that was running is to blame; 0: no limit"},
    {"task_check_interval", MC_OPTION_DURATION_MS, AT(task_check_interval_ms), "1s", 10, 60 * SECOND_MS, NULL, false,
     "how often queues are polled where Redis refuses to give notice"},
    {"max_crashes", MC_OPTION_INTEGER, AT(max_crashes), "3", 1, 1000, NULL, false,
     "a task that killed its worker this many times is archived"},
    {"archive_max_age", MC_OPTION_DURATION_S, AT(archive_max_age_s), "90d", 60, 3650LL * DAY_S, NULL, false,
     "archived tasks older than this are deleted"},
    {"archive_max_size", MC_OPTION_INTEGER, AT(archive_max_size), "10000", 1, 10000000, NULL, false,
     "archived tasks kept per queue; the oldest go first"},
    {"log_level", MC_OPTION_CHOICE, AT(log_level), "info", 0, 0, "debug info warn error", false,
     "the least level that is logged"},
    {"log_format", MC_OPTION_CHOICE, AT(log_format), "text", 0, 0, "text json", false,
     "lines for people or for programs"},
};

const size_t mc_option_count = MC_COUNT(mc_options);
