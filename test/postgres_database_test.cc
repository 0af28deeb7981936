// PostgreSQL behind the seam: the conformance suite, and what only PostgreSQL has.
#include <gtest/gtest.h>
#include <stdlib.h>

#include <cmath>
#include <fstream>
#include <optional>
#include <stdexcept>
#include <thread>

#include "test/database_conformance.h"
#include "test/postgres_server.h"
#include "vestige/base/json.h"
#include "vestige/db/lent.h"
#include "vestige/db/postgres.h"

namespace vestige {
namespace {

std::unique_ptr<Postgres> must_open(const std::string& url) {
  auto db = Postgres::open(url);
  if (!db.has_value()) throw std::runtime_error(db.error().message);
  (*db)->names_of_caller(true);
  return std::move(*db);
}

class PostgresHarness final : public Harness {
 public:
  std::unique_ptr<Database> connect(bool impatient) override {
    auto db = must_open(database_.url());
    if (impatient && !db->run("set lock_timeout = 20").has_value())
      throw std::runtime_error("no patience to lose");
    return db;
  }
  bool holds(const Value& value) const override {
    const auto* text = std::get_if<Text>(&value);
    return text == nullptr ||
           (json::is_utf8(text->bytes) && text->bytes.find('\0') == std::string::npos);
  }

 private:
  ScratchDatabase database_;
};

INSTANTIATE_TEST_SUITE_P(Postgres, DatabaseConformance,
                         testing::Values(Backend{
                             "Server", [] { return std::make_unique<PostgresHarness>(); }}),
                         backend_name);

class PostgresTest : public testing::Test {
 protected:
  static Error refusal(const std::string& url) {
    auto db = Postgres::open(url);
    EXPECT_FALSE(db.has_value()) << url;
    return db.has_value() ? Error{} : db.error();
  }
  void must(std::string_view sql) { must(*db_, sql); }
  static void must(Database& db, std::string_view sql) {
    const auto done = db.script(sql);
    ASSERT_TRUE(done.has_value()) << sql << ": " << done.error().message;
  }
  Error error(std::string_view sql, const Params& params = {}) {
    const auto done = db_->run(sql, params);
    EXPECT_FALSE(done.has_value()) << sql;
    return done.has_value() ? Error{} : done.error();
  }
  Value read(std::string_view sql, const Params& params = {}) {
    auto value = scalar(*db_, sql, params);
    return value.has_value() ? *value : Value(Text{value.error().message});
  }
  std::int64_t integer(std::string_view sql) { return scalar_integer(*db_, sql).value_or(-1); }

