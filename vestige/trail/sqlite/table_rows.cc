#include "vestige/trail/table_rows.h"

#include <charconv>
#include <limits>

#include "vestige/base/json.h"
#include "vestige/db/unregistered.h"
#include "vestige/trail/sqlite/decode.h"
#include "vestige/trail/sqlite/live_table.h"
#include "vestige/trail/sqlite/row_index.h"
#include "vestige/trail/sqlite/trail.h"

namespace vestige::sqlite {
namespace {

// The classes that a typed word may have in a column of this affinity, likeliest first.
std::vector<Value> readings(const std::string& word, Affinity affinity) {
  std::vector<Value> out;
  if (word.size() >= 3 && (word[0] == 'x' || word[0] == 'X') && word[1] == '\'' &&
      word.back() == '\'') {
    if (auto bytes = json::from_hex(std::string_view(word).substr(2, word.size() - 3));
        bytes.has_value())
      out.emplace_back(Blob{*bytes});
  }
  if (affinity != Affinity::text) {
    const char* last = word.data() + word.size();
    std::int64_t integer = 0;
    double real = 0;
    if (const auto [end, error] = std::from_chars(word.data(), last, integer);
        error == std::errc() && end == last)
      out.emplace_back(affinity == Affinity::real ? Value(static_cast<double>(integer))
                                                  : Value(integer));
    else if (const auto [stop, wrong] = std::from_chars(word.data(), last, real);
             wrong == std::errc() && stop == last)
      out.emplace_back(real);
  }
  if (word == "null") out.emplace_back(Null{});
  if (word.size() >= 2 && word.front() == '\'' && word.back() == '\'')
    out.emplace_back(Text{word.substr(1, word.size() - 2)});
  out.emplace_back(Text{word});
  return out;
}

// Whether a row stands that has this key. Not known where only the application can read the table: then nothing stands.
Result<bool> has_row(Database& db, const SqliteTable& live, const Row& key) {
  Result<std::int64_t> found;
  for (const std::string_view collation : {"", " collate binary"}) {
    std::string where;
    Params values;
    for (const Field& field : key) {
      values.push_back(field.value);
      where += fmt::format("{}{} is ?{}{}", where.empty() ? "" : " and ", db.quote_name(field.name),
                           values.size(), collation);
    }
    found = scalar_integer(
        db,
        fmt::format("select exists (select 1 from {} where {})", db.quote_name(live.name), where),
        values);
    if (found.has_value() || !unregistered(found.error()).has_value())
      return TRY(std::move(found)) != 0;
  }
  return false;
}

// The key of what was typed: the class that a value has in the rows decides; where nothing is known, the
// likeliest.
Result<Row> read_key(Database& db, const Tracked& table, const std::vector<Column>& columns,
                     const std::vector<std::string>& typed) {
  auto live = read_table(db, table.name);
  std::vector<std::vector<Value>> choices;
  bool stands = live.has_value();
  for (std::size_t i = 0; i < columns.size(); ++i) {
    const SqliteColumn* column = live.has_value() ? live->find(columns[i].name) : nullptr;
    stands = stands && live->find(columns[i].name) != nullptr;
    choices.push_back(readings(typed[i], column == nullptr ? Affinity::none : column->affinity));
  }
  Row likeliest;
  std::vector<std::size_t> pick(columns.size(), 0);
  while (true) {
    Row key;
    for (std::size_t i = 0; i < columns.size(); ++i)
      key.push_back({columns[i].name, choices[i][pick[i]]});
    if (likeliest.empty()) likeliest = key;
    const Value stored = TRY(stored_key(db, key));
    if (stands && TRY(has_row(db, *live, key))) return key;
    if (!std::holds_alternative<Null>(stored) &&
        TRY(scalar_integer(db, "select exists (" + row_changes("?1", "?2") + ")",
                           {table.id, stored})) != 0)
      return key;
    std::size_t i = 0;
    while (i < pick.size() && ++pick[i] == choices[i].size()) pick[i++] = 0;
    if (i != pick.size()) continue;
    // No row has it, and none ever had: then a word where only numbers belong is a slip.
    for (i = 0; i < columns.size(); ++i) {
      const SqliteColumn* column = live.has_value() ? live->find(columns[i].name) : nullptr;
      const bool number = column != nullptr && (column->affinity == Affinity::integer ||
                                                column->affinity == Affinity::real);
      const bool only_a_word = choices[i].size() == 1;
      if (number && only_a_word)
        return fail(Fault::invalid, "find a row of {}: '{}' is not of the type of {}, {}",
                    table.name, typed[i], columns[i].name, column->type);
    }
    return likeliest;
  }
}

class SqliteTableRows final : public TableRows {
 public:
  explicit SqliteTableRows(Database& db) : db_(db) {}

