// Cosignatures on the trail's own checkpoint: what the guards let through, and what verify demands.
#include "test/evidence.h"
#include "vestige/audit/cosign.h"
#include "vestige/audit/prove.h"

namespace vestige {
namespace {

merkle::NoteSigner witness(char seed) {
  return must(merkle::NoteSigner::make(fmt::format("{}.example.org", seed),
                                       merkle::KeyKind::cosignature, std::string(32, seed)));
}

merkle::NoteSignature cosignature(const merkle::NoteSigner& signer, const std::string& note) {
  return must(signer.sign(must(merkle::parse_note(note)).text, 1700000000));
}

class CosignedTrail : public EvidenceTest {
 protected:
  // Two of v, w, x.
  static Trust two_of_three() {
    std::vector<merkle::Quorum::Witness> all;
    for (const char seed : {'v', 'w', 'x'})
      all.push_back({std::string(1, seed), witness(seed).key(), ""});
    return {{Evident::signer().key()}, merkle::quorum_of(2, std::move(all))};
  }

  // What verify finds, and which witnesses it names.
  std::string findings(const Trust& trust, const std::vector<std::string>& kept = {}) {
    VerifyOptions options;
    options.trust = trust;
    for (const std::string& one : kept)
      options.kept.push_back({fmt::format("kept{}", options.kept.size()), one});
    Findings found;
    const Verdict verdict = must(verify(trail.db(), options, found));
    EXPECT_EQ(verdict.discrepancies == 0, found.text.empty());
    EXPECT_EQ(verdict.verified, 4U);
    names.assign(verdict.witnesses.begin(), verdict.witnesses.end());
    return found.messages.empty() ? "" : found.text + found.messages;
  }

  void cosign(char seed) {
    TrailCheckpoint own = must(TrailCheckpoint::newest(trail.db()));
    must(own.keep(cosignature(witness(seed), own.note()), witness(seed).key()));
  }

  std::string table() const {
    return trail.postgres() ? "vestige.checkpoint" : "vestige_checkpoint";
  }

