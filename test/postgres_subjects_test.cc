// A key for each person on PostgreSQL: what a session says of a key puts nobody else's values under a person's, so that they go with it.
#include "test/postgres_capture.h"
#include "test/tracked_shop.h"
#include "vestige/audit/keys.h"
#include "vestige/base/file.h"
#include "vestige/trail/hold.h"

namespace vestige {
namespace {

class PostgresSubjects : public testing::Test {
 protected:
  PostgresSubjects() {
    s.run(file_bytes(SOURCE_DIR "/test/encrypted.sql").value());
    s.run(
        "create table p (id int primary key, who int, v text); create table q (like p including"
        " all); create table r (id int primary key, v text); select vestige.track('p', encrypt =>"
        " '{\"v\": \"phi\"}', subject => 'who'), vestige.track('q', encrypt => '{\"v\": \"phi\"}',"
        " subject => 'who'), vestige.track('r', encrypt => '{\"v\": \"phi\"}')");
    because.set("actor", "dpo");
    because.set("reason", "request 12");
  }
  std::string told(const std::string& table) {
    return s.one(
        "select string_agg(concat_ws(' ', op, old_row, new_row), '; ' order by id) from "
        "opened_changes where table_name = '" +
        table + "'");
  }

  PgShop shop;
  PgSession& s = shop.admin;
  Context because;
  const DestroySubjectRequest of_44{.tables = {"public.p"}, .subject = "44"};
};

// Whoever writes a row of a person can compute the person's key from what the transaction keeps, and say that it is the transaction's.
TEST_F(PostgresSubjects, ASessionPutsNothingElseUnderAPersonsKey) {
  s.run(
      "begin; insert into p values (1, 44, 'ann'); create temp table said as select x.setting,"
      " concat_ws(' ', x.kept[1], k.ctid, encode(y.key, 'hex'), x.kept[4]) as forged,"
      " k.id = vestige.data_key_id(y.key) as same from (select vestige.data_key_setting('phi') as"
      " setting, string_to_array(current_setting(vestige.data_key_setting('phi')), ' ') as kept) x,"
      " vestige.encrypted_key k, lateral (select sha256(convert_to('vestige-subject-key', 'UTF8')"
      " || decode(x.kept[4], 'hex') || k.subject) as key) y where k.subject is not null");
  EXPECT_EQ(s.one("select string_agg(same::text, ' ') from said"), "true");
  const auto forge = [&] { s.run("select set_config(setting, forged, true) from said"); };
  forge();
  s.run("insert into r values (1, 'held')");
  forge();
  s.run("insert into p values (2, null, 'nobody')");
  forge();
  s.run("insert into q values (1, 45, 'other'); insert into q values (2, null, 'neither')");
  forge();
  s.run("insert into p values (3, 44, 'too'); commit");
  EXPECT_EQ(told("r"), "I {1,held}");
  const auto db = must(open_database(shop.database.url()));
  EXPECT_GE(must(destroy_keys(*db, of_44, because)).data_keys, 1);
  EXPECT_EQ(told("p"), "I {1,44,LOST}; I {2,NULL,nobody}; I {3,44,LOST}");
  EXPECT_EQ(told("q"), "I {1,45,other}; I {2,NULL,neither}");
  EXPECT_EQ(told("r"), "I {1,held}");
}

// As a trail may have it from when a session was believed.
TEST_F(PostgresSubjects, AHoldOfAnotherTableKeepsWhatAPersonsKeyOpens) {
  s.run(
      "insert into p values (1, 44, 'ann'); insert into r values (1, 'held'); alter table"
      " vestige.encrypted_key disable trigger append_only; update vestige.encrypted_key set subject"
      " = vestige.subject_digest(vestige.subject_prefix(t.id), '44') from vestige.tracked t where"
      " t.table_name = 'p' and subject is null; alter table vestige.encrypted_key enable always"
      " trigger append_only");
  const auto db = must(open_database(shop.database.url()));
  must(place_hold(*db, "Doe v. Clinic", must(parse_filter("table:r", Now(0))), false, because));
  EXPECT_EQ(error_of(destroy_keys(*db, of_44, because)).message,
            "keys destroy: change " +
                s.one("select id::text from vestige.changes where \"table\" = 'r'") +
                " is held for \"Doe v. Clinic\" (hold 1)");
  EXPECT_EQ(told("r"), "I {1,held}");
}

// What is equal to 17 and spelled otherwise would be left, and nobody would notice.
TEST_F(PostgresSubjects, AreOfTypesThatAreWrittenInOneWay) {
  s.run(
      "create domain whose as int; create domain price as numeric(8,2); create type mood as enum"
      " ('a', 'b'); create table e (id int primary key, v text, a1 smallint, a2 int, a3 bigint, a4"
      " uuid, a5 text, a6 varchar(9), a7 boolean, a8 date, a9 bytea, b1 timestamptz, b2 mood, b3"
      " whose, b4 numeric(10,0), x1 numeric, x2 numeric(8,2), x3 price, x4 char(5), x5 real, x6"
      " float8, x7 jsonb, x8 int[], x9 interval)");
  const auto track_by = [&](const std::string& column) {
    return "select vestige.track('e', encrypt => '{\"v\": \"phi\"}', subject => '" + column + "')";
  };
  for (const std::string column :
       {"id", "a1", "a2", "a3", "a4", "a5", "a6", "a7", "a8", "a9", "b1", "b2", "b3", "b4"})
    s.run(track_by(column));
  for (const std::string column : {"x1", "x2", "x3", "x4", "x5", "x6", "x7", "x8", "x9"})
    EXPECT_EQ(s.error(track_by(column)),
              "run sql: track public.e: " + column +
                  " says whose a row is, and values of its type that are equal are written in"
                  " several ways");
  const auto doctor_says = [&] {
    return s.one(
        "select coalesce(string_agg(message, '; '), '') from vestige.doctor() where code ="
        " 'policy-column'");
  };
  s.run(track_by("a2"));
  EXPECT_EQ(doctor_says(), "");
  s.run("alter table e alter a2 type numeric");
  EXPECT_EQ(doctor_says(),
            "values of a2 that are equal are written in several ways now: keys destroy --subject"
            " may leave some");
}

}  // namespace
}  // namespace vestige
