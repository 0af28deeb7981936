#include "vestige/trail/postgres/catalog.h"

#include "vestige/base/json.h"

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
  if (value == nullptr || !std::holds_alternative<Token>(*value))
    return fail(Fault::corrupt, "read a shape: a column without {}", name);
  return std::stoll(std::get<Token>(*value).text);
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
    table.policy = TRY(policy_from_json(to_json(rows->value(2))));
    table.tracked_at = rows->integer(3);
    if (!rows->is_null(4)) table.untracked_at = rows->integer(4);
    table.shape = TRY(read_shape(*rows, 5));
    table.shape.full = table.policy.full;
    tables.push_back(std::move(table));
  }
  return tables;
}

Result<std::vector<Shape>> read_shapes(Database& db, std::int64_t table) {
  std::vector<Shape> out;
  auto rows =
      TRY(db.query(fmt::format("select {} from vestige.shape s where s.tracked = ?1 order by s.id",
                               shape_columns()),
                   {table}));
  while (TRY(rows->next()) == Step::row) out.push_back(TRY(read_shape(*rows, 0)));
  return out;
}

}  // namespace vestige::postgres