  std::vector<std::string> names;
};

INSTANTIATE_TEST_SUITE_P(Both, CosignedTrail, testing::Values(Engine::sqlite, Engine::postgres),
                         engine_name);

constexpr std::string_view kTooFew =
    "uncosigned\n{}: too few witnesses have cosigned the checkpoint: the policy demands 2 of 3"
    " witnesses\n";

TEST_P(CosignedTrail, IsDemandedOfTheNewestCheckpoint) {
  const std::string plain = trail.seal();
  const std::string no = fmt::format(fmt::runtime(kTooFew), "the trail's checkpoint of 4 entries");
  EXPECT_EQ(findings(two_of_three()), no);
  cosign('v');
  EXPECT_EQ(findings(two_of_three()), no);
  EXPECT_EQ(names, std::vector<std::string>{"v.example.org"});
  cosign('v');
  EXPECT_EQ(findings(two_of_three()), no) << "a witness counts once";
  cosign('z');
  EXPECT_EQ(findings(two_of_three()), no) << "who is not named does not count";
  cosign('x');
  EXPECT_EQ(findings(two_of_three()), "");
  EXPECT_EQ(names, (std::vector<std::string>{"v.example.org", "x.example.org"}));

  // A key that must have cosigned by itself.
  Trust strict = two_of_three();
  strict.keys.push_back(witness('w').key());
  EXPECT_EQ(findings(strict),
            "uncosigned\nthe trail's checkpoint of 4 entries: the witness w.example.org has not"
            " cosigned the checkpoint\n");

  // The receipts have them, and the sealer goes on from there.
  EXPECT_EQ(must(check_receipt(must(prove(trail.db(), 1)), two_of_three())).evidence.index, 0U);
  EXPECT_TRUE(trail.seal().starts_with(plain));
}

TEST_P(CosignedTrail, MayStandInAKeptCopy) {
  std::string kept = trail.seal();
  cosign('v');
  EXPECT_NE(findings(two_of_three(), {kept}), "");
  kept += cosignature(witness('w'), kept).line();
  EXPECT_EQ(findings(two_of_three(), {kept}), "") << "one stands in the trail, and one in the copy";
  EXPECT_EQ(names, (std::vector<std::string>{"v.example.org", "w.example.org"}));
}

TEST_P(CosignedTrail, IsDemandedOfEachKeptOne) {
  const std::string older = trail.seal();
  trail.as("bob", "update p set price = 12 where id = 2");
  trail.seal();
  cosign('v');
  cosign('w');
  VerifyOptions options;
  options.trust = two_of_three();
  options.kept = {{"kept.txt", older}};
  Findings found;
  EXPECT_EQ(must(verify(trail.db(), options, found)).discrepancies, 1U);
  EXPECT_EQ(found.text + found.messages, fmt::format(fmt::runtime(kTooFew), "kept.txt"));
}

TEST_P(CosignedTrail, KeepsWhatIsACosignatureOnly) {
  EXPECT_EQ(error_of(TrailCheckpoint::newest(trail.db())).message,
            "find the trail's checkpoint: nothing is sealed yet");
  trail.seal();
  TrailCheckpoint own = must(TrailCheckpoint::newest(trail.db()));
  const merkle::NoteSignature of_another = cosignature(witness('v'), "another\n\n— a AAAAAAAA\n");
  EXPECT_EQ(error_of(own.keep(of_another, witness('v').key())).fault, Fault::corrupt);
  EXPECT_EQ(error_of(own.keep(cosignature(witness('v'), own.note()), witness('w').key())).message,
            "read a witness's answer: it has no cosignature of w.example.org");
  EXPECT_FALSE(must(own.signed_by(witness('v').key())));
  EXPECT_EQ(must(TrailCheckpoint::newest(trail.db())).note(), own.note());
}

TEST_P(CosignedTrail, TheGuardLetsASignatureThroughAndNothingElse) {
  const std::string note = trail.seal();
  const std::string line = cosignature(witness('v'), note).line();
  const std::string put = "update " + table() + " set note = ";
  const std::string bytes = trail.postgres() ? "'\\x00'" : "x'00'";
  for (const std::string& sql : {
           put + "note || ''",
           put + "note || 'x'",
           put + "note || '— a b'",
           put + "note || '— a b' || '\n\n'",
           put + "note || '\n'",
           put + "'" + line + "' || note",
           put + "replace(note, 'log', 'lag') || '" + line + "'",
           put + "substr(note, 2) || '" + line + "'",
           put + "null",
           put + "note || '" + line + "', size = 5",
           put + "note || '" + line + "', root = " + bytes,
           put + "note || '" + line + "', at = " + (trail.postgres() ? "now()" : "1"),
       }) {
    const std::string error = error_of(trail.db().script(sql)).message;
    EXPECT_NE(error.find("append-only"), std::string::npos) << sql << "\n" << error;
  }
  must(trail.db().script(put + "note || '" + line + "'"));
  EXPECT_EQ(must(TrailCheckpoint::newest(trail.db())).note(), note + line);
  EXPECT_NE(error_of(trail.db().script(put + "'" + note + "'")).message.find("append-only"),
            std::string::npos)
      << "what a witness signed cannot be taken away";
  EXPECT_EQ(findings({{Evident::signer().key(), witness('v').key()}, std::nullopt}), "");
}

// Who may put cosignatures there can put anything there that looks like one, and nobody can take it away: it changes
// nothing.
TEST_P(CosignedTrail, IsVerifiedPastFalseLines) {
  const std::string plain = trail.seal();
  const auto put = [&](const std::string& line) {
    must(trail.db().script("update " + table() + " set note = note || '" + line + "'"));
  };
  put(cosignature(witness('v'), "another\n\n— a AAAAAAAA\n").line());
  put(must(Evident::signer().sign("another\n")).line());
  put("— a AAAA\n");
  cosign('w');
  const std::string no = fmt::format(fmt::runtime(kTooFew), "the trail's checkpoint of 4 entries");
  EXPECT_EQ(findings(two_of_three()), no) << "a false line does not count";
  EXPECT_EQ(names, std::vector<std::string>{"w.example.org"});
  cosign('v');
  EXPECT_EQ(findings(two_of_three()), "") << "a true one counts behind it";
  EXPECT_EQ(fmt::format("{}", fmt::join(trail.verify().passed_over, "\n")),
            "a line behind the trail's checkpoint of 4 entries bears the name of log.example/p and"
            " is not its signature\n"
            "a line behind the trail's checkpoint of 4 entries is no signature");
  EXPECT_EQ(trail.found, "");
  EXPECT_TRUE(must(TrailCheckpoint::newest(trail.db())).signed_by(witness('v').key()).value());
  EXPECT_FALSE(must(TrailCheckpoint::newest(trail.db())).signed_by(witness('x').key()).value());

  // The sealer goes on, and does not hand them on in its own name.
  const std::string again = trail.seal();
  EXPECT_TRUE(again.starts_with(plain));
  Trust log;
  log.keys = {Evident::signer().key()};
  EXPECT_TRUE(open_trusted(again, log).has_value());
  const std::string receipt = must(prove(trail.db(), 1));
  EXPECT_EQ(error_of(check_receipt(receipt, log)).message,
            "read a signed note: the signature of log.example/p is not of this text")
      << "a receipt goes by the letter; its false line can be taken out";
  trail.as("ann", "update p set price = 12 where id = 2");
  trail.seal();
  EXPECT_TRUE(check_receipt(must(prove(trail.db(), 1)), log).has_value());
  EXPECT_EQ(trail.verify().verified, 5U);
  EXPECT_EQ(trail.found, "");

  // Another text, for which nobody vouches.
  trail.attack("update {}checkpoint set note = replace(note, '\n\n', '\nmore\n\n')");
  trail.verify();
  EXPECT_TRUE(trail.found.starts_with("checkpoint-altered\ncheckpoint-altered\n")) << trail.found;
}

// A trail that is older than cosignatures: init lets them through.
TEST(CosignedSqlite, ATrailWhoseGuardIsOlder) {
  Evident trail(Engine::sqlite);
  trail.seal();
  must(trail.db().script(
      "drop trigger vestige_checkpoint_no_update;"
      "create trigger vestige_checkpoint_no_update before update on vestige_checkpoint begin"
      " select raise(abort, 'vestige: vestige_checkpoint is append-only: update refused'); end"));
  TrailCheckpoint own = must(TrailCheckpoint::newest(trail.db()));
  const auto line = cosignature(witness('v'), own.note());
  EXPECT_NE(error_of(own.keep(line, witness('v').key())).message.find("append-only"),
            std::string::npos);
  EXPECT_TRUE(must(install(trail.db())));
  must(own.keep(line, witness('v').key()));
  EXPECT_FALSE(must(install(trail.db())));
  EXPECT_TRUE(must(own.signed_by(witness('v').key())));
}

// That the tree grew is proved from the trail itself, without tiles on the disk.
TEST_P(CosignedTrail, ProvesThatItGrew) {
  const auto before = must(merkle::open_checkpoint(trail.seal(), {})).checkpoint;
  for (int i = 0; i < 300; ++i)
    trail.as("bob", fmt::format("update p set price = {} where id = 2", 100 + i));
  const auto after = must(merkle::open_checkpoint(trail.seal(), {})).checkpoint;
  const TrailCheckpoint own = must(TrailCheckpoint::newest(trail.db()));
  EXPECT_EQ(own.size(), 304U);
  EXPECT_TRUE(merkle::consistent(before.size, before.root, after.size, after.root,
                                 must(own.proof_from(before.size))));
  EXPECT_TRUE(must(own.proof_from(0)).empty());
  EXPECT_EQ(error_of(own.proof_from(305)).fault, Fault::invalid);
}

}  // namespace
}  // namespace vestige
