// Every way in which some tables of a trail can be gone, on both databases: there is a way out of each.
#include "vestige/trail/remains.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "test/postgres_capture.h"
#include "test/tracked_shop.h"
#include "vestige/trail/install.h"

namespace vestige {
namespace {

const char* const kTables =
    "select name from sqlite_schema where type = 'table' and name like 'vestige\\_%' escape '\\'";

std::vector<std::string> lines(const std::string& text) {
  std::vector<std::string> out;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = text.find('\n', at);
    out.push_back(text.substr(at, end - at));
    at = end + 1;
  }
  return out;
}

TEST(Remains, OfAWholeTrailNothingIsMissing) {
  Shop shop;
  EXPECT_FALSE(must(remains(shop.db())).any);
  shop.with_trail();
  const Remains left = must(remains(shop.db()));
  EXPECT_TRUE(left.any && left.tables);
  EXPECT_TRUE(left.missing.empty());
}

TEST(Remains, WithoutAnyTableAWriteFailsUntilInitOrRemove) {
  for (const bool anew : {true, false}) {
    Shop shop;
    shop.run("create table t (id integer primary key, n); insert into t values (1, 1)");
    shop.with_trail().track("t");
    for (const std::string& name : lines(shop.rows(kTables))) shop.run("drop table " + name);
    EXPECT_FALSE(shop.db().run("update t set n = 2").has_value());
    EXPECT_EQ(error_of(require_trail(shop.db())).message.substr(0, 39),
              "read the trail: its tables are gone fro");
    if (anew) {
      EXPECT_TRUE(must(install(shop.db())));
      EXPECT_TRUE(must(remains(shop.db())).missing.empty());
      shop.run("update t set n = 2");
      shop.track("t");
    }
    must(remove_trail(shop.db()));
    EXPECT_FALSE(must(remains(shop.db())).any);
    shop.run("update t set n = 3");
  }
}

TEST(Remains, WithoutAnyOneOfItsTablesTheTrailCanBeTakenAway) {
  Shop whole;
  whole.with_trail();
  for (const std::string& name : lines(whole.rows(kTables))) {
    SCOPED_TRACE(name);
    Shop shop;
    shop.run("create table t (id integer primary key, n); insert into t values (1, 1)");
    shop.with_trail().track("t");
    shop.run("drop table " + name);
    const auto again = install(shop.db());
    if (!again.has_value()) {
      EXPECT_NE(again.error().message.find(name), std::string::npos) << again.error().message;
      EXPECT_NE(again.error().hint.find("vestige init --remove"), std::string::npos);
    }
    (void)count_changes(shop.db()).value();
    must(remove_trail(shop.db()));
    shop.run("update t set n = 3");
    EXPECT_EQ(shop.rows("select count(*) from sqlite_schema where name like '%vestige%'"), "0\n");
    EXPECT_TRUE(must(install(shop.db())));
  }
}

TEST(Remains, OnPostgresInitMakesAnyTableAnewAndRemoveTakesTheRest) {
  PgShop shop;
  PgSession& s = shop.admin;
  s.run("create table t (id int primary key, n int); insert into t values (1, 1)");
  const auto names = s.table(
      "select relname from pg_class where relnamespace = 'vestige'::regnamespace and relkind in "
      "('r', 'p')"
      " and not relispartition order by 1");
  ASSERT_GE(names.size(), 10U);
  for (const auto& row : names) {
    SCOPED_TRACE(*row[0]);
    s.run("select vestige.track('t'); drop table vestige." + *row[0] + " cascade");
    const auto missing = must(remains(s.db())).missing;
    EXPECT_EQ(std::count(missing.begin(), missing.end(), "vestige." + *row[0]), 1);
    if (const auto again = install(s.db()); again.has_value()) {
      EXPECT_TRUE(must(remains(s.db())).missing.empty());
      must(maintain(s.db()));
      s.run("select vestige.track('t'); update t set n = n + 1");
      s.run("drop table vestige." + *row[0] + " cascade");
    } else {
      EXPECT_NE(again.error().message.find("vestige." + *row[0]), std::string::npos)
          << again.error().message;
      EXPECT_NE(again.error().hint.find("vestige init --remove"), std::string::npos);
    }
    (void)count_changes(s.db()).value();
    must(remove_trail(s.db()));
    EXPECT_FALSE(must(remains(s.db())).any);
    s.run("update t set n = n + 1");
    must(install(s.db()));
  }
}

}  // namespace
}  // namespace vestige
