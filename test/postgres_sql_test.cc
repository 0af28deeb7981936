// The SQL API: history, blame, revert, and the SQL side of following a row against the library's on SQLite.
#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "test/postgres_capture.h"
#include "test/temporary_directory.h"
#include "vestige/audit/at.h"
#include "vestige/audit/blame.h"
#include "vestige/base/json.h"
#include "vestige/db/sqlite.h"
#include "vestige/trail/install.h"
#include "vestige/trail/track.h"

namespace vestige {
namespace {

TEST(PostgresSql, AskingForARowThatCannotBeNamed) {
  PgShop shop;
  shop.admin.run(
      "create table t (id int primary key, a text); create table free (id int primary key);"
      "create table keyless (a text); select vestige.track('t'), vestige.track('keyless');"
      "insert into t values (1, 'x')");
  const auto error = [&](const std::string& call) { return shop.admin.error("select " + call); };
  EXPECT_EQ(error("vestige.history('free', '1')"), "run sql: history: public.free is not tracked");
  EXPECT_EQ(error("vestige.history('t', '1', '2')"),
            "run sql: history: the key of public.t has 1 values");
  EXPECT_EQ(error("vestige.history('t', null)"),
            "run sql: history: the key of public.t has 1 values");
  EXPECT_EQ(error("vestige.history('t', 'one')"),
            "run sql: invalid input syntax for type integer: \"one\"");
  EXPECT_EQ(error("vestige.history('keyless', '1')"),
            "run sql: history: public.keyless is tracked without a key");
  EXPECT_EQ(error("vestige.blame('t', '9')"),
            "run sql: blame: public.t has no such row, now or in the trail");
  EXPECT_EQ(error("vestige.revert(9)"), "run sql: revert: there is no transaction 9");
  EXPECT_EQ(shop.admin.one("select count(*)::text from vestige.history('t', '9')"), "0");
}

TEST(PostgresSql, BlameFollowsOneRowNotItsKey) {
  PgShop shop;
  shop.admin.run(
      "create table t (id int primary key, a text, b text); select vestige.track('t');"
      "insert into t values (1, 'old', 'old'); delete from t; insert into t values (2, 'x', 'y');"
      "update t set id = 1; update t set a = 'z'");
  const auto blamed = [&] {
    return shop.admin.one(
        "select string_agg(concat_ws(' ', \"column\", value, b.action, l.new_values), ', ' "
        "order by array_position('{id,a,b}', \"column\")) from "
        "vestige.blame('t', '1') b join vestige.audit_log l on l.id = change_id");
  };
  const std::string expected =
      R"(id 1 UPDATE {"id": 1}, a "z" UPDATE {"a": "z"}, b "y" INSERT {"a": "x", "b": "y", "id": 2})";
  EXPECT_EQ(blamed(), expected);
  shop.admin.run("delete from t");
  EXPECT_EQ(blamed(), expected);
  EXPECT_EQ(shop.admin.one("select string_agg(action, ' ') from vestige.history('t', '2')"),
            "DELETE UPDATE UPDATE INSERT");
}

// It names each column itself, to decode a change once.
TEST(PostgresSql, HistoryIsWhatAuditLogSays) {
  PgShop shop;
  shop.admin.run(
      "create table t (a int, b text, n numeric, j jsonb, x inet, primary key (a, b)); insert into "
      "t values"
      " (1, 'p', 1.50, '{\"k\": 1}', '::1'); select vestige.track('t', tags => '{GDPR,SOX}',"
      " classification => 'secret', retention => '7 years', baseline => true); update t set n = 2");
  shop.admin.run(
      "begin; select vestige.set_context('{\"actor\": \"ann\", \"reason\": \"why\","
      " \"ip_address\": \"10.0.0.1\", \"odd\": \"field\"}');"
      "update t set b = 'q', j = '[]'; commit; alter table t rename n to amount; truncate t;"
      "insert into t values (1, 'q', null, null, null); delete from t");
  shop.admin.run(
      "begin; select vestige.set_context('{\"reason\": \"r\"}'); select vestige.erase_changes("
      "array(select min(id) from vestige.changes where op = 'UPDATE')); commit");
  const auto lines = [&](const std::string& from) {
    return shop.admin.one("select string_agg(l::text, E'\n') from " + from + " l");
  };
  const std::string told = lines("vestige.history('t', '1', 'q')");
  EXPECT_EQ(std::count(told.begin(), told.end(), '\n'), 5) << told;
  EXPECT_EQ(told, lines("(select * from vestige.audit_log where id in (select id from"
                        " vestige.history('t', '1', 'q')) order by id desc)"));
  shop.admin.run(
      "create table keyed (id int primary key, v text); select vestige.track('keyed');"
      "insert into keyed values (7, 'x'); update keyed set v = null");
  EXPECT_EQ(lines("vestige.history('keyed', '7')"),
            lines("(select * from vestige.audit_log where table_name = 'keyed' order by id desc)"));
}

TEST(PostgresSql, RevertPutsBackWhatWasThere) {
  PgShop shop;
  shop.admin.run(
      "create domain wording as text check (value <> '');"
      "create table t (id int generated always as identity primary key, a wording, n numeric "
      "generated always as (id * 2) stored, j json,"
      " c \"char\"); insert into t (a, j, c) select 'a' || i, '{\"x\":  1}', 'q' from "
      "generate_series(1, 50) i;"
      "insert into t (a) values (null), ('quoted \"x\", (y)');"
      "create table other (id int primary key, t int references t deferrable); select "
      "vestige.track('t'), vestige.track('other');"
      "create table then_ as select * from t");
  const std::string same =
      "select (not exists (select row(t.*)::text from t except select row(x.*)::text from then_ x) "
      "and "
      "(select count(*) from t) = (select count(*) from then_))::text";
  for (const std::string work :
       {"update t set a = 'b', j = null where id > 5; delete from t where id = 1", "delete from t",
        "update t set a = null", "update t set c = null, a = coalesce(a, 'was null')",
        "update t set a = 'once' where id = 1; update t set a = 'twice' where id = 1",
        "insert into t (a) values ('p'); insert into other select 1, max(id) from t",
        "insert into t (a) select 'n' from generate_series(1, 9)"}) {
    shop.admin.run("begin; " + work + "; commit");
    const auto tx = shop.admin.one("select max(tx)::text from vestige.context");
    const auto changes =
        shop.admin.one("select count(*)::text from vestige.change where id >= " + tx);
    EXPECT_EQ(shop.admin.one("select vestige.revert(" + tx + ")::text"), changes) << work;
    EXPECT_EQ(shop.admin.one(same), "true") << work;
    EXPECT_EQ(shop.admin.one("select count(distinct reason) || min(reason) from vestige.audit_log "
                             "where transaction_id ="
                             " (select max(tx) from vestige.context)"),
              "1revert of tx " + tx);
  }
}

// Of several tables, with foreign keys between them, also where rows changed twice: at once.
TEST(PostgresSql, RevertOfSeveralTables) {
  PgShop shop;
  PgSession& s = shop.admin;
  s.run(
      "create table a (id int primary key, v int); create table b (id int primary key, a int "
      "references a); create table c (id int primary key, b int references b on delete cascade, n "
      "int); select vestige.track('a'), vestige.track('b'), vestige.track('c'); insert into a "
      "select "
      "i, i from generate_series(1, 9) i; insert into b select i, i from generate_series(1, 9) i; "
      "insert into c select i, i, i from generate_series(1, 9) i; create table was as select "
      "a::text, b::text, c::text from a full join b using (id) full join c using (id)");
  const std::string same =
      "select count(*)::text from (select a::text, b::text, c::text from a full join b using (id) "
      "full join c using (id) except select * from was) x";
  for (const std::string work :
       {"update a set v = v + 1; update c set n = 0 where id > 5",
        "insert into a values (10, 10), (11, 11); insert into b values (10, 10); insert into c "
        "values (10, 10, 1); update a set v = 0 where id = 1",
        "delete from c where id < 4; delete from b where id < 4; delete from a where id < 4; "
        "insert into a values (20, 1); insert into b values (20, 20)",
        "delete from b where id = 2; delete from a where id = 2",
        "update b set a = 1 where id = 2; delete from a where id = 2",
        "update a set v = 1; update a set v = 2; update b set a = 1"}) {
    s.run("begin; " + work + "; commit");
    const auto tx = s.one("select max(tx)::text from vestige.context");
    s.run("select vestige.revert(" + tx + ")");
    EXPECT_EQ(s.one(same), "0") << work;
  }
  for (const char* table : {"public.a", "public.b", "public.c"})
    EXPECT_EQ(shop.replayed(table), "");
}

// What docs/postgres.md says of the application's triggers.
TEST(PostgresSql, RevertWithoutATriggerOfTheApplication) {
  PgShop shop;
  PgSession& s = shop.admin;
  s.run(
      "create table accounts (id int primary key, x int, updated_at text default 'first'); create "
      "function touch() returns trigger language plpgsql as $f$ begin new.updated_at := "
      "'touched'; return new; end $f$; create trigger set_updated_at before update on accounts for "
      "each row execute function touch(); select vestige.track('accounts'); insert into accounts "
      "values (1, 1); update accounts set x = 2");
  const std::string revert =
      "select vestige.revert(tx) from vestige.changes where op = 'UPDATE' and \"table\" = "
      "'accounts'";
  s.run("begin; " + revert);
  EXPECT_EQ(s.one("select accounts::text from accounts"), "(1,1,touched)");
  s.run("rollback; begin; alter table accounts disable trigger set_updated_at; " + revert +
        "; alter table accounts enable trigger set_updated_at; commit");
  EXPECT_EQ(s.one("select accounts::text from accounts"), "(1,1,first)");
  EXPECT_EQ(shop.replayed("public.accounts"), "");
  EXPECT_EQ(s.one("select count(*)::text from vestige.doctor() where severity <> 'note'"), "0");
}

TEST(PostgresSql, RevertRefusesWhatHasChangedSince) {
  PgShop shop;
  shop.admin.run(
      "create table t (id int primary key, a text); insert into t select i, 'x' from "
      "generate_series(1, 9) i;"
      "select vestige.track('t'); update t set a = 'y'; update t set a = 'z' where id = 4; delete "
      "from t where id = 5");
  EXPECT_EQ(shop.admin.error("select vestige.revert(1)"),
            "run sql: revert of tx 1: 2 of its changes cannot be undone, nothing was changed: "
            "change 5 (t {\"id\":5}): the row is "
            "gone; change 4 (t {\"id\":4}): a has changed since: y expected, z found");
  shop.admin.run(
      "do $$ begin perform vestige.revert(1); exception when sqlstate 'VS002' then perform "
      "set_config('test.caught', 'yes', false);"
      " end $$");
  EXPECT_EQ(shop.admin.one(
                "select current_setting('test.caught') || count(*) filter (where a = 'y') from t"),
            "yes7");
  EXPECT_EQ(shop.admin.error("select vestige.revert(1, force => true)"),
            "run sql: revert of tx 1: 1 of its changes cannot be undone, nothing was changed: "
            "change 5 (t {\"id\":5}): the row is gone");
  shop.admin.run("insert into t values (5, 'y')");
  EXPECT_EQ(shop.admin.one("select vestige.revert(1, force => true)::text"), "9");
  EXPECT_EQ(shop.admin.one("select string_agg(distinct a, '') from t"), "x");
  // A trigger that keeps rows as they are.
  shop.admin.run(
      "create table k (id int primary key, a text); select vestige.track('k'); insert into k "
      "values (1, 'x'), (2, 'x');"
      "create function keep() returns trigger language plpgsql as 'begin return null; end';"
      "create trigger keep before delete on k for each row execute function keep()");
  EXPECT_EQ(shop.admin.error("select vestige.revert(max(tx)) from vestige.context"),
            "run sql: revert: 2 changes of public.k were not undone");
}

// The same statements on both databases; what follows a row in SQL and in the library must agree.
class PostgresBesideSqlite : public ::testing::Test {
 protected:
  PostgresBesideSqlite() : lite_(open()) {
    run("create table t (k integer primary key, a text, b integer)");
    EXPECT_TRUE(install(*lite_).has_value());
    EXPECT_TRUE(track(*lite_, "t", Policy{}).has_value());
    shop_.admin.run("select vestige.track('t')");
  }
  std::unique_ptr<Database> open() {
    auto opened = Sqlite::open(directory_.file("both.db"), Sqlite::Mode::create);
    if (!opened.has_value()) throw std::runtime_error(opened.error().message);
    return std::unique_ptr<Database>(std::move(opened).take());
  }
  void run(const std::string& sql) {
    ASSERT_TRUE(lite_->script(sql).has_value()) << sql;
    shop_.admin.run(sql);
  }
  // The ids of a row's changes, each as its place among all changes of the table.
  std::string log(Database& db, std::int64_t key) {
    Selection all;
    all.table = tracked_table(db, "t")->id;
    all.oldest_first = true;
    std::map<std::int64_t, int> places;
    for (const Change& change : read(db, all))
      places.emplace(change.id, static_cast<int>(places.size()) + 1);
    all.key = parse_key(db, *tracked_table(db, "t"), {std::to_string(key)})->key;
    std::string out;
    for (Change& change : read(db, all)) {
      out += std::to_string(places.at(change.id)) + " " + std::string(name(change.op)) + " " +
             to_json(change.key) + (change.new_key ? to_json(*change.new_key) : "") +
             (change.old_values ? to_json(*change.old_values) : "") +
             (change.new_values ? to_json(*change.new_values) : "") + "\n";
    }
    return out;
  }
  static std::vector<Change> read(Database& db, const Selection& selection) {
    auto changes = read_changes(db, selection);
    std::vector<Change> out;
    while (auto change = *(*changes)->next()) out.push_back(std::move(*change));
    return out;
  }
  // The table just after the change at a place, and each of its rows by itself.
  std::string at_place(Database& db, std::size_t place) {
    Selection all;
    all.oldest_first = true;
    const Moment moment = {Moment::Kind::change, read(db, all).at(place).id};
    std::string out;
    auto states = at(db, "t", moment);
    while (auto state = *(*states)->next()) out += to_json(*state) + "\n";
    for (int key = 0; key < kKeys; ++key) {
      const auto state = at(db, "t", {std::to_string(key)}, moment);
      out +=
          std::to_string(key) + (state->has_value() ? to_json(**state) : " was not there") + "\n";
    }
    return out;
  }
  // Who gave the columns of a row their values: by what the change did, since its id is the database's own.
  static std::string blamed(Database& db, int key) {
    const auto who = blame(db, "t", {std::to_string(key)});
    if (!who.has_value()) return who.error().message;
    std::string out = to_json(who->key) + (who->exists ? " stands\n" : " is gone\n");
    for (const Blamed& column : who->columns)
      out += column.column + " " + to_json(column.value) + " " +
             (column.change ? std::string(name(column.change->op)) + to_json(column.change->key)
                            : "-") +
             "\n";
    return out;
  }

