// What the kinds of rules do with the changes that a rule selects: a class each, made by kind_of.
// Tests: engine_test.cc, windows_test.cc.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "vestige/base/zone.h"
#include "vestige/rules/kept.h"
#include "vestige/rules/message.h"
#include "vestige/rules/rule.h"
#include "vestige/rules/subject.h"

namespace vestige {

/// Something to be told.
struct Firing {
  std::int64_t first_index = 0;
  std::int64_t last_index = 0;
  std::int64_t at = 0;                // when it came to be, microseconds
  std::vector<std::int64_t> changes;  // their ids; of many the first hundred
  Message::More more = {};            // what the message can name
};

/// What a rule decides, and remembers from one change to the next. What it does is given by what it was given, nothing else: no
/// clock, no chance.
class Kind {
 public:
  Kind() = default;
  Kind(const Kind&) = delete;
  Kind& operator=(const Kind&) = delete;
  virtual ~Kind() = default;

  /// A change that the rule selects and whose condition holds, in a group.
  ///
  /// faults   invalid: an expression failed
  virtual Result<std::optional<Firing>> see(Subject& subject, const std::string& group) = 0;

  /// Every change, also of those that the rule does not select: time goes on. For `silent`.
  virtual std::optional<Firing> pass(std::int64_t /*at*/) { return std::nullopt; }

  virtual bool load(std::string_view /*name*/, std::string_view /*text*/) { return false; }
  virtual void take(std::vector<StatePart>& /*out*/) {}
};

/// faults   invalid: what the rule says of itself cannot be
Result<std::unique_ptr<Kind>> kind_of(const Rule& rule, Expressions& expressions,
                                      const TimeZone& zone);

/// The same for the kinds that keep windows, and those that keep rows; nullptr: another kind.
Result<std::unique_ptr<Kind>> window_kind(const Rule& rule, Expressions& expressions);
Result<std::unique_ptr<Kind>> row_kind(const Rule& rule);
Result<std::unique_ptr<Kind>> hours_kind(const Rule& rule, const TimeZone& zone);

/// Its index in the feed.
std::int64_t place_of(const Change& change);

/// A change alone.
Firing firing_of(const Change& change);

/// What messages of a kind can name besides: {count}, …
std::vector<std::string> more_names(RuleKind kind);
/// What an alert says where the rule does not.
std::string default_message(const Rule& rule);

/// The references by which names are found.
Result<std::vector<Reference>> references_of(const std::vector<std::string>& names);

}  // namespace vestige
