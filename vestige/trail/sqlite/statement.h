// One statement twice over: with parameters, to run; with literals, to read.
#pragma once

#include <string>
#include <string_view>

#include "vestige/db/database.h"

namespace vestige::sqlite {

class Statement {
 public:
  explicit Statement(Database& db) : db_(&db) {}

  Statement& add(std::string_view sql) {
    sql_ += sql;
    text_ += sql;
    return *this;
  }
  Statement& name(std::string_view name) { return add(db_->quote_name(name)); }
  Statement& value(Value value) {
    text_ += db_->literal(value);
    params_.push_back(std::move(value));
    sql_ += fmt::format("?{}", params_.size());
    return *this;
  }

  Result<std::int64_t> run() const { return db_->run(sql_, params_); }
  /// Ends in a semicolon.
  std::string text() const { return text_ + ";"; }

 private:
  Database* db_;
  std::string sql_;
  std::string text_;
  Params params_;
};

}  // namespace vestige::sqlite
