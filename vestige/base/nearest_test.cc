#include "vestige/base/nearest.h"

#include <gtest/gtest.h>

namespace vestige {
namespace {

TEST(Nearest, IsTheNameThatWasMeant) {
  EXPECT_EQ(nearest("prodcuts", {"orders", "products", "produce"}), "products");
  EXPECT_EQ(nearest("PRODUCTS", {"orders", "products"}), "products");
  EXPECT_EQ(nearest("x", {"orders", "products"}), "");
  EXPECT_EQ(nearest("", {"orders"}), "");
  EXPECT_EQ(nearest("anything", {}), "");
}

}  // namespace
}  // namespace vestige
