#include "vestige/trail/postgres/catalog.h"

#include "vestige/base/json.h"
#include "vestige/base/number.h"

namespace vestige::postgres {
namespace {

// PostgreSQL's microseconds since 1970, of an SQL expression of type timestamptz.
std::string micros(std::string_view time) {
  return fmt::format("(extract(epoch from {}) * 1000000)::int8", time);
}

const std::string& shape_columns() {
  static const std::string columns =
      "s.id, s.tracked, vestige.shown_name(s.schema_name, s.table_name), s.columns, " +
      micros("s.at") + ", coalesce(s.note, ''), s.since";
  return columns;
}

Result<std::int64_t> integer_of(const Row& row, std::string_view name) {
  const Value* value = find(row, name);
  const auto* token = value == nullptr ? nullptr : std::get_if<Token>(value);
  const auto number = token == nullptr ? std::nullopt : whole_number<std::int64_t>(token->text);
  if (!number.has_value()) return fail(Fault::corrupt, "read a shape: a column without {}", name);
  return *number;
}

Result<Shape> read_shape(const Rows& rows, int first) {
  Shape shape;
  shape.id = rows.integer(first);
  shape.table = rows.integer(first + 1);
  shape.name = rows.text(first + 2);
  const std::string text = to_json(rows.value(first + 3));
  json::Reader list(text);
  TRY(list.open('['));
  while (TRY(list.more('[')) == 'y') {
    const json::Span item = TRY(list.value());
    const Row row = TRY(row_of_tokens(item.text));
    const Value* name = find(row, "name");
    if (name == nullptr || !std::holds_alternative<Text>(*name))
      return fail(Fault::corrupt, "read a shape: a column without {}", "name");
    Column column;
    column.id = TRY(integer_of(row, "id"));
    column.name = std::get<Text>(*name).bytes;
    column.key = static_cast<int>(TRY(integer_of(row, "key")));
    const std::int64_t left_out =
        find(row, "left_out") == nullptr ? 0 : TRY(integer_of(row, "left_out"));
    column.old_left_out = (left_out & 1) != 0;
    column.new_left_out = (left_out & 2) != 0;
    column.redacted = find(row, "redacted") != nullptr;
    if (const Value* of = find(row, "encrypted");
        of != nullptr && std::holds_alternative<Text>(*of))
      column.encrypted = std::get<Text>(*of).bytes;
    column.subject = find(row, "subject") != nullptr;
    shape.columns.push_back(std::move(column));
  }
  shape.at = rows.integer(first + 4);
  shape.note = rows.text(first + 5);
  shape.since = rows.integer(first + 6);
  return shape;
}

}  // namespace

Result<Row> row_of_tokens(std::string_view text) {
  Row row;
  json::Reader reader(text);
  TRY(reader.open('{'));
  while (TRY(reader.more('{')) == 'y') {
    const std::string name = TRY(reader.key());
    const json::Span value = TRY(reader.value());
    switch (value.kind) {
      case json::Kind::null: row.push_back({name, Null{}}); break;
      case json::Kind::string: {
        Text bytes = {.bytes = TRY(json::unquote(value.text))};
        row.push_back({name, std::move(bytes)});
        break;
      }
      default: row.push_back({name, Token{std::string(value.text)}});
    }
  }
  TRY(reader.end());
  return row;
}

Result<bool> has_function(Database& db, const std::string& function) {
  constexpr std::string_view kByName =
      "select count(*) from pg_catalog.pg_proc where proname = ?1 and"
      " pronamespace = pg_catalog.to_regnamespace('vestige')";
  constexpr std::string_view kByArguments =
      "select count(*) from pg_catalog.pg_proc where oid = pg_catalog.to_regprocedure(?1)";
  const bool typed = function.find('(') != std::string::npos;
  return TRY(scalar_integer(db, typed ? kByArguments : kByName,
                            {Text{typed ? "vestige." + function : function}})) != 0;
}

Result<std::vector<Tracked>> read_tables(Database& db, std::optional<std::int64_t> id) {
  std::vector<Tracked> tables;
  auto rows = TRY(db.query(
      fmt::format(
          "select t.id, vestige.shown_name(t.schema_name, t.table_name), t.policy, {}, {}, {}"
          " from vestige.tracked t join vestige.shape s on s.id = t.shape"
          " where ?1::int is null or t.id = ?1::int"
          " order by t.untracked_at is not null,"
          " vestige.shown_name(t.schema_name, t.table_name) collate \"C\", t.id",
          micros("t.tracked_at"), micros("t.untracked_at"), shape_columns()),
      {id.has_value() ? Value(*id) : Value(Null{})}));
  while (TRY(rows->next()) == Step::row) {
    Tracked table;
    table.id = rows->integer(0);
    table.name = rows->text(1);
    auto policy = policy_from_json(to_json(rows->value(2)));
    if (policy.has_value()) table.policy = *policy;
    table.tracked_at = rows->integer(3);
    if (!rows->is_null(4)) table.untracked_at = rows->integer(4);
    if (auto shape = read_shape(*rows, 5); shape.has_value() && policy.has_value())
      table.shape = std::move(shape).take();
    table.shape.full = table.policy.full;
    tables.push_back(std::move(table));
  }
  return tables;
}

Result<std::vector<Shape>> read_shapes(Database& db, std::int64_t table, bool readable) {
  std::vector<Shape> out;
  auto rows =
      TRY(db.query(fmt::format("select {} from vestige.shape s where s.tracked = ?1 order by s.id",
                               shape_columns()),
                   {table}));
  while (TRY(rows->next()) == Step::row) {
    auto shape = read_shape(*rows, 0);
    if (readable && !shape.has_value()) continue;
    out.push_back(TRY(std::move(shape)));
  }
  return out;
}

}  // namespace vestige::postgres
