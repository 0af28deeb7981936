// The data keys of the native engine: each lives as long as its wrap, for whom the class has; and what is done where the module cannot
// encrypt, or is not there any more.
#include <gtest/gtest.h>

#include "test/native_opened.h"
#include "vestige/base/file.h"
#include "vestige/db/postgres.h"
#include "vestige/trail/install.h"

namespace vestige {
namespace {

class PostgresNativeDataKeys : public NativeEncrypted {};

TEST_F(PostgresNativeDataKeys, AKeyLivesAsLongAsItsWrap) {
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
TEST_F(PostgresNativeDataKeys, TheSessionHasNoKey) {
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

// Recipients come, end and are changed in the middle of a session, and of a transaction.
TEST_F(PostgresNativeDataKeys, ForWhomTheClassHas) {
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
TEST_F(PostgresNativeDataKeys, WhateverStandsInTheWay) {
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
  // What SQL runs there makes a key of the same class, and takes it back.
  s.run(
      "create table m (id int primary key, v text); select vestige.track('m', encrypt => '{\"v\": "
      "\"phi\"}'); create function within() returns trigger language plpgsql as 'begin if not "
      "exists "
      "(select from public.m) then insert into public.m values (1, ''within''); if NEW.class = "
      "''phi'' then raise exception ''back''; end if; end if; return NEW; exception when "
      "raise_exception then return NEW; end'; create trigger within before insert on "
      "vestige.encrypted_key for each row execute function within(); alter table "
      "vestige.encrypted_key "
      "drop more");
  const std::string inner = last();
  s.run(
      "begin; insert into n values (6, 'six'); update n set v = 'seven' where id = 6; commit; drop "
      "trigger within on vestige.encrypted_key; insert into n values (8, 'eight')");
  EXPECT_EQ(opened.told("n", inner), "I {6,six}; U {NULL,six} {NULL,seven}; I {8,eight}");
  EXPECT_EQ(opened.told("m"), "");
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
TEST_F(PostgresNativeDataKeys, BackToPgcryptoAndHereAgain) {
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
TEST_F(PostgresNativeDataKeys, InATrailThatIsOlderThanTheModule) {
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

// A value's bytes are UTF-8, or what they are in SQL_ASCII. Where they are others the module leaves them to pgcrypto.
TEST_F(PostgresNativeDataKeys, InDatabasesOfOtherEncodings) {
  for (const std::string encoding : {"LATIN1", "SQL_ASCII"}) {
    const std::string name = shop.database.name() + "_" + encoding;
    s.run("create database \"" + name + "\" template template0 encoding '" + encoding +
          "' lc_collate 'C' lc_ctype 'C'");
    {
      const std::string url = PostgresServer::shared().url(name, "postgres");
      must(install(*must(Postgres::open(url))));
      PgSession there(url);
      there.run("begin; " + std::string(vestige::sql::postgres::native) + "; commit");
      NativeOpened module(there);
      std::string recipient = file_bytes(SOURCE_DIR "/test/encrypted.sql").value();
      const std::string age = module.recipient().substr(0, 62);
      for (std::size_t at = 0; (at = recipient.find("age1none", at)) != std::string::npos;)
        recipient.replace(at, 8, age);
      there.run(recipient);
      there.run(
          "set client_encoding = 'UTF8'; create table n (id int primary key, v text); select "
          "vestige.track('n', encrypt => '{\"v\": \"phi\"}'); select vestige.set_engine('n', "
          "'native'); insert into n values (1, 'Gr\u00f6\u00dfe')");
      const std::string told = module.told("n");
      EXPECT_EQ(told, encoding == "LATIN1" ? "I {1,LOST}" : "I {1,Gr\u00f6\u00dfe}");
      if (encoding == "LATIN1") {
        EXPECT_EQ(there.one("select string_agg(concat_ws(' ', op, new_row), '; ') from "
                            "opened_changes where table_name = 'n'"),
                  "I {1,Gr\u00f6\u00dfe}");
      }
    }
    s.run("drop database \"" + name + "\"");
  }
}

}  // namespace
}  // namespace vestige
