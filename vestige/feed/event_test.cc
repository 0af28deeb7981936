// The formats of events: what they say, what they never say, and how much of it.
#include "vestige/feed/event.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <map>

#include "vestige/base/json.h"
#include "vestige/feed/cef.h"
#include "vestige/feed/cloudevents.h"
#include "vestige/feed/debezium.h"
#include "vestige/feed/event_text.h"
#include "vestige/feed/ocsf.h"

namespace vestige {
namespace {

const Origin kOrigin = {.log = "audit.example.com/shop", .database = "shop", .version = "1.2"};

Change update() {
  Change change;
  change.id = 1207;
  change.at = 1767268800123456;
  change.op = Op::update;
  change.tx = 1200;
  change.table = "products";
  change.key = {{"id", std::int64_t{17}}};
  change.old_values = Row{{"price", std::int64_t{99900}}};
  change.new_values = Row{{"price", std::int64_t{94900}}};
  change.context.set("actor", "ann");
  change.context.set("reason", "price list");
  change.index = 1206;
  return change;
}

// A reader of CEF that shares nothing with its writer: a pair ends before " key=", where the = stands bare.
class Parsed {
 public:
  explicit Parsed(const std::string& line) {
    std::size_t at = 0;
    while (header.size() < 7) header.push_back(field(line, at));
    const std::string rest = line.substr(at);
    std::vector<std::pair<std::size_t, std::size_t>> keys;  // where each begins, and its =
    for (std::size_t i = 0; i < rest.size(); ++i) {
      if (rest[i] == '\\') ++i;
      else if (rest[i] == '=') {
        const std::size_t space = rest.rfind(' ', i);
        keys.emplace_back(space == std::string::npos ? 0 : space + 1, i);
      }
    }
    for (std::size_t i = 0; i < keys.size(); ++i) {
      const std::size_t end = i + 1 < keys.size() ? keys[i + 1].first - 1 : rest.size();
      const auto [begin, equals] = keys[i];
      pairs[rest.substr(begin, equals - begin)] = bare(rest.substr(equals + 1, end - equals - 1));
    }
  }

  std::vector<std::string> header;
  std::map<std::string, std::string> pairs;

