// The heart of capture: whatever happens to a table, its changes lead from what it was to what it is, and
// back. Random tables, values and statements; every failure prints its seed and its script.
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "test/capture_random.h"

namespace vestige {
namespace {

// VESTIGE_SEED=… plays one game again.
std::uint64_t seed() {
  if (const char* given = std::getenv("VESTIGE_SEED")) return std::strtoull(given, nullptr, 10);
  return *rc::gen::noShrink(rc::gen::resize(rc::kNominalSize, rc::gen::arbitrary<std::uint64_t>()));
}

// A database that random statements write, and the log of what was done to it.
class Play {
 public:
  explicit Play(std::uint64_t seed) : dice(seed), seed_(seed) {
    setup("pragma synchronous = off");
    setup(dice.chance(50) ? "pragma journal_mode = wal" : "pragma journal_mode = delete");
    if (dice.chance(85)) {
      client_ = shop.connect();
    } else {
      client_ = must(Sqlite::open(":memory:"));
      client("attach '" + shop.directory().file("shop.db") + "' as away");
    }
    client(dice.chance(50) ? "pragma recursive_triggers = on" : "pragma recursive_triggers = off");
    client("pragma synchronous = off");
  }

  void setup(const std::string& sql) {
    log_ += sql + ";\n";
    shop.run(sql);
  }
  void make(const RandomTable& table) {
    for (const std::string& sql : table.sql) setup(sql);
  }
  // What may fail; a failure is one more thing to survive.
  void client(const std::string& sql, const Params& values = {}) {
    const auto done = client_->run(sql, values);
    log_ += RandomStatement{sql, values}.text().substr(0, 3000) +
            (done.has_value() ? ";\n" : "; -- " + done.error().message + "\n");
    // The trail is never to blame.
    if (!done.has_value() && (done.error().message.find("vestige") != std::string::npos ||
                              done.error().fault == Fault::corrupt))
      failed(done.error().message);
    done.has_value() ? ++done_ : ++refused_;
  }
  void look(Witness& witness) {
    if (const std::string wrong = witness.look(); !wrong.empty()) failed(wrong);
  }
  [[noreturn]] void failed(const std::string& why) {
    throw std::runtime_error("seed " + std::to_string(seed_) + ": " + why + "\n" + log_);
  }

  // The name of the rowid where it is no column; empty where there is none.
  std::string row_id(const RandomTable& table) {
    const SqliteTable live = must(sqlite::read_table(shop.db(), table.name));
    return live.row_id_is_key ? "" : live.row_id;
  }

  // One transaction, or one statement without.
  void transaction(std::vector<RandomWrites>& writers) {
    const auto write = [&] {
      const RandomStatement statement = writers[dice.below(writers.size())].next();
      client(statement.sql, statement.values);
    };
    if (dice.chance(60)) return write();
    client("begin");
    for (std::size_t i = 1 + dice.below(5); i > 0; --i) {
      const bool savepoint = dice.chance(25);
      if (savepoint) client("savepoint s");
      write();
      if (savepoint && dice.chance(60)) client("rollback to s");
      if (savepoint) client("release s");
    }
    client(dice.chance(25) ? "rollback" : "commit");
    if (client_->in_transaction()) client("rollback");
  }

  Dice dice;
  Shop shop;

