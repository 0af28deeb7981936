// A shop's database in a file of its own, with a trail: what most tests of the verbs begin with.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "test/temporary_directory.h"
#include "vestige/db/sqlite.h"
#include "vestige/trail/changes.h"
#include "vestige/trail/install.h"
#include "vestige/trail/track.h"

namespace vestige {

/// The value of a Result that a test takes for granted.
template <class T>
T must(Result<T> result) {
  if (!result.has_value())
    throw std::runtime_error(result.error().message + " (" + result.error().hint + ")");
  return std::move(result).take();
}

/// The error of a Result that a test expects to fail.
template <class T>
Error error_of(const Result<T>& result) {
  EXPECT_FALSE(result.has_value());
  return result.has_value() ? Error{} : result.error();
}

/// Policies with one member.
inline Policy excluding(std::vector<std::string> columns) {
  Policy policy;
  policy.exclude = std::move(columns);
  return policy;
}
inline Policy including(std::vector<std::string> columns) {
  Policy policy;
  policy.include = std::move(columns);
  return policy;
}
inline Policy with_condition(std::string condition) {
  Policy policy;
  policy.when = std::move(condition);
  return policy;
}
inline Policy requiring(std::vector<std::string> fields) {
  Policy policy;
  policy.require = std::move(fields);
  return policy;
}
inline Policy with_key(std::vector<std::string> columns) {
  Policy policy;
  policy.key = std::move(columns);
  return policy;
}

class Shop {
 public:
  Shop() : db_(must(Sqlite::open(directory_.file("shop.db"), Sqlite::Mode::create))) {}

  Sqlite& db() { return *db_; }
  const TemporaryDirectory& directory() const { return directory_; }

  void run(std::string_view sql) { must(db_->script(sql)); }

  /// Another connection to the same file.
  std::unique_ptr<Sqlite> connect() { return must(Sqlite::open(directory_.file("shop.db"))); }

  Shop& with_trail() {
    must(install(*db_));
    return *this;
  }

  Tracked track(const std::string& table, const Policy& policy = {}) {
    auto transaction = must(Transaction::begin(*db_));
    Tracked tracked = must(vestige::track(*db_, table, policy));
    must(transaction.commit());
    return tracked;
  }

  /// The rows of a query, a line each: "1|ink|null|x'00'".
  std::string rows(std::string_view sql) {
    std::string out;
    auto found = must(db_->query(sql));
    while (must(found->next()) == Step::row) {
      for (int i = 0; i < found->columns(); ++i)
        out += (i == 0 ? "" : "|") + to_display(found->value(i));
      out += '\n';
    }
    return out;
  }

  std::int64_t last_change() {
    return must(scalar_integer(*db_, "select max(id) from vestige_change"));
  }

  /// The changes after one, oldest first, a line each: `UPDATE {"id":1} {"price":5} {"price":6}`.
  std::string changes(std::int64_t after = 0) {
    Selection selection;
    selection.after = after;
    selection.oldest_first = true;
    auto stream = must(read_changes(*db_, selection));
    std::string out;
    while (auto change = must(stream->next())) {
      out += fmt::format("{} {}", name(change->op), to_json(change->key));
      if (change->new_key.has_value()) out += "→" + to_json(*change->new_key);
      if (change->old_values.has_value()) out += " " + to_json(*change->old_values);
      if (change->new_values.has_value()) out += " " + to_json(*change->new_values);
      out += '\n';
    }
    return out;
  }

 private:
  TemporaryDirectory directory_;
  std::unique_ptr<Sqlite> db_;
};

}  // namespace vestige
