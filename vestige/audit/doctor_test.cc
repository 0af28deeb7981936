#include "vestige/audit/doctor.h"

#include <algorithm>

#include "test/examined_shop.h"
#include "vestige/trail/context.h"

namespace vestige {
namespace {

using DoctorTest = ExaminedShop;

TEST_F(DoctorTest, SaysThatThereIsNoTrail) {
  Shop bare;
  EXPECT_EQ(error_of(doctor(bare.db(), false)).fault, Fault::missing);
  EXPECT_EQ(error_of(doctor(bare.db(), true)).fault, Fault::missing);
  EXPECT_FALSE(bare.db().in_transaction());
}

TEST_F(DoctorTest, FindsNothingWhereAllIsWell) {
  shop_.track("products");
  shop_.run("insert into products values (1, 'ink', 5, null)");
  EXPECT_EQ(found(), "");
  EXPECT_EQ(found(true), "");
}

TEST_F(DoctorTest, PutsBackTriggersThatAreMissing) {
  shop_.track("products");
  shop_.run("drop trigger vestige_1_update; insert into products values (1, 'ink', 5, null)");
  EXPECT_EQ(found(), "error triggers-missing products\n");
  EXPECT_EQ(message(),
            "1 of its capture triggers are missing: vestige_1_update; changes since they went are "
            "not in the"
            " trail");
  EXPECT_EQ(remedy(), "vestige doctor --fix");
  EXPECT_TRUE(findings_[0].fixable);
  EXPECT_EQ(found(true), "error triggers-missing products fixed\n");
  EXPECT_EQ(remedy(), "vestige track products --baseline records the rows as they are now");
  EXPECT_EQ(found(), "");
  const std::int64_t before = shop_.last_change();
  shop_.run("update products set price = 6");
  EXPECT_EQ(shop_.changes(before), "UPDATE {\"id\":1} {\"price\":5} {\"price\":6}\n");
  EXPECT_EQ(shop_.rows("select note from vestige_shape order by id desc limit 1"),
            "triggers were missing: changes before this may not be in the trail\n");
}

TEST_F(DoctorTest, FindsATableThatAMigrationToolRebuilt) {
  shop_.track("products");
  shop_.run(
      "create table \"new__products\" (id integer primary key, name text, price, secret, size);"
      "insert into \"new__products\" select id, name, price, secret, 1 from products;"
      "drop table products; alter table \"new__products\" rename to products");
  EXPECT_EQ(found(), "error triggers-missing products\nerror column-added products\n");
  EXPECT_EQ(found(true),
            "error triggers-missing products fixed\nerror column-added products fixed\n");
  EXPECT_EQ(found(), "");
  shop_.run("insert into products values (1, 'ink', 5, null, 3)");
  EXPECT_EQ(
      shop_.changes(),
      "INSERT {\"id\":1} {\"id\":1,\"name\":\"ink\",\"price\":5,\"secret\":null,\"size\":3}\n");
}

TEST_F(DoctorTest, PutsBackTriggersThatWereEdited) {
  shop_.track("products");
  shop_.run(
      "drop trigger vestige_1_delete;"
      "create trigger vestige_1_delete after delete on products begin select 1; end");
  EXPECT_EQ(found(), "error triggers-altered products\n");
  EXPECT_EQ(
      message(),
      "capture triggers are not as they should be: vestige_1_delete; they were edited, or a unique"
      " index came or went, and rows that a REPLACE removed may not be in the trail");
  EXPECT_EQ(found(true), "error triggers-altered products fixed\n");
  EXPECT_EQ(found(), "");
}

TEST_F(DoctorTest, SeesThatAUniqueIndexCame) {
  shop_.track("products");
  shop_.run("create unique index by_name on products (name)");
  EXPECT_EQ(found(), "error triggers-altered products\n");
  EXPECT_EQ(found(true), "error triggers-altered products fixed\n");
  EXPECT_EQ(found(), "");
  shop_.run(
      "insert into products values (1, 'ink', 5, null);"
      "replace into products values (2, 'ink', 6, null)");
  EXPECT_EQ(shop_.changes(1),
            "DELETE {\"id\":1} {\"id\":1,\"name\":\"ink\",\"price\":5,\"secret\":null}\n"
            "INSERT {\"id\":2} {\"id\":2,\"name\":\"ink\",\"price\":6,\"secret\":null}\n");
}

TEST_F(DoctorTest, AnOrdinaryIndexIsNoTrouble) {
  shop_.track("products");
  shop_.run("create index by_name on products (name); create view v as select * from products");
  EXPECT_EQ(found(), "");
}

TEST_F(DoctorTest, FollowsATableThatWasRenamed) {
  shop_.track("products");
  shop_.run("alter table products rename to goods; insert into goods values (1, 'ink', 5, null)");
  EXPECT_EQ(found(), "error table-renamed products\n");
  EXPECT_EQ(message(),
            "table products was renamed to goods; its changes are recorded under the former name");
  EXPECT_EQ(found(true), "error table-renamed products fixed\n");
  EXPECT_EQ(remedy(), "");
  EXPECT_EQ(found(), "");
  EXPECT_EQ(must(tracked_table(shop_.db(), "goods")).id, 1);
  shop_.run("delete from goods");
  EXPECT_EQ(shop_.last_change(), 2);
}

TEST_F(DoctorTest, FollowsARenameThatOnlyChangesCase) {
  shop_.track("products");
  shop_.run("alter table products rename to t; alter table t rename to Products");
  EXPECT_EQ(found(true), "error table-renamed products fixed\n");
  EXPECT_EQ(found(), "");
}

TEST_F(DoctorTest, FollowsTwoTablesThatSwappedTheirNames) {
  shop_.run("create table other (id integer primary key, x)");
  shop_.track("products");
  shop_.track("other");
  shop_.run(
      "alter table products rename to t; alter table other rename to products;"
      "alter table t rename to other");
  EXPECT_EQ(found(), "error table-renamed other\nerror table-renamed products\n");
  EXPECT_EQ(found(true), "error table-renamed other fixed\nerror table-renamed products fixed\n");
  EXPECT_EQ(found(), "");
  EXPECT_EQ(must(tracked_table(shop_.db(), "other")).id, 1);
  EXPECT_EQ(must(tracked_table(shop_.db(), "products")).id, 2);
}

TEST_F(DoctorTest, DoesNotChooseBetweenARenamedTableAndOneThatTookItsName) {
  shop_.track("products");
  shop_.run(
      "alter table products rename to products_old;"
      "create table products (id integer primary key, name text, price, secret)");
  EXPECT_EQ(found(true), "error table-renamed products\n");
  EXPECT_EQ(message(),
            "table products was renamed to products_old, and another table took its name; capture "
            "goes on in"
            " products_old");
  EXPECT_FALSE(findings_[0].fixable);
  EXPECT_EQ(remedy(), "vestige track products goes on with the new products");
  shop_.track("products");
  EXPECT_EQ(found(), "");
}

TEST_F(DoctorTest, SaysThatATableIsGone) {
  shop_.track("products");
  shop_.run("drop table products");
  EXPECT_EQ(found(true), "error table-missing products\n");
  EXPECT_EQ(message(), "table products is gone; its history stays readable");
  EXPECT_FALSE(findings_[0].fixable);
  must(untrack(shop_.db(), "products"));
  EXPECT_EQ(found(), "");
}

TEST_F(DoctorTest, RecordsAColumnThatWasAdded) {
  shop_.track("products");
  shop_.run(
      "alter table products add column size; insert into products values (1, 'ink', 5, null, 3)");
  EXPECT_EQ(found(), "error column-added products\n");
  EXPECT_EQ(message(),
            "column size is new and not recorded; its changes so far are not in the trail");
  EXPECT_EQ(found(true), "error column-added products fixed\n");
  EXPECT_EQ(found(), "");
  shop_.run("update products set size = 4");
  EXPECT_EQ(shop_.changes(1), "UPDATE {\"id\":1} {\"size\":3} {\"size\":4}\n");
}

TEST_F(DoctorTest, KeepsTheIdentityOfAColumnThatWasRenamed) {
  shop_.track("products", with_condition("NEW.price > 0 or OLD.\"price\" > 0"));
  shop_.run(
      "insert into products values (1, 'ink', 5, null);"
      "alter table products rename column price to amount;"
      "alter table products rename column name to \"a \"\"title\"\"\"");
  EXPECT_EQ(found(), "error column-renamed products\nerror column-renamed products\n");
  EXPECT_EQ(found(true),
            "error column-renamed products fixed\nerror column-renamed products fixed\n");
  EXPECT_EQ(found(), "");
  shop_.run("update products set amount = 6");
  EXPECT_EQ(shop_.changes(1), "UPDATE {\"id\":1} {\"amount\":5} {\"amount\":6}\n");
  EXPECT_EQ(
      shop_.rows("select count(distinct json_extract(columns, '$[2].id')) from vestige_shape"),
      "1\n");
  EXPECT_EQ(must(tracked_table(shop_.db(), "products")).policy.when,
            "NEW.\"amount\" > 0 or OLD.\"amount\" > 0");
}

TEST_F(DoctorTest, FollowsAKeyColumnAndATableThatWereRenamedTogether) {
  shop_.run("create table pairs (a, b, c, primary key (a, b)) without rowid");
  shop_.track("pairs");
  shop_.run(
      "alter table pairs rename to couples; alter table couples rename column a to first;"
      "insert into couples values (1, 2, 3)");
  EXPECT_EQ(found(true), "error table-renamed pairs fixed\nerror column-renamed pairs fixed\n");
  EXPECT_EQ(found(), "");
  shop_.run("delete from couples");
  EXPECT_EQ(shop_.changes(1), "DELETE {\"first\":1,\"b\":2} {\"first\":1,\"b\":2,\"c\":3}\n");
}

TEST_F(DoctorTest, SaysThatAColumnAndTheKeyWereReplaced) {
  shop_.track("products");
  shop_.run("drop table products; create table products (code text primary key, name text)");
  EXPECT_EQ(found(),
            "error triggers-missing products\nerror column-added products\n"
            "warning column-dropped products\nwarning column-dropped products\n"
            "warning column-dropped products\nwarning key-changed products\n");
  EXPECT_EQ(findings_[2].message, "recorded column id is gone; its history stays readable");
  EXPECT_EQ(findings_[5].message,
            "the primary key is another one; changes so far are kept under the former key");
  found(true);
  EXPECT_EQ(found(), "");
}

TEST_F(DoctorTest, DoesNotRecordAnExcludedColumnBecauseItWasRenamed) {
  shop_.track("products", excluding({"secret"}));
  shop_.run("alter table products rename column secret to hidden");
  EXPECT_EQ(found(true), "error column-added products\n");
  EXPECT_EQ(message(),
            "column hidden is new, and the excluded column secret is gone: it may be the same one");
  EXPECT_EQ(remedy(), "vestige track products again, with the --exclude that is meant");
  EXPECT_FALSE(findings_[0].fixable);
  shop_.run("insert into products values (1, 'ink', 5, 'pin')");
  EXPECT_EQ(shop_.changes(), "INSERT {\"id\":1} {\"id\":1,\"name\":\"ink\",\"price\":5}\n");
  shop_.track("products", excluding({"hidden"}));
  EXPECT_EQ(found(), "");
}

TEST_F(DoctorTest, AnIncludeListIsNotWidened) {
  shop_.track("products", including({"price"}));
  shop_.run("alter table products add column size");
  EXPECT_EQ(found(), "");
}

TEST_F(DoctorTest, OneTableThatCannotBeMendedDoesNotKeepTheOthersFromIt) {
  shop_.run("create table orders (id integer primary key, x)");
  shop_.track("products", with_condition("NEW.price > 0"));
  shop_.track("orders");
  shop_.run(
      "drop table products; create table products (id integer primary key, name text, secret);"
      "drop trigger vestige_2_insert");
  EXPECT_EQ(found(true),
            "error triggers-missing orders fixed\nerror triggers-missing products\n"
            "warning column-dropped products\n");
  EXPECT_TRUE(findings_[1].remedy.starts_with("it could not be repaired: ")) << findings_[1].remedy;
  EXPECT_EQ(found(), "error triggers-missing products\nwarning column-dropped products\n");
}

TEST_F(DoctorTest, ClearsAContextThatWasLeft) {
  shop_.track("products");
  shop_.run("insert into vestige_session (actor, seconds) values ('ann', 60)");
  EXPECT_EQ(found(), "error context-left\n");
  EXPECT_TRUE(
      message().starts_with("a context was never cleared (actor: ann); changes of others may be "
                            "recorded as theirs until 2"))
      << message();
  EXPECT_EQ(found(true), "error context-left fixed\n");
  EXPECT_EQ(found(), "");
  shop_.run("insert into vestige_session (reason, seconds) values ('x', -1)");
  EXPECT_EQ(found(), "warning context-left\n");
  EXPECT_EQ(message(),
            "a context was never cleared (actor: nobody named); it has expired and does no harm");
}

TEST_F(DoctorTest, SaysWhenOnlyClearingEndsAContext) {
  shop_.run(
      "insert into vestige_current (only_row, context, scope, expires, seq)"
      " values (1, 1, 1, 9223372036854775807, 0)");
  EXPECT_EQ(found(), "error context-left\n");
  EXPECT_EQ(message(),
            "a context was never cleared (actor: nobody named); changes of others may be recorded "
            "as theirs"
            " until it is cleared");
}

TEST_F(DoctorTest, KnowsTheTrailsOwnGuards) {
  shop_.run(
      "drop trigger vestige_change_no_delete; drop index vestige_more_change;"
      "drop trigger vestige_more_no_update;"
      "create trigger vestige_more_no_update before update on vestige_more begin select 1; end;"
      "drop view vestige_session");
  EXPECT_EQ(found().substr(0, 20), "error trail-altered\n");
  for (const Finding& one : findings_) EXPECT_EQ(one.code, "trail-altered");
  EXPECT_EQ(findings_.size(), 6U);  // two guards, an index, a view and its two triggers
  const auto about = [&](std::string_view text) {
    return std::any_of(findings_.begin(), findings_.end(),
                       [&](const Finding& one) { return one.message == text; });
  };
  EXPECT_TRUE(
      about("the trail's trigger vestige_change_no_delete is missing: what it guards may have been"
            " changed"));
  EXPECT_TRUE(about(
      "the trail's trigger vestige_more_no_update is not as vestige made it: what it guards may"
      " have been changed"));
  found(true);
  EXPECT_TRUE(std::all_of(findings_.begin(), findings_.end(),
                          [](const Finding& one) { return one.fixed; }));
  EXPECT_EQ(found(), "");
  EXPECT_FALSE(shop_.db()
                   .script("delete from vestige_session; update vestige_more set part = 1;"
                           "insert into vestige_context (at) values (1);"
                           "delete from vestige_context")
                   .has_value());
}

TEST_F(DoctorTest, CannotBringBackATableOfTheTrail) {
  shop_.run("drop table vestige_more");
  EXPECT_TRUE(found(true).starts_with("error trail-altered\n"));
  EXPECT_EQ(findings_[0].message, "the trail's table vestige_more is missing");
  EXPECT_EQ(findings_[0].remedy, "restore the database from a backup");
  EXPECT_FALSE(findings_[0].fixed);
}

TEST_F(DoctorTest, KnowsATrailOfAnotherVersion) {
  shop_.run("update vestige_meta set value = 2 where name = 'schema_version'");
  EXPECT_EQ(found(true), "error schema-version\n");
  EXPECT_EQ(message(), "the trail has version 2, this vestige knows 1");
  EXPECT_EQ(remedy(), "use the vestige that installed it, or a newer one");
  shop_.run("update vestige_meta set value = -1 where name = 'schema_version'");
  EXPECT_EQ(found(), "error schema-version\n");
  EXPECT_EQ(remedy(), "vestige init");
}

TEST_F(DoctorTest, LooksAtTheSettingsOfItsConnection) {
  shop_.run("pragma synchronous = off");
  EXPECT_EQ(found(), "warning synchronous\n");
  shop_.run("pragma synchronous = full; pragma journal_mode = delete");
  EXPECT_EQ(found(), "note journal\n");
  EXPECT_EQ(message(),
            "journal_mode is delete; with wal, readers and the writer do not wait for each other");
  shop_.run("pragma journal_mode = memory");
  EXPECT_EQ(found(), "warning journal\n");
  EXPECT_EQ(message(),
            "journal_mode is memory: a crash in the middle of a write can destroy the database");
  auto memory = must(Sqlite::open(":memory:", Sqlite::Mode::create));
  must(install(*memory));
  EXPECT_TRUE(must(doctor(*memory, false)).empty());
}

TEST_F(DoctorTest, NotesThatTheClockRanBackwards) {
  shop_.run(
      "insert into vestige_change (tbl, shape, op, at, tx, backward) values (1, 1, 'I', 5, 1, 1)");
  EXPECT_EQ(found(), "note clock-backward\n");
  EXPECT_EQ(message(),
            "the clock ran backwards 1 times, last at change 1; the order of changes is that of "
            "their ids");
}

TEST_F(DoctorTest, TheGravestComeFirst) {
  shop_.track("products");
  shop_.run(
      "pragma journal_mode = delete; pragma synchronous = off; drop trigger vestige_1_insert");
  EXPECT_EQ(found(), "error triggers-missing products\nwarning synchronous\nnote journal\n");
}

}  // namespace
}  // namespace vestige
