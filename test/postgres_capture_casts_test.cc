// Types of the application, with casts, operators and checks of its own: none of them runs in capture, which has the rights
// of the trail's owner, and none of them makes a write fail.
#include "test/postgres_capture.h"

namespace vestige {
namespace {

class PostgresCaptureCasts : public testing::Test {
 protected:
  void SetUp() override {
    owner_ = shop.role("owner");
    s.run("create schema app authorization " + owner_ +
          "; grant usage, create on schema public to " + owner_);
    o.run("set role " + owner_ +
          "; set search_path = app, public; create table loot (who text); create sequence seen; "
          "create function spy() returns void language plpgsql as $$ begin if current_user <> '" +
          owner_ +
          "' then insert into app.loot values (current_user); perform nextval('app.seen'); end if; "
          "end $$; grant all on loot, seen to public; grant usage on schema app to public");
  }
  // Everything that the owner of a type may hang on it, by every type of the server's own that can stand in a cast.
  void hang_on(const std::string& type) {
    for (const auto& target : s.table(
             "select oid::regtype::text from pg_type where typnamespace = "
             "'pg_catalog'::regnamespace and typtype = 'b' and typcategory <> 'A' and typname "
             "in ('text', 'varchar', 'bpchar', 'name', 'int4', 'int8', 'bool', 'json', 'jsonb', "
             "'bytea', 'numeric', 'date')")) {
      const std::string name = "cast_" + std::to_string(++made_);
      o.error(
          "create function " + name + "(" + type + ") returns " + *target[0] +
          " language plpgsql as $$ begin perform app.spy(); return null; end $$; create cast (" +
          type + " as " + *target[0] + ") with function " + name + "(" + type + ") as implicit");
    }
    for (const std::string op : {"=", "<>", "<", "||"}) {
      const std::string name = "op_" + std::to_string(++made_);
      o.error("create function " + name + "(" + type + ", " + type +
              ") returns boolean language plpgsql as $$ begin perform app.spy(); return false; end "
              "$$; create operator public." +
              op + " (function = " + name + ", leftarg = " + type + ", rightarg = " + type + ")");
    }
  }
  // The sequence tells of what a subtransaction took back.
  std::string loot() {
    return s.one(
        "select coalesce(string_agg(distinct who, ' '), case when (select is_called from app.seen) "
        "then 'somebody' else '' end) from app.loot");
  }

