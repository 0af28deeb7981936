// retention: by class, how long its changes are kept, how many there are, since when, and which are older than that.
#include <algorithm>
#include <charconv>
#include <map>

#include "vestige/report/fields.h"
#include "vestige/report/reports.h"
#include "vestige/trail/catalog.h"
#include "vestige/trail/spelling.h"

namespace vestige {
namespace {

struct Class {
  std::string keep;
  std::optional<std::int64_t> horizon;  // what was made before it is due; nothing: never
  std::int64_t changes = 0;
  std::int64_t due = 0;
  std::int64_t bytes = 0;
  std::optional<std::int64_t> oldest;
  std::vector<std::string> tables;
};

// "7 years" before a moment, by the calendar of a zone; nothing for "forever", and for what is no period.
std::optional<std::int64_t> before(std::int64_t now, std::string_view keep, const TimeZone& zone) {
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

std::int64_t bytes_of(const std::optional<Row>& row) {
  return row.has_value() ? static_cast<std::int64_t>(to_json(*row).size()) : 0;
}

Result<std::map<std::string, Class>> classes(Database& db, const Report& report) {
  std::map<std::string, Class> out;
  auto rows = TRY(db.query("select name, keep from " + spelling_of(db).table("retention")));
  while (TRY(rows->next()) == Step::row) {
    Class& one = out[rows->text(0)];
    one.keep = rows->text(1);
    one.horizon = before(report.head.made_at, one.keep, report.zone());
  }
  return out;
}

}  // namespace

Result<void> report_retention(Database& db, const ReportRequest& request, Report& report) {
  auto by_class = TRY(classes(db, report));
  std::map<std::string, std::string> class_of;
  for (const Tracked& table : TRY(tracked_tables(db))) {
    class_of[table.name] = table.policy.retention;
    by_class[table.policy.retention].tables.push_back(table.name);
  }
  const auto population = TRY(Population::open(db, request, report));
  const std::size_t section = report.add(
      {.name = "classes",
       .title = "Retention",
       .text = "What is due is older than its class is kept, when the report was made. The "
               "bytes are those of the recorded values as JSON. Nothing is taken away by this "
               "report.",
       .columns = {{"class", "class"},
                   {"keep", "kept"},
                   {"tables", "tables"},
                   {"changes", "changes", CellKind::number},
                   {"oldest", "oldest", CellKind::time},
                   {"due", "due", CellKind::number},
                   {"bytes", "bytes", CellKind::number}}});
  while (const auto change = TRY(population->next())) {
    Class& one = by_class[class_of[change->table]];
    ++one.changes;
    one.oldest = std::min(one.oldest.value_or(change->at), change->at);
    if (one.horizon.has_value() && change->at < *one.horizon) ++one.due;
    one.bytes += bytes_of(change->old_values) + bytes_of(change->new_values);
  }
  for (const auto& [name, one] : by_class)
    TRY(report.row(section, {text_cell(name.empty() ? "(no class)" : name),
                             text_cell(name.empty() ? "no limit is named" : one.keep),
                             text_cell(fmt::format("{}", fmt::join(one.tables, ", "))),
                             number_cell(one.changes),
                             one.oldest.has_value() ? time_cell(*one.oldest) : Cell(),
                             number_cell(one.due), number_cell(one.bytes)}));
  return {};
}

}  // namespace vestige
