/* Days and dates: see calendar.h.
 *
 * Years are counted from March, so that the day that comes and goes is the last of its year, and in eras of 400 years,
 * after which the calendar repeats.
 */
#include "base/calendar.h"

#define ERA_YEARS 400
#define ERA_DAYS 146097
#define DAYS_TO_1970 719468 /* from 1 March of the year 0 */

int64_t mc_floor_div(int64_t dividend, int64_t divisor) {
  return dividend / divisor - (dividend % divisor < 0);
}

int64_t mc_floor_mod(int64_t dividend, int64_t divisor) {
  int64_t rest = dividend % divisor;
  return rest < 0 ? rest + divisor : rest;
}

int64_t mc_days_of(int64_t year, int64_t month, int64_t day) {
  int64_t months = year * 12 + (month - 1) - 2; /* counted from March of the year 0 */
  int64_t from_march = mc_floor_mod(months, 12);
  year = mc_floor_div(months, 12);
  int64_t era = mc_floor_div(year, ERA_YEARS), of_era = mc_floor_mod(year, ERA_YEARS);
  int64_t day_of_year = (153 * from_march + 2) / 5;
  return era * ERA_DAYS + of_era * 365 + of_era / 4 - of_era / 100 + day_of_year + (day - 1) - DAYS_TO_1970;
}

mc_date mc_date_of(int64_t days) {
  days += DAYS_TO_1970;
  int64_t era = mc_floor_div(days, ERA_DAYS), of_era = mc_floor_mod(days, ERA_DAYS);
  int64_t year = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
  int64_t day_of_year = of_era - (365 * year + year / 4 - year / 100);
  int from_march = (int)((5 * day_of_year + 2) / 153);
  mc_date date = {
      .month = from_march < 10 ? from_march + 3 : from_march - 9,
      .day = (int)(day_of_year - (153 * from_march + 2) / 5) + 1,
  };
  date.year = year + era * ERA_YEARS + (date.month <= 2);
  return date;
}

int mc_weekday_of(int64_t days) {
  return (int)mc_floor_mod(days + 4, 7); /* the first was a Thursday */
}
