#include "vestige/record/taken.h"

#include <gtest/gtest.h>

#include <string>

namespace vestige {
namespace {

// name:words of each part
std::string apart(std::string_view list) {
  std::string out;
  for (const TakenPart& part : taken_parts(list))
    out += "[" + std::string(part.name) + ":" + std::string(part.words) + "]";
  return out;
}

TEST(Taken, AListIsTakenApartAtItsCommas) {
  EXPECT_EQ(apart(""), "");
  EXPECT_EQ(apart("values"), "[values:values]");
  EXPECT_EQ(apart("values,key"), "[values:values][key:key]");
  EXPECT_EQ(apart("values,key,context=ab+/c="), "[values:values][key:key][context:context=ab+/c=]");
  EXPECT_EQ(apart("context=ab+/c="), "[context:context=ab+/c=]");
}

TEST(Taken, WhatNobodyKnowsIsAPartToo) {
  EXPECT_EQ(apart("keys,KEY, key"), "[keys:keys][KEY:KEY][ key: key]");
  EXPECT_EQ(apart(",,"), "[:][:][:]");
  EXPECT_EQ(apart("values,"), "[values:values][:]");
  EXPECT_EQ(apart("="), "[:=]");
}

TEST(Taken, APartIsNamedWholeOrNot) {
  for (const std::string list : {"key", "values,key", "key,context=a", "values,key,context=a="})
    EXPECT_TRUE(takes(list, "key")) << list;
  for (const std::string list : {"", "values", "keys", "KEY", "values key", "context=key", "akey"})
    EXPECT_FALSE(takes(list, "key")) << list;
  EXPECT_TRUE(takes("values,context=a=", "context"));
  EXPECT_FALSE(takes("values,contexts=a=", "context"));
}

TEST(Taken, WhatStaysOfAContextIsPartOfTheWords) {
  EXPECT_TRUE(takes_so("values,context=a=", "context=a="));
  EXPECT_FALSE(takes_so("values,context=a=", "context=a"));
  EXPECT_FALSE(takes_so("values,context=a=", "context"));
  EXPECT_TRUE(takes_so("values,key", "key"));
}

}  // namespace
}  // namespace vestige
