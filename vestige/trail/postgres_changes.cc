// Reading changes on PostgreSQL: the view vestige.changes, row by row.
#include "vestige/base/bytes.h"
#include "vestige/trail/postgres_trail.h"
#include "vestige/trail/selection.h"

namespace vestige::postgres {
namespace {

constexpr std::string_view kColumns =
    "v.id, (extract(epoch from v.at) * 1000000)::int8, v.op, v.\"table\", v.key, v.new_key,"
    " v.old_values, v.new_values, v.tx, v.context, v.db_user, v.shape, v.erased, v.erases";

Result<std::optional<Row>> optional_row(const Rows& rows, int column) {
  if (rows.is_null(column)) return std::optional<Row>();
  return std::optional<Row>(TRY(row_of_tokens(to_json(rows.value(column)))));
}

Result<Change> read_change(const Rows& rows) {
  Change change;
  change.id = rows.integer(0);
  change.at = rows.integer(1);
  change.op = TRY(op_from_name(rows.text(2)));
  change.table = rows.text(3);
  change.key = TRY(row_of_tokens(to_json(rows.value(4))));
  change.new_key = TRY(optional_row(rows, 5));
  change.old_values = TRY(optional_row(rows, 6));
  change.new_values = TRY(optional_row(rows, 7));
  change.tx = rows.integer(8);
  for (const Field& field : TRY(row_of_tokens(to_json(rows.value(9)))))
    change.context.set(field.name, std::holds_alternative<Text>(field.value)
                                       ? std::get<Text>(field.value).bytes
                                       : to_json(field.value));
  if (!rows.is_null(10)) change.db_user = rows.text(10);
  change.shape = rows.integer(11);
  if (!rows.is_null(12))
    for (const Field& field : TRY(row_of_tokens(to_json(rows.value(12))))) {
      const auto by = TRY(parse_decimal(to_json(field.value)));
      change.erased.push_back({field.name, static_cast<std::int64_t>(by)});
    }
  change.erases = rows.integer(13);
  return change;
}

class ReadChanges final : public Changes {
 public:
  explicit ReadChanges(std::unique_ptr<Rows> rows) : rows_(std::move(rows)) {}

  Result<std::optional<Change>> next() override {
    if (TRY(rows_->next()) == Step::end) return std::optional<Change>();
    return std::optional<Change>(TRY(read_change(*rows_)));
  }

 private:
  std::unique_ptr<Rows> rows_;
};

// The stored text of a key: SQL, over parameters that it binds.
std::string key_text(Where& where, std::int64_t table, const Row& key) {
  std::string list;
  for (const Field& field : key)
    list +=
        (list.empty() ? "" : ", ") + where.bind(std::holds_alternative<Token>(field.value)
                                                    ? Value(Text{std::get<Token>(field.value).text})
                                                    : field.value);
  return fmt::format("vestige.key_text({}::int, array[{}]::text[])", where.bind(table), list);
}

std::string moment(Where& where, std::int64_t micros) {
  return "timestamptz 'epoch' + " + where.bind(micros) + "::int8 * interval '1 microsecond'";
}

Result<std::unique_ptr<Changes>> run(Database& db, const Where& where, const Selection& selection) {
  // Without a condition in SQL that the seam does not know, LIMIT can stand in SQL too.
  const std::string limit = selection.limit > 0 && !selection.column.has_value()
                                ? fmt::format(" limit {}", selection.limit)
                                : "";
  auto rows =
      TRY(db.query(fmt::format("select {} from vestige.changes v{} order by v.id{}{}", kColumns,
                               where.sql, selection.oldest_first ? "" : " desc", limit),
                   where.values));
  return selected(std::unique_ptr<Changes>(new ReadChanges(std::move(rows))), selection);
}

}  // namespace

namespace {

Where where_of(const Selection& selection) {
  Where where;
  if (selection.table.has_value()) where.add("v.tracked = " + where.bind(*selection.table));
  if (selection.table.has_value() && !selection.key.empty()) {
    const std::string key = key_text(where, *selection.table, selection.key);
    where.add(fmt::format("v.id = any (array(select vestige.row_changes({}::int, {})))",
                          where.bind(*selection.table), key));
  }
  if (selection.tx.has_value()) {
    const std::string tx = where.bind(*selection.tx);
    where.add(
        fmt::format("v.tx = {} and v.context_id = any (array(select x.id from vestige.context x "
                    "where x.id >= {} and x.tx = {}))",
                    tx, tx, tx));
    where.add("v.id >= " + where.bind(*selection.tx));
  }
  if (selection.after.has_value()) where.add("v.id > " + where.bind(*selection.after));
  if (selection.upto.has_value()) where.add("v.id <= " + where.bind(*selection.upto));
  if (!selection.ids.empty()) {
    std::string list;
    for (const std::int64_t id : selection.ids) list += (list.empty() ? "" : ", ") + where.bind(id);
    where.add("v.id in (" + list + ")");
  }
  if (selection.since.has_value()) where.add("v.at >= " + moment(where, *selection.since));
  if (selection.until.has_value()) where.add("v.at < " + moment(where, *selection.until));
  if (selection.actor.has_value()) where.add("v.actor = " + where.bind(Text{*selection.actor}));
  if (selection.op.has_value())
    where.add("v.op = " + where.bind(Text{std::string(name(*selection.op))}));
  return where;
}

}  // namespace

Result<std::unique_ptr<Changes>> read_changes(Database& db, const Selection& selection) {
  return run(db, where_of(selection), selection);
}

Result<std::vector<std::int64_t>> change_ids(Database& db, const Selection& selection) {
  const Where where = where_of(selection);
  std::vector<std::int64_t> ids;
  auto rows = TRY(
      db.query("select v.id from vestige.changes v" + where.sql + " order by v.id", where.values));
  while (TRY(rows->next()) == Step::row) ids.push_back(rows->integer(0));
  return ids;
}

Result<std::unique_ptr<Changes>> key_changes(Database& db, std::int64_t table, const Row& key,
                                             std::int64_t after, std::int64_t upto,
                                             bool oldest_first) {
  Where where;
  Selection selection;
  selection.oldest_first = oldest_first;
  const std::string text = key_text(where, table, key);
  where.add(fmt::format("v.id = any (array(select vestige.key_changes({}::int, {})))",
                        where.bind(table), text));
  where.add(fmt::format("v.id > {} and v.id <= {}", where.bind(after), where.bind(upto)));
  return run(db, where, selection);
}

Result<std::optional<Row>> live_row(Database& db, const Tracked& table, const Row& key) {
  Where where;
  const std::string text = key_text(where, table.id, key);
  const Value row = TRY(
      scalar(db, fmt::format("select vestige.live_row({}::int, {})", where.bind(table.id), text),
             where.values));
  if (std::holds_alternative<Null>(row)) return std::optional<Row>();
  return std::optional<Row>(TRY(row_of_tokens(to_json(row))));
}

}  // namespace vestige::postgres
