// Rows whose values are too large to be recorded: the write goes on, and the change says which values it lacks, whoever reads it.
// The limit is lowered, as only the trail's owner can.
#include "test/evidence.h"
#include "vestige/audit/at.h"
#include "vestige/audit/blame.h"
#include "vestige/audit/diff.h"
#include "vestige/audit/log.h"
#include "vestige/audit/revert.h"

namespace vestige {
namespace {

class PostgresLarge : public ::testing::Test {
 protected:
  PostgresLarge() { s.run("insert into vestige.meta values ('large_row', '2000')"); }

  // Changes in short, by the program: "U 1 {old} {new}".
  std::string told(const std::string& after = "0") {
    Selection selection;
    selection.oldest_first = true;
    selection.after = std::stoll(after);
    const auto changes = must(read_changes(s.db(), selection));
    std::string out;
    while (const auto change = must(changes->next()))
      out += fmt::format("{} {} {} {}\n", name(change->op).substr(0, 1), to_json(change->key),
                         change->old_values.has_value() ? to_json(*change->old_values) : "-",
                         change->new_values.has_value() ? to_json(*change->new_values) : "-");
    return out;
  }
  // The same by SQL.
  std::string told_by_sql(const std::string& after = "0") {
    std::string out;
    for (const auto& row :
         s.table("select left(op, 1), key::text, coalesce(old_values::text, '-'), "
                 "coalesce(new_values::text, '-') from vestige.changes where id > " +
                 after + " order by id"))
      out += fmt::format("{} {} {} {}\n", *row[0], *row[1], *row[2], *row[3]);
    return out;
  }
  std::string last() { return s.one("select coalesce(max(id), 0)::text from vestige.change"); }
  std::string tx() { return s.one("select max(tx)::text from vestige.changes"); }
  Result<Outcome> undo(OnConflict mode, const std::string& number = "") {
    RevertRequest request;
    request.tx = std::stoll(number.empty() ? tx() : number);
    ApplyOptions options;
    options.on_conflict = mode;
    return revert(s.db(), request, options);
  }

