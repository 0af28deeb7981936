// retention: by class, how long its changes are kept, how many there are, since when, and which are older than that.
#include <algorithm>
#include <map>

#include "vestige/report/fields.h"
#include "vestige/report/reports.h"
#include "vestige/trail/catalog.h"
#include "vestige/trail/over_source.h"
#include "vestige/trail/retention.h"

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

std::int64_t bytes_of(const std::optional<Row>& row) {
  return row.has_value() ? static_cast<std::int64_t>(to_json(*row).size()) : 0;
}

Result<std::map<std::string, Class>> classes(Database& db, const Report& report) {
  std::map<std::string, Class> out;
  for (const RetentionClass& known : TRY(retention_classes(db))) {
    Class& one = out[known.name];
    one.keep = described(known);
    one.horizon = kept_here_since(report.head.made_at, known, report.zone());
  }
  return out;
}

}  // namespace

// What an archive has is nothing that could be due.
Result<void> report_retention(Database& read, const ReportRequest& request, Report& report) {
  Database& db = without_archive(read);
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
    if (one.horizon.has_value() && change->at < *one.horizon && !takes_away(change->op)) ++one.due;
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
