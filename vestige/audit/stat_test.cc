#include "vestige/audit/stat.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <set>

namespace vestige {
namespace {

class Given final : public Changes {
 public:
  explicit Given(std::vector<Change> changes) : changes_(std::move(changes)) {}
  Result<std::optional<Change>> next() override {
    if (at_ == changes_.size()) return std::optional<Change>();
    return std::optional<Change>(changes_[at_++]);
  }

 private:
  std::vector<Change> changes_;
  std::size_t at_ = 0;
};

std::vector<TransactionStat> stats_of(std::vector<Change> changes) {
  TransactionStats stats(std::make_unique<Given>(std::move(changes)));
  std::vector<TransactionStat> all;
  for (;;) {
    auto stat = stats.next();
    if (!stat.has_value() || !stat->has_value()) return all;
    all.push_back(**std::move(stat));
  }
}

Change change(std::int64_t id, std::int64_t tx, Op op = Op::insert) {
  Change change;
  change.id = id;
  change.at = id * 1000;
  change.tx = tx;
  change.op = op;
  change.table = id % 2 == 0 ? "even" : "odd";
  return change;
}

TEST(TransactionStats, SaysWhoChangedWhatWhere) {
  Change update = change(4, 3, Op::update);
  update.old_values = Row{{"price", std::int64_t{1}}, {"name", Text{"a"}}};
  update.context.set("actor", "ann");
  update.context.set("reason", "sale");
  Change insert = change(3, 3);
  insert.db_user = "app";
  const auto all = stats_of({update, insert});
  ASSERT_EQ(all.size(), 1U);
  EXPECT_EQ(all[0].tx, 3);
  EXPECT_EQ(all[0].from, 3000);
  EXPECT_EQ(all[0].upto, 4000);
  EXPECT_EQ(all[0].changes, 2);
  EXPECT_EQ(all[0].who, (std::vector<std::string>{"ann", "app"}));
  EXPECT_EQ(all[0].reasons, std::vector<std::string>{"sale"});
  ASSERT_EQ(all[0].tables.size(), 2U);
  EXPECT_EQ(all[0].tables[0].table, "even");
  EXPECT_EQ(all[0].tables[0].columns, (std::vector<std::string>{"price", "name"}));
  EXPECT_EQ(all[0].tables[1].changes, (std::map<Op, std::int64_t>{{Op::insert, 1}}));
}

// Transactions whose changes stand between each other, with numbers at or below their first change.
RC_GTEST_PROP(TransactionStats, EachTransactionOnceTheLastBegunFirst, ()) {
  std::vector<Change> changes;
  std::map<std::int64_t, std::int64_t> counts;
  std::set<std::int64_t> open;
  const auto size = *rc::gen::inRange<std::int64_t>(0, 60);
  for (std::int64_t id = 2; id < size * 2; id += 2) {
    const bool fresh = open.empty() || *rc::gen::inRange(0, 3) == 0;
    std::int64_t tx = id - *rc::gen::inRange<std::int64_t>(0, 2);
    if (!fresh) tx = *rc::gen::elementOf(std::vector<std::int64_t>(open.begin(), open.end()));
    open.insert(tx);
    if (open.size() > 4) open.erase(open.begin());
    ++counts[tx];
    changes.insert(changes.begin(), change(id, tx));
  }
  std::vector<std::pair<std::int64_t, std::int64_t>> wanted(counts.rbegin(), counts.rend());
  std::vector<std::pair<std::int64_t, std::int64_t>> got;
  for (const TransactionStat& stat : stats_of(std::move(changes)))
    got.emplace_back(stat.tx, stat.changes);
  RC_ASSERT(got == wanted);
}

}  // namespace
}  // namespace vestige
