#include "vestige/trail/table_rows.h"

#include <algorithm>

#include "vestige/trail/postgres/catalog.h"
#include "vestige/trail/postgres/keys.h"
#include "vestige/trail/postgres/trail.h"

namespace vestige::postgres {
namespace {

class PostgresTableRows final : public TableRows {
 public:
  explicit PostgresTableRows(Database& db) : db_(db) {}

  Result<Row> typed_key(const Tracked& table, const std::vector<std::string>& words) override {
    std::string list;
    Params params = {table.id};
    for (const std::string& word : words) {
      params.emplace_back(Text{word});
      list += fmt::format("{}?{}", list.empty() ? "" : ", ", params.size());
    }
    const auto text = scalar(
        db_,
        fmt::format(
            "select vestige.key_json(?1::int, vestige.key_text(?1::int, array[{}]::text[]))", list),
        params);
    if (!text.has_value() && text.error().fault == Fault::invalid) {
      std::string_view cause = text.error().message;
      cause.remove_prefix(std::min(cause.find(": "), cause.size() - 2) + 2);  // "run sql: "
      return fail(Fault::invalid, "find a row of {}: {}", table.name, cause);
    }
    return row_of_tokens(to_json(TRY(text)));
  }

  Result<std::set<std::int64_t>> row_ids(const Tracked&, const Row&, std::size_t) override {
    return std::set<std::int64_t>();
  }

  Result<std::optional<Row>> live_row(const Tracked& table, const RowName& name) override {
    Where where;
    const std::string text = stored_key(where, table.id, name.key);
    const Value row = TRY(
        scalar(db_, fmt::format("select vestige.live_row({}::int, {})", where.bind(table.id), text),
               where.values));
    if (std::holds_alternative<Null>(row)) return std::optional<Row>();
    return std::optional<Row>(TRY(row_of_tokens(to_json(row))));
  }

 private:
  Database& db_;
};

}  // namespace

// The stored text of a key: SQL, over parameters that it binds.
std::string stored_key(Where& where, std::int64_t table, const Row& key) {
  std::string list;
  for (const Field& field : key)
    list +=
        (list.empty() ? "" : ", ") + where.bind(std::holds_alternative<Token>(field.value)
                                                    ? Value(Text{std::get<Token>(field.value).text})
                                                    : field.value);
  return fmt::format("vestige.key_text({}::int, array[{}]::text[])", where.bind(table), list);
}

std::unique_ptr<TableRows> table_rows(Database& db) {
  return std::make_unique<PostgresTableRows>(db);
}

}  // namespace vestige::postgres
