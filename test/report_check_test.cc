// A report as a file: whatever is changed in it is found, and what stands in it cannot break out of its place.
#include <gtest/gtest.h>

#include <sstream>

#include "vestige/audit/check_report.h"
#include "vestige/report/html.h"
#include "vestige/report/note.h"

namespace vestige {
namespace {

class TextSink final : public ReportSink {
 public:
  void write(std::string_view bytes) override { text += bytes; }
  std::string text;
};

merkle::NoteSigner signer(char seed) {
  return *merkle::NoteSigner::make("audit.example.com/shop", merkle::KeyKind::log,
                                   std::string(32, seed));
}

TimeZone zone(const std::string& name) { return *TimeZone::named(name); }

// A small report with what is hardest to write.
std::string written(ReportForm form, const merkle::NoteSigner* by, bool checkpoint = true) {
  Report report(zone("Europe/Berlin"));
  report.head.name = "changes";
  report.head.title = "Changes of <b>\"all\"</b> & 'some'";
  report.head.database = "sqlite:shop.db";
  report.head.complete = "It covers all 7 entries.";
  report.head.made_at = 1'792'890'000'000'000;
  report.head.made_by = "ann";
  report.head.version = "1";
  if (checkpoint) {
    report.head.checkpoint = *merkle::sign_checkpoint(signer('a'), 7, Hash{});
    report.head.covered = 7;
    report.head.origin = "audit.example.com/shop";
  }
  const std::size_t section = report.add({.name = "rows",
                                          .title = "Rows",
                                          .columns = {{"at", "at", CellKind::time},
                                                      {"n", "n", CellKind::number},
                                                      {"text", "text"},
                                                      {"value", "value", CellKind::value}}});
  const std::string texts[] = {"</script><script>alert(1)</script>",
                               "a\x01\n\tb",
                               "\xff\xfe",
                               "\u202Eevil",
                               "a\u200Bnn \U000E0061",
                               "<!--",
                               "&lt;",
                               "\u05E9\u05DC\u05D5\u05DD"};
  for (const std::string& text : texts) {
    const Value value = Text{text};
    EXPECT_TRUE(report
                    .row(section, {time_cell(1'792'889'999'000'000), number_cell(-5), text,
                                   value_cell(&value)})
                    .has_value());
  }
  EXPECT_TRUE(report.row(section, {Cell(), Cell(), Cell(), "null"}).has_value());
  report.add({.name = "none", .title = "None", .columns = {{"a", "a"}}});
  EXPECT_TRUE(report.finish().has_value());
  TextSink sink;
  CountingSink counting(sink);
  EXPECT_TRUE(
      (form == ReportForm::html ? write_html(report, counting) : write_json(report, counting))
          .has_value());
  EXPECT_TRUE(write_report_end(counting, form, by).has_value());
  return sink.text;
}

std::string verdict(const std::string& bytes, const Trust& trust, bool unsigned_too = false) {
  std::istringstream file(bytes);
  const auto checked = check_report(file, trust, unsigned_too);
  return checked.has_value() ? "" : checked.error().message;
}

Trust trust(char seed) {
  Trust out;
  out.keys.push_back(signer(seed).key());
  return out;
}

constexpr ReportForm kForms[] = {ReportForm::html, ReportForm::json};

TEST(ReportCheck, FindsEveryByteThatWasChanged) {
  const auto by = signer('a');
  for (const ReportForm form : kForms) {
    const std::string good = written(form, &by);
    ASSERT_EQ(verdict(good, trust('a')), "");
    for (std::size_t place = 0; place < good.size(); ++place) {
      // Every bit of the end, which no hash covers; one bit of each byte before it.
      const bool all = place + 1500 > good.size();
      for (unsigned bit = all ? 0 : place % 8; bit < (all ? 8 : place % 8 + 1); ++bit) {
        std::string bad = good;
        bad[place] = static_cast<char>(bad[place] ^ (1U << bit));
        ASSERT_NE(verdict(bad, trust('a')), "")
            << place << " " << bit << " " << bad.substr(place, 20);
      }
    }
  }
}

TEST(ReportCheck, FindsWhatWasCutOffAndPutIn) {
  const auto by = signer('a');
  for (const ReportForm form : kForms) {
    const std::string good = written(form, &by);
    for (std::size_t place = 0; place < good.size(); place += 13) {
      ASSERT_NE(verdict(good.substr(0, place), trust('a')), "") << place;
      ASSERT_NE(verdict(good.substr(0, place) + "\n" + good.substr(place), trust('a')), "")
          << place;
    }
    EXPECT_NE(verdict(good + "\n", trust('a')), "");
    EXPECT_NE(verdict(good + good, trust('a')), "");
  }
}

TEST(ReportCheck, WithoutASignatureFindsOnlyAccidents) {
  for (const ReportForm form : kForms) {
    const std::string good = written(form, nullptr);
    EXPECT_EQ(verdict(good, Trust(), true), "");
    EXPECT_EQ(
        verdict(good, trust('a')),
        "nobody signed the report: its bytes are those of its hash, which whoever alters them can "
        "compute anew");
    for (std::size_t place = 0; place < good.size(); place += 7) {
      std::string bad = good;
      bad[place] = static_cast<char>(bad[place] ^ 1);
      ASSERT_NE(verdict(bad, Trust(), true), "") << place;
    }
  }
}

TEST(ReportCheck, TrustsNobodyElse) {
  const auto by = signer('b');
  EXPECT_EQ(verdict(written(ReportForm::html, &by, false), trust('b')), "");
  // The checkpoint is another's who has the log's name.
  EXPECT_NE(verdict(written(ReportForm::html, &by), trust('b')), "");
  EXPECT_NE(verdict(written(ReportForm::html, &by), trust('a')), "");
  const auto other = *merkle::NoteSigner::make("other", merkle::KeyKind::log, std::string(32, 'c'));
  Trust others;
  others.keys.push_back(other.key());
  EXPECT_EQ(verdict(written(ReportForm::html, &by), others),
            "the report is not signed by a key that you trust");
}

TEST(ReportCheck, RefusesASignedCheckpointInTheStatementsPlace) {
  const auto by = signer('a');
  std::string bytes = written(ReportForm::json, &by);
  const auto end = *find_report_end(ReportForm::json, bytes);
  bytes.resize(end.place);
  bytes += report_end(ReportForm::json, *merkle::sign_checkpoint(by, 7, Hash{}));
  EXPECT_EQ(verdict(bytes, trust('a')),
            "its bytes are not those that the statement at its end covers");
}

TEST(ReportCheck, SaysWhatIsNoReport) {
  EXPECT_EQ(verdict("", trust('a')), "this is no report");
  EXPECT_EQ(verdict("<!doctype html>\n", trust('a')), "its end is missing, or was altered");
}

// A file that is longer than what can be read of it.
class Failing final : public std::stringbuf {
 public:
  using std::stringbuf::stringbuf;

 protected:
  pos_type seekoff(off_type by, std::ios_base::seekdir from,
                   std::ios_base::openmode which) override {
    const pos_type at = std::stringbuf::seekoff(by, from, which);
    return from == std::ios_base::cur ? pos_type(off_type(at) + 10) : at;  // what tellg asks
  }
};

TEST(ReportCheck, SaysThatItCannotReadOn) {
  Failing bytes(written(ReportForm::json, nullptr), std::ios_base::in);
  std::istream file(&bytes);
  EXPECT_EQ(check_report(file, Trust(), true).error().message,
            "read the report: it cannot be read to its end");
}

std::size_t count(const std::string& text, const std::string& part) {
  std::size_t found = 0;
  for (auto at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++found;
  return found;
}

TEST(ReportHtml, LetsNothingBreakOut) {
  const std::string html = written(ReportForm::html, nullptr);
  EXPECT_EQ(count(html, "<script"), 2U);  // the head and the rows
  EXPECT_EQ(count(html, "</script"), 2U);
  EXPECT_EQ(count(html, "<!--"), 0U);
  EXPECT_EQ(count(html, "<b>"), 0U);
  EXPECT_EQ(html.find('\x01'), std::string::npos);
  EXPECT_NE(html.find("a\\x01\\x0a\\x09b"), std::string::npos);
  EXPECT_NE(html.find("\\xff\\xfe"), std::string::npos);
  EXPECT_NE(html.find("\\u202eevil"), std::string::npos);
  EXPECT_NE(html.find("a\\u200bnn \\u{e0061}"), std::string::npos) << "and looks like no other";
  EXPECT_NE(html.find("\u05E9\u05DC\u05D5\u05DD"), std::string::npos);
  EXPECT_NE(html.find("2026-10-25 02:59:59"), std::string::npos);  // before clocks go back
}

}  // namespace
}  // namespace vestige
