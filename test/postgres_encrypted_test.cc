// Encrypted columns on PostgreSQL: what is recorded opens by the private half to what the row's text would have had, whatever wrote it,
// and what a session says of a data key is worth nothing. test/encrypted.sql opens the tokens by pgcrypto alone.
#include "test/postgres_capture.h"
#include "test/tracked_shop.h"
#include "vestige/audit/keys.h"
#include "vestige/base/file.h"
#include "vestige/trail/hold.h"
#include "vestige/trail/track.h"

namespace vestige {
namespace {

class PostgresEncrypted : public testing::Test {
 protected:
  PostgresEncrypted() { s.run(file_bytes(SOURCE_DIR "/test/encrypted.sql").value()); }
  // The changes of a table after another change, opened.
  std::string told(const std::string& table, const std::string& after = "0") {
    return s.one(
        "select string_agg(concat_ws(' ', op, old_row, new_row), '; ' order by id) from "
        "opened_changes where table_name = '" +
        table + "' and id > " + after);
  }
  std::string last() { return s.one("select max(id)::text from vestige.change"); }

  PgShop shop;
  PgSession& s = shop.admin;
};

TEST_F(PostgresEncrypted, ATableIsNamedWhoseClassHasNoKey) {
  s.run("create table \"Wa rd\" (id int primary key, ssn text)");
  const auto db = must(open_database(shop.database.url()));
  Policy policy;
  policy.encrypt["ssn"] = "none";
  const std::string name = must(trackable_tables(*db)).front();
  EXPECT_EQ(error_of(track(*db, name, policy)).message,
            "track " + name + ": class none has no key to encrypt ssn for");
}

// As text in the settings that capture pins, of types whose cast to text is not what they print.
TEST_F(PostgresEncrypted, ATokenHoldsWhatTheTextOfTheRowWouldHave) {
  s.run(
      "create type mood as enum ('sad', 'ok'); create type pair as (x text, y int); create domain "
      "words as text;"
      " create table plain (id int primary key, a bool, b char(5), c numeric(8,2), d timestamptz, "
      "e mood, f int[], g bytea,"
      " h jsonb, i money, j interval, k float8, l \"char\", m pair, n words, o bit(3));"
      " create table hidden (like plain including all);"
      " select vestige.track('plain'), vestige.track('hidden', encrypt => (select "
      "jsonb_object_agg(x, 'phi')"
      "   from unnest(array['a','b','c','d','e','f','g','h','i','j','k','l','m','n','o']) x));"
      " set timezone = 'Asia/Tokyo'; set datestyle = 'German'; set intervalstyle = 'iso_8601'; set "
      "bytea_output = 'escape'");
  for (const std::string table : {"plain", "hidden"})
    s.run("insert into " + table +
          " values (1, true, 'ab', 1.5, '2026-01-01 00:00:00Z', 'ok', '{1,2}', '\\xff', '{\"a\": "
          "1}', 3, '1 day', 0.1, 'z',"
          " row('q\"', 1), 'w,x', '101'); insert into " +
          table +
          " (id) values (2);"
          "update " +
          table +
          " set a = false, b = 'c', c = 1.50, d = '2027-01-01 00:00:00Z', e = 'sad', f = '{}', g = "
          "'', h = '{}', i = 4,"
          " j = '2 days', k = 0.3, l = null, m = null, n = '', o = '111' where id = 1;"
          "update " +
          table + " set b = 'c    ', c = 1.5, k = 0.3; delete from " + table + " where id = 1");
  EXPECT_EQ(told("hidden"), told("plain"));
  EXPECT_EQ(s.one("select count(*)::text from opened_changes where table_name = 'hidden'"), "5");
}

// Two encryptions of a value differ: where whole rows are recorded, one token stands for both sides.
TEST_F(PostgresEncrypted, NoUpdateArisesThatIsNone) {
  s.run(
      "create table f (id int primary key, v text, w int); create table loose (v text, w int);"
      " select vestige.track('f', capture => 'full', encrypt => '{\"v\": \"phi\"}'), "
      "vestige.track('loose', encrypt => '{\"v\": \"phi\"}')");
  for (const std::string table : {"f", "loose"})
    s.run("insert into " + table + " (v, w) select 'a', 1" +
          (table == "f" ? " where false; insert into f values (1, 'a', 1)" : "") + "; update " +
          table + " set v = v; update " + table + " set w = 2; update " + table +
          " set v = 'b'; update " + table + " set v = null, w = 2");
  EXPECT_EQ(told("f"), "I {1,a,1}; U {1,a,1} {1,a,2}; U {1,a,2} {1,b,2}; U {1,b,2} {1,NULL,2}");
  EXPECT_EQ(told("loose"), "I {a,1}; U {a,1} {a,2}; U {a,2} {b,2}; U {b,2} {NULL,2}");
  EXPECT_EQ(s.one("select string_agg(array_to_string(changed_fields, '+'), ' ' order by id) from "
                  "vestige.changes where op = 'UPDATE'"),
            "w v v w v v");
  // The first write after DDL, and rows that may be too large, take another way.
  s.run("alter table f add x text");
  const std::string before = last();
  s.run(
      "update f set v = null; update f set v = 'c', x = 'y'; alter table f add y text; update f "
      "set w = 3; update f set v = v");
  EXPECT_EQ(told("f", before), "U {1,NULL,2,NULL} {1,c,2,y}; U {1,c,2,y,NULL} {1,c,3,y,NULL}");
}

TEST_F(PostgresEncrypted, EveryWayThatARowIsWritten) {
  s.run(
      "create table p (id int primary key, v text) partition by range (id); create table p1 "
      "partition of p for values from (0) to (10);"
      " create table p2 partition of p for values from (10) to (20); insert into p values (1, "
      "'stood');"
      " select vestige.track('p', encrypt => '{\"v\": \"phi\"}', baseline => true);"
      " create table later (id int primary key, v text); insert into later values (25, 'attached');"
      " insert into p values (2, 'came'); update p set id = 12 where id = 2; alter table p attach "
      "partition later for values from (20) to (30);"
      " update p set v = 'went' where id = 25; truncate p");
  EXPECT_EQ(told("p"),
            "B {1,stood}; I {2,came}; D {2,came}; I {12,came}; I {25,attached}; U {NULL,attached} "
            "{NULL,went}; D {1,stood}; D {12,came}; "
            "D {25,went}; T");
  s.run(
      "create table par (id int primary key, v text); create table chi (id int primary key, par "
      "int references par on delete cascade, v text);"
      " select vestige.track('par', encrypt => '{\"v\": \"phi\"}', \"when\" => 'NEW.v is distinct "
      "from ''unseen'''),"
      "   vestige.track('chi', encrypt => '{\"v\": \"phi\"}');"
      " create function again() returns trigger language plpgsql as $$ begin update chi set v = v "
      "|| '+' where par = NEW.id;"
      "   update par set v = v || '!' where id = NEW.id and v not like '%!'; return null; end $$;"
      " create trigger again after update on par for each row execute function again();"
      " insert into par values (1, 'one'), (2, 'unseen'); insert into chi values (1, 1, 'c'); "
      "update par set v = 'uno' where id = 1;"
      " delete from par where id = 1");
  EXPECT_EQ(told("par"),
            "I {1,one}; U {NULL,one} {NULL,uno}; U {NULL,uno} {NULL,uno!}; D {1,uno!}");
  EXPECT_EQ(
      told("chi"),
      "I {1,1,c}; U {NULL,NULL,c} {NULL,NULL,c+}; U {NULL,NULL,c+} {NULL,NULL,c++}; D {1,1,c++}");
}

TEST_F(PostgresEncrypted, AKeyHoldsOnlyWhereAWrapOfItStands) {
  s.run(
      "create table t (id int primary key, v text); select vestige.track('t', encrypt => '{\"v\": "
      "\"phi\"}')");
  // What is rolled back takes the key with it.
  s.run(
      "begin; savepoint a; insert into t values (1, 'gone'); rollback to a; insert into t values "
      "(1, 'one'); savepoint b;"
      " update t set v = 'two'; release b; update t set v = 'three'; commit");
  EXPECT_EQ(told("t"), "I {1,one}; U {NULL,one} {NULL,two}; U {NULL,two} {NULL,three}");
  EXPECT_EQ(s.one("select count(*)::text from vestige.encrypted_key"), "1");
  int n = 1;
  for (const std::string said :
       {"''", "'x'", "' garbage zz'", "' (0,1) ' || repeat('00', 32)",
        "' (0,1) ' || repeat('00', 5)", "' (99999999999999,1) ' || repeat('00', 32)", "' (0,1)'",
        "' (0,1) zz'"}) {
    const std::string before = last();
    const std::string id = std::to_string(++n);
    s.run("begin; select set_config('vestige.data_key_706869', pg_current_xact_id() || " + said +
          ", true); insert into t values (" + id +
          ", 'mine'); update t set v = 'mine too' where id = " + id + "; commit");
    EXPECT_EQ(told("t", before), "I {" + id + ",mine}; U {NULL,mine} {NULL,\"mine too\"}") << said;
  }
  // A session that keeps a key has one in the next transaction all the same.
  s.run(
      "begin; insert into t values (100, 'a'); select set_config('vestige.data_key_706869', "
      "current_setting('vestige.data_key_706869'), false);"
      " commit; insert into t values (101, 'b')");
  EXPECT_EQ(s.one("select count(distinct substr(decode((vestige.fields(new_row))[2], 'base64'), 3, "
                  "16))::text from vestige.change"
                  " where op = 'I' and key in ('100', '101')"),
            "2");
  s.run(
      "begin isolation level serializable; insert into t values (102, 'c'); update t set v = 'd' "
      "where id = 102; commit");
  EXPECT_EQ(s.one("select count(*)::text from opened_changes where new_row::text ~ 'LOST|FORGED'"),
            "0");
}

// A session that kept what the setting said writes it down again under the number of its next transaction.
TEST_F(PostgresEncrypted, AKeyIsBelievedOnlyOfTheTransactionThatMadeIt) {
  s.run(
      "create table t (id int primary key, v text); select vestige.track('t', encrypt => '{\"v\": "
      "\"phi\"}'); create table u (id int primary key, who int, v text);"
      " select vestige.track('u', encrypt => '{\"v\": \"phi\"}', subject => 'who')");
  for (const std::string row : {"t values (1, ", "u values (1, 7, "}) {
    s.run("begin; insert into " + row +
          "'a'); create temp table kept as select"
          " current_setting('vestige.data_key_706869') as said; commit");
    s.run(
        "begin; select set_config('vestige.data_key_706869', pg_current_xact_id() || substr(said,"
        " strpos(said, ' ')), true) from kept; insert into " +
        (row[0] == 't' ? "t values (2, " : std::string("u values (2, 7, ")) +
        "'b'); commit; drop table kept");
  }
  EXPECT_EQ(told("t") + " " + told("u"), "I {1,a}; I {2,b} I {1,7,a}; I {2,7,b}");
  EXPECT_EQ(
      s.one("select count(distinct id) || ' ' || count(distinct id) filter (where subject is not"
            " null) || ' ' || count(distinct subject) from vestige.encrypted_key"),
      "6 2 1");
}

// One that is open has written wraps that nobody sees: it is named, and the next run takes them.
TEST_F(PostgresEncrypted, WhatIsOpenWhileKeysAreDestroyedIsNamed) {
  s.run(
      "create table t (id int primary key, v text); select vestige.track('t', encrypt => '{\"v\": "
      "\"phi\"}'); insert into t values (1, 'a')");
  PgSession other(shop.database.url());
  other.run("begin; insert into t values (2, 'b')");
  const auto db = must(open_database(shop.database.url()));
  Context context;
  context.set("actor", "dpo");
  context.set("reason", "two years");
  const DestroyRequest all{
      .of = "phi", .upto = must(scalar_integer(*db, "select last_value from vestige.change_id"))};
  const Destroyed first = must(destroy_keys(*db, all, context));
  EXPECT_EQ(first.data_keys, 1);
  EXPECT_EQ(fmt::format("{}", fmt::join(first.left, "; ")),
            "transactions are open that may write under a data key of before then: process " +
                other.one("select pg_backend_pid()::text") +
                "; run this again when they have ended");
  other.run("insert into t values (3, 'c'); commit");
  // One that begins later is nobody's concern.
  other.run("begin; insert into t values (4, 'd')");
  const Destroyed second = must(destroy_keys(*db, all, context));
  EXPECT_EQ(second.data_keys, 1);
  EXPECT_TRUE(second.left.empty());
  other.run("commit");
  EXPECT_EQ(told("t"), "I {1,LOST}; I {2,LOST}; I {3,LOST}; I {4,d}");
}

TEST_F(PostgresEncrypted, EachSubjectHasAKeyOfItsOwn) {
  s.run("create table e (id int primary key, v text)");
  EXPECT_NE(
      s.error("select vestige.set_policy('e', '{\"encrypt\": {\"v\": \"phi\"}, \"subject\": 1}')")
          .find("track public.e: subject is no name of a column"),
      std::string::npos);
  s.run(
      "create table f (id int primary key, who int, v text, w int); create table g (like f"
      " including all); select vestige.track('f', encrypt => '{\"v\": \"phi\"}', subject => 'who'),"
      " vestige.track('g', capture => 'full', encrypt => '{\"v\": \"phi\"}', subject => 'who')");
  for (const std::string table : {"f", "g"})
    s.run("insert into " + table +
          " values (1, 7, 'a', 1), (2, 8, 'b', 1), (3, null, 'c', 1); update " + table +
          " set w = 2 where id = 1; update " + table +
          " set who = 8 where id = 1; begin; savepoint x; update " + table +
          " set v = 'gone'; rollback to x; update " + table +
          " set v = v || '!', who = 9 where id < 3; commit; do $$ begin for n in 1..3 loop delete "
          "from " +
          table + " where id = n; end loop; end $$");
  EXPECT_EQ(told("f"),
            "I {1,7,a,1}; I {2,8,b,1}; I {3,NULL,c,1}; U {NULL,NULL,NULL,1} {NULL,NULL,NULL,2}; U"
            " {NULL,7,NULL,NULL} {NULL,8,NULL,NULL}; U {NULL,8,a,NULL} {NULL,9,a!,NULL}; U"
            " {NULL,8,b,NULL} {NULL,9,b!,NULL}; D {1,9,a!,2}; D {2,9,b!,1}; D {3,NULL,c,1}");
  EXPECT_EQ(s.one("select string_agg(array_to_string(changed_fields, '+'), ' ' order by id) from "
                  "vestige.changes where op = 'UPDATE' and \"table\" = 'g'"),
            "w who who+v who+v");
  // Of the subject 8 nothing is read any more: what came to it, and what it had before.
  s.run(
      "select vestige.own_table('destroyed'); insert into vestige.destroyed (class, upto_change,"
      " data_keys, subject) select distinct 'phi', 1000000, 1, encode(vestige.subject_digest("
      "vestige.subject_prefix(t.id), '8'), 'hex') from vestige.tracked t where table_name in ('f',"
      " 'g'); delete from vestige.encrypted_key k using vestige.destroyed d where d.subject ="
      " encode(k.subject, 'hex')");
  EXPECT_EQ(told("f"),
            "I {1,7,a,1}; I {2,8,LOST,1}; I {3,NULL,c,1}; U {NULL,NULL,NULL,1} {NULL,NULL,NULL,2};"
            " U {NULL,7,NULL,NULL} {NULL,8,NULL,NULL}; U {NULL,8,LOST,NULL} {NULL,9,a!,NULL}; U"
            " {NULL,8,LOST,NULL} {NULL,9,b!,NULL}; D {1,9,a!,2}; D {2,9,b!,1}; D {3,NULL,c,1}");
  EXPECT_EQ(told("g"),
            "I {1,7,a,1}; I {2,8,LOST,1}; I {3,NULL,c,1}; U {1,7,a,1} {1,7,a,2}; U {1,7,LOST,2}"
            " {1,8,LOST,2}; U {1,8,LOST,2} {1,9,a!,2}; U {2,8,LOST,1} {2,9,b!,1}; D {1,9,a!,2}; D"
            " {2,9,b!,1}; D {3,NULL,c,1}");
}

// Transactions overlap: what a data key encrypted may stand behind the beginning of the next one.
TEST_F(PostgresEncrypted, AHoldKeepsAKeyForAllThatItOpens) {
  s.run(
      "create table t (id int primary key, v text); select vestige.track('t', encrypt => '{\"v\": "
      "\"phi\"}')");
  PgSession other(shop.database.url());
  s.run("begin; insert into t values (1, 'a')");
  other.run("insert into t values (2, 'b')");
  s.run("insert into t values (3, 'c'); commit");
  const auto db = must(open_database(shop.database.url()));
  Context context;
  context.set("actor", "dpo");
  context.set("reason", "two years");
  const auto place = [&](const std::string& key) {
    return must(place_hold(*db, "Doe v. Clinic", must(parse_filter("table:t key:" + key, Now(0))),
                           false, context));
  };
  const std::int64_t hold = place("3");
  const DestroyRequest first{
      .of = "phi",
      .upto = must(scalar_integer(*db, "select min(first_change) from vestige.encrypted_key"))};
  const std::string change = s.one("select id::text from vestige.change where key = '3'");
  EXPECT_EQ(error_of(destroy_keys(*db, first, context)).message,
            "keys destroy: change " + change + " is held for \"Doe v. Clinic\" (hold 1)");
  EXPECT_EQ(s.one("select count(*)::text from vestige.encrypted_key"), "2");
  must(release_hold(*db, std::to_string(hold), context));
  place("2");  // of the other key
  EXPECT_EQ(must(destroy_keys(*db, first, context)).data_keys, 1);
  EXPECT_EQ(told("t"), "I {1,LOST}; I {2,b}; I {3,LOST}");
}

TEST_F(PostgresEncrypted, NobodyReadsOrMakesKeysThatIsNotMeantTo) {
  s.run(
      "create table t (id int primary key, v text); select vestige.track('t', encrypt => '{\"v\": "
      "\"phi\"}'); create role enc_app;"
      " grant all on t to enc_app");
  for (const char* sql :
       {"select vestige.encrypted('phi', 'x')", "select vestige.encrypted_anew('phi', 'x')",
        "select vestige.new_data_key('phi')", "select vestige.add_recipient('phi', 'x')",
        "select vestige.end_recipient(1)", "select * from vestige.encrypted_key",
        "insert into vestige.recipient (class, public) values ('phi', 'x')"}) {
    const std::string said = s.error(std::string("begin; set local role enc_app; ") + sql);
    EXPECT_NE(said.find("permission denied"), std::string::npos) << sql << ": " << said;
    s.run("rollback");
  }
  s.run(
      "begin; set local role enc_app; insert into t values (1, 'by the application'); commit; drop "
      "owned by enc_app; drop role enc_app");
  EXPECT_EQ(told("t"), "I {1,\"by the application\"}");
  for (const char* sql :
       {"delete from vestige.encrypted_key", "update vestige.encrypted_key set wrapped = ''",
        "truncate vestige.encrypted_key"})
    EXPECT_NE(s.error(sql).find("history is append-only"), std::string::npos) << sql;
}

TEST_F(PostgresEncrypted, WhereverPgcryptoStandsAndWhereItDoesNot) {
  s.run(
      "create table t (id int primary key, v text); select vestige.track('t', encrypt => '{\"v\": "
      "\"phi\"}'); create schema \"an 'other\";"
      " alter extension pgcrypto set schema \"an 'other\"; begin; insert into t values (1, 'a'); "
      "update t set v = 'b'; commit");
  EXPECT_EQ(
      s.one("select string_agg(message, '; ') from vestige.doctor() where code = 'encrypt'"),
      "the function that encrypts is not as vestige made it, or pgcrypto stands elsewhere now");
  s.run("select vestige.mend(); update t set v = 'c'; alter extension pgcrypto set schema public");
  EXPECT_EQ(told("t"), "I {1,a}; U {NULL,a} {NULL,b}; U {NULL,b} {NULL,c}");
  EXPECT_EQ(s.one("select count(*)::text from vestige.encrypted_key"), "2");
  s.run("select vestige.mend()");
  EXPECT_EQ(s.one("select count(*)::text from vestige.doctor() where severity <> 'note'"), "0");
  // Gone, and others in its place: with an extension's name, too, nothing but a superuser's is called.
  const std::string before = last();
  s.run("drop extension pgcrypto");
  for (const char* f : {"encrypt_iv(bytea, bytea, bytea, text)",
                        "pgp_pub_encrypt_bytea(bytea, bytea, text)", "gen_random_bytes(int)"})
    s.run(std::string("create function public.") + f +
          " returns bytea language plpgsql as $$ begin create table public.called (); return "
          "'\\x00'; end $$");
  s.run(
      "update t set v = 'plaintext'; update t set v = 'plaintext, too'; update t set v = null; "
      "update t set id = 2");
  EXPECT_EQ(
      told("t", before),
      "U {NULL,-} {NULL,-}; U {NULL,-} {NULL,-}; U {NULL,-} {NULL,NULL}; U {1,NULL} {2,NULL}");
  EXPECT_EQ(s.one("select count(*)::text from vestige.change where concat(old_row, new_row) like "
                  "'%plaintext%'"),
            "0");
  EXPECT_EQ(s.one("select coalesce(to_regclass('public.called')::text, 'nothing')"), "nothing");
  EXPECT_EQ(s.one("select string_agg(message, '; ') from vestige.note"),
            "values of class phi are recorded as redacted, since they cannot be encrypted: "
            "extension pgcrypto is not in this database");
}

// Asking for a function by its name raises an error where its schema may not be used: a write must not.
TEST_F(PostgresEncrypted, WritesGoOnWherePgcryptoMayNotBeUsed) {
  const std::string owner = shop.role("owner");
  s.run("alter schema vestige owner to " + owner);
  shop.install();
  s.run(
      "create schema apart; alter extension pgcrypto set schema apart; grant usage on schema apart "
      "to " +
      owner + "; create table t (id int primary key, v text); alter table t owner to " + owner +
      "; select vestige.track('t', encrypt => '{\"v\": \"phi\"}'), vestige.mend()");
  const std::string as = "set role " + owner + "; ";
  s.run(as + "insert into t values (1, 'a'); reset role; revoke usage on schema apart from " +
        owner);
  s.run(as +
        "insert into t values (2, 'plaintext'); update t set v = 'plaintext, too' where id = 2; "
        "reset role");
  EXPECT_EQ(s.one("select string_agg(op, '' order by id) || bool_and(op = 'I' and key = '1' or "
                  "new_row ~ ',-') from vestige.change where tracked = (select id from "
                  "vestige.tracked where table_name = 't')"),
            "IIUtrue");
  EXPECT_EQ(s.one("select count(*)::text from vestige.change where concat(old_row, new_row) like "
                  "'%plaintext%'"),
            "0");
  const std::string trouble = "the trail's owner may not use the schema of pgcrypto, apart";
  EXPECT_EQ(
      s.one("select string_agg(message, '; ') from vestige.note"),
      "values of class phi are recorded as redacted, since they cannot be encrypted: " + trouble);
  EXPECT_NE(s.error(as + "select vestige.add_recipient('hr', 'age1 openpgp:aaaa')").find(trouble),
            std::string::npos);
  // Whoever looks may not use it either, and is told what helps.
  s.run("set role " + owner);
  EXPECT_EQ(s.one("select string_agg(remedy, '; ') from vestige.doctor() where severity = 'error'"),
            "grant usage on schema apart to " + owner);
  s.run("reset role; grant usage on schema apart to " + owner);
  const std::string before = last();
  s.run(as + "insert into t values (3, 'c'); reset role");
  EXPECT_EQ(s.one("select (new_row !~ ',-')::text from vestige.change where id > " + before),
            "true");
}

}  // namespace
}  // namespace vestige
