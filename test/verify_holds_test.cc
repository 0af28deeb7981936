// verify on both databases: what an EXPIRE or an ERASE took past a hold that was in force is found, as far as anybody can tell.
#include "test/expire.h"
#include "vestige/audit/doctor.h"
#include "vestige/audit/erase.h"
#include "vestige/record/filter.h"
#include "vestige/trail/hold.h"

namespace vestige {
namespace {

class VerifiedHolds : public ExpiringTest {
 protected:
  Context counsel(const std::string& reason) {
    Context out;
    out.set("actor", "counsel");
    out.set("reason", reason);
    return out;
  }
  // A hold of yesterday that was released.
  void place_and_release(const std::string& filter) {
    must(place_hold(trail.db(), filter, must(parse_filter(filter, Now(now, Zone::utc))), false,
                    counsel("letter")));
    const std::string last = std::to_string(number("select max(id) from {}change"));
    set_back(1, last);
    must(release_hold(trail.db(), filter, counsel("settled")));
    releases.push_back(number("select max(id) from {}change"));
  }
  void set_back(int hours, const std::string& id) {
    const std::string guards = unguard();
    must(trail.db().script(fmt::format("update {} set at = at - {} where id = {}", own("change"),
                                       trail.postgres() ? fmt::format("interval '{} hours'", hours)
                                                        : fmt::format("{}", hours * 3'600'000),
                                       id)));
    must(trail.db().script(guards));
  }
  // As somebody who got past the holds: that they were released is not so.
  void forget_releases() {
    const std::string guards = unguard();
    for (const std::int64_t id : releases)
      must(trail.db().script(fmt::format("delete from {}change where id = {}", prefix(), id)));
    must(trail.db().script(guards));
  }
  std::vector<std::int64_t> releases = {};
};

INSTANTIATE_TEST_SUITE_P(Both, VerifiedHolds, testing::Values(Engine::sqlite, Engine::postgres),
                         engine_name);

TEST_P(VerifiedHolds, NameWhatExpiredPastThem) {
  three_years(2);
  const std::set<std::int64_t> of_n = ids(of("n") + older(365));
  for (const char* filter :
       {"table:n op:INSERT", "table:n who:ann", "table:c", "table:d -op:insert"})
    place_and_release(filter);
  const Expiring done = expire();
  trail.verify();
  EXPECT_EQ(trail.found, "") << trail.words;
  forget_releases();
  trail.verify();
  EXPECT_NE(trail.words.find(fmt::format("(EXPIRE) took change {}", *of_n.begin())),
            std::string::npos)
      << trail.words;
  EXPECT_NE(trail.words.find("which hold 1 for \"table:n op:INSERT\" kept since "),
            std::string::npos)
      << trail.words;
  for (const char* other : {"hold 2", "hold 3", "hold 4"})
    EXPECT_EQ(trail.words.find(other), std::string::npos) << trail.words;
}

// A hold keeps a table whatever it is called; one that has got the name since is none of those that it kept.
TEST_P(VerifiedHolds, KnowATableByTheNamesThatItHadThen) {
  three_years(2);
  const auto rename = [&](const std::string& from, const std::string& to) {
    trail.application("alter table " + from + " rename to " + to);
    must(doctor(trail.db(), true));  // on SQLite it is seen by this
  };
  place_and_release("table:n");
  rename("n", "m");
  place_and_release("table:m");
  place_and_release("table:c");
  expire();
  rename("c", "former");
  rename("d", "c");
  trail.verify();
  EXPECT_EQ(trail.found, "") << trail.words;
  forget_releases();
  trail.verify();
  for (const char* kept : {"hold 1 for", "hold 2 for"})
    EXPECT_NE(trail.words.find(kept), std::string::npos) << trail.words;
  EXPECT_EQ(trail.words.find("hold 3 for"), std::string::npos) << trail.words;
}

TEST_P(VerifiedHolds, NameWhatWasErasedPastThem) {
  three_years(2);
  for (const char* filter : {"table:c key:1", "table:c key:2", "table:c text:of"})
    place_and_release(filter);
  EraseRequest request;
  request.table = "c";
  request.key = {"1"};
  Context dpo;
  dpo.set("actor", "dpo");
  dpo.set("reason", "request");
  must(vestige::erase(trail.db(), request, dpo));
  trail.verify();
  EXPECT_EQ(trail.found, "") << trail.words;
  forget_releases();
  trail.verify();
  EXPECT_NE(trail.words.find(" (ERASE) took change "), std::string::npos) << trail.words;
  EXPECT_NE(trail.words.find("hold 1 for"), std::string::npos) << trail.words;
  EXPECT_EQ(trail.words.find("hold 2 for"), std::string::npos) << trail.words;
}

// The time that it says is before that of the hold.
TEST_P(VerifiedHolds, AClockThatWasSetBackHidesNoErasure) {
  three_years(2);
  place_and_release("table:c key:1");
  EraseRequest request;
  request.table = "c";
  request.key = {"1"};
  const Erasing done = must(vestige::erase(trail.db(), request, counsel("request")));
  ASSERT_FALSE(done.by.empty());
  set_back(2, std::to_string(done.by.front()));
  trail.seal();
  forget_releases();
  trail.verify();
  EXPECT_NE(trail.words.find(fmt::format("change {} (ERASE) took change ", done.by.front())),
            std::string::npos)
      << trail.words;
}

}  // namespace
}  // namespace vestige
