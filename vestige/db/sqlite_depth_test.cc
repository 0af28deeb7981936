#include "vestige/db/sqlite_depth.h"

#include <gtest/gtest.h>

namespace vestige {
namespace {

TEST(SqliteDepth, IsThatOfSqlite) {
  std::string expression = "name";
  for (int depth = 1; depth < 30; ++depth) {
    EXPECT_TRUE(deeper_than(expression, depth - 1).value_or(false) || depth == 1) << expression;
    EXPECT_FALSE(deeper_than(expression, depth).value_or(true)) << expression;
    expression = (depth % 2 == 0 ? "unknown(" : "lower(") + expression + ")";
  }
  EXPECT_FALSE(deeper_than("", 5).value_or(true));
  EXPECT_FALSE(deeper_than("no ( expression", 5).value_or(true));
}

}  // namespace
}  // namespace vestige
