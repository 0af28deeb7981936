#include "vestige/trail/postgres/trail.h"

#include <algorithm>

#include "vestige/base/json.h"
#include "vestige/trail/postgres/names.h"

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
    shape.columns.push_back(std::move(column));
  }
  shape.at = rows.integer(first + 4);
  shape.note = rows.text(first + 5);
  shape.since = rows.integer(first + 6);
  return shape;
}

// The table that the trail shows under a name: its oid, since regclass asks of names for the right to use their schemas.
Result<std::optional<std::string>> standing(Database& db, const std::string& name) {
  const Reading read = shown(name);
  const Value known =
      TRY(scalar(db,
                 "select c.oid::text from pg_catalog.pg_class c"
                 " join pg_catalog.pg_namespace n on n.oid = c.relnamespace"
                 " where c.relkind in ('r', 'p', 'v', 'm', 'f') and n.nspname = ?1::text"
                 " and c.relname = ?2::text",
                 {Text{read.schema}, Text{read.table}}));
  if (!std::holds_alternative<Text>(known)) return std::optional<std::string>();
  return std::optional<std::string>(std::get<Text>(known).bytes);
}

// The same of a name as people write it, too.
Result<std::string> spelled(Database& db, const std::string& name) {
  if (auto known = TRY(standing(db, name)); known.has_value()) return *std::move(known);
  if (const auto meant = TRY(postgres::meant_table(db, name)); meant.has_value())
    if (auto known = TRY(standing(db, *meant)); known.has_value()) return *std::move(known);
  const std::string near = nearest(name, TRY(trackable_tables(db)));
  auto missing = fail(Fault::missing, "find table {}: there is none", name);
  return near.empty() ? Result<std::string>(missing)
                      : hinted(std::move(missing), "did you mean " + near + "?");
}

// Functions of the trail say themselves what was attempted.
template <class T>
Result<T> explained(Result<T> result) {
  constexpr std::string_view kAttempt = "run sql: ";
  if (result.has_value()) return result;
  Error error = std::move(result).error();
  for (const std::string_view verb : {"track ", "untrack ", "baseline of "})
    if (error.message.starts_with(std::string(kAttempt) + std::string(verb)))
      error.message.erase(0, kAttempt.size());
  return tl::unexpected<Error>(std::move(error));
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

namespace {

// All of them, or the one of an id.
Result<std::vector<Tracked>> tracked_tables(Database& db, std::optional<std::int64_t> id) {
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

}  // namespace

Result<std::vector<Tracked>> tracked_tables(Database& db) { return tracked_tables(db, {}); }

Result<std::vector<std::string>> gaps(Database& db, std::int64_t table, std::int64_t upto) {
  std::vector<std::string> said;
  auto rows =
      TRY(db.query("select g.message from vestige.gaps(?1::int) g where g.after_change >= ?2::int8"
                   " order by g.after_change, g.id",
                   {table, upto}));
  while (TRY(rows->next()) == Step::row) said.push_back(rows->text(0));
  return said;
}

Result<std::vector<Shape>> shapes(Database& db, std::int64_t table) {
  std::vector<Shape> out;
  auto rows =
      TRY(db.query(fmt::format("select {} from vestige.shape s where s.tracked = ?1 order by s.id",
                               shape_columns()),
                   {table}));
  while (TRY(rows->next()) == Step::row) out.push_back(TRY(read_shape(*rows, 0)));
  return out;
}

Result<std::vector<std::string>> trackable_tables(Database& db) {
  std::vector<std::string> names;
  auto rows = TRY(db.query(
      "select vestige.shown_name(n.nspname, c.relname) as shown"
      " from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace"
      " where c.relkind in ('r', 'p') and c.relpersistence <> 't' and not c.relispartition"
      " and n.nspname not in ('vestige', 'pg_catalog', 'information_schema')"
      " and pg_catalog.pg_has_role(c.relowner, 'usage')"
      " and not exists (select from pg_catalog.pg_depend d where d.classid ="
      " 'pg_catalog.pg_class'::regclass and d.objid = c.oid and d.deptype = 'e')"
      " order by vestige.shown_name(n.nspname, c.relname) collate \"C\""));
  while (TRY(rows->next()) == Step::row) names.push_back(rows->text(0));
  return names;
}

Result<LiveTable> live_table(Database& db, const std::string& name) {
  LiveTable table;
  table.name = name;
  auto rows =
      TRY(db.query("select l.name, l.type, l.virtual, coalesce(pg_catalog.array_position("
                   "vestige.key_columns(?1::regclass, '{}'), l.name), 0)"
                   " from vestige.live_columns(?1::regclass) l",
                   {Text{TRY(spelled(db, name))}}));
  while (TRY(rows->next()) == Step::row) {
    LiveColumn column;
    column.name = rows->text(0);
    column.type = rows->text(1);
    column.generated = rows->integer(2) != 0;
    column.primary_key = static_cast<int>(rows->integer(3));
    table.columns.push_back(std::move(column));
  }
  return table;
}

Result<Tracked> track(Database& db, const std::string& table, const Policy& policy) {
  const std::string name = TRY(spelled(db, table));
  const std::int64_t id =
      TRY(explained(scalar_integer(db, "select vestige.set_policy(?1::regclass, ?2::jsonb)",
                                   {Text{name}, Text{to_json(policy)}})));
  return TRY(tracked_tables(db, id)).at(0);
}

Result<std::int64_t> baseline(Database& db, std::int64_t table) {
  return explained(scalar_integer(db, "select vestige.baseline(?1::int)", {table}));
}

Result<void> untrack(Database& db, const std::string& table) {
  const Tracked known = TRY(tracked_table(db, table));
  if (known.untracked_at.has_value())
    return fail(Fault::missing, "untrack {}: it is not tracked any more", table);
  TRY(explained(db.run("select vestige.untrack_id(?1::int)", {known.id})));
  return {};
}

Result<std::int64_t> last_change_at(Database& db, std::int64_t micros) {
  return scalar_integer(db,
                        "select vestige.change_at(timestamptz 'epoch' + ?1::int8 *"
                        " interval '1 microsecond')",
                        {micros});
}

Result<Row> typed_key(Database& db, const Tracked& table, const std::vector<std::string>& words) {
  std::string list;
  Params params = {table.id};
  for (const std::string& word : words) {
    params.emplace_back(Text{word});
    list += fmt::format("{}?{}", list.empty() ? "" : ", ", params.size());
  }
  const auto text = scalar(
      db,
      fmt::format("select vestige.key_json(?1::int, vestige.key_text(?1::int, array[{}]::text[]))",
                  list),
      params);
  if (!text.has_value() && text.error().fault == Fault::invalid) {
    std::string_view cause = text.error().message;
    cause.remove_prefix(std::min(cause.find(": "), cause.size() - 2) + 2);  // "run sql: "
    return fail(Fault::invalid, "find a row of {}: {}", table.name, cause);
  }
  return row_of_tokens(to_json(TRY(text)));
}

}  // namespace vestige::postgres
