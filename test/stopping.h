// A database whose session ends at the n-th thing that is asked of it, as when a process is killed there.
#pragma once

#include <memory>
#include <string>

#include "vestige/db/database.h"

namespace vestige {

class Stopping final : public Database {
 public:
  /// calls   how many are answered
  Stopping(std::unique_ptr<Database> real, int calls) : real_(std::move(real)), left_(calls) {}

  bool stopped() const { return real_ == nullptr; }

  Result<std::unique_ptr<Rows>> query(std::string_view sql, const Params& params) override {
    TRY(go());
    return real_->query(sql, params);
  }
  Result<void> script(std::string_view sql) override {
    TRY(go());
    return real_->script(sql);
  }
  Result<std::int64_t> run(std::string_view sql, const Params& params) override {
    TRY(go());
    return real_->run(sql, params);
  }
  Result<void> begin() override {
    TRY(go());
    return real_->begin();
  }
  Result<void> commit() override {
    TRY(go());
    return real_->commit();
  }
  void rollback() noexcept override {
    if (real_ != nullptr) real_->rollback();
  }
  bool in_transaction() const override { return real_ != nullptr && real_->in_transaction(); }
  std::string quote_name(std::string_view name) const override {
    return real_ != nullptr ? real_->quote_name(name) : "";
  }
  std::string literal(const Value& value) const override {
    return real_ != nullptr ? real_->literal(value) : "";
  }
  std::string where() const override { return "nowhere"; }
  Engine engine() const override { return engine_; }
  Result<std::string_view> first_statement(std::string_view sql, std::string_view& rest) override {
    TRY(go());
    return real_->first_statement(sql, rest);
  }
  void fence(bool on) override {
    if (real_ != nullptr) real_->fence(on);
  }
  Result<void> application_triggers(bool on) override {
    TRY(go());
    return real_->application_triggers(on);
  }
  Result<Writes> writes(const std::string& sql) override {
    TRY(go());
    return real_->writes(sql);
  }

 private:
  // Rows that are read still hold on to the session: it ends when they are gone.
  Result<void> go() {
    if (real_ != nullptr && left_-- <= 0) {
      real_->rollback();
      ended_ = std::move(real_);
    }
    if (real_ == nullptr) return fail(Fault::offline, "the session has ended");
    return {};
  }

  std::unique_ptr<Database> real_;
  std::unique_ptr<Database> ended_;
  Engine engine_ = real_->engine();
  int left_;
};

}  // namespace vestige
