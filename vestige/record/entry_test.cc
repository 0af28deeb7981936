#include "vestige/record/entry.h"

#include <gtest/gtest.h>

#include "vestige/base/bytes.h"
#include "vestige/record/canonical.h"
#include "vestige/record/evidence.h"

namespace vestige {
namespace {

using namespace std::string_literals;

const Salt kSalt = to_array<16>("0123456789abcdef");

Entry example() {
  Entry entry;
  entry.id = 1207;
  entry.op = "UPDATE";
  entry.table_id = 3;
  entry.table = "products";
  entry.at = 1767323045678901;
  entry.tx = 1205;
  entry.key = commitment(kSalt, R"({"key":{"id":1}})");
  entry.values = commitment(kSalt, R"({"old":{"price":99900},"new":{"price":94900}})");
  return entry;
}

const std::string kLine =
    R"({"v":1,"id":1207,"op":"UPDATE","table_id":3,"table":"products","at":"2026-01-02T03:04:05.678901Z",)"
    R"("tx":1205,"key":"3w6kvdBkYf7XPwEx3aO7hV3DRuQ+ZX9rTTFUshyrkgg=","context":null,)"
    R"("values":"ANJPWSQwPzXS/ThY4P0tjsZtdEg+4YMvvCd+ApORJkQ="})";

TEST(Entry, IsOneLine) {
  const std::string line = to_line(example());
  EXPECT_EQ(line, kLine);
  EXPECT_EQ(parse_entry(line).value(), example());
}

TEST(Entry, ACommitmentIsTheHashOfSaltAndBytes) {
  EXPECT_EQ(commitment(kSalt, "{}"), sha256("0123456789abcdef{}"));
}

TEST(Entry, NamesAreEscapedAndCut) {
  Entry entry = example();
  for (const auto& [name, text] : std::initializer_list<std::pair<std::string, std::string>>{
           {"a\"b\\c\n\x01\x7f/", R"("a\"b\\c\n\u0001)"
                                  "\x7f/\""},
           {"Käse", "\"Käse\""},
           {"a\xff\xfe z", "\"a\ufffd\ufffd z\""},
           {std::string(1001, 'x'), "\"" + std::string(1000, 'x') + "\""},
           {std::string(999, 'x') + "ä", "\"" + std::string(999, 'x') + "\""}}) {
    entry.table = name;
    const std::string line = to_line(entry);
    EXPECT_NE(line.find(",\"table\":" + text + ","), std::string::npos) << line;
    EXPECT_TRUE(parse_entry(line).has_value()) << line;
    EXPECT_EQ(to_line(parse_entry(line).value()), line);
  }
}

TEST(Entry, ALongNameStaysWithinABundle) {
  Entry entry = example();
  entry.table = std::string(70000, '\1');
  EXPECT_LT(to_line(entry).size(), 7000U);
}

TEST(Entry, OnlyItsCanonicalFormIsRead) {
  const std::string good = to_line(example());
  const auto with = [&](std::string_view part, std::string_view other) {
    std::string line = good;
    const std::size_t at = line.find(part);
    EXPECT_NE(at, std::string::npos) << part;
    return line.replace(at, part.size(), other);
  };
  const struct {
    std::string line;
    std::string_view why;
  } cases[] = {
      {"", "'{\"v\":' is missing"},
      {with("\"v\":1", "\"v\":2"), "its version is not 1; a newer vestige can read it"},
      {with("\"v\":1", "\"v\":"), "a number is not a decimal of 63 bits"},
      {with("1207", "9223372036854775808"), "a number is not a decimal of 63 bits"},
      {with("1207", "01207"), "a number is not a decimal of 63 bits"},
      {with("1207", "-1"), "a number is not a decimal of 63 bits"},
      {with("UPDATE", "update"), "its op is unknown"},
      {with("\"UPDATE\"", "5"), "a string is missing"},
      {with("products", "prod\\qucts"), "a string has an escape that means nothing"},
      {with("products", "prod\nucts"), "it is not in canonical form"},
      {with("products", "prod\\u0075cts"), "it is not in canonical form"},
      {with("products", "prod\\/ucts"), "it is not in canonical form"},
      {with("products", "pro\xff"), "it is not in canonical form"},
      {with("05.678901Z", "05.6789010Z"), "its time is none"},
      {with("05.678901Z", "05.678901+00:00"), "its time is none"},
      {with("2026-01-02T03:04:05.678901Z", "now"), "its time is none"},
      {with("2026-01-02T", "2026-13-02T"), "its time is none"},
      {with("null", "NULL"), "a string is missing"},
      {with("\"values\":\"", "\"values\":\"A"), "a commitment is not the base64 of 32 bytes"},
      {with("\"context\":null", "\"context\":\"AAAA\""),
       "a commitment is not the base64 of 32 bytes"},
      {with(",\"id\"", ", \"id\""), "',\"id\":' is missing"},
      {with("\"id\":1207,\"op\":\"UPDATE\"", "\"op\":\"UPDATE\",\"id\":1207"),
       "',\"id\":' is missing"},
      {good + "\n", "it is not in canonical form"},
      {good + " ", "it is not in canonical form"},
      {good.substr(0, good.size() - 1), "it is not in canonical form"},
  };
  for (const auto& one : cases) {
    const auto entry = parse_entry(one.line);
    ASSERT_FALSE(entry.has_value()) << one.line;
    EXPECT_EQ(entry.error().message, "read an entry: " + std::string(one.why)) << one.line;
    EXPECT_EQ(entry.error().fault, Fault::corrupt);
  }
  for (std::size_t cut = 0; cut < good.size(); ++cut)
    EXPECT_FALSE(parse_entry(good.substr(0, cut)).has_value()) << cut;
}

TEST(Canonical, WritesSectionsAndFields) {
  Canonical values;
  values.section("old");
  values.token("price", "99900");
  values.text("name", "Milk \"jug\"");
  values.section("new");
  values.text("price", std::nullopt);
  values.text("na\nme", "a\xff");
  EXPECT_EQ(
      std::move(values).take(),
      R"({"old":{"price":99900,"name":"Milk \"jug\""},"new":{"price":null,"na\nme":{"$text":"61ff"}}})");
  Canonical context;
  context.text("actor", "ann");
  context.text("reason", "sale");
  EXPECT_EQ(std::move(context).take(), R"({"actor":"ann","reason":"sale"})");
  EXPECT_EQ(Canonical().take(), "{}");
  Canonical empty;
  empty.section("old");
  empty.section("new");
  EXPECT_EQ(std::move(empty).take(), R"({"old":{},"new":{}})");
}

