#include "vestige/trail/retention.h"

#include <algorithm>
#include <charconv>

#include "vestige/trail/spelling.h"

namespace vestige {

Result<std::vector<RetentionClass>> retention_classes(Database& db) {
  std::vector<RetentionClass> out;
  auto rows =
      TRY(db.query("select * from " + spelling_of(db).table("retention") + " order by name"));
  while (TRY(rows->next()) == Step::row) {
    RetentionClass& one = out.emplace_back();
    one.name = rows->text(0);
    one.keep = rows->text(1);
    if (rows->columns() < 4) continue;  // a trail that is older
    if (!rows->is_null(2)) one.hot = rows->text(2);
    one.archive = rows->integer(3) != 0;
  }
  return out;
}

Result<void> put_retention(Database& db, const RetentionClass& one) {
  const std::string table = spelling_of(db).table("retention");
  const bool older = TRY(db.query("select * from " + table + " where 1 = 0"))->columns() < 4;
  if (older && one.archive)
    return hinted(
        fail(Fault::missing, "retention {}: this trail is older and archives nothing", one.name),
        "vestige init brings it up to date");
  if (older)
    TRY(db.run(fmt::format("insert into {} (name, keep) values (?1, ?2)"
                           " on conflict (name) do update set keep = excluded.keep",
                           table),
               {Text{one.name}, Text{one.keep}}));
  else
    TRY(db.run(
        fmt::format("insert into {} (name, keep, hot, archive) values (?1, ?2, ?3,"
                    " case when ?4 = 1 then true else false end) on conflict (name) do update"
                    " set keep = excluded.keep, hot = excluded.hot, archive = excluded.archive",
                    table),
        {Text{one.name}, Text{one.keep}, one.hot.empty() ? Value(Null{}) : Value(Text{one.hot}),
         std::int64_t{one.archive ? 1 : 0}}));
  return {};
}

std::string described(const RetentionClass& one) {
  if (!one.archive) return one.keep;
  if (one.here() == one.keep) return one.keep + ", then archived";
  return fmt::format("{}, of it {} in the database, then archived", one.keep, one.here());
}

std::optional<std::int64_t> kept_since(std::int64_t now, std::string_view keep,
                                       const TimeZone& zone) {
  int count = 0;
  const auto [end, error] = std::from_chars(keep.data(), keep.data() + keep.size(), count);
  if (error != std::errc() || count < 1 || count > 100'000) return std::nullopt;
  std::string_view unit = keep.substr(static_cast<std::size_t>(end - keep.data()));
  while (unit.starts_with(' ')) unit.remove_prefix(1);
  if (unit.ends_with('s')) unit.remove_suffix(1);
  const LocalTime local = local_time(now, zone);
  std::chrono::year_month_day date = local.date;
  if (unit == "year") date -= std::chrono::years(std::min(count, 9'000));
  else if (unit == "month") date -= std::chrono::months(count);
  else if (unit == "week") date = std::chrono::sys_days(date) - std::chrono::days(7 * count);
  else if (unit == "day") date = std::chrono::sys_days(date) - std::chrono::days(count);
  else return std::nullopt;
  if (!date.ok()) date = date.year() / date.month() / std::chrono::last;
  return zone.moment(date, local.clock);
}

std::optional<std::int64_t> kept_here_since(std::int64_t now, const RetentionClass& one,
                                            const TimeZone& zone) {
  const auto all = kept_since(now, one.keep, zone);
  const auto here = kept_since(now, one.here(), zone);
  if (!all.has_value() || !here.has_value()) return here.has_value() ? here : all;
  return std::max(*all, *here);
}

}  // namespace vestige
