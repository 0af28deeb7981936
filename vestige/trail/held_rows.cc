#include "vestige/trail/held_rows.h"

#include <algorithm>

#include "vestige/trail/changes.h"

namespace vestige {
namespace {

bool names_a_key(const Condition& one) {
  return one.field == "key" && one.comparison == Comparison::equal && !one.negated;
}

bool names_one(const FilterWord& word) {
  return word.quoted || word.text.find('*') == std::string::npos;
}

// What the conditions say of a table's key, as people type keys, a row each; nothing where they do not say all of it.
std::vector<std::vector<std::string>> keys_of(const Filter& filter, const Tracked& table) {
  std::vector<std::vector<std::string>> keys = {{}};
  for (const Column& column : table.shape.key()) {
    const auto said =
        std::find_if(filter.conditions.begin(), filter.conditions.end(), [&](const Condition& one) {
          return names_a_key(one) &&
                 (one.name == column.name || (one.name.empty() && table.shape.key().size() == 1));
        });
    if (said == filter.conditions.end()) return {};
    std::vector<std::vector<std::string>> longer;
    for (const auto& key : keys)
      for (const FilterWord& word : said->words) {
        if (!names_one(word)) continue;
        longer.push_back(key);
        longer.back().push_back(word.text);
      }
    keys = std::move(longer);
  }
  return keys;
}

}  // namespace

Result<HeldRows> HeldRows::of(Database& db, const Filter& filter, const HeldNames& names) {
  HeldRows out;
  for (const Condition& condition : filter.conditions) {
    if (condition.field != "table" || condition.negated) continue;
    for (const FilterWord& word : condition.words) {
      if (!names_one(word)) continue;
      for (const Tracked& table : names.named(word.text))
        for (const auto& key : keys_of(filter, table)) {
          const auto name = key.empty() ? RowName() : parse_key(db, table, key).value_or(RowName());
          if (name.key.empty()) continue;
          Selection selection;
          selection.table = table.id;
          selection.key = name.key;
          for (const std::int64_t id : TRY(change_ids(db, selection))) out.changes_.insert(id);
        }
    }
  }
  return out;
}

bool HeldRows::meets(const Condition& condition, std::int64_t change) const {
  return names_a_key(condition) && changes_.contains(change);
}

}  // namespace vestige
