// The report for a person, on both databases: everything of their row, nothing of another's, and nobody's name.
#include "test/evidence.h"
#include "vestige/audit/erase.h"
#include "vestige/report/reports.h"
#include "vestige/trail/access.h"
#include "vestige/trail/hold.h"

namespace vestige {
namespace {

class ReportSubject : public testing::TestWithParam<Engine> {
 protected:
  // All sections, a line for each row: "data | name | …", without times and numbers of changes, and with `staff` by name.
  std::string made(std::vector<std::string> words, bool staff = false, bool dpo = false) {
    TimeZone zone = must(TimeZone::named("UTC"));
    Report report(zone);
    report.head.made_at = clock_now();
    ReportRequest request{.selection = {}, .filter = "", .zone = zone, .words = std::move(words)};
    request.with_staff = staff;
    request.dpo = dpo;
    must(make_report(*find_report("subject"), trail_.db(), request, report));
    std::string out;
    for (std::size_t section = 0; section < report.sections(); ++section) {
      must(report.read_again(section));
      const auto& columns = report.section(section).columns;
      Cells cells;
      while (must(report.next_row(section, cells)) != 'n') {
        out += report.section(section).name;
        for (std::size_t i = 0; i < columns.size(); ++i)
          if (columns[i].kind == CellKind::time) out += cells[i].has_value() ? " | T" : " | -";
          else if (columns[i].kind != CellKind::number) out += " | " + cells[i].value_or("-");
        out += "\n";
      }
    }
    return out;
  }

  void report_read(const std::string& actor, const std::string& kind, const std::string& key,
                   const std::string& suspended = "null") {
    const std::string recipient = kind == "read" ? "null" : "'Acme'";
    trail_.as(actor,
              trail_.postgres()
                  ? fmt::format("select vestige.access('p', '{}', kind => '{}', purpose => 'care', "
                                "recipient => {}, suspended_until => {})",
                                key, kind, recipient, suspended)
                  : fmt::format("insert into vestige_access (kind, subject_table, subject_key, "
                                "purpose, recipient, suspended_until) values ('{}', 'p', "
                                "json_array('{}'), 'care', {}, {})",
                                kind, key, recipient, suspended));
  }

  Evident trail_{GetParam()};
};

INSTANTIATE_TEST_SUITE_P(Both, ReportSubject, testing::Values(Engine::sqlite, Engine::postgres),
                         engine_name);

TEST_P(ReportSubject, TellsAllOfOneRowAndNothingOfAnother) {
  must(prepare_access(trail_.db()));
  trail_.as("ann", "insert into p values (70, 'Roe', 1)");
  trail_.as("bob", "update p set price = 2 where id = 70");
  trail_.as("ann", "insert into p values (80, 'Doe', 1)");
  report_read("nurse", "read", "70");
  report_read("nurse", "read", "80");
  trail_.as("ann", "update p set id = 71 where id = 70");
  report_read("bob", "disclosure", "71");
  report_read("bob", "disclosure", "71", "'2099-01-01T00:00:00Z'");
  const std::string data =
      "data | price | 1 | T | T\n"
      "data | id | 70 | T | T\n"
      "data | id | 71 | T | -\n"
      "data | name | \"Roe\" | T | -\n"
      "data | price | 2 | T | -\n";
  const std::string changes =
      "changes | T | INSERT | - | - | staff 1\n"
      "changes | T | UPDATE | price | - | staff 2\n"
      "changes | T | UPDATE | id | - | staff 1\n";
  const std::string reads =
      "accesses | T | read | care | - | - | staff 3\n"
      "accesses | T | disclosure | care | Acme | - | staff 2\n";
  EXPECT_EQ(made({"p", "71"}), data + changes + reads);
  EXPECT_EQ(made({"p", "71"}, false, true),
            data + changes + reads + "accesses | T | disclosure | care | Acme | - | staff 2\n");
  const std::string named = made({"p", "71"}, true);
  EXPECT_EQ(named.find("staff"), std::string::npos) << named;
  EXPECT_NE(named.find("accesses | T | read | care | - | - | nurse"), std::string::npos) << named;
}

TEST_P(ReportSubject, SaysWhatWasErasedAndShowsNothingOfIt) {
  trail_.as("ann", "insert into p values (70, 'Roe', 1)");
  trail_.as("ann", "delete from p where id = 70");
  Context context;
  context.set("reason", "request 4711");
  EraseRequest request{.table = "p", .key = {"70"}};
  must(erase(trail_.db(), request, context));
  EXPECT_EQ(made({"p", "70"}),
            "changes | T | INSERT | - | - | staff 1\n"
            "changes | T | DELETE | - | - | staff 1\n"
            "erasures | T | values\n"
            "erasures | T | values\n");
}

TEST_P(ReportSubject, SaysWhatMustBeKeptAndForWhichMatterToWhoAnswersForIt) {
  EXPECT_EQ(made({"p", "2"}).find("holds"), std::string::npos);
  Context counsel;
  counsel.set("actor", "counsel");
  counsel.set("reason", "letter");
  must(place_hold(trail_.db(), "Doe v. Shop", must(parse_filter("table:p key:2", Now(0))), false,
                  counsel));
  const std::string person = made({"p", "2"});
  EXPECT_NE(person.find("holds | T | -\n"), std::string::npos) << person;
  EXPECT_EQ(person.find("Doe"), std::string::npos) << person;
  EXPECT_NE(made({"p", "2"}, false, true).find("holds | T | Doe v. Shop\n"), std::string::npos);
  EXPECT_EQ(made({"p", "3"}).find("holds"), std::string::npos);
}

TEST_P(ReportSubject, NeedsARow) {
  TimeZone zone = must(TimeZone::named("UTC"));
  Report report(zone);
  ReportRequest request{.selection = {}, .filter = "", .zone = zone};
  request.words = {"p"};
  const auto refused = make_report(*find_report("subject"), trail_.db(), request, report);
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().message, "report subject: of which row?");
}

}  // namespace
}  // namespace vestige
