// A report of one's own ([report.NAME] of vestige.toml): the changes that a filter describes, one by one or in groups with sums.
#include <map>

#include "vestige/base/decimal.h"
#include "vestige/report/fields.h"
#include "vestige/report/reports.h"

namespace vestige {
namespace {

struct Group {
  std::int64_t changes = 0;
  std::vector<std::string> sums;
};

// The numeral in a cell; what is none adds nothing.
std::string number_in(const Cell& cell) {
  if (!cell.has_value() || !compare_numbers(*cell, "0").has_value()) return "0";
  return *cell;
}

Result<void> grouped(Population& population, const OwnReport& own, Report& report) {
  ReportSection section = {.name = "groups", .title = report.head.title};
  for (const std::string& field : own.group_by)
    section.columns.push_back({field, field, kind_of_field(field)});
  section.columns.push_back({"changes", "changes", CellKind::number});
  for (const std::string& field : own.sum)
    section.columns.push_back({"sum." + field, "sum of " + field, CellKind::number});
  const std::size_t place = report.add(std::move(section));
  std::map<Cells, Group> groups;
  while (const auto change = TRY(population.next())) {
    Cells key;
    for (const std::string& field : own.group_by)
      key.push_back(report_field(*change, field, report.zone()));
    Group& group = groups[key];
    group.sums.resize(own.sum.size(), "0");
    ++group.changes;
    for (std::size_t i = 0; i < own.sum.size(); ++i)
      group.sums[i] =
          add_numbers(group.sums[i], number_in(report_field(*change, own.sum[i], report.zone())))
              .value_or(group.sums[i]);
  }
  for (const auto& [key, group] : groups) {
    Cells cells = key;
    cells.push_back(number_cell(group.changes));
    for (const std::string& sum : group.sums) cells.push_back(sum);
    TRY(report.row(place, cells));
  }
  return {};
}

}  // namespace

Result<void> report_own(Database& db, const ReportRequest& request, const OwnReport& own,
                        Report& report) {
  const auto population = TRY(Population::open(db, request, report));
  if (!own.group_by.empty()) return grouped(*population, own, report);
  ReportSection section = {.name = "rows", .title = report.head.title};
  for (const std::string& field : own.columns)
    section.columns.push_back({field, field, kind_of_field(field)});
  const std::size_t place = report.add(std::move(section));
  while (const auto change = TRY(population->next())) {
    Cells cells;
    for (const std::string& field : own.columns)
      cells.push_back(report_field(*change, field, report.zone()));
    TRY(report.row(place, cells));
  }
  return {};
}

}  // namespace vestige
