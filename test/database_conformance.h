// What every back end of the seam (Database, Rows) must do alike: the fixture. The tests stand in
// test/database_conformance_test.cc; a back end gives a Harness and instantiates the suite:
// test/sqlite_database_test.cc, test/postgres_database_test.cc.
#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "vestige/db/database.h"

namespace vestige {

/// One database of a test's own.
class Harness {
 public:
  Harness() = default;
  Harness(const Harness&) = delete;
  Harness& operator=(const Harness&) = delete;
  virtual ~Harness() = default;
  /// A connection to it; `impatient` gives up at once when something is locked.
  virtual std::unique_ptr<Database> connect(bool impatient = false) = 0;
  /// Whether the database can hold the value at all; if not, it refuses it as invalid.
  virtual bool holds(const Value& value) const = 0;
};

struct Backend {
  std::string name;
  std::function<std::unique_ptr<Harness>()> start;
};

inline void PrintTo(const Backend& backend, std::ostream* out) { *out << backend.name; }

inline std::string backend_name(const testing::TestParamInfo<Backend>& backend) {
  return backend.param.name;
}

class DatabaseConformance : public testing::TestWithParam<Backend> {
 protected:
  void SetUp() override {
    harness_ = GetParam().start();
    db_ = harness_->connect();
  }

  Database& db() { return *db_; }
  Harness& harness() { return *harness_; }

  void must_run(std::string_view sql, const Params& params = {}) {
    const auto done = db().run(sql, params);
    ASSERT_TRUE(done.has_value()) << sql << ": " << done.error().message;
  }
  std::int64_t count(std::string_view table) {
    return scalar_integer(db(), fmt::format("select count(*) from {}", table)).value_or(-1);
  }
  Value read(std::string_view sql, const Params& params = {}) {
    auto value = scalar(db(), sql, params);
    return value.has_value() ? *value : Value(Token{value.error().message});
  }
  /// The fault of a statement, run to its end; nothing when it succeeds.
  static std::optional<Fault> fault(Database& db, std::string_view sql, const Params& params = {}) {
    const auto done = db.run(sql, params);
    if (done.has_value()) return std::nullopt;
    EXPECT_FALSE(done.error().message.empty());
    return done.error().fault;
  }

 private:
  std::unique_ptr<Harness> harness_;
  std::unique_ptr<Database> db_;
};

}  // namespace vestige
