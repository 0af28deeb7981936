#include "vestige/db/sqlite_expressions.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstdlib>
#include <optional>

#include "vestige/base/decimal.h"
#include "vestige/base/letters.h"
#include "vestige/db/sqlite_api.h"
#include "vestige/db/sqlite_values.h"

namespace vestige {
namespace {

constexpr int kLongest = 64 << 20;  // bytes of a value, given or made
constexpr int kSteps = 100'000;     // of SQLite's machine, for one value
constexpr int kStepsAtOnce = 1000;
constexpr std::int64_t kCompared = 1'000'000'000;  // bytes with bytes, for one value

// Of SQLite's own functions: what is the same each time, and reads nothing but its arguments.
constexpr std::array<std::string_view, 40> kListed = {
    "->",         "->>",    "abs",          "avg",       "ceil",
    "ceiling",    "char",   "coalesce",     "count",     "floor",
    "glob",       "hex",    "ifnull",       "iif",       "instr",
    "json",       "length", "json_extract", "json_type", "json_array_length",
    "json_valid", "like",   "lower",        "ltrim",     "max",
    "min",        "nullif", "quote",        "replace",   "round",
    "rtrim",      "sign",   "substr",       "substring", "sum",
    "trim",       "typeof", "total",        "unicode",   "upper"};

// Those of them that may compare each byte of one argument with each of another, in one step of the machine.
struct Costly {
  const char* name;
  int arguments;
};
constexpr std::array<Costly, 8> kCostly = {{{"instr", 2},
                                            {"replace", 3},
                                            {"trim", 2},
                                            {"ltrim", 2},
                                            {"rtrim", 2},
                                            {"like", 2},
                                            {"like", 3},
                                            {"glob", 2}}};

// A value as SQLite computes with it: numbers of other databases as integers where they are some, else as doubles.
Value computable(const Token& token) {
  if (token.text == "true") return std::int64_t{1};
  if (token.text == "false") return std::int64_t{0};
  if (token.text == "null") return Null{};
  if (!compare_numbers(token.text, "0").has_value()) return Text{token.text};
  std::int64_t integer = 0;
  const char* end = token.text.data() + token.text.size();
  const auto whole = std::from_chars(token.text.data(), end, integer);
  if (whole.ec == std::errc() && whole.ptr == end) return integer;
  return std::strtod(token.text.c_str(), nullptr);
}

// The value outlives the run.
int bind_one(sqlite3_stmt* statement, int place, const Value& value) {
  if (const auto* integer = std::get_if<std::int64_t>(&value))
    return sqlite3_bind_int64(statement, place, *integer);
  if (const auto* real = std::get_if<double>(&value))
    return sqlite3_bind_double(statement, place, *real);
  if (const auto* text = std::get_if<Text>(&value))
    return sqlite3_bind_text64(statement, place, text->bytes.data(), text->bytes.size(),
                               SQLITE_STATIC, SQLITE_UTF8);
  if (const auto* blob = std::get_if<Blob>(&value))
    return blob->bytes.empty() ? sqlite3_bind_zeroblob(statement, place, 0)
                               : sqlite3_bind_blob64(statement, place, blob->bytes.data(),
                                                     blob->bytes.size(), SQLITE_STATIC);
  if (const auto* token = std::get_if<Token>(&value)) {
    const Value plain = computable(*token);
    if (!std::holds_alternative<Text>(plain)) return bind_one(statement, place, plain);
    return sqlite3_bind_text64(statement, place, token->text.data(), token->text.size(),
                               SQLITE_STATIC, SQLITE_UTF8);
  }
  return sqlite3_bind_null(statement, place);
}

int place_in_order(const Value& value) {
  if (std::holds_alternative<Text>(value)) return 1;
  return std::holds_alternative<Blob>(value) ? 2 : 0;
}

int compare_plain(const Value& left, const Value& right) {
  if (const int order = place_in_order(left) - place_in_order(right); order != 0) return order;
  if (const auto* text = std::get_if<Text>(&left))
    return text->bytes.compare(std::get<Text>(right).bytes);
  if (const auto* blob = std::get_if<Blob>(&left))
    return blob->bytes.compare(std::get<Blob>(right).bytes);
  const auto real = [](const Value& value) {
    const auto* integer = std::get_if<std::int64_t>(&value);
    return integer != nullptr ? static_cast<double>(*integer) : std::get<double>(value);
  };
  return real(left) < real(right) ? -1 : real(left) > real(right) ? 1 : 0;
}

// As SQLite orders values, and numbers by all of their digits; nothing: one of them is null.
std::optional<int> compare(const Value* left, const Value* right) {
  if (left == nullptr || right == nullptr || std::holds_alternative<Null>(*left) ||
      std::holds_alternative<Null>(*right))
    return std::nullopt;
  const auto* one = std::get_if<std::int64_t>(left);
  const auto* other = std::get_if<std::int64_t>(right);
  if (one != nullptr && other != nullptr) return *one < *other ? -1 : *one > *other ? 1 : 0;
  const auto digits = numeral(*left);
  const auto others = numeral(*right);
  if (digits.has_value() && others.has_value())
    if (const auto exact = compare_numbers(*digits, *others); exact.has_value()) return exact;
  const auto plain = [](const Value& value) {
    const auto* token = std::get_if<Token>(&value);
    return token != nullptr ? computable(*token) : value;
  };
  const Value a = plain(*left);
  const Value b = plain(*right);
  if (std::holds_alternative<Null>(a) || std::holds_alternative<Null>(b)) return std::nullopt;
  return compare_plain(a, b);
}

int allow(void* own_functions, int action, const char*, const char* name, const char*,
          const char*) {
  if (action == SQLITE_SELECT) return SQLITE_OK;
  if (action != SQLITE_FUNCTION || name == nullptr) return SQLITE_DENY;
  const std::string function = lower(name);
  const auto& own = *static_cast<const std::vector<std::string>*>(own_functions);
  return std::find(kListed.begin(), kListed.end(), function) != kListed.end() ||
                 std::find(own.begin(), own.end(), function) != own.end()
             ? SQLITE_OK
             : SQLITE_DENY;
}

}  // namespace

struct Expressions::State {
  // One of kCostly as SQLite has it, where it is called once it is known to end soon.
  struct Original {
    State* state = nullptr;
    const char* name = "";
    SqliteStatement statement;
    static void call(sqlite3_context* to, int count, sqlite3_value** values);
  };

