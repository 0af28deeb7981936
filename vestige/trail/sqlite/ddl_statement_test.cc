#include "vestige/trail/sqlite/ddl_statement.h"

#include "test/tracked_shop.h"

namespace vestige::sqlite {
namespace {

TEST(DdlStatement, ReadsTheFirstWords) {
  struct Case {
    std::string_view sql;
    DdlStatement::Kind kind;
    std::string_view schema;
    std::string_view name;
  };
  using Kind = DdlStatement::Kind;
  const Case cases[] = {
      {"select 1", Kind::other, "", ""},
      {"", Kind::other, "", ""},
      {"create table x (y)", Kind::other, "", ""},
      {"/* why */ ALTER\nTABLE x ADD y", Kind::alter_table, "", "x"},
      {"alter table \"a \"\"b\"\"\" rename to c", Kind::alter_table, "", "a \"b\""},
      {"Alter Table Main . [x y] rename to c", Kind::alter_table, "main", "x y"},
      {"drop table if exists temp.`x`", Kind::drop_table, "temp", "x"},
      {"drop table 'it''s'", Kind::drop_table, "", "it's"},
      {"drop view v", Kind::drop_object, "", "v"},
      {"drop table", Kind::drop_table, "", ""},
      {"drop", Kind::drop_object, "", ""},
  };
  for (const Case& one : cases) {
    const DdlStatement statement = must(ddl_statement(one.sql));
    EXPECT_EQ(statement.kind, one.kind) << one.sql;
    EXPECT_EQ(statement.schema, one.schema) << one.sql;
    EXPECT_EQ(statement.name, one.name) << one.sql;
  }
}

TEST(DdlStatement, FindsADropAnywhere) {
  EXPECT_TRUE(drops_tables("select 1; DROP -- it\n table x"));
  EXPECT_FALSE(drops_tables("select 'drop table x' -- drop table x"));
  EXPECT_FALSE(drops_tables("drop"));
}

}  // namespace
}  // namespace vestige::sqlite
