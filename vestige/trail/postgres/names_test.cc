#include "vestige/trail/postgres/names.h"

#include <gtest/gtest.h>

namespace vestige::postgres {
namespace {

std::string text(const std::string& typed) {
  std::string out;
  for (const Reading& one : readings(typed)) {
    out += out.empty() ? "" : " or ";
    for (const std::string& part : {one.catalog, one.schema}) out += part.empty() ? "" : part + "|";
    out += one.table;
  }
  return out;
}

TEST(PostgresNames, AreReadLetterByLetterAndAsPostgresReadsThem) {
  EXPECT_EQ(text("customers"), "customers");
  EXPECT_EQ(text("Customers"), "Customers or customers");
  EXPECT_EQ(text("\"Customers\""), "Customers or \"Customers\"");
  EXPECT_EQ(text("Order Lines"), "Order Lines");
  EXPECT_EQ(text("hr.customers"), "hr|customers or hr.customers");
  EXPECT_EQ(text("HR . Customers"), "HR | Customers or HR . Customers or hr|customers");
  EXPECT_EQ(text("public.\"Order Lines\""),
            "public|Order Lines or public|\"Order Lines\" or public.\"Order Lines\"");
  EXPECT_EQ(text("\"H.R\".with space"),
            "\"H|R\".with space or \"H.R\"|with space or \"H.R\".with space or H.R|with space");
  EXPECT_EQ(text("\"a.b\".\"c\"\"d\""),
            "a.b|c\"d or \"a|b\".\"c\"\"d\" or \"a.b\"|\"c\"\"d\" or \"a.b\".\"c\"\"d\"");
  EXPECT_EQ(text("shop.hr.t"), "shop|hr.t or shop.hr|t or shop.hr.t or shop|hr|t");
  EXPECT_EQ(text("größe"), "größe");
}

TEST(PostgresNames, WhatIsNoNameIsReadAsItIs) {
  for (const char* typed : {"1a", "a b", "\"a", "\"a\"b", "a-b", "(a)", "a;b", "\"", "$a"})
    EXPECT_EQ(text(typed), typed) << typed;
  EXPECT_EQ(text(""), "");
  EXPECT_EQ(text("."), ".");
  EXPECT_EQ(text("\"\""), "\"\"");
  EXPECT_EQ(text("a."), "a.");
  EXPECT_EQ(text(".a"), ".a");
}

}  // namespace
}  // namespace vestige::postgres
