// A change is decoded twice: here, for the program, and by vestige.decode, for those who read the trail by SQL. What
// one says is held against the other, over every type, odd contexts and random texts.
#include <rapidcheck.h>

#include "test/generators.h"
#include "test/postgres_capture.h"
#include "test/postgres_types.h"
#include "vestige/base/json.h"
#include "vestige/trail/changes.h"
#include "vestige/trail/postgres/catalog.h"
#include "vestige/trail/postgres/row_text.h"

namespace vestige {
namespace {

std::string row_or_null(const std::optional<Row>& row) {
  return row.has_value() ? to_json(*row) : "null";
}

std::string read_back(const std::optional<std::string>& json) {
  if (!json.has_value()) return "null";
  const auto row = postgres::row_of_tokens(*json);
  return row.has_value() ? to_json(*row) : row.error().message;
}

// A change in one line: what it says, but for its time.
std::string line(const Change& change) {
  return fmt::format("{} {} {} {} {} {} {} tx {} {} {}", change.id, name(change.op), change.table,
                     to_json(change.key), row_or_null(change.new_key),
                     row_or_null(change.old_values), row_or_null(change.new_values), change.tx,
                     to_json(change.context), change.db_user.value_or("-"));
}

std::vector<std::string> told_here(Database& db, const Selection& selection) {
  std::vector<std::string> lines;
  auto changes = read_changes(db, selection);
  if (!changes.has_value()) return {changes.error().message};
  while (true) {
    const auto change = (*changes)->next();
    if (!change.has_value()) lines.push_back(change.error().message);
    if (!change.has_value() || !change->has_value()) return lines;
    lines.push_back(line(**change));
  }
}

// The same by the view.
std::vector<std::string> told_by_sql(PgSession& s, const std::string& where) {
  std::vector<std::string> lines;
  for (const auto& row :
       s.table("select id::text, op, \"table\", key::text, new_key::text, old_values::text,"
               " new_values::text, coalesce(tx, 0)::text, context::text, coalesce(db_user, '-')"
               " from vestige.changes v" +
               where + " order by v.id")) {
    Context context;
    const Row fields = postgres::row_of_tokens(*row[8]).take();
    for (const Field& field : fields)
      context.set(field.name, std::holds_alternative<Text>(field.value)
                                  ? std::get<Text>(field.value).bytes
                                  : to_json(field.value));
    lines.push_back(fmt::format("{} {} {} {} {} {} {} tx {} {} {}", *row[0], *row[1], *row[2],
                                read_back(row[3]), read_back(row[4]), read_back(row[5]),
                                read_back(row[6]), *row[7], to_json(context), *row[9]));
  }
  return lines;
}

class PostgresDecode : public ::testing::Test {
 protected:
  // How many changes are told alike; the first that is not is a failure.
  std::size_t compared(const Selection& selection = {}, const std::string& where = "") {
    Selection ordered = selection;
    ordered.oldest_first = true;
    const auto here = told_here(s.db(), ordered);
    const auto sql = told_by_sql(s, where);
    EXPECT_EQ(here.size(), sql.size());
    for (std::size_t i = 0; i < std::min(here.size(), sql.size()); ++i) {
      EXPECT_EQ(here[i], sql[i]);
      if (here[i] != sql[i]) break;
    }
    return here.size();
  }

