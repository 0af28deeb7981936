// Undoing random transactions of random schemas with foreign keys: whatever was done, what stood before stands again, by the
// library and by vestige.revert, set-wise and change by change; and to undo the undoing gives what was done.
#include <fmt/ranges.h>

#include <map>
#include <random>

#include "test/postgres_capture.h"
#include "vestige/audit/revert.h"

namespace vestige {
namespace {

template <class T>
T must(Result<T> result) {
  if (!result.has_value()) throw std::runtime_error(result.error().message);
  return *std::move(result);
}

class RandomWork {
 public:
  explicit RandomWork(unsigned seed) : random_(seed), tables_(2 + pick(3)) {
    for (int t = 0; t < tables_; ++t) {
      keyless_.push_back(pick(6) == 0);
      unique_.push_back(pick(3) == 0 ? 1 + pick(3) : 0);
      composite_.push_back(!keyless_.back() && pick(6) == 0);
    }
  }

  std::vector<std::string> schema() {
    std::vector<std::string> sql;
    // A draw to a statement: the order in which a compiler takes an expression's parts is its own.
    for (std::size_t t = 0; t < unique_.size(); ++t) {
      std::string made = "create table " + table(t) + " (id int";
      if (pick(5) == 0) made += " generated always as identity (start 100)";
      if (!keyless_[t] && !composite_[t]) made += " primary key";
      made +=
          ", v text, n int" + unique(unique_[t]) + ", r1 int, r2 int, r3 int, ver int default 0";
      if (pick(3) == 0) made += ", g int generated always as (id * 2) stored";
      if (pick(8) == 0) made += ", s int generated always as identity";
      if (composite_[t]) made += ", k text default 'k, \"', primary key (id, k), unique (id)";
      sql.push_back(made + ")");
    }
    for (std::size_t t = 0; t < unique_.size(); ++t)
      for (const char* column : {"r1", "r2", "r3"}) {
        const auto to = static_cast<std::size_t>(pick(tables_));
        const bool value = column == std::string("r3");
        if ((value ? unique_[to] != 1 : keyless_[to]) || pick(4) == 0) continue;
        std::string made = "alter table " + table(t) + " add foreign key (" + column +
                           ") references " + table(to) + (value ? " (n)" : " (id)");
        made +=
            " on delete " + choice({"cascade", "set null", "no action", "restrict", "set default"});
        made += " on update " + choice({"cascade", "cascade", "no action", "set null"});
        made += choice({"", " deferrable", " deferrable initially deferred"});
        sql.push_back(made);
      }
    triggers(sql);
    return sql;
  }
  std::vector<std::string> tables() const {
    std::vector<std::string> names;
    for (std::size_t t = 0; t < unique_.size(); ++t) names.push_back(table(t));
    names.insert(names.end(), kept_.begin(), kept_.end());
    return names;
  }

  // What stands in the tables that triggers keep, before anything.
  const std::vector<std::string>& filled() const { return filled_; }

