#include "vestige/audit/check.h"

#include <gtest/gtest.h>

#include "vestige/merkle/proof.h"
#include "vestige/merkle/receipt.h"

namespace vestige {
namespace {

using merkle::KeyKind;
using merkle::NoteSigner;

// A sealed trail of a few changes, in memory.
class Check : public testing::Test {
 protected:
  Check() {
    for (int i = 0; i < 11; ++i) {
      Entry entry;
      entry.id = 100 + i;
      entry.op = i == 5 ? "TRUNCATE" : "UPDATE";
      entry.table_id = 3;
      entry.table = "products";
      entry.tx = 100;
      Evidence evidence;
      evidence.index = static_cast<std::uint64_t>(i);
      if (i != 5) {
        evidence.key = Disclosed{{1}, fmt::format(R"({{"key":{{"id":{}}}}})", i)};
        evidence.values =
            Disclosed{{2}, fmt::format(R"({{"old":{{"price":{}}},"new":{{"price":0}}}})", i)};
        entry.key = commitment(evidence.key->salt, evidence.key->canonical);
        entry.values = commitment(evidence.values->salt, evidence.values->canonical);
      }
      if (i == 3) evidence.values.reset();  // erased
      evidence.entry = to_line(entry);
      trail_.push_back(evidence);
    }
  }

  merkle::Nodes nodes() const {
    return [this](merkle::Node node) -> Result<Hash> {
      merkle::Frontier tree;
      for (std::uint64_t i = node.index << node.level; i < (node.index + 1) << node.level; ++i)
        tree.append(merkle::leaf_hash(trail_[i].entry));
      return tree.root();
    };
  }
  std::string checkpoint(std::uint64_t size, bool cosigned = false) const {
    auto note = merkle::parse_note(
        merkle::sign_checkpoint(log_, size, merkle::root_of(size, nodes()).value()).value());
    if (cosigned) note->signatures.push_back(witness_.sign(note->text, 7).value());
    return merkle::to_text(*note);
  }
  merkle::Receipt receipt(std::uint64_t index) const {
    return {to_line(trail_[index]), index,
            merkle::inclusion_proof(index, trail_.size(), nodes()).value(),
            checkpoint(trail_.size())};
  }
  std::string why(const merkle::Receipt& one, const Trust& trust) const {
    const auto checked = check_receipt(merkle::to_text(one), trust);
    return checked.has_value() ? "" : checked.error().message;
  }
  std::string why(const merkle::Receipt& one) const { return why(one, trust_); }
  TrailCheck::Verdict check(const std::vector<std::string>& lines, std::uint64_t size) const {
    TrailCheck check(open_trusted(checkpoint(size), trust_).value());
    for (const std::string& line : lines) check.line(line);
    return check.finish();
  }
  std::vector<std::string> lines() const {
    std::vector<std::string> all;
    for (const Evidence& one : trail_) all.push_back(to_line(one));
    return all;
  }
  std::vector<std::string> complaints(const std::vector<std::string>& all) const {
    return check(all, trail_.size()).complaints;
  }

