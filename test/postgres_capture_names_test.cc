// Whatever tables and columns are called: words that mean something to SQL or to PL/pgSQL, and those that generated
// functions use themselves.
#include "test/postgres_capture.h"

namespace vestige {
namespace {

// What PL/pgSQL reserves beside SQL (pl_reserved_kwlist.h), a word of every other kind of it, what triggers
// see, and what the trail's functions call their own variables.
constexpr const char* kOwnWords =
    "unnest(array['all','begin','by','case','declare','else','end','execute','for','foreach','from'"
    ",'if','in','into',"
    "'loop','not','null','or','strict','then','to','using','when','while','alias','array','"
    "constant','cursor','debug',"
    "'diagnostics','elsif','exception','exit','found','get','open','perform','raise','return','"
    "returning','slice','sqlstate',"
    "'old','new','tg_op','tg_relid','tg_argv','sqlerrm','live','inserted','deleted','one','context'"
    ",'number','op','wanted',"
    "'nested','old_key','new_key','old_row','new_row','key','printed','k','s','t','e','rel','"
    "tracked_id','change','a b','A.b',"
    "'q\"q','%s','%','q''q','\\','$1','$$','$source$','x.y\"'])";

class PostgresCaptureNames : public testing::Test {
 protected:
  /// Each word once, with its place.
  std::vector<std::string> words(const std::string& of) {
    std::vector<std::string> out;
    for (const auto& row : s.table("select distinct w::text from (" + of + ") o(w) order by 1"))
      out.push_back(*row[0]);
    return out;
  }
  std::string quoted(const std::string& word) {
    std::string out = "\"";
    for (const char c : word) out += c == '"' ? "\"\"" : std::string(1, c);
    return out + "\"";
  }
  void written_to(const std::string& table, const std::string& column, const std::string& key) {
    EXPECT_EQ(s.error("insert into " + table + " (" + key + ", " + column +
                      ") values ('1', 'a'), ('2', 'b')"),
              "")
        << table;
    EXPECT_EQ(s.error("update " + table + " set " + column + " = 'c' where " + key + " = '1'"), "")
        << table;
    EXPECT_EQ(s.error("update " + table + " set " + key + " = '3' where " + key + " = '1'"), "")
        << table;
    EXPECT_EQ(s.error("delete from " + table + " where " + key + " = '2'"), "") << table;
    EXPECT_EQ(s.error("truncate " + table), "") << table;
  }

  PgShop shop;
  PgSession& s = shop.admin;
};

TEST_F(PostgresCaptureNames, EveryKeywordIsAColumn) {
  std::string columns;
  const auto all =
      words(std::string("select word from pg_get_keywords() union select * from ") + kOwnWords);
  EXPECT_GT(all.size(), 450U);
  for (const std::string& word : all) columns += ", " + quoted(word) + " text";
  s.run("create table wide (id text primary key" + columns + "); select vestige.track('wide')");
  for (const std::string& word : all) {
    EXPECT_EQ(s.error("insert into wide (id, " + quoted(word) + ") values (" +
                      quoted("x").replace(0, 3, "'x'") + ", 'a')"),
              "")
        << word;
    EXPECT_EQ(s.error("update wide set " + quoted(word) + " = 'b'"), "") << word;
    EXPECT_EQ(s.error("delete from wide"), "") << word;
  }
  EXPECT_EQ(
      s.one(
          "select count(*)::text from vestige.changes where op in ('INSERT', 'UPDATE', 'DELETE')"),
      std::to_string(3 * all.size()));
  EXPECT_EQ(shop.replayed("public.wide"), "");
}

TEST_F(PostgresCaptureNames, OwnWordsAreKeysTablesAndSchemas) {
  for (const std::string& word : words(std::string("select * from ") + kOwnWords)) {
    const std::string name = quoted(word);
    const std::string table = name + "." + name;
    s.run("create schema " + name + "; create table " + table + " (" + name +
          " text primary key, v text); " + "create table " + name + ".parted (v text, " + name +
          " text, primary key (" + name + ", v)) partition by list (" + name + "); " +
          "create table " + name + ".part partition of " + name + ".parted default");
    ASSERT_EQ(s.error("select vestige.track($w$" + table + "$w$)"), "") << word;
    ASSERT_EQ(s.error("select vestige.track($w$" + name + ".parted$w$)"), "") << word;
    written_to(table, "v", name);
    written_to(name + ".parted", "v", name);
    EXPECT_EQ(shop.replayed(table), "");
    EXPECT_EQ(shop.replayed(name + ".parted"), "");
  }
  EXPECT_EQ(
      s.one("select string_agg(message, '; ') from vestige.doctor() where severity <> 'note'"), "");
  EXPECT_EQ(s.one("select string_agg(message, '; ') from vestige.note"), "");
}

// An INSERT inside a trigger, and the write that notices DDL: the rare ways of capture name columns, too.
TEST_F(PostgresCaptureNames, InsideTriggersAndAfterDdl) {
  for (const std::string& word : words(std::string("select * from ") + kOwnWords)) {
    const std::string name = quoted(word);
    const std::string table = name + "." + name;
    s.run("create schema " + name + "; create table " + table + " (" + name +
          " text primary key, v text); " + "create table " + name +
          ".source (v text); create function " + name +
          ".copy() returns trigger language plpgsql as "
          "$f$begin insert into " +
          table + " values (new.v, 'n'); update " + table +
          " set v = 'm'; return null; end$f$; "
          "create trigger copy after insert on " +
          name + ".source for each row execute function " + name + ".copy()");
    ASSERT_EQ(s.error("select vestige.track($w$" + table + "$w$)"), "") << word;
    EXPECT_EQ(s.error("insert into " + name + ".source values ('1'), ('2')"), "") << word;
    EXPECT_EQ(s.error("begin; alter table " + table + " add w text; insert into " + table +
                      " values ('3'); insert into " + name + ".source values ('4'); delete from " +
                      table + " where v is null; commit"),
              "")
        << word;
    EXPECT_EQ(shop.replayed(table), "") << word;
  }
}

}  // namespace
}  // namespace vestige
