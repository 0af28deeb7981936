// How the trail is found: which changes are of one row and of one transaction, and how little is read for that.
#include <map>
#include <random>
#include <set>
#include <sstream>

#include "test/postgres_capture.h"
#include "test/postgres_types.h"
#include "vestige/trail/changes.h"

namespace vestige {
namespace {

class PostgresReads : public ::testing::Test {
 protected:
  void run(const std::string& sql) { s.run(sql); }
  std::string one(const std::string& sql) { return s.one(sql); }
  std::string plan(const std::string& sql) {
    std::string out;
    for (const auto& row : s.table("explain (costs off) " + sql)) out += *row[0] + "\n";
    return out;
  }
  std::vector<std::int64_t> ids(const Selection& selection) {
    std::vector<std::int64_t> out;
    auto changes = read_changes(s.db(), selection).value();
    while (auto change = changes->next().value()) out.push_back(change->id);
    return out;
  }

  PgShop shop_;
  PgSession& s = shop_.admin;
};

// Every row that ever stood under a key, from its beginning to its end: the slow way.
std::map<std::string, std::set<std::string>> lives_by_key(PgSession& s) {
  std::map<std::string, int> standing;
  std::map<int, std::set<std::string>> changes, keys;
  int next = 0;
  for (const auto& row : s.table("select id::text, op::text, key, new_key from vestige.change"
                                 " where key is not null order by vestige.change.id")) {
    const std::string& key = *row[2];
    if (*row[1] == "I" || !standing.contains(key)) standing[key] = ++next;
    const int life = standing[key];
    changes[life].insert(*row[0]);
    keys[life].insert(key);
    if (row[3].has_value()) {
      standing.erase(key);
      standing[*row[3]] = life;
      keys[life].insert(*row[3]);
    }
    if (*row[1] == "D") standing.erase(key);
  }
  std::map<std::string, std::set<std::string>> out;
  for (const auto& [life, of_life] : keys)
    for (const std::string& key : of_life)
      out[key].insert(changes[life].begin(), changes[life].end());
  return out;
}

TEST_F(PostgresReads, ARowIsFollowedThroughItsKeys) {
  run("create table t (k int primary key, a int); insert into t values (3, 0), (4, 0); select "
      "vestige.track('t')");
  std::mt19937 dice(7);
  const auto any = [&] { return std::to_string(static_cast<int>(dice() % 9)); };
  for (int i = 0; i < 600; ++i) {
    const std::string from = any();
    const std::string to = any();
    switch (dice() % 5) {
      case 0: run("insert into t values (" + from + ", 0) on conflict do nothing"); break;
      case 1: run("delete from t where k = " + from); break;
      case 2: run("update t set a = a + 1 where k = " + from); break;
      default:
        run("update t set k = " + to + " where k = " + from +
            " and not exists (select from t o where o.k = " + to + ")");
    }
  }
  const auto lives = lives_by_key(s);
  ASSERT_EQ(lives.size(), 9U);
  EXPECT_GT(std::stoi(one("select count(*)::text from vestige.moved")), 20);
  for (const auto& [key, expected] : lives) {
    std::set<std::string> told;
    std::size_t rows = 0;
    for (const auto& row :
         s.table("select c.id::text from vestige.row_trail(1, '" + key + "') c")) {
      told.insert(*row[0]);
      ++rows;
    }
    EXPECT_EQ(told, expected) << "key " << key;
    EXPECT_EQ(rows, told.size()) << "key " << key << ": a change twice";
  }
  EXPECT_EQ(one("select count(*)::text from vestige.row_trail(1, null)"), "0");
}

// The key's hash is looked up once in each partition, and the changes are fetched by that, not by their ids.
TEST_F(PostgresReads, ARowTakesOneSearch) {
  run("create table t (k int primary key, a int); select vestige.track('t');"
      "insert into t select i, 0 from generate_series(1, 500) i; update t set a = 1; update t set "
      "a = 2;"
      "update t set k = 1000 where k = 500; analyze vestige.change; set enable_seqscan = off");
  // In how many partitions an index of one column is searched, and how often in each.
  const auto scans = [&](const std::string& column, const std::string& sql) {
    const std::string counts =
        "select array_to_string(array_agg(pg_stat_get_xact_numscans(i.indexrelid) order by "
        "i.indexrelid), ' ')"
        " from pg_index i join pg_partition_tree('vestige.change') p on p.relid = i.indrelid and "
        "p.isleaf"
        " where pg_get_indexdef(i.indexrelid) like '%(" +
        column + ")'";
    run("begin");
    std::istringstream before(one(counts));
    one("select count(*)::text from " + sql);
    std::istringstream after(one(counts));
    run("rollback");
    std::vector<int> searched;
    for (int was = 0, is = 0; before >> was && after >> is;)
      if (is > was) searched.push_back(is - was);
    return searched;
  };
  const auto parts = std::stoul(
      one("select count(*)::text from pg_partition_tree('vestige.change') where isleaf"));
  EXPECT_GE(parts, 4U);
  const std::vector<int> once(parts, 1);
  EXPECT_EQ(scans("key_hash", "vestige.row_trail(1, '7')"), once);
  EXPECT_EQ(scans("id", "vestige.row_trail(1, '7')"), std::vector<int>());
  EXPECT_EQ(scans("key_hash", "vestige.changes_under(1, '7')"), once);
  EXPECT_EQ(one("select count(*)::text from vestige.row_trail(1, '7')"), "3");
  EXPECT_EQ(one("select count(*)::text from vestige.row_trail(1, '1000')"), "4");
  // vestige.history takes no other, and finds contexts by their ids, though they were never analysed.
  EXPECT_EQ(scans("key_hash", "vestige.history('t', '7')"), once);
  EXPECT_EQ(scans("id", "vestige.history('t', '7')"), std::vector<int>());
  run("set enable_seqscan = on; begin");
  const std::string whole = "select pg_stat_get_xact_numscans('vestige.context'::regclass)::text";
  const std::string before = one(whole);
  EXPECT_EQ(one("select count(*)::text from vestige.history('t', '7')"), "3");
  EXPECT_EQ(one(whole), before);
  run("rollback");
}

TEST_F(PostgresReads, ConditionsOfAuditLogReachThePartitions) {
  run("create table t (k int, l int, primary key (k, l)); create table u (k text primary key);"
      "select vestige.track('t'), vestige.track('u'); insert into t values (1, 2); insert into u "
      "values ('a');"
      "select vestige.maintain(); analyze vestige.change");
  EXPECT_GE(std::stoi(one("select count(*)::text from vestige.partitions()")), 3);
  const std::string all = plan("select * from vestige.audit_log");
  EXPECT_NE(all.find("change_default"), std::string::npos) << all;
  const std::string some = plan(
      "select * from vestige.audit_log where changed_at between '2001-01-01' and '2001-02-01'"
      " and table_name = 't'");
  EXPECT_EQ(some.find("change_default"), std::string::npos) << some;
  EXPECT_EQ(some.find("Append"), std::string::npos) << some;
  EXPECT_EQ(one("select string_agg(record_id, ' ' order by id) from vestige.audit_log"),
            "[\"1\",\"2\"] a");
  EXPECT_EQ(one("select count(*)::text from vestige.audit_log where table_name = 't' and record_id "
                "= '[\"1\",\"2\"]'"),
            "1");
}

// What a transaction did, found without reading what came after; sessions write one beside the other.
TEST_F(PostgresReads, ATransactionEndsWhereItsProcessBeginsAnother) {
  run("create table t (k int primary key, a int); select vestige.track('t')");
  std::vector<std::unique_ptr<PgSession>> sessions;
  for (int i = 0; i < 4; ++i) sessions.push_back(std::make_unique<PgSession>(shop_.database.url()));
  std::mt19937 dice(3);
  std::vector<bool> open(sessions.size());
  int key = 0;
  for (int i = 0; i < 300; ++i) {
    const std::size_t which = dice() % sessions.size();
    PgSession& session = *sessions[which];
    if (!open[which]) session.run("begin");
    open[which] = true;
    switch (dice() % 6) {
      case 0:
        session.run("set local vestige.context = '{\"actor\": \"" + std::to_string(i) + "\"}'");
        break;
      case 1:
        session.run("savepoint a; insert into t values (" + std::to_string(++key) +
                    "); rollback to a");
        break;
      case 2:
        session.run(dice() % 4 == 0 ? "rollback" : "commit");
        open[which] = false;
        break;
      default:
        key += 2;
        session.run("insert into t values (" + std::to_string(key - 1) + "), (" +
                    std::to_string(key) + ")");
    }
  }
  for (std::size_t i = 0; i < sessions.size(); ++i)
    if (open[i]) sessions[i]->run("commit");
  int ended = 0;
  int several = 0;
  for (const auto& row :
       s.table("select x.tx::text, array_to_string(array_agg(c.id order by c.id desc), ' '),"
               " vestige.tx_end(x.tx)::text, max(c.id)::text, count(distinct x.id)::text"
               " from vestige.context x join vestige.change c on c.context = x.id and c.xid = "
               "x.xid group by x.tx")) {
    Selection selection;
    selection.tx = std::stoll(*row[0]);
    EXPECT_EQ(fmt::format("{}", fmt::join(ids(selection), " ")), *row[1]);
    EXPECT_EQ(one("select array_to_string(vestige.changes_of(" + *row[0] + "), ' ')"), *row[1]);
    EXPECT_GT(std::stoll(*row[2]), std::stoll(*row[3]));
    ended += std::stoll(*row[2]) < 1'000'000 ? 1 : 0;
    several += *row[4] != "1" ? 1 : 0;
  }
  EXPECT_GT(ended, 15);
  EXPECT_GT(several, 5);
  EXPECT_EQ(one("select vestige.tx_end(-1)::text"), "9223372036854775807");
}

// What somebody types for a key is found, however the type prints it and whatever its cast to text makes of it.
TEST_F(PostgresReads, ARowOfEveryTypeOfKey) {
  run(std::string(kTypes));
  int keys = 0;
  for (const TypeSample& sample : samples_of(s.db().version())) {
    const std::string type = sample.type;
    const std::string table = "key_" + std::to_string(++keys);
    if (!s.error("create table " + table + " (k " + type + " primary key, v int)").empty())
      continue;
    run("select vestige.track('" + table + "', baseline => true)");
    for (const char* value : sample.values)  // equal ones are refused by a key
      (void)s.error("insert into " + table + " values ((" + std::string(value) + ")::" + type +
                    ", 0)");
    run("update " + table + " set v = 1");
    run("set search_path = pg_catalog, pg_temp");
    for (const std::string spelled : {"t.k::text", "concat(t.k)"}) {
      if (type == "bpchar" && spelled == "t.k::text") continue;  // which takes blanks away
      const std::string rows = "select " + spelled + " as s from public." + table + " t";
      if (!s.error(rows).empty()) continue;
      EXPECT_EQ(
          one("select coalesce(string_agg(x.s, ' '), '') from (" + rows +
              ") x where (select count(*) from vestige.history('public." + table + "', x.s)) <> 2"),
          "")
          << type << ", " << spelled;
    }
    run("reset search_path");
  }
  EXPECT_GT(keys, 40);
}

// Different texts are equal to such a collation; their changes are those of one row, whichever way they were recorded.
TEST_F(PostgresReads, AKeyOfACollationThatTakesDifferentTextsForEqual) {
  run("create collation ci (provider = icu, locale = 'und-u-ks-level2', deterministic = false);"
      "create table u (mail text collate ci primary key, v int); insert into u values ('Base@x', "
      "0);"
      "select vestige.track('u', baseline => true);"
      "insert into u values ('Ann@x', 1); update u set v = 2 where mail = 'ANN@x';"
      "update u set v = 3 where mail = 'base@x'; truncate u");
  for (const std::string key : {"Ann@x", "Base@x"})
    EXPECT_EQ(
        one("select string_agg(action, ' ' order by id) from vestige.history('u', '" + key + "')"),
        key == "Ann@x" ? "INSERT UPDATE DELETE" : "BASELINE UPDATE DELETE");
}

}  // namespace
}  // namespace vestige