 private:
  static std::string field(const std::string& line, std::size_t& at) {
    std::string out;
    for (; at < line.size() && line[at] != '|'; ++at) {
      if (line[at] == '\\') ++at;
      out += line.at(at);
    }
    ++at;
    return out;
  }
  static std::string bare(const std::string& value) {
    std::string out;
    for (std::size_t i = 0; i < value.size(); ++i) {
      if (value[i] != '\\') out += value[i];
      else if (value.at(++i) == 'n') out += '\n';
      else if (value[i] == 'r') out += '\r';
      else out += value[i];
    }
    return out;
  }
};

TEST(Cef, IsALineThatASiemReads) {
  EXPECT_EQ(cef(update(), kOrigin),
            "CEF:0|Vestige|Vestige|1.2|UPDATE|Row updated|3|rt=1767268800123 externalId=1207 "
            "act=UPDATE cat=database outcome=success deviceExternalId=audit.example.com/shop "
            "suser=ann fname=products cs1Label=key cs1=17 cs2Label=columns cs2=price cs3Label=tx "
            "cs3=1200 cs4Label=reason cs4=price list cs5Label=old cs5={\"price\":99900} "
            "cs6Label=new cs6={\"price\":94900} cn1Label=index cn1=1206 msg=UPDATE products 17");
}

// Everything that means something to CEF, and letters of two, three and four bytes.
std::string nasty() {
  const auto pieces = *rc::gen::container<std::vector<std::string>>(
      rc::gen::element<std::string>("=", "\\", "|", "\n", "\r", " ", " suser=", "a", "\\n",
                                    "act=", "cs1Label=", "é", "\u202e", "𝄞", "\t", "\"", "…"));
  std::string out;
  for (const std::string& piece : pieces) out += piece;
  return out;
}

RC_GTEST_PROP(Cef, IsReadBackByAnIndependentReader, ()) {
  Change change = update();
  const std::string actor = nasty();
  const std::string reason = nasty();
  change.table = nasty();
  change.key = {{"id", Text{nasty()}}};
  change.context.set("actor", actor);
  change.context.set("reason", reason);
  const std::string line = cef(change, kOrigin);
  RC_ASSERT(line.find('\n') == std::string::npos && line.find('\r') == std::string::npos);
  const Parsed parsed(line);
  RC_ASSERT(parsed.header[4] == "UPDATE");
  RC_ASSERT(parsed.pairs.at("suser") == actor);
  RC_ASSERT(parsed.pairs.at("cs4") == reason);
  RC_ASSERT(parsed.pairs.at("fname") == change.table);
  RC_ASSERT(parsed.pairs.at("cs1") == plain(change.key));
  RC_ASSERT(parsed.pairs.at("externalId") == "1207");
}

TEST(Cef, EscapesItsHeader) {
  Origin origin = kOrigin;
  origin.version = "1|2\\3\n";
  const Parsed parsed(cef(update(), origin));
  EXPECT_EQ(parsed.header[3], "1|2\\3\xef\xbf\xbd");
  EXPECT_EQ(parsed.header[6], "3");
}

TEST(Cef, CutsWhatIsTooLongAndSaysSo) {
  Change change = update();
  change.new_values = Row{{"note", Text{std::string(1 << 20, 'x')}}};
  std::string letters;
  for (int i = 0; i < 2000; ++i) letters += "é";
  change.context.set("actor", letters);
  const Parsed parsed(cef(change, kOrigin));
  EXPECT_EQ(parsed.pairs.at("cs6").size(), 4000U);
  EXPECT_TRUE(parsed.pairs.at("cs6").ends_with("…"));
  EXPECT_LE(parsed.pairs.at("suser").size(), 1023U);
  EXPECT_TRUE(parsed.pairs.at("suser").ends_with("é…")) << "no half of a letter";
  EXPECT_EQ(parsed.pairs.at("msg"), "cut: suser, cs6; UPDATE products 17");
}

TEST(Event, NeverCarriesWhatIsEncryptedOrRedacted) {
  Change change = update();
  change.key = {{"id", Token{R"({"$encrypted":"c2VjcmV0"})"}}};
  change.new_key = change.key;
  change.old_values = Row{{"ssn", Token{R"({"$encrypted":"c2VjcmV0"})"}}};
  change.new_values = Row{{"ssn", Token{R"({"$redacted":true})"}}};
  for (const EventFormat& format : event_formats()) {
    const std::string event = format.write(change, kOrigin);
    EXPECT_EQ(event.find("c2VjcmV0"), std::string::npos) << format.name << event;
  }
  EXPECT_EQ(ocsf_entity(change, kOrigin).find("c2VjcmV0"), std::string::npos);
  EXPECT_NE(ocsf(change, kOrigin).find(R"("old_values":{"ssn":{"$encrypted":true}})"),
            std::string::npos);
  EXPECT_NE(ocsf(change, kOrigin).find(R"("new_values":{"ssn":{"$redacted":true}})"),
            std::string::npos);
  EXPECT_NE(debezium(change, kOrigin).find(R"("ssn":"__debezium_unavailable_value")"),
            std::string::npos);
}

TEST(Event, IsOneLineOfJsonWhateverWasWritten) {
  Change change = update();
  change.table = std::string("t\0\"\n\xff", 5);
  change.key = {{"a", Text{"\xff"}}, {"b", Null{}}, {"c", Blob{std::string("\0\xff", 2)}}};
  change.context.set("actor", "\xffx");
  change.context.set("ip_address", "not an address\n");
  change.context.set("traceparent", "00-zz");
  for (const Op op :
       {Op::insert, Op::update, Op::remove, Op::truncate, Op::baseline, Op::erase, Op::expire}) {
    change.op = op;
    for (const EventFormat& format : event_formats()) {
      const std::string event = format.write(change, kOrigin);
      EXPECT_EQ(event.find('\n'), std::string::npos) << format.name;
      EXPECT_TRUE(json::is_utf8(event)) << format.name;
      if (format.name == "cef") continue;
      json::Reader reader(event);
      EXPECT_TRUE(reader.value().has_value()) << format.name << event;
      EXPECT_TRUE(reader.end().has_value()) << format.name << event;
    }
  }
}

TEST(CloudEvents, StaysBelow64KibibytesAndSaysWhatItDropped) {
  Change change = update();
  change.new_values = Row{{"note", Text{std::string(1 << 20, 'x')}}};
  std::string event = cloudevents(change, kOrigin);
  EXPECT_LE(event.size(), 65536U);
  EXPECT_NE(event.find(R"("dropped":["old_values","new_values"]})"), std::string::npos);
  EXPECT_NE(event.find(R"("reason":"price list")"), std::string::npos);
  change.key = {{"id", Text{std::string(1 << 20, 'k')}}};
  change.context.set("reason", std::string(1 << 20, 'r'));
  change.table = std::string(1 << 20, 't');
  change.context.set("actor", std::string(1 << 20, 'a'));
  event = cloudevents(change, kOrigin);
  EXPECT_LE(event.size(), 65536U);
  EXPECT_NE(event.find(R"("dropped":["old_values","new_values","key","new_key","context")"),
            std::string::npos);
}

TEST(CloudEvents, SourceIsAReferenceAndSequenceSorts) {
  Change change = update();
  change.table = "a b/ü";
  change.context.set("traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01");
  const std::string event = cloudevents(change, kOrigin);
  EXPECT_NE(event.find(R"("source":"//audit.example.com/shop/a%20b%2F%C3%BC")"), std::string::npos)
      << event;
  EXPECT_NE(event.find(R"("sequence":"00000000000000001206")"), std::string::npos);
  EXPECT_NE(event.find(R"("traceparent":"00-4bf9)"), std::string::npos);
}

TEST(Event, ATraceIsTakenFromAWholeTraceparentOnly) {
  const auto of = [](std::string text) {
    Context context;
    context.set("traceparent", std::move(text));
    return trace_id(context).value_or("none");
  };
  const std::string good = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
  EXPECT_EQ(of(good), "4bf92f3577b34da6a3ce929d0e0e4736");
  EXPECT_EQ(of("cc" + good.substr(2) + "-more"), "4bf92f3577b34da6a3ce929d0e0e4736");
  for (std::size_t i = 0; i < good.size(); ++i) EXPECT_EQ(of(good.substr(0, i)), "none");
  EXPECT_EQ(of(good + "-more"), "none") << "version 00 has no more";
  EXPECT_EQ(of("ff" + good.substr(2)), "none");
  EXPECT_EQ(of("00-00000000000000000000000000000000-00f067aa0ba902b7-01"), "none");
  EXPECT_EQ(of("00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01"), "none");
  EXPECT_EQ(of("00-4BF92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"), "none");
}

}  // namespace
}  // namespace vestige