 private:
  std::uint64_t seed_;
  std::unique_ptr<Sqlite> client_;
  std::string log_;
  int done_ = 0;
  int refused_ = 0;
};

// One table of any kind, and where newer is meant a trigger that is newer than capture's: SQLite fires it first.
void play_one_table(std::uint64_t seed, bool newer) {
  Play play(seed);
  const RandomTable table = random_table(
      play.dice, play.dice.pick<std::string>({"goods", "Order", "it's \"x\"", "größe 日"}));
  play.make(table);
  play.shop.with_trail();
  const auto touch = [&](const std::string& name) {
    if (const auto sql = random_touch(play.dice, table, play.row_id(table), name); !sql.empty())
      play.setup(sql);
  };
  const bool older = play.dice.chance(20) && !newer;
  if (older) touch("before tracking");
  Witness none(play.shop.db(), {table.name});
  std::vector<RandomWrites> early = {RandomWrites(play.dice, table, play.row_id(table), none)};
  for (int i = 0; i < 5; ++i) play.transaction(early);
  const Tracked tracked = play.shop.track(table.name);
  {
    Witness start(play.shop.db(), {});
    auto transaction = must(Transaction::begin(play.shop.db()));
    must(baseline(play.shop.db(), tracked));
    must(transaction.commit());
  }
  // docs/sqlite.md, "What slips past".
  if (newer && table.columns.size() <= 16) touch("since tracking");
  Witness witness(play.shop.db(), {table.name});
  std::vector<RandomWrites> writers = {RandomWrites(play.dice, table, play.row_id(table), witness)};
  if (newer) writers[0].never_fails();
  for (int i = 0; i < 15; ++i) {
    play.transaction(writers);
    play.look(witness);
  }
  // From nothing, by the whole trail.
  Twin whole({});
  Selection all;
  all.oldest_first = true;
  auto changes = must(read_changes(play.shop.db(), all));
  while (auto change = must(changes->next())) whole.forward(*change);
  if (!whole.complaint().empty()) play.failed("from the baseline: " + whole.complaint());
  if (const auto wrong = differs(whole.rows(), snapshot(play.shop.db(), table.name));
      !wrong.empty())
    play.failed("from the baseline: " + wrong);
}

// Three tables that write each other: foreign keys that cascade, one of them to its own table, and the
// application's triggers, made before and after tracking began.
void play_three_tables(std::uint64_t seed, bool newer) {
  Play play(seed);
  Dice& dice = play.dice;
  const auto action = [&] {
    return dice.pick<std::string>({"cascade", "set null", "set default", "no action", "restrict"});
  };
  const auto actions = [&] {
    return " on delete " + action() + " on update " + action() +
           (dice.chance(30) ? " deferrable initially deferred" : "");
  };
  const std::string own = actions();
  const bool without = dice.chance(30);
  const std::string primary = without
                                  ? dice.pick<std::string>({"id text primary key", "id primary key",
                                                            "id integer primary key"})
                                  : "id integer primary key";
  const RandomTable goods = {
      "goods",
      {{"id", false, "", primary.find("integer") != std::string::npos},
       {"name", false, "", false},
       {"up", false, "goods", false},
       {"n", false, "", false}},
      {"id"},
      {"create table goods (" + primary + ", name unique, up references goods" + own + ", n)" +
       (without ? " without rowid" : "")}};
  const RandomTable line = {
      "line",
      {{"id", false, "", true}, {"goods", false, "goods", false}, {"n", false, "", false}},
      {"id"},
      {"create table line (id integer primary key, goods references goods" + actions() +
       ", n unique)"}};
  const RandomTable note = {"note",
                            {{"line", false, "line", false}, {"text", false, "", false}},
                            {},
                            {"create table note (line references line" + actions() + ", text)"}};
  const std::vector<RandomTable> tables = {goods, line, note};
  for (const RandomTable& table : tables) play.make(table);
  std::vector<std::string> later;
  for (const char* trigger :
       {"create trigger a after insert on goods begin insert into note (text) values (NEW.name); "
        "insert into note (text) values (NEW.n); end",
        "create trigger b after update of n on goods begin update line set n = NEW.n where goods = "
        "OLD.id; update goods set name = NEW.n where id = NEW.id; end",
        "create trigger c after delete on line begin delete from note where text is OLD.n; end",
        "create trigger d before insert on line when NEW.n = 3 begin select raise(ignore); end",
        "create trigger e before delete on goods when OLD.n = 2 begin select raise(abort, 'no'); "
        "end",
        "create trigger f after insert on line begin update or replace line set n = NEW.id where "
        "id = NEW.id and n is not NEW.id; end",
        "create trigger g after update of name on goods begin update goods set n = NEW.name where "
        "id = NEW.id and n is not NEW.name; end",
        "create trigger h after insert on line when NEW.n = 2 begin delete from line where id = "
        "NEW.id; end",
        "create trigger i after delete on note when OLD.text = 'a' begin insert into note (rowid, "
        "line, text) values (OLD.rowid, null, 'b'); end",
        "create trigger j after insert on note begin update note set text = 'a' where rowid = "
        "NEW.rowid; end"})
    if (newer && dice.chance(15) && std::string_view(trigger).substr(0, 16) != "create trigger b")
      later.emplace_back(trigger);
    else if (dice.chance(25)) play.setup(trigger);
  play.shop.with_trail();
  std::vector<std::string> names;
  for (const RandomTable& table : tables) {
    play.shop.track(table.name);
    names.push_back(table.name);
  }
  for (const std::string& trigger : later) play.setup(trigger);
  play.client(dice.chance(85) ? "pragma foreign_keys = on" : "pragma foreign_keys = off");
  Witness witness(play.shop.db(), names);
  std::vector<RandomWrites> writers;
  for (const RandomTable& table : tables)
    writers.emplace_back(dice, table, play.row_id(table), witness);
  // docs/sqlite.md, "What slips past"; there too why f and g change more than the storage class of a number.
  if (own.find("on update no action") == std::string::npos &&
      own.find("on update restrict") == std::string::npos)
    writers[0].never_replaces();
  if (!later.empty())
    for (RandomWrites& writer : writers) writer.never_fails();
  for (int i = 0; i < 10; ++i) {
    play.transaction(writers);
    play.look(witness);
  }
}

RC_GTEST_PROP(CaptureReplay, LeadsFromEveryStateToTheNextAndBack, ()) {
  play_one_table(seed(), false);
}

RC_GTEST_PROP(CaptureReplay, HoldsThroughCascadesAndTriggers, ()) {
  play_three_tables(seed(), false);
}

// docs/sqlite.md, "What slips past", has what newer triggers can do that these games would find; so they are the
// same games each time.
TEST(CaptureReplay, PutsWhatNewerTriggersDoInOrder) {
  for (std::uint64_t game = 1; game <= 60; ++game) {
    play_one_table(game, true);
    play_three_tables(game, true);
  }
}

}  // namespace
}  // namespace vestige
