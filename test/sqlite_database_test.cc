// SQLite behind the seam: the conformance suite, and what only SQLite has.
#include <gtest/gtest.h>
#include <sqlite3.h>

#include <cmath>
#include <filesystem>

#include "test/database_conformance.h"
#include "test/temporary_directory.h"
#include "vestige/db/sqlite.h"

namespace vestige {
namespace {

class SqliteHarness final : public Harness {
 public:
  std::unique_ptr<Database> connect(bool impatient) override { return open(impatient); }
  bool holds(const Value& /*value*/) const override { return true; }

  std::unique_ptr<Sqlite> open(bool impatient = false) {
    auto db = Sqlite::open(directory_.file("shop.db"), Sqlite::Mode::create);
    if (!db.has_value()) throw std::runtime_error(db.error().message);
    if (impatient && !(*db)->run("pragma busy_timeout = 0").has_value())
      throw std::runtime_error("no patience to lose");
    return std::move(*db);
  }

 private:
  TemporaryDirectory directory_;
};

INSTANTIATE_TEST_SUITE_P(Sqlite, DatabaseConformance,
                         testing::Values(Backend{"File",
                                                 [] { return std::make_unique<SqliteHarness>(); }}),
                         backend_name);

class SqliteTest : public testing::Test {
 protected:
  Error refusal(const std::string& path, Sqlite::Mode mode = Sqlite::Mode::existing) {
    auto db = Sqlite::open(path, mode);
    EXPECT_FALSE(db.has_value()) << path;
    return db.has_value() ? Error{} : db.error();
  }
  void must(std::string_view sql) {
    const auto done = db_->script(sql);
    ASSERT_TRUE(done.has_value()) << sql << ": " << done.error().message;
  }
  std::int64_t count(std::string_view table) {
    return *scalar_integer(*db_, fmt::format("select count(*) from {}", table));
  }

