// What identifies a table and its rows outlives the database that they were in.
#include <array>
#include <cstdio>

#include "test/postgres_capture.h"

namespace vestige {
namespace {

// Runs a command of PostgreSQL's against databases of the tests' server; "" when it succeeds.
std::string shell(const std::string& command) {
  std::string out;
  std::FILE* pipe = popen(("bash -c \"" + command + "\" 2>&1 >/dev/null").c_str(), "re");
  std::array<char, 256> buffer;
  while (fgets(buffer.data(), buffer.size(), pipe) != nullptr) out += buffer.data();
  return pclose(pipe) == 0 ? "" : "failed: " + out;
}

TEST(PostgresCaptureRestore, OneHistoryThroughDumpAndRestore) {
  PgShop shop;
  shop.admin.run(
      "create table decoy1 (a int); create table t (id int primary key, x int, y text); "
      "create table m (id int primary key, v text) partition by range (id); create table m1 "
      "partition of m default; "
      "select vestige.track('t'), vestige.track('m'); insert into t select i, i, 'a,\"b' from "
      "generate_series(1, 5) i; "
      "insert into m values (1, 'x'); update t set x = 0 where id < 3; alter table t add z int; "
      "delete from t where id = 5");
  ScratchDatabase copy;
  const std::string said = shell("set -o pipefail; pg_dump '" + shop.database.url() +
                                 "' | psql -qX1 -v ON_ERROR_STOP=1 '" + copy.url() + "'");
  if (said.find("server version mismatch") != std::string::npos)
    GTEST_SKIP() << "pg_dump is older than the server: " << said;
  ASSERT_EQ(said, "");
  const std::string last = shop.admin.one("select max(id)::text from vestige.change");
  const auto trail = [&](PgSession& s) {
    return s.one(
        "select md5(string_agg(c::text, E'\\n' order by id)) from vestige.change c where id <= " +
        last);
  };
  PgSession restored(copy.url());
  EXPECT_EQ(trail(restored), trail(shop.admin));
  restored.run(
      "insert into t values (6, 6, 'new', 7); update t set y = 'after' where id = 1; delete from t "
      "where id = 2; "
      "insert into m values (2, 'y'); update m set v = 'z' where id = 1; truncate m1");
  PgSession reader(copy.url());
  EXPECT_EQ(PgShop::replayed_in(reader, "public.t"), "");
  EXPECT_EQ(PgShop::replayed_in(reader, "public.m"), "");
  EXPECT_EQ(restored.one("select count(distinct key_hash)::text from vestige.change where key = "
                         "'1' and tracked = 1"),
            "1");
  EXPECT_EQ(restored.one("select (min(id) > " + last +
                         ")::text from vestige.change where new_row like '%after%'"),
            "true");
  EXPECT_NE(restored.error("delete from vestige.change"), "");
}

}  // namespace
}  // namespace vestige