Evidence evidence() {
  return {7, to_line(example()), Disclosed{kSalt, R"({"key":{"id":1}})"}, std::nullopt,
          Disclosed{kSalt, R"({"old":{"price":99900},"new":{"price":94900}})"}};
}

TEST(Evidence, IsOneLine) {
  const std::string line = to_line(evidence());
  EXPECT_TRUE(line.starts_with(R"({"index":7,"entry":"{\"v\":1,\"id\":1207,)")) << line;
  EXPECT_NE(
      line.find(R"(,"key_salt":"30313233343536373839616263646566","key":"{\"key\":{\"id\":1}}",)"
                R"("values_salt":")"),
      std::string::npos)
      << line;
  EXPECT_EQ(parse_evidence(line).value(), evidence());
  const Evidence bare{0, "", {}, {}, {}};
  EXPECT_EQ(to_line(bare), R"({"index":0,"entry":""})");
  EXPECT_EQ(parse_evidence(to_line(bare)).value(), bare);
}

TEST(Evidence, IsBoundToItsEntry) {
  const Entry entry = example();
  EXPECT_EQ(not_bound(entry, evidence()), std::nullopt);
  Evidence changed = evidence();
  changed.values->canonical[9] = '8';
  EXPECT_EQ(not_bound(entry, changed), "values");
  changed = evidence();
  changed.key->salt[0] ^= 1;
  EXPECT_EQ(not_bound(entry, changed), "key");
  changed = evidence();
  changed.context = changed.key;
  EXPECT_EQ(not_bound(entry, changed), "context") << "the entry has none";
  changed = evidence();
  changed.key.reset();
  changed.values.reset();
  EXPECT_EQ(not_bound(entry, changed), std::nullopt) << "what is not disclosed is not wrong";
}

TEST(Evidence, OnlyItsCanonicalFormIsRead) {
  const std::string good = to_line(evidence());
  const struct {
    std::string line;
    std::string_view why;
  } cases[] = {
      {"", "it is no JSON object"},
      {"[]", "it is no JSON object"},
      {"{", "it is no JSON object"},
      {"{7}", "it is no JSON object"},
      {R"({"index")", "it is no JSON object"},
      {R"({"index":})", "it is no JSON object"},
      {"{\"index\":0,\"entry\":\"\xff\"}", "it is not UTF-8"},
      {"{}", "it is not in canonical form"},
      {R"({"entry":"","index":0})", "it is not in canonical form"},
      {R"({"index":0, "entry":""})", "it is not in canonical form"},
      {R"({"index":0,"entry":"\u0061"})", "it is not in canonical form"},
      {R"({"index":0,"index":0,"entry":""})", "it is not in canonical form"},
      {R"({"index":-1,"entry":""})", "its index is no number"},
      {R"({"index":0,"entry":7})", "a member is no string"},
      {R"({"index":0,"entry":"","more":7})", "\"more\" has no place there"},
      {R"({"index":0,"entry":"","key":"x"})", "\"key\" has no place there"},
      {R"({"index":0,"entry":"","id_salt":"x"})", "\"id_salt\" has no place there"},
      {R"({"index":0,"entry":"","key_salt":"00","key":""})", "a salt is not the hex of 16 bytes"},
      {R"({"index":0,"entry":"","key_salt":"3031323334353637383961626364656F","key":""})",
       "a salt is not the hex of 16 bytes"},
      {R"({"index":0,"entry":"","key_salt":"30313233343536373839616263646566"})",
       "it is not in canonical form"},
      {good + "\n", "it is not in canonical form"},
      {good + "x", "it is not in canonical form"},
  };
  for (const auto& one : cases) {
    const auto read = parse_evidence(one.line);
    ASSERT_FALSE(read.has_value()) << one.line;
    EXPECT_EQ(read.error().message, "read evidence: " + std::string(one.why)) << one.line;
  }
  for (std::size_t cut = 0; cut < good.size(); ++cut)
    EXPECT_FALSE(parse_evidence(good.substr(0, cut)).has_value()) << cut;
}

TEST(Evidence, BeginsWithTheTreeBefore) {
  const EvidenceStart start{5, {sha256("a"), sha256("b")}};
  const std::string line = to_line(start);
  EXPECT_TRUE(is_evidence_start(line));
  EXPECT_FALSE(is_evidence_start(to_line(evidence())));
  EXPECT_EQ(parse_evidence_start(line)->start, 5U);
  EXPECT_EQ(parse_evidence_start(line)->peaks, start.peaks);
  EXPECT_EQ(to_line(EvidenceStart{}), R"({"start":0,"peaks":[]})");
  EXPECT_TRUE(parse_evidence_start(R"({"start":0,"peaks":[]})").has_value());
  for (std::size_t cut = 0; cut < line.size(); ++cut)
    EXPECT_EQ(parse_evidence_start(line.substr(0, cut)).error().message,
              "read evidence: its first line is not a start and its peaks");
  for (const std::string& wrong :
       {line + " ", line + "\n", R"({"start":05,"peaks":[]})"s, R"({"start":5,"peaks":["AAAA"]})"s,
        R"({"start":5, "peaks":[]})"s, R"({"start":5,"peaks":[null]})"s})
    EXPECT_FALSE(parse_evidence_start(wrong).has_value()) << wrong;
}

}  // namespace
}  // namespace vestige
