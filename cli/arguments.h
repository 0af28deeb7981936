// Arguments: what stands on the command line, read by a command's own option table. The parser
// behind it (CLI11, slow to compile) is included by arguments.cc alone.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cli/command.h"
#include "vestige/record/change.h"

namespace vestige::cli {

class Arguments {
 public:
  bool has(std::string_view option) const;
  /// The last value given, or nothing.
  std::optional<std::string> value(std::string_view option) const;
  /// The last value given, or "".
  std::string text(std::string_view option) const { return value(option).value_or(""); }
  /// Every value given, in order.
  std::vector<std::string> values(std::string_view option) const;
  /// What is not an option.
  const std::vector<std::string>& words() const { return words_; }
  /// The words from a place on.
  std::vector<std::string> words_from(std::size_t place) const;

  /// What is written of a value: of which option, or of none and its place among the words.
  using Kept = std::function<std::string(std::string_view option, std::size_t place,
                                         const std::string& value)>;
  /// What was given, but for some options, as one would type it: the words, then options by name.
  std::string written_out(const std::vector<std::string_view>& without, const Kept& kept) const;

  /// The value of an option as a positive number.
  ///
  /// faults   invalid
  Result<std::optional<std::int64_t>> number(std::string_view option) const;
  /// The value of an option as a time (see parse_time), microseconds.
  ///
  /// faults   invalid
  Result<std::optional<std::int64_t>> time(std::string_view option) const;
  /// The parts of a comma-separated value; a part in double quotes may contain commas.
  ///
  /// faults   invalid
  Result<std::vector<std::string>> list(std::string_view option) const;
  /// The context options; `actor` is the name under which the verb takes the actor.
  ///
  /// faults   invalid
  Result<Context> context(std::string_view actor = "--actor") const;

 private:
  friend Result<Arguments> parse(const Command& command, std::vector<std::string> line);

  std::map<std::string, std::vector<std::string>, std::less<>> options_;
  std::vector<std::string> words_;
};

/// Reads what follows the verb (and the global options that stood before it).
///
/// faults   invalid
Result<Arguments> parse(const Command& command, std::vector<std::string> line);

/// Where the verb stands in a command line; line.size() when there is none.
std::size_t verb_place(const std::vector<std::string>& line);

/// "17" as a positive number; `what` names it in the message.
///
/// faults   invalid
Result<std::int64_t> parse_number(std::string_view what, const std::string& text);

/// "vestige log [OPTION…] [TABLE [KEY…]]"
std::string usage(const Command& command);

}  // namespace vestige::cli