  std::string statement() {
    const std::string t = table(static_cast<std::size_t>(pick(tables_)));
    const std::string id = std::to_string(pick(12));
    const std::string other = std::to_string(pick(12));
    const std::string reference = pick(3) == 0 ? "null" : other;
    const std::string value = std::to_string(pick(40));
    const std::string far = std::to_string(60 + pick(3));
    const std::string source = table(static_cast<std::size_t>(pick(tables_)));
    const bool either = pick(2) == 0;
    switch (pick(19)) {
      case 0:
      case 1:
      case 2: return insert(t, id, "'v" + other + "', " + value + ", " + reference);
      case 3:
        return "insert into " + t +
               " (id, v) overriding system value select i, 'many' from generate_series(20, 23) i";
      case 4: return "update " + t + " set v = 'u" + other + "' where id = " + id;
      case 5:
        return "update " + t + " set r1 = " + reference + ", r2 = " + id + " where id < " + other;
      case 6: return "update " + t + " set id = " + other + " where id = " + id;
      case 7: return "update " + t + " set n = n + 1 where id > " + id;
      case 8: return "update " + t + " set v = v || 'x', n = null";
      case 9: return "delete from " + t + " where id = " + id;
      case 10: return "delete from " + t + " where id > " + other;
      case 11:  // a key is used again: of a row that went, that moved and went, that moved
        return "delete from " + t + " where id = " + id + "; " +
               insert(t, id, "'again', " + value + ", " + reference);
      case 12:
        return "update " + t + " set id = 50 where id = " + id + "; delete from " + t +
               " where id = 50; " + insert(t, id, "'new', null, " + reference);
      case 13:
        return "update " + t + " set id = " + far + " where id = " + id +
               (either ? "; update " + t + " set id = " + id + " where id = " + other
                       : "; " + insert(t, id, "'moved in', null, " + reference));
      case 14: return swap(t, "n", "-1");  // by way of a third value
      case 15: return swap(t, "id", "-2");
      case 16:
        return "update " + t + " set r3 = (select n from " + source +
               " where n is not null order by n limit 1 offset " + id + " % 3) where id < " + other;
      case 17: return "insert into " + t + " (v, n) values ('own', " + value + ")";
      default:
        return either && kept_.empty() ? "truncate " + t : "delete from " + t + " where r1 is null";
    }
  }
  int pick(int below) { return static_cast<int>(random_() % static_cast<unsigned>(below)); }

 private:
  static std::string table(std::size_t t) { return "\"T " + std::to_string(t) + "\""; }
  std::string choice(const std::vector<std::string>& of) {
    return of[static_cast<std::size_t>(pick(static_cast<int>(of.size())))];
  }
  static std::string unique(int kind) {
    const char* kinds[] = {"", " unique", " unique deferrable",
                           " unique deferrable initially deferred"};
    return kinds[kind];
  }
  static std::string insert(const std::string& t, const std::string& id, const std::string& rest) {
    return "insert into " + t + " (id, v, n, r1) overriding system value values (" + id + ", " +
           rest + ")";
  }
  static std::string swap(const std::string& t, const std::string& column,
                          const std::string& third) {
    const std::string set = "update " + t + " set " + column + " = ";
    return "do $$ declare a int := (select min(" + column + ") from " + t +
           "); b int := (select max(" + column + ") from " + t + "); begin " + set + third +
           " where " + column + " = a; " + set + "a where " + column + " = b; " + set + "b where " +
           column + " = " + third + "; end $$";
  }

