#include "cli/row_printer.h"

#include <algorithm>

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

bool RowPrinter::fits(const Row& row) const {
  return std::equal(row.begin(), row.end(), columns_.begin(), columns_.end(),
                    [](const Field& field, const std::string& name) { return field.name == name; });
}

void RowPrinter::row(const Row& row) {
  if (output_.format() == Format::json) return output_.json(to_json(row));
  // By place where the columns agree: a query may give two of them one name.
  const bool fitting = fits(row);
  const auto value = [&](std::size_t i) {
    return fitting ? &row[i].value : find(row, columns_[i]);
  };
  if (output_.format() == Format::csv) {
    std::vector<std::string> fields;
    for (std::size_t i = 0; i < columns_.size(); ++i)
      fields.push_back(value(i) == nullptr ? "" : csv_field(*value(i)));
    return output_.csv(fields);
  }
  std::vector<Piece> cells;
  for (std::size_t i = 0; i < columns_.size(); ++i) {
    const bool absent = value(i) == nullptr;
    const bool faint = absent || std::holds_alternative<Null>(*value(i));
    cells.push_back({faint ? Label::faint : Label::plain, absent ? "" : value_text(*value(i))});
  }
  table_.row(std::move(cells));
}

std::vector<std::string> column_names(const Row& row) {
  std::vector<std::string> names;
  for (const Field& field : row) names.push_back(field.name);
  return names;
}

}  // namespace vestige::cli
