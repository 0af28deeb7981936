#include "vestige/merkle/quorum.h"

#include <gtest/gtest.h>

namespace vestige::merkle {
namespace {

NoteKey key(const std::string& name, KeyKind kind) {
  return NoteSigner::make(name, kind, std::string(32, name.back()))->key();
}
std::string log_key(const std::string& name) { return to_vkey(key(name, KeyKind::log)); }
std::string witness_key(const std::string& name) {
  return to_vkey(key(name, KeyKind::cosignature));
}

Quorum example() {
  std::string file = "# who may sign\n\n\tlog " + log_key("log") + "  https://log.example/ \n";
  for (const std::string name : {"x1", "x2", "x3", "y4", "y5", "y6"})
    file += "witness " + name + " " + witness_key(name) + "\n";
  file +=
      "group x 2 x1 x2 x3\n"
      "group y any y4 y5 y6\n"
      "group x-and-y all x y\n"
      "  # said once\n"
      "quorum x-and-y\n";
  return parse_quorum(file).value();
}

bool reached(const Quorum& quorum, std::initializer_list<std::string> names) {
  std::vector<Signed> signatures;
  for (const std::string& name : names) signatures.push_back({key(name, KeyKind::cosignature), 1});
  return quorum.reached(signatures);
}

TEST(Quorum, IsReadFromItsFile) {
  const Quorum quorum = example();
  ASSERT_EQ(quorum.logs.size(), 1U);
  EXPECT_EQ(quorum.logs[0].key.name, "log");
  EXPECT_EQ(quorum.logs[0].url, "https://log.example/");
  EXPECT_EQ(quorum.witnesses.size(), 6U);
  EXPECT_EQ(quorum.groups.size(), 3U);
  EXPECT_EQ(quorum.keys().size(), 7U);
}

TEST(Quorum, CountsWhoSigned) {
  const Quorum quorum = example();
  EXPECT_TRUE(reached(quorum, {"x1", "x2", "y4"}));
  EXPECT_TRUE(reached(quorum, {"x3", "x2", "x1", "y6", "y5"}));
  EXPECT_FALSE(reached(quorum, {}));
  EXPECT_FALSE(reached(quorum, {"x1", "x2", "x3"}));
  EXPECT_FALSE(reached(quorum, {"x1", "y4", "y5", "y6"}));
  EXPECT_FALSE(reached(quorum, {"x1", "x1", "y4"}));
  EXPECT_FALSE(reached(quorum, {"x1", "z2", "y4"})) << "a key that the file does not name";

  const Quorum none = parse_quorum("quorum none\n").value();
  EXPECT_TRUE(reached(none, {}));
  const Quorum one =
      parse_quorum("witness w " + witness_key("w") + " http://w\nquorum w\n").value();
  EXPECT_TRUE(reached(one, {"w"}));
  EXPECT_FALSE(reached(one, {"x"}));
  EXPECT_EQ(one.witnesses[0].url, "http://w");
}

TEST(Quorum, NamesTheLineThatIsWrong) {
  const std::string a = "witness a " + witness_key("a") + "\n";
  const std::string b = "witness b " + witness_key("b") + "\n";
  const struct {
    std::string file;
    std::string_view message;
  } cases[] = {
      {"", "0: no quorum line stands in the file"},
      {"\n# none\n", "2: no quorum line stands in the file"},
      {"quorum none", "1: the line is not ended"},
      {"quorum none\r\n", "1: it has a control character"},
      {"Quorum none\n", "1: a line begins with log, witness, group or quorum"},
      {"quorum\n", "1: it is written: quorum NAME, or quorum none"},
      {"quorum none none\n", "1: it is written: quorum NAME, or quorum none"},
      {"quorum none\nquorum none\n", "2: the quorum stands twice"},
      {"quorum a\n" + a, "1: the quorum is not named before"},
      {"log\n", "1: it is written: log VKEY [URL]"},
      {"log x\n", "1: read a public key (vkey): it is written name+id+key"},
      {"log " + witness_key("w") + "\n", "1: this is the key of a witness"},
      {"witness w " + log_key("w") + "\n", "1: this is the key of a log"},
      {"log " + log_key("l") + "\nlog " + log_key("l") + "\n", "2: the key stands twice"},
      {a + "witness c " + witness_key("xa") + "\n", "2: the key stands twice"},
      {"witness w\n", "1: it is written: witness NAME VKEY [URL]"},
      {a + "witness a " + witness_key("b") + "\n", "2: the name is taken"},
      {"witness none " + witness_key("b") + "\n", "1: the name is taken"},
      {a + b + "group g any a\ngroup g any b\n", "4: the name is taken"},
      {a + "group g any\n", "2: it is written: group NAME all|any|K MEMBER…"},
      {a + "group g any b\n", "2: a member is not named before"},
      {a + "group g any g\n", "2: a member is not named before"},
      {a + "group g any none\n", "2: a member is not named before"},
      {a + "group g any a a\n", "2: a member stands in two groups"},
      {a + "group g any a\ngroup h any a\n", "3: a member stands in two groups"},
      {a + "group g 0 a\n", "2: a group needs all, any, or from 1 up to the number of its members"},
      {a + "group g 2 a\n", "2: a group needs all, any, or from 1 up to the number of its members"},
      {a + "group g 01 a\n",
       "2: a group needs all, any, or from 1 up to the number of its members"},
  };
  for (const auto& one : cases) {
    const auto quorum = parse_quorum(one.file);
    ASSERT_FALSE(quorum.has_value()) << one.file;
    EXPECT_EQ(quorum.error().message, "read the witness policy, line " + std::string(one.message))
        << one.file;
  }
}

}  // namespace
}  // namespace vestige::merkle
