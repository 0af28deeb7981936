// Keys as people type them, and as messages show them.
#include <algorithm>
#include <charconv>

#include "vestige/base/json.h"
#include "vestige/db/unregistered.h"
#include "vestige/trail/changes.h"
#include "vestige/trail/postgres/trail.h"
#include "vestige/trail/sqlite/decode.h"
#include "vestige/trail/sqlite/live_table.h"
#include "vestige/trail/sqlite/row_index.h"

namespace vestige {
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

// What was typed for each key column: a word names its column ("col=value") or fills the next one.
Result<std::vector<std::string>> typed_values(const Tracked& table,
                                              const std::vector<Column>& columns,
                                              const std::vector<std::string>& words) {
  std::string names;
  for (const Column& column : columns) names += (names.empty() ? "" : ", ") + column.name;
  const std::string hint =
      fmt::format("its key is {}, in this order, or each as column=value", names);
  const auto names_column = [](const std::string& word, const Column& column) {
    return word.starts_with(column.name + "=");
  };
  bool named = false;
  for (const std::string& word : words)
    for (const Column& column : columns) named = named || names_column(word, column);

  std::vector<std::optional<std::string>> typed(columns.size());
  for (const std::string& word : words) {
    std::size_t place = 0;
    while (place < columns.size() && !names_column(word, columns[place])) ++place;
    const bool names_one = place < columns.size();
    if (!names_one && named && word.find('=') != std::string::npos)
      return hinted(
          fail(Fault::invalid, "find a row of {}: '{}' names no key column", table.name, word),
          hint);
    if (!names_one)  // the next column that nobody named
      for (place = 0; place < columns.size(); ++place)
        if (!typed[place].has_value() &&
            std::none_of(words.begin(), words.end(), [&](const std::string& other) {
              return names_column(other, columns[place]);
            }))
          break;
    if (place == columns.size() || typed[place].has_value())
      return hinted(
          fail(Fault::invalid, "find a row of {}: '{}' is more than its key has", table.name, word),
          hint);
    typed[place] = names_one ? word.substr(columns[place].name.size() + 1) : word;
  }
  std::vector<std::string> out;
  for (std::size_t i = 0; i < columns.size(); ++i) {
    if (!typed[i].has_value())
      return hinted(fail(Fault::invalid, "find a row of {}: no value for the key column {}",
                         table.name, columns[i].name),
                    hint);
    out.push_back(*typed[i]);
  }
  return out;
}

bool has_column(const Shape& shape, std::string_view name) {
  return std::any_of(shape.columns.begin(), shape.columns.end(),
                     [&](const Column& column) { return column.name == name; });
}

constexpr std::string_view kRowId = "rowid=";

// Takes "rowid=7" out of the words, where a table's changes carry rowids.
Result<std::optional<std::int64_t>> take_row_id(const Tracked& table,
                                                std::vector<std::string>& words) {
  std::optional<std::int64_t> row_id;
  if (!table.shape.row_ids || has_column(table.shape, "rowid")) return row_id;
  const auto word = std::find_if(words.begin(), words.end(),
                                 [](const std::string& each) { return each.starts_with(kRowId); });
  if (word == words.end()) return row_id;
  const char* first = word->data() + kRowId.size();
  const char* last = word->data() + word->size();
  const auto [end, error] = std::from_chars(first, last, row_id.emplace());
  if (error != std::errc() || end != last)
    return fail(Fault::invalid, "find a row of {}: '{}': a rowid is a whole number", table.name,
                *word);
  words.erase(word);
  return row_id;
}

// Whether a row stands that has this key. Not known where only the application can read the table: then nothing stands.
Result<bool> has_row(Database& db, const LiveTable& live, const Row& key) {
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
  auto live = live_table(db, table.name);
  std::vector<std::vector<Value>> choices;
  bool stands = live.has_value();
  for (std::size_t i = 0; i < columns.size(); ++i) {
    const LiveColumn* column = live.has_value() ? live->find(columns[i].name) : nullptr;
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
      const LiveColumn* column = live.has_value() ? live->find(columns[i].name) : nullptr;
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

}  // namespace

std::string key_text(const RowName& name) {
  std::string out = key_text(name.key);
  if (name.row_id.has_value() && !tells_apart(name.key))
    out += fmt::format("{}rowid={}", out.empty() ? "" : ", ", *name.row_id);
  return out;
}

std::string key_text(const Row& key) {
  std::string out;
  for (const Field& field : key)
    out += fmt::format("{}{}={}", out.empty() ? "" : ", ", field.name, to_display(field.value));
  return out;
}

Result<RowName> parse_key(Database& db, const Tracked& table,
                          const std::vector<std::string>& given) {
  std::vector<std::string> words = given;
  RowName name;
  name.row_id = TRY(take_row_id(table, words));
  const auto columns = table.shape.key();
  if (columns.empty() && !(name.row_id.has_value() && words.empty()))
    return hinted(
        fail(Fault::invalid, "find a row of {}: it is tracked without a key", table.name),
        fmt::format("vestige log {} shows its changes{}; give it a primary key, or track it with"
                    " --key over a UNIQUE constraint",
                    table.name, table.shape.row_ids ? "; rowid=N names one of its rows" : ""));
  if (columns.empty()) return name;
  const auto typed = TRY(typed_values(table, columns, words));
  if (db.engine() == Engine::postgres) name.key = TRY(postgres::typed_key(db, table, typed));
  else name.key = TRY(read_key(db, table, columns, typed));
  if (name.row_id.has_value() && tells_apart(name.key))
    return hinted(fail(Fault::invalid, "find a row of {}: its key {} and a rowid too", table.name,
                       key_text(name.key)),
                  "rowid=N is for rows with a null in their key");
  return name;
}

}  // namespace vestige
