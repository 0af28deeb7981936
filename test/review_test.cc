// Sign-offs, what nobody has signed, and alerts that nobody has dealt with, on both databases.
#include "vestige/trail/review.h"

#include "test/evidence.h"
#include "vestige/audit/prove.h"
#include "vestige/base/period.h"
#include "vestige/base/time.h"
#include "vestige/trail/spelling.h"
#include "vestige/trail/track.h"

namespace vestige {
namespace {

class ReviewBoth : public testing::TestWithParam<Engine> {};

INSTANTIATE_TEST_SUITE_P(Both, ReviewBoth, testing::Values(Engine::sqlite, Engine::postgres),
                         engine_name);

TimeZone zone(const std::string& name) { return must(TimeZone::named(name)); }

Period period(const std::string& text, const std::string& where = "UTC") {
  return must(read_period(text, zone(where)));
}

Review signed_off(const std::string& report, const std::string& when) {
  Review review;
  review.report = report;
  std::tie(review.from, review.upto) = period(when);
  review.reviewer = "ann";
  review.verdict = "in-order";
  return review;
}

std::string text(const std::vector<Period>& periods) {
  std::string out;
  for (const auto& [from, upto] : periods)
    out += format_time(from).substr(0, 16) + " " + format_time(upto).substr(0, 16) + "\n";
  return out;
}

TEST_P(ReviewBoth, IsAChangeThatIsProved) {
  Evident trail{GetParam()};
  Database& db = trail.db();
  EXPECT_TRUE(must(reviews(db)).empty());
  Context ann;
  ann.set("actor", "ann");
  Review first = signed_off("changes", "2026-01");
  first.comment = "it's \"fine\"";
  first.filter = "class:phi";
  first.report_hash = std::string(64, 'a');
  const std::int64_t change = must(sign_review(db, first, ann));
  trail.seal();
  must(sign_review(db, signed_off("changes", "2026Q1"), ann));
  const auto all = must(reviews(db));
  ASSERT_EQ(all.size(), 2U);
  EXPECT_EQ(all[0].change, change);
  EXPECT_EQ(all[0].report, "changes");
  EXPECT_EQ(all[0].filter, "class:phi");
  EXPECT_EQ(all[0].comment, first.comment);
  EXPECT_EQ(all[0].report_hash, first.report_hash);
  EXPECT_EQ(all[0].from, first.from);
  EXPECT_EQ(all[0].upto, first.upto);
  EXPECT_EQ(all[0].who, "ann");
  EXPECT_EQ(all[0].checkpoint, "");
  EXPECT_NE(all[1].checkpoint.find("log.example/p"), std::string::npos);
  EXPECT_NE(must(prove(db, change)), "");
  (void)trail.verify();
  EXPECT_EQ(trail.found, "");
}

TEST_P(ReviewBoth, CoversThePeriodsOfItsReportAndFilter) {
  Evident trail{GetParam()};
  Database& db = trail.db();
  const auto due = [&](const std::string& report, const std::string& filter) {
    return text(unsigned_periods(must(reviews(db)), report, filter,
                                 ended_periods(Every::month, period("2026-01-15").first,
                                               period("2026-04-15").first, zone("UTC"))));
  };
  const std::string january = "2026-01-01T00:00 2026-02-01T00:00\n";
  const std::string february = "2026-02-01T00:00 2026-03-01T00:00\n";
  const std::string march = "2026-03-01T00:00 2026-04-01T00:00\n";
  EXPECT_EQ(due("changes", ""), january + february + march);
  must(sign_review(db, signed_off("changes", "2026-02"), {}));
  EXPECT_EQ(due("changes", ""), january + march);
  EXPECT_EQ(due("access", ""), january + february + march);
  EXPECT_EQ(due("changes", "class:phi"), january + february + march);
  must(sign_review(db, signed_off("changes", "2026Q1"), {}));
  EXPECT_EQ(due("changes", ""), "");
}

TEST_P(ReviewBoth, IsRefusedWhereItSaysNothing) {
  Evident trail{GetParam()};
  Review empty = signed_off("", "2026-01");
  EXPECT_EQ(error_of(sign_review(trail.db(), empty, {})).message,
            "review: a sign-off names the report, the reviewer and the verdict");
  Review none = signed_off("changes", "2026-01");
  none.upto = none.from;
  EXPECT_EQ(error_of(sign_review(trail.db(), none, {})).message,
            "review: the period ends before it begins");
  Review verdict = signed_off("changes", "2026-01");
  verdict.verdict = "fine";
  EXPECT_EQ(error_of(sign_review(trail.db(), verdict, {})).message, "review: 'fine' is no verdict");
  verdict.verdict = "exceptions";
  EXPECT_EQ(error_of(sign_review(trail.db(), verdict, {})).message,
            "review: nobody says what the exceptions are");
  verdict.comment = "two that nobody approved";
  must(sign_review(trail.db(), verdict, {}));
  EXPECT_EQ(must(reviews(trail.db())).size(), 1U);
}

std::string inserted(Database& db, const std::string& from, const std::string& upto,
                     const std::string& verdict) {
  return fmt::format(
      "insert into {} (report, period_from, period_to, reviewer, verdict) values ('changes', '{}', "
      "'{}', 'ann', '{}')",
      spelling_of(db).table("review"), from, upto, verdict);
}

TEST_P(ReviewBoth, IsOfAPeriodWhoeverInsertsIt) {
  Evident trail{GetParam()};
  Database& db = trail.db();
  must(sign_review(db, signed_off("changes", "2026-01"), {}));
  for (const auto& [from, upto] :
       {std::pair("2026-03-01T00:00:00Z", "2026-03-01T00:00:00Z"),
        std::pair("2026-03-01T00:00:00Z", "2026-02-01T00:00:00Z"),
        std::pair("2026-03-01T00:00:00Z", "infinity"), std::pair("-infinity", "2026-03-01")})
    EXPECT_FALSE(db.run(inserted(db, from, upto, "in-order"), {}).has_value()) << from << upto;
  EXPECT_FALSE(db.run(inserted(db, "2026-01-01", "2026-02-01", "fine"), {}).has_value());
  must(db.run(inserted(db, "2026-02-01T00:00:00Z", "2026-03-01T00:00:00Z", "in-order"), {}));
  const auto all = must(reviews(db));
  ASSERT_EQ(all.size(), 2U);
  EXPECT_EQ(all[1].from, period("2026-02").first);
}

TEST_P(ReviewBoth, CoversNothingWhereItsPeriodIsNoTime) {
  Evident trail{GetParam()};
  Database& db = trail.db();
  must(sign_review(db, signed_off("changes", "2026-02"), {}));
  must(db.script(trail.postgres() ? "alter table vestige.review drop constraint review_check"
                                  : "pragma ignore_check_constraints = on"));
  must(db.run(inserted(db, "-infinity", "2026-06-01T00:00:00Z", "in-order"), {}));
  must(db.run(inserted(db, "2026-01-01T00:00:00Z", "infinity", "in-order"), {}));
  const auto all = must(reviews(db));
  ASSERT_EQ(all.size(), 3U);
  EXPECT_FALSE(all[1].from.has_value());
  EXPECT_FALSE(all[2].upto.has_value());
  EXPECT_NE(to_json(all[2]).find(R"("to":null)"), std::string::npos);
  EXPECT_EQ(unsigned_periods(all, "changes", "", {period("2026-01"), period("2026-02")}),
            std::vector<Period>{period("2026-01")});
}

TEST_P(ReviewBoth, KnowsWhichAlertsAreOpen) {
  Evident trail{GetParam()};
  Database& db = trail.db();
  EXPECT_TRUE(must(open_alerts(db, clock_now())).empty());
  {
    auto transaction = must(Transaction::begin(db));
    must(own_table(db, "alert"));
    must(transaction.commit());
  }
  const std::string table = spelling_of(db).table("alert");
  for (const char* id : {"a", "b", "c", "d"})
    trail.as("watch",
             fmt::format("insert into {} (id, rule, rule_hash, severity, state, title, opened_at) "
                         "values ('{}', 'r', 'h', 'high', 'open', 'price of {}', '2026-01-01')",
                         table, id, id));
  trail.as("ann",
           fmt::format("update {} set state = 'acknowledged' where id in ('a', 'd')", table));
  trail.as("ann", fmt::format("update {} set owner = 'ann' where id = 'b'", table));
  trail.as("ann", fmt::format("update {} set state = 'open' where id = 'd'", table));
  trail.as("eve", fmt::format("delete from {} where id = 'c'", table));
  std::string seen;
  for (const OpenAlert& one : must(open_alerts(db, clock_now() + 1'000'000)))
    seen += one.id + " " + one.severity + " " + one.title + "\n";
  EXPECT_EQ(seen, "b high price of b\nd high price of d\n");
  EXPECT_TRUE(must(open_alerts(db, 0)).empty());
}

TEST(Review, PeriodsAreThoseOfTheCalendarAndOfTheClock) {
  const auto ended = [](Every every, const std::string& since, const std::string& now,
                        const std::string& where = "UTC") {
    return text(
        ended_periods(every, period(since, where).first, period(now, where).first, zone(where)));
  };
  EXPECT_EQ(ended(Every::week, "2026-01-01", "2026-01-12"),
            "2025-12-29T00:00 2026-01-05T00:00\n2026-01-05T00:00 2026-01-12T00:00\n");
  EXPECT_EQ(ended(Every::quarter, "2026-05-17", "2026-10-01"),
            "2026-04-01T00:00 2026-07-01T00:00\n2026-07-01T00:00 2026-10-01T00:00\n");
  EXPECT_EQ(ended(Every::year, "2024-02-29", "2025-12-31"), "2024-01-01T00:00 2025-01-01T00:00\n");
  EXPECT_EQ(ended(Every::month, "2026-01-31", "2026-02-28"), "2026-01-01T00:00 2026-02-01T00:00\n");
  EXPECT_EQ(ended(Every::month, "2026-03", "2026-03-31"), "");
  // A day of 23 hours, and one of 25.
  EXPECT_EQ(ended(Every::day, "2026-03-29", "2026-03-30", "Europe/Berlin"),
            "2026-03-28T23:00 2026-03-29T22:00\n");
  EXPECT_EQ(ended(Every::day, "2026-10-25", "2026-10-26", "Europe/Berlin"),
            "2026-10-24T22:00 2026-10-25T23:00\n");
  EXPECT_EQ(error_of(every_from_name("fortnight")).message,
            "review: every 'fortnight' is no period");
  EXPECT_EQ(must(every_from_name("quarter")), Every::quarter);
}

TEST(ReviewOnPostgres, IsSignedByAdminsAndAuditors) {
  PgShop shop;
  for (const std::string name : {"reader", "auditor", "admin"}) {
    const std::string role = shop.role(name);
    shop.admin.run("grant vestige_" + name + " to " + role);
    auto db = must(open_database(shop.database.url(role)));
    const auto done = sign_review(*db, signed_off("changes", "2026-01"), {});
    if (name == "reader") EXPECT_EQ(error_of(done).fault, Fault::denied);
    else must(done);
  }
  EXPECT_EQ(must(reviews(shop.admin.db())).size(), 2U);
}

}  // namespace
}  // namespace vestige
