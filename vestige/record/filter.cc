// What the conditions of a filter mean.
#include "vestige/record/filter.h"

#include <algorithm>

#include "vestige/base/decimal.h"
#include "vestige/base/letters.h"
#include "vestige/base/pattern.h"

namespace vestige {
namespace {

using Tables = std::map<std::string, TableFacts>;

bool same_letter(char left, char right) { return lower(left) == lower(right); }

bool contains(std::string_view text, std::string_view part) {
  return std::search(text.begin(), text.end(), part.begin(), part.end(), same_letter) != text.end();
}

bool fits(std::string_view text, const FilterWord& word) {
  return word.quoted ? text == word.text : fits_pattern(text, word.text);
}

bool any_fits(std::string_view text, const Condition& condition) {
  return std::any_of(condition.words.begin(), condition.words.end(),
                     [&](const FilterWord& word) { return fits(text, word); });
}

bool any_within(std::string_view text, const Condition& condition) {
  return std::any_of(condition.words.begin(), condition.words.end(), [&](const FilterWord& word) {
    return word.text == "*" || contains(text, word.text);
  });
}

// A value as people see it: the text of a text, also where the database's values are JSON tokens.
std::string shown(const Value& value) {
  const Token* token = std::get_if<Token>(&value);
  if (token == nullptr || !token->text.starts_with('"')) return to_display(value);
  const auto text = value_from_json(token->text);
  return text.has_value() ? to_display(*text) : token->text;
}

bool is_text(const Value& value) {
  const Token* token = std::get_if<Token>(&value);
  return std::holds_alternative<Text>(value) || (token != nullptr && token->text.starts_with('"'));
}

bool holds(Comparison comparison, int order) {
  switch (comparison) {
    case Comparison::equal: return order == 0;
    case Comparison::unequal: return order != 0;
    case Comparison::less: return order < 0;
    case Comparison::at_most: return order <= 0;
    case Comparison::more: return order > 0;
    case Comparison::at_least: return order >= 0;
  }
  return false;
}

bool is_equality(Comparison comparison) {
  return comparison == Comparison::equal || comparison == Comparison::unequal;
}

// A recorded value against a word: as numbers where both are, otherwise letter by letter.
bool compares(Comparison comparison, const Value& value, const FilterWord& word) {
  if (is_equality(comparison)) {
    const bool wanted = comparison == Comparison::equal;
    if (!word.quoted && word.text == "null") return is_null(value) == wanted;
    if (!word.quoted && word.text.find('*') != std::string::npos)
      return (word.text == "*" || (!is_null(value) && fits_pattern(shown(value), word.text))) ==
             wanted;
  }
  if (is_null(value)) return comparison == Comparison::unequal;
  const std::string text = shown(value);
  if (!word.quoted)
    if (const auto order = compare_numbers(text, word.text); order.has_value())
      return holds(comparison, *order);
  // A text has no order among numbers, nor has what is no text among letters: 5 is not less than "abc".
  const bool number = !word.quoted && compare_numbers(word.text, "0").has_value();
  if (!is_equality(comparison) && (number || !is_text(value))) return false;
  return holds(comparison, text.compare(word.text));
}

bool value_matches(const Condition& condition, const std::optional<Row>& values) {
  const Value* value = values.has_value() ? find(*values, condition.name) : nullptr;
  if (value == nullptr) return false;
  const auto one = [&](const FilterWord& word) {
    return compares(condition.comparison, *value, word);
  };
  // "Unequal to any of these" would be true of everything.
  return condition.comparison == Comparison::unequal
             ? std::all_of(condition.words.begin(), condition.words.end(), one)
             : std::any_of(condition.words.begin(), condition.words.end(), one);
}

template <class Check>
bool any_field(const Row& row, const Check& check) {
  return std::any_of(row.begin(), row.end(), check);
}

template <class Check>
bool any_field(const std::optional<Row>& row, const Check& check) {
  return row.has_value() && any_field(*row, check);
}

bool key_matches(const Condition& condition, const Change& change) {
  if (!condition.name.empty())
    return value_matches(condition, change.key) || value_matches(condition, change.new_key);
  const auto one = [&](const Field& field) {
    return std::any_of(condition.words.begin(), condition.words.end(), [&](const FilterWord& word) {
      return compares(Comparison::equal, field.value, word);
    });
  };
  return any_field(change.key, one) || any_field(change.new_key, one);
}

bool text_matches(const Condition& condition, const Change& change) {
  const auto one = [&](const Field& field) { return any_within(shown(field.value), condition); };
  const auto& said = change.context.fields();
  return any_field(change.key, one) || any_field(change.new_key, one) ||
         any_field(change.old_values, one) || any_field(change.new_values, one) ||
         (change.db_user.has_value() && any_within(*change.db_user, condition)) ||
         std::any_of(said.begin(), said.end(),
                     [&](const auto& field) { return any_within(field.second, condition); });
}

// How often a text stands in the values of a row; with `only`, in those of its columns.
std::size_t times_in(const std::string& text, const std::optional<Row>& row, const Row* only) {
  std::size_t times = 0;
  if (!row.has_value() || text.empty()) return times;
  for (const Field& field : *row) {
    if (only != nullptr && find(*only, field.name) == nullptr) continue;
    const std::string value = shown(field.value);
    for (std::size_t at = 0; (at = value.find(text, at)) != value.npos; at += text.size()) ++times;
  }
  return times;
}

// A text came into a value or went out of it. Of an UPDATE that recorded every new value, only what changed counts.
bool moved(const Condition& condition, const Change& change) {
  const Row* changed =
      change.op == Op::update && change.old_values.has_value() ? &*change.old_values : nullptr;
  return std::any_of(condition.words.begin(), condition.words.end(), [&](const FilterWord& word) {
    if (!word.quoted && word.text == "*")
      return change.old_values.has_value() || change.new_values.has_value();
    return times_in(word.text, change.old_values, changed) !=
           times_in(word.text, change.new_values, changed);
  });
}

bool has(const std::vector<std::int64_t>& numbers, std::int64_t number) {
  return std::find(numbers.begin(), numbers.end(), number) != numbers.end();
}

bool fact_matches(const Condition& condition, const Change& change, const Tables& tables) {
  const auto facts = tables.find(change.table);
  if (facts == tables.end()) return false;
  if (condition.field == "class")
    return !facts->second.classification.empty() &&
           any_fits(facts->second.classification, condition);
  return std::any_of(facts->second.tags.begin(), facts->second.tags.end(),
                     [&](const std::string& tag) { return any_fits(tag, condition); });
}

// yes and no are about those that can be checked: of what was erased nobody knows.
bool signed_matches(const Condition& condition, std::string_view word) {
  return std::any_of(condition.words.begin(), condition.words.end(), [&](const FilterWord& asked) {
    if (asked.text == "yes") return is_well_signed(word);
    if (asked.text == "no") return !word.empty() && word != "erased" && !is_well_signed(word);
    return word == asked.text || (asked.text == "*" && word != "unsigned");
  });
}

bool context_matches(const Condition& condition, const std::string* said) {
  if (said == nullptr) return false;
  return condition.field == "reason" ? any_within(*said, condition) : any_fits(*said, condition);
}

bool holds(const Condition& condition, const Change& change, const Tables& tables) {
  const std::string& field = condition.field;
  if (field == "table") return any_fits(change.table, condition);
  if (field == "key") return key_matches(condition, change);
  if (field == "op")
    return std::any_of(condition.words.begin(), condition.words.end(), [&](const FilterWord& word) {
      const auto op = op_from_name(word.text);
      return word.text == "*" || (op.has_value() && *op == change.op);
    });
  if (field == "column") {
    const auto one = [&](const Field& value) { return any_fits(value.name, condition); };
    return any_field(change.old_values, one) || any_field(change.new_values, one);
  }
  if (field == "who") return context_matches(condition, change.who());
  if (field == "db_user") return change.db_user.has_value() && any_fits(*change.db_user, condition);
  if (field == "since")
    return change.at >= *std::min_element(condition.numbers.begin(), condition.numbers.end());
  if (field == "until")
    return change.at < *std::max_element(condition.numbers.begin(), condition.numbers.end());
  if (field == "tx") return has(condition.numbers, change.tx);
  if (field == "id") return has(condition.numbers, change.id);
  if (field == "tag" || field == "class") return fact_matches(condition, change, tables);
  if (field == "old") return value_matches(condition, change.old_values);
  if (field == "new") return value_matches(condition, change.new_values);
  if (field == "text") return text_matches(condition, change);
  if (field == "value") return moved(condition, change);
  if (field == "signed") return signed_matches(condition, change.signed_word);
  return context_matches(condition,
                         change.context.get(field == "context" ? condition.name : field));
}

}  // namespace

bool Condition::plain() const {
  return std::all_of(words.begin(), words.end(), [](const FilterWord& word) {
    return word.quoted || word.text.find('*') == std::string::npos;
  });
}

bool asks_signed(const Filter& filter) {
  return std::any_of(filter.conditions.begin(), filter.conditions.end(),
                     [](const Condition& condition) { return condition.field == "signed"; });
}

bool matches(const Condition& condition, const Change& change, const Tables& tables) {
  return holds(condition, change, tables) != condition.negated;
}

bool matches(const Filter& filter, const Change& change, const Tables& tables) {
  return std::all_of(
      filter.conditions.begin(), filter.conditions.end(),
      [&](const Condition& condition) { return matches(condition, change, tables); });
}

}  // namespace vestige