  PgShop shop_;
  PgSession& s = shop_.admin;
};

TEST_F(PostgresDecode, EveryTypeAsAValueAndAsAKey) {
  s.run(kTypes);
  int number = 0;
  for (const TypeSample& sample : samples()) {
    const std::string type = sample.type;
    const std::string plain = "plain_" + std::to_string(++number);
    const std::string keyed = "keyed_" + std::to_string(number);
    s.run("create table " + plain + " (id int primary key, v " + type + ", w text)");
    s.run("select vestige.track('" + plain + "', capture => '" +
          (number % 2 == 0 ? "full" : "changes") + "')");
    const bool key = s.error("create table " + keyed + " (n int, v " + type + ", primary key (" +
                             (number % 3 == 0 ? "v, n" : "v") + "))")
                         .empty();
    if (key) s.run("select vestige.track('" + keyed + "')");
    int id = 0;
    for (const char* value : sample.values) {
      const std::string typed = "(" + std::string(value) + ")::" + type;
      s.run("insert into " + plain + " values (" + std::to_string(++id) + ", " + typed +
            ", 'a, \"b\"')");
      if (key)
        s.error("insert into " + keyed + " (n, v) values (" + std::to_string(id) + ", " + typed +
                ")");
    }
    s.run("update " + plain + " set w = 'x'; update " + plain + " set id = id + 100 where id = 1");
    s.error("update " + plain + " set v = null where id = 2");
    s.error("update " + plain + " set v = (select v from " + plain + " where id = 101)");
    s.run("delete from " + plain);
    if (key) s.run("update " + keyed + " set n = n + 100; delete from " + keyed);
  }
  EXPECT_GT(compared(), 1300U);
}

TEST_F(
    PostgresDecode,
    TimesAreWhatToJsonbPrints) {  // before the year 1 they had a T too many, and no minutes in the zone
  s.run(
      "create table t (id int primary key, a timestamptz, b timestamp, c timetz, d date);"
      "select vestige.track('t');"
      "insert into t values (1, '0044-03-15 12:00:00+00 BC', '4713-01-01 00:00:00 BC', '12:00+02', "
      "'0044-03-15 BC'), (2, '2026-01-31 12:00:00.5+00', '2026-01-31 12:00:00', "
      "'12:00:01.5-03:30', "
      "'2026-01-31'), (3, 'infinity', '-infinity', null, 'infinity')");
  EXPECT_EQ(s.one("select string_agg(c.id::text, ' ') from vestige.changes c join t on t.id = "
                  "(c.key ->> 'id')::int where c.new_values::jsonb is distinct from to_jsonb(t)"),
            "");
  EXPECT_EQ(s.one("select string_agg(t.id::text, ' ') from t join vestige.as_of(null::t, now()) o "
                  "using (id) where t is distinct from o"),
            "");
  Selection all;
  all.oldest_first = true;
  const auto here = told_here(s.db(), all);
  EXPECT_EQ(here, told_by_sql(s, ""));
  EXPECT_NE(here.front().find(R"("a":"0044-03-15T12:00:00+00:00 BC")"), std::string::npos)
      << here.front();
}

TEST_F(PostgresDecode, RandomTexts) {
  s.run(
      "create table t (a text, b text, c varchar, d jsonb, e timestamp, primary key (a, b));"
      "create table n (x text primary key); select vestige.track('t'), vestige.track('n')");
  EXPECT_TRUE(rc::check("texts", [&] {
    const auto text = [] {
      std::string out = *any_utf8();
      std::erase(out, '\0');
      return Value(Text{out});
    };
    RC_ASSERT(s.db()
                  .run("insert into t values (?1, ?2, ?3, to_jsonb(?4::text), '2026-01-01') on "
                       "conflict do nothing",
                       {text(), text(), text(), text()})
                  .has_value());
    // Not for ever longer: an index has a limit.
    RC_ASSERT(
        s.db()
            .run("update t set c = ?1, b = right(b || ?2, 200) where (a, b) = (select a, b from t "
                 "order by a, b limit 1) and "
                 "not exists (select from t o where o.a = t.a and o.b = right(t.b || ?2, 200))",
                 {text(), text()})
            .has_value());
    RC_ASSERT(s.db().run("insert into n values (?1) on conflict do nothing", {text()}).has_value());
  }));
  EXPECT_GT(compared(), 100U);
}

TEST_F(PostgresDecode, NamesOfTodayAndColumnsThatAreGone) {
  s.run(
      "create table t (id int primary key, a int[], b text, c bool); select vestige.track('t', "
      "capture => 'full');"
      "create table bare (x int, y text); select vestige.track('bare');"
      "insert into t values (1, '{1}', 'x', true), (2, '[2:3]={1,2}', '{', false);"
      "insert into bare values (1, null), (1, null), (null, '')");
  s.run(
      "alter table t rename b to renamed; update t set renamed = 'y'; alter table t drop a; update "
      "t set c = null");
  s.run("alter table t rename to u; create schema other; alter table bare set schema other");
  s.run(
      "alter table u add more json; update u set more = ' {\"b\": [1,  2], \"a\": null} '; update "
      "other.bare set x = 2; truncate u");
  EXPECT_GT(compared(), 15U);
}

// What sessions may say of themselves, and what the sealed record calls it.
TEST_F(PostgresDecode, OddContextsAndWhoIsMeant) {
  s.run(
      "create table t (id int generated always as identity primary key); select "
      "vestige.track('t')");
  const std::vector<std::string> contexts = {R"({"actor":"ann","reason":"sale"})",
                                             R"({"actor": "ann", "reason": "a sale, \"big\""})",
                                             R"({"actor":"ann","actor":"bob"})",
                                             R"({"actor":"\u0061nn"})",
                                             R"({"actor":"ann\u0000"})",
                                             R"({"actor":1000})",
                                             R"({"actor":1e3})",
                                             R"({"actor":"1000"})",
                                             R"({"actor":10.50})",
                                             R"({"actor":{"name":"ann"}})",
                                             R"({"actor": {"name" : "ann", "x":null}})",
                                             R"({"actor":["ann",1]})",
                                             R"({"actor":true})",
                                             R"({"actor":null,"reason":"x"})",
                                             "{}",
                                             "[]",
                                             "ann",
                                             "\"ann\"",
                                             "not json {\"actor\":\"ann\"}",
                                             R"({"actor":"größe 日本"})",
                                             R"({"actor":"gr\u00f6\u00dfe 日本"})",
                                             R"( {"actor" : "ann"} )",
                                             R"({"actor":"a\\b"})",
                                             R"({"actor":"a/b"})",
                                             R"({"actor":"a\/b"})",
                                             "{\"actor\":\"a\tb\"}",
                                             R"({"":"","actor":"","zz":"1"})",
                                             R"({"actor":"-"})",
                                             R"({"actor":-0.0})",
                                             R"({"reason":"ann","actor":"bob"})",
                                             R"({"actor":"{\"name\": \"ann\"}"})"};
  for (const std::string& context : contexts) {
    s.run("begin");
    ASSERT_TRUE(
        s.db().run("select set_config('vestige.context', ?1, true)", {Text{context}}).has_value());
    s.run("insert into t default values; commit");
  }
  EXPECT_EQ(compared(), contexts.size());
  std::size_t found = 0;
  for (const char* actor :
       {"ann", "bob", "1000", "1e3", "10.50", "{\"name\": \"ann\"}", "[\"ann\", 1]", "true", "",
        "größe 日本", "a\\b", "a/b", "a\tb", "-", "0.0", "-0.0", "nobody"}) {
    Selection selection;
    selection.who = {actor};
    SCOPED_TRACE(actor);
    found += compared(selection, " where actor = " + s.db().literal(Text{actor}));
  }
  EXPECT_GE(found, 20U);
}

