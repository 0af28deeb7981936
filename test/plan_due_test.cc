// plan on both databases: what its times of retention take that those of the database do not, it says, and of which table.
#include "test/expire.h"
#include "vestige/audit/plan.h"

namespace vestige {
namespace {

class PlannedRetention : public ExpiringTest {
 protected:
  // What would be done, a step a line.
  std::string steps(const Plan& wanted) {
    std::string out;
    for (const PlanStep& step : must(plan(trail.db(), wanted)))
      if (step.acts()) out += step.text + "\n";
    return out;
  }
  std::string due(const std::string& which) {
    return fmt::format(": {} more changes are due, and the next expire takes them\n",
                       ids(which).size());
  }
  static Plan planned() {
    Plan out;
    out.retention = {{"critical", {"critical", "2555 days"}},
                     {"normal", {"normal", "365 days"}},
                     {"debug", {"debug", "30 days"}}};
    out.tables["c"].retention = "critical";
    out.tables["n"].retention = "normal";
    out.tables["d"].retention = "debug";
    return out;
  }
};

INSTANTIATE_TEST_SUITE_P(Both, PlannedRetention, testing::Values(Engine::sqlite, Engine::postgres),
                         engine_name);

TEST_P(PlannedRetention, SaysWhatAShorterTimeAndAShorterClassTake) {
  three_years(12);
  EXPECT_EQ(steps(planned()), "");
  Plan wanted = planned();
  wanted.retention["normal"].keep = "100 days";
  const std::size_t before = ids(of("n") + older(365)).size();
  const std::size_t after = ids(of("n") + older(100)).size();
  ASSERT_GT(after, before + 1);
  EXPECT_EQ(steps(wanted),
            fmt::format("retention normal: 365 days → 100 days: {} more changes are due, and the"
                        " next expire takes them\n",
                        after - before));

  wanted = planned();
  wanted.retention["critical"].keep = "100 days";
  wanted.tables["c"].retention = "debug";
  EXPECT_EQ(steps(wanted),
            "retention critical: 2555 days → 100 days\n"
            "change c: retention critical → debug" +
                due(of("c") + older(30)))
      << "by the class that it goes to, and once";

  wanted = planned();
  wanted.tables["d"].retention = "critical";
  wanted.tables["p"].retention = "";
  EXPECT_EQ(steps(wanted), "change d: retention debug → critical\n") << "of a longer one nothing";
  wanted.tables["p"].retention = "debug";
  EXPECT_TRUE(
      steps(wanted).ends_with("change p: retention none → debug" + due(of("p") + older(30))))
      << steps(wanted);
}

}  // namespace
}  // namespace vestige
