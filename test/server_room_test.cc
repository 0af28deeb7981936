#include "server/room.h"

#include <gtest/gtest.h>

#include <memory>

namespace vestige::server {
namespace {

TEST(ServerRoom, IsSharedByAllAnswers) {
  Room room(100);
  auto one = std::make_unique<Room::Share>(room);
  Room::Share two(room);
  ASSERT_TRUE(one->add(60).has_value());
  ASSERT_TRUE(two.add(40).has_value());
  const auto refused = two.add(1);
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().fault, Fault::offline);
  EXPECT_NE(refused.error().message.find("the answers under way have "), std::string::npos);
  EXPECT_EQ(two.bytes(), 40U);
  EXPECT_EQ(room.taken(), 100U);
  one.reset();
  EXPECT_EQ(room.taken(), 40U);
  EXPECT_TRUE(two.add(60).has_value());
}

TEST(ServerRoom, IsLargeEnoughForAnAnswerThatIsAlone) {
  Room room(100);
  {
    Room::Share alone(room);
    ASSERT_TRUE(alone.add(250).has_value());
    ASSERT_TRUE(alone.add(3 << 20).has_value());
    Room::Share other(room);
    EXPECT_FALSE(other.add(1).has_value());
    EXPECT_TRUE(alone.add(1).has_value());
  }
  EXPECT_EQ(room.taken(), 0U);
}

}  // namespace
}  // namespace vestige::server
