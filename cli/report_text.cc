#include "cli/report_text.h"

#include "cli/table.h"
#include "server/report_csv.h"

namespace vestige::cli {
namespace {

void print_head(Output& output, const ReportHead& head, const TimeZone& zone) {
  const auto moment = [&](std::int64_t micros) {
    return shown(vestige::time_cell(micros), CellKind::time, zone);
  };
  output.line({{Label::head, head.title}});
  output.line({{head.sound ? Label::good : Label::bad, head.complete}});
  if (!head.verified.empty()) output.line({{head.sound ? Label::good : Label::bad, head.verified}});
  std::string period = "all that is recorded";
  if (head.since.has_value() || head.until.has_value())
    period = (head.since.has_value() ? "from " + moment(*head.since) : "") +
             (head.since.has_value() && head.until.has_value() ? " " : "") +
             (head.until.has_value() ? "until before " + moment(*head.until) : "");
  const std::pair<const char*, std::string> lines[] = {
      {"period", period + " (" + head.zone + ")"},
      {"filter", head.filter},
      {"made", moment(head.made_at) + (head.made_by.empty() ? "" : " by " + head.made_by)},
      {"origin", head.origin},
      {"rows", fmt::format("{}, SHA-256 {}", head.rows, head.rows_sha256)}};
  for (const auto& [name, text] : lines)
    if (!text.empty())
      output.line(
          {{Label::faint, fmt::format("{:<8}", std::string(name) + ":")}, {Label::plain, text}});
}

Label label_of(const ReportColumn& column) {
  if (column.kind == CellKind::time) return Label::time;
  if (column.name == "actor" || column.name == "who" || column.name == "db_user")
    return Label::person;
  if (column.name == "reason") return Label::reason;
  if (column.name == "change" || column.name == "entry" || column.name == "tx") return Label::id;
  if (column.name == "table" || column.name == "key" || column.name == "column") return Label::name;
  return Label::plain;
}

Result<void> print_section(Output& output, Report& report, std::size_t number) {
  const ReportSection& section = report.section(number);
  output.line({});
  output.line({{Label::head, section.title}});
  if (!section.text.empty()) output.line({{section.bad ? Label::bad : Label::plain, section.text}});
  if (section.columns.empty()) return {};
  if (report.rows(number) == 0) {
    output.line({{Label::faint, "none"}});
    return {};
  }
  std::vector<Heading> headings;
  for (const ReportColumn& column : section.columns)
    headings.push_back(
        {.name = column.title,
         .right = column.kind == CellKind::number,
         .elastic = column.kind == CellKind::text || column.kind == CellKind::value});
  Table table(output, std::move(headings));
  TRY(report.read_again(number));
  Cells cells;
  while (output.wanted() && TRY(report.next_row(number, cells)) == 'y') {
    std::vector<Piece> pieces;
    for (std::size_t i = 0; i < cells.size(); ++i)
      pieces.push_back(
          {label_of(section.columns[i]), shown(cells[i], section.columns[i].kind, report.zone())});
    table.row(std::move(pieces));
  }
  return {};
}

}  // namespace

Result<void> print_report(Output& output, Report& report) {
  print_head(output, report.head, report.zone());
  for (std::size_t i = 0; i < report.sections(); ++i) TRY(print_section(output, report, i));
  return {};
}

Result<void> print_report_csv(Output& output, Report& report, const std::string& wanted) {
  return server::report_csv(report, wanted, [&](const std::vector<std::string>& fields) {
    output.csv(fields);
    return output.wanted();
  });
}

}  // namespace vestige::cli
