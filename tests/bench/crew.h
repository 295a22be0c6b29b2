/* A `mooncrew run` under measurement: the supervisor and its workers. */
#ifndef MC_BENCH_CREW_H
#define MC_BENCH_CREW_H

struct crew;

/* Starts it and returns when its workers are ready. Whatever goes wrong ends the program. */
struct crew *crew_start(const char *url, int workers);
void crew_stop(struct crew *crew); /* TERM, and waits */

double crew_cpu_s(const struct crew *crew);       /* user and system time of all its processes so far */
double crew_peak_rss_mb(const struct crew *crew); /* the sum of their peaks */

#endif
