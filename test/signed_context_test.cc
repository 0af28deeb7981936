// Signed contexts on both databases: what their signatures are worth where they stand in a trail, and what verify and rules make
// of it. The signatures by themselves: vectors_test.cc.
#include <fstream>

#include "test/evidence.h"
#include "vestige/audit/archive.h"
#include "vestige/audit/erase.h"
#include "vestige/audit/log.h"
#include "vestige/base/time.h"
#include "vestige/privacy/signature_judge.h"
#include "vestige/privacy/signers_file.h"
#include "vestige/record/filter.h"
#include "vestige/rules/rule_file.h"
#include "vestige/rules/rules_of.h"
#include "vestige/rules/watch.h"
#include "vestige/source/archive.h"

namespace vestige {
namespace {

constexpr const char* kLogOrigin = "log.example/p";

PrivateKey private_key(char seed) { return must(PrivateKey::from_seed(std::string(32, seed))); }

merkle::NoteKey key_of(const std::string& name, char seed) {
  return Evident::signer(seed, name).key();
}

Context saying(const std::string& actor) {
  Context context;
  context.set("actor", actor);
  context.set("reason", "sale");
  return context;
}

std::int64_t now_seconds() { return clock_now() / 1'000'000; }

class SignedContexts : public EvidenceTest {
 protected:
  ContextSigners signers{kLogOrigin, {}, {{{key_of("shop", 'k')}, {}, {}}}};

  // A context with the signature of the shop's key.
  static Context signed_by_shop(Context context, std::int64_t issued = now_seconds(),
                                const std::string& nonce = {},
                                const std::string& origin = kLogOrigin) {
    context.set(kSignatureField,
                must(sign_context(private_key('k'), "shop", origin, context, issued, 240, nonce)));
    return context;
  }

  void write(const Context& context) {
    auto scope = must(ContextScope::begin(trail.db(), context));
    trail.application("update p set price = price + 1 where id = 2");
    must(scope.commit());
  }

  // The words of the changes after the fourth, oldest first.
  std::string words(const std::string& filter = {}, bool newest_first = false) {
    return words_of(trail.db(), filter, newest_first);
  }

  std::string words_of(Database& db, const std::string& filter = {}, bool newest_first = false) {
    LogRequest asked;
    asked.filter.judge = signature_judge(db, signers);
    asked.filter.after = 4;
    asked.filter.oldest_first = !newest_first;
    asked.filter.filter = must(parse_filter(filter, Now(0)));
    const auto changes = must(log(db, asked));
    std::string out;
    while (const auto change = must(changes->next())) {
      const std::string word = change->signed_word + " ";
      out = newest_first ? word + out : out + word;
      EXPECT_EQ(must(show(db, change->id, signature_judge(db, signers))).signed_word,
                change->signed_word);
    }
    return out;
  }

  Verdict verify() {
    VerifyOptions options;
    options.signers = signers;
    Findings findings;
    Verdict verdict = must(vestige::verify(trail.db(), options, findings));
    found = findings.text;
    messages = findings.messages;
    return verdict;
  }
  std::string found;
  std::string messages;

