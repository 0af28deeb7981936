// Retention carried out, on both databases: the room is given back, a hold that comes meanwhile wins, and who has none of this code
// finds that an EXPIRE took just what it says.
#include <cstdlib>
#include <functional>

#include "test/expire.h"
#include "vestige/base/bytes.h"
#include "vestige/base/file.h"
#include "vestige/db/over_database.h"
#include "vestige/record/filter.h"
#include "vestige/trail/hold.h"

namespace vestige {
namespace {

using ExpiredRoom = ExpiringTest;

INSTANTIATE_TEST_SUITE_P(Both, ExpiredRoom, testing::Values(Engine::sqlite, Engine::postgres),
                         engine_name);

TEST_P(ExpiredRoom, IsGivenBackToTheDisk) {
  if (!trail.postgres()) must(trail.db().script("pragma auto_vacuum = incremental; vacuum"));
  std::string text;  // that does not pack
  for (int i = 0; text.size() < 20000; ++i) text += to_hex(view(sha256(std::to_string(i))));
  three_years(6, [&] {
    for (int i = 0; i < 12; ++i)
      trail.as("ann", fmt::format("update n set what = '{}{}' where id = 1", i, text));
  });
  const auto room = [&] {
    return trail.postgres()
               ? number(
                     "select cast(sum(pg_total_relation_size(p.relation)) as bigint) from"
                     " vestige.partitions() p")
               : number("pragma page_count") * number("pragma page_size");
  };
  const std::int64_t before = room();
  std::int64_t gone = 0;
  for (const ClassExpiry& one : expire().classes) gone += one.bytes;
  EXPECT_GT(gone, 150'000);
  EXPECT_LT(room(), before - gone / 2);
}

// A session before which something happens when it begins its n-th transaction.
class Interrupted final : public OverDatabase {
 public:
  Interrupted(std::unique_ptr<Database> db, int transaction, std::function<void()> meanwhile)
      : OverDatabase(std::move(db)), left_(transaction), meanwhile_(std::move(meanwhile)) {}
  Result<void> begin() override {
    if (--left_ == 0) meanwhile_();
    return OverDatabase::begin();
  }
  bool happened() const { return left_ <= 0; }

 private:
  int left_;
  std::function<void()> meanwhile_;
};

TEST_P(ExpiredRoom, AHoldThatIsPlacedMeanwhileWins) {
  three_years(6);
  const std::set<std::int64_t> doomed = due();
  ASSERT_GT(doomed.size(), 5U);
  Context counsel;
  counsel.set("actor", "counsel");
  counsel.set("reason", "letter");
  const auto other = trail.connect();
  // On PostgreSQL the first transaction makes the copy, the second takes its place.
  Interrupted db(trail.connect(), trail.postgres() ? 2 : 1,
                 [&] { must(place_hold(*other, "Doe v. Shop", Filter(), false, counsel)); });
  ExpireRequest request;
  request.now = now;
  const Expiring done = must(vestige::expire(db, request, counsel));
  EXPECT_TRUE(db.happened());
  EXPECT_TRUE(done.by.empty());
  const std::set<std::int64_t> stand = ids();
  EXPECT_TRUE(std::includes(stand.begin(), stand.end(), doomed.begin(), doomed.end()));
  trail.verify();
  EXPECT_EQ(trail.found, "") << trail.words;
}

// Whoever reads all the time is named.
TEST_P(ExpiredRoom, WhoHindersIsNamed) {
  if (!trail.postgres()) return;
  three_years(6);
  const std::set<std::int64_t> before = ids();
  const auto other = trail.connect();
  must(
      other->script("begin; set local application_name = 'pg_dump'; lock table vestige.change in"
                    " access share mode"));
  // At its first attempt, and not after ten seconds.
  must(trail.db().script(
      "create or replace function vestige.expiring_swap(part regclass, patience int default 40)"
      " returns void language plpgsql as $$ begin raise lock_not_available; end $$"));
  ExpireRequest request;
  request.now = now;
  const Error error = error_of(vestige::expire(trail.db(), request, Context()));
  EXPECT_EQ(error.fault, Fault::conflict);
  EXPECT_TRUE(error.message.starts_with("expire: others used the trail all the time, and "))
      << error.message;
  EXPECT_NE(error.message.find(" stays: process "), std::string::npos) << error.message;
  EXPECT_NE(error.message.find("(pg_dump), in a transaction since "), std::string::npos)
      << error.message;
  EXPECT_EQ(ids(), before);
}

TEST_P(ExpiredRoom, IsCheckedIndependently) {
  three_years(6);
  const Expiring done = expire();
  ASSERT_FALSE(done.by.empty());
  trail.seal();
  const auto all = must(Export::open(trail.db(), {}));
  std::string lines;
  while (const auto line = must(all->next())) lines += *line + "\n";
  must(replace_file(trail.file("trail.ndjson"), lines));
  must(replace_file(trail.file("checkpoint"), all->checkpoint()));
  must(replace_file(trail.file("vkey"), merkle::to_vkey(Evident::signer().key()) + "\n"));
  const auto verified = [&] {
    return std::system(fmt::format("/usr/bin/python3 -B {}/test/independent/verify.py trail {} {}"
                                   " --vkey {} 2>&1 | grep -q ' expired by change {} '",
                                   SOURCE_DIR, trail.file("trail.ndjson"), trail.file("checkpoint"),
                                   trail.file("vkey"), done.by.front())
                           .c_str()) == 0;
  };
  EXPECT_TRUE(verified());
}

}  // namespace
}  // namespace vestige
