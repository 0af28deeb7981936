// Random tables, types and workloads on PostgreSQL: whatever happens, the changes lead from nothing to what stands,
// and back. VESTIGE_SEED=… plays one game again; a failure prints its seed and its script.
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "test/capture_random.h"
#include "test/postgres_capture.h"

namespace vestige {
namespace {

struct Type {
  std::string name;
  std::vector<std::string> values;
};

const std::vector<Type>& types() {
  static const std::vector<Type> all = {
      {"int", {"0", "1", "2", "3", "-1"}},
      {"bigint", {"1", "9007199254740993"}},
      {"numeric", {"1", "1.0", "1.00", "'NaN'", "0"}},
      {"numeric(8,2)", {"1", "1.005", "-3"}},
      {"float8", {"0", "'-0'", "0.1", "1e300", "'NaN'"}},
      {"real", {"0.1", "16777217"}},
      {"text", {"''", "'a'", "'A'", "'a,\"b'", "'\\'", "' '", "repeat('x', 3000)", "'NULL'"}},
      {"char(3)", {"'a'", "'ab '", "''"}},
      {"boolean", {"true", "false"}},
      {"bytea", {"'\\x00'", "'\\x5c22'", "''"}},
      {"timestamptz", {"'2024-10-27 01:30+00'", "'infinity'", "'0044-03-15 BC'"}},
      {"date", {"'2024-02-29'", "'-infinity'"}},
      {"interval", {"'1 mon'", "'30 days'", "'1 day -1s'"}},
      {"json", {"'{\"a\": 1,  \"a\":2}'", "'[]'"}},
      {"jsonb", {"'{\"a\":1.0}'", "'{\"a\":1.00}'", "'null'"}},
      {"int[]", {"'{}'", "'{1,NULL}'", "'[0:1]={1,2}'", "'{{1},{2}}'"}},
      {"text[]", {"array['a,b', null, '']", "'{}'"}},
      {"mood", {"'a'", "'b''s, \"x\"'"}},
      {"pair", {"row(1, 'x')", "row(null, null)", "row(1.5, 'a,\"b')"}},
      {"small", {"1", "9"}},
      {"int4range", {"'[1,3)'", "'empty'"}},
  };
  return all;
}

// A database that random statements write, and the log of what was done to it.
class Game {
 public:
  explicit Game(std::uint64_t seed) : dice(seed), seed_(seed) {
    run("create type mood as enum ('a', 'b''s, \"x\"'); create type pair as (n numeric, t text); "
        "create domain small as int check (value < 10)");
    if (dice.chance(40))
      run("set timezone = 'America/New_York'; set datestyle = 'SQL, DMY'; set intervalstyle = "
          "'iso_8601'; "
          "set extra_float_digits = 0; set bytea_output = 'escape'");
    make();
    run("select vestige.track('goods'" + std::string(dice.chance(15) ? ", capture => 'full'" : "") +
        ")");
    // Only a key tells what came first when statements nest.
    if (keyed_ && dice.chance(30)) make_trigger();
  }

  void run(const std::string& sql) {
    log_ += sql + ";\n";
    shop.admin.run(sql);
  }
  // What may fail; the trail is never to blame.
  void attempt(const std::string& sql) {
    const std::string problem = shop.admin.error(sql);
    log_ += sql.substr(0, 2000) + (problem.empty() ? ";\n" : "; -- " + problem + "\n");
    for (const char* word :
         {"vestige", "has no field", "capture", "does not exist", "concurrently"})
      if (problem.find(word) != std::string::npos) failed(problem);
  }
  void look() {
    if (const std::string wrong = shop.replayed("public.goods"); !wrong.empty()) failed(wrong);
  }
  [[noreturn]] void failed(const std::string& why) {
    throw std::runtime_error("seed " + std::to_string(seed_) + ": " + why + "\n" + log_);
  }

  void transaction() {
    if (dice.chance(40)) return attempt(statement());
    attempt("begin");
    bool broken = false;
    for (std::size_t i = 1 + dice.below(5); i > 0 && !broken; --i) {
      attempt("savepoint a");
      attempt(dice.chance(12) ? ddl() : statement());
      // A failed one leaves the transaction in ruins until this.
      attempt(dice.chance(25) ? "rollback to a" : "release a");
      if (!shop.admin.error("select 1").empty()) attempt("rollback to a");
    }
    attempt(dice.chance(25) ? "rollback" : "commit");
  }

  Dice dice;
  PgShop shop;

 private:
  struct Column {
    std::string name;
    Type type;
  };

