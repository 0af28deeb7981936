// Encrypted and redacted columns that the native engine records itself: what it writes opens to what the portable functions would have
// written down, and nothing of it stands anywhere in clear. No pgcrypto is needed.
#include <gtest/gtest.h>
#include <rapidcheck.h>

#include "test/capture_random.h"
#include "test/native_opened.h"

namespace vestige {
namespace {

class PostgresNativeEncrypted : public NativeEncrypted {};

constexpr const char* kTypes =
    "create type mood as enum ('sad', 'ok'); create type pair as (x text, y int); create domain "
    "words as text; create domain small as int check (value < 10);";

// The text of the row, of every kind of type, under settings that make values print otherwise.
TEST_F(PostgresNativeEncrypted, ATokenHoldsWhatTheTextOfTheRowWouldHave) {
  s.run(kTypes);
  s.run(
      "create table plain (id int primary key, a bool, b char(5), c numeric(8,2), d timestamptz, "
      "e mood, f int[], g bytea, h jsonb, i money, j interval, k float8, l \"char\", m pair, n "
      "words, o bit(3), q text[], r mood[], t small);"
      " create table hidden (like plain including all);"
      " select vestige.track('plain'), vestige.track('hidden', encrypt => (select "
      "jsonb_object_agg(attname, 'phi') from pg_attribute where attrelid = 'plain'::regclass and "
      "attnum > 1));"
      " set timezone = 'Asia/Tokyo'; set datestyle = 'German'; set intervalstyle = 'iso_8601'; set "
      "bytea_output = 'escape'");
  for (const std::string table : {"plain", "hidden"})
    s.run("insert into " + table +
          " values (1, true, 'ab', 1.5, '2026-01-01 00:00:00Z', 'ok', '{1,2}', '\\xff', '{\"a\": "
          "1}', 3, '1 day', 0.1, 'z', row('q\"', 1), 'w,x', '101', array['a,b', null, ''], "
          "'{sad}', 7); insert into " +
          table + " (id) values (2); update " + table +
          " set a = false, b = 'c', c = 1.50, d = '2027-01-01 00:00:00Z', e = 'sad', f = '{}', g = "
          "'', h = '{}', i = 4, j = '2 days', k = 0.3, l = null, m = null, n = '', o = '111', q = "
          "'{}', r = null, t = -1 where id = 1; update " +
          table + " set b = 'c    ', c = 1.5, k = 0.3; delete from " + table);
  EXPECT_EQ(opened.told("hidden"), opened.told("plain"));
  EXPECT_EQ(opened.bound(), 70);
  EXPECT_EQ(opened.loose(), 0);
  EXPECT_EQ(wraps(), "4");
}

TEST_F(PostgresNativeEncrypted, EnginesTellTheSame) {
  struct Case {
    std::string create, policy;
  };
  const std::vector<Case> cases = {
      {"create table $ (id int primary key, v text, w int)", "encrypt => '{\"v\": \"phi\"}'"},
      {"create table $ (id int primary key, v text, w int)",
       "encrypt => '{\"v\": \"phi\", \"w\": \"phi\"}'"},
      {"create table $ (id int primary key, v text, w int)",
       "encrypt => '{\"v\": \"phi\"}', redact => '{w}'"},
      {"create table $ (id int primary key, v text, w int)",
       "capture => 'full', encrypt => '{\"v\": \"phi\"}', redact => '{w}'"},
      {"create table $ (id int, v text, w int)", "encrypt => '{\"v\": \"phi\"}'"},
      {"create table $ (id int, v text, w int)", "encrypt => '{\"w\": \"phi\"}', redact => '{v}'"},
      {"create table $ (id int primary key, v text, w int)",
       "encrypt => '{\"v\": \"phi\"}', \"when\" => 'NEW.w > 2'"},
      {"create table $ (gone int, id int primary key, v text, w int) partition by range (id); "
       "alter table $ drop gone; create table $_low (w int, gone int, v text, id int not null); "
       "alter table $_low drop gone; alter table $ attach partition $_low for values from "
       "(minvalue) to (3); create table $_rest partition of $ default",
       "encrypt => '{\"v\": \"phi\"}', redact => '{w}'"}};
  for (const auto& [create, policy] : cases) {
    make(create, policy);
    both(
        "insert into $ (id, v, w) select i, nullif('v,' || i, 'v,3'), nullif(i, 4) from "
        "generate_series(0, 5) i; update $ set v = v || 'x' where w % 2 = 0; update $ set v = v, w "
        "= w; update $ set w = w + 10 where w < 4; begin; update $ set w = w + 10; savepoint a; "
        "update $ set v = 'gone', w = null; rollback to a; update $ set w = -w, v = null where w > "
        "3; commit; update $ set id = 20 - id; update $ set v = 'back', w = 1 where id = 16");
    both("alter table $ add x text default 'y'");
    both("update $ set v = 'after DDL'; update $ set x = v; delete from $ where id % 2 = 0");
    both("truncate $");
    const std::string told = opened.told("p");
    EXPECT_EQ(opened.told("n"), told) << create << " " << policy;
    for (const char* wrong : {"LOST", "FORGED", "NO TOKEN", "{-", ",-}", ",-,"})
      EXPECT_EQ(told.find(wrong), std::string::npos) << told;
    drop();
  }
  EXPECT_GT(opened.bound(), 50);
}

// Triggers of the application, COPY, upserts, MERGE's kin, deferred triggers, large values: whichever engine writes.
TEST_F(PostgresNativeEncrypted, EveryWayThatARowIsWritten) {
  make("create table $ (id int primary key, v text, w text)",
       "encrypt => '{\"v\": \"phi\"}', redact => '{w}'");
  both(
      "create function again_$() returns trigger language plpgsql as 'begin if NEW.id < 3 then "
      "update $ set v = NEW.v || ''+'', w = ''seen'' where id = NEW.id + 10; end if; return null; "
      "end'; create constraint trigger again after update on $ deferrable initially deferred for "
      "each row execute function again_$()");
  both(
      "insert into $ values (1, 'one', 'a'), (2, null, null), (11, 'eleven', 'b'), (12, '', ''); "
      "begin; update $ set v = 'uno' where id = 1; update $ set w = w; commit; insert into $ "
      "values (1, 'x', 'x'), (5, 'five', 'c') on conflict (id) do update set v = $.v || 'y'; copy "
      "$ from program 'echo 6,six,d' with (format csv); insert into $ select 100 + i, repeat('z', "
      "1000000), "
      "repeat('y', 3000) from generate_series(1, 3) i; update $ set v = 'Z' || v where id > 100; "
      "update $ set v = v where id > 100; delete from $ where id > 101");
  both(
      "begin isolation level serializable; update $ set v = 'serial' where id = 5; commit; begin; "
      "declare c cursor for select * from $ where id = 5 for update; fetch c; update $ set v = "
      "'at a cursor' where current of c; commit");
  const std::string told = opened.told("p");
  EXPECT_EQ(opened.told("n"), told);
  EXPECT_NE(told.find("eleven"), std::string::npos);
  EXPECT_EQ(told.find("LOST"), std::string::npos);
  EXPECT_EQ(s.one("select string_agg(code, ' ') from vestige.doctor() where severity = 'error'"),
            "");
}

// The table is unlogged: whatever of its values the log of writes has, the trail wrote there.
TEST_F(PostgresNativeEncrypted, NothingStandsInClear) {
  s.run(
      "create unlogged table n (id int primary key, v text, w text, x text); select "
      "vestige.track('n', encrypt => '{\"v\": \"phi\"}', redact => '{w}'); insert into n values "
      "(1, 'hidden-4711-value', 'hidden-4711-redacted', 'shown-4711-value'); update n set v = "
      "'hidden-4711-again', w = 'hidden-4711-twice'; insert into n select i, repeat("
      "'hidden-4711-', 20000), 'hidden-4711-', 'shown-4711-' from generate_series(2, 5) i; begin; "
      "savepoint a; update n set v = 'hidden-4711-rolled back'; rollback to a; commit; alter "
      "table n add y text; update n set v = 'hidden-4711-rare way', w = 'hidden-4711-'; delete "
      "from n where id = 2; checkpoint");
  const auto found = [&](const std::string& text) {
    return s.one(
        "select concat((select count(*) from pg_class c join pg_namespace s on s.oid = "
        "c.relnamespace, lateral pg_read_binary_file(pg_relation_filepath(c.oid)) b where "
        "(s.nspname = 'vestige' or c.oid in (select reltoastrelid from pg_class k where "
        "k.relnamespace = 'vestige'::regnamespace)) and c.relkind in ('r', 'i', 't') and "
        "position('" +
        text +
        "'::bytea in b) > 0) > 0, ' ', (select count(*) from pg_ls_waldir() w, lateral "
        "pg_read_binary_file('pg_wal/' || w.name) b where w.name ~ '^[0-9A-F]{24}$' and "
        "position('" +
        text + "'::bytea in b) > 0) > 0)");
  };
  EXPECT_EQ(found("shown-4711"), "t t");
  EXPECT_EQ(found("hidden-4711"), "f f");
}

TEST_F(PostgresNativeEncrypted, NoUpdateArisesThatIsNone) {
  s.run(
      "create table n (id int primary key, v text, w int); create table loose (v text, w int); "
      "select vestige.track('n', capture => 'full', encrypt => '{\"v\": \"phi\"}'), "
      "vestige.track('loose', encrypt => '{\"v\": \"phi\"}')");
  s.run(
      "insert into n values (1, 'a', 1); update n set v = v; update n set w = 2; update n set v = "
      "'b'; insert into loose values ('a', 1); update loose set v = v; update loose set w = 2; "
      "update loose set v = 'b'");
  EXPECT_EQ(opened.told("n"), "I {1,a,1}; U {1,a,1} {1,a,2}; U {1,a,2} {1,b,2}");
  EXPECT_EQ(opened.told("loose"), "I {a,1}; U {a,1} {a,2}; U {a,2} {b,2}");
  EXPECT_EQ(s.one("select string_agg(array_to_string(changed_fields, '+'), ' ' order by id) from "
                  "vestige.changes where op = 'UPDATE'"),
            "w v w v");
  EXPECT_EQ(opened.loose(), 0);
}

// Two tables live the same life in the same transactions, one of them encrypted.
class EncryptedPlay {
 public:
  EncryptedPlay(PgSession& session, std::uint64_t seed) : s_(session), dice_(seed) {}
  void transaction(const std::string& name) {
    const bool open = dice_.chance(80);
    if (open) step("begin");
    int depth = 0;
    for (std::size_t i = 1 + dice_.below(7); open && i > 0; --i) {
      const std::string at = "p" + std::to_string(depth);
      switch (dice_.below(6)) {
        case 0: step("savepoint p" + std::to_string(++depth)); break;
        case 1:
          if (depth > 0) step("release " + at), --depth;
          break;
        case 2:
          if (depth > 0) step("rollback to " + at);
          break;
        case 3:
          step("do $$ begin begin " + both() + "; " +
               (dice_.chance(50) ? "raise exception 'back'; " : "") +
               "exception when raise_exception then null; end; " + both() + "; end $$");
          break;
        default: step(both()); break;
      }
    }
    if (!open) {
      step(both());
    } else if (dice_.chance(15) && s_.one("show max_prepared_transactions") != "0") {
      step("prepare transaction '" + name + "'");
      step((dice_.chance(50) ? "commit prepared '" : "rollback prepared '") + name + "'");
    } else {
      step(dice_.chance(20) ? "rollback" : "commit");
    }
  }
  std::string log;

