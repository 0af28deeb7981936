// A field over time, on both databases, and its pictures.
#include "vestige/report/field.h"

#include "test/evidence.h"
#include "vestige/audit/erase.h"
#include "vestige/base/json.h"
#include "vestige/report/plot.h"

namespace vestige {
namespace {

class FieldBoth : public testing::TestWithParam<Engine> {};

INSTANTIATE_TEST_SUITE_P(Both, FieldBoth, testing::Values(Engine::sqlite, Engine::postgres),
                         engine_name);

std::string told(const FieldHistory& history) {
  std::string out;
  for (const FieldPoint& point : history.points) {
    const bool value = point.state == FieldPoint::State::value;
    out += fmt::format("{} {} {}{}\n", point.change,
                       value ? to_json(point.value)
                             : (point.state == FieldPoint::State::gone ? "gone" : "unknown"),
                       point.who,
                       point.percent.has_value() ? fmt::format(" {:.1f}", *point.percent) : "");
  }
  return out;
}

TEST_P(FieldBoth, IsWhatTheColumnHeldAndByWhom) {
  Evident trail{GetParam()};
  Database& db = trail.db();
  trail.as("bob", "update p set name = 'other' where id = 1");
  trail.as("bob", "update p set price = 22 where id = 1");
  trail.as("carl", "update p set price = null where id = 1");
  trail.as("dora", "delete from p where id = 1");
  const FieldHistory price = must(field_history(db, "p", {"1"}, "price"));
  EXPECT_EQ(told(price), "1 10 ann\n4 11 ann 10.0\n6 22 bob 100.0\n7 null carl\n8 gone dora\n");
  EXPECT_TRUE(price.numbers);
  EXPECT_EQ(price.changes(), 5);
  EXPECT_EQ(price.range(), std::pair(10.0, 22.0));
  const FieldHistory text = must(field_history(db, "p", {"1"}, "name"));
  EXPECT_EQ(told(text), "1 \"x\" ann\n5 \"other\" bob\n8 gone dora\n");
  EXPECT_FALSE(text.numbers);
  EXPECT_EQ(text.different(), (std::vector<std::string>{"x", "other"}));
}

TEST_P(FieldBoth, FollowsTheRowUnderEachOfItsKeys) {
  Evident trail{GetParam()};
  Database& db = trail.db();
  trail.as("bob", "update p set id = 17, price = 12 where id = 1");
  const std::string all = "1 10 ann\n4 11 ann 10.0\n5 12 bob 9.1\n";
  EXPECT_EQ(told(must(field_history(db, "p", {"17"}, "price"))), all);
  EXPECT_EQ(told(must(field_history(db, "p", {"1"}, "price"))), all);
}

TEST_P(FieldBoth, BeginsWithWhatStoodBeforeTheFirstChange) {
  Evident trail{GetParam()};
  Database& db = trail.db();
  trail.application(
      "create table old (id integer primary key, n integer); insert into old values (1, 5), (2, "
      "6)");
  auto transaction = must(Transaction::begin(db));
  must(track(db, "old", Policy()));
  must(transaction.commit());
  EXPECT_EQ(told(must(field_history(db, "old", {"2"}, "n"))), "0 6 \n");
  trail.as("ann", "update old set n = 7 where id = 1");
  const FieldHistory history = must(field_history(db, "old", {"1"}, "n"));
  EXPECT_EQ(history.points.size(), 2U);
  EXPECT_EQ(history.changes(), 1);
  EXPECT_EQ(to_json(history.points[0].value), "5");
  EXPECT_LE(history.points[0].at, history.points[1].at);
}

TEST_P(FieldBoth, SaysWhatWasErased) {
  Evident trail{GetParam()};
  Database& db = trail.db();
  trail.as("bob", "update p set price = 12 where id = 1");
  Context context;
  context.set("actor", "dpo");
  context.set("reason", "asked");
  EraseRequest request;
  request.changes = {4};
  must(erase(db, request, context));
  EXPECT_EQ(told(must(field_history(db, "p", {"1"}, "price"))),
            "1 10 ann\n4 unknown ann\n5 12 bob 20.0\n");
}

TEST_P(FieldBoth, RefusesWhatIsNotThere) {
  Evident trail{GetParam()};
  EXPECT_EQ(error_of(field_history(trail.db(), "p", {"99"}, "price")).message,
            "field p id=99: no such row, now or in the trail");
  EXPECT_EQ(error_of(field_history(trail.db(), "p", {"1"}, "prize")).hint, "did you mean price?");
}

constexpr std::int64_t kDay = 24LL * 3600 * 1'000'000;

FieldPoint point(std::int64_t days, Value value, std::optional<double> number) {
  FieldPoint out;
  out.change = days + 1;
  out.at = days * kDay;
  out.value = std::move(value);
  out.number = number;
  return out;
}

TEST(FieldPlot, StepsAndHasGaps) {
  FieldHistory history;
  history.numbers = true;
  history.points = {point(0, std::int64_t{1}, 1), point(10, std::int64_t{3}, 3),
                    point(20, Null{}, std::nullopt), point(30, std::int64_t{2}, 2)};
  const auto lines = text_plot(history, 40 * kDay, {.width = 24, .height = 3, .ascii = true});
  ASSERT_EQ(lines.size(), 4U);
  EXPECT_EQ(lines[0], " 3 +     +-----");
  EXPECT_EQ(lines[1], "   |     |         -----");
  EXPECT_EQ(lines[2], " 1 +-----+");
  EXPECT_EQ(lines[3], "    1970-01-01");
}

TEST(FieldPlot, DrawsWhatIsNoNumberAsLetters) {
  FieldHistory history;
  history.points = {point(0, Text{"new"}, std::nullopt), point(10, Text{"sale"}, std::nullopt),
                    point(20, Text{"new"}, std::nullopt)};
  history.points.push_back(point(30, Null{}, std::nullopt));
  history.points.back().state = FieldPoint::State::gone;
  const auto lines = text_plot(history, 40 * kDay, {.width = 24, .height = 3, .ascii = true});
  ASSERT_GE(lines.size(), 4U);
  EXPECT_EQ(lines[0], "   AAAAABBBBBAAAAA.....");
  EXPECT_EQ(lines[2], "   A new");
}

TEST(FieldPlot, HoldsAtEverySizeAndNumber) {
  FieldHistory history;
  history.numbers = true;
  for (const double number : {-1e308, 1e308, 0.0, -0.0, 1e-300, 5.0, 5.0})
    history.points.push_back(
        point(static_cast<std::int64_t>(history.points.size() % 3), number, number));
  for (int width = 0; width < 100; width += 7)
    for (int height = 0; height < 12; ++height)
      for (const std::string& line :
           text_plot(history, kDay, {.width = width, .height = height, .ascii = true}))
        EXPECT_LE(line.size(), static_cast<std::size_t>(std::max(width, 40)));
  EXPECT_TRUE(text_plot(FieldHistory{}, kDay, {}).empty());
  EXPECT_EQ(svg_plot(FieldHistory{}, kDay), "");
}

TEST(FieldPlot, GivesTextOfAnybodysToNoReaderOfXml) {
  FieldHistory history;
  history.table = "<script>alert(1)</script>";
  history.column = "a\"b&c";
  history.points = {point(0, Text{"]]><script>\x01\xef\xbf\xbf'\""}, std::nullopt)};
  history.points[0].who = "<b>";
  const std::string svg = svg_plot(history, kDay);
  EXPECT_EQ(svg.find("<script"), std::string::npos);
  EXPECT_EQ(svg.find("<b>"), std::string::npos);
  EXPECT_EQ(svg.find('\x01'), std::string::npos);
  EXPECT_EQ(svg.find("\xef\xbf\xbf"), std::string::npos);
  EXPECT_NE(svg.find("a&quot;b&amp;c"), std::string::npos);
  history.points[0].value = Text{"\xff\xc0<"};
  EXPECT_TRUE(json::is_utf8(svg_plot(history, kDay)));
}

}  // namespace
}  // namespace vestige