  // What the application's triggers keep: by names that the session's path finds.
  void triggers(std::vector<std::string>& sql) {
    const auto trigger = [&](const std::string& name, const std::string& when,
                             const std::string& rest, const std::string& body) {
      sql.push_back("create function " + name +
                    "() returns trigger language plpgsql as $f$ begin " + body + " end $f$");
      const bool constraint = when.find("constraint") == 0;
      sql.push_back(std::string("create ") + (constraint ? "constraint trigger " : "trigger ") +
                    name + " " + (constraint ? when.substr(11) : when) + " on " +
                    table(static_cast<std::size_t>(pick(tables_))) + " " + rest +
                    " execute function " + name + "()");
    };
    if (pick(3) == 0) {  // a counter
      sql.emplace_back("create table total (id int primary key, n bigint)");
      filled_.emplace_back("insert into total values (0, 0)");
      trigger("counts", "after insert or delete", "for each row",
              "update total set n = n + case tg_op when 'INSERT' then 1 else -1 end; return null;");
      kept_.emplace_back("total");
    }
    if (pick(2) == 0) {  // one for each row that others point to
      const bool late = pick(3) == 0;
      sql.emplace_back("create table held (id int primary key, n int, sum int)");
      filled_.emplace_back("insert into held select i, 0, 0 from generate_series(-2, 120) i");
      trigger("holds",
              late           ? "constraint after insert or delete or update"
              : pick(2) == 0 ? "after insert or delete"
                             : "after insert or delete or update of r1",
              late ? "deferrable initially deferred for each row" : "for each row",
              "if tg_op <> 'INSERT' then update held set n = n - 1, sum = sum - coalesce(old.n, 0) "
              "where id = coalesce(old.r1, -1); end if; "
              "if tg_op <> 'DELETE' then update held set n = n + 1, sum = sum + coalesce(new.n, 0) "
              "where id = coalesce(new.r1, -1); end if; return null;");
      kept_.emplace_back("held");
    }
    if (pick(3) == 0) {  // a log, whose rows nobody gives a key
      sql.emplace_back(
          "create table log (id bigint generated always as identity primary key, what text)");
      trigger("logs", choice({"after insert", "after insert or delete", "after update"}),
              "for each row",
              "insert into log (what) values (tg_op || coalesce(new.id, old.id)); return null;");
      kept_.emplace_back("log");
    }
    if (pick(4) == 0)  // rows of the same table
      trigger("marks", "after delete", "for each row",
              "execute format('update %I set v = v || ''!'' where r2 = $1', tg_table_name) using "
              "old.id; return null;");
    if (pick(4) == 0)
      trigger("versions", "before update", "for each row", "new.ver := old.ver + 1; return new;");
    if (pick(4) == 0)
      trigger("derives", "before insert or update", "for each row",
              "new.ver := new.n * 2; return new;");
  }

