/* Days and dates of the Gregorian calendar, carried on before 1582 as if it had always been there. Days are counted
 * from 1 January 1970; times are seconds from its beginning.
 */
#ifndef MC_BASE_CALENDAR_H
#define MC_BASE_CALENDAR_H

#include <stdint.h>

#define MC_DAY_S INT64_C(86400)

typedef struct mc_date {
  int64_t year;
  int month, day; /* 1 … 12, 1 … 31 */
} mc_date;

/* The day of a date. A month beyond 1 … 12 counts on into other years, a day beyond its month into other months. */
int64_t mc_days_of(int64_t year, int64_t month, int64_t day);
mc_date mc_date_of(int64_t days);
int mc_weekday_of(int64_t days); /* 0: Sunday */

/* Division that rounds down, and its remainder, which is never negative; divisor > 0. */
int64_t mc_floor_div(int64_t dividend, int64_t divisor);
int64_t mc_floor_mod(int64_t dividend, int64_t divisor);

#endif
