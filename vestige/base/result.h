// Result and Error: how every fallible function of the library answers.
// The seven faults are named for what the caller can do (docs/design.md, "Errors").
#pragma once

#include <fmt/format.h>

#include <string>
#include <tl/expected.hpp>
#include <type_traits>
#include <utility>

namespace vestige {

enum class Fault {
  invalid,   // the request is malformed: fix it, do not retry
  missing,   // the named table, row or change does not exist
  denied,    // the database refused this role, or a policy refused the change
  conflict,  // lock timeout, row changed since: look again, then retry
  offline,   // the database cannot be reached; a commit may be in doubt
  corrupt,   // stored bytes do not decode
  internal,  // a bug in vestige
};

/// The attempt first and then the cause, lower case, no full stop; the hint says what to do next.
struct Error {
  Fault fault = Fault::internal;
  std::string message;
  std::string hint = {};
};

/// A value or an Error. There is no conversion to bool: `while (rows->next())` must not compile,
/// because it would take "no error" for "there is a row" (test/compile_fail).
template <class T>
class [[nodiscard]] Result : public tl::expected<T, Error> {
 public:
  using Base = tl::expected<T, Error>;
  using Base::Base;
  explicit operator bool() const = delete;

  /// The value, moved out; only after has_value().
  T take() && {
    if constexpr (!std::is_void_v<T>) return std::move(**this);
  }
};

/// Builds the failure half of a Result from a format string.
template <class... Args>
tl::unexpected<Error> fail(Fault fault, fmt::format_string<Args...> text, Args&&... args) {
  return tl::unexpected<Error>(Error{fault, fmt::format(text, std::forward<Args>(args)...), {}});
}

/// The same with a hint: one sentence that says what to do.
inline tl::unexpected<Error> hinted(tl::unexpected<Error> error, std::string hint) {
  error.value().hint = std::move(hint);
  return error;
}

}  // namespace vestige

// The one control-flow macro: the value of a Result, or return its Error to the caller. (The counter
// gives nested uses names of their own.) Not behind another member of a braced initialiser: there both
// compilers forget to destroy what already stands when it returns (test/house/braces.py).
#define TRY(...) VESTIGE_TRY_COUNTED(__COUNTER__, __VA_ARGS__)
#define VESTIGE_TRY_COUNTED(count, ...) VESTIGE_TRY_NUMBERED(count, __VA_ARGS__)
#define VESTIGE_TRY_NUMBERED(count, ...) VESTIGE_TRY_NAMED(try_result_##count, __VA_ARGS__)
#define VESTIGE_TRY_NAMED(result, ...)                                                             \
  ({                                                                                               \
    auto result = (__VA_ARGS__);                                                                   \
    if (!result.has_value()) return ::tl::unexpected<::vestige::Error>(std::move(result).error()); \
    std::move(result).take();                                                                      \
  })