  TemporaryDirectory directory_;
  std::unique_ptr<Sqlite> db_ = *Sqlite::open(":memory:");
};

TEST_F(SqliteTest, OpensAFileThatIsThereAndSaysWhere) {
  const std::string path = directory_.file("größe '1'.db");
  ASSERT_TRUE(
      (*Sqlite::open(path, Sqlite::Mode::create))->script("create table t (a)").has_value());
  const auto db = Sqlite::open(path);
  ASSERT_TRUE(db.has_value());
  EXPECT_EQ((*db)->where(), "sqlite:" + path);
  EXPECT_EQ((*db)->engine(), Engine::sqlite);
  EXPECT_EQ(*scalar_integer(**db, "select count(*) from t"), 0);
}

TEST_F(SqliteTest, TakesAnEmptyFileAsAnEmptyDatabase) {
  const auto db = Sqlite::open(directory_.write("empty.db", ""));
  ASSERT_TRUE(db.has_value());
  EXPECT_EQ(*scalar_integer(**db, "select count(*) from sqlite_schema"), 0);
}

TEST_F(SqliteTest, DoesNotCreateADatabaseUnasked) {
  const std::string path = directory_.file("none.db");
  const Error error = refusal(path);
  EXPECT_EQ(error.fault, Fault::missing);
  EXPECT_EQ(error.message, "open " + path + ": no such file");
  EXPECT_FALSE(error.hint.empty());
  EXPECT_FALSE(std::filesystem::exists(path));
  EXPECT_EQ(refusal("").fault, Fault::missing);
}

TEST_F(SqliteTest, RefusesWhatIsNoFile) {
  const Error error = refusal(directory_.path().string());
  EXPECT_EQ(error.fault, Fault::invalid);
  EXPECT_EQ(error.message, "open " + directory_.path().string() + ": not a file");
  EXPECT_EQ(refusal("/dev/null").fault, Fault::invalid);
}

TEST_F(SqliteTest, SaysWhyAPathCannotBeFollowed) {
  const std::string path = directory_.file("loop.db");
  std::filesystem::create_symlink(path, path);
  EXPECT_EQ(refusal(path).message, "open " + path + ": Too many levels of symbolic links");
  EXPECT_EQ(refusal(path).fault, Fault::denied);
}

TEST_F(SqliteTest, SaysOfflineWhereNoFileCanBe) {
  EXPECT_EQ(refusal(directory_.file("no/such/place.db"), Sqlite::Mode::create).fault,
            Fault::offline);
  EXPECT_EQ(refusal(directory_.path().string(), Sqlite::Mode::create).fault, Fault::offline);
}

TEST_F(SqliteTest, RefusesAFileThatIsNoDatabase) {
  const std::string path = directory_.write("notes.txt", std::string(2000, 'x'));
  const Error error = refusal(path);
  EXPECT_EQ(error.fault, Fault::invalid);
  EXPECT_EQ(error.message, "open " + path + ": not an SQLite database");
  EXPECT_FALSE(error.hint.empty());
}

TEST_F(SqliteTest, SaysCorruptWhenAPageIsBroken) {
  const std::string path = directory_.file("broken.db");
  ASSERT_TRUE((*Sqlite::open(path, Sqlite::Mode::create))
                  ->script("create table t (a); insert into t values (1)")
                  .has_value());
  {
    std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(4096);
    file << std::string(4096, '\x7f');
  }
  auto db = Sqlite::open(path);
  ASSERT_TRUE(db.has_value());
  const auto read = scalar(**db, "select a from t");
  ASSERT_FALSE(read.has_value());
  EXPECT_EQ(read.error().fault, Fault::corrupt);
}

TEST_F(SqliteTest, DeniesWritesToADatabaseThatIsReadOnly) {
  must("create table t (a); pragma query_only = on");
  const auto done = db_->run("insert into t values (1)");
  ASSERT_FALSE(done.has_value());
  EXPECT_EQ(done.error().fault, Fault::denied);
  EXPECT_EQ(done.error().hint, "you need the right to write the database's file and its folder");
}

TEST_F(SqliteTest, SaysWhoHoldsALock) {
  const std::string path = directory_.file("locked.db");
  const auto holder = *Sqlite::open(path, Sqlite::Mode::create);
  ASSERT_TRUE(holder->script("create table t (a); begin immediate").has_value());
  const auto other = *Sqlite::open(path);
  ASSERT_TRUE(other->script("pragma busy_timeout = 1").has_value());
  const auto done = other->run("insert into t values (1)");
  ASSERT_FALSE(done.has_value());
  EXPECT_EQ(done.error().fault, Fault::conflict);
  EXPECT_EQ(done.error().message, "run sql: database is locked");
  EXPECT_EQ(done.error().hint.substr(0, 38), "another process has locked the databas");
}

TEST_F(SqliteTest, PointsToDoctorWhereATableOfTheTrailIsMissing) {
  const auto done = db_->run("select * from vestige_context");
  ASSERT_FALSE(done.has_value());
  EXPECT_EQ(done.error().hint, "vestige doctor says what is missing from the trail");
}

TEST_F(SqliteTest, DeniesWhatATriggerRaises) {
  must(
      "create table t (a); create trigger no before insert on t begin "
      "select raise(abort, 'a reason is required'); end");
  const auto done = db_->run("insert into t values (1)");
  ASSERT_FALSE(done.has_value());
  EXPECT_EQ(done.error().fault, Fault::denied);
  EXPECT_EQ(done.error().message, "run sql: a reason is required");
}

TEST_F(SqliteTest, KeepsTextThatNoLiteralHolds) {
  using namespace std::string_literals;
  EXPECT_EQ(db_->literal(Text{"it's"}), "'it''s'");
  EXPECT_EQ(db_->literal(Text{"a\0b"s}), "cast(x'610062' as text)");
  EXPECT_EQ(db_->literal(Text{"\xff"}), "cast(x'ff' as text)");
  EXPECT_EQ(db_->literal(Blob{"\0\xff"s}), "x'00ff'");
  EXPECT_EQ(db_->literal(Null{}), "null");
  EXPECT_EQ(db_->literal(949.5), "949.5");
  EXPECT_EQ(db_->literal(1.030400751182603e-308).substr(0, 4), "(834");
  EXPECT_EQ(db_->literal(HUGE_VAL), "9e999");
  EXPECT_EQ(db_->literal(-HUGE_VAL), "-9e999");
  EXPECT_EQ(db_->literal(std::nan("")), "null");  // as SQLite itself stores it
  EXPECT_EQ(db_->literal(std::numeric_limits<std::int64_t>::min()), "(-9223372036854775807 - 1)");
  EXPECT_EQ(db_->literal(Token{"[1, 'x']"}), "'[1, ''x'']'");
}

TEST_F(SqliteTest, SplitsAScriptIntoStatements) {
  must("create table t (a)");
  const std::string script =
      "insert into t values (';') ; -- talk;\n"
      "create trigger tr after insert on t begin select 1; select 2; end;\n"
      "/* the end; */ ";
  std::vector<std::string> statements;
  std::string_view rest = script;
  while (true) {
    const auto statement = db_->first_statement(rest, rest);
    ASSERT_TRUE(statement.has_value()) << statement.error().message;
    if (statement->empty()) break;
    statements.emplace_back(*statement);
  }
  ASSERT_EQ(statements.size(), 2U);
  EXPECT_EQ(statements[0], "insert into t values (';') ;");
  EXPECT_NE(statements[1].find("select 2; end;"), std::string::npos);
  EXPECT_EQ(db_->first_statement("selekt", rest).error().fault, Fault::invalid);
}

TEST_F(SqliteTest, KeepsAScriptInsideItsTransactionBehindAFence) {
  must("create table t (a)");
  must("begin");
  {
    const Fence fence(*db_);
    for (const std::string_view sql : {"commit", "rollback", "end", "begin", "savepoint s",
                                       "release s", "attach ':memory:' as m", "detach m"}) {
      const auto done = db_->run(sql);
      ASSERT_FALSE(done.has_value()) << sql;
      EXPECT_EQ(done.error().fault, Fault::denied) << sql;
    }
    must("insert into t values (1)");
    EXPECT_TRUE(db_->in_transaction());
  }
  must("commit");
  EXPECT_EQ(count("t"), 1);
}

TEST_F(SqliteTest, StaysFencedAfterAskingWhatAStatementWrites) {
  must("create table t (a)");
  const Fence fence(*db_);
  EXPECT_TRUE(db_->writes("insert into t values (1)").has_value());
  EXPECT_FALSE(db_->run("begin").has_value());
}

TEST_F(SqliteTest, KnowsWhatAStatementWrites) {
  must(
      "create table a (id integer primary key);"
      "create table b (id integer primary key, a references a on delete cascade);"
      "create table c (id integer primary key, b references b on update cascade on delete set "
      "null);"
      "create table d (x);"
      "create view v as select * from d;"
      "create trigger v_insert instead of insert on v begin update c set b = null; end;"
      "create trigger c_update after update on c begin insert into d values (1); end;");
  using Tables = std::set<std::string>;
  EXPECT_EQ(db_->writes("select * from a")->tables, Tables{});
  EXPECT_EQ(db_->writes("insert into a values (1)")->tables, Tables{"a"});
  EXPECT_EQ(db_->writes("update c set id = 2")->tables, (Tables{"c", "d"}));
  EXPECT_EQ(db_->writes("delete from a")->tables, (Tables{"a", "b", "c", "d"}));
  EXPECT_EQ(db_->writes("with x as (select 1) insert into d select * from x")->tables, Tables{"d"});
  EXPECT_EQ(db_->writes("insert into v values (1)")->tables, (Tables{"c", "d", "v"}));
  EXPECT_EQ(count("a"), 0);
  EXPECT_EQ(db_->writes("delete from nowhere").error().fault, Fault::invalid);
}

TEST_F(SqliteTest, KnowsWhatAStatementNeedsOfTheApplication) {
  sqlite3* app = nullptr;
  ASSERT_EQ(sqlite3_open(directory_.file("shop.db").c_str(), &app), SQLITE_OK);
  const auto nothing = [](sqlite3_context*, int, sqlite3_value**) {};
  const auto equal = [](void*, int, const void*, int, const void*) { return 0; };
  sqlite3_create_function(app, "mine", 1, SQLITE_UTF8 | SQLITE_DETERMINISTIC, nullptr, nothing,
                          nullptr, nullptr);
  sqlite3_create_collation(app, "ours", SQLITE_UTF8, nullptr, equal);
  ASSERT_EQ(sqlite3_exec(app,
                         "create table t (a text primary key collate ours, b check (mine(b) > 0),"
                         " c) without rowid; create index i on t (c) where mine(c) > lower(b)",
                         nullptr, nullptr, nullptr),
            SQLITE_OK);
  sqlite3_close(app);
  const auto db = *Sqlite::open(directory_.file("shop.db"));
  using Names = std::set<std::string>;
  for (int i = 0; i < 2; ++i) {
    const auto insert = db->writes("insert into t values (1, 2, 3)");
    ASSERT_TRUE(insert.has_value()) << insert.error().message;
    EXPECT_EQ(insert->tables, Names{"t"});
    EXPECT_EQ(insert->unregistered, (Names{"mine", "ours"}));
    EXPECT_EQ(db->writes("select lower(1)")->unregistered, Names{});
    EXPECT_EQ(db->writes("insert into t values (yours(1, 2), yours(), 3)")->unregistered,
              (Names{"mine", "ours", "yours"}));
    EXPECT_EQ(db->writes("select lower(1, 2)").error().message,
              "run sql: wrong number of arguments to function lower()");
    EXPECT_EQ(db->writes("select nowhere from t").error().message,
              "run sql: no such column: nowhere");
    // What stood in for them is gone.
    EXPECT_FALSE(db->run("insert into t values (1, 2, 3)").has_value());
    EXPECT_FALSE(db->run("select mine(1)").has_value());
  }
}

TEST_F(SqliteTest, SwitchesTriggersOffAndOn) {
  must(
      "create table t (a); create table n (a);"
      "create trigger tr after insert on t begin insert into n values (1); end");
  ASSERT_TRUE(db_->application_triggers(false).has_value());
  must("insert into t values (1)");
  EXPECT_EQ(count("n"), 0);
  ASSERT_TRUE(db_->application_triggers(true).has_value());
  must("insert into t values (1)");
  EXPECT_EQ(count("n"), 1);
}

TEST_F(SqliteTest, OpensWhatAUrlNames) {
  const std::string path = directory_.file("shop.db");
  ASSERT_TRUE(Sqlite::open(path, Sqlite::Mode::create).has_value());
  for (const std::string scheme : {"", "sqlite:", "sqlite:///", "file:"}) {
    const auto db = open_database(scheme + path);
    ASSERT_TRUE(db.has_value()) << scheme;
    EXPECT_EQ((*db)->where(), "sqlite:" + path);
  }
  EXPECT_EQ(open_database("mysql://localhost").error().message,
            "open the database: unknown kind of URL");
}

TEST_F(SqliteTest, KnowsItsVersion) { EXPECT_EQ(sqlite_version().substr(0, 2), "3."); }

}  // namespace
}  // namespace vestige