  SqliteHandle originals_handle;
  std::vector<std::unique_ptr<Original>> originals;
  SqliteHandle handle;
  std::vector<std::string> own;  // functions
  std::vector<std::unique_ptr<ExpressionFunction>> functions;
  // Of the value that is asked for now:
  int steps = 0;
  std::int64_t compared = 0;
  std::span<const Value* const> given;
  const std::vector<Value>* numerals = nullptr;

  const Value* operand(int place) const {
    const auto above = static_cast<std::size_t>(place);
    const auto below = static_cast<std::size_t>(-(place + 1));
    if (place >= 0) return above < given.size() ? given[above] : nullptr;
    return below < numerals->size() ? &(*numerals)[below] : nullptr;
  }
};

struct Expression::Parts {
  Expressions::State* state = nullptr;
  SqliteStatement statement;
  RewrittenExpression rewritten;
};

Expression::Expression(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}
Expression::Expression(Expression&&) noexcept = default;
Expression& Expression::operator=(Expression&&) noexcept = default;
Expression::~Expression() = default;

const std::vector<Reference>& Expression::references() const {
  return parts_->rewritten.references;
}

Result<Value> Expression::value(std::span<const Value* const> given) const {
  Expressions::State& state = *parts_->state;
  sqlite3_stmt* statement = parts_->statement.get();
  state.steps = 0;
  state.compared = 0;
  state.given = given;
  state.numerals = &parts_->rewritten.numerals;
  static const Value nothing = Null{};
  const auto failed = [&] {
    const std::string why = sqlite3_errcode(state.handle.get()) == SQLITE_INTERRUPT
                                ? fmt::format("more than {} steps", kSteps)
                                : sqlite3_errmsg(state.handle.get());
    sqlite3_reset(statement);
    return fail(Fault::invalid, "evaluate: {}", why);
  };
  // What only stands in comparisons is no parameter.
  const auto bound = static_cast<std::size_t>(sqlite3_bind_parameter_count(statement));
  for (std::size_t i = 0; i < std::min(given.size(), bound); ++i)
    if (bind_one(statement, static_cast<int>(i) + 1, given[i] == nullptr ? nothing : *given[i]) !=
        SQLITE_OK)
      return failed();
  if (sqlite3_step(statement) != SQLITE_ROW) return failed();
  Value value = value_of(sqlite3_column_value(statement, 0));
  sqlite3_reset(statement);
  return value;
}

Expressions::Expressions(std::vector<std::string> fields)
    : fields_(std::move(fields)), state_(std::make_unique<State>()) {}
Expressions::~Expressions() = default;

Result<std::unique_ptr<Expressions>> Expressions::open(
    std::vector<std::string> fields, const std::vector<ExpressionFunction>& functions) {
  std::unique_ptr<Expressions> all(new Expressions(std::move(fields)));
  for (auto* handle : {&all->state_->originals_handle, &all->state_->handle}) {
    sqlite3* raw = nullptr;
    const int code =
        sqlite3_open_v2(":memory:", &raw,
                        SQLITE_OPEN_READWRITE | SQLITE_OPEN_MEMORY | SQLITE_OPEN_NOMUTEX, nullptr);
    handle->reset(raw);
    if (code != SQLITE_OK)
      return fail(Fault::internal, "open a database for expressions: {}", sqlite3_errstr(code));
  }
  TRY(all->lock_down());
  for (const ExpressionFunction& one : functions) TRY(all->add(one));
  return all;
}

Result<void> Expressions::lock_down() {
  sqlite3* handle = state_->handle.get();
  constexpr std::array<std::pair<int, int>, 9> kLimits = {{{SQLITE_LIMIT_LENGTH, kLongest},
                                                           {SQLITE_LIMIT_SQL_LENGTH, 100'000},
                                                           {SQLITE_LIMIT_COLUMN, 100},
                                                           {SQLITE_LIMIT_EXPR_DEPTH, 200},
                                                           {SQLITE_LIMIT_COMPOUND_SELECT, 20},
                                                           {SQLITE_LIMIT_VDBE_OP, 100'000},
                                                           {SQLITE_LIMIT_ATTACHED, 0},
                                                           {SQLITE_LIMIT_LIKE_PATTERN_LENGTH, 200},
                                                           {SQLITE_LIMIT_WORKER_THREADS, 0}}};
  sqlite3* originals = state_->originals_handle.get();
  for (const auto& [limit, most] : kLimits) {
    sqlite3_limit(handle, limit, most);
    sqlite3_limit(originals, limit, most);
  }
  for (const Costly& one : kCostly) TRY(bound(one.name, one.arguments));
  // "price" in quotes is a name, and nothing else.
  sqlite3_db_config(handle, SQLITE_DBCONFIG_DQS_DML, 0, nullptr);
  sqlite3_db_config(handle, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, nullptr);
  sqlite3_progress_handler(
      handle, kStepsAtOnce,
      [](void* state) {
        return static_cast<int>((static_cast<State*>(state)->steps += kStepsAtOnce) > kSteps);
      },
      state_.get());
  state_->own.emplace_back("vestige_compare");
  const int made = sqlite3_create_function_v2(
      handle, "vestige_compare", 2, SQLITE_UTF8, state_.get(),
      [](sqlite3_context* to, int, sqlite3_value** places) {
        const auto& state = *static_cast<const State*>(sqlite3_user_data(to));
        const auto order = compare(state.operand(sqlite3_value_int(places[0])),
                                   state.operand(sqlite3_value_int(places[1])));
        if (order.has_value()) sqlite3_result_int(to, *order);
      },
      nullptr, nullptr, nullptr);
  sqlite3_set_authorizer(handle, allow, &state_->own);
  if (made != SQLITE_OK)
    return fail(Fault::internal, "prepare expressions: {}", sqlite3_errmsg(handle));
  return {};
}

void Expressions::State::Original::call(sqlite3_context* to, int count, sqlite3_value** values) {
  auto& original = *static_cast<Original*>(sqlite3_user_data(to));
  sqlite3_stmt* statement = original.statement.get();
  std::int64_t& compared = original.state->compared;
  compared += std::int64_t{sqlite3_value_bytes(values[0])} * sqlite3_value_bytes(values[1]);
  if (compared > kCompared) {
    const std::string why =
        fmt::format("more than {} comparisons of bytes in {}()", kCompared, original.name);
    return sqlite3_result_error(to, why.c_str(), -1);
  }
  bool good = true;
  for (int i = 0; i < count; ++i)
    good = good && sqlite3_bind_value(statement, i + 1, values[i]) == SQLITE_OK;
  if (good && sqlite3_step(statement) == SQLITE_ROW)
    sqlite3_result_value(to, sqlite3_column_value(statement, 0));
  else sqlite3_result_error(to, sqlite3_errmsg(sqlite3_db_handle(statement)), -1);
  sqlite3_reset(statement);
  sqlite3_clear_bindings(statement);
}

// Puts a count before one of SQLite's functions.
Result<void> Expressions::bound(const char* name, int arguments) {
  auto original = std::make_unique<State::Original>();
  original->state = state_.get();
  original->name = name;
  const std::string sql = fmt::format(
      "select {}({})", name,
      std::string_view("?, ?, ?").substr(0, 3 * static_cast<std::size_t>(arguments) - 2));
  sqlite3_stmt* raw = nullptr;
  int code = sqlite3_prepare_v3(state_->originals_handle.get(), sql.c_str(), -1,
                                SQLITE_PREPARE_PERSISTENT, &raw, nullptr);
  original->statement.reset(raw);
  if (code == SQLITE_OK)
    code = sqlite3_create_function_v2(state_->handle.get(), name, arguments,
                                      SQLITE_UTF8 | SQLITE_DETERMINISTIC, original.get(),
                                      &State::Original::call, nullptr, nullptr, nullptr);
  state_->originals.push_back(std::move(original));
  if (code != SQLITE_OK)
    return fail(Fault::internal, "prepare {}() for expressions: {}", name, sqlite3_errstr(code));
  return {};
}

Result<void> Expressions::add(const ExpressionFunction& function) {
  state_->own.push_back(function.name);
  state_->functions.push_back(std::make_unique<ExpressionFunction>(function));
  const int made = sqlite3_create_function_v2(
      state_->handle.get(), function.name.c_str(), function.arguments,
      SQLITE_UTF8 | SQLITE_DETERMINISTIC, state_->functions.back().get(),
      [](sqlite3_context* to, int count, sqlite3_value** values) {
        const auto& own = *static_cast<const ExpressionFunction*>(sqlite3_user_data(to));
        std::vector<Value> given;
        for (int i = 0; i < count; ++i) given.push_back(value_of(values[i]));
        give(to, own.call(own.with, given));
      },
      nullptr, nullptr, nullptr);
  if (made != SQLITE_OK)
    return fail(Fault::internal, "prepare expressions: {}", sqlite3_errmsg(state_->handle.get()));
  return {};
}

Result<Expression> Expressions::compile(std::string_view text, bool truth) {
  if (text.find('\0') != std::string_view::npos)
    return fail(Fault::invalid, "a NUL byte in an expression");
  auto parts = std::make_unique<Expression::Parts>();
  parts->state = state_.get();
  parts->rewritten = TRY(rewrite_expression(text, fields_));
  const std::string sql = fmt::format(fmt::runtime(truth ? "select ({}) is true" : "select ({})"),
                                      parts->rewritten.sql);
  sqlite3_stmt* raw = nullptr;
  const int code =
      sqlite3_prepare_v3(state_->handle.get(), sql.c_str(), static_cast<int>(sql.size()),
                         SQLITE_PREPARE_PERSISTENT, &raw, nullptr);
  parts->statement.reset(raw);
  const std::string_view why = sqlite3_errmsg(state_->handle.get());
  if (code == SQLITE_AUTH || why.starts_with("not authorized"))
    return hinted(fail(Fault::invalid, "an expression may not do that: {}", why),
                  "it computes with the values of one change: no tables, no clock, no files");
  if (code != SQLITE_OK) return fail(Fault::invalid, "{}", why);
  return Expression(std::move(parts));
}

}  // namespace vestige
