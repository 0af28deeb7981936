// Subject: a change as rules see it: its names have values (docs/rules.md, "Names").
#pragma once

#include <map>
#include <string>
#include <vector>

#include "vestige/db/sqlite_expressions.h"
#include "vestige/record/change.h"
#include "vestige/record/filter.h"

namespace vestige {

/// The names that stand alone: op, table, key, at, actor, …
const std::vector<std::string>& subject_names();

/// Reads a name as expressions have it: "actor", "old.price", "context.tenant".
///
/// faults   invalid: nothing is known of it
Result<Reference> parse_reference(std::string_view text);

class Subject {
 public:
  /// Both outlive it.
  Subject(const Change& change, const TableFacts* facts) : change_(change), facts_(facts) {}
  Subject(const Subject&) = delete;
  Subject& operator=(const Subject&) = delete;
  ~Subject() = default;

  const Change& change() const { return change_; }

  /// nullptr: null. It lives as long as this.
  const Value* value(const Reference& reference);
  /// Of every reference, in their order; valid until the next call.
  std::span<const Value* const> values(const std::vector<Reference>& references);

  /// The values as a JSON object, the references under their names.
  std::string object(const std::vector<std::string>& names,
                     const std::vector<Reference>& references);

 private:
  const Value* made(const std::string& name);
  Value make(const std::string& name) const;
  bool changed(const std::string& column) const;

  const Change& change_;
  const TableFacts* facts_;
  std::map<std::string, Value, std::less<>> made_;
  std::vector<const Value*> given_;
};

/// The column's value before, or after, where the change has it; the key's columns too.
const Value* value_before(const Change& change, std::string_view column);
const Value* value_after(const Change& change, std::string_view column);

}  // namespace vestige