TEST_F(PostgresDecode, RowsThatSomebodyRewrote) {
  s.run(
      "create table t (id int, line int, a text, primary key (id, line)); select "
      "vestige.track('t');"
      "insert into t values (1, 1, 'x')");
  const auto rewritten = [&](const std::string& set) {
    s.run(
        "begin; set local session_replication_role = replica; alter table vestige.change disable "
        "trigger all; update vestige.change set " +
        set);
    const auto lines = told_here(s.db(), {});
    s.run("rollback");
    return lines.empty() ? "" : lines[0];
  };
  const std::string change = native_engine() ? "read change 1: " : "read change 2: ";
  EXPECT_EQ(rewritten("op = 'Y'"), change + "read a change: unknown operation 'Y'");
  EXPECT_EQ(rewritten("shape = 77"), change + "no shape 77");
  EXPECT_EQ(rewritten("key = '(1)'"), change + "its key does not fit the columns");
  EXPECT_EQ(rewritten("new_row = '(1,1)'"), change + "its values do not fit the columns");
  EXPECT_EQ(rewritten("new_row = '(1,1,\"x)'"), change + "its values do not fit the columns");
  EXPECT_EQ(rewritten("key = '(1,1)'"), line(*read_changes(s.db(), {}).value()->next().value()));
}

// vestige.fields and read_row_text.
TEST_F(PostgresDecode, TheFieldsOfARowsText) {
  EXPECT_TRUE(rc::check("fields", [&] {
    Params values;
    std::string list;
    const int count = *rc::gen::inRange(1, 6);
    for (int i = 0; i < count; ++i) {
      std::string text = *any_utf8();
      std::erase(text, '\0');
      values.push_back(*rc::gen::arbitrary<bool>() ? Value(Text{text}) : Value(Null{}));
      list += fmt::format("{}?{}::text", i == 0 ? "" : ", ", i + 1);
    }
    auto rows = s.db().query(
        "select r, to_json(vestige.fields(r))::text from (select row(" + list + ")::text as r) x",
        values);
    RC_ASSERT(rows.has_value());
    RC_ASSERT((*rows)->next().has_value());
    std::vector<std::optional<std::string>> fields;
    RC_ASSERT(postgres::read_row_text((*rows)->text(0), fields));
    for (std::size_t i = 0; i < fields.size(); ++i) {
      RC_ASSERT(fields[i].has_value() == std::holds_alternative<Text>(values[i]));
      if (fields[i].has_value()) RC_ASSERT(*fields[i] == std::get<Text>(values[i]).bytes);
    }
    const std::string told = (*rows)->text(1);
    json::Reader reader(told);
    RC_ASSERT(reader.open('[').has_value());
    std::size_t place = 0;
    while (reader.more('[').value() == 'y') {
      const json::Span item = reader.value().value();
      RC_ASSERT(place < fields.size());
      RC_ASSERT((item.kind == json::Kind::string) == fields[place].has_value());
      if (fields[place].has_value()) RC_ASSERT(json::unquote(item.text).value() == *fields[place]);
      ++place;
    }
    RC_ASSERT(place == fields.size());
  }));
  std::vector<std::optional<std::string>> fields;
  for (const char* text :
       {"", "(", ")", "(a", "a)", "(\"a)", "(\"a\"b)", "(a\"b\")", "(a\\b)", "(\"a\\", "(\"a\\)"})
    EXPECT_FALSE(postgres::read_row_text(text, fields)) << text;
}

}  // namespace
}  // namespace vestige