  std::mt19937 random_;
  int tables_;
  std::vector<bool> keyless_;
  std::vector<int> unique_;  // of n
  std::vector<bool> composite_;
  std::vector<std::string> filled_;
  std::vector<std::string> kept_;  // what triggers write, which a TRUNCATE does not fire
};

// What stands in each table, without the column that a trigger insists on.
std::map<std::string, std::string> contents(PgSession& s, const std::vector<std::string>& tables,
                                            bool versioned) {
  std::map<std::string, std::string> out;
  for (const std::string& table : tables)
    out[table] =
        s.one("select coalesce(string_agg(x, E'\\n' order by x), '') from (select (to_jsonb(t)" +
              std::string(versioned ? " - 'ver'" : "") + ")::text as x from " + table + " t) t");
  return out;
}

// The tables that are not as they were, but for those of which somebody was told so.
std::string differing(const std::map<std::string, std::string>& now,
                      const std::map<std::string, std::string>& before,
                      const std::string& told = "") {
  std::string out;
  for (const auto& [table, rows] : before)
    if (now.at(table) != rows && told.find(table + ": triggers") == std::string::npos)
      out += fmt::format("{}\nis\n{}\nwas\n{}\n", table, now.at(table), rows);
  return out;
}

class PostgresUndoRandom : public ::testing::Test {
 protected:
  // Some statements in one transaction; its number, or "" when nothing came of it.
  std::string work(PgSession& s, RandomWork& random, std::string& did) {
    const std::string last = s.one("select coalesce(max(id), 0)::text from vestige.change");
    s.run("begin");
    for (int n = 1 + random.pick(6); n > 0; --n) {
      const std::string sql = random.statement();
      s.run("savepoint a");
      if (s.error(sql).empty()) did += sql + ";\n";
      else s.run("rollback to a");
    }
    if (!s.error("commit").empty()) {
      s.error("rollback");
      return "";
    }
    return s.one(
        "select max(x.tx)::text from vestige.change c join vestige.context x on x.id = c.context "
        "where c.id > " +
        last);
  }
};

// Nothing but an identity's value, which PostgreSQL takes from nobody in an UPDATE, keeps a transaction from being undone.
bool excused(const std::string& message) {
  return message.find("is generated always") != std::string::npos;
}

TEST_F(PostgresUndoRandom, WhatStoodBeforeStandsAgain) {
  int undone = 0;
  int refused = 0;
  const char* given = std::getenv("VESTIGE_SEED");
  const unsigned first = given == nullptr ? 1 : static_cast<unsigned>(std::atoi(given));
  for (unsigned seed = first; seed < first + (given == nullptr ? 12 : 1); ++seed) {
    SCOPED_TRACE(fmt::format("VESTIGE_SEED={}", seed));
    PgShop shop;
    PgSession& s = shop.admin;
    RandomWork random(seed);
    std::string made;
    for (const std::string& sql : random.schema()) {
      s.run(sql);
      made += sql + ";\n";
    }
    std::vector<std::string> tables = random.tables();
    const bool versioned = made.find("versions()") != std::string::npos;
    for (const std::string& table : tables) s.run("select vestige.track('" + table + "')");
    for (const std::string& sql : random.filled()) s.run(sql);
    for (int i = 0; i < 60; ++i) s.error(random.statement());
    for (int round = 0; round < 15; ++round) {
      const auto all = [&] { return contents(s, tables, versioned); };
      const auto before = all();
      std::string did;
      const std::string tx = work(s, random, did);
      if (tx.empty()) continue;
      const auto after = all();
      const std::string story = made + fmt::format("\nbefore {}\n{}", before, did);
      ++undone;
      RevertRequest request;
      request.tx = std::stoll(tx);
      if (round % 3 == 0) {  // others have been there since
        std::string then;
        if (work(s, random, then).empty()) continue;
        const auto since = all();
        const auto done = revert(s.db(), request, {});
        if (!done.has_value()) {
          EXPECT_TRUE(done.error().fault == Fault::conflict || done.error().fault == Fault::denied)
              << done.error().message << story << then;
          ASSERT_EQ(differing(all(), since), "") << story << then;
          continue;
        }
        if (!done->tx.has_value()) continue;
        request.tx = done->tx;
        const auto redone = revert(s.db(), request, {});
        ASSERT_TRUE(redone.has_value() || excused(redone.error().message))
            << redone.error().message << story << then;
        if (redone.has_value()) {
          ASSERT_EQ(differing(all(), since), "") << story << then;
        }
        continue;
      }
      // Tables that the transaction did not change may be written by triggers, which is said.
      const std::string besides = s.one(
          "select string_agg(t.table_name || ': triggers', ' ') from vestige.tracked t where t.id "
          "not in (select c.tracked from "
          "vestige.change c where c.id = any (vestige.changes_of(" +
          tx + ")))");
      s.run("begin");
      const std::string error = s.error("select vestige.revert(" + tx + ")");
      if (error.empty()) {
        ASSERT_EQ(differing(all(), before, besides), "") << "by vestige.revert\n" << story;
      }
      s.run("rollback");
      const auto done = revert(s.db(), request, {});
      EXPECT_EQ(done.has_value(), error.empty()) << error;
      if (!done.has_value()) {
        ++refused;
        // Where nothing changed but what a trigger insists on, nothing can be undone.
        ASSERT_TRUE(before == after || excused(done.error().message))
            << done.error().message << story;
        ASSERT_EQ(differing(all(), after), "") << story;
        continue;
      }
      ASSERT_EQ(differing(all(), before, fmt::format("{}", done->notes)), "") << story;
      EXPECT_TRUE(done->conflicts.empty());
      if (before == after || !done->tx.has_value()) continue;
      request.tx = done->tx;
      const auto redone = revert(s.db(), request, {});
      ASSERT_TRUE(redone.has_value() || excused(redone.error().message))
          << redone.error().message << story;
      if (redone.has_value()) {
        ASSERT_EQ(differing(all(), after), "") << story;
      }
    }
    for (const std::string& table : tables) EXPECT_EQ(shop.replayed("public." + table), "");
  }
  EXPECT_GT(undone, given == nullptr ? 60 : 0);
  if (given == nullptr) {
    EXPECT_LT(refused, undone / 4);
  }
}

}  // namespace
}  // namespace vestige
