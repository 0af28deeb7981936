#include "vestige/base/toml_file.h"

#include <gtest/gtest.h>

#include "test/temporary_directory.h"

namespace vestige {
namespace {

Toml read(std::string_view text) {
  const TemporaryDirectory directory;
  Result<Toml> file = read_toml(directory.write("vestige.toml", text));
  EXPECT_TRUE(file.has_value());
  return std::move(file).take();
}

TEST(TomlFile, HasEveryKindOfValueAndItsPlace) {
  const Toml file = read(R"(
text = "a"
whole = -5
half = 0.5
yes = true
day = 2026-11-28
moment = 2026-11-28T05:53:00Z
names = ["x", "y"]
[table]
inner = 1
[[rule]]
id = "first"
[[rule]]
id = "second"
)");
  EXPECT_EQ(file.find("text")->as_text().value(), "a");
  EXPECT_EQ(file.find("whole")->as_integer().value(), -5);
  EXPECT_EQ(file.find("whole")->as_number().value(), -5.0);
  EXPECT_EQ(file.find("half")->as_number().value(), 0.5);
  EXPECT_TRUE(file.find("yes")->as_boolean().value());
  EXPECT_EQ(file.find("day")->value.kind, Toml::Kind::time);
  EXPECT_EQ(file.find("day")->value.text, "2026-11-28");
  EXPECT_EQ(file.find("moment")->value.text, "2026-11-28T05:53:00Z");
  EXPECT_EQ(file.find("names")->as_texts().value(), (std::vector<std::string>{"x", "y"}));
  EXPECT_EQ(file.find("table")->as_table().value()->find("inner")->place, "vestige.toml:10:1");
  const auto rules = file.find("rule")->as_tables().value();
  ASSERT_EQ(rules.size(), 2U);
  EXPECT_EQ(rules[1]->find("id")->as_text().value(), "second");
  EXPECT_EQ(file.find("nothing"), nullptr);
}

TEST(TomlFile, RefusesAKeyOfVeryManyParts) {
  const auto refusal = [](const std::string& text) {
    const TemporaryDirectory directory;
    Result<Toml> file = read_toml(directory.write("vestige.toml", text));
    return file.has_value() ? std::string() : file.error().message;
  };
  std::string deep = "a";
  for (int i = 0; i < 50000; ++i) deep += ".a";
  const std::string refused = "read vestige.toml:2: a key of more than 100 parts";
  EXPECT_EQ(refusal("x = 1\n" + deep + " = 1\n"), refused);
  EXPECT_EQ(refusal("x = 1\n[" + deep + "]\n"), refused);
  EXPECT_EQ(refusal("x = 1\ny = {" + deep + " = 1}\n"), refused);
  EXPECT_EQ(refusal("x = \"\"\"\\\n\"\"\"\n[[" + deep + "]]\n"),
            "read vestige.toml:3: a key of more than 100 parts");
  // Those of texts and comments are nobody's parts.
  EXPECT_EQ(refusal("# " + deep + "\nx = \"\\\"" + deep + "\"\ny = '" + deep + "'\nz = \"\"\"\n" +
                    deep + "\"\"\"\n"),
            "");
  EXPECT_EQ(refusal("w = [1.5, 1.5]\n\"" + deep + "\" = '''\n" + deep + "'''\n"), "");
}

TEST(TomlFile, RefusesAnotherKindAndSaysWhere) {
  const Toml file = read("text = \"a\"\nlist = [\"a\", 1]\ntables = [1]\n");
  const TomlMember& text = *file.find("text");
  EXPECT_EQ(text.as_integer().error().message, "read vestige.toml:1:8: 'text' must be a number");
  EXPECT_EQ(text.as_number().error().message, "read vestige.toml:1:8: 'text' must be a number");
  EXPECT_EQ(text.as_boolean().error().message,
            "read vestige.toml:1:8: 'text' must be true or false");
  EXPECT_EQ(text.as_table().error().message, "read vestige.toml:1:8: 'text' must be a table");
  EXPECT_EQ(text.as_texts().error().message,
            "read vestige.toml:1:8: 'text' must be an array of strings");
  EXPECT_EQ(text.as_tables().error().message,
            "read vestige.toml:1:8: 'text' must be a list of tables");
  EXPECT_EQ(text.as_tables().error().hint, "write [[text]] above each");
  EXPECT_EQ(file.find("list")->as_texts().error().message,
            "read vestige.toml:2:14: 'list' must be a string");
  EXPECT_FALSE(file.find("tables")->as_tables().has_value());
  EXPECT_EQ(file.check_names({"text", "list", "table"}).error().hint, "did you mean table?");
  EXPECT_TRUE(file.check_names({"text", "list", "tables"}).has_value());
}

}  // namespace
}  // namespace vestige
