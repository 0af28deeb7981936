// A TOML file as a tree that knows where everything stands in it, and how to refuse what it does not expect.
// Test: toml_file_test.cc.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "vestige/base/result.h"

namespace vestige {

struct TomlMember;

/// A value of a TOML file.
///
///   const Toml file = TRY(read_toml("vestige.toml"));
///   TRY(file.check_names({"database", "tables"}));
///   if (const TomlMember* found = file.find("database")) url = TRY(found->as_text());
struct Toml {
  enum class Kind {
    table,
    array,
    text,
    integer,
    real,
    boolean,
    time,  // a date, a time or both: `text` is as TOML writes it
  };

  Kind kind = Kind::table;
  std::string place;  // "vestige.toml:7:12"
  std::string text = {};
  std::int64_t integer = 0;
  double real = 0;
  bool boolean = false;
  std::vector<Toml> items;          // of an array, in order
  std::vector<TomlMember> members;  // of a table, sorted by name

  /// nullptr: the table has none of that name
  const TomlMember* find(std::string_view name) const;
  /// Refuses a member that is none of `known`, with the nearest of them.
  ///
  /// faults   invalid
  Result<void> check_names(const std::vector<std::string>& known) const;
};

/// `name = value`, or a [header] and what stands under it.
struct TomlMember {
  std::string name;
  std::string place;  // of the name
  Toml value;

  // All refuse a value of another kind. faults   invalid
  Result<std::string> as_text() const;
  Result<std::vector<std::string>> as_texts() const;  // an array of strings
  Result<std::int64_t> as_integer() const;
  Result<double> as_number() const;  // an integer too
  Result<bool> as_boolean() const;
  Result<const Toml*> as_table() const;
  Result<std::vector<const Toml*>> as_tables() const;  // [[name]]
};

/// "vestige.toml:7:12: why" as an error; `place` is a node's.
tl::unexpected<Error> misread(const std::string& place, std::string_view why);

/// The same error, with what was meant by `typed` as its hint: the nearest of `known`, or all of them.
tl::unexpected<Error> suggested(tl::unexpected<Error> error, const std::string& typed,
                                const std::vector<std::string>& known);

/// faults   missing (no such file), invalid (not a file; no TOML: with line and column)
Result<Toml> read_toml(const std::string& path);

}  // namespace vestige
