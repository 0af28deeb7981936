// Marks, on both databases.
#include "vestige/audit/mark.h"

#include "test/evidence.h"
#include "vestige/audit/at.h"
#include "vestige/audit/doctor.h"
#include "vestige/audit/offers.h"
#include "vestige/audit/plan.h"
#include "vestige/audit/status.h"
#include "vestige/trail/install.h"

namespace vestige {
namespace {

class MarkBoth : public testing::TestWithParam<Engine> {};

INSTANTIATE_TEST_SUITE_P(Both, MarkBoth, testing::Values(Engine::sqlite, Engine::postgres),
                         engine_name);

Context by(const std::string& actor) {
  Context context;
  context.set("actor", actor);
  return context;
}

Moment found(Database& db, const std::string& text) {
  return must(find_moment(db, text, Now(clock_now())));
}

std::string price(Database& db, const std::string& moment) {
  return to_json(*must(at(db, "p", {"1"}, found(db, moment))));
}

TEST_P(MarkBoth, NamesAMoment) {
  Evident trail{GetParam()};
  Database& db = trail.db();
  EXPECT_TRUE(must(marks(db)).empty());
  const std::string before = price(db, "now");
  const Mark made = must(mark(db, "before import", Moment{}, false, by("ann")));
  trail.as("bob", "update p set price = 99 where id = 1");
  EXPECT_EQ(price(db, "before import"), before);
  EXPECT_EQ(price(db, "mark:before import"), before);
  EXPECT_NE(price(db, "now"), before);
  EXPECT_EQ(found(db, "before import~1").value,
            found(db, std::to_string(made.change) + "~1").value);
  const auto all = must(marks(db));
  ASSERT_EQ(all.size(), 1U);
  EXPECT_EQ(all[0].change, made.change);
  ASSERT_TRUE(all[0].written.has_value());
  EXPECT_EQ(*all[0].written->who(), "ann");
  EXPECT_EQ(must(offers(db, "marks")), std::vector<std::string>{"before import"});
}

TEST_P(MarkBoth, IsAChangeOfTheTrailAndSealed) {
  Evident trail{GetParam()};
  Database& db = trail.db();
  must(mark(db, "one", Moment{}, false, by("ann")));
  must(mark(db, "one", Moment{Moment::Kind::change, must(marks(db))[0].change}, true, by("bob")));
  EXPECT_EQ(error_of(mark(db, "one", Moment{}, false, by("bob"))).fault, Fault::conflict);
  must(mark(db, "two", Moment{Moment::Kind::change, 0}, false, by("bob")));
  must(unmark(db, "two", by("carl")));
  Selection own;
  own.table = must(tracked_table(db, trail.postgres() ? "vestige.mark" : "vestige_mark")).id;
  own.oldest_first = true;
  std::string seen;
  auto changes = must(read_changes(db, own));
  while (const auto change = must(changes->next()))
    seen += fmt::format("{} {} {}\n", *change->who(), name(change->op), to_json(change->key));
  EXPECT_EQ(seen,
            "ann INSERT {\"name\":\"one\"}\nbob INSERT {\"name\":\"two\"}\n"
            "carl DELETE {\"name\":\"two\"}\n");
  for (const Finding& one : must(doctor(db, false)))
    EXPECT_NE(one.severity, Severity::error) << one.message;
}

TEST_P(MarkBoth, TakesNoNameThatMeansAMomentAlready) {
  Evident trail{GetParam()};
  for (const char* name : {"", " x", "x ", "17", "last", "tx:1", "mark:x", "a~b", "now",
                           "yesterday", "2026-01-01", "2h", "a\nb", "a\xff"})
    EXPECT_EQ(error_of(mark(trail.db(), name, Moment{}, false, by("ann"))).fault, Fault::invalid)
        << name;
  EXPECT_EQ(error_of(mark(trail.db(), std::string(201, 'x'), Moment{}, false, by("ann"))).fault,
            Fault::invalid);
  EXPECT_TRUE(must(marks(trail.db())).empty());
  for (const char* name : {"it's", "\"; drop table p; --", "Vor dem Import: äöü", "%s", "$1 ?1"}) {
    must(mark(trail.db(), name, Moment{}, false, by("ann")));
    EXPECT_EQ(found(trail.db(), name).kind, Moment::Kind::change) << name;
  }
}

TEST_P(MarkBoth, ThatIsNoneIsSaidSo) {
  Evident trail{GetParam()};
  Database& db = trail.db();
  EXPECT_EQ(error_of(marked(db, "before")).fault, Fault::missing);
  EXPECT_EQ(error_of(unmark(db, "before", by("ann"))).fault, Fault::missing);
  must(mark(db, "before import", Moment{}, false, by("ann")));
  const Error near = error_of(find_moment(db, "mark:before imporr", Now(clock_now())));
  EXPECT_EQ(near.message, "find mark 'before imporr': there is none of that name");
  EXPECT_EQ(near.hint, "did you mean before import?");
  EXPECT_EQ(error_of(find_moment(db, "nonsense", Now(clock_now()))).fault, Fault::invalid);
}

TEST_P(MarkBoth, StandsInNoPlanAndGoesWithTheTrail) {
  Evident trail{GetParam()};
  Database& db = trail.db();
  must(mark(db, "one", Moment{}, false, by("ann")));
  Plan empty;
  empty.prune = true;
  for (const PlanStep& step : must(plan(db, empty))) EXPECT_EQ(step.table, "p") << step.text;
  const std::string own = trail.postgres() ? "vestige.mark" : "vestige_mark";
  {
    auto transaction = must(Transaction::begin(db));
    EXPECT_FALSE(untrack(db, own).has_value());
  }
  auto transaction = must(Transaction::begin(db));
  Policy policy;
  policy.exclude = {"change"};
  EXPECT_FALSE(track(db, own, policy).has_value());
}

}  // namespace
}  // namespace vestige
