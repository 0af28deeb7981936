#include "server/report_csv.h"

#include "server/csv.h"
#include "vestige/record/value.h"

namespace vestige::server {
namespace {

std::string csv_cell(const Cell& cell, CellKind kind) {
  if (!cell.has_value()) return "";
  if (kind != CellKind::value || is_number_token(*cell)) return csv_text(*cell);
  const auto value = value_from_json(*cell);
  return value.has_value() ? csv_field(*value) : csv_text(*cell);
}

}  // namespace

Result<void> report_csv(Report& report, const std::string& wanted,
                        const std::function<bool(const std::vector<std::string>&)>& record) {
  std::size_t number = 0;
  std::string names;
  for (; number < report.sections(); ++number) {
    const ReportSection& section = report.section(number);
    if (section.columns.empty()) continue;
    if (wanted.empty() || section.name == wanted) break;
    names += (names.empty() ? "" : ", ") + section.name;
  }
  if (number == report.sections())
    return hinted(fail(Fault::invalid, "report: it has no section {}", wanted),
                  "its sections are " + names);
  const std::vector<ReportColumn>& columns = report.section(number).columns;
  std::vector<std::string> fields;
  for (const ReportColumn& column : columns) fields.push_back(csv_text(column.name));
  if (!record(fields)) return {};
  TRY(report.read_again(number));
  Cells cells;
  while (TRY(report.next_row(number, cells)) == 'y') {
    fields.clear();
    for (std::size_t i = 0; i < cells.size(); ++i)
      fields.push_back(csv_cell(cells[i], columns[i].kind));
    if (!record(fields)) break;
  }
  return {};
}

}  // namespace vestige::server
