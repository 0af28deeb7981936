#include "pgext/pinned.h"

namespace vestige::native {
namespace {

// The server's variables behind the settings: output functions read nothing else.
struct Session {
  pg_tz* zone;
  int date_style;
  int date_order;
  int interval_style;
  int float_digits;
  int bytea;
  bool quotes;
};

Session session() {
  return {session_timezone,     DateStyle,          DateOrder,
          IntervalStyle,        extra_float_digits, bytea_output,
          quote_all_identifiers};
}

void restore(const Session& was) {
  session_timezone = was.zone;
  DateStyle = was.date_style;
  DateOrder = was.date_order;
  IntervalStyle = was.interval_style;
  extra_float_digits = was.float_digits;
  bytea_output = was.bytea;
  quote_all_identifiers = was.quotes;
}

void pin() {
  static pg_tz* utc = nullptr;
  if (utc == nullptr) utc = pg_tzset("UTC");
  session_timezone = utc;
  DateStyle = USE_ISO_DATES;
  DateOrder = DATEORDER_YMD;
  IntervalStyle = INTSTYLE_POSTGRES;
  extra_float_digits = 1;
  bytea_output = BYTEA_OUTPUT_HEX;
  quote_all_identifiers = false;
}

void set(const char* name, const char* value) {
  (void)set_config_option(name, value, PGC_USERSET, PGC_S_SESSION, GUC_ACTION_SAVE, true, 0, false);
}

}  // namespace

void with_pinned(int settings, void (*work)(void*), void* argument) {
  if (settings == 0) {
    work(argument);
    return;
  }
  // These two have caches behind them: only the server itself may set them. An error ends the nest level with the
  // transaction or subtransaction.
  int level = 0;
  if ((settings & (kMonetary | kEverything)) != 0) {
    level = NewGUCNestLevel();
    if ((settings & kMonetary) != 0) set("lc_monetary", "C");
    if ((settings & kEverything) != 0) set("search_path", "pg_catalog, pg_temp");
  }
  const Session was = session();
  pin();
  PG_TRY();
  { work(argument); }
  PG_CATCH();
  {
    restore(was);
    PG_RE_THROW();
  }
  PG_END_TRY();
  restore(was);
  if (level != 0) AtEOXact_GUC(true, level);
}

}  // namespace vestige::native
