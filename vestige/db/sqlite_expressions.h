// Expressions: what somebody wrote down to be asked of values, in SQLite's words, whichever database the values are of. They run in
// a database in memory that holds nothing: no table, no file, no loop without end (docs/rules.md, "Conditions").
// Test: sqlite_expressions_test.cc.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "vestige/record/value.h"

struct sqlite3;

namespace vestige {

/// A name in an expression, for which a value is given each time.
struct Reference {
  enum class Of { change, context, before, after, changed };
  Of of = Of::change;
  std::string name;  // "actor"; context.NAME, old.NAME, new.NAME, changed(NAME)
  bool operator==(const Reference&) const = default;
};

/// The text of an expression, with numbers in the place of its names. For this floor only.
struct RewrittenExpression {
  std::string sql;
  std::vector<Reference> references;  // ?1, ?2, …
  std::vector<Value> numerals;        // that stand in comparisons
};

/// One pass over SQLite's tokens: strings, quoted names and comments are what they are. Comparisons of names with names and numerals
/// become calls of vestige_compare, which compares every digit.
///
/// fields   the names that stand alone
/// faults   invalid: no expression, or a name that nothing is known of
Result<RewrittenExpression> rewrite_expression(std::string_view text,
                                               const std::vector<std::string>& fields);

/// A function that expressions may call; it must be one of its arguments alone.
struct ExpressionFunction {
  std::string name;
  int arguments = 1;
  Value (*call)(const void* with, std::span<const Value> given) = nullptr;
  const void* with = nullptr;  // outlives the expressions
};

class Expressions;

/// A compiled one; it must not outlive its Expressions.
class Expression {
 public:
  Expression(Expression&&) noexcept;
  Expression& operator=(Expression&&) noexcept;
  ~Expression();

  /// In this order values are given.
  const std::vector<Reference>& references() const;

  /// given    of each reference the value, nullptr: null
  /// faults   invalid: an error of SQLite, or more steps, or comparisons of bytes, than an expression may take
  /// cost     about a microsecond
  Result<Value> value(std::span<const Value* const> given) const;

 private:
  friend class Expressions;
  struct Parts;
  explicit Expression(std::unique_ptr<Parts> parts);
  std::unique_ptr<Parts> parts_;
};

/// Where expressions are compiled and run.
class Expressions {
 public:
  /// fields   the names that stand alone, see Reference::Of::change
  static Result<std::unique_ptr<Expressions>> open(
      std::vector<std::string> fields, const std::vector<ExpressionFunction>& functions);
  Expressions(const Expressions&) = delete;
  Expressions& operator=(const Expressions&) = delete;
  ~Expressions();

  /// truth    it gives 1 or 0 as WHERE would take it; null is 0
  /// faults   invalid: it is no expression, or asks for what is not to be had here
  Result<Expression> compile(std::string_view text, bool truth = true);

 private:
  friend class Expression;
  struct State;
  explicit Expressions(std::vector<std::string> fields);
  Result<void> lock_down();
  Result<void> bound(const char* name, int arguments);
  Result<void> add(const ExpressionFunction& function);

  std::vector<std::string> fields_;
  std::unique_ptr<State> state_;
};

}  // namespace vestige
