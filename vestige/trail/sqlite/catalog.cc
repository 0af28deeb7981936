#include "vestige/trail/sqlite/catalog.h"

#include <algorithm>

#include "vestige/base/json.h"
#include "vestige/base/letters.h"
#include "vestige/trail/sqlite/sql_text.h"
#include "vestige/trail/track.h"

namespace vestige::sqlite {
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
    columns.back().redacted = find(row, "redacted") != nullptr;
    columns.back().encrypted = text_in(row, "encrypted");
    columns.back().subject = find(row, "subject") != nullptr;
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

}  // namespace

std::string columns_json(const std::vector<Column>& columns) {
  std::string out = "[";
  for (const Column& column : columns) {
    if (out.size() > 1) out += ',';
    Row row = {{"id", column.id},
               {"name", Text{column.name}},
               {"key", static_cast<std::int64_t>(column.key)}};
    if (column.redacted) row.push_back({"redacted", Token{"true"}});
    if (!column.encrypted.empty()) row.push_back({"encrypted", Text{column.encrypted}});
    if (column.subject) row.push_back({"subject", Token{"true"}});
    out += to_json(row);
  }
  return out + "]";
}

Result<std::vector<Tracked>> read_tables(Database& db) {
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
    auto policy = policy_from_json(rows->text(2));
    if (policy.has_value()) table.policy = *policy;
    table.tracked_at = rows->integer(3) * 1000;
    if (!rows->is_null(4)) table.untracked_at = rows->integer(4) * 1000;
    if (auto shape = read_shape(*rows, 5); shape.has_value() && policy.has_value())
      table.shape = std::move(shape).take();
    tables.push_back(std::move(table));
  }
  return tables;
}

Result<std::vector<Shape>> read_shapes(Database& db, std::int64_t table, bool readable) {
  std::vector<Shape> out;
  auto rows =
      TRY(db.query(fmt::format("select {} from vestige_shape as s where s.tbl = ?1 order by s.id",
                               kShapeColumns),
                   {table}));
  while (TRY(rows->next()) == Step::row) {
    auto shape = read_shape(*rows, 0);
    if (readable && !shape.has_value()) continue;
    out.push_back(TRY(std::move(shape)));
  }
  return out;
}

Result<std::optional<std::string>> find_table(Database& db, const std::string& typed) {
  std::vector<std::string> names = TRY(trackable_tables(db));
  const auto trail =
      scalar_integer(db, "select count(*) from sqlite_schema where name = 'vestige_table'");
  if (TRY(trail) != 0)
    for (const Tracked& table : TRY(read_tables(db))) names.push_back(table.name);
  for (const std::string& wanted : {typed, unquoted_table(typed)}) {
    for (const std::string& name : names)
      if (name == wanted) return name;
    for (const std::string& name : names)
      if (lower(name) == lower(wanted)) return name;
  }
  return std::optional<std::string>();
}

}  // namespace vestige::sqlite
