// Encrypted and redacted columns that the native engine records itself: what it writes opens to what the portable functions would have
// written down, nothing of it stands anywhere in clear, and a data key lives as long as its wrap. No pgcrypto is needed.
#include <gtest/gtest.h>
#include <rapidcheck.h>

#include "test/capture_random.h"
#include "test/native_opened.h"
#include "vestige/base/file.h"

namespace vestige {
namespace {

class PostgresNativeEncrypted : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!NativeTwins::there(shop)) GTEST_SKIP() << "the server has no native engine";
    s.run("alter table vestige.tracked alter column engine set default 'native'");
    opened.add_to("phi");
  }
  std::string last() { return s.one("select max(id)::text from vestige.change"); }
  std::string wraps() { return s.one("select count(*)::text from vestige.encrypted_key"); }
  // A table of that name and one of another, which is recorded by the portable functions.
  void both(const std::string& sql) {
    for (const std::string table : {"n", "p"}) {
      std::string named = sql;
      for (std::size_t at = 0; (at = named.find('$', at)) != std::string::npos;)
        named.replace(at, 1, table);
      s.run(named);
    }
  }
  void make(const std::string& create, const std::string& policy) {
    both(create);
    both("select vestige.track('$', " + policy + ")");
    s.run("select vestige.set_engine('p', 'portable')");
  }
  void drop() {
    both("drop table $");
    s.run("update vestige.tracked set table_name = 'gone', untracked_at = now()");
  }

  PgShop shop;
  PgSession& s = shop.admin;
  NativeOpened opened{s};
};

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

TEST_F(PostgresNativeEncrypted, AKeyLivesAsLongAsItsWrap) {
  s.run(
      "create table n (id int primary key, v text); select vestige.track('n', encrypt => '{\"v\": "
      "\"phi\"}')");
  // Made in a part that is rolled back; made outside of it; kept by a part that is released; within PL/pgSQL.
  s.run(
      "begin; savepoint a; insert into n values (1, 'gone'); rollback to a; insert into n values "
      "(1, 'one'); savepoint b; update n set v = 'two'; rollback to b; update n set v = 'three'; "
      "commit");
  EXPECT_EQ(wraps(), "1");
  s.run(
      "begin; savepoint a; savepoint b; update n set v = 'four'; release b; release a; update n "
      "set v = 'five'; savepoint c; update n set v = 'six'; release c; commit");
  EXPECT_EQ(wraps(), "2");
  s.run(
      "begin; savepoint a; savepoint b; update n set v = 'gone'; release b; update n set v = "
      "'gone, too'; rollback to a; update n set v = 'seven'; commit");
  EXPECT_EQ(wraps(), "3");
  s.run(
      "do $$ begin for i in 1..20 loop begin update n set v = 'loop ' || i; if i % 3 > 0 then "
      "raise exception 'back'; end if; exception when raise_exception then null; end; end loop; "
      "end $$");
  EXPECT_EQ(wraps(), "4");
  s.run("begin; update n set v = 'nobody knows'; rollback");
  EXPECT_NE(s.error("update n set id = 2, v = (1 / (id - 1))::text"), "");
  EXPECT_EQ(wraps(), "4");
  EXPECT_EQ(opened.told("n"),
            "I {1,one}; U {NULL,one} {NULL,three}; U {NULL,three} {NULL,four}; U {NULL,four} "
            "{NULL,five}; U {NULL,five} {NULL,six}; U {NULL,six} {NULL,seven}; U {NULL,seven} "
            "{NULL,loop 3}; U {NULL,loop 3} {NULL,loop 6}; U {NULL,loop 6} {NULL,loop 9}; U "
            "{NULL,loop 9} {NULL,loop 12}; U {NULL,loop 12} {NULL,loop 15}; U {NULL,loop 15} "
            "{NULL,loop 18}");
  if (s.one("show max_prepared_transactions") == "0") return;
  const std::string name = "'" + shop.database.name() + "'";
  s.run("begin; update n set v = 'prepared'; prepare transaction " + name);
  PgSession other(shop.database.url());
  other.run("insert into n values (3, 'meanwhile')");
  s.run("insert into n values (4, 'in the same session'); commit prepared " + name);
  s.run("begin; insert into n values (5, 'never'); prepare transaction " + name +
        "; rollback prepared " + name);
  EXPECT_EQ(wraps(), "7");
  EXPECT_EQ(opened.told("n").find("LOST"), std::string::npos);
}

