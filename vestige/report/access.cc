// access: who was shown what and who changed what, a line each: what is examined where the law asks that records are (HIPAA
// 164.312(b)). Reads are those that were recorded (vestige/trail/access.h).
#include <map>
#include <set>
#include <unordered_set>

#include "vestige/report/reports.h"
#include "vestige/trail/access.h"
#include "vestige/trail/spelling.h"
#include "vestige/trail/track.h"

namespace vestige {
namespace {

// What one did.
struct Doings {
  std::int64_t reads = 0;
  std::int64_t changes = 0;
  std::unordered_set<std::size_t> subjects;  // rows, by hash: there may be millions
  std::set<std::string> tables;
  std::int64_t first = 0;
  std::int64_t last = 0;
  std::int64_t off_hours = 0;
  std::int64_t unsigned_context = 0;
};

bool off_hours(std::int64_t at, const TimeZone& zone) {
  constexpr int kBegin = 7;
  constexpr int kEnd = 19;
  const LocalTime local = local_time(at, zone);
  const unsigned day = local.weekday().iso_encoding();
  return day > 5 || local.hour() < kBegin || local.hour() >= kEnd;
}

void count(Doings& doings, const std::string& table, const std::string& key) {
  if (table.empty()) return;
  doings.tables.insert(table);
  if (!key.empty()) doings.subjects.insert(std::hash<std::string>()(table + '\0' + key));
}

// The values of a key, as they are reported of a read.
std::string key_values(const Row& key) {
  std::vector<std::string> values;
  for (const Field& field : key) values.push_back(to_display(field.value));
  return values.empty() ? "" : list_json(values);
}

}  // namespace

Result<void> report_access(Database& db, const ReportRequest& request, Report& report) {
  const auto population = TRY(Population::open(db, request, report));
  const std::string reads = spelling_of(db).table("access");
  std::map<std::string, Doings> known;
  std::int64_t seen_reads = 0;
  std::int64_t seen_changes = 0;
  while (const auto change = TRY(population->next())) {
    const bool read = change->table == reads && change->op == Op::insert;
    if (!read && is_own_table(db, change->table)) continue;
    const std::string* who = change->who();
    Doings& doings = known[who == nullptr ? "" : *who];
    if (doings.reads + doings.changes == 0) doings.first = change->at;
    doings.first = std::min(doings.first, change->at);
    doings.last = std::max(doings.last, change->at);
    if (off_hours(change->at, report.zone())) ++doings.off_hours;
    if (change->context.get("signature") == nullptr) ++doings.unsigned_context;
    if (read) {
      const Access access = access_of(*change);
      ++doings.reads;
      ++seen_reads;
      count(doings, access.table, access.key.empty() ? "" : list_json(reported_key(access.key)));
    } else {
      ++doings.changes;
      ++seen_changes;
      count(doings, change->table, key_values(change->key));
    }
  }
  const std::size_t section =
      report.add({.name = "access",
                  .title = "Accesses",
                  .text = fmt::format(
                      "{} reads and {} changes. Reads are those that were reported or recorded; "
                      "off hours is outside of 07:00 to 19:00 from Monday to Friday.",
                      seen_reads, seen_changes),
                  .columns = {{"actor", "actor"},
                              {"reads", "reads", CellKind::number},
                              {"changes", "changes", CellKind::number},
                              {"subjects", "rows", CellKind::number},
                              {"tables", "tables"},
                              {"first", "first", CellKind::time},
                              {"last", "last", CellKind::time},
                              {"off_hours", "off hours", CellKind::number},
                              {"unsigned", "without signature", CellKind::number}}});
  for (const auto& [who, doings] : known)
    TRY(report.row(section, {text_cell(who), number_cell(doings.reads), number_cell(doings.changes),
                             number_cell(static_cast<std::int64_t>(doings.subjects.size())),
                             text_cell(fmt::format("{}", fmt::join(doings.tables, ", "))),
                             time_cell(doings.first), time_cell(doings.last),
                             number_cell(doings.off_hours), number_cell(doings.unsigned_context)}));
  return {};
}

}  // namespace vestige
