#include "vestige/audit/check.h"

#include <algorithm>

#include "vestige/base/bytes.h"
#include "vestige/merkle/receipt.h"

namespace vestige {
namespace {

constexpr std::size_t kMostComplaints = 100;

auto no(std::string why) { return tl::unexpected<Error>(Error{Fault::corrupt, std::move(why)}); }

std::string described(const Entry& entry) {
  return fmt::format("change {} ({} of {})", entry.id, entry.op, entry.table);
}

std::string altered(const Entry& entry, std::string_view part) {
  return fmt::format("{}: the {} not {} sealed", described(entry),
                     part == "values" ? "values are" : fmt::format("{} is", part),
                     part == "values" ? "those that were" : "the one that was");
}

}  // namespace

std::vector<merkle::NoteKey> Trust::all_keys() const {
  std::vector<merkle::NoteKey> all = keys;
  if (quorum.has_value())
    for (merkle::NoteKey& key : quorum->keys()) all.push_back(std::move(key));
  return all;
}

Result<void> require_cosigned(const std::vector<merkle::Signed>& signatures, const Trust& trust) {
  for (const merkle::NoteKey& key : trust.keys) {
    const bool signed_by = std::any_of(signatures.begin(), signatures.end(),
                                       [&](const merkle::Signed& one) { return one.key == key; });
    if (key.kind == merkle::KeyKind::cosignature && !signed_by)
      return fail(Fault::corrupt, "the witness {} has not cosigned the checkpoint", key.name);
  }
  if (trust.quorum.has_value() && !trust.quorum->reached(signatures))
    return fail(Fault::corrupt,
                "too few witnesses have cosigned the checkpoint: the policy demands {}",
                trust.quorum->needed);
  return {};
}

Result<merkle::OpenedCheckpoint> open_signed(std::string_view checkpoint, const Trust& trust) {
  merkle::OpenedCheckpoint opened = TRY(merkle::open_checkpoint(checkpoint, trust.all_keys()));
  if (opened.log() == nullptr)
    return fail(Fault::corrupt, "the checkpoint of {} is not signed by a key of it that you trust",
                opened.checkpoint.origin);
  return opened;
}

Result<merkle::OpenedCheckpoint> open_trusted(std::string_view checkpoint, const Trust& trust) {
  merkle::OpenedCheckpoint opened = TRY(open_signed(checkpoint, trust));
  TRY(require_cosigned(opened.signatures, trust));
  return opened;
}

Result<CheckedReceipt> check_receipt(std::string_view text, const Trust& trust) {
  const merkle::Receipt receipt = TRY(merkle::parse_receipt(text));
  merkle::OpenedCheckpoint checkpoint = TRY(open_trusted(receipt.checkpoint, trust));
  if (!receipt.extra.has_value())
    return fail(Fault::corrupt, "the receipt does not say what it is for: it has no extra line");
  Evidence evidence = TRY(parse_evidence(*receipt.extra));
  if (evidence.index != receipt.index)
    return fail(Fault::corrupt, "the receipt is for entry {}, and its evidence is entry {}",
                receipt.index, evidence.index);
  Entry entry = TRY(parse_entry(evidence.entry));
  if (!merkle::included(receipt.index, checkpoint.checkpoint.size,
                        merkle::leaf_hash(evidence.entry), receipt.proof,
                        checkpoint.checkpoint.root))
    return fail(Fault::corrupt, "the record does not stand in the checkpoint as entry {}",
                receipt.index);
  if (const auto part = not_bound(entry, evidence); part.has_value())
    return no(altered(entry, *part));
  return CheckedReceipt{std::move(evidence), std::move(entry), std::move(checkpoint)};
}

void TrailCheck::complain(std::string complaint) {
  ++verdict_.wrong;
  if (verdict_.complaints.size() < kMostComplaints)
    verdict_.complaints.push_back(std::move(complaint));
}

void TrailCheck::entry(std::string_view line) {
  const auto evidence = parse_evidence(line);
  if (!evidence.has_value())
    return complain(fmt::format("line {}: {}", line_, evidence.error().message));
  if (evidence->index != next_)
    complain(
        fmt::format("line {}: entry {} stands where entry {} belongs: a line was taken out, put "
                    "in or moved",
                    line_, evidence->index, next_));
  next_ = evidence->index + 1;
  ++verdict_.entries;
  tree_.append(merkle::leaf_hash(evidence->entry));
  if (tree_.size() == checkpoint_.checkpoint.size) root_ = tree_.root();
  const auto entry = parse_entry(evidence->entry);
  if (!entry.has_value()) return complain(fmt::format("line {}: {}", line_, entry.error().message));
  if (const auto part = not_bound(*entry, *evidence); part.has_value())
    complain(fmt::format("line {}: {}", line_, altered(*entry, *part)));
  verdict_.withheld += entry->key.has_value() && !evidence->key.has_value();
  verdict_.withheld += entry->context.has_value() && !evidence->context.has_value();
  verdict_.withheld += entry->values.has_value() && !evidence->values.has_value();
}

void TrailCheck::line(std::string_view line) {
  if (++line_ != 1 || !is_evidence_start(line)) return entry(line);
  auto start = parse_evidence_start(line);
  if (!start.has_value()) return complain("line 1: " + start.error().message);
  verdict_.first = next_ = start->start;
  auto tree = merkle::Frontier::at(start->start, std::move(start->peaks));
  if (!tree.has_value()) return complain("line 1: " + tree.error().message);
  tree_ = std::move(*tree);
}

TrailCheck::Verdict TrailCheck::finish() {
  const merkle::Checkpoint& checkpoint = checkpoint_.checkpoint;
  if (tree_.size() == checkpoint.size) root_ = tree_.root();
  if (tree_.size() < checkpoint.size)
    complain(fmt::format(
        "the file ends with {} of the {} entries that the checkpoint covers; missing: {}",
        tree_.size(), checkpoint.size, checkpoint.size - tree_.size()));
  else if (tree_.size() > checkpoint.size)
    complain(fmt::format("the checkpoint covers {} entries; newer than it, and not proved: {}",
                         checkpoint.size, tree_.size() - checkpoint.size));
  if (root_.has_value() && *root_ != checkpoint.root)
    complain(
        fmt::format("the entries are not those of the checkpoint: their tree has the root {}, "
                    "the checkpoint says {}",
                    to_base64(view(*root_)), to_base64(view(checkpoint.root))));
  return verdict_;
}

}  // namespace vestige