  void make() {
    const std::vector<std::string> names = {"v",   "\"Größe\"", "\"new\"",   "\"a \"\"b\"\"\"",
                                            "old", "number",    "\"select\""};
    std::string parts = "id int";
    for (std::size_t i = 0; i < 1 + dice.below(names.size()); ++i) {
      columns_.push_back({names[i], dice.pick(types())});
      parts += ", " + names[i] + " " + columns_.back().type.name;
    }
    const std::size_t kind = dice.below(6);
    if (kind == 0)
      parts += ", up int references goods on update cascade on delete " +
               dice.pick<std::string>({"cascade", "set null"}) +
               " deferrable initially deferred, primary key (id)";
    if (kind == 1) parts += ", primary key (id)";
    if (kind == 2) parts += ", primary key (id) deferrable initially deferred";
    if (kind == 3) parts += ", twice int generated always as (id * 2) stored, unique (id)";
    if (kind == 5) parts += ", primary key (id)";
    run("create table goods (" + parts + ")" + (kind == 5 ? " partition by range (id)" : ""));
    if (kind == 5)
      run("create table low partition of goods for values from (0) to (4); create table high "
          "partition of goods default");
    if (kind == 0) columns_.push_back({"up", {"int", {"1", "2", "3", "null", "id"}}});
    if (kind == 4 && columns_[0].type.name != "json")
      if (shop.admin.error("alter table goods add primary key (id, " + columns_[0].name + ")")
              .empty())
        log_ += "alter table goods add primary key (id, " + columns_[0].name + ");\n";
    partitioned_ = kind == 5;
    keyed_ = kind == 0 || kind == 1 || kind == 5;
  }

  // Touches other rows of the table, before or after the row at hand is written.
  void make_trigger() {
    triggers_ = true;
    const Column& column = columns_[0];
    run("create function app() returns trigger language plpgsql as $f$ begin "
        "if pg_trigger_depth() < " +
        std::to_string(2 + dice.below(2)) + " then " +
        dice.pick<std::string>(
            {"update goods set " + column.name + " = " + value(column) + " where id > new.id;",
             "update goods set " + column.name + " = " + value(column) +
                 " where id % 2 = new.id % 2 and id <> new.id;",
             "delete from goods where id = new.id + 1;",
             "update goods set id = id where id < new.id;"}) +
        " end if; return new; end $f$");
    run("create trigger app " + std::string(partitioned_ || dice.chance(60) ? "after" : "before") +
        " " + dice.pick<std::string>({"insert", "update", "insert or update"}) +
        " on goods for each row execute function app()");
  }

  std::string value(const Column& column) {
    if (dice.chance(15)) return "null";
    const std::string picked = dice.pick(column.type.values);
    return "(" + picked + ")::" + column.type.name;
  }
  std::string row(const std::string& id) {
    std::string out = "(" + id;
    for (const Column& column : columns_)
      out += ", " + (column.name == "up" ? std::string("null") : value(column));
    return out + ")";
  }
  std::string names() {
    std::string out = "id";
    for (const Column& column : columns_) out += ", " + column.name;
    return out;
  }
  std::string number() { return std::to_string(dice.below(8)); }
  std::string where() {
    return dice.pick<std::string>(
        {" where id = " + number(), " where id > " + number(), "", " where id % 2 = 0"});
  }
  std::string statement() {
    const Column& column = columns_[dice.below(columns_.size())];
    const std::string set = column.name + " = " + value(column);
    switch (dice.below(12)) {
      case 0:
      case 1: return "insert into goods (" + names() + ") values " + row(number());
      case 2:
        return "insert into goods (" + names() + ") values " + row(number()) + ", " +
               row(number()) + ", " + row(number());
      case 3:
        return "insert into goods (" + names() + ") values " + row(number()) + ", " +
               row(number()) + " on conflict do nothing";
      case 4:
        return "insert into goods (" + names() + ") values " + row(number()) +
               " on conflict (id) do update set " + set;
      case 5: return "delete from goods" + where();
      case 6: return "update goods set id = id + " + number() + where();
      case 7: return "update goods set id = 7 - id, " + set + where();
      case 8:
        return "with d as (delete from goods where id = " + number() +
               " returning id) update goods set " + set + " where id in (select id + 1 from d)";
      case 9: return dice.chance(15) ? "truncate goods" : "update goods set " + set + where();
      default: return "update goods set " + set + where();
    }
  }
  std::string ddl() {
    const std::string fresh = "c" + std::to_string(++made_);
    switch (dice.below(4)) {
      case 0:
        return "alter table goods rename id to " + fresh + "; alter table goods rename " + fresh +
               " to id";
      case 1: {
        const std::string name = fresh;
        return "alter table goods add " + name + " text; update goods set " + name + " = 'x'" +
               where();
      }
      case 2:
        if (triggers_) return "select 1";  // they know the table by its name
        return "alter table goods rename to other; update other set id = id; alter table other "
               "rename to goods";
      default: return "alter table goods add " + fresh + " int; alter table goods drop " + fresh;
    }
  }

  std::uint64_t seed_;
  std::string log_;
  std::vector<Column> columns_;
  bool partitioned_ = false;
  bool keyed_ = false;
  bool triggers_ = false;
  int made_ = 0;
};

RC_GTEST_PROP(PostgresCaptureRandom, LeadsFromNothingToWhatStandsAndBack, ()) {
  Game game(drawn_seed());
  for (int i = 0; i < 24; ++i) {
    game.transaction();
    if (i % 6 == 5) game.look();
  }
}

}  // namespace
}  // namespace vestige