  PgShop shop;
  PgSession& s = shop.admin;
};

// Every kind of type that can be large, in every operation.
TEST_F(PostgresLarge, NoWriteFailsAndEachChangeSaysWhatItLacks) {
  s.run(
      "create domain words as text; create type pair as (x text, y int); create extension if not "
      "exists hstore");
  const std::string gap = R"({"$unrecorded":true})";
  struct Kind {
    const char* type;
    const char* small;
    const char* large;  // i: another one each time
  };
  for (const Kind kind : {
           Kind{"text", "'s'", "repeat('l', 3000 + i)"},
           Kind{"varchar", "'s'", "repeat('\"', 3000 + i)"},
           Kind{"varchar(20000)", "'s'", "repeat('l', 3000 + i)"},
           Kind{"char(20000)", "'s'", "repeat('l', 2000 + i)"},
           Kind{"bytea", "'s'", "convert_to(repeat('l', 3000 + i), 'UTF8')"},
           Kind{"json", "'1'", "to_json(repeat('l', 3000 + i))"},
           Kind{"jsonb", "'1'", "to_jsonb(repeat('l', 3000 + i))"},
           Kind{"xml", "'<s/>'", "('<l>' || repeat('l', 3000 + i) || '</l>')::xml"},
           Kind{"text[]", "'{s}'", "array_fill('l'::text, array[2000 + i])"},
           Kind{"numeric[]", "'{1}'", "array_fill(1e300::numeric, array[20 + i])"},
           Kind{"bit varying", "'1'", "repeat('1', 3000 + i)::varbit"},
           Kind{"tsvector", "'s'",
                "array_to_tsvector(array(select md5(x::text) from generate_series(i, 200 + i) x))"},
           Kind{"words", "'s'", "repeat('l', 3000 + i)"},
           Kind{"pair", "row('s', 1)::pair", "row(repeat('l', 3000 + i), i)::pair"},
           Kind{"hstore", "'a=>1'", "hstore('l', repeat('l', 3000 + i))"},
           Kind{"path", "'((0,0),(1,1))'",
                "('(' || (select string_agg(format('(%s,%s)', x, i), ',') from generate_series(1, "
                "400) x) || ')')::path"},
       }) {
    SCOPED_TRACE(kind.type);
    const auto large = [&](int i) {
      return "(select " + std::string(kind.large) + " from (select " + std::to_string(i) +
             ") n(i))";
    };
    const std::string before = last();
    s.run(fmt::format("create table t (id int primary key, v {}, n int); select vestige.track('t')",
                      kind.type));
    s.run("insert into t values (1, " + std::string(kind.small) +
          ", 1); insert into t values (3, null, 3), (2, " + large(1) + ", 2)");
    s.run("update t set v = " + large(2) + " where id = 1");
    s.run("update t set n = 7 where id = 1");
    s.run("update t set v = " + large(3) + " where id = 2");
    s.run("update t set v = null where id = 2");
    s.run("update t set v = " + large(4) + ", n = 8 where id = 3");
    s.run("update t set v = v");
    s.run("delete from t where id = 3; delete from t where id = 2; truncate t");
    s.run("insert into t values (5, " + large(5) +
          ", 5); select vestige.baseline(id) from vestige.tracked where relation = 't'::regclass");
    const std::string small =
        s.one("select (new_values -> 'v')::text from vestige.changes where id > " + before +
              " and key_text = '1' and op = 'INSERT'");
    const std::string expected = fmt::format(
        "I {{\"id\":1}} - {{\"id\":1,\"v\":{1},\"n\":1}}\n"
        "I {{\"id\":3}} - {{\"id\":3,\"v\":null,\"n\":3}}\n"
        "I {{\"id\":2}} - {{\"id\":2,\"v\":{0},\"n\":2}}\n"
        "U {{\"id\":1}} {{\"v\":{1}}} {{\"v\":{0}}}\n"
        "U {{\"id\":1}} {{\"n\":1}} {{\"n\":7}}\n"
        "U {{\"id\":2}} {{\"v\":{0}}} {{\"v\":{0}}}\n"
        "U {{\"id\":2}} {{\"v\":{0}}} {{\"v\":null}}\n"
        "U {{\"id\":3}} {{\"v\":null,\"n\":3}} {{\"v\":{0},\"n\":8}}\n"
        "D {{\"id\":3}} {{\"id\":3,\"v\":{0},\"n\":8}} -\n"
        "D {{\"id\":2}} {{\"id\":2,\"v\":null,\"n\":2}} -\n"
        "D {{\"id\":1}} {{\"id\":1,\"v\":{0},\"n\":7}} -\n"
        "T {{}} - -\n"
        "I {{\"id\":5}} - {{\"id\":5,\"v\":{0},\"n\":5}}\n"
        "B {{\"id\":5}} - {{\"id\":5,\"v\":{0},\"n\":5}}\n",
        gap, small);
    EXPECT_EQ(told_by_sql(before), expected);
    EXPECT_EQ(told(before), expected);
    s.run("drop table t; select vestige.untrack_id(max(id)) from vestige.tracked");
  }
  EXPECT_EQ(s.one("select count(*)::text from vestige.doctor() where severity <> 'note'"), "0");
}

// Undoing puts nothing back that it does not have, and says so, whatever is forced.
TEST_F(PostgresLarge, UndoingLeavesAloneWhatIsNotKnown) {
  s.run(
      "create table t (id int primary key, v text, w text, n int); select vestige.track('t'); "
      "insert into t values (1, 'a', 'b', 1), (2, repeat('l', 3000), 'b', 2), (3, null, 'b', 3)");
  // What was before is not known: it stays as it is, and the rest of the change is undone.
  s.run("update t set v = 'new', w = 'new' where id = 2");
  const Error refused = error_of(undo(OnConflict::refuse));
  EXPECT_NE(refused.message.find("too large to be recorded"), std::string::npos) << refused.message;
  EXPECT_EQ(s.one("select v || w from t where id = 2"), "newnew");
  for (const OnConflict mode : {OnConflict::skip, OnConflict::force}) {
    s.run(
        "update t set v = repeat('l', 3000), w = 'b' where id = 2; update t set v = 'new', w = "
        "'new' where id = 2");
    const Outcome done = must(undo(mode));
    EXPECT_EQ(done.skipped, mode == OnConflict::skip ? 1 : 0);
    EXPECT_EQ(done.notes.size(), mode == OnConflict::force ? 1U : 0U);
    EXPECT_EQ(s.one("select v || w from t where id = 2"), "newb");
  }
  // What came after is not known: whether it has changed since cannot be told. Forced, the old value comes back.
  for (const std::string after : {"v", "null"}) {
    s.run("update t set v = 'a' where id = 1; update t set v = repeat('l', 3000) where id = 1");
    const std::string number = tx();
    s.run("update t set v = " + after + " where id = 1");
    EXPECT_NE(error_of(undo(OnConflict::refuse, number)).message, "");
    EXPECT_EQ(must(undo(OnConflict::skip, number)).applied, 0);
    EXPECT_EQ(s.one("select (v is distinct from 'a')::text from t where id = 1"), "true");
    must(undo(OnConflict::force, number));
    EXPECT_EQ(s.one("select v from t where id = 1"), "a");
  }
  // A null that went.
  s.run("update t set v = repeat('l', 3000), w = 'c' where id = 3");
  EXPECT_EQ(must(undo(OnConflict::force)).notes.size(), 1U);
  EXPECT_EQ(s.one("select length(v) || w from t where id = 3"), "3000b");
  // A row that is gone does not come back in part.
  s.run("delete from t where id = 3");
  EXPECT_NE(error_of(undo(OnConflict::refuse)).message, "");
  for (const OnConflict mode : {OnConflict::skip, OnConflict::force})
    EXPECT_EQ(must(undo(mode)).applied, 0);
  EXPECT_EQ(s.one("select count(*)::text from t where id = 3"), "0");
  // A row that came goes, when that is forced.
  s.run("insert into t values (4, repeat('l', 3000), 'b', 4)");
  EXPECT_NE(error_of(undo(OnConflict::refuse)).message, "");
  EXPECT_EQ(s.one("select count(*)::text from t where id = 4"), "1");
  must(undo(OnConflict::force));
  EXPECT_EQ(s.one("select count(*)::text from t where id = 4"), "0");
}

// A trigger changes the row again, and a statement is in a trigger: every change is there, in one order or the other.
TEST_F(PostgresLarge, ChangesInsideTriggersAreRecorded) {
  s.run(
      "create table t (id int primary key, v text, n int); select vestige.track('t'); create "
      "function again() returns trigger "
      "language plpgsql as $$ begin update t set n = n + 1 where id = new.id; return null; end $$; "
      "create trigger again "
      "after insert or update of v on t for each row execute function again()");
  s.run("insert into t values (1, repeat('l', 3000), 1), (2, 'small', 1)");
  s.run(
      "update t set v = repeat('m', 3000) where id = 1; update t set v = repeat('m', 3000) where "
      "id = 2");
  EXPECT_EQ(s.one("select string_agg(op::text || n, ' ' order by op, n) from (select op, count(*) "
                  "as n from vestige.change "
                  "where op in ('I', 'U') group by 1) x"),
            "I2 U6");
  EXPECT_EQ(s.one("select string_agg(n::text, ' ' order by id) from t"), "3 3");
}

// What looks back shows the value as not recorded, never as empty.
TEST_F(PostgresLarge, EveryReaderShowsWhatIsLacking) {
  s.run(
      "create table t (id int primary key, v text, n int); select vestige.track('t'); "
      "insert into t values (1, 'a', 1), (2, repeat('l', 3000), 2)");
  const std::string before = last();
  s.run(
      "update t set v = 'b', n = 3 where id = 2; update t set v = repeat('m', 3000) where id = 1");
  const std::string gap = R"({"$unrecorded":true})";
  const auto state = [&](const std::string& key, const std::string& change) {
    return to_json(
        must(at(s.db(), "t", {key}, Moment{Moment::Kind::change, std::stoll(change)})).value());
  };
  EXPECT_EQ(state("2", before), R"({"id":2,"v":)" + gap + R"(,"n":2})");
  EXPECT_EQ(state("1", before), R"({"id":1,"v":"a","n":1})");
  const auto states = must(at(s.db(), "t", Moment{Moment::Kind::change, std::stoll(before)}));
  EXPECT_EQ(to_json(must(states->next()).value()), R"({"id":1,"v":"a","n":1})");
  EXPECT_EQ(to_json(must(states->next()).value()), R"({"id":2,"v":)" + gap + R"(,"n":2})");
  EXPECT_EQ(s.one("select string_agg(coalesce(v, 'null'), ' ' order by id) from "
                  "vestige.as_of_change(null::t, " +
                  before + ")"),
            "a null")
      << "of its type there is no other value; a warning says so";
  EXPECT_EQ(s.one("select string_agg(new_values::text, ' ' order by id) from "
                  "vestige.history('t', '2')"),
            R"({"n": 2, "v": {"$unrecorded": true}, "id": 2} {"n": 3, "v": "b"})");
  const Blame known = must(blame(s.db(), "t", {"1"}));
  ASSERT_EQ(known.columns.size(), 3U);
  EXPECT_EQ(to_display(known.columns[1].value).size(), 3000U) << "it stands in the table";
  EXPECT_EQ(to_display(must(value_from_json(gap))), "(too large to be recorded)");
}

// What was not recorded is sealed as such: to say otherwise later is found; what stands in the table is no contradiction.
TEST(PostgresLargeEvidence, SaysWhatIsLacking) {
  Evident trail(Engine::postgres);
  trail.application(
      "insert into vestige.meta values ('large_row', '2000'); create table t (id int primary key, "
      "v text, n int); "
      "select vestige.track('t'); select vestige.mend()");
  trail.as("ann", "insert into t values (1, repeat('l', 3000), 1), (2, 'b', 2)");
  trail.as("ann", "update t set v = repeat('m', 3000) where id = 2");
  const std::string checkpoint = trail.seal();
  trail.live = true;
  trail.verify({checkpoint});
  EXPECT_EQ(trail.found, "");
  trail.attack(
      "",
      "update vestige.shape set columns = (select pg_catalog.jsonb_agg(c - 'left_out') from "
      "pg_catalog.jsonb_array_elements(columns) c) where columns::text like '%left_out%'");
  trail.verify({checkpoint});
  EXPECT_NE(trail.found, "");
}

// What PostgreSQL cannot form: a value that comes to more than 1 GB as text.
TEST(PostgresLargeTruly, NoWriteFails) {
  PgShop shop;
  PgSession& s = shop.admin;
  s.run(
      "create table t (id int primary key, v bit varying, n int); select vestige.track('t'); "
      "insert into t select 1, e || e, 1 from (select d || d from (select c || c from (select b || "
      "b from (select 0::bit(83886080)::bit varying) x(b)) x(c)) x(d)) x(e)");
  EXPECT_EQ(s.one("select (length(v) > 1024 * 1024 * 1024)::text from t"), "true");
  s.run("update t set n = 2; delete from t");
  EXPECT_EQ(s.one("select string_agg(concat(op, old_values, new_values), ' ' order by id) from "
                  "vestige.changes"),
            R"(INSERT{"id":1,"v":{"$unrecorded":true},"n":1} UPDATE{"n":1}{"n":2} )"
            R"(DELETE{"id":1,"v":{"$unrecorded":true},"n":2})");
}

}  // namespace
}  // namespace vestige