  static constexpr int kKeys = 8;
  TemporaryDirectory directory_;
  PgShop shop_;
  std::unique_ptr<Database> lite_;
};

TEST_F(PostgresBesideSqlite, FollowRowsThroughTheSameKeys) {
  for (unsigned seed = 1; seed <= 3; ++seed) {
    std::mt19937 dice(seed);
    const auto any = [&](int n) {
      return std::to_string(static_cast<int>(dice() % static_cast<unsigned>(n)));
    };
    for (int i = 0; i < 90; ++i) {
      const std::string key = any(kKeys), other = any(kKeys), word = "'w" + any(100) + "'";
      switch (dice() % 6) {
        case 0:
        case 1:
          run("insert into t select " + key + ", " + word +
              ", 1 where not exists (select 1 from t where k = " + key + ")");
          break;
        case 2: run("delete from t where k = " + key); break;
        case 3: run("update t set a = " + word + ", b = b + 1 where k = " + key); break;
        default:
          run("update t set k = " + other + ", a = " + word + " where k = " + key +
              " and not exists (select 1 from t o where o.k = " + other + ")");
      }
    }
  }
  const auto moves = std::stoi(shop_.admin.one("select count(*)::text from vestige.moved"));
  EXPECT_GT(moves, 8);
  Database& postgres = shop_.admin.db();
  for (int key = 0; key < kKeys; ++key) {
    EXPECT_EQ(log(*lite_, key), log(postgres, key)) << key;
    EXPECT_EQ(blamed(*lite_, key), blamed(postgres, key)) << key;
  }
  for (std::size_t place = 0; place < 90; place += 17)
    EXPECT_EQ(at_place(*lite_, place), at_place(postgres, place)) << place;
}

}  // namespace
}  // namespace vestige
