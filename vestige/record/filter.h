// Filter: which changes are meant, in the words that people type (grammar: docs/filter.md).
//
//   table:products op:update,delete who:ann -reason:"price list" since:7d old.price>100 refund
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "vestige/base/time.h"
#include "vestige/record/change.h"

namespace vestige {

/// A value of a condition. In quotes * and null are themselves.
struct FilterWord {
  std::string text;
  bool quoted = false;
  bool operator==(const FilterWord&) const = default;
};

enum class Comparison { equal, unequal, less, at_most, more, at_least };

/// One condition: any of its words will do.
struct Condition {
  std::string field;  // "table", "who", "old", …: one of filter_fields()
  std::string name;   // old, new: the column; context: the field; otherwise empty
  Comparison comparison = Comparison::equal;
  std::vector<FilterWord> words;
  std::vector<std::int64_t> numbers;  // id, tx: what the words say; since, until: microseconds
  bool negated = false;

  /// Words of which each means itself, and nothing else.
  bool plain() const;
};

/// Conditions that all hold; none: every change.
struct Filter {
  std::vector<Condition> conditions;
};

/// What is asked of a change's table, which the change itself does not say.
struct TableFacts {
  std::string classification;
  std::vector<std::string> tags;
};

/// The names of fields that a condition may have, for messages and completion.
const std::vector<std::string_view>& filter_fields();

/// Whether it asks what the signatures of contexts are worth, which a change does not say by itself (Change::signed_word).
bool asks_signed(const Filter& filter);

/// Reads a filter.
///
/// now      what ages and days count from, see parse_time
/// faults   invalid, with what to write instead
Result<Filter> parse_filter(std::string_view text, const Now& now);

/// A filter as text: parse_filter reads the same from it. Ages have become times.
std::string to_text(const Filter& filter);

/// Does a change meet every condition?
///
/// tables   by the names that changes carry; a table that is not there has neither tags nor a class
bool matches(const Filter& filter, const Change& change,
             const std::map<std::string, TableFacts>& tables);

/// The same for one condition.
bool matches(const Condition& condition, const Change& change,
             const std::map<std::string, TableFacts>& tables);

}  // namespace vestige
