// [access] and [review.NAME] of vestige.toml: what is recorded of reads, and which reports somebody looks at.
#include "vestige/audit/review_file.h"

#include <gtest/gtest.h>

#include "test/temporary_directory.h"
#include "test/tracked_shop.h"
#include "vestige/audit/plan.h"
#include "vestige/trail/access.h"

namespace vestige {
namespace {

Result<Plan> read(const std::string& text) {
  const TemporaryDirectory directory;
  return read_plan(directory.write("vestige.toml", text));
}

TEST(ReviewFile, SaysWhichReportsAndHowOften) {
  const auto reviews =
      must(read("[review.changes]\nevery = 'month'\n"
                "[review.night]\nreport = 'payouts'\nevery = 'day'\nfilter = 'table:accounts'\n"
                "since = 2026-01-01\n"
                "[report.payouts]\ntitle = 'Payouts'\ngroup_by = ['day']\n"))
          .reviews;
  ASSERT_EQ(reviews.size(), 2U);
  EXPECT_EQ(reviews[0].report, "changes");
  EXPECT_EQ(reviews[0].every, Every::month);
  EXPECT_EQ(reviews[0].since, "");
  EXPECT_EQ(reviews[1].name, "night");
  EXPECT_EQ(reviews[1].report, "payouts");
  EXPECT_EQ(reviews[1].every, Every::day);
  EXPECT_EQ(reviews[1].filter, "table:accounts");
  EXPECT_EQ(reviews[1].since, "2026-01-01");
  EXPECT_TRUE(must(read("")).reviews.empty());
}

TEST(ReviewFile, SaysWhatIsWrongAndWhere) {
  const std::pair<std::string, std::string> cases[] = {
      {"[review.change]\nevery = 'month'", ":1:9: there is no report 'change'"},
      {"[review.x]\nreport = 'chang'\nevery = 'day'", ":2:1: there is no report 'chang'"},
      {"[review.changes]\nfilter = 'op:update'", ":1:9: how often is it looked at?"},
      {"[review.changes]\nevery = 'hour'", ":2:9: review: every 'hour' is no period"},
      {"[review.changes]\nevery = 'day'\nfilter = 'old.price>'", ":3:10: "},
      {"[review.changes]\nevery = 'day'\nsince = 'once upon'", ":3:9: "},
      {"[review.changes]\nevery = 'day'\nwhom = 'ann'", ":3:1: "},
      {"[access]\nrecord = 'yes'", ":2:10: "},
      {"[access]\nreads = true", ":2:1: "}};
  for (const auto& [text, message] : cases) {
    const std::string said = error_of(read(text)).message;
    EXPECT_NE(said.find("vestige.toml" + message), std::string::npos) << text << "\n" << said;
  }
}

// What plan shows apply carries out, and nothing where nothing is said.
TEST(ReviewFile, RecordingOfReadsIsAStepOfThePlan) {
  Shop shop;
  const auto steps = [&](const std::string& text, bool carry_out) {
    const Plan wanted = must(read(text));
    std::string out;
    for (const PlanStep& step :
         must(carry_out ? apply(shop.db(), wanted) : plan(shop.db(), wanted)))
      out += step.action + " " + step.text + "\n";
    return out;
  };
  const std::string on = "[access]\nrecord = true\n";
  EXPECT_EQ(steps(on, false),
            "install install the trail\n"
            "access access: reads of the trail and changes of policies are recorded\n");
  EXPECT_FALSE(must(records_access(shop.db())));
  steps(on, true);
  EXPECT_TRUE(must(records_access(shop.db())));
  EXPECT_EQ(steps(on, false), "");
  EXPECT_EQ(steps("[access]\n", true), "");
  EXPECT_EQ(steps("", true), "");
  EXPECT_TRUE(must(records_access(shop.db())));
  EXPECT_EQ(steps("[access]\nrecord = false\n", true),
            "access access: reads of the trail are not recorded any more\n");
  EXPECT_FALSE(must(records_access(shop.db())));
}

}  // namespace
}  // namespace vestige
