// diff of a whole table, on both databases.
#include "test/diff_twin.h"
#include "test/evidence.h"
#include "vestige/audit/erase.h"

namespace vestige {
namespace {

class DiffBoth : public testing::TestWithParam<Engine> {
 protected:
  static std::string text(Database& db, const std::string& table, const Moment& from,
                          const Moment& to) {
    std::string out;
    Diffs diffs = must(Diffs::read(db, table, from, to));
    while (const auto diff = must(diffs.next())) {
      out += key_text(diff->key) + ":";
      for (const Difference& one : diff->differences)
        out += " " + one.column + " " + (one.from.has_value() ? to_json(*one.from) : "") + ">" +
               (one.to.has_value() ? to_json(*one.to) : "");
      out += "\n";
    }
    return out;
  }
  static Moment last(Database& db) { return must(find_moment(db, "last", Now(0))); }
};

INSTANTIATE_TEST_SUITE_P(Both, DiffBoth, testing::Values(Engine::sqlite, Engine::postgres),
                         engine_name);

TEST_P(DiffBoth, ShowsWhatCameWentAndDiffers) {
  Evident trail{GetParam()};
  Database& db = trail.db();
  const Moment from = last(db);
  trail.as("ann",
           "insert into p values (10, 'ten', 1), (9, 'nine', 1); delete from p where id = 2;"
           "update p set price = 12 where id = 1; update p set price = 99 where id = 3");
  // What ends as it began: a row that came and went, one that was changed back, one that was put in again.
  trail.as("ann",
           "insert into p values (20, 'x', 1); delete from p where id = 20;"
           "update p set price = 10 where id = 3");
  const Moment to = last(db);
  trail.as("bob", "update p set name = 'later'; delete from p where id = 9");
  EXPECT_EQ(text(db, "p", from, to),
            "id=1: price 11>12\nid=2: id 2> name \"x\"> price 10>\n"
            "id=9: id >9 name >\"nine\" price >1\nid=10: id >10 name >\"ten\" price >1\n");
  EXPECT_EQ(text(db, "p", to, from),
            "id=1: price 12>11\nid=2: id >2 name >\"x\" price >10\n"
            "id=9: id 9> name \"nine\"> price 1>\nid=10: id 10> name \"ten\"> price 1>\n");
  EXPECT_EQ(text(db, "p", to, to), "");
  EXPECT_EQ(told_differences(db, "p", from, Moment{}), twin_differences(db, "p", from, Moment{}));
  EXPECT_EQ(text(db, "p", Moment{}, Moment{}), "");
}

TEST_P(DiffBoth, AKeyThatChangedIsARowThatWentAndOneThatCame) {
  Evident trail{GetParam()};
  Database& db = trail.db();
  const Moment from = last(db);
  trail.as("ann", "update p set id = 7, price = 70 where id = 3");
  EXPECT_EQ(text(db, "p", from, last(db)),
            "id=3: id 3> name \"x\"> price 10>\nid=7: id >7 name >\"x\" price >70\n");
  trail.as("ann", "update p set id = 3, price = 10 where id = 7");
  EXPECT_EQ(text(db, "p", from, last(db)), "");
}

TEST_P(DiffBoth, CountsWhatDiffers) {
  Evident trail{GetParam()};
  Database& db = trail.db();
  const Moment from = last(db);
  trail.as(
      "ann",
      "insert into p values (10, 'ten', 1); delete from p where id = 2;"
      "update p set price = 12 where id = 1; update p set price = 13, name = 'y' where id = 3");
  DiffStat stat;
  Diffs diffs = must(Diffs::read(db, "p", from, Moment{}));
  while (const auto diff = must(diffs.next())) stat.add(*diff);
  EXPECT_EQ(stat.added, 1);
  EXPECT_EQ(stat.changed, 2);
  EXPECT_EQ(stat.removed, 1);
  EXPECT_EQ(stat.columns, (std::vector<std::string>{"price", "name"}));
}

TEST_P(DiffBoth, AColumnThatCameMakesNoRowDiffer) {
  Evident trail{GetParam()};
  Database& db = trail.db();
  const Moment from = last(db);
  trail.as("ann",
           "update p set price = 1 where id = 1; update p set price = 11 where id = 1;"
           "update p set price = 5 where id = 2");
  trail.application("alter table p add column note text");
  auto transaction = must(Transaction::begin(db));
  must(track(db, "p", Policy()));
  must(transaction.commit());
  EXPECT_EQ(text(db, "p", from, Moment{}), "id=2: price 10>5 note >null\n");
}

TEST_P(DiffBoth, LeavesOutWhatWasErased) {
  Evident trail{GetParam()};
  Database& db = trail.db();
  const Moment from = last(db);
  trail.as("ann", "update p set price = 5 where id = 2; update p set price = 6 where id = 3");
  Selection mine;
  mine.limit = 1;
  const std::int64_t erased = must(must(read_changes(db, mine))->next())->id;
  EraseRequest request;
  request.changes = {erased};
  Context context;
  context.set("reason", "asked");
  must(erase(db, request, context));
  EXPECT_EQ(text(db, "p", from, Moment{}), "id=2: price 10>5\n");
}

TEST_P(DiffBoth, RefusesATableWithoutAKey) {
  Evident trail{GetParam()};
  trail.application("create table n (a integer)");
  auto transaction = must(Transaction::begin(trail.db()));
  must(track(trail.db(), "n", Policy()));
  must(transaction.commit());
  EXPECT_EQ(error_of(Diffs::read(trail.db(), "n", Moment{}, Moment{})).fault, Fault::invalid);
}

}  // namespace
}  // namespace vestige