  Result<Row> typed_key(const Tracked& table, const std::vector<std::string>& words) override {
    return read_key(db_, table, table.shape.key(), words);
  }

  Result<std::set<std::int64_t>> row_ids(const Tracked& table, const Row& key,
                                         std::size_t most) override {
    std::set<std::int64_t> found;
    auto changes = TRY(key_changes(db_, table, {key, std::nullopt}, 0,
                                   std::numeric_limits<std::int64_t>::max(), false));
    while (found.size() <= most) {
      const auto change = TRY(changes->next());
      if (!change.has_value()) break;
      if (change->row_id.has_value()) found.insert(*change->row_id);
    }
    auto live = read_table(db_, table.name);
    if (!live.has_value() || live->row_id.empty())
      return found;  // gone: then the trail alone knows
    Params values;
    std::string sql =
        fmt::format("select {} from {} where true", live->row_id, db_.quote_name(live->name));
    for (const Field& field : key) {
      if (live->find(field.name) == nullptr) return found;
      values.push_back(field.value);
      sql += fmt::format(" and {} is ?{}", db_.quote_name(field.name), values.size());
    }
    auto rows = TRY(db_.query(sql, values));
    while (found.size() <= most && TRY(rows->next()) == Step::row) found.insert(rows->integer(0));
    return found;
  }

  Result<std::optional<Row>> live_row(const Tracked& table, const RowName& name) override {
    const Row& key = name.key;
    auto live = read_table(db_, table.name);
    if (!live.has_value()) {
      if (live.error().fault == Fault::missing) return std::optional<Row>();
      return tl::unexpected<Error>(std::move(live).error());
    }
    std::string columns;
    std::vector<std::string> names;
    for (const Column& column : table.shape.columns) {
      if (live->find(column.name) == nullptr) continue;
      names.push_back(column.name);
      columns += (columns.empty() ? "" : ", ") + db_.quote_name(column.name);
    }
    std::string where;
    Params values;
    for (const Field& field : key) {
      if (live->find(field.name) == nullptr) return std::optional<Row>();
      values.push_back(field.value);
      where += fmt::format("{}{} is ?{} collate binary", where.empty() ? "" : " and ",
                           db_.quote_name(field.name), values.size());
    }
    if (!tells_apart(key)) {
      if (!name.row_id.has_value() || live->row_id.empty()) return std::optional<Row>();
      values.emplace_back(*name.row_id);
      where += fmt::format("{}{} = ?{}", where.empty() ? "" : " and ", live->row_id, values.size());
    }
    // The comparison without a collation lets the index find the row; the other makes it exact.
    std::string search;
    for (std::size_t i = 0; i < key.size(); ++i)
      search += fmt::format("{} is ?{} and ", db_.quote_name(key[i].name), i + 1);
    // Without the collation, which only the application may have, SQLite looks at every row.
    const std::string from =
        fmt::format("select {} from {} where ", columns, db_.quote_name(live->name));
    auto found = db_.query(from + search + where + " limit 2", values);
    if (!found.has_value() && unregistered(found.error()).has_value())
      if (auto sought = db_.query(from + where + " limit 2", values); sought.has_value())
        found = std::move(sought);
    auto rows = TRY(std::move(found));
    if (TRY(rows->next()) == Step::end) return std::optional<Row>();
    Row row;
    for (std::size_t i = 0; i < names.size(); ++i)
      row.push_back({names[i], rows->value(static_cast<int>(i))});
    if (TRY(rows->next()) == Step::row)
      return fail(Fault::corrupt, "read {} {}: more than one row has this key", table.name,
                  key_text(name));
    return std::optional<Row>(std::move(row));
  }

 private:
  Database& db_;
};

}  // namespace

std::unique_ptr<TableRows> table_rows(Database& db) {
  return std::make_unique<SqliteTableRows>(db);
}

}  // namespace vestige::sqlite
