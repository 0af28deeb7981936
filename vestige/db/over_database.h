// OverDatabase: what is asked of one database is asked of another; for those who answer some of it themselves.
#pragma once

#include <memory>
#include <string>
#include <utility>

#include "vestige/db/database.h"

namespace vestige {

class OverDatabase : public Database {
 public:
  explicit OverDatabase(std::unique_ptr<Database> inner) : inner_(std::move(inner)) {}

  Database& inner() { return *inner_; }

  Result<std::unique_ptr<Rows>> query(std::string_view sql, const Params& params = {}) override {
    return inner_->query(sql, params);
  }
  Result<void> script(std::string_view sql) override { return inner_->script(sql); }
  std::string quote_name(std::string_view name) const override { return inner_->quote_name(name); }
  std::string literal(const Value& value) const override { return inner_->literal(value); }
  Result<void> begin() override { return inner_->begin(); }
  Result<void> commit() override { return inner_->commit(); }
  void rollback() noexcept override { inner_->rollback(); }
  bool in_transaction() const override { return inner_->in_transaction(); }
  std::string where() const override { return inner_->where(); }
  Engine engine() const override { return inner_->engine(); }
  Result<std::string_view> first_statement(std::string_view sql, std::string_view& rest) override {
    return inner_->first_statement(sql, rest);
  }
  void fence(bool on) override { inner_->fence(on); }
  Result<void> application_triggers(bool on) override { return inner_->application_triggers(on); }
  Result<Writes> writes(const std::string& sql) override { return inner_->writes(sql); }
  Result<std::int64_t> run(std::string_view sql, const Params& params = {}) override {
    return inner_->run(sql, params);
  }

 private:
  std::unique_ptr<Database> inner_;
};

}  // namespace vestige
