// hold on both databases: what is held is kept by whatever removes, what somebody does to a hold's row ends none, and what nobody can
// tell any more is held.
#include "vestige/trail/hold.h"
#include "test/erase.h"
#include "vestige/audit/doctor.h"
#include "vestige/audit/log.h"
#include "vestige/trail/spelling.h"

namespace vestige {
namespace {

Context by(const std::string& actor, const std::string& reason = "letter of 12 May") {
  Context context;
  context.set("actor", actor);
  context.set("reason", reason);
  return context;
}

class Holding : public ErasingTest {
 protected:
  Database& db() { return trail.db(); }
  std::int64_t place(const std::string& filter, bool two_persons = false) {
    return must(place_hold(db(), "Doe v. Shop", must(parse_filter(filter, Now(0))), two_persons,
                           by("counsel")));
  }
  // Which of the changes 1 to 4 a hold keeps, by the program and, where that judges, by the database itself.
  std::string kept(const std::string& filter) {
    const std::int64_t id = place(filter);
    std::string out;
    for (std::int64_t change = 1; change <= 4; ++change)
      if (must(held(db(), {change}, false)).has_value()) out += std::to_string(change);
    std::string there = out;
    if (trail.postgres()) {
      there.clear();
      auto rows = must(db().query("select change from vestige.held('{1,2,3,4}') order by 1"));
      while (must(rows->next()) == Step::row) there += std::to_string(rows->integer(0));
    }
    must(release_hold(db(), std::to_string(id), by("counsel", "settled")));
    return out == there ? out : out + ", there " + there;
  }
  // Which of the table's changes PostgreSQL itself says are held.
  std::string held_by_sql() {
    std::string out;
    auto rows =
        must(db().query("select change from vestige.held(array(select id from vestige.change"
                        " where tracked = 1)) order by 1"));
    while (must(rows->next()) == Step::row) out += std::to_string(rows->integer(0)) + " ";
    return out;
  }
  std::string own() { return spelling_of(db()).table("hold"); }
  std::string listed() {
    std::string out;
    for (const Hold& one : must(holds(db())))
      out += fmt::format("{} {} {} {} refused {} {}\n", one.id, one.who, one.filter,
                         one.in_force() ? "in force" : "released by " + one.released->who,
                         one.refused, one.attempt);
    return out;
  }
};

INSTANTIATE_TEST_SUITE_P(Both, Holding, testing::Values(Engine::sqlite, Engine::postgres),
                         engine_name);

TEST_P(Holding, KeepsWhatItsFilterDescribes) {
  for (const auto& [filter, ids] : {std::pair("", "1234"),
                                    {"table:p", "1234"},
                                    {"table:q", ""},
                                    {"-table:p", ""},
                                    {"table:p*", "1234"},
                                    {"key:1", "14"},
                                    {"key:1.0,2", "124"},
                                    {"key.id:3", "3"},
                                    {"-key:1", "23"},
                                    {"op:update", "4"},
                                    {"-op:UPDATE", "123"},
                                    {"who:ann op:insert", "123"},
                                    {"actor:a*n", "1234"},
                                    {"-actor:ann", ""},
                                    {"actor:bob", ""},
                                    {"-reason:*", "1234"},
                                    {"context.tenant:acme", ""},
                                    {"id:2,3", "23"},
                                    {"-id:2,3", "14"},
                                    {"since:2020-01-01", "1234"},
                                    {"until:2020-01-01", ""},
                                    {"-until:2020-01-01", "1234"}}) {
    if (std::string_view(filter) == "table:q") {
      EXPECT_EQ(
          error_of(place_hold(db(), "m", must(parse_filter(filter, Now(0))), false, by("c"))).fault,
          Fault::missing);
      continue;
    }
    EXPECT_EQ(kept(filter), ids) << filter;
  }
}

// What a filter asks of values the program judges; the database keeps all that its other conditions describe.
TEST_P(Holding, OfValuesTheDatabaseKeepsMore) {
  EXPECT_EQ(kept("new.price>10"), trail.postgres() ? "4, there 1234" : "4");
  EXPECT_EQ(kept("op:update old.price:12"), trail.postgres() ? ", there 4" : "");
  EXPECT_EQ(kept("key.id>2"), trail.postgres() ? "3, there 1234" : "3");
}

TEST_P(Holding, AnErasureIsRefusedAndThatIsRecorded) {
  const std::int64_t id = place("key:1");
  const std::string why = fmt::format("is held for \"Doe v. Shop\" (hold {})", id);
  EXPECT_EQ(refused(row("1")), "erase: change 1 " + why);
  EXPECT_EQ(refused(changes({2, 4})), "erase: change 4 " + why);
  EraseRequest dry = row("1");
  dry.dry_run = true;
  EXPECT_EQ(refused(dry), "erase: change 1 " + why);
  EXPECT_EQ(error_of(vestige::erase(db(), row("1"), because())).fault, Fault::denied);
  EXPECT_EQ(erase(row("2")).values, 1);
  EXPECT_EQ(listed(), fmt::format("{} counsel key:1 in force refused 3 erase p 1\n", id));
  EXPECT_EQ(log("1").find("values:"), std::string::npos);
  LogRequest tried;
  tried.table = own();
  tried.filter.ops = {Op::update};
  const auto change = must(must(vestige::log(db(), tried))->next());
  EXPECT_EQ(*change->who(), "dpo");
  must(release_hold(db(), "Doe v. Shop", by("counsel", "settled")));
  EXPECT_EQ(erase(row("1")).values, 2);
  trail.seal();
  (void)trail.verify();
  EXPECT_EQ(trail.found, "");
}

// A context goes for every change of its transactions: one of them that is held keeps it.
TEST_P(Holding, WhatIsHeldKeepsTheContextOfItsTransaction) {
  trail.as("bob", "insert into p values (7, 'x', 1), (8, 'x', 1)");
  const std::int64_t first = must(change_ids(db(), {.table = 1})).back() - 1;
  place("key:8");
  EraseRequest one = changes({first});
  EXPECT_EQ(erase(one).values, 1);
  one.contexts = true;
  EXPECT_NE(
      refused(one).find(" of p, whose context was to go with that of its transaction, is held for"),
      std::string::npos);
}

TEST_P(Holding, TheTrailIsNotRemoved) {
  place("actor:nobody");
  EXPECT_NE(error_of(remove_trail(db())).message.find("remove the trail: it is held for"),
            std::string::npos);
  must(release_hold(db(), "Doe v. Shop", by("counsel")));
  must(remove_trail(db()));
}

TEST_P(Holding, TwoPersonsEndOneThatWasPlacedSo) {
  const std::int64_t id = place("table:p", true);
  const Error error = error_of(release_hold(db(), std::to_string(id), by("Counsel")));
  EXPECT_EQ(error.message,
            fmt::format("release hold {}: Counsel placed it, and another person releases it", id));
  EXPECT_EQ(error.fault, Fault::denied);
  EXPECT_FALSE(error_of(release_hold(db(), "another", by("judge"))).message.empty());
  EXPECT_FALSE(error_of(release_hold(db(), std::to_string(id), by("counsel "))).message.empty());
  if (trail.postgres()) {  // another person has another login, too
    EXPECT_NE(error_of(release_hold(db(), "Doe v. Shop", by("judge")))
                  .message.find(", and another login releases it"),
              std::string::npos);
    must(db().script("create role hold_judge superuser login"));
    must(db().script("set session authorization hold_judge"));
  }
  EXPECT_EQ(must(release_hold(db(), "Doe v. Shop", by("judge"))).size(), 1U);
  if (trail.postgres()) must(db().script("reset session authorization; drop role hold_judge"));
  EXPECT_NE(error_of(release_hold(db(), std::to_string(id), by("judge")))
                .message.find("none of that matter or id is in force"),
            std::string::npos);
}

// Whoever may write to the table of holds can do much to its rows, and end nothing by it.
TEST_P(Holding, IsEndedByNothingButARelease) {
  const std::int64_t id = place("key:1", true);
  trail.as("counsel", fmt::format("update {} set filter = 'key:99', two_persons = {}", own(),
                                  trail.postgres() ? "false" : "0"));
  EXPECT_FALSE(refused(row("1")).empty());
  trail.as("counsel", fmt::format("update {} set released_by = 'judge'", own()));
  EXPECT_FALSE(refused(row("1")).empty());
  EXPECT_TRUE(listed().starts_with(fmt::format("{} counsel key:1 in force", id))) << listed();
  trail.as("counsel", "delete from " + own());
  EXPECT_FALSE(refused(row("1")).empty());
  EXPECT_FALSE(error_of(remove_trail(db())).message.empty());
}

// What the table of holds says of a release that is none is named, for as long as the hold is in force.
TEST_P(Holding, AReleaseThatEndsNothingIsNamed) {
  const std::int64_t id = place("key:1");
  EXPECT_TRUE(must(unheeded_releases(db())).empty());
  trail.application(fmt::format("update {} set released_by = 'me', released_at = {}", own(),
                                trail.postgres() ? "now()" : "'2026'"));
  EXPECT_FALSE(refused(row("1")).empty());
  const auto named = must(unheeded_releases(db()));
  ASSERT_EQ(named.size(), 1U);
  const std::string said = about_unheeded(named.front());
  EXPECT_TRUE(said.starts_with(fmt::format("hold {} for \"Doe v. Shop\": change ", id))) << said;
  EXPECT_NE(said.find("it was written past hold release"), std::string::npos) << said;
  trail.seal();
  (void)trail.verify();
  EXPECT_TRUE(trail.found.starts_with("hold-release ")) << trail.found;
  EXPECT_NE(trail.words.find(said), std::string::npos) << trail.words;
  bool doctored = false;
  for (const Finding& one : must(doctor(db(), false)))
    doctored = doctored || (one.code == "hold-release" && one.message == said);
  EXPECT_TRUE(doctored);
}

// A hold on a row follows it through its keys, as erase and log do.
TEST_P(Holding, FollowsARowThroughItsKeys) {
  trail.as("ann", "update p set id = 50 where id = 1");
  trail.as("ann", "update p set price = 13 where id = 50");
  trail.as("ann", "delete from p where id = 50");
  trail.as("ann", "insert into p values (50, 'another', 1)");
  const auto all = must(change_ids(db(), {.table = 1}));
  ASSERT_EQ(all.size(), 8U);
  place("table:p key:1");
  for (const std::int64_t id : {all[0], all[3], all[4], all[5], all[6]})
    EXPECT_TRUE(must(held(db(), {id}, false)).has_value()) << id;
  for (const std::int64_t id : {all[1], all[2]})
    EXPECT_FALSE(must(held(db(), {id}, false)).has_value()) << id;
  if (trail.postgres()) {
    EXPECT_EQ(held_by_sql(),
              fmt::format("{} {} {} {} {} ", all[0], all[3], all[4], all[5], all[6]));
  }
}

// Also when its table has another name, and when another one has its name.
TEST_P(Holding, FollowsARowThroughTheNamesOfItsTable) {
  place("table:p key:1");
  trail.as("ann", "update p set id = 50 where id = 1");
  trail.as("ann", "update p set price = 13 where id = 50");
  const auto before = must(change_ids(db(), {.table = 1}));
  trail.application("alter table p rename to q");
  if (trail.postgres()) trail.application("create schema s; alter table q set schema s");
  must(doctor(db(), true));  // on SQLite it is seen by this
  trail.as("ann",
           fmt::format("update {} set price = 14 where id = 50", trail.postgres() ? "s.q" : "q"));
  trail.application("create table p (id integer primary key, name text, price integer)");
  must(track(db(), "p", Policy()));
  auto all = must(change_ids(db(), {.table = 1}));
  ASSERT_EQ(all.size(), before.size() + 1);
  EraseRequest request;
  request.table = trail.postgres() ? "s.q" : "q";
  request.key = {"50"};
  EXPECT_NE(refused(request).find("is held for"), std::string::npos);
  for (const std::int64_t id : {all[0], all[4], all[5], all[6]})
    EXPECT_NE(refused(changes({id})).find("is held for"), std::string::npos) << id;
  EXPECT_FALSE(must(held(db(), {all[1], all[2]}, false)).has_value());
  if (trail.postgres()) {
    EXPECT_EQ(held_by_sql(),
              fmt::format("{} {} {} {} {} ", all[0], all[3], all[4], all[5], all[6]));
  }
}

TEST_P(Holding, ANewNameGetsNothingOutOfIt) {
  place("table:p key.id:1");
  trail.application("alter table p rename column id to number");
  trail.application("alter table p rename to q");
  EXPECT_FALSE(refused(changes({1})).empty());
}

TEST_P(Holding, WhatNobodyCanTellAnyMoreIsHeld) {
  EraseRequest one = row("1");
  one.keys = true;
  erase(one);
  EraseRequest two = changes({2});
  two.contexts = true;
  erase(two);
  EXPECT_EQ(kept("key:77"), "14");
  EXPECT_EQ(kept("actor:carl"), "2");
}

TEST_P(Holding, ItsOwnRecordIsKeptWhileItIsInForce) {
  const std::int64_t id = place("table:p");
  EraseRequest own_record;
  own_record.table = own();
  own_record.key = {std::to_string(id)};
  EXPECT_NE(refused(own_record).find("is held for"), std::string::npos);
  must(release_hold(db(), std::to_string(id), by("counsel")));
  EXPECT_GT(erase(own_record).values, 1);
  EXPECT_EQ(listed(), "");
}

TEST_P(Holding, IsRefusedWhatItCannotKeep) {
  const auto why = [&](const std::string& matter, const std::string& filter,
                       const Context& context) {
    return error_of(place_hold(db(), matter, must(parse_filter(filter, Now(0))), false, context))
        .message;
  };
  EXPECT_EQ(why("", "", by("counsel")), "place a hold: the matter is missing");
  EXPECT_EQ(why("m", "", by("")), "place a hold: nobody says who");
  EXPECT_EQ(why("m", "", by("counsel", "")), "place a hold: nobody says why");
  EXPECT_EQ(why("m", "tag:SOX", by("counsel")),
            "place a hold by tag: a policy changes which tables those are");
  EXPECT_EQ(why("m", "signed:no", by("counsel")),
            "place a hold by signed: a file says whose signatures count");
}

class HoldOnPostgres : public EvidenceTest {
 protected:
  std::string refused_by(const std::string& sql) {
    auto other = trail.connect();
    const auto done = other->script(sql);
    return done.has_value() ? "" : done.error().message;
  }
};

INSTANTIATE_TEST_SUITE_P(Postgres, HoldOnPostgres, testing::Values(Engine::postgres), engine_name);

// Whoever asks, and whatever statement takes: what is taken is named first, and refused there.
TEST_P(HoldOnPostgres, TheDatabaseRefusesByItself) {
  const std::string reason =
      "begin; select vestige.set_context('{\"actor\": \"dpo\", \"reason\": \"r\"}'); ";
  EXPECT_EQ(refused_by("begin; select vestige.set_context('{\"actor\": \"counsel\"}');"
                       "select vestige.place_hold('m', '')"),
            "run sql: hold: a hold needs who and why");
  EXPECT_EQ(
      refused_by(reason + "select vestige.place_hold('m', 'key:1',"
                          "'[{\"field\":\"key\",\"name\":\"\",\"comparison\":\"=\",\"words\":[{"
                          "\"text\":\"1\",\"quoted\":false}],\"numbers\":[],\"negated\":false}]',"
                          "true); commit"),
      "");
  for (const char* sql :
       {"select vestige.erase('p', '1')", "select vestige.erase_changes('{4}')",
        "insert into vestige.erased (change, erased, parts) values (9, 1, 'values')"})
    EXPECT_NE(refused_by(reason + sql).find("is held for \"m\" (hold 1)"), std::string::npos)
        << sql;
  EXPECT_EQ(refused_by(reason + "select vestige.erase('p', '2'); commit"), "");
  const std::string archived =
      "select vestige.erase_archived((select id from vestige.tracked where table_name = 'p'),"
      " '{999}', '{values}')";
  EXPECT_EQ(refused_by(reason + archived), "");  // of its key the program knows
  EXPECT_NE(refused_by(reason + "select vestige.place_hold('all', ''); " + archived)
                .find("erase: change 999 is held for \"all\" (hold 2)"),
            std::string::npos);
  EXPECT_NE(refused_by(reason + "select vestige.release_hold(1)")
                .find("dpo placed it, and another person releases it"),
            std::string::npos);
  EXPECT_NE(refused_by(reason + "select vestige.release_hold(2)")
                .find("release hold 2: it is not in force"),
            std::string::npos);
}

// A word that is no key of the table is none of its rows; that the rows cannot be asked for is no answer.
TEST_P(HoldOnPostgres, WhereItCannotAskForARowNothingGoes) {
  for (const char* filter : {"table:p key:x", "table:p key:99999999999999999999", "table:p key:1"})
    must(place_hold(trail.db(), "m", must(parse_filter(filter, Now(0))), false, by("counsel")));
  const std::string asked = "select vestige.held('{1,2}')";
  EXPECT_EQ(refused_by(asked), "");
  EXPECT_NE(
      refused_by("begin; alter function vestige.row_changes(int, text) rename to gone; " + asked)
          .find("vestige.row_changes(integer, text) does not exist"),
      std::string::npos);
}

}  // namespace
}  // namespace vestige
