// The reports of accesses, disclosures and reviews, on both databases.
#include "test/evidence.h"
#include "vestige/report/reports.h"
#include "vestige/trail/access.h"
#include "vestige/trail/review.h"
#include "vestige/trail/spelling.h"
#include "vestige/trail/track.h"

namespace vestige {
namespace {

class ReportAccess : public testing::TestWithParam<Engine> {};

INSTANTIATE_TEST_SUITE_P(Both, ReportAccess, testing::Values(Engine::sqlite, Engine::postgres),
                         engine_name);

struct Asked {
  std::string name;
  bool dpo = false;
  std::string subject;
  std::vector<std::string> key;
};

// The rows of a report's first section, the columns that are named, a line each.
std::string made(Database& db, const Asked& asked, const std::vector<std::string>& columns) {
  TimeZone zone = must(TimeZone::named("UTC"));
  Report report(zone);
  report.head.made_at = clock_now();
  ReportRequest request{.selection = {}, .filter = "", .zone = zone};
  request.dpo = asked.dpo;
  request.subject = asked.subject;
  request.subject_key = asked.key;
  must(make_report(*find_report(asked.name), db, request, report));
  must(report.read_again(0));
  std::string out;
  Cells cells;
  while (must(report.next_row(0, cells)) != 'n') {
    for (const std::string& column : columns) {
      const auto& all = report.section(0).columns;
      for (std::size_t i = 0; i < all.size(); ++i)
        if (all[i].name == column)
          out += (column == columns.front() ? "" : " | ") + cells[i].value_or("-");
    }
    out += "\n";
  }
  return out;
}

void report_access(Evident& trail, const std::string& actor, const std::string& kind,
                   const std::string& key, const std::string& recipient = "",
                   const std::string& suspended = "") {
  const auto text = [](const std::string& value) {
    return value.empty() ? std::string("null") : "'" + value + "'";
  };
  trail.as(
      actor,
      trail.postgres()
          ? fmt::format("select vestige.access('p', '{}', kind => '{}', purpose => 'care', "
                        "recipient => {}, recipient_address => 'Main Street 1', "
                        "description => 'price', suspended_until => {})",
                        key, kind, text(recipient), text(suspended))
          : fmt::format(
                "insert into vestige_access (kind, subject_table, subject_key, purpose, recipient, "
                "recipient_address, description, suspended_until) values "
                "('{}', 'p', json_array('{}'), 'care', {}, 'Main Street 1', 'price', {})",
                kind, key, text(recipient), text(suspended)));
}

TEST_P(ReportAccess, CountsAsManyReadsAndChangesAsTheTrailHas) {
  Evident trail{GetParam()};
  Database& db = trail.db();
  must(prepare_access(db));
  report_access(trail, "nurse", "read", "1");
  report_access(trail, "nurse", "read", "1");
  report_access(trail, "nurse", "read", "2");
  report_access(trail, "ann", "read", "1");
  trail.as("nurse", "update p set price = 12 where id = 2");
  trail.as("nurse", fmt::format("update {} set purpose = 'other' where id = 1",
                                spelling_of(db).table("access")));
  const std::string expected = "ann | 1 | 4 | 3 | p | 5\nnurse | 3 | 1 | 2 | p | 4\n";
  const std::vector<std::string> columns = {"actor",    "reads",  "changes",
                                            "subjects", "tables", "unsigned"};
  EXPECT_EQ(made(db, {.name = "access"}, columns), expected);
  std::int64_t reads = 0;
  std::int64_t changes = 0;
  auto all = must(read_changes(db, {}));
  while (const auto change = must(all->next()))
    if (!is_own_table(db, change->table)) ++changes;
    else if (change->op == Op::insert) ++reads;
  EXPECT_EQ(reads, 4);
  EXPECT_EQ(changes, 5);
  trail.seal();
  report_access(trail, "late", "read", "3");
  EXPECT_EQ(made(db, {.name = "access"}, columns), expected) << "what is not sealed is left out";
}

TEST_P(ReportAccess, TellsWhatWasDisclosedToWhom) {
  Evident trail{GetParam()};
  Database& db = trail.db();
  must(prepare_access(db));
  for (int time = 0; time < 12; ++time) report_access(trail, "clerk", "disclosure", "1", "Acme");
  report_access(trail, "clerk", "disclosure", "2", "Acme");
  report_access(trail, "clerk", "disclosure", "1", "agency", "2099-01-01T00:00:00Z");
  report_access(trail, "clerk", "disclosure", "1", "court", "2020-01-01T00:00:00Z");
  report_access(trail, "clerk", "read", "1");
  const std::vector<std::string> columns = {
      "recipient", "recipient_address", "description", "purpose", "table", "key", "count"};
  const std::string acme = "Acme | Main Street 1 | price | care | p | 1 | 12\n";
  const std::string other = "Acme | Main Street 1 | price | care | p | 2 | 1\n";
  const std::string agency = "agency | Main Street 1 | price | care | p | 1 | 1\n";
  const std::string court = "court | Main Street 1 | price | care | p | 1 | 1\n";
  EXPECT_EQ(made(db, {.name = "disclosures"}, columns), acme + other + court);
  EXPECT_EQ(made(db, {.name = "disclosures", .dpo = true}, columns), acme + other + agency + court);
  EXPECT_EQ(made(db, {.name = "disclosures", .subject = "p", .key = {"2"}}, columns), other);
  EXPECT_EQ(made(db, {.name = "disclosures", .subject = "q"}, columns), "");
  trail.as("dpo", fmt::format("update {} set suspended_until = null where recipient = 'agency'",
                              spelling_of(db).table("access")));
  EXPECT_EQ(made(db, {.name = "disclosures"}, columns), acme + other + agency + court);
}

TEST_P(ReportAccess, ListsSignOffs) {
  Evident trail{GetParam()};
  Database& db = trail.db();
  const std::vector<std::string> columns = {"report", "reviewer", "verdict", "from", "to"};
  EXPECT_EQ(made(db, {.name = "review"}, columns), "");
  Review review;
  review.report = "changes";
  review.from = 1'767'225'600'000'000;
  review.upto = 1'769'904'000'000'000;
  review.reviewer = "ann";
  review.verdict = "exceptions";
  review.comment = "two";
  must(sign_review(db, review, {}));
  EXPECT_EQ(
      made(db, {.name = "review"}, columns),
      "changes | ann | exceptions | 2026-01-01T00:00:00.000000Z | 2026-02-01T00:00:00.000000Z\n");
}

}  // namespace
}  // namespace vestige
