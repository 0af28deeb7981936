// Reports over both databases: the same rows, what is left out, and days at the change of clocks.
#include "vestige/report/reports.h"

#include <regex>

#include "test/evidence.h"
#include "vestige/audit/log.h"
#include "vestige/audit/report_basis.h"
#include "vestige/base/period.h"
#include "vestige/base/time.h"

namespace vestige {
namespace {

class ReportBoth : public testing::TestWithParam<Engine> {};

INSTANTIATE_TEST_SUITE_P(Both, ReportBoth, testing::Values(Engine::sqlite, Engine::postgres),
                         engine_name);

TimeZone zone(const std::string& name) { return must(TimeZone::named(name)); }

ReportRequest request(const std::string& filter = "", const std::string& clock = "UTC") {
  ReportRequest out{.selection = {}, .filter = filter, .zone = zone(clock)};
  out.selection.filter = must(parse_filter(filter, 0));
  return out;
}

std::unique_ptr<Report> made(Database& db, const std::string& name, const ReportRequest& request) {
  auto report = std::make_unique<Report>(request.zone);
  report->head.made_at = 1'800'000'000'000'000;
  if (const ReportKind* kind = find_report(name); kind != nullptr)
    must(make_report(*kind, db, request, *report));
  else must(make_own_report(name, db, request, *report));
  return report;
}

// The rows of all sections, without what differs between two runs and two databases.
std::string rows(Report& report) {
  static const std::regex moment(R"("[0-9-]{10}T[0-9:.]{15}Z")");
  static const std::regex user(R"("db_user":("[^"]*"|null))");
  std::string out;
  std::string line;
  for (std::size_t i = 0; i < report.sections(); ++i) {
    must(report.read_again(i));
    while (must(report.next_line(i, line)) == 'y')
      out += std::regex_replace(std::regex_replace(line, moment, "T"), user, "U") + "\n";
  }
  return out;
}

void work(Evident& trail) {
  trail.as("bob", "update p set name = 'a<b>', price = 22 where id = 1");
  trail.as("carl", "update p set price = null where id = 1");
  trail.as("dora", "update p set id = 17, price = 5 where id = 2");
  trail.as("dora", "delete from p where id = 3");
}

TEST(Report, SaysTheSameOfBothDatabases) {
  Evident lite{Engine::sqlite};
  Evident server{Engine::postgres};
  for (Evident* trail : {&lite, &server}) {
    work(*trail);
    trail->seal();
  }
  for (const std::string name : {"changes", "daily", "integrity", "retention"}) {
    ReportRequest asked = request();
    asked.settings.field = "p.price";
    asked.settings.over = "10";
    const auto one = made(lite.db(), name, asked);
    const auto other = made(server.db(), name, asked);
    EXPECT_EQ(rows(*one), rows(*other)) << name;
    EXPECT_EQ(one->head.rows, other->head.rows);
    EXPECT_EQ(one->head.complete,
              "It covers all 8 entries up to the checkpoint; no change is left out.");
  }
}

TEST_P(ReportBoth, SaysThatNothingIsSigned) {
  Evident trail{GetParam()};
  const auto before = made(trail.db(), "changes", request());
  EXPECT_EQ(before->head.complete,
            "There is no signed checkpoint: this is what the trail holds now, and nothing proves "
            "that it is "
            "all.");
  EXPECT_EQ(before->rows(0), 10U);  // three columns of three rows, and the one of an UPDATE
}

TEST_P(ReportBoth, CountsWhatIsNotSealed) {
  Evident trail{GetParam()};
  trail.seal();
  work(trail);
  ReportRequest asked = request();
  asked.verified = must(verified_for_report(trail.db(), Trust(), {}));
  const auto report = made(trail.db(), "changes", asked);
  EXPECT_EQ(report->head.complete,
            "It covers all 4 entries up to the checkpoint; 4 changes not under it are left out.");
  EXPECT_EQ(report->head.covered, 4U);
  EXPECT_EQ(report->rows(0), 10U);  // three columns of three rows, and the one of an UPDATE
  EXPECT_TRUE(report->head.sound);
  const auto unverified = made(trail.db(), "changes", request());
  EXPECT_EQ(unverified->head.left_out, 4U);
  EXPECT_EQ(unverified->head.verified,
            "Not verified: whether each change is as it was sealed was not looked into.");
}

TEST_P(ReportBoth, DrawsTheSameSampleAgain) {
  Evident trail{GetParam()};
  work(trail);
  ReportRequest asked = request("op:update");
  asked.sample = 2;
  asked.seed = "2026-11";
  const std::string first = rows(*made(trail.db(), "changes", asked));
  EXPECT_EQ(rows(*made(trail.db(), "changes", asked)), first);
  asked.sample = 100;
  const auto all = made(trail.db(), "changes", asked);
  asked.sample = 0;
  EXPECT_EQ(rows(*all), rows(*made(trail.db(), "changes", asked)));
}

// Four changes a second before and at both ends of a day that has 25 hours, and one in each of the hours that come twice.
TEST(Report, GivesEachChangeItsDayWhereClocksAreChanged) {
  Evident trail{Engine::sqlite};
  trail.as("bob", "update p set price = 22 where id = 1");
  trail.as("bob", "update p set price = 23 where id = 1");
  const struct {
    const char* clock;
    const char* day;
    std::int64_t again;  // seconds from its beginning to the hour that comes twice, the first time
    std::int64_t seconds;
    const char* days;
  } cases[] = {
      {"Europe/Berlin", "2026-10-25", 2 * 3600, 25 * 3600,
       "2026-10-24 1 2026-10-25 4 2026-10-26 1 "},
      {"Europe/Berlin", "2026-03-29", 3600, 23 * 3600, "2026-03-28 1 2026-03-29 4 2026-03-30 1 "},
      {"America/New_York", "2026-11-01", 3600, 25 * 3600,
       "2026-10-31 1 2026-11-01 4 2026-11-02 1 "},
      {"America/New_York", "2026-03-08", 3600, 23 * 3600,
       "2026-03-07 1 2026-03-08 4 2026-03-09 1 "},
      {"Australia/Lord_Howe", "2026-04-05", 3600, 24 * 3600 + 1800,
       "2026-04-04 1 2026-04-05 4 2026-04-06 1 "},
      {"Australia/Lord_Howe", "2026-10-04", 3600, 23 * 3600 + 1800,
       "2026-10-03 1 2026-10-04 4 2026-10-05 1 "},
  };
  trail.attack("select 1");  // the guards go
  for (const auto& one : cases) {
    const auto [since, until] = must(read_period(one.day, zone(one.clock)));
    EXPECT_EQ(until - since, one.seconds * 1'000'000) << one.clock << one.day;
    const std::int64_t times[] = {since - 1'000'000,
                                  since,
                                  since + one.again * 1'000'000,
                                  since + (one.again + 3600) * 1'000'000,
                                  until - 1'000'000,
                                  until};
    for (int i = 0; i < 6; ++i)
      trail.application(
          fmt::format("update vestige_change set at = {} where id = {}", times[i] / 1000, i + 1));
    ReportRequest asked = request("", one.clock);
    asked.settings.own["days"] = {.group_by = {"day"}};
    const auto all = made(trail.db(), "days", asked);
    std::string days;
    Cells cells;
    must(all->read_again(0));
    while (must(all->next_row(0, cells)) == 'y') days += *cells[0] + " " + *cells[1] + " ";
    EXPECT_EQ(days, one.days) << one.clock;
    asked.selection.since = since;
    asked.selection.until = until;
    const auto day = made(trail.db(), "days", asked);
    must(day->read_again(0));
    ASSERT_EQ(must(day->next_row(0, cells)), 'y');
    EXPECT_EQ(*cells[0], one.day);
    EXPECT_EQ(*cells[1], "4");
    EXPECT_EQ(must(day->next_row(0, cells)), 'n');
  }
}

}  // namespace
}  // namespace vestige
