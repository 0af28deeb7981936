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
  const bool fitting = fits(row);  // then by place: a query may give two columns one name
  std::vector<Piece> cells;
  std::vector<std::string> fields;
  for (std::size_t i = 0; i < columns_.size(); ++i) {
    const Value* value = fitting ? &row[i].value : find(row, columns_[i]);
    const bool null = value == nullptr || std::holds_alternative<Null>(*value);
    fields.push_back(null ? "" : csv_field(*value));
    cells.push_back(
        {null ? Label::faint : Label::plain, value == nullptr ? "" : value_text(*value)});
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
