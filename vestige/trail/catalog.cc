#include "vestige/trail/catalog.h"

#include <algorithm>
#include <map>

#include "vestige/base/json.h"
#include "vestige/trail/postgres/names.h"
#include "vestige/trail/postgres/trail.h"
#include "vestige/trail/sqlite/sql_text.h"
#include "vestige/trail/track.h"

namespace vestige {
namespace {

constexpr std::string_view kShapeColumns =
    "s.id, s.tbl, s.name, s.columns, s.full_capture, s.row_ids, s.at, s.since, s.note";

Result<std::vector<Column>> columns_from_json(std::string_view text) {
  std::vector<Column> columns;
  json::Reader list(text);
  TRY(list.open('['));
  while (TRY(list.more('[')) == 'y') {
    const Row row = TRY(row_from_json(TRY(list.value()).text));
    const Value* id = find(row, "id");
    const Value* name = find(row, "name");
    const Value* key = find(row, "key");
    if (id == nullptr || name == nullptr || key == nullptr ||
        !std::holds_alternative<std::int64_t>(*id) || !std::holds_alternative<Text>(*name) ||
        !std::holds_alternative<std::int64_t>(*key))
      return fail(Fault::corrupt, "read a shape: a column without id, name or key");
    columns.push_back({std::get<std::int64_t>(*id), std::get<Text>(*name).bytes,
                       static_cast<int>(std::get<std::int64_t>(*key))});
  }
  return columns;
}

// Columns `first`… of a query that selects kShapeColumns.
Result<Shape> read_shape(const Rows& rows, int first) {
  Shape shape;
  shape.id = rows.integer(first);
  shape.table = rows.integer(first + 1);
  shape.name = rows.text(first + 2);
  shape.columns = TRY(columns_from_json(rows.text(first + 3)));
  shape.full = rows.integer(first + 4) != 0;
  shape.row_ids = rows.integer(first + 5) != 0;
  shape.at = rows.integer(first + 6) * 1000;
  shape.since = rows.integer(first + 7);
  shape.note = rows.text(first + 8);
  return shape;
}

std::string lower(std::string_view text) {
  std::string out(text);
  std::transform(out.begin(), out.end(), out.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return out;
}

// Edits (insert, delete, replace, swap of neighbours) from one word to another.
std::size_t distance(const std::string& from, const std::string& to) {
  std::vector<std::vector<std::size_t>> best(from.size() + 1,
                                             std::vector<std::size_t>(to.size() + 1));
  for (std::size_t i = 0; i <= from.size(); ++i) best[i][0] = i;
  for (std::size_t j = 0; j <= to.size(); ++j) best[0][j] = j;
  for (std::size_t i = 1; i <= from.size(); ++i)
    for (std::size_t j = 1; j <= to.size(); ++j) {
      best[i][j] = std::min({best[i - 1][j] + 1, best[i][j - 1] + 1,
                             best[i - 1][j - 1] + (from[i - 1] == to[j - 1] ? 0 : 1)});
      if (i > 1 && j > 1 && from[i - 1] == to[j - 2] && from[i - 2] == to[j - 1])
        best[i][j] = std::min(best[i][j], best[i - 2][j - 2] + 1);
    }
  return best[from.size()][to.size()];
}

}  // namespace

std::vector<Column> Shape::key() const {
  std::vector<Column> out;
  for (const Column& column : columns)
    if (column.key > 0) out.push_back(column);
  std::sort(out.begin(), out.end(),
            [](const Column& left, const Column& right) { return left.key < right.key; });
  return out;
}

std::string nearest(const std::string& typed, const std::vector<std::string>& names) {
  std::string best;
  std::size_t least = typed.size() / 3 + 2;
  for (const std::string& name : names) {
    const std::size_t edits = distance(lower(typed), lower(name));
    if (edits >= least) continue;
    least = edits;
    best = name;
  }
  return best;
}

Result<std::vector<Tracked>> tracked_tables(Database& db) {
  if (db.engine() == Engine::postgres) return postgres::tracked_tables(db);
  std::vector<Tracked> tables;
  auto rows = TRY(db.query(fmt::format(
      "select t.id, t.name, t.policy, t.tracked_at, t.untracked_at, {} from vestige_table as t"
      " join vestige_shape as s on s.id = t.shape"
      " order by t.untracked_at is not null, t.name, t.id",
      kShapeColumns)));
  while (TRY(rows->next()) == Step::row) {
    Tracked table;
    table.id = rows->integer(0);
    table.name = rows->text(1);
    table.policy = TRY(policy_from_json(rows->text(2)));
    table.tracked_at = rows->integer(3) * 1000;
    if (!rows->is_null(4)) table.untracked_at = rows->integer(4) * 1000;
    table.shape = TRY(read_shape(*rows, 5));
    tables.push_back(std::move(table));
  }
  return tables;
}

Result<std::vector<std::string>> gaps(Database& db, std::int64_t table, std::int64_t upto) {
  if (db.engine() == Engine::postgres) return postgres::gaps(db, table, upto);
  return std::vector<std::string>();
}

Result<std::optional<std::string>> meant_table(Database& db, const std::string& typed) {
  if (db.engine() == Engine::postgres) return postgres::meant_table(db, typed);
  std::vector<std::string> names = TRY(trackable_tables(db));
  const auto trail =
      scalar_integer(db, "select count(*) from sqlite_schema where name = 'vestige_table'");
  if (TRY(trail) != 0)
    for (const Tracked& table : TRY(tracked_tables(db))) names.push_back(table.name);
  for (const std::string& wanted : {typed, unquoted_table(typed)}) {
    for (const std::string& name : names)
      if (name == wanted) return name;
    for (const std::string& name : names)
      if (lower(name) == lower(wanted)) return name;
  }
  return std::optional<std::string>();
}

Result<Tracked> tracked_table(Database& db, const std::string& typed) {
  const auto tables = TRY(tracked_tables(db));
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

Result<std::vector<Shape>> shapes(Database& db, std::int64_t table) {
  if (db.engine() == Engine::postgres) return postgres::shapes(db, table);
  std::vector<Shape> out;
  auto rows =
      TRY(db.query(fmt::format("select {} from vestige_shape as s where s.tbl = ?1 order by s.id",
                               kShapeColumns),
                   {table}));
  while (TRY(rows->next()) == Step::row) out.push_back(TRY(read_shape(*rows, 0)));
  return out;
}

}  // namespace vestige
