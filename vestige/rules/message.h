// Message: what an alert says, with the change's own words in it: "{table} {key}: price {old.price} → {new.price} ({pct}) by {who}".
// Test: message_test.cc.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "vestige/rules/subject.h"

namespace vestige {

/// A template; what stands in it comes from whoever changes rows, is cut to a length, and is printed as any value is.
class Message {
 public:
  /// text     {NAME} as in expressions; {delta.COLUMN}, {pct.COLUMN}: how much a number grew, in percent too; {pct} and {delta}
  ///          without a column: of the one that is meant; {{ and }} are brackets
  /// column   the one that is meant; empty: none is
  /// more     names that the rule's kind has besides: count, sum, rows
  /// faults   invalid
  static Result<Message> parse(std::string_view text, const std::string& column,
                               const std::vector<std::string>& more);

  using More = std::map<std::string, std::string, std::less<>>;
  std::string text(Subject& subject, const More& more) const;

 private:
  enum class Of { text, value, delta, pct, more };
  struct Part {
    Of of = Of::text;
    std::string text;
    Reference reference;
  };
  static Result<Part> named(const std::string& name, const std::string& column,
                            const std::vector<std::string>& more);
  std::vector<Part> parts_;
};

}  // namespace vestige
