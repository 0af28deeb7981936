// One's own last transaction, on both databases.
#include "vestige/audit/own.h"

#include "test/evidence.h"
#include "vestige/trail/contexts.h"

namespace vestige {
namespace {

class OwnBoth : public testing::TestWithParam<Engine> {};

INSTANTIATE_TEST_SUITE_P(Both, OwnBoth, testing::Values(Engine::sqlite, Engine::postgres),
                         engine_name);

TEST_P(OwnBoth, IsTheLastOfTheActor) {
  Evident trail{GetParam()};
  Database& db = trail.db();
  const std::string ann = "ann";
  trail.as("ann", "update p set price = 5 where id = 1; update p set price = 6 where id = 2");
  trail.as("bob", "update p set price = 7 where id = 3");
  const TransactionStat last = must(last_transaction(db, must(own(db, &ann))));
  EXPECT_EQ(last.changes, 2);
  EXPECT_EQ(last.who, std::vector<std::string>{"ann"});
  const std::string carl = "carl";
  EXPECT_EQ(error_of(last_transaction(db, must(own(db, &carl)))).message,
            "undo: there is no transaction of carl");
}

TEST_P(OwnBoth, WithoutAnActorIsTheUsersOrNobodys) {
  Evident trail{GetParam()};
  Database& db = trail.db();
  const Own me = must(own(db, nullptr));
  EXPECT_EQ(me.who.has_value(), trail.postgres());
  EXPECT_EQ(error_of(last_transaction(db, me)).fault, Fault::missing) << "all are ann's";
  trail.application("update p set price = 7 where id = 3");
  trail.as("bob", "update p set price = 8 where id = 3");
  const TransactionStat last = must(last_transaction(db, me));
  EXPECT_EQ(last.changes, 1);
  EXPECT_EQ(last.who.empty(), !trail.postgres());
  if (trail.postgres()) {
    EXPECT_EQ(last.who.front(), *me.who);
  }
}

}  // namespace
}  // namespace vestige
