// Who is found by an index, on both databases: it never changes an answer, whatever it has reached, and an erased name is not in it.
#include <algorithm>
#include <random>

#include "test/erase.h"
#include "vestige/audit/doctor.h"
#include "vestige/audit/log.h"
#include "vestige/trail/sealing.h"
#include "vestige/trail/upkeep.h"

namespace vestige {
namespace {

std::vector<std::int64_t> ids(std::unique_ptr<Changes> changes) {
  std::vector<std::int64_t> out;
  while (const auto change = must(changes->next())) out.push_back(change->id);
  return out;
}

class WhoIndex : public ErasingTest {
 protected:
  Database& db() { return trail.db(); }
  std::int64_t number(const std::string& sqlite, const std::string& postgres) {
    return must(scalar_integer(db(), trail.postgres() ? postgres : sqlite));
  }
  void index() {
    must(sealing_of(db())->index_who());
    must(sealing_of(db())->index_who());
  }
  std::int64_t indexed() {
    return number("select max(block) * 64 + 64 from vestige_who",
                  "select max(upto) from vestige.who_upto");
  }
  std::int64_t under(const std::string& name) {
    return number("select count(*) from vestige_who where actor = '" + name + "'",
                  "select count(*) from vestige.who where name_hash = vestige.name_hash('" + name +
                      "', false)");
  }
  // Rows of some transactions, each of one to nine changes, by one of a few people or nobody.
  void write(int transactions, std::mt19937& dice) {
    for (int i = 0; i < transactions; ++i) {
      Context context;
      const char* const people[] = {"ann", "bob", "{\"odd\": \"'name\\", "zoe", ""};
      const std::string who = people[dice() % 5];
      if (!who.empty()) context.set("actor", who);
      if (dice() % 9 == 0) context.set("reason", "\"actor\": \"ann\"");
      auto scope = must(ContextScope::begin(db(), context));
      const int rows = 1 + static_cast<int>(dice() % 9);
      trail.application(fmt::format(
          "insert into p with recursive n (i) as (select {} union all select i + 1 from n where i <"
          " {}) select i, 'x', 1 from n",
          next_, next_ + rows - 1));
      next_ += rows;
      must(scope.commit());
    }
  }
  int next_ = 100;
};

INSTANTIATE_TEST_SUITE_P(Both, WhoIndex, testing::Values(Engine::sqlite, Engine::postgres),
                         engine_name);

TEST_P(WhoIndex, ChangesNoAnswer) {
  std::mt19937 dice(std::random_device{}());
  for (int part = 0; part < 4; ++part) {
    write(90, dice);
    index();
  }
  write(20, dice);
  ASSERT_GT(indexed(), 0);
  std::vector<Change> all;
  {
    auto changes = must(read_changes(db(), Selection()));
    while (auto change = must(changes->next())) all.push_back(*std::move(change));
  }
  const std::string user = all[0].db_user.value_or("");
  for (int round = 0; round < 200; ++round) {
    Selection one;
    for (std::size_t i = 0; i < 1 + dice() % 2; ++i) {
      const std::vector<std::string> names = {"ann", "bob", "{\"odd\": \"'name\\", "nobody", user};
      one.who.push_back(names[dice() % names.size()]);
    }
    if (trail.postgres() && dice() % 4 == 0) one.db_users = {dice() % 2 == 0 ? user : "nobody"};
    if (dice() % 8 == 0 && trail.postgres()) one.who.clear(), one.db_users = {user};
    if (dice() % 3 == 0) one.after = all[dice() % all.size()].id - 1;
    if (dice() % 3 == 0) one.upto = all[dice() % all.size()].id;
    if (dice() % 4 == 0) one.since = all[dice() % all.size()].at;
    if (dice() % 4 == 0) one.until = all[dice() % all.size()].at;
    if (dice() % 4 == 0) one.ops = {dice() % 2 == 0 ? Op::insert : Op::update};
    if (dice() % 4 == 0) one.table = must(tracked_tables(db()))[0].id;
    one.oldest_first = dice() % 2 == 0;
    one.limit = dice() % 2 == 0 ? 0 : 1 + static_cast<std::int64_t>(dice() % 40);
    std::vector<std::int64_t> expected;
    const auto has = [](const std::vector<std::string>& names, const std::string* name) {
      return name != nullptr && std::find(names.begin(), names.end(), *name) != names.end();
    };
    for (const Change& change : all) {
      if ((one.who.empty() || has(one.who, change.who())) &&
          (one.db_users.empty() || has(one.db_users, &*change.db_user)) &&
          change.id > one.after.value_or(0) && change.id <= one.upto.value_or(change.id) &&
          change.at >= one.since.value_or(change.at) && (!one.until || change.at < *one.until) &&
          (one.ops.empty() || change.op == one.ops[0]))
        expected.push_back(change.id);
    }
    if (one.oldest_first) std::reverse(expected.begin(), expected.end());
    if (one.limit > 0 && std::ssize(expected) > one.limit)
      expected.resize(static_cast<std::size_t>(one.limit));
    EXPECT_EQ(ids(must(read_changes(db(), one))), expected) << round;
  }
}

// What it does not name is not read: that shows that it is used, and for what.
TEST_P(WhoIndex, DecidesWhatIsRead) {
  std::mt19937 dice(1);
  write(300, dice);
  index();
  Selection ann;
  ann.who = {"ann"};
  const auto all = ids(must(read_changes(db(), ann)));
  must(db().script(trail.postgres() ? "delete from vestige.who" : "delete from vestige_who"));
  auto rest = all;
  const std::int64_t upto =
      number("select max(id) >> 9 << 9 from vestige_change", "select upto from vestige.who_upto");
  std::erase_if(rest, [&](std::int64_t id) { return id <= upto; });
  EXPECT_LT(rest.size(), all.size());
  EXPECT_EQ(ids(must(read_changes(db(), ann))), rest);
}

// Taking a name out of it would hide what somebody did from log --actor.
TEST_P(WhoIndex, IsHeldAgainstTheChanges) {
  std::mt19937 dice(4);
  write(150, dice);
  index();
  const auto missing = [&] { return must(upkeep_of(db())->nameless()); };
  EXPECT_EQ(missing(), std::vector<std::int64_t>());
  Selection zoe;
  zoe.who = {"zoe"};
  zoe.oldest_first = true;
  const std::int64_t first = ids(must(read_changes(db(), zoe)))[0];
  const std::string block = fmt::format(" and block = {}", (first - 1) / 64);
  ASSERT_GT(indexed(), first);
  const std::string name = trail.postgres()
                               ? "vestige.who where name_hash = vestige.name_hash('zoe', false)"
                               : "vestige_who where actor = 'zoe'";
  must(db().script("delete from " + name + block));
  ASSERT_EQ(missing(), std::vector<std::int64_t>{first});
  trail.live = true;
  trail.seal();
  trail.verify();
  EXPECT_NE(trail.words.find(fmt::format("change {} is hidden: the index of who", first)),
            std::string::npos)
      << trail.words;
}

TEST_P(WhoIndex, HasNoNameThatWasErased) {
  std::mt19937 dice(2);
  write(300, dice);
  trail.as("carl", "insert into p values (9001, 'x', 1)");
  const std::int64_t carls =
      number("select max(id) from vestige_change", "select max(id) from vestige.change");
  trail.as("carl", "insert into p values (9002, 'x', 1)");
  write(300, dice);
  index();
  ASSERT_GT(indexed(), carls + 64);
  const std::int64_t before = under("ann");
  EXPECT_GT(under("carl"), 0);
  Selection carl;
  carl.who = {"carl"};
  const auto both = ids(must(read_changes(db(), carl)));
  ASSERT_EQ(both.size(), 2U);
  EraseRequest one = changes({carls});
  one.contexts = true;
  erase(one);
  EXPECT_EQ(ids(must(read_changes(db(), carl))), std::vector<std::int64_t>{both[0]});
  one.changes = {both[0]};
  erase(one);
  EXPECT_EQ(under("carl"), 0);
  EXPECT_EQ(ids(must(read_changes(db(), carl))), std::vector<std::int64_t>());
  Selection ann;
  ann.who = {"ann"};
  const auto anns = ids(must(read_changes(db(), ann)));
  for (int again = 0; again < 2; ++again) {
    index();
    EXPECT_EQ(under("ann"), before);
    EXPECT_EQ(under("carl"), 0);
    EXPECT_EQ(ids(must(read_changes(db(), ann))), anns);
  }
  if (!trail.postgres()) return;
  EXPECT_EQ(number("", "select count(*) from vestige.who where name_hash = 0"), 0);
  // Where nobody was said, it is the database's user.
  Selection user;
  user.who = {std::get<Text>(must(scalar(db(), "select session_user::text"))).bytes};
  const auto users = ids(must(read_changes(db(), user)));
  for (const std::int64_t id : both)
    EXPECT_NE(std::find(users.begin(), users.end(), id), users.end());
}

TEST_P(WhoIndex, ComesToAnOlderTrail) {
  std::mt19937 dice(3);
  write(300, dice);
  Selection ann;
  ann.who = {"ann"};
  const auto all = ids(must(read_changes(db(), ann)));
  const std::int64_t was = number("select count(*) from vestige_who", "select 0");
  if (trail.postgres())
    must(db().script(
        "drop table vestige.who, vestige.who_upto; drop function vestige.index_who(int),"
        " vestige.forget_names(bigint[], bigint[])"));
  else
    must(db().script(
        "drop table vestige_who; drop trigger vestige_change_run;"
        "create trigger vestige_change_run after insert on vestige_change when NEW.id & 511 = 0"
        " begin select 1; end"));
  EXPECT_EQ(ids(must(read_changes(db(), ann))), all);
  must(sealing_of(db())->index_who());
  if (!trail.postgres()) {
    const auto findings = must(doctor(db(), false));
    ASSERT_EQ(findings.size(), 1U);
    EXPECT_EQ(findings[0].code, "schema-version");
    EXPECT_EQ(findings[0].message,
              "the trail is older than this vestige: it records changes, but not where those of"
              " somebody stand");
  }
  EXPECT_TRUE(must(install(db())));
  EXPECT_FALSE(must(install(db())));
  index();
  EXPECT_GT(indexed(), 0);
  EXPECT_EQ(ids(must(read_changes(db(), ann))), all);
  EXPECT_EQ(number("select count(*) from vestige_who", "select 0"), was);
  write(100, dice);
  index();
  EXPECT_GT(ids(must(read_changes(db(), ann))).size(), all.size());
  for (const Finding& one : must(doctor(db(), false))) EXPECT_EQ(one.severity, Severity::note);
}

class PostgresWhoIndex : public testing::Test {
 protected:
  void SetUp() override {
    s.run(
        "create table t (id int primary key, x int); select vestige.track('t'); "
        "insert into t select i, i from generate_series(1, 200) i");
  }
  std::string index() {
    return s.one("select vestige.index_who()::text") + " " +
           s.one("select vestige.index_who()::text");
  }
  std::int64_t upto() {
    return std::stoll("0" + s.one("select max(upto)::text from vestige.who_upto"));
  }
  std::int64_t last() {
    return std::stoll(s.one("select last_value::text from vestige.change_id"));
  }
  std::size_t found(const std::string& who) {
    Selection one;
    one.who = {who};
    return ids(must(read_changes(s.db(), one))).size();
  }
  static std::string said(const std::string& who) {
    return "select vestige.set_context('{\"actor\": \"" + who + "\"}'); ";
  }
  void by(const std::string& who, const std::string& sql) {
    s.run("begin; " + said(who) + sql + "; commit");
  }
  PgShop shop;
  PgSession& s = shop.admin;
};

// A change that nobody sees yet has its id: the index stops before it, and so finds it later.
TEST_F(PostgresWhoIndex, WaitsForWhatIsNotCommitted) {
  for (const std::string how : {"update t set x = 0 where id = 1", "truncate t"}) {
    PgSession open(shop.database.url());
    const std::size_t before = found("late");
    open.run("begin; " + said("late") + how);
    const std::int64_t own = std::stoll(open.one("select max(id)::text from vestige.context"));
    s.run("create table if not exists u (id int primary key); select vestige.track('u')");
    by("others",
       "insert into u select coalesce(max(u.id), 0) + i from u right join generate_series(1, 300) i"
       " on true group by i");
    for (int i = 0; i < 3; ++i) index();
    EXPECT_LT(upto(), own) << how;
    EXPECT_EQ(found("late"), before);
    EXPECT_GT(found("others"), 0U);
    open.run("commit");
    const std::size_t now = found("late");
    EXPECT_GT(now, before) << how;
    for (int i = 0; i < 3; ++i) index();
    EXPECT_GT(upto(), own);
    EXPECT_EQ(upto(), last() / 64 * 64);
    EXPECT_EQ(found("late"), now) << how;
    s.run("insert into t select i, i from generate_series(1, 200) i on conflict do nothing");
  }
  for (int i = 0; i < 3; ++i) index();
  EXPECT_EQ(index(), "0 0") << "nothing to do, nothing written";
}

// The xid of another cluster may be one that never comes here, or one that was long ago.
TEST_F(PostgresWhoIndex, GoesOnInARestoredTrail) {
  for (const char* xid : {"5000000000", "3"}) {
    by(xid, "update t set x = x + 1");
    s.run(fmt::format(
        "update vestige.who_upto set next_xid = '{}', next_upto = (select last_value / 64 * 64"
        " from vestige.change_id)",
        xid));
    s.run("insert into vestige.who_upto select true, 0, last_value / 64 * 64, '" +
          std::string(xid) + "' from vestige.change_id on conflict do nothing");
    by(xid, "update t set x = x + 1");
    for (int i = 0; i < 2; ++i) index();
    EXPECT_EQ(upto(), last() / 64 * 64);
    EXPECT_EQ(found(xid), 400U);
  }
}

TEST_F(PostgresWhoIndex, IsMadeByMaintenanceSealAndDoctor) {
  s.run("select vestige.maintain()");
  s.run("select vestige.maintain()");
  EXPECT_EQ(upto(), 192);
  s.run("select setval('vestige.change_id', 2000000)");
  auto findings = must(doctor(s.db(), false));
  const auto about = [&] {
    return std::find_if(findings.begin(), findings.end(),
                        [](const Finding& one) { return one.code == "who-index"; });
  };
  ASSERT_NE(about(), findings.end());
  EXPECT_EQ(about()->severity, Severity::note);
  EXPECT_NE(about()->message.find("what somebody did is looked for in 1999808 changes one by one"),
            std::string::npos)
      << about()->message;
  findings = must(doctor(s.db(), true));
  EXPECT_TRUE(about()->fixed);
  EXPECT_EQ(upto(), 2000000);
  // A session that reads an old moment leaves it to others, and so does one that meets an erasure.
  by("ann", "update t set x = -x");
  s.run("begin isolation level repeatable read");
  EXPECT_EQ(index(), "0 0");
  s.run("commit");
  PgSession other(shop.database.url());
  other.run("begin; lock table vestige.sealer in share row exclusive mode");
  EXPECT_NE(s.error("select vestige.index_who()").find("lock timeout"), std::string::npos);
  s.run("select vestige.maintain()");
  must(sealing_of(s.db())->index_who());
  other.run("rollback");
  EXPECT_EQ(upto(), 2000000);
  index();
  EXPECT_EQ(upto(), 2000192);
  EXPECT_EQ(found("ann"), 200U);
}

}  // namespace
}  // namespace vestige
