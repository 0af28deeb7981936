// Somebody wrote to the trail's tables, or a disk is bad: no row ends a listing, whichever column of it is wrong. What is there is
// shown, and what is wrong is said.
#include "test/evidence.h"
#include "vestige/audit/doctor.h"
#include "vestige/audit/log.h"
#include "vestige/audit/stat.h"

namespace vestige {
namespace {

class DamagedRows : public testing::TestWithParam<Engine> {
 protected:
  std::vector<Change> listed(std::string* error = nullptr) {
    std::vector<Change> out;
    const auto read = [&]() -> Result<void> {
      auto changes = TRY(log(trail.db(), {}));
      while (auto change = TRY(changes->next())) out.push_back(*std::move(change));
      return {};
    };
    const auto done = read();
    if (!done.has_value() && error != nullptr) *error = done.error().message;
    return out;
  }
  std::vector<std::string> texts(const std::string& sql) {
    std::vector<std::string> out;
    auto rows = must(trail.db().query(sql));
    while (must(rows->next()) == Step::row) out.push_back(rows->text(0));
    return out;
  }
  std::string name(const std::string& table) {
    return (trail.postgres() ? "vestige." : "vestige_") + table;
  }
  std::vector<std::string> columns(const std::string& table) {
    if (!trail.postgres())
      return texts("select name from pragma_table_info('vestige_" + table +
                   "') where name <> 'id'");
    return texts("select attname from pg_attribute where attrelid = 'vestige." + table +
                 "'::regclass and attnum > 0 and not attisdropped and attname <> 'id'");
  }
  // What a column can be made to hold by somebody who may write there.
  std::vector<std::string> wrong(const std::string& table, const std::string& column) {
    if (!trail.postgres())
      return {"null", "'x'",   "x'00ff'", "-1",   "9223372036854775807",
              "1.5",  "'[1,'", "'{}'",    "1e999"};
    const std::string type =
        texts("select atttypid::regtype::text from pg_attribute where attrelid = 'vestige." +
              table + "'::regclass and attname = '" + column + "'")[0];
    std::vector<std::string> out = {"null"};
    const auto add = [&](std::initializer_list<const char*> values) {
      for (const char* value : values) out.push_back(fmt::format("'{}'::{}", value, type));
    };
    if (type == "timestamp with time zone")
      add({"infinity", "-infinity", "294276-12-31", "4713-01-01 BC"});
    else if (type == "text") add({"", "x", "(1,2", "(,,)", "{", "[1,", "{\"a\":{}}"});
    else if (type == "\"char\"") add({"", "Y", "T", "E"});
    else if (type == "smallint") add({"-1", "32767"});
    else if (type == "integer") add({"-1", "77", "2147483647"});
    else if (type == "jsonb")
      add({"{}", "[]", "1", R"([1])", R"([{"id":true,"name":"a","key":1}])",
           R"([{"id":1,"name":"a","key":"x","kind":"text"}])"});
    else if (type == "inet") add({"::1"});
    else add({"0", "77", "9223372036854775807"});
    return out;
  }
  // Undoes the damage afterwards.
  void holds(const std::string& sql, std::size_t count) {
    must(trail.db().script("savepoint whole"));
    const auto damaged = trail.db().script(sql);
    if (damaged.has_value()) {
      ++damages;
      std::string error;
      const auto changes = listed(&error);
      EXPECT_EQ(error, "") << sql;
      EXPECT_EQ(changes.size(), count) << sql;
      for (const Change& one : changes) EXPECT_NE(to_json(one), "");
      if (!sql.starts_with("delete")) must(log(trail.db(), {.table = "w"}));
      auto all = TransactionStats(must(log(trail.db(), {})));
      while (must(all.next()).has_value()) {
      }
    }
    must(trail.db().script("rollback to whole; release whole"));
  }
  std::size_t damages = 0;
  Evident trail{GetParam()};
};

INSTANTIATE_TEST_SUITE_P(Both, DamagedRows, testing::Values(Engine::sqlite, Engine::postgres),
                         engine_name);

TEST_P(DamagedRows, EndNoListing) {
  std::string wide = "create table w (a integer, b text";
  for (int i = 0; i < 40; ++i) wide += fmt::format(", c{} integer", i);
  trail.application(wide + ", primary key (a, b))");
  must(track(trail.db(), "w", Policy()));
  trail.as("ann",
           "insert into w (a, b, c3) values (1, 'k', 3); update w set c39 = 5, b = 'l';"
           " delete from w");
  const std::size_t count = listed().size();
  ASSERT_EQ(count, 7U);
  trail.attack("");
  if (trail.postgres()) {
    must(trail.db().script("alter table vestige.change alter column at drop not null"));
    for (const char* table : {"change", "context"})
      for (const std::string& column : columns(table))
        must(trail.db().script(
            fmt::format("alter table vestige.{} alter column {} drop not null", table, column)));
  } else {
    must(trail.db().script("drop trigger if exists vestige_context_extra"));
  }
  const std::string tables = trail.postgres() ? "tracked" : "table";
  must(trail.db().begin());
  for (const std::string table : {"change", "context"})
    for (const std::string& column : columns(table))
      for (const std::string& value : wrong(table, column)) {
        // An UPDATE in which nothing differs is none, on SQLite.
        if (column == "changed") continue;
        holds(fmt::format("update {} set {} = {}", name(table), column, value), count);
      }
  // Of the catalog, what is text of several parts.
  for (const auto& [table, column] : std::vector<std::pair<std::string, std::string>>{
           {"shape", "columns"}, {"shape", "note"}, {tables, "policy"}})
    for (const std::string& value : wrong(table, column))
      holds(fmt::format("update {} set {} = {}", name(table), column, value), count);
  for (const std::string table : {"context", "shape"}) holds("delete from " + name(table), count);
  if (!trail.postgres()) holds("delete from vestige_more", count);
  trail.db().rollback();
  EXPECT_GT(damages, 60U);
}

TEST_P(DamagedRows, SayWhatIsWrong) {
  trail.attack(trail.postgres() ? "update {}change set op = 'Y' where id = 1;"
                                  "update {}change set shape = 77 where id = 2;"
                                  "update {}change set key = null where id = 3;"
                                  "update {}context set xid = '7' where id = 4"
                                : "update {}change set op = 'Y' where id = 1;"
                                  "update {}change set shape = 77 where id = 2;"
                                  "update {}change set context = 77 where id = 4");
  const auto changes = listed();
  ASSERT_EQ(changes.size(), 4U);
  EXPECT_EQ(changes[3].unreadable, "read a change: unknown operation 'Y'");
  EXPECT_EQ(to_json(changes[3].key), trail.postgres() ? R"({"key":"1"})" : R"({"key":1})");
  EXPECT_EQ(changes[3].table, "p");
  EXPECT_EQ(changes[2].unreadable, trail.postgres() ? "no shape 77" : "read a change: no shape 77");
  EXPECT_EQ(to_json(*changes[2].new_values),
            trail.postgres() ? R"-({"row":"(2,x,10)"})-" : R"({"v0":2,"v1":"x","v2":10})");
  EXPECT_EQ(changes[0].unreadable,
            trail.postgres() ? "its context is gone" : "read a change: no context 77");
  EXPECT_EQ(to_json(*changes[0].new_values), R"({"price":11})");
  EXPECT_NE(to_json(changes[0]).find(R"(,"unreadable":")"), std::string::npos);
  EXPECT_EQ(must(show(trail.db(), 2)).unreadable, changes[2].unreadable);
  // Who acts on it is told.
  auto strict = must(read_changes(trail.db(), Selection()));
  Result<std::optional<Change>> one = strict->next();
  while (one.has_value() && one->has_value()) one = strict->next();
  EXPECT_EQ(error_of(one).fault, Fault::corrupt);
}

// The tables beside it are as they were, and nobody acts on what he cannot read.
TEST_P(DamagedRows, AShapeIsNamedByDoctor) {
  trail.application("create table q (id integer primary key, note text)");
  must(track(trail.db(), "q", Policy()));
  trail.as("ann", "insert into q values (1, 'x'); insert into p values (9, 'x', 10)");
  const std::size_t count = listed().size();
  const std::string shape = trail.postgres() ? "(select shape from vestige.tracked where"
                                               " table_name = 'q')"
                                             : "(select shape from vestige_table where name = 'q')";
  trail.attack(trail.postgres()
                   ? "update {}shape set columns = '[{\"id\": true}]' where id = " + shape
                   : "update {}shape set columns = '[{\"id\":' where id = " + shape);
  const auto changes = listed();
  ASSERT_EQ(changes.size(), count);
  EXPECT_EQ(changes[0].unreadable, "");
  EXPECT_EQ(to_json(changes[0].key), R"({"id":9})");
  EXPECT_EQ(changes[1].table, "q");
  EXPECT_NE(changes[1].unreadable.find(trail.postgres() ? ": a column without name, kind or key"
                                                        : "no shape"),
            std::string::npos)
      << changes[1].unreadable;
  const auto acting = tracked_table(trail.db(), "q");
  EXPECT_EQ(error_of(acting).fault, Fault::corrupt);
  EXPECT_EQ(error_of(acting).message, "read table q: its policy or its shape cannot be read");
  EXPECT_EQ(must(tracked_table(trail.db(), "p")).name, "p");
  EXPECT_EQ(error_of(tracked_tables(trail.db())).fault, Fault::corrupt);
  for (const bool fix : {false, true}) {
    const auto findings = must(doctor(trail.db(), fix));
    ASSERT_EQ(findings.size(), 1U);
    EXPECT_EQ(findings[0].code, "unreadable-catalog");
    EXPECT_EQ(findings[0].table, "q");
    EXPECT_NE(findings[0].message.find("a shape of it cannot be read: "), std::string::npos);
  }
}

}  // namespace
}  // namespace vestige
