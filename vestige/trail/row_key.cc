// Keys as people type them, and as messages show them.
#include <algorithm>
#include <charconv>

#include "vestige/trail/changes.h"
#include "vestige/trail/table_rows.h"

namespace vestige {
namespace {

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
  name.key = TRY(table_rows_of(db)->typed_key(table, typed));
  if (name.row_id.has_value() && tells_apart(name.key))
    return hinted(fail(Fault::invalid, "find a row of {}: its key {} and a rowid too", table.name,
                       key_text(name.key)),
                  "rowid=N is for rows with a null in their key");
  return name;
}

}  // namespace vestige
