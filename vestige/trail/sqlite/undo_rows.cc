// The rows that undoing reads and writes, one statement each.
#include <algorithm>

#include "vestige/trail/sqlite/undo.h"

namespace vestige::sqlite {

Statement& Undo::where(Statement& statement, const Place& place, const Row& key,
                       const std::optional<std::int64_t>& row_id) const {
  statement.add(" where ");
  if (key.empty()) return statement.add(place.live.row_id).add(" = ").value(*row_id);
  bool first = true;
  if (!tells_apart(key) && row_id.has_value()) {
    statement.add(place.live.row_id).add(" = ").value(*row_id);
    first = false;
  }
  for (const Field& field : key) {
    if (!std::exchange(first, false)) statement.add(" and ");
    statement.name(field.name).add(" is ").value(field.value);
  }
  return statement;
}

Result<std::optional<Row>> Undo::read(const Place& place, const Row& key,
                                      const std::optional<std::int64_t>& row_id) const {
  std::string columns;
  std::vector<std::string> found;
  for (const Column& column : place.table.shape.columns) {
    if (place.live.find(column.name) == nullptr) continue;
    found.push_back(column.name);
    columns += (columns.empty() ? "" : ", ") + db_.quote_name(column.name);
  }
  std::string where;
  Params values;
  if (key.empty() || (!tells_apart(key) && row_id.has_value())) {
    values.emplace_back(row_id.has_value() ? Value(*row_id) : Value(Null{}));
    where = place.live.row_id + " = ?1";
  }
  for (const Field& field : key) {
    if (place.live.find(field.name) == nullptr) return std::optional<Row>();
    values.push_back(field.value);
    where += fmt::format("{}{} is ?{}", where.empty() ? "" : " and ", db_.quote_name(field.name),
                         values.size());
  }
  auto rows = TRY(db_.query(
      fmt::format("select {} from {} where {}", columns, db_.quote_name(place.live.name), where),
      values));
  if (TRY(rows->next()) == Step::end) return std::optional<Row>();
  Row row;
  for (std::size_t i = 0; i < found.size(); ++i)
    row.push_back({found[i], rows->value(static_cast<int>(i))});
  return std::optional<Row>(std::move(row));
}

Result<void> Undo::run(const Statement& statement) {
  if (options_.patch != nullptr) TRY(options_.patch->statement(statement.text()));
  TRY(statement.run());
  return {};
}

void Undo::note(const std::string& text) {
  if (std::find(outcome_.notes.begin(), outcome_.notes.end(), text) == outcome_.notes.end())
    outcome_.notes.push_back(text);
}

bool Undo::restorable(const Place& place, const std::string& column) {
  const SqliteColumn* live = place.live.find(column);
  if (live == nullptr) {
    note(
        fmt::format("{}: column {} is not in the table any more, its value stays in the trail only",
                    place.table.name, column));
    return false;
  }
  return !live->generated;
}

Result<void> Undo::insert(const Place& place, const Row& values,
                          std::optional<std::int64_t> row_id) {
  for (const SqliteColumn& column : place.live.columns)
    if (!column.generated && find(values, column.name) == nullptr)
      note(fmt::format("{}: column {} is not recorded, it cannot be restored and has its default",
                       place.table.name, column.name));
  if (row_id.has_value()) {
    const bool taken =
        TRY(scalar_integer(db_,
                           fmt::format("select exists (select 1 from {} where {} = ?1)",
                                       db_.quote_name(place.live.name), place.live.row_id),
                           {*row_id})) != 0;
    if (taken) row_id.reset();
  }
  Statement statement(db_);
  statement.add("insert into ").name(place.live.name).add(" (");
  std::vector<const Field*> fields;
  for (const Field& field : values)
    if (restorable(place, field.name)) fields.push_back(&field);
  bool first = true;
  if (row_id.has_value()) {
    statement.add(place.live.row_id);
    first = false;
  }
  for (const Field* field : fields) {
    if (!std::exchange(first, false)) statement.add(", ");
    statement.name(field->name);
  }
  statement.add(") values (");
  first = true;
  if (row_id.has_value()) {
    statement.value(*row_id);
    first = false;
  }
  for (const Field* field : fields) {
    if (!std::exchange(first, false)) statement.add(", ");
    statement.value(field->value);
  }
  outcome_.tables.insert(place.table.name);
  return run(statement.add(")"));
}

Result<void> Undo::update(const Place& place, const Row& key,
                          const std::optional<std::int64_t>& row_id, const Row& values) {
  Statement statement(db_);
  statement.add("update ").name(place.live.name).add(" set ");
  bool first = true;
  for (const Field& field : values) {
    if (!restorable(place, field.name)) continue;
    if (!std::exchange(first, false)) statement.add(", ");
    statement.name(field.name).add(" = ").value(field.value);
  }
  if (first) return {};
  outcome_.tables.insert(place.table.name);
  return run(where(statement, place, key, row_id));
}

Result<void> Undo::remove(const Place& place, const Row& key,
                          const std::optional<std::int64_t>& row_id) {
  Statement statement(db_);
  statement.add("delete from ").name(place.live.name);
  outcome_.tables.insert(place.table.name);
  return run(where(statement, place, key, row_id));
}

}  // namespace vestige::sqlite