  PgShop shop;
  PgSession& s = shop.admin;
  PgSession o = shop.connect();
  std::string owner_;
  int made_ = 0;
};

struct Made {
  const char* name;
  const char* made;
  const char* one;
  const char* other;
};
constexpr Made kMade[] = {
    {"mood", "create type mood as enum ('a', 'b')", "'a'", "'b'"},
    {"pair", "create type pair as (a int, b text)", "row(1, 'x')::pair", "row(2, null)::pair"},
    {"span", "create type span as range (subtype = numeric)", "'[1,2)'", "'[3,4)'"},
    {"small",
     "create function small_ok(int) returns boolean language plpgsql as $$ begin perform "
     "app.spy(); return true; end $$; create domain small as int check (small_ok(value))",
     "1", "2"},
    {"label",
     "create function label_ok(text) returns boolean language plpgsql as $$ begin perform "
     "app.spy(); return true; end $$; create domain label as text check (label_ok(value))",
     "'x'", "'y'"},
    {"mood_of",
     "create function mood_ok(mood) returns boolean language plpgsql as $$ begin perform "
     "app.spy(); return true; end $$; create domain mood_of as mood check (mood_ok(value))",
     "'a'", "'b'"},
    {"mood[]", "", "'{a}'", "'{b,a}'"},
    {"pair[]", "", "array[row(1, 'x')::pair]", "array[row(2, 'y')::pair]"}};

TEST_F(PostgresCaptureCasts, OfEveryKindAsKeyAndValue) {
  for (const Made& type : kMade)
    if (*type.made != '\0') o.run(type.made);
  int n = 0;
  for (const Made& type : kMade) {
    const std::string t = "t" + std::to_string(++n), k = "k" + std::to_string(n), name = type.name;
    o.run("create table " + t + " (id int primary key, v " + name + ", w int); create table " + k +
          " (v " + name + " primary key, w int); create function " + t +
          "_f() returns trigger language plpgsql as $$ begin if pg_trigger_depth() = 1 then update "
          "app." +
          k +
          " set w = w + 1; end if; return new; end $$; create trigger nested after "
          "update on " +
          k + " for each row execute function " + t + "_f()");
    s.run("select vestige.track('app." + t + "'), vestige.track('app." + k + "')");
  }
  for (const Made& type : kMade)
    if (*type.made != '\0') hang_on(type.name);
  // The application's own literals and comparisons may now be ambiguous: only what it can still write is written.
  PgSession writer = shop.connect();
  writer.run("set role " + owner_ + "; set search_path = app, pg_catalog");
  n = 0;
  for (const Made& type : kMade) {
    const std::string t = "t" + std::to_string(++n), k = "k" + std::to_string(n), name = type.name;
    const std::string one = "(" + std::string(type.one) + ")::" + name;
    const std::string other = "(" + std::string(type.other) + ")::" + name;
    EXPECT_EQ(writer.error("insert into " + t + " values (1, " + one + ", 0), (2, " + other +
                           ", 0); update " + t + " set v = " + other + "; update " + t +
                           " set w = 1; update " + t + " set v = null where id = 1; delete from " +
                           t + " where id = 2"),
              "")
        << name;
    EXPECT_EQ(writer.error("insert into " + k + " values (" + one + ", 0); insert into " + k +
                           " values (" + other + ", 0); update " + k +
                           " set w = w + 1; delete "
                           "from " +
                           k + " where w > 100; truncate " + t),
              "")
        << name;
    EXPECT_EQ(shop.replayed("app." + t), "") << name;
    EXPECT_EQ(shop.replayed("app." + k), "") << name;
  }
  EXPECT_EQ(loot(), "");
}

TEST_F(PostgresCaptureCasts, OfEveryKindInACondition) {
  for (const Made& type : kMade)
    if (*type.made != '\0') o.run(type.made);
  int n = 0;
  for (const Made& type : kMade) {
    const std::string t = "t" + std::to_string(++n), name = type.name;
    o.run("create table " + t + " (id int primary key, v " + name + ")");
    const bool integer = name == "small";
    s.run("select vestige.track('app." + t +
          "', \"when\" => 'NEW.v = " + (integer ? "1" : "''a''") + "')");
    EXPECT_NE(
        s.error("select vestige.track('app." + t + "', \"when\" => 'NEW is distinct from OLD')")
            .find("it names a whole row"),
        std::string::npos)
        << name;
  }
  for (const Made& type : kMade)
    if (*type.made != '\0') hang_on(type.name);
  n = 0;
  for (const Made& type : kMade) {
    const std::string t = "t" + std::to_string(++n), name = type.name;
    s.run("set search_path = app, pg_catalog; set role " + owner_ + "; insert into " + t +
          " values (1, (" + type.one + ")::" + name + "), (2, (" + type.other + ")::" + name +
          "); reset role; reset search_path");
    const bool one_fits = name == "mood" || name == "mood_of" || name == "small";
    EXPECT_EQ(s.one("select count(*)::text from vestige.change c join vestige.tracked t on t.id = "
                    "c.tracked where t.table_name = '" +
                    t + "'"),
              one_fits ? "1" : "0")
        << name;
  }
  EXPECT_EQ(loot(), "");
}

// A condition is for the types that its columns had.
TEST_F(PostgresCaptureCasts, AConditionEndsWithTheTypesOfItsColumns) {
  o.run("create table pay (id int primary key, amount int, other int)");
  s.run("select vestige.track('app.pay', \"when\" => 'NEW.amount > 100')");
  const auto recorded = [&] { return s.one("select count(*)::text from vestige.change"); };
  const auto ended = [&] {
    return s.one(
        "select count(*)::text from vestige.doctor() where code = 'policy-when' and message "
        "like 'its condition has ended%'");
  };
  o.run(
      "insert into pay values (1, 5, 0), (2, 500, 0); alter table pay alter other type bigint; "
      "alter table pay rename amount to \"begin\"; insert into pay values (3, 5, 0), (4, 500, 0)");
  EXPECT_EQ(recorded(), "2");
  EXPECT_EQ(ended(), "0");
  o.run(
      "create type evil as (v int); create function evil_int(evil) returns int language plpgsql as "
      "$$ begin perform app.spy(); return ($1).v; end $$; create cast (evil as int) with function "
      "evil_int(evil) as implicit; alter table pay alter \"begin\" type evil using "
      "row(\"begin\")::evil; insert into pay values (5, row(5)::evil, 0), (6, row(5)::evil, 0), "
      "(7, row(500)::evil, 0)");
  EXPECT_EQ(recorded(), "5");
  EXPECT_EQ(ended(), "1");
  EXPECT_EQ(loot(), "");
}

// Names that look like what a condition is read by.
TEST_F(PostgresCaptureCasts, NamesInAConditionAreReadInOnePass) {
  o.run(
      "create function evil() returns boolean language plpgsql as $$ begin perform app.spy(); "
      "return true; end $$");
  int n = 0;
  for (const std::string name :
       {"x\x01"
        "1\x01y",
        " or app.evil() or NEW.", "\" or app.evil() or NEW.\"", "%s", "%1$s", "'||app.evil()||'",
        "new", "OLD.id", "b", "begin", "$$", "--", "/*", "\\", "a.b"}) {
    const std::string t = "t" + std::to_string(++n);
    o.run("create table " + t + " (id int primary key, a text, b text)");
    s.run("select vestige.track('app." + t +
          "', \"when\" => 'NEW.a = ''old.b'' or new . \"b\" = ''x''')");
    std::string quoted = "\"";
    for (const char c : name) quoted += c == '"' ? "\"\"" : std::string(1, c);
    quoted += "\"";
    if (name == "b") o.run("alter table " + t + " rename b to c");
    o.run("alter table " + t + " rename a to " + quoted);
    EXPECT_EQ(o.error("insert into " + t + " (id) values (1); insert into " + t +
                      " values (2, "
                      "'old.b', null), (3, 'no', 'x'), (4, 'no', 'no')"),
              "")
        << name;
    EXPECT_EQ(s.one("select string_agg(key, ' ' order by key) from vestige.change c join "
                    "vestige.tracked t on t.id = c.tracked where t.table_name = '" +
                    t + "' and key <> '1'"),
              "2 3")
        << name;
  }
  EXPECT_EQ(loot(), "");
}

}  // namespace
}  // namespace vestige