 private:
  void step(const std::string& sql) {
    log += sql + ";\n";
    s_.run(sql);
  }
  std::string both() {
    const std::string sql = statement();
    std::string out;
    for (const char* table : {"n", "c"}) {
      std::string one = sql;
      for (std::size_t at = 0; (at = one.find('@', at)) != std::string::npos;)
        one.replace(at, 1, table);
      out += (out.empty() ? "" : "; ") + one;
    }
    return out;
  }
  std::string value() {
    return dice_.pick<std::string>(
        {"null", "''", "'a'", "repeat('b', 500)", "'c' || random_word", "v", "v || 'x'"});
  }
  std::string statement() {
    std::string given = value();
    if (const auto at = given.find("random_word"); at != std::string::npos)
      given.replace(at, 11, "'" + std::to_string(dice_.below(1000)) + "'");
    const std::string id = std::to_string(dice_.below(6));
    switch (dice_.below(6)) {
      case 0: return "delete from @ where id = " + id;
      case 1: return "update @ set w = w + 1";
      case 2:
        return "update @ set id = id + 6 where id = " + id +
               " and not exists (select from @ o where o.id = " + id + " + 6)";
      case 3: return "update @ set v = " + given + ", w = 5 where id <> " + id;
      default:
        return "insert into @ values (" + id + ", " + (given[0] == 'v' ? "'v'" : given) +
               ", 1) on conflict (id) do update set v = @.v || '+'";
    }
  }
  PgSession& s_;
  Dice dice_;
};

TEST_F(PostgresNativeEncrypted, RandomWork) {
  s.run(
      "create table n (id int primary key, v text, w int); create table c (like n including all)");
  EXPECT_TRUE(rc::check("what opens is what was recorded in clear", [this] {
    const std::uint64_t number = drawn_seed();
    const std::string policy = number % 3 == 0 ? ", capture => 'full'" : "";
    s.run("select vestige.track('n', encrypt => '{\"v\": \"phi\"}'" + policy +
          "), vestige.track('c'" + policy + "); delete from n; delete from c");
    const std::string before = last();
    EncryptedPlay play(s, number);
    for (int i = 0; i < 6; ++i) play.transaction(shop.database.name());
    const std::string n = opened.told("n", before);
    if (const std::string c = opened.told("c", before); n != c)
      throw std::runtime_error("seed " + std::to_string(number) + ": " + n + "\n" + c + "\n" +
                               play.log);
  }));
  EXPECT_GT(opened.bound(), 100);
}

}  // namespace
}  // namespace vestige