// No setting has it, so that no session can say another one.
TEST_F(PostgresNativeEncrypted, TheSessionHasNoKey) {
  s.run(
      "create table n (id int primary key, v text); select vestige.track('n', encrypt => '{\"v\": "
      "\"phi\"}'); create role native_app; grant all on n to native_app");
  s.run("begin; set local role native_app; insert into n values (1, 'a'); reset role");
  EXPECT_EQ(s.one("select coalesce(current_setting('vestige.data_key_706869', true), '')"), "");
  s.run(
      "select set_config('vestige.data_key_706869', pg_current_xact_id() || ' (0,1) ' || "
      "repeat('00', 32), true); update n set v = 'b'; commit");
  EXPECT_EQ(wraps(), "1");
  EXPECT_EQ(opened.told("n"), "I {1,a}; U {NULL,a} {NULL,b}");
  for (const char* sql :
       {"select vestige.native_token('phi', 'x')", "select vestige.native_recipient('x')",
        "select vestige.keep_wrap('', '', 1, '', 1)"}) {
    const std::string said = s.error(std::string("begin; set local role native_app; ") + sql);
    EXPECT_NE(said.find("permission denied"), std::string::npos) << sql << ": " << said;
    s.run("rollback");
  }
  s.run("drop owned by native_app; drop role native_app");
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

// Recipients come, end and are changed in the middle of a session, and of a transaction.
TEST_F(PostgresNativeEncrypted, ForWhomTheClassHas) {
  NativeOpened second(s);
  NativeOpened third(s);
  s.run(
      "create table n (id int primary key, v text, w text); select vestige.track('n', encrypt => "
      "'{\"v\": \"phi\"}')");
  s.run("insert into n values (1, 'one')");
  second.add_to("phi");
  s.run(
      "insert into n values (2, 'two'); select vestige.end_recipient(1); insert into n values "
      "(3, 'three')");
  s.run("select vestige.add_recipient('phi', '" + third.recipient() +
        "', clock_timestamp() + interval '1 hour'); insert into n values (4, 'four')");
  EXPECT_EQ(opened.told("n"), "I {1,one,NULL}; I {2,two,NULL}; I {3,LOST,NULL}; I {4,LOST,NULL}");
  EXPECT_EQ(second.told("n"), "I {1,LOST,NULL}; I {2,two,NULL}; I {3,three,NULL}; I {4,four,NULL}");
  EXPECT_EQ(third.told("n").find("{4,four"), std::string::npos);
  EXPECT_EQ(wraps(), "5");
  // Two classes in one transaction have a key each.
  third.add_to("hr");
  s.run(
      "select vestige.track('n', encrypt => '{\"v\": \"phi\", \"w\": \"hr\"}'); update n set v = "
      "'x', w = 'y' where id = 4");
  EXPECT_EQ(third.told("n", "(select max(id) - 1 from vestige.change)"),
            "U {NULL,LOST,NULL} {NULL,LOST,y}");
  EXPECT_EQ(s.one("select string_agg(class, ' ' order by class) from vestige.encrypted_key where "
                  "first_change > (select max(first_change) - 3 from vestige.encrypted_key) and "
                  "recipient > 2"),
            "hr");
}

// Where the trail's tables are not as it made them, SQL writes the wraps; where the module cannot, pgcrypto does, or nobody.
TEST_F(PostgresNativeEncrypted, WhateverStandsInTheWay) {
  s.run(
      "create table n (id int primary key, v text); select vestige.track('n', encrypt => '{\"v\": "
      "\"phi\"}'); create table seen (n int); create function seen() returns trigger language "
      "plpgsql as 'begin insert into public.seen values (1); return NEW; end'; create trigger seen "
      "after "
      "insert on vestige.encrypted_key for each row execute function seen()");
  s.run("insert into n values (1, 'one'); drop trigger seen on vestige.encrypted_key");
  s.run(
      "create index strange on vestige.encrypted_key (length(wrapped)) where class <> 'hr'; insert "
      "into n values (2, 'two'); drop index vestige.strange; alter table vestige.encrypted_key add "
      "more int default 3; insert into n values (3, 'three')");
  EXPECT_EQ(s.one("select count(*)::text from seen"), "1");
  EXPECT_EQ(opened.told("n"), "I {1,one}; I {2,two}; I {3,three}");
  EXPECT_EQ(opened.bound() * 10 + opened.loose(), 3);
  // An error there is not the application's: its write goes on, and has no value in clear.
  s.run(
      "create function never() returns trigger language plpgsql as 'begin raise ''never''; end'; "
      "create trigger never before insert on vestige.encrypted_key for each row execute function "
      "never()");
  const std::string refused = last();
  s.run(
      "begin; insert into n values (4, 'nobody sees this'); update n set v = 'nor this' where id "
      "= 4; drop trigger never on vestige.encrypted_key; update n set v = 'this' where id = 4; "
      "commit");
  EXPECT_EQ(opened.told("n", refused),
            "I {4,-}; U {NULL,-} {NULL,-}; U {NULL,nor this} {NULL,this}");
  EXPECT_NE(s.error("select vestige.track('n', encrypt => '{\"v\": \"none\"}')")
                .find("v cannot be encrypted: class none has no recipient"),
            std::string::npos);
  // A recipient that has no key of age, or one with a mistake in it, and no pgcrypto.
  const std::string key = opened.recipient();
  for (const std::string& public_half :
       {std::string("openpgp:AAAA"), std::string("age1none openpgp:AAAA"),
        key.substr(0, 61) + " openpgp:AAAA",
        key.substr(0, 61) + (key[61] == 'q' ? "p" : "q") + " openpgp:AAAA"})
    EXPECT_NE(s.error("select vestige.add_recipient('phi', '" + public_half + "')")
                  .find("pgcrypto is not in this database"),
              std::string::npos)
        << public_half;
  s.run("insert into vestige.recipient (class, public) values ('phi', 'openpgp:AAAA')");
  const std::string before = last();
  s.run("update n set v = 'nobody sees this' where id = 1; update n set v = null where id = 2");
  EXPECT_EQ(opened.told("n", before), "U {NULL,-} {NULL,-}; U {NULL,-} {NULL,NULL}");
}

// Back to the portable functions: refused as long as values would be lost, then by pgcrypto, and here again.
TEST_F(PostgresNativeEncrypted, BackToPgcryptoAndHereAgain) {
  s.run(
      "create table n (id int primary key, v text, w text); select vestige.track('n', encrypt => "
      "'{\"v\": \"phi\"}', redact => '{w}'); insert into n values (1, 'one', 'x')");
  const std::string all_portable =
      "select vestige.set_engine(relation, 'portable') from vestige.tracked join pg_class on "
      "pg_class.oid = relation where untracked_at is "
      "null";
  const std::string portable = "begin; " + std::string(vestige::sql::postgres::portable);
  s.run(all_portable + "; update n set v = 'two', w = 'y'");
  s.run("call vestige.set_indexes('btree')");
  EXPECT_NE(s.error(portable).find("take the native engine out: values of class phi could not be "
                                   "encrypted without it: extension pgcrypto is not in this "
                                   "database"),
            std::string::npos);
  s.run("rollback");
  EXPECT_EQ(opened.told("n"), "I {1,one,0}; U {NULL,one,0} {NULL,two,1}");
  EXPECT_EQ(opened.bound() * 10 + opened.loose(), 12);
  s.run("drop table n");
  const std::string before = last();
  s.run(file_bytes(SOURCE_DIR "/test/encrypted.sql").value());
  s.run(
      "select vestige.end_recipient(1); create table m (id int primary key, v text, w text); "
      "select vestige.track('m', encrypt => '{\"v\": \"phi\"}', redact => '{w}')");
  // An old class, of OpenPGP keys alone: the native engine leaves it to pgcrypto.
  s.run("insert into m values (1, 'native', 'x'), (2, null, null)");
  s.run(all_portable);
  s.run(portable + "; commit");
  EXPECT_EQ(s.one("select count(*)::text from pg_proc where probin = '$libdir/vestige'"), "0");
  EXPECT_EQ(s.one("select string_agg(message, '; ') from vestige.doctor() where severity <> 'note' "
                  "and message not like 'table n is gone%'"),
            "");
  s.run("update m set v = 'portable', w = 'z' where id = 1");
  ASSERT_TRUE(NativeTwins::there(shop));
  s.run("select vestige.set_engine('m', 'native')");
  s.run("update m set v = 'native again' where id = 1; delete from m where id = 2");
  EXPECT_EQ(s.one("select string_agg(concat_ws(' ', op, old_row, new_row), '; ' order by id) from "
                  "opened_changes where table_name = 'm' and id > " +
                  before),
            "I {1,native,0}; I {2,NULL,0}; U {NULL,native,0} {NULL,portable,1}; U "
            "{NULL,portable,NULL} {NULL,\"native again\",NULL}; D {2,NULL,0}");
  EXPECT_EQ(s.one("select string_agg(message, '; ') from vestige.doctor() where severity <> 'note' "
                  "and message not like 'table n is gone%'"),
            "");
}

// An older trail tells this module nothing of such columns: the portable functions record them.
TEST_F(PostgresNativeEncrypted, InATrailThatIsOlderThanTheModule) {
  s.run(
      "create table n (id int primary key, v text, w text); select vestige.track('n', encrypt => "
      "'{\"v\": \"phi\"}', redact => '{w}'); drop function vestige.native_facts(oid, int, "
      "boolean)");
  s.run(
      "create or replace function vestige.native_facts(rel oid, tracked_id int) returns bigint[] "
      "language sql as $$ select array[0, 0, 1, 0, 0, to_regproc('vestige.capture_' || "
      "tracked_id)::oid::bigint, rel::bigint, 1, 1000]::bigint[] $$");
  PgSession other(shop.database.url());
  other.run("insert into n values (1, 'one', 'x'); update n set v = 'two', w = 'y'");
  EXPECT_EQ(opened.told("n"), "I {1,one,0}; U {NULL,one,0} {NULL,two,1}");
  EXPECT_EQ(opened.bound(), 0);
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
