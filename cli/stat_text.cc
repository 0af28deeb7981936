#include "cli/stat_text.h"

#include "cli/session.h"
#include "vestige/base/time.h"

namespace vestige::cli {
namespace {

std::string list(const std::vector<std::string>& texts) {
  return fmt::format("{}", fmt::join(texts, ", "));
}

void print_csv(Output& output, const TransactionStat& stat) {
  for (const TableStat& table : stat.tables)
    for (const auto& [op, count] : table.changes)
      output.csv({std::to_string(stat.tx), format_time(stat.from), format_time(stat.upto),
                  csv_text(table.table), std::string(name(op)), std::to_string(count),
                  csv_text(op == Op::update ? list_json(table.columns) : ""),
                  csv_text(list(stat.who)), csv_text(list(stat.reasons))});
}

}  // namespace

std::string what_was_done(const TransactionStat& stat) {
  std::string out;
  for (const TableStat& table : stat.tables) {
    std::string ops;
    for (const auto& [op, count] : table.changes) {
      ops += fmt::format("{}{} {}", ops.empty() ? "" : ", ", name(op), grouped(count));
      if (op == Op::update && !table.columns.empty())
        ops += fmt::format(" ({})", list(table.columns));
    }
    out += fmt::format("{}{}: {}", out.empty() ? "" : "; ", table.table, ops);
  }
  return out;
}

StatPrinter::StatPrinter(Output& output)
    : output_(output),
      table_(output, {{.name = "tx", .right = true},
                      {.name = time_heading("time")},
                      {.name = "changes", .right = true},
                      {.name = "what", .elastic = true, .least = 16, .dear = true},
                      {.name = "who", .elastic = true},
                      {.name = "why", .elastic = true}}) {
  if (output_.format() == Format::csv)
    output_.csv({"tx", "from", "upto", "table", "op", "changes", "columns", "who", "reason"});
}

void StatPrinter::print(const TransactionStat& stat) {
  if (output_.format() == Format::json) return output_.json(to_json(stat));
  if (output_.format() == Format::csv) return print_csv(output_, stat);
  table_.row({{Label::id, std::to_string(stat.tx)},
              {Label::time, time_cell(output_, stat.from)},
              {Label::plain, grouped(stat.changes)},
              {Label::plain, what_was_done(stat)},
              {Label::person, list(stat.who)},
              {Label::reason, list(stat.reasons)}});
}

}  // namespace vestige::cli
