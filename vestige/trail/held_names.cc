#include "vestige/trail/held_names.h"

#include <algorithm>
#include <array>
#include <limits>

namespace vestige {
namespace {

bool is_any(std::string_view field, std::initializer_list<std::string_view> of) {
  return std::find(of.begin(), of.end(), field) != of.end();
}

std::string_view symbol(Comparison comparison) {
  constexpr std::array<std::string_view, 6> kSymbols = {"=", "!=", "<", "<=", ">", ">="};
  return kSymbols.at(static_cast<std::size_t>(comparison));
}

}  // namespace

bool can_tell(const Condition& condition, const Change& change) {
  const std::string& field = condition.field;
  if (is_any(field, {"since", "until", "op", "id", "tx", "db_user", "table"})) return true;
  if (is_any(field, {"signed", "tag", "class"}) || !change.unreadable.empty()) return false;
  const bool has_key = !change.erased_by("key").has_value();
  const bool has_values = !change.erased_by("values").has_value();
  const bool has_context = !change.erased_by("context").has_value();
  if (field == "key") return has_key;
  if (is_any(field, {"old", "new", "value", "column"})) return has_values;
  if (field == "text") return has_key && has_values && has_context;
  return has_context;
}

Result<HeldNames> HeldNames::of(Database& db) {
  HeldNames out;
  for (const Tracked& table : TRY(tracked_tables(db))) {
    Table& own = out.tables_[table.name];
    own.tables.push_back(table);
    out.by_id_[table.id] = table.name;
    for (const Shape& shape : TRY(shapes(db, table.id))) {
      std::int64_t& since = own.names.try_emplace(shape.name, shape.since).first->second;
      since = std::min(since, shape.since);
      out.by_shape_[shape.id] = table.name;
      for (const Column& column : shape.columns) own.columns.try_emplace(column.name, false);
    }
    own.names.try_emplace(table.name, 0);
    for (const Column& column : table.shape.columns) own.columns[column.name] = true;
  }
  return out;
}

std::vector<Tracked> HeldNames::named(const std::string& name) const {
  std::vector<Tracked> out;
  for (const auto& [today, own] : tables_)
    if (own.names.contains(name)) out.insert(out.end(), own.tables.begin(), own.tables.end());
  return out;
}

std::string HeldNames::today(std::int64_t table) const {
  const auto found = by_id_.find(table);
  return found == by_id_.end() ? "" : found->second;
}

bool HeldNames::had_name(const Condition& condition, const std::string& table,
                         std::int64_t before) const {
  const auto own = tables_.find(table);
  return own != tables_.end() &&
         std::any_of(own->second.names.begin(), own->second.names.end(), [&](const auto& name) {
           Change named;
           named.table = name.first;
           return name.second < before && matches(condition, named, {});
         });
}

const std::string& HeldNames::table_of(const Change& change) const {
  const auto shape = by_shape_.find(change.shape);
  return shape == by_shape_.end() ? change.table : shape->second;
}

bool HeldNames::renamed(const std::string& column, const std::string& table) const {
  const auto own = tables_.find(table);
  if (own == tables_.end()) return false;
  const auto found = own->second.columns.find(column);
  return found != own->second.columns.end() && !found->second;
}

bool HeldNames::may_meet(const Condition& condition, const Change& change) const {
  if (!can_tell(condition, change)) return true;
  const std::string& table = table_of(change);
  if (condition.field == "table")
    return !knows(table) || had_name(condition, table, std::numeric_limits<std::int64_t>::max());
  if (is_any(condition.field, {"key", "old", "new"}) && renamed(condition.name, table)) return true;
  if (condition.field == "column" &&
      std::any_of(condition.words.begin(), condition.words.end(),
                  [&](const FilterWord& word) { return renamed(word.text, table); }))
    return true;
  return matches(condition, change, {});
}

Result<Filter> held_filter(Database& db, Filter filter) {
  for (Condition& condition : filter.conditions) {
    if (is_any(condition.field, {"tag", "class"}))
      return hinted(
          fail(Fault::invalid, "place a hold by {}: a policy changes which tables those are",
               condition.field),
          "name the tables: table:orders,customers");
    if (condition.field == "signed")
      return hinted(
          fail(Fault::invalid, "place a hold by signed: a file says whose signatures count"),
          "name who or what it is about: who:ann, table:orders");
    if (condition.field != "table") continue;
    for (FilterWord& word : condition.words)
      if (word.quoted || word.text.find('*') == std::string::npos)
        word = {TRY(tracked_table(db, word.text)).name, true};
  }
  return filter;
}

std::string conditions_json(const Filter& filter) {
  std::string out;
  for (const Condition& condition : filter.conditions) {
    std::string words;
    for (const FilterWord& word : condition.words)
      words += fmt::format(R"({}{{"text":{},"quoted":{}}})", words.empty() ? "" : ",",
                           text_json(word.text), word.quoted);
    out += fmt::format(
        R"({}{{"field":{},"name":{},"comparison":"{}","words":[{}],"numbers":[{}],"negated":{}}})",
        out.empty() ? "" : ",", text_json(condition.field), text_json(condition.name),
        symbol(condition.comparison), words, fmt::join(condition.numbers, ","), condition.negated);
  }
  return "[" + out + "]";
}

}  // namespace vestige
