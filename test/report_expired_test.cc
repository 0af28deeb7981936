// What reports say of a trail from which changes have expired: what is gone is counted and named, and nothing of it is due or missing.
#include <filesystem>

#include "test/expire.h"
#include "vestige/audit/archive.h"
#include "vestige/audit/report_basis.h"
#include "vestige/report/reports.h"
#include "vestige/source/archive.h"

namespace vestige {
namespace {

class ReportExpired : public ExpiringTest {
 protected:
  // The rows of a section, a line each: "debug | 30 days"; what is counted, `complete`.
  std::string made(const std::string& name, const std::string& section,
                   std::vector<std::string> words = {}) {
    TimeZone zone = must(TimeZone::named("UTC"));
    Report report(zone);
    report.head.made_at = now;
    ReportRequest request{.selection = {}, .filter = "", .zone = zone, .words = std::move(words)};
    must(make_report(*find_report(name), asked == nullptr ? trail.db() : *asked, request, report));
    complete = report.head.complete;
    std::string out;
    for (std::size_t i = 0; i < report.sections(); ++i) {
      must(report.read_again(i));
      Cells cells;
      if (report.section(i).name != section) continue;
      text = report.section(i).text;
      while (must(report.next_row(i, cells)) != 'n') {
        std::string line;
        for (std::size_t c = 0; c < cells.size(); ++c)
          if (report.section(i).columns[c].kind != CellKind::time)
            line += (line.empty() ? "" : " | ") + cells[c].value_or("-");
        out += line + "\n";
      }
    }
    return out;
  }

  std::unique_ptr<Database> asked;  // instead of the trail alone
  std::string complete;
  std::string text;
};

INSTANTIATE_TEST_SUITE_P(Both, ReportExpired, testing::Values(Engine::sqlite, Engine::postgres),
                         engine_name);

TEST_P(ReportExpired, WhatIsGoneIsCountedAndNeitherDueNorMissing) {
  three_years();
  const std::int64_t entries = number("select count(*) from {}change");
  const Expiring done = expire();
  const std::set<std::int64_t> left =
      due();  // PostgreSQL leaves what fills too little of a partition
  const auto gone = static_cast<std::uint64_t>(entries) + done.by.size() - ids().size();
  ASSERT_GT(gone, 50U);
  std::size_t still_due = 0;
  std::string classes = made("retention", "classes");
  for (std::size_t at = 0; at < classes.size(); at = classes.find('\n', at) + 1) {
    const std::string line = classes.substr(at, classes.find('\n', at) - at);
    const std::string before_bytes = line.substr(0, line.rfind(" | "));
    still_due += std::stoul(before_bytes.substr(before_bytes.rfind(' ')));
  }
  EXPECT_EQ(still_due, left.size()) << classes;
  EXPECT_EQ(complete,
            fmt::format("It covers all {} entries up to the checkpoint; {} changes expired, which "
                        "is recorded; {} change{} not under it {} left out.",
                        entries, gone, done.by.size(), done.by.size() == 1 ? "" : "s",
                        done.by.size() == 1 ? "is" : "are"));
  const std::string changes = made("changes", "changes");
  EXPECT_EQ(changes.find("gone"), std::string::npos) << changes;

  trail.seal();
  EXPECT_NE(made("changes", "changes").find(" EXPIRE "), std::string::npos);
  // A change that is gone, and that no EXPIRE took, is shown as that.
  const std::int64_t stolen = number("select min(id) from {}change where " + of("c"));
  trail.attack(fmt::format("delete from {{}}change where id = {}", stolen));
  const std::string one = made("changes", "changes");
  EXPECT_NE(one.find("no ERASE says who took them"), std::string::npos) << one;
}

TEST_P(ReportExpired, ARowsReportNamesWhatExpiredAndWhereItStands) {
  three_years();
  EXPECT_EQ(made("subject", "expired", {"d", "1"}), "");
  EXPECT_EQ(made("subject", "archives", {"d", "1"}), "");
  EXPECT_EQ(text.find("before"), std::string::npos) << text;
  TemporaryDirectory directory;
  Context context;
  context.set("actor", "cron");
  const auto part =
      must(write_archive(trail.db(), {.directory = directory.file("archive")}, context, {}));
  const std::string stands = made("subject", "archives", {"c", "36"});
  trail.seal();
  EXPECT_EQ(made("subject", "archives", {"c", "36"}), stands);
  EXPECT_EQ(stands, fmt::format("0 | {} | 1 | - | {}\n", part->manifest.upto, part->sha256));
  EXPECT_EQ(made("subject", "archives", {"d", "1"}), stands);

  const Expiring done = expire();
  trail.seal();
  std::int64_t last = 0;
  for (const std::int64_t by : done.by)
    if (number(fmt::format("select count(*) from {{}}change where id = {} and {}", by, of("d"))) !=
        0)
      last = by;
  EXPECT_EQ(made("subject", "expired", {"d", "1"}),
            fmt::format("debug | 30 days | {} | {}\n",
                        36 - number("select count(*) from {}change where op = 'I' and " + of("d")),
                        last));
  EXPECT_EQ(made("subject", "archives", {"d", "1"}),
            fmt::format("0 | {} | 0 | may have some | {}\n", part->manifest.upto, part->sha256));
  EXPECT_EQ(made("subject", "expired", {"c", "36"}), "");
  made("subject", "data", {"d", "36"});
  EXPECT_NE(text.find("Not every change from before"), std::string::npos) << text;
}

TEST_P(ReportExpired, WithTheArchiveItSaysWhatItSaidBefore) {
  three_years();
  trail.as("ann", "update d set what = 'hers' where id in (3, 30)");
  trail.seal();
  const std::string archive = trail.file("archive");
  Context context;
  context.set("actor", "cron");
  must(write_archive(trail.db(), {.directory = archive}, context, {}));
  const std::string changes = made("changes", "changes");
  const std::string exceptions = made("changes", "exceptions");
  const std::string data = made("subject", "data", {"d", "3"});
  const std::string due_before = made("retention", "classes");

  std::uint64_t gone = 0;
  for (const ClassExpiry& one : expire().classes) gone += one.gone;
  trail.seal();
  const std::string left = made("retention", "classes");
  EXPECT_NE(left, due_before);
  EXPECT_LT(made("changes", "changes").size(), changes.size());
  EXPECT_EQ(complete.find("archive"), std::string::npos) << complete;
  asked = must(with_archive(trail.connect(), archive));
  EXPECT_EQ(made("changes", "changes").substr(0, changes.size()), changes);
  EXPECT_NE(complete.find(fmt::format("of which {} are read from the archive", gone)),
            std::string::npos)
      << complete;
  EXPECT_EQ(made("changes", "exceptions").substr(0, exceptions.size()), exceptions);
  EXPECT_EQ(made("subject", "data", {"d", "3"}), data);
  EXPECT_EQ(made("subject", "expired", {"d", "3"}), "");
  EXPECT_EQ(made("retention", "classes"), left);
  EXPECT_EQ(verified_for_report(*asked, {}, {}, archive)->found, 0U);

  // Alone, too; but there nothing says what is all.
  asked = must(archive_alone(archive));
  EXPECT_EQ(made("subject", "data", {"d", "3"}), data);
  EXPECT_NE(complete.find("vestige archive verify"), std::string::npos) << complete;
}

}  // namespace
}  // namespace vestige