  void require_signature() {
    auto transaction = must(Transaction::begin(trail.db()));
    must(track(trail.db(), "p", requiring({"signature"})));
    must(transaction.commit());
  }
};

INSTANTIATE_TEST_SUITE_P(Both, SignedContexts, testing::Values(Engine::sqlite, Engine::postgres),
                         engine_name);

TEST_P(SignedContexts, EachWordIsGivenWhereItIsDue) {
  const Context good = signed_by_shop(saying("ann"));
  write(good);
  write(saying("ann"));
  Context forged = signed_by_shop(saying("ann"));
  forged.set("actor", "bob");
  write(forged);
  write(good);
  write(signed_by_shop(saying("ann"), now_seconds() + 30));
  write(signed_by_shop(saying("ann"), now_seconds() + 300));
  write(signed_by_shop(saying("ann"), now_seconds() - 300));
  write(signed_by_shop(saying("ann"), now_seconds(), {}, "log.example/test"));
  Context stranger = saying("ann");
  stranger.set(kSignatureField, must(sign_context(private_key('x'), "other", kLogOrigin, stranger,
                                                  now_seconds(), 240)));
  write(stranger);
  const std::string all =
      "signed unsigned bad replayed signed expired expired foreign unknown-signer ";
  EXPECT_EQ(words(), all);
  EXPECT_EQ(words({}, true), all) << "from the newest on it is the same";
  EXPECT_EQ(words("signed:yes"), "signed signed ");
  EXPECT_EQ(words("-signed:no"), "signed signed ");
  EXPECT_EQ(words("signed:bad,replayed"), "bad replayed ");
  EXPECT_EQ(words("signed:no -signed:expired"), "unsigned bad replayed foreign unknown-signer ");
  EXPECT_EQ(words("-signed:*"), "unsigned ");
  EXPECT_EQ(error_of(parse_filter("signed:maybe", Now(0))).message,
            "read the filter: signed: 'maybe' is no such word");
  trail.seal();
  const Verdict verdict = verify();
  EXPECT_EQ(found, "") << "no policy requires one";
  const std::map<std::string, std::uint64_t, std::less<>> counts = {
      {"bad", 1},    {"expired", 2},        {"foreign", 1}, {"replayed", 1},
      {"signed", 2}, {"unknown-signer", 1}, {"unsigned", 5}};
  EXPECT_EQ(verdict.contexts, counts);
}

TEST_P(SignedContexts, OneTransactionMayHaveASignatureAndAsManyAsItSays) {
  const Context twice = signed_by_shop(saying("ann"), now_seconds(), "0123456789abcdef*2");
  for (int i = 0; i < 3; ++i) write(twice);
  EXPECT_EQ(words(), "signed signed replayed ");
  const Context once = signed_by_shop(saying("ann"));
  {
    auto scope = must(ContextScope::begin(trail.db(), once));
    trail.application("update p set price = 0");
    must(scope.change(signed_by_shop(saying("bob"))));
    trail.application("update p set price = 5 where id = 1");
    must(scope.change(once));
    trail.application("update p set price = 6 where id = 1");
    must(scope.commit());
  }
  EXPECT_EQ(words("signed:yes reason:sale since:2020-01-01 new.price<=6"),
            "signed signed signed signed signed ")
      << "in its own transaction it may come again";
}

// Whoever sees a signature may use it in a transaction that began before.
TEST_P(SignedContexts, AReplayInAnOlderTransactionIsOne) {
  if (!trail.postgres()) GTEST_SKIP() << "SQLite has one writer";
  const auto other = trail.connect();
  must(other->script("begin"));
  must(other->script("update p set price = 1 where id = 3"));
  const Context good = signed_by_shop(saying("ann"));
  write(good);
  must(other->run("select vestige.set_context(?1::jsonb)", {Text{to_json(good)}}));
  must(other->script("update p set price = 2 where id = 3; commit"));
  EXPECT_EQ(words(), "unsigned signed replayed ");
  EXPECT_EQ(words({}, true), "unsigned signed replayed ");
}

TEST_P(SignedContexts, AChallengeBindsToItsTransaction) {
  if (!trail.postgres()) {
    write(signed_by_shop(saying("ann"), now_seconds(), "x17.0123456789abcdef"));
    EXPECT_EQ(words(), "replayed ") << "no transaction of SQLite has a number";
    return;
  }
  Context context;
  for (int i = 0; i < 2; ++i) {
    auto scope = must(ContextScope::begin(trail.db(), Context()));
    const std::string challenge =
        to_display(must(scalar(trail.db(), "select vestige.challenge()")));
    if (i == 0) context = signed_by_shop(saying("ann"), now_seconds(), challenge);
    must(scope.change(context));
    trail.application("update p set price = price + 1");
    must(scope.commit());
  }
  EXPECT_EQ(words(), "bound bound bound replayed replayed replayed ");
  // A superuser who writes another number to the context comes too late: the signature was used.
  trail.attack("",
               "create temp table said as select id, (select min(xid) from vestige.context where"
               " strpos(fields, 'signature') > 0) as first from vestige.context"
               " where strpos(fields, 'signature') > 0;"
               " update vestige.change c set xid = s.first from said s where s.id = c.context;"
               " update vestige.context x set xid = s.first from said s where s.id = x.id");
  EXPECT_EQ(words(), "bound bound bound replayed replayed replayed ");
}

// An archive has all but the numbers of transactions.
TEST_P(SignedContexts, AnArchiveIsAskedForEarlierUses) {
  const Context twice = signed_by_shop(saying("ann"), now_seconds(), "0123456789abcdef*2");
  write(twice);
  write(twice);
  const std::string bound = "x1.0123456789abcdef";
  write(signed_by_shop(saying("ann"), now_seconds(), bound));
  trail.seal();
  must(write_archive(trail.db(), {trail.file("archive"), {}}, saying("dpo")));
  EXPECT_EQ(words_of(*must(archive_alone(trail.file("archive")))), "signed signed signed ");
  write(twice);
  const auto both = must(with_archive(trail.connect(), trail.file("archive")));
  EXPECT_EQ(words_of(*both, "table:p"), "signed signed replayed replayed ");
}

TEST_P(SignedContexts, AnErasedContextCannotBeChecked) {
  write(signed_by_shop(saying("ann")));
  trail.seal();
  must(erase(trail.db(), {.changes = {5}, .contexts = true}, saying("dpo")));
  EXPECT_EQ(words("id:5"), "erased ");
  EXPECT_EQ(words("id:5 signed:no"), "");
}

TEST_P(SignedContexts, WhoMayNotSpeakForSomebodyAndAKeyThatIsOver) {
  signers.signers[0].actors = {"svc-*", "batch"};
  write(signed_by_shop(saying("ann")));
  write(signed_by_shop(saying("svc-import")));
  EXPECT_EQ(words(), "bad signed ");
  signers.signers[0].not_after = clock_now() - 3'600'000'000;
  EXPECT_EQ(words(), "bad expired ");
  const auto speaks_for = [&](const std::string& pattern) {
    signers.signers[0] = {{key_of("shop", 'k')}, {pattern}, {}};
    return words() == "bad signed ";
  };
  for (const std::string pattern :
       {"svc-import", "*-import", "s*i*t", "*-*-*import", "svc-import*"})
    EXPECT_EQ(speaks_for(pattern), pattern != "*-*-*import") << pattern;
  for (const std::string pattern : {"svc", "*-", "t*", "svc*i", "svc-import*t", "**x"})
    EXPECT_FALSE(speaks_for(pattern)) << pattern;
  signers.signers[0] = {{key_of("shop", 'n'), key_of("shop", 'k')}, {}, {}};
  EXPECT_EQ(words(), "signed signed ") << "a key takes the place of another";
}

TEST_P(SignedContexts, WhereAPolicyRequiresThemVerifySaysWhoHasNone) {
  require_signature();
  const auto session = trail.connect();
  EXPECT_NE(error_of(session->run("update p set price = 1")).message.find("signature"),
            std::string::npos);
  write(signed_by_shop(saying("ann")));
  Context made_up = saying("ann");
  made_up.set(kSignatureField, "trust me");
  write(made_up);
  const Context good = signed_by_shop(saying("ann"));
  write(good);
  write(good);
  trail.seal();
  Verdict verdict = verify();
  EXPECT_EQ(verdict.not_signed, 6U);
  EXPECT_EQ(found,
            "unsigned 1 context\nunsigned 2 context\nunsigned 3 context\nunsigned 4 context\n"
            "bad 6 context\nreplayed 8 context\n");
  EXPECT_NE(messages.find("its context is not signed"), std::string::npos);
  EXPECT_NE(messages.find("is not its signer's"), std::string::npos);
  EXPECT_NE(messages.find("used before, by another transaction"), std::string::npos);
  EXPECT_EQ(verdict.discrepancies, 0U) << "it is the trail that was sealed";
  signers.tables = {"p", "q"};
  {
    auto transaction = must(Transaction::begin(trail.db()));
    must(track(trail.db(), "p", Policy()));
    must(transaction.commit());
  }
  verdict = verify();
  EXPECT_EQ(verdict.not_signed, 6U)
      << "the verifier was told of the table: its policy is the database's word";
  trail.application("alter table p rename to r");
  trail.application("update r set price = 1 where id = 1");
  EXPECT_EQ(verify().not_signed, 7U) << "under another name it is the same table";
  signers.since = clock_now() + 1'000'000;
  verdict = verify();
  EXPECT_EQ(verdict.not_signed, 0U);
  EXPECT_EQ(found, "");
}

TEST_P(SignedContexts, TheOtherWordsHaveTheirSentences) {
  require_signature();
  signers.signers.clear();
  write(signed_by_shop(saying("ann")));
  trail.seal();
  (void)verify();
  EXPECT_NE(messages.find("signed by nobody who is known"), std::string::npos);
  signers.signers = {{{key_of("shop", 'k')}, {}, 0}};
  (void)verify();
  EXPECT_NE(messages.find("is of another time"), std::string::npos);
  signers.signers[0].not_after.reset();
  signers.origin = "log.example/other";
  (void)verify();
  EXPECT_NE(messages.find("is meant for another trail"), std::string::npos);
}

TEST_P(SignedContexts, ARuleTellsOfThem) {
  const std::string file = trail.file("vestige.toml");
  const std::string rule = "[[rule]]\nid = \"bare\"\nkind = \"unsigned\"\nselect = \"table:p\"\n";
  std::ofstream(file) << rule;
  EXPECT_NE(error_of(read_rules(must(read_toml(file)), "")).message.find("no signers are named"),
            std::string::npos);
  std::ofstream(file) << rule << "[context.signers]\nshop = { key = \""
                      << merkle::to_vkey(key_of("shop", 'k')) << "\" }\n";
  const auto rules = must(read_rules(must(read_toml(file)), ""));
  const auto watch =
      must(Watch::open(trail.db(), rules, false, signature_judge(trail.db(), signers)));
  const Context good = signed_by_shop(saying("ann"));
  write(good);
  write(saying("bob"));
  write(good);
  std::string told;
  for (bool more = true; more;) {
    const Watch::Turn turn = must(watch->turn(clock_now()));
    for (const KeptAlert& one : turn.raised) told += one.alert.title + "\n";
    more = turn.more;
  }
  EXPECT_EQ(told, "UPDATE of p 2 by bob: unsigned\nUPDATE of p 2 by ann: replayed\n");
  std::size_t tried = 0;
  const auto engine = must(engine_for(trail.db(), rules));
  must(try_rules(
      trail.db(), *engine, {},
      [&](const Alert&) {
        ++tried;
        return true;
      },
      signature_judge(trail.db(), signers)));
  EXPECT_EQ(tried, 6U) << "with the four that were before";
}

TEST_P(SignedContexts, WithoutSignersNobodyIsAskedAndAFilterSaysSo) {
  write(signed_by_shop(saying("ann")));
  LogRequest asked;
  asked.filter.ids = {5};
  EXPECT_EQ(must(must(log(trail.db(), asked))->next())->signed_word, "");
  asked.filter.filter = must(parse_filter("signed:no", Now(0)));
  EXPECT_NE(error_of(must(log(trail.db(), asked))->next())
                .message.find("read the filter: signed: no signers are known here"),
            std::string::npos);
}

}  // namespace
}  // namespace vestige
