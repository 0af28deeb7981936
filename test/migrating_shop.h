// A shop whose schema changes: the fixture of the tests of ddl.
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <string_view>

#include "test/tracked_shop.h"
#include "vestige/audit/ddl.h"
#include "vestige/audit/doctor.h"

namespace vestige {

class DdlTest : public testing::Test {
 protected:
  DdlTest() {
    shop_.run(
        "create table products (id integer primary key, name text, price integer);"
        "create table lines (id integer primary key, product integer, n)");
    shop_.with_trail();
    shop_.track("products");
    shop_.run("insert into products values (1, 'ink', 5), (2, 'pen', 7), (3, 'cap', 9)");
  }

  // The lines that ddl says, each with a newline; then nothing may be left for doctor.
  std::string migrate(std::string_view sql, const Context& context = {}) {
    before_ = shop_.last_change();
    std::string out;
    for (const std::string& line : must(ddl(shop_.db(), sql, context))) out += line + '\n';
    for (const Finding& finding : must(doctor(shop_.db(), false)))
      EXPECT_EQ(finding.severity, Severity::note) << finding.message;
    EXPECT_FALSE(shop_.db().in_transaction());
    EXPECT_EQ(shop_.rows("select count(*) from sqlite_schema where name like '%migration%'"),
              "0\n");
    EXPECT_EQ(shop_.rows("select count(*) from sqlite_temp_schema"), "0\n");
    return out;
  }

  // What the migration wrote into the trail.
  std::string recorded() { return shop_.changes(before_); }

  // A migration that fails, and leaves everything as it was.
  Error refused(std::string_view sql, const Context& context = {}) {
    const std::string schema =
        shop_.rows("select type, name, sql from sqlite_schema order by name");
    const std::string trail = shop_.changes();
    const Error error = error_of(ddl(shop_.db(), sql, context));
    EXPECT_EQ(shop_.rows("select type, name, sql from sqlite_schema order by name"), schema);
    EXPECT_EQ(shop_.changes(), trail);
    EXPECT_FALSE(shop_.db().in_transaction());
    EXPECT_EQ(shop_.rows("select count(*) from sqlite_temp_schema"), "0\n");
    return error;
  }

  Shop shop_;
  std::int64_t before_ = 0;
};

// A table rebuilt as Django does it.
inline constexpr std::string_view kDjango =
    "create table \"new__products\" (\"id\" integer not null primary key autoincrement, \"name\" "
    "text,"
    " \"price\" integer not null check (price > 0), \"size\" integer not null);"
    "insert into \"new__products\" (\"id\", \"name\", \"price\", \"size\")"
    " select \"id\", \"name\", \"price\", 1 from \"products\";"
    "drop table \"products\";"
    "alter table \"new__products\" rename to \"products\"";

}  // namespace vestige