  NoteSigner log_ =
      NoteSigner::make("example.com/log", KeyKind::log, std::string(32, '\7')).value();
  NoteSigner witness_ =
      NoteSigner::make("w.example", KeyKind::cosignature, std::string(32, '\7')).value();
  Trust trust_{{log_.key()}, {}};
  std::vector<Evidence> trail_;
};

using Complaints = std::vector<std::string>;

TEST_F(Check, AReceiptProvesItsRecord) {
  for (std::uint64_t i = 0; i < trail_.size(); ++i) {
    const auto checked = check_receipt(merkle::to_text(receipt(i)), trust_);
    ASSERT_TRUE(checked.has_value()) << checked.error().message;
    EXPECT_EQ(checked->evidence, trail_[i]);
    EXPECT_EQ(checked->entry.id, 100 + static_cast<std::int64_t>(i));
    EXPECT_EQ(checked->checkpoint.checkpoint.size, 11U);
  }
}

TEST_F(Check, AReceiptThatWasTouchedProvesNothing) {
  merkle::Receipt one = receipt(4);
  one.index = 5;
  EXPECT_EQ(why(one), "the receipt is for entry 5, and its evidence is entry 4");
  Evidence moved = trail_[4];
  moved.index = 5;
  one.extra = to_line(moved);
  EXPECT_EQ(why(one), "the record does not stand in the checkpoint as entry 5");
  one = receipt(4);
  one.extra.reset();
  EXPECT_EQ(why(one), "the receipt does not say what it is for: it has no extra line");
  one = receipt(4);
  Evidence altered = trail_[4];
  altered.values->canonical = R"({"old":{"price":5},"new":{"price":0}})";
  one.extra = to_line(altered);
  EXPECT_EQ(why(one), "change 104 (UPDATE of products): the values are not those that were sealed");
  altered.entry.replace(altered.entry.find("104"), 3, "999");
  one.extra = to_line(altered);
  EXPECT_EQ(why(one), "the record does not stand in the checkpoint as entry 4");
  one = receipt(4);
  one.proof.pop_back();
  EXPECT_EQ(why(one), "the record does not stand in the checkpoint as entry 4");
}

TEST_F(Check, TheLogAndTheNamedWitnessesMustHaveSigned) {
  merkle::Receipt one = receipt(0);
  EXPECT_EQ(why(one, {}),
            "the checkpoint of example.com/log is not signed by a key of it that you trust");
  Trust both{{log_.key(), witness_.key()}, {}};
  EXPECT_EQ(why(one, both), "the witness w.example has not cosigned the checkpoint");
  const std::string file = "log " + merkle::to_vkey(log_.key()) + "\nwitness w " +
                           merkle::to_vkey(witness_.key()) + "\nquorum w\n";
  const Trust quorum{{}, merkle::parse_quorum(file).value()};
  EXPECT_EQ(why(one, quorum),
            "too few witnesses have cosigned the checkpoint: the policy demands w");
  one.checkpoint = checkpoint(11, true);
  EXPECT_EQ(why(one, both), "");
  EXPECT_EQ(why(one, quorum), "");
  Trust witness_only{{witness_.key()}, {}};
  EXPECT_EQ(why(one, witness_only),
            "the checkpoint of example.com/log is not signed by a key of it that you trust");
}

TEST_F(Check, AWholeExportIsThatOfItsCheckpoint) {
  const auto verdict = check(lines(), 11);
  EXPECT_EQ(verdict.complaints, Complaints{});
  EXPECT_EQ(verdict.entries, 11U);
  EXPECT_EQ(verdict.first, 0U);
  EXPECT_EQ(verdict.withheld, 1U) << "the erased one";
}

TEST_F(Check, AnExportFromALaterEntryBeginsWithTheTreeBefore) {
  for (std::uint64_t first = 0; first <= trail_.size(); ++first) {
    merkle::Frontier before;
    for (std::uint64_t i = 0; i < first; ++i) before.append(merkle::leaf_hash(trail_[i].entry));
    std::vector<std::string> part{to_line(EvidenceStart{first, before.peaks()})};
    for (std::uint64_t i = first; i < trail_.size(); ++i) part.push_back(to_line(trail_[i]));
    const auto verdict = check(part, 11);
    EXPECT_EQ(verdict.complaints, Complaints{}) << first;
    EXPECT_EQ(verdict.entries, trail_.size() - first);
    EXPECT_EQ(verdict.first, first);
  }
  EXPECT_EQ(check({R"({"start":3,"peaks":[]})"}, 11).complaints.at(0),
            "line 1: take up a tree of 3 entries: it has 2 full subtrees, not 0");
  EXPECT_EQ(check({R"({"start":x})"}, 11).complaints.at(0),
            "line 1: read evidence: its first line is not a start and its peaks");
}

TEST_F(Check, WhatWasDoneToAnExportIsSaid) {
  auto all = lines();
  all[4].replace(all[4].find("price"), 5, "prise");
  EXPECT_EQ(complaints(all),
            (Complaints{"line 5: change 104 (UPDATE of products): the values are not "
                        "those that were sealed"}));
  all = lines();
  all.erase(all.begin() + 4);
  Complaints found = complaints(all);
  ASSERT_EQ(found.size(), 2U);
  EXPECT_EQ(found[0],
            "line 5: entry 5 stands where entry 4 belongs: a line was taken out, put in or moved");
  EXPECT_EQ(found[1],
            "the file ends with 10 of the 11 entries that the checkpoint covers; missing: 1");
  all = lines();
  std::swap(all[2], all[3]);
  found = complaints(all);
  EXPECT_EQ(found.size(), 4U);
  EXPECT_TRUE(found.back().starts_with(
      "the entries are not those of the checkpoint: their tree has the root "));
  all = lines();
  all.pop_back();
  EXPECT_EQ(complaints(all).at(0),
            "the file ends with 10 of the 11 entries that the checkpoint covers; missing: 1");
  all = lines();
  all[7] = "{}";
  EXPECT_EQ(complaints(all).at(0), "line 8: read evidence: it is not in canonical form");
  all = lines();
  all[7].replace(all[7].find("UPDATE"), 6, "DELETE");
  EXPECT_EQ(complaints(all).size(), 1U) << "the root differs";
  all = lines();
  all[7].replace(all[7].find("UPDATE"), 6, "UPSERT");
  EXPECT_EQ(complaints(all).at(0), "line 8: read an entry: its op is unknown");

  const auto newer = check(lines(), 9);
  EXPECT_EQ(newer.complaints,
            Complaints{"the checkpoint covers 9 entries; newer than it, and not proved: 2"});
  EXPECT_EQ(check(std::vector<std::string>(500, "x"), 11).wrong, 501U);
  EXPECT_EQ(check(std::vector<std::string>(500, "x"), 11).complaints.size(), 100U);
}

}  // namespace
}  // namespace vestige
