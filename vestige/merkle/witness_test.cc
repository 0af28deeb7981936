#include "vestige/merkle/witness.h"

#include <gtest/gtest.h>

#include <map>

#include "vestige/base/bytes.h"

namespace vestige::merkle {
namespace {

const std::string kSeed(32, '\7');

// A log that grows, and a witness that remembers.
class Witness : public testing::Test {
 protected:
  Witness() {
    for (int i = 0; i < 40; ++i) leaves_.push_back(leaf_hash(std::to_string(i)));
  }

  Nodes nodes() const {
    return [this](Node node) -> Result<Hash> {
      Frontier tree;
      for (std::uint64_t i = node.index << node.level; i < (node.index + 1) << node.level; ++i)
        tree.append(leaves_[i]);
      return tree.root();
    };
  }
  std::string checkpoint(std::uint64_t size) const {
    return sign_checkpoint(log_, size, root_of(size, nodes()).value()).value();
  }
  AddCheckpoint request(std::uint64_t from, std::uint64_t to) const {
    return {from, consistency_proof(from, to, nodes()).value(), checkpoint(to)};
  }
  WitnessAnswer ask(const std::string& body) {
    const Kept kept = [this](const std::string& origin) -> Result<std::optional<std::string>> {
      const auto found = kept_.find(origin);
      return found == kept_.end() ? std::nullopt : std::optional(found->second);
    };
    auto made = answer(body, std::vector{log_.key()}, kept, witness_, 1700000000).value();
    if (made.status == 200) kept_[made.origin] = made.keep;
    else EXPECT_TRUE(made.keep.empty());
    return made;
  }
  WitnessAnswer ask(const AddCheckpoint& one) { return ask(to_text(one)); }

  std::vector<Hash> leaves_;
  NoteSigner log_ = NoteSigner::make("example.com/log", KeyKind::log, kSeed).value();
  NoteSigner witness_ = NoteSigner::make("w.example", KeyKind::cosignature, kSeed).value();
  std::map<std::string, std::string> kept_;
};

TEST_F(Witness, CosignsATreeThatGrows) {
  std::uint64_t before = 0;
  for (const std::uint64_t size : {0U, 3U, 3U, 4U, 17U, 40U}) {
    const AddCheckpoint one = request(before, size);
    const WitnessAnswer answered = ask(one);
    ASSERT_EQ(answered.status, 200) << answered.body;
    const auto signature = cosignature_in(answered.body, one.checkpoint, witness_.key()).value();
    EXPECT_EQ(signature.line(), answered.body);
    const auto opened =
        open_checkpoint(kept_["example.com/log"], std::vector{log_.key(), witness_.key()}).value();
    EXPECT_EQ(opened.checkpoint.size, size);
    ASSERT_EQ(opened.signatures.size(), 2U);
    EXPECT_EQ(opened.signatures[1].time, 1700000000U);
    before = size;
  }
}

TEST_F(Witness, RefusesForksAndOldSizes) {
  ASSERT_EQ(ask(request(0, 17)).status, 200);
  const WitnessAnswer conflict = ask(request(3, 20));
  EXPECT_EQ(conflict.status, 409);
  EXPECT_EQ(conflict.body, "17\n");
  EXPECT_EQ(conflict.type, "text/x.tlog.size");
  EXPECT_EQ(ask(request(0, 20)).status, 409);

  AddCheckpoint smaller = request(3, 16);
  smaller.old_size = 17;
  EXPECT_EQ(ask(smaller).status, 400) << "the old size is above the checkpoint's";

  AddCheckpoint wrong = request(17, 20);
  wrong.proof[0][0] ^= 1;
  EXPECT_EQ(ask(wrong).status, 422);
  wrong = request(17, 20);
  wrong.proof.pop_back();
  EXPECT_EQ(ask(wrong).status, 422);
  wrong = request(17, 17);
  wrong.proof.push_back(leaf_hash(""));
  EXPECT_EQ(ask(wrong).status, 422);

  leaves_[5] = leaf_hash("another history");
  EXPECT_EQ(ask(request(17, 20)).status, 422);
  EXPECT_EQ(ask(request(17, 17)).status, 422) << "the same size, another root";
}

TEST_F(Witness, RefusesAnEmptyTreeThatIsNotEmpty) {
  EXPECT_EQ(ask({0, {}, sign_checkpoint(log_, 0, leaf_hash("")).value()}).status, 422);
  EXPECT_EQ(ask({0, {leaf_hash("")}, checkpoint(3)}).status, 422)
      << "a proof from nothing is empty";
}

TEST_F(Witness, KnowsItsLogs) {
  const auto stranger = NoteSigner::make("example.com/other", KeyKind::log, kSeed).value();
  EXPECT_EQ(ask({0, {}, sign_checkpoint(stranger, 0, empty_root()).value()}).status, 404);
  const auto impostor =
      NoteSigner::make("example.com/log", KeyKind::log, std::string(32, '\1')).value();
  EXPECT_EQ(ask({0, {}, sign_checkpoint(impostor, 0, empty_root()).value()}).status, 403);
  Note forged = parse_note(checkpoint(3)).value();
  forged.signatures[0].payload[0] ^= 1;
  EXPECT_EQ(ask({0, {}, to_text(forged)}).status, 403);
}

TEST_F(Witness, AnswersNonsenseWithFourHundred) {
  std::string long_proof = "old 1\n";
  for (int i = 0; i < 64; ++i) long_proof += to_base64(view(leaf_hash(""))) + "\n";
  const struct {
    std::string body;
    std::string_view why;
  } cases[] = {
      {"", "it ends before its checkpoint"},
      {"old 0", "it ends before its checkpoint"},
      {"old 0\n", "it ends before its checkpoint"},
      {"new 0\n\n", "its first line is not old and a size"},
      {"old 00\n\n", "its first line is not old and a size"},
      {"old 0\r\n\r\n", "its first line is not old and a size"},
      {"old 0\nAAAA\n\n", "a hash is not the base64 of 32 bytes"},
      {long_proof + "\n", "its proof has more than 63 hashes"},
  };
  for (const auto& one : cases) {
    const WitnessAnswer answered = ask(one.body);
    EXPECT_EQ(answered.status, 400) << one.body;
    EXPECT_EQ(answered.body, "read an add-checkpoint request: " + std::string(one.why) + "\n");
  }
  EXPECT_EQ(ask("old 0\n\nno note\n").status, 400);
  EXPECT_EQ(ask("old 0\n\none line\n\n— log AAAAAAAA\n").status, 400);
}

TEST_F(Witness, AClientTakesItsCosignatureOnly) {
  const AddCheckpoint one = request(0, 3);
  const std::string good = ask(one).body;
  const auto other = NoteSigner::make("v.example", KeyKind::cosignature, kSeed).value();
  const std::string text = parse_note(one.checkpoint)->text;
  EXPECT_TRUE(cosignature_in(other.sign(text, 7)->line() + good, one.checkpoint, witness_.key())
                  .has_value());
  EXPECT_EQ(cosignature_in("", one.checkpoint, witness_.key()).error().message,
            "read a witness's answer: it has no cosignature of w.example");
  EXPECT_FALSE(cosignature_in(good, checkpoint(4), witness_.key()).has_value()) << "of another one";
  EXPECT_FALSE(cosignature_in("nonsense", one.checkpoint, witness_.key()).has_value());
}

TEST(WitnessPath, IsTheHashOfTheOrigin) {
  EXPECT_EQ(monitoring_path("abc"),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad/checkpoint");
}

}  // namespace
}  // namespace vestige::merkle
