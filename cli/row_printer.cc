#include "cli/row_printer.h"

#include "cli/change_text.h"

namespace vestige::cli {
namespace {

std::vector<Heading> headings(const std::vector<std::string>& columns) {
  std::vector<Heading> all;
  for (const std::string& column : columns) all.push_back({.name = column, .elastic = true});
  return all;
}

}  // namespace

RowPrinter::RowPrinter(Output& output, std::vector<std::string> columns)
    : output_(output), columns_(std::move(columns)), table_(output, headings(columns_)) {
  if (output_.format() != Format::csv) return;
  std::vector<std::string> fields;
  for (const std::string& column : columns_) fields.push_back(csv_text(column));
  output_.csv(fields);
}

bool RowPrinter::fits(const Row& row) const { return column_names(row) == columns_; }

void RowPrinter::row(const Row& row) {
  if (output_.format() == Format::json) return output_.json(to_json(row));
  std::vector<Piece> cells;
  std::vector<std::string> fields;
  for (const std::string& column : columns_) {
    const Value* value = find(row, column);
    if (output_.format() == Format::csv) {
      fields.push_back(value == nullptr ? "" : csv_field(*value));
    } else {
      const bool absent = value == nullptr || std::holds_alternative<Null>(*value);
      cells.push_back(
          {absent ? Label::faint : Label::plain, value == nullptr ? "" : value_text(*value)});
    }
  }
  if (output_.format() == Format::csv) output_.csv(fields);
  else table_.row(std::move(cells));
}

std::vector<std::string> column_names(const Row& row) {
  std::vector<std::string> names;
  for (const Field& field : row) names.push_back(field.name);
  return names;
}

}  // namespace vestige::cli
