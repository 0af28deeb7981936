#include "vestige/trail/catalog.h"

#include <algorithm>

#include "vestige/base/letters.h"
#include "vestige/base/nearest.h"
#include "vestige/trail/listed_table.h"
#include "vestige/trail/source.h"

namespace vestige {
std::vector<Column> Shape::key() const {
  std::vector<Column> out;
  for (const Column& column : columns)
    if (column.key > 0) out.push_back(column);
  std::sort(out.begin(), out.end(),
            [](const Column& left, const Column& right) { return left.key < right.key; });
  return out;
}

std::vector<std::string> shown_names(const Shape& shape, const Shape& current) {
  std::vector<std::string> names;
  for (const Column& column : shape.columns) {
    std::string name = column.name;
    bool lives = false;
    bool taken = false;
    for (const Column& now : current.columns) {
      if (now.id == column.id) {
        name = now.name;
        lives = true;
      } else if (now.name == column.name) {
        taken = true;
      }
    }
    // A dropped column whose name another column has now.
    if (!lives && taken) name += fmt::format("~{}", column.id);
    names.push_back(std::move(name));
  }
  return names;
}

Result<void> require_readable(const Tracked& table) {
  if (table.shape.id != 0) return {};
  return hinted(
      fail(Fault::corrupt, "read table {}: its policy or its shape cannot be read", table.name),
      "vestige doctor");
}

Result<std::vector<Tracked>> tracked_tables(Database& db) {
  auto tables = TRY(source_of(db)->tables());
  for (const Tracked& table : tables) TRY(require_readable(table));
  return tables;
}

Result<std::optional<std::string>> meant_table(Database& db, const std::string& typed) {
  return source_of(db)->meant_table(typed);
}

Result<std::vector<std::string>> gaps(Database& db, std::int64_t table, std::int64_t upto) {
  return source_of(db)->gaps(table, upto);
}

Result<std::vector<Shape>> shapes(Database& db, std::int64_t table) {
  return source_of(db)->shapes(table);
}

Result<Tracked> tracked_table(Database& db, const std::string& typed) {
  Tracked table = TRY(listed_table(db, typed));
  TRY(require_readable(table));
  return table;
}

Result<Tracked> listed_table(Database& db, const std::string& typed) {
  const auto tables = TRY(source_of(db)->tables());
  const std::optional<std::string> meant = TRY(meant_table(db, typed));
  const std::string& name = meant.has_value() ? *meant : typed;
  for (const Tracked& table : tables)
    if (table.name == name) return table;
  if (!meant.has_value())
    for (const Tracked& table : tables)
      if (lower(table.name) == lower(name)) return table;
  std::vector<std::string> names;
  for (const Tracked& table : tables) names.push_back(table.name);
  auto missing = fail(Fault::missing, "find table {}: not tracked", name);
  const std::string near = meant.has_value() ? "" : nearest(name, names);
  return hinted(std::move(missing), near.empty() ? "vestige track " + name + " starts to record it"
                                                 : "did you mean " + near + "?");
}

Result<void> require_column(Database& db, const std::string& column,
                            const std::optional<Tracked>& only) {
  std::vector<std::string> names;
  for (const Tracked& table : TRY(tracked_tables(db))) {
    if (only.has_value() && table.id != only->id) continue;
    for (const Shape& shape : TRY(shapes(db, table.id)))
      for (std::string& name : shown_names(shape, table.shape)) {
        if (name == column) return {};
        names.push_back(std::move(name));
      }
  }
  const std::string near = nearest(column, names);
  return hinted(fail(Fault::missing, "find column {}: not recorded in {}, now or ever", column,
                     only.has_value() ? only->name : "any table"),
                near.empty() ? "vestige status --format json lists them"
                             : fmt::format("did you mean {}?", near));
}

}  // namespace vestige
