// field: what one column of one row held over time, drawn, with who changed it and why.
#include "vestige/report/field.h"
#include "vestige/report/plot.h"
#include "vestige/report/reports.h"
#include "vestige/trail/changes.h"

namespace vestige {

Result<void> report_field_history(Database& db, const ReportRequest& request, Report& report) {
  if (request.words.size() < 3)
    return hinted(fail(Fault::invalid, "report field: of which row and column?"),
                  "vestige report field TABLE KEY… COLUMN");
  TRY(stand_on(db, request, report.head));
  const std::vector<std::string> key(request.words.begin() + 1, request.words.end() - 1);
  const FieldHistory history =
      TRY(field_history(db, request.words.front(), key, request.words.back()));
  // A plot has both ends; it is of the whole history, sealed or not.
  const std::size_t section = report.add(
      {.name = "values",
       .title = fmt::format("{} of {} {}", history.column, history.table, key_text(history.key)),
       .text = "The whole history of the field, also what is not sealed yet.",
       .columns = {{"change", "change", CellKind::number},
                   {"time", "time", CellKind::time},
                   {"op", "operation"},
                   {"value", "value", CellKind::value},
                   {"percent", "differs by %", CellKind::number},
                   {"who", "who"},
                   {"reason", "reason"}},
       .picture = history.points.empty() ? "" : svg_plot(history, report.head.made_at)});
  for (const FieldPoint& point : history.points)
    TRY(report.row(
        section,
        {point.change == 0 ? Cell() : number_cell(point.change), time_cell(point.at),
         point.change == 0 ? text_cell("before what is recorded") : text_cell(name(point.op)),
         point.state == FieldPoint::State::value ? value_cell(&point.value) : Cell(),
         point.percent.has_value() ? Cell(fmt::format("{:.2f}", *point.percent)) : Cell(),
         text_cell(point.who), text_cell(point.reason)}));
  return {};
}

}  // namespace vestige