  ScratchDatabase database_;
  std::unique_ptr<Postgres> db_ = must_open(database_.url());
};

TEST_F(PostgresTest, OpensWhatAUrlNames) {
  for (const std::string scheme : {"postgresql", "postgres"}) {
    const auto db = open_database(scheme + database_.url().substr(10));
    ASSERT_TRUE(db.has_value()) << db.error().message;
    EXPECT_EQ((*db)->engine(), Engine::postgres);
    EXPECT_EQ(*scalar_integer(**db, "select 6 * 7"), 42);
  }
  EXPECT_GE(db_->version(), 130'000);
}

TEST_F(PostgresTest, SaysWhereWithoutThePassword) {
  std::string url = database_.url();
  url.insert(url.find('@'), ":geheim");
  const auto db = must_open(url + "?application_name=till");
  EXPECT_EQ(db->where().find("geheim"), std::string::npos) << db->where();
  EXPECT_NE(db->where().find("postgresql://postgres@%2F"), std::string::npos) << db->where();
  EXPECT_TRUE(db->where().ends_with(":5432/" + database_.name())) << db->where();
  EXPECT_EQ(*scalar_integer(*must_open(db->where()), "select 7"), 7);  // it leads here again
  const auto name = scalar(*db, "show application_name");
  EXPECT_EQ(std::get<Text>(*name).bytes, "till");
  EXPECT_EQ(std::get<Text>(read("show application_name")).bytes, "vestige");
}

TEST_F(PostgresTest, NamesNoPasswordInAnyMessage) {
  const std::string host = database_.url().substr(database_.url().find('@'));
  for (const std::string& rest : std::initializer_list<std::string>{
           "ann:geheim" + host, "ann:geheim@localhost:1/shop", "ann:geheim@/shop?host=/nowhere",
           "ann:geheim@[::1/x", "ann:geheim%zz@localhost/x", "ann:x@geheim@localhost/x",
           "localhost/x?password=geheim=2", "localhost/x?passwort=geheim",
           "localhost:1/x?password=geheim", "ann:geheim@localhost/x?sslmode=maybe"}) {
    const Error error = refusal("postgresql://" + rest);
    EXPECT_EQ(error.message.find("geheim"), std::string::npos) << error.message;
    EXPECT_EQ(error.hint.find("geheim"), std::string::npos) << error.hint;
  }
  EXPECT_EQ(refusal("postgresql://ann:x@geheim@localhost/x").message,
            "read the PostgreSQL URL: an @ stands in the host's name");
  const Error error = refusal("postgresql://localhost/x?passwort=geheim");
  EXPECT_EQ(error.fault, Fault::invalid);
  EXPECT_EQ(error.message, "read the PostgreSQL URL: invalid URI query parameter: \u2026");
  EXPECT_EQ(refusal("postgresql://localhost/x?sslmode=maybe").fault, Fault::invalid);
}

TEST_F(PostgresTest, LendsNoRightsOfTheLoginsForTheRoleNone) {
  const auto lent = lend_database(database_.url(), "none", true);
  ASSERT_FALSE(lent.has_value());
  EXPECT_EQ(lent.error().fault, Fault::denied);
  EXPECT_NE(lent.error().message.find(": the database made another of it"), std::string::npos);
  auto again = lend_database(database_.url(), "pg_monitor", true);
  ASSERT_TRUE(again.has_value()) << again.error().message;
  ASSERT_TRUE(again->db->script("reset role; set default_transaction_read_only = off").has_value());
  ASSERT_TRUE(again->at_most(std::chrono::minutes(1)).has_value());
  EXPECT_EQ(*scalar_integer(*again->db, "select (current_user = 'pg_monitor')::int"), 1)
      << "whatever ran on it before";
  EXPECT_FALSE(again->db->run("create table t ()").has_value());
}

TEST_F(PostgresTest, LendsAConnectionThatEndsAQuestionOfManyStatementsInTime) {
  auto lent = lend_database(database_.url(), "", true);
  ASSERT_TRUE(lent.has_value()) << lent.error().message;
  ASSERT_TRUE(lent->at_most(std::chrono::seconds(2)).has_value());
  const auto rows = lent->db->query("select i from generate_series(1, 9) i");
  ASSERT_TRUE(rows.has_value() && (*rows)->next().has_value());
  std::this_thread::sleep_for(std::chrono::milliseconds(2100));
  const auto late = (*rows)->next();
  ASSERT_FALSE(late.has_value());
  EXPECT_EQ(late.error().fault, Fault::conflict);
  EXPECT_EQ(late.error().message, "run sql: all of it together took longer than it may");
  ASSERT_TRUE(lent->at_most(std::chrono::minutes(1)).has_value());
  EXPECT_EQ(*scalar_integer(*lent->db, "select count(*) from generate_series(1, 9)"), 9);
}

TEST_F(PostgresTest, SaysWhyItCannotConnect) {
  const Error missing = refusal(PostgresServer::shared().url("nowhere"));
  EXPECT_EQ(missing.fault, Fault::missing);
  EXPECT_TRUE(missing.message.ends_with("/nowhere: database \"nowhere\" does not exist"))
      << missing.message;
  EXPECT_EQ(missing.hint, "vestige does not create databases: createdb does");
  EXPECT_EQ(refusal(database_.url("nobody")).fault, Fault::denied);
  EXPECT_EQ(refusal("postgresql://localhost:1/x").fault, Fault::offline);
  EXPECT_EQ(refusal("postgresql://%2Fnowhere/x").fault, Fault::offline);
  PostgresServer::shared().execute("alter database " + database_.name() + " connection limit 0");
  must(*must_open(PostgresServer::shared().url()),
       "create role limited_" + database_.name() + " login");
  EXPECT_EQ(refusal(database_.url("limited_" + database_.name())).fault, Fault::offline);
  PostgresServer::shared().execute("drop role limited_" + database_.name());
}

TEST_F(PostgresTest, MapsSqlstatesToFaults) {
  must("create table t (a integer primary key, b text not null)");
  EXPECT_EQ(error("selekt").fault, Fault::invalid);
  EXPECT_EQ(error("select 1/0").fault, Fault::invalid);
  EXPECT_EQ(error("select 'x'::integer").fault, Fault::invalid);
  EXPECT_EQ(error("select 1; select 2").fault, Fault::invalid);
  EXPECT_EQ(error("insert into t values (1, null)").fault, Fault::denied);
  EXPECT_EQ(
      error("do $$ begin raise exception 'no reason given' using hint = 'give one'; end $$").fault,
      Fault::denied);
  EXPECT_EQ(error("do $$ begin raise exception 'x' using errcode = 'VT001'; end $$").fault,
            Fault::denied);
  for (const auto& [state, fault] :
       std::initializer_list<std::pair<std::string, Fault>>{{"08006", Fault::offline},
                                                            {"28000", Fault::denied},
                                                            {"42501", Fault::denied},
                                                            {"40001", Fault::conflict},
                                                            {"40P01", Fault::conflict},
                                                            {"55P03", Fault::conflict},
                                                            {"3D000", Fault::missing},
                                                            {"22023", Fault::invalid},
                                                            {"42P01", Fault::invalid},
                                                            {"XX001", Fault::corrupt},
                                                            {"XX002", Fault::corrupt},
                                                            {"53100", Fault::offline},
                                                            {"57P01", Fault::offline},
                                                            {"57014", Fault::conflict},
                                                            {"25006", Fault::denied},
                                                            {"44000", Fault::denied},
                                                            {"0A000", Fault::invalid},
                                                            {"55000", Fault::invalid},
                                                            {"VT999", Fault::denied}})
    EXPECT_EQ(error(fmt::format("do $$ begin raise sqlstate '{}'; end $$", state)).fault, fault)
        << state;
  must("create role reader_" + database_.name());
  must("set role reader_" + database_.name());
  EXPECT_EQ(error("select * from t").fault, Fault::denied);
  must("reset role; drop role reader_" + database_.name());
  must("set default_transaction_read_only = on");
  EXPECT_EQ(error("insert into t values (1, 'x')").fault, Fault::denied);
}

TEST_F(PostgresTest, PassesTheServersMessageAndHintOn) {
  const Error raised = error(
      "do $$ begin raise exception 'no reason given' using hint = 'give one', detail = 'd'; end "
      "$$");
  EXPECT_EQ(raised.message, "run sql: no reason given");
  EXPECT_EQ(raised.hint, "give one");
  must("create table t (a integer unique); insert into t values (1)");
  EXPECT_EQ(error("insert into t values (1)").hint, "Key (a)=(1) already exists.");
}

TEST_F(PostgresTest, SaysNothingOnItsOwn) {
  testing::internal::CaptureStderr();
  must("do $$ begin raise notice 'hello'; raise warning 'beware'; end $$; drop table if exists t");
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "");
}

TEST_F(PostgresTest, SaysConflictOfALockASerializationFailureAndADeadlock) {
  must("create table t (a integer primary key, b integer); insert into t values (1, 1), (2, 1)");
  const auto other = must_open(database_.url());
  must(*other, "begin; update t set b = 2 where a = 1");
  must("set lock_timeout = 20");
  EXPECT_EQ(error("update t set b = 3 where a = 1").fault, Fault::conflict);
  EXPECT_EQ(error("select * from t where a = 1 for update nowait").fault, Fault::conflict);
  must("set lock_timeout = 0; set statement_timeout = 20");
  EXPECT_EQ(error("update t set b = 3 where a = 1").fault, Fault::conflict);
  must("set statement_timeout = 0");
  must(*other, "rollback");

  must("begin isolation level repeatable read; select * from t");
  must(*other, "update t set b = 2 where a = 1");
  EXPECT_EQ(error("update t set b = 3 where a = 1").fault, Fault::conflict);
  EXPECT_TRUE(db_->in_transaction());
  db_->rollback();

  must("set deadlock_timeout = '10ms'; begin; update t set b = 4 where a = 1");
  must(*other, "set deadlock_timeout = '10s'; begin; update t set b = 4 where a = 2");
  std::thread waiting([&] { (void)other->run("update t set b = 5 where a = 1"); });
  for (int i = 0; i < 100'000 && integer("select count(*) from pg_locks where not granted") == 0;
       ++i)
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  EXPECT_EQ(error("update t set b = 5 where a = 2").fault, Fault::conflict);
  db_->rollback();
  waiting.join();
}

TEST_F(PostgresTest, SaysOfflineWhenTheConnectionIsLost) {
  const auto pid = integer("select pg_backend_pid()");
  must("begin");
  auto rows = db_->query("select i, repeat('x', 1000) from generate_series(1, 100000) i");
  ASSERT_TRUE(rows.has_value());
  ASSERT_EQ(*(*rows)->next(), Step::row);
  PostgresServer::shared().execute(fmt::format("select pg_terminate_backend({})", pid));
  Result<Step> step = Step::row;
  while (step.has_value() && *step == Step::row) step = (*rows)->next();
  ASSERT_FALSE(step.has_value());
  EXPECT_EQ(step.error().fault, Fault::offline) << step.error().message;
  EXPECT_FALSE((*rows)->next().has_value());  // an error stays one
  rows->reset();
  EXPECT_EQ(error("select 1").fault, Fault::offline);
  EXPECT_EQ(db_->commit().error().fault, Fault::offline);
  EXPECT_FALSE(db_->in_transaction());
  db_->rollback();
}

TEST_F(PostgresTest, RefusesToCommitWhatFailed) {
  must("create table t (a integer)");
  auto transaction = Transaction::begin(*db_);
  ASSERT_TRUE(transaction.has_value());
  must("insert into t values (1)");
  EXPECT_EQ(error("select 1/0").fault, Fault::invalid);
  EXPECT_EQ(error("select 1").fault, Fault::invalid);
  const auto committed = transaction->commit();
  ASSERT_FALSE(committed.has_value());
  EXPECT_EQ(committed.error().message, "commit: a statement before it failed, all is rolled back");
  EXPECT_FALSE(db_->in_transaction());
  EXPECT_EQ(integer("select count(*) from t"), 0);
  EXPECT_EQ((must("begin"), db_->begin()).error().message,
            "begin: a transaction is already under way");
}

TEST_F(PostgresTest, ReportsWhatTheEndOfAStatementRefuses) {
  must(
      "create table a (id integer primary key);"
      "create table b (a integer references a deferrable initially deferred)");
  const auto first = scalar(*db_, "insert into b values (7) returning a");
  ASSERT_FALSE(first.has_value());
  EXPECT_EQ(first.error().fault, Fault::denied);
  EXPECT_EQ(integer("select count(*) from b"), 0);
}

TEST_F(PostgresTest, ReadsEveryTypeExactly) {
  using namespace std::string_literals;
  const std::string digits(400, '7');
  for (const auto& [sql, value] : std::initializer_list<std::pair<std::string, Value>>{
           {"true", std::int64_t{1}},
           {"false", std::int64_t{0}},
           {"null::bool", Null{}},
           {"(-32768)::int2", std::int64_t{-32768}},
           {"4294967295::oid", std::int64_t{4294967295}},
           {"'7'::xid8", std::int64_t{7}},
           {"'18446744073709551615'::xid8", Text{"18446744073709551615"}},
           {"0.1::float4", 0.1},
           {"'-0'::float8", -0.0},
           {"'NaN'::float8", std::nan("")},
           {"'-Infinity'::float4", -HUGE_VAL},
           {"'\\x00ff'::bytea", Blob{"\0\xff"s}},
           {"''::bytea", Blob{""}},
           {"'{ \"a\": 1.00, \"a\": 2}'::json", Token{"{ \"a\": 1.00, \"a\": 2}"}},
           {"'[1.50]'::jsonb", Token{"[1.50]"}},
           {"1.50", Token{"1.50"}},
           {"-" + digits + ".0", Token{"-" + digits + ".0"}},
           {"'NaN'::numeric", Text{"NaN"}},
           {"'a'::\"char\"", Text{"a"}},
           {"'{1,NULL}'::int[]", Text{"{1,NULL}"}},
           {"date '2024-02-29'", Text{"2024-02-29"}},
           {"row(1, 'x')", Text{"(1,x)"}},
       }) {
    EXPECT_TRUE(identical(read("select " + sql), value))
        << sql << ": " << to_json(read("select " + sql));
  }
  must("create domain amount as numeric; create domain flag as bool");
  EXPECT_TRUE(identical(read("select 1.0::amount"), Token{"1.0"}));
  EXPECT_TRUE(identical(read("select true::flag"), std::int64_t{1}));
}

TEST_F(PostgresTest, ReadsTheSameUnderAnySettings) {
  must("alter database " + database_.name() +
       " set extra_float_digits = 0;"
       "alter database " +
       database_.name() +
       " set bytea_output = 'escape';"
       "alter database " +
       database_.name() +
       " set datestyle = 'German, DMY';"
       "alter database " +
       database_.name() +
       " set intervalstyle = 'iso_8601';"
       "alter database " +
       database_.name() + " set standard_conforming_strings = off");
  db_ = must_open(database_.url() + "?client_encoding=latin1");
  using namespace std::string_literals;
  EXPECT_TRUE(identical(read("select 0.1::float8 + 0.2::float8"), 0.1 + 0.2));
  EXPECT_TRUE(identical(read("select '\\x5c00'::bytea"), Blob{"\\\0"s}));
  EXPECT_TRUE(identical(read("select date '2.1.2024'"), Text{"2024-01-02"}));  // read as it was set
  EXPECT_TRUE(identical(read("select interval '1 day'"), Text{"1 day"}));
  EXPECT_TRUE(identical(read("select '\\'"), Text{"\\"}));
  EXPECT_TRUE(identical(read("select 'größe'"), Text{"größe"}));
  must("set bytea_output = 'escape'");
  EXPECT_TRUE(identical(read("select '\\x5c00ff'::bytea"), Blob{"\\\0\xff"s}));
}

TEST_F(PostgresTest, TakesValuesOfEveryKind) {
  EXPECT_TRUE(identical(read("select ?1::jsonb ->> 'a'", {Token{"{\"a\":1.0}"}}), Text{"1.0"}));
  EXPECT_TRUE(identical(read("select ?1::date", {Text{"2024-02-29"}}), Text{"2024-02-29"}));
  EXPECT_TRUE(identical(read("select $2 || '?1' || ?1", {Text{"b"}, Text{"a"}}), Text{"a?1b"}));
  EXPECT_TRUE(identical(read("select ?1::int is null", {Null{}}), std::int64_t{1}));
  EXPECT_EQ(error("select ?1 || '?2'", {Text{"x"}, Text{"y"}}).message,
            "bind value 2: the statement takes 1");
  EXPECT_EQ(error("select ?1 || ?2", {Text{"x"}}).fault, Fault::invalid);
  using namespace std::string_literals;
  EXPECT_EQ(error("select ?2 || ?1", {Text{"x"}, Text{"a\0b"s}}).message,
            "bind value 2: PostgreSQL's text cannot hold a NUL byte");
  EXPECT_EQ(error("select ?1", {Text{"\xff"}}).fault, Fault::invalid);
}

TEST_F(PostgresTest, WritesLiterals) {
  using namespace std::string_literals;
  EXPECT_EQ(db_->literal(Text{"it's"}), "'it''s'");
  EXPECT_EQ(db_->literal(Text{"a\\'b"}), "E'a\\\\''b'");
  EXPECT_EQ(db_->literal(Text{"a\0b"s}), "convert_from('\\x610062'::bytea, 'UTF8')");
  EXPECT_EQ(db_->literal(Blob{"\0\xff"s}), "'\\x00ff'::bytea");
  EXPECT_EQ(db_->literal(Null{}), "null");
  EXPECT_EQ(db_->literal(949.5), "'949.5'::float8");
  EXPECT_EQ(db_->literal(std::nan("")), "'NaN'::float8");
  EXPECT_EQ(db_->literal(-HUGE_VAL), "'-Infinity'::float8");
  EXPECT_EQ(db_->literal(std::int64_t{-7}), "-7");
  EXPECT_EQ(db_->literal(std::numeric_limits<std::int64_t>::min()),
            "'-9223372036854775808'::bigint");
  EXPECT_EQ(db_->literal(Token{"[1, 'x']"}), "'[1, ''x'']'");
}

}  // namespace
}  // namespace vestige
