// Retention and clocks, on both databases: an age is counted from what stood before it where a clock was set back, what is not worth a
// copy goes in the end, and readers refuse no more than what has gone.
#include "test/expire.h"
#include "vestige/audit/at.h"
#include "vestige/audit/doctor.h"
#include "vestige/audit/metrics.h"
#include "vestige/audit/plan.h"
#include "vestige/record/filter.h"
#include "vestige/trail/entry_times.h"
#include "vestige/trail/hold.h"

namespace vestige {
namespace {

using ExpiryClock = ExpiringTest;

INSTANTIATE_TEST_SUITE_P(Both, ExpiryClock, testing::Values(Engine::sqlite, Engine::postgres),
                         engine_name);

TEST_P(ExpiryClock, ThatWasSetBackTakesNothing) {
  three_years(2);
  trail.as("eve", "update n set what = 'stolen' where id = 1");
  const std::int64_t stolen = number("select max(id) from {}change");
  age(stolen, 900 * kDay, 1);
  trail.seal();
  EXPECT_EQ(trail.verify().early, 1U);
  const std::int64_t old = must(last_counted_before(trail.db(), now - 400 * kDay));
  EXPECT_GT(old, 1);
  EXPECT_LT(old, stolen);
  const Expiring done = expire();
  EXPECT_EQ(must(last_counted_before(trail.db(), now - 400 * kDay)), old)
      << "what expired was before it, too";
  EXPECT_NE(told(done).find("1 early"), std::string::npos) << told(done);
  EXPECT_TRUE(ids().contains(stolen));
  trail.verify();
  EXPECT_EQ(trail.found, "") << trail.words;

  // Whoever's clock goes wrong the other way, or who has the rule left out, is found.
  ExpireRequest request;
  request.now = now + 300 * kDay;
  Context context;
  context.set("actor", "eve");
  for (;;) {
    must(vestige::expire(trail.db(), request, context));
    if (!ids().contains(stolen)) break;
    *request.now += 100 * kDay;
  }
  trail.verify();
  EXPECT_NE(trail.words.find("and what is kept for 365 days was not over then"), std::string::npos)
      << trail.words;
  if (trail.postgres()) must(trail.db().script("alter table vestige.expired disable trigger user"));
  const std::string hidden =
      fmt::format("update {}expired set horizon = {} where change = {}", prefix(), now - 899 * kDay,
                  must(expiry_of(trail.db(), stolen))->change);
  trail.attack(hidden, hidden);
  trail.verify();
  EXPECT_NE(trail.words.find(fmt::format("change {} says an earlier time than those before it, and "
                                         "what is kept for 365 days was not over then",
                                         stolen)),
            std::string::npos)
      << trail.words;
}

// A clock that is years ahead makes nothing that comes after it look set back.
TEST(EntryTimes, OnlyWhatIsPastMeasuresOthers) {
  constexpr std::int64_t kDays = 86'400'000'000;
  const std::int64_t now = 20'000 * kDays;
  EntryTimes times(now);
  EXPECT_FALSE(times.look(1, now + 900 * kDays).has_value());
  EXPECT_FALSE(times.look(2, now - 900 * kDays).has_value());
  EXPECT_FALSE(times.look(4, now).has_value());
  EXPECT_EQ(times.look(5, now - 900 * kDays)->id, 4);
  EXPECT_FALSE(times.look(3, now - 900 * kDays).has_value());
  EXPECT_FALSE(times.look(6, now - 1).has_value());
  EXPECT_FALSE(times.before(2, now - 900 * kDays).has_value());
  EXPECT_EQ(times.before(5, now - 900 * kDays)->at, now);
}

TEST_P(ExpiryClock, AFewGoWhenTheyAreTwiceAsOld) {
  if (trail.postgres()) months();
  classes();
  const std::int64_t first = number("select coalesce(max(id), 0) + 1 from {}change");
  for (int i = 1; i <= 9; ++i) trail.as("ann", fmt::format("insert into c values ({}, 'of c')", i));
  trail.as("ann", "insert into d values (1, 'of d')");
  all_before(46);
  age(first, 45 * kDay, 10'000'000);
  trail.seal();
  const std::set<std::int64_t> of_d = ids(of("d"));
  const auto told_of = [&](std::int64_t days, bool all, bool dry_run) {
    ExpireRequest request;
    request.now = now + days * kDay;
    request.all = all;
    request.dry_run = dry_run;
    return told(must(vestige::expire(trail.db(), request, Context())));
  };
  const auto waits = [&](const std::string& said) { return said.find("waiting") != said.npos; };
  EXPECT_EQ(waits(told_of(0, false, true)), trail.postgres());
  EXPECT_EQ(waits(told_of(14, false, true)), trail.postgres());
  EXPECT_FALSE(waits(told_of(0, true, true)));
  EXPECT_FALSE(waits(told_of(16, false, true)));
  EXPECT_EQ(ids(of("d")), of_d);
  EXPECT_FALSE(waits(told_of(0, true, false)));
  EXPECT_EQ(ids(of("d") + " and op = 'I'").size(), 0U);
  EXPECT_EQ(ids(of("c")).size(), 9U);
  trail.verify();
  EXPECT_EQ(trail.found, "") << trail.words;
}

// Who only looks at whether it ran does not see that nothing goes.
TEST_P(ExpiryClock, WhatIsOverdueIsSaid) {
  three_years(3);
  const auto overdue = [&] {
    std::string out;
    for (const Finding& one : must(doctor(trail.db(), false)))
      if (one.code == "overdue") out += one.message + "\n";
    return out;
  };
  const auto measured = [&](const std::string& name) {
    for (const Metric& one : must(metrics(trail.db(), now)))
      if (one.name == name) return one.samples.empty() ? -1.0 : one.samples.front().value;
    return -2.0;
  };
  EXPECT_NE(overdue().find("class normal, kept for 365 days: 2 changes are due and stand"),
            std::string::npos)
      << overdue();
  EXPECT_NE(overdue().find("(nobody ran vestige expire)"), std::string::npos);
  must(put_retention(trail.db(), {.name = "normal", .keep = "365 days", .archive = true}));
  EXPECT_NE(overdue().find("2 (to be archived first"), std::string::npos) << overdue();
  for (const Finding& one : must(doctor(trail.db(), false)))
    if (one.message.starts_with("class normal")) {
      EXPECT_EQ(one.remedy, "vestige archive --out DIR, then vestige expire");
    }
  must(put_retention(trail.db(), {.name = "normal", .keep = "365 days"}));
  EXPECT_EQ(measured("vestige_expired_changes_total"), 0);
  EXPECT_EQ(measured("vestige_expire_timestamp_seconds"), -1);

  Plan shorter;
  shorter.retention["critical"] = {"critical", "300 days"};
  std::string planned;
  for (const PlanStep& step : must(plan(trail.db(), shorter))) planned += step.text + "\n";
  EXPECT_NE(
      planned.find("retention critical: 2555 days → 300 days: 3 more changes are due, and the "
                   "next expire takes them"),
      std::string::npos)
      << planned;

  ExpireRequest request;
  request.all = true;
  const std::uint64_t gone = due().size();
  must(vestige::expire(trail.db(), request, Context()));
  EXPECT_EQ(overdue(), "");
  EXPECT_EQ(measured("vestige_expired_changes_total"), static_cast<double>(gone));
  EXPECT_GE(measured("vestige_expire_timestamp_seconds"), static_cast<double>(now / 1'000'000));

  trail.as("ann", "insert into n values (100, 'old')");
  age(number("select max(id) from {}change"), 400 * kDay, 1);
  EXPECT_NE(overdue().find("1 (not sealed: vestige seal)"), std::string::npos) << overdue();
}

// What is younger than all that went is known, though its time is over.
TEST_P(ExpiryClock, ReadersRefuseNoMoreThanWhatWent) {
  three_years(12);
  const std::int64_t last = *ids(of("n") + older(365)).rbegin();
  Context counsel;
  counsel.set("actor", "counsel");
  counsel.set("reason", "letter");
  must(place_hold(trail.db(), "Doe v. Shop",
                  must(parse_filter(fmt::format("table:n id:{}", last), Now(now, Zone::utc))),
                  false, counsel));
  expire();
  const std::int64_t gone =
      number("select cast(max(horizon) as bigint) from {}expired as c where class = 'normal'");
  const std::int64_t held_at = must(read_changes(trail.db(),
                                                 [&] {
                                                   Selection one;
                                                   one.ids = {last};
                                                   return one;
                                                 }()))
                                   ->next()
                                   ->value()
                                   .at;
  EXPECT_LT(gone, held_at);
  EXPECT_FALSE(at(trail.db(), "n", Moment{Moment::Kind::time, gone - 2'000'000}).has_value());
  EXPECT_TRUE(at(trail.db(), "n", Moment{Moment::Kind::time, gone}).has_value());
  EXPECT_TRUE(at(trail.db(), "n", Moment{Moment::Kind::time, held_at}).has_value());
}

}  // namespace
}  // namespace vestige
