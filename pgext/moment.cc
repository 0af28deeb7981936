#include "pgext/moment.h"

namespace vestige::native {
namespace {

// Days since 2000-01-01 of the first and the last day with a year of four digits: 1000-01-01 and 9999-12-31.
constexpr int64 kFirstDay = -365242;
constexpr int64 kLastDay = 2921939;

char* two(char* out, int64 number) {
  *out++ = static_cast<char>('0' + number / 10);
  *out++ = static_cast<char>('0' + number % 10);
  return out;
}

// By eras of 400 years, which begin with a March.
char* print_day(char* out, int64 day) {
  constexpr int64 kEra = 146097;
  const int64 since = day + 730425;  // days since 0000-03-01
  const int64 era = since / kEra;
  const int64 of_era = since % kEra;
  const int64 year_of_era = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
  const int64 of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
  const int64 from_march = (5 * of_year + 2) / 153;
  const int64 month = from_march < 10 ? from_march + 3 : from_march - 9;
  const int64 year = year_of_era + era * 400 + (month <= 2 ? 1 : 0);
  out = two(two(out, year / 100), year % 100);
  *out++ = '-';
  out = two(out, month);
  *out++ = '-';
  return two(out, of_year - (153 * from_march + 2) / 5 + 1);
}

char* print_time(char* out, int64 micros) {
  const int64 seconds = micros / USECS_PER_SEC;
  int64 fraction = micros % USECS_PER_SEC;
  *out++ = ' ';
  out = two(out, seconds / SECS_PER_HOUR);
  *out++ = ':';
  out = two(out, seconds / SECS_PER_MINUTE % MINS_PER_HOUR);
  *out++ = ':';
  out = two(out, seconds % SECS_PER_MINUTE);
  if (fraction == 0) return out;
  *out++ = '.';
  for (int64 digit = USECS_PER_SEC / 10; fraction > 0; digit /= 10) {
    *out++ = static_cast<char>('0' + fraction / digit);
    fraction %= digit;
  }
  return out;
}

}  // namespace

Text printed_moment(Oid output, Datum value) {
  int64 day = 0;
  int64 micros = 0;
  if (output == F_DATE_OUT) {
    day = DatumGetDateADT(value);
  } else {
    const int64 moment = DatumGetTimestamp(value);
    day = moment / USECS_PER_DAY;
    micros = moment % USECS_PER_DAY;
    if (micros < 0) {
      --day;
      micros += USECS_PER_DAY;
    }
  }
  if (day < kFirstDay || day > kLastDay) return {nullptr, 0};
  auto* text = static_cast<char*>(palloc(MAXDATELEN + 1));
  char* out = print_day(text, day);
  if (output != F_DATE_OUT) out = print_time(out, micros);
  if (output == F_TIMESTAMPTZ_OUT) {
    *out++ = '+';
    out = two(out, 0);
  }
  // Between day and time stands a space.
  return {text, static_cast<int>(out - text),
          output == F_DATE_OUT ? Quoting::none : Quoting::plain};
}

}  // namespace vestige::native
