// Retention carried out, on both databases: what is due goes, and nothing else; verify, old checkpoints and receipts say so.
#include "vestige/audit/expire.h"

#include "test/expire.h"
#include "test/stopping.h"
#include "vestige/audit/at.h"
#include "vestige/audit/blame.h"
#include "vestige/audit/log.h"
#include "vestige/feed/cursor.h"
#include "vestige/record/filter.h"
#include "vestige/trail/hold.h"

namespace vestige {
namespace {

using Expiries = ExpiringTest;

INSTANTIATE_TEST_SUITE_P(Both, Expiries, testing::Values(Engine::sqlite, Engine::postgres),
                         engine_name);

TEST_P(Expiries, WhatIsDueGoesAndNothingElse) {
  three_years();
  const std::set<std::int64_t> before = ids();
  std::set<std::int64_t> doomed = due();
  ASSERT_GT(doomed.size(), 50U);
  const std::string kept = must(EvidenceStore(trail.db()).last_checkpoint())->note;
  const std::string of_gone = must(prove(trail.db(), *doomed.begin()));
  const std::string of_kept = must(prove(trail.db(), 1));

  const std::string dry = told(expire(true));
  EXPECT_EQ(ids(), before);
  const Expiring done = expire();
  EXPECT_EQ(told(done), dry);
  const std::set<std::int64_t> left = waiting(done, doomed);
  std::set<std::int64_t> expected;
  std::set_difference(before.begin(), before.end(), doomed.begin(), doomed.end(),
                      std::inserter(expected, expected.end()));
  expected.insert(done.by.begin(), done.by.end());
  EXPECT_EQ(ids(), expected);
  EXPECT_EQ(number("select cast(sum(changes) as bigint) from {}expired"),
            static_cast<std::int64_t>(doomed.size()));
  EXPECT_EQ(number("select count(*) from {}context as x where not exists (select 1 from {}change"
                   " as c where c.context = x.id)"),
            0);

  Verdict verdict = trail.verify({kept});
  EXPECT_EQ(trail.found, "") << trail.words;
  EXPECT_EQ(verdict.expired, doomed.size());
  EXPECT_EQ(verdict.verified, before.size() - doomed.size());
  EXPECT_EQ(verdict.kept.size(), 1U);
  EXPECT_FALSE(verdict.expiries.front().sealed);
  trail.seal();
  verdict = trail.verify({kept});
  EXPECT_EQ(trail.found, "") << trail.words;
  EXPECT_TRUE(verdict.expiries.front().sealed);
  EXPECT_EQ(verdict.unreadable, 0U);

  Trust trust;
  trust.keys = {Evident::signer().key()};
  EXPECT_TRUE(check_receipt(of_gone, trust).has_value());
  EXPECT_TRUE(check_receipt(of_kept, trust).has_value());

  const Expiring again = expire();
  EXPECT_TRUE(again.by.empty());
  for (const ClassExpiry& one : again.classes) EXPECT_EQ(one.due, one.waiting);
  EXPECT_EQ(due(), left);
}

TEST_P(Expiries, WhatIsNotSealedStays) {
  three_years(6);
  const std::int64_t last = number("select max(id) from {}change");
  trail.as("ann", "insert into d values (100, 'old'), (101, 'old')");
  age(last + 1, 400 * kDay, number("select max(id) from {}change") - last);
  const Expiring done = expire();
  EXPECT_NE(told(done).find("2 unsealed"), std::string::npos) << told(done);
  EXPECT_EQ(
      number("select count(*) from {}change where id > " + std::to_string(last) + " and op = 'I'"),
      2);
}

TEST_P(Expiries, AConsumerWhoLagsIsWaitedForAndNamed) {
  three_years(6);
  must(must(Cursor::open(trail.db(), "search"))->move(5));
  must(must(Cursor::open(trail.db(), "mirror"))->move(21));
  const std::set<std::int64_t> doomed = due();
  const Expiring done = expire();
  std::uint64_t behind = 0;
  for (const ClassExpiry& one : done.classes) behind += one.behind;
  EXPECT_GT(behind, 0U);
  ASSERT_EQ(done.lagging.size(), 1U);
  EXPECT_EQ(done.lagging[0].consumer, "search");
  // Entry 5 is the first of n: behind it nothing goes.
  std::size_t gone = 0;
  const std::set<std::int64_t> stand = ids();
  for (const std::int64_t id : doomed) gone += stand.contains(id) ? 0 : 1;
  EXPECT_LE(gone, 1U);
  must(must(Cursor::open(trail.db(), "search"))->move(21));
  const Expiring then = expire();
  EXPECT_TRUE(then.lagging.empty());
  for (const ClassExpiry& one : then.classes) EXPECT_EQ(one.behind, 0U);
  trail.verify();
  EXPECT_EQ(trail.found, "") << trail.words;
}

TEST_P(Expiries, WhatIsHeldStays) {
  three_years(6);
  Context counsel;
  counsel.set("actor", "counsel");
  counsel.set("reason", "letter");
  const std::set<std::int64_t> of_n = ids(of("n") + older(365));
  must(place_hold(trail.db(), "Doe v. Shop",
                  must(parse_filter("table:n", Now(clock_now(), Zone::utc))), false, counsel));
  const Expiring done = expire();
  for (const ClassExpiry& one : done.classes)
    EXPECT_EQ(one.held, one.retention.name == "normal" ? of_n.size() : 0U);
  const std::set<std::int64_t> stand = ids();
  EXPECT_TRUE(std::includes(stand.begin(), stand.end(), of_n.begin(), of_n.end()));
  trail.verify();
  EXPECT_EQ(trail.found, "") << trail.words;
}

// Between a change that was held and the value of today another one may have gone.
TEST_P(Expiries, AChangeThatStayedIsNotBlamedForWhatExpired) {
  three_years(4, [&] {
    trail.as("eve", "update n set what = 'stolen' where id in (1, 2)");
    trail.as("ann", "update n set what = 'mine' where id = 2");
    trail.as("eve", "delete from n where id = 3");
  });
  Context counsel;
  counsel.set("actor", "counsel");
  counsel.set("reason", "letter");
  must(place_hold(trail.db(), "Doe v. Shop",
                  must(parse_filter("table:n -who:eve", Now(clock_now(), Zone::utc))), false,
                  counsel));
  const Expiring done = expire();
  ASSERT_FALSE(done.by.empty());
  const auto blamed = [&](const char* key) {
    const Blame found = must(blame(trail.db(), "n", {key}, {}));
    return *found.columns.back().change;
  };
  EXPECT_EQ(blamed("1").op, Op::expire);
  EXPECT_EQ(*blamed("2").who(), "ann");
  EXPECT_EQ(error_of(blame(trail.db(), "n", {"3"}, {})).message,
            "blame n id=3: there is no such row now, and its last change may have expired");
}

// The EXPIRE that reaches furthest may have taken less than one before: what went when its hold was released.
TEST_P(Expiries, AChangeThatStayedIsOlderThanAnyThatExpired) {
  three_years(4, [&] {
    trail.as("zed", "update n set what = 'old' where id = 1");
    trail.as("bob", "update n set what = 'kept' where id = 1");
    trail.as("eve", "update n set what = 'stolen' where id = 1");
  });
  Context counsel;
  counsel.set("actor", "counsel");
  counsel.set("reason", "letter");
  for (const std::string who : {"zed", "bob"})
    must(place_hold(trail.db(), who,
                    must(parse_filter("table:n who:" + who, Now(clock_now(), Zone::utc))), false,
                    counsel));
  ASSERT_FALSE(expire().by.empty());
  must(release_hold(trail.db(), "zed", counsel));
  ExpireRequest request;
  request.now = now + kDay;
  ASSERT_FALSE(must(vestige::expire(trail.db(), request, counsel)).by.empty());
  const Blame found = must(blame(trail.db(), "n", {"1"}, {}));
  EXPECT_EQ(found.columns.back().change->op, Op::expire);
}

TEST_P(Expiries, OneOfAnotherTimeIsFound) {
  three_years(2);
  ExpireRequest request;
  request.now = now + 25 * 365 * kDay;
  Context context;
  context.set("actor", "eve");
  ASSERT_FALSE(must(vestige::expire(trail.db(), request, context)).by.empty());
  trail.verify();
  EXPECT_NE(trail.found.find("expired-otherwise"), std::string::npos) << trail.found;
  EXPECT_NE(trail.words.find("was not over then"), std::string::npos) << trail.words;
}

TEST_P(Expiries, WhoeverIsKilledGoesOnFromThere) {
  three_years(12);
  const std::set<std::int64_t> before = ids();
  std::set<std::int64_t> doomed = due();
  const std::string kept = must(EvidenceStore(trail.db()).last_checkpoint())->note;
  ExpireRequest request;
  request.now = now;
  Context context;
  context.set("actor", "cron");
  int calls = 0;
  for (bool done = false; !done; ++calls) {
    ASSERT_LT(calls, 2000);
    Stopping db(trail.connect(), calls);
    done = vestige::expire(db, request, context).has_value();
    EXPECT_NE(done, db.stopped());
    if (calls % 8 != 0 && !done) continue;
    trail.verify({kept});
    ASSERT_EQ(trail.found, "") << calls << trail.words;
  }
  EXPECT_GT(calls, 40);
  waiting(expire(), doomed);
  std::set<std::int64_t> expected;
  std::set_difference(before.begin(), before.end(), doomed.begin(), doomed.end(),
                      std::inserter(expected, expected.end()));
  EXPECT_EQ(ids("op <> 'X'"), expected);
  EXPECT_EQ(number("select cast(sum(changes) as bigint) from {}expired"),
            static_cast<std::int64_t>(doomed.size()));
  EXPECT_EQ(number("select count(*) from {}context as x where not exists (select 1 from {}change"
                   " as c where c.context = x.id)"),
            0);
  trail.verify({kept});
  EXPECT_EQ(trail.found, "") << trail.words;
}

TEST_P(Expiries, WhatGoesWithoutAnExpireIsDeleted) {
  three_years(12);
  const std::int64_t one = *due().begin();
  const std::string guards = unguard();
  must(trail.db().script(
      trail.postgres()
          ? fmt::format("do $$ declare p regclass := (select c.tableoid from vestige.change c where"
                        " c.id = {}); begin execute format('alter table vestige.change detach"
                        " partition %s', p); execute format('drop table %s', p); end $$",
                        one)
          : fmt::format("delete from vestige_change where id = {}", one)));
  must(trail.db().script(guards));
  expire();
  trail.verify();
  EXPECT_NE(trail.found.find(fmt::format("deleted {}\n", one)), std::string::npos) << trail.found;
}

TEST_P(Expiries, AnExpireThatSaysOtherThingsIsFound) {
  three_years(12);
  const Expiring done = expire();
  trail.seal();
  const std::string id = std::to_string(done.by.front());
  const std::string found = fmt::format("expired-otherwise {}", id);
  const auto after = [&](const std::string& sql) {
    const std::string text = fmt::format(fmt::runtime(sql), prefix(), id);
    trail.attack(text, text);
    trail.verify();
    return trail.found;
  };
  if (trail.postgres())
    must(trail.db().script(
        "alter table vestige.expired disable trigger user; alter table vestige.expired_leaves"
        " disable trigger user"));
  std::string now_found = after("update {0}expired set changes = changes + 1 where change = {1}");
  EXPECT_NE(now_found.find(found), std::string::npos) << now_found;
  EXPECT_NE(now_found.find(fmt::format("altered {} values", id)), std::string::npos) << now_found;
  now_found = after("update {0}expired set changes = changes - 1, horizon = 0 where change = {1}");
  EXPECT_NE(now_found.find(found), std::string::npos) << now_found;
  now_found = after("delete from {0}expired_leaves where change = {1}");
  EXPECT_NE(now_found.find(found), std::string::npos) << now_found;
  EXPECT_NE(now_found.find("deleted "), std::string::npos) << now_found;
  after("delete from {0}expired where change = {1}");
  EXPECT_NE(trail.words.find(": nothing is kept of what expired"), std::string::npos)
      << trail.words;
}

TEST_P(Expiries, TheGuardsStand) {
  three_years(6);
  const std::string old = std::to_string(*due().begin());
  for (const std::string& sql : {"delete from {}change where id = " + old,
                                 std::string("delete from {}context where id > 0")})
    EXPECT_NE(refused(sql).find("append-only"), std::string::npos) << sql;
  expire();
  EXPECT_NE(refused("delete from {}change where op <> 'X'").find("append-only"), std::string::npos);
  if (trail.postgres()) {
    for (const char* sql :
         {"delete from {}expired where true", "delete from {}expired_leaves where true",
          "update {}expired set changes = 0 where true"})
      EXPECT_NE(refused(sql).find("append-only"), std::string::npos) << sql;
    return;
  }
  for (const auto& [sql, message] :
       {std::pair("update {}expired set changes = 0",
                  "vestige: vestige_expired is append-only: update refused"),
        std::pair("delete from {}expired",
                  "vestige: vestige_expired is append-only: delete refused"),
        std::pair("replace into {}expired select * from {}expired",
                  "vestige: vestige_expired is append-only: replace refused"),
        std::pair("update {}expired_leaves set n = n + 1",
                  "vestige: vestige_expired_leaves is append-only: update refused"),
        std::pair("delete from {}expired_leaves",
                  "vestige: vestige_expired_leaves is append-only: delete refused"),
        std::pair("replace into {}expired_leaves select * from {}expired_leaves",
                  "vestige: vestige_expired_leaves is append-only: replace refused")})
    EXPECT_NE(refused(sql).find(message), std::string::npos) << sql;
}

TEST_P(Expiries, WhoMayNotAndWhereItCannotBe) {
  three_years(6);
  if (trail.postgres()) {
    const auto other = trail.connect();
    must(other->script("begin; lock table vestige.change in access share mode"));
    EXPECT_NE(refused("select vestige.expiring_swap((select relation from vestige.partitions()"
                      " limit 1), 1)")
                  .find("vestige: expire: others used the trail all the time; nothing was taken"),
              std::string::npos);
    other->rollback();
    must(
        trail.db().script("create role expires_nothing; grant vestige_auditor to expires_nothing;"
                          " set role expires_nothing"));
    const Error denied = error_of(vestige::expire(trail.db(), {}, Context()));
    EXPECT_NE(denied.message.find("expire: the trail belongs to "), std::string::npos)
        << denied.message;
    EXPECT_NE(denied.message.find(", and nobody else may"), std::string::npos);
    must(trail.db().script("reset role; drop role expires_nothing"));
  }
  must(trail.db().script("drop table " + own("expired")));
  EXPECT_EQ(error_of(vestige::expire(trail.db(), {}, Context())).message,
            "expire: this trail is older and lets nothing expire");
}

TEST_P(Expiries, WhereHistoryEndsItSaysSo) {
  three_years(12);
  const std::int64_t gone = *due().begin();
  trail.as("bob", "update n set what = 'new' where id = 1");
  expire();
  const std::string expired = ": what was recorded before ";
  for (const Moment& then :
       {Moment{Moment::Kind::time, now - 700 * kDay}, Moment{Moment::Kind::change, gone}}) {
    EXPECT_NE(error_of(at(trail.db(), "n", then)).message.find(expired), std::string::npos);
    EXPECT_NE(error_of(at(trail.db(), "n", {"1"}, then)).message.find(expired), std::string::npos);
    if (then.kind == Moment::Kind::time) {
      EXPECT_TRUE(at(trail.db(), "p", then).has_value());
    }
  }
  EXPECT_TRUE(at(trail.db(), "n", {"1"}, {Moment::Kind::time, now - 300 * kDay}).has_value());
  const State was = must(at(trail.db(), "n", {"1"}, {Moment::Kind::time, now - 300 * kDay}));
  ASSERT_TRUE(was.has_value());
  EXPECT_EQ(to_json(*was), R"({"id":1,"what":"of n"})");
  if (trail.postgres())
    for (const char* sql :
         {"as_of(null::public.n, now() - interval '700 days')", "blame('public.n', '1')"}) {
      const auto asked = scalar(trail.db(), fmt::format("select count(*) from vestige.{} x where "
                                                        "x::text not like '%EXPIRE%'",
                                                        sql));
      if (std::string_view(sql).starts_with("as_of"))
        EXPECT_NE(error_of(asked).message.find(": what was recorded of "), std::string::npos);
      else EXPECT_EQ(to_json(must(asked)), "1");
    }
  const Error shown = error_of(show(trail.db(), gone));
  EXPECT_NE(shown.message.find(expired), std::string::npos) << shown.message;
  EXPECT_NE(shown.hint.find("EXPIRE"), std::string::npos) << shown.hint;
  const Blame blamed = must(blame(trail.db(), "n", {"1"}, {}));
  EXPECT_EQ(blamed.columns[0].change->op, Op::expire);
  EXPECT_EQ(blamed.columns[1].change->op, Op::update);
}

}  // namespace
}  // namespace vestige
