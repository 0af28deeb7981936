#include "vestige/merkle/witness.h"

#include <algorithm>

#include "vestige/base/bytes.h"

namespace vestige::merkle {
namespace {

constexpr std::size_t kLongestProof = 63;

auto bad(std::string_view why) {
  return fail(Fault::invalid, "read an add-checkpoint request: {}", why);
}

WitnessAnswer refusal(int status, std::string_view why) {
  return {.status = status, .body = std::string(why) + "\n"};
}

}  // namespace

std::string to_text(const AddCheckpoint& request) {
  std::string text = fmt::format("old {}\n", request.old_size);
  for (const Hash& hash : request.proof) text += to_base64(view(hash)) + "\n";
  return text + "\n" + request.checkpoint;
}

Result<AddCheckpoint> parse_add_checkpoint(std::string_view body) {
  AddCheckpoint request;
  for (bool first = true;; first = false) {
    const std::size_t end = body.find('\n');
    if (end == std::string_view::npos) return bad("it ends before its checkpoint");
    const std::string_view line = body.substr(0, end);
    body.remove_prefix(end + 1);
    if (first) {
      const auto size = parse_decimal(line.starts_with("old ") ? line.substr(4) : "");
      if (!size.has_value()) return bad("its first line is not old and a size");
      request.old_size = *size;
    } else if (line.empty()) {
      request.checkpoint = body;
      return request;
    } else {
      const auto hash = from_base64(line);
      if (!hash.has_value() || hash->size() != 32)
        return bad("a hash is not the base64 of 32 bytes");
      if (request.proof.size() == kLongestProof) return bad("its proof has more than 63 hashes");
      request.proof.push_back(to_array<32>(*hash));
    }
  }
}

Result<WitnessAnswer> answer(std::string_view body, std::span<const NoteKey> logs, const Kept& kept,
                             const NoteSigner& signer, std::uint64_t now) {
  const auto request = parse_add_checkpoint(body);
  if (!request.has_value()) return refusal(400, request.error().message);
  const auto unverified = open_checkpoint(request->checkpoint, {});
  if (!unverified.has_value()) return refusal(400, unverified.error().message);
  const Checkpoint& checkpoint = unverified->checkpoint;
  if (std::none_of(logs.begin(), logs.end(),
                   [&](const NoteKey& key) { return key.name == checkpoint.origin; }))
    return refusal(404, "the origin is unknown");
  const auto opened = open_checkpoint(request->checkpoint, logs);
  if (!opened.has_value() || opened->log() == nullptr)
    return refusal(403, "no signature of a key that is trusted for the origin");
  if (request->old_size > checkpoint.size)
    return refusal(400, "the old size is above the checkpoint's size");

  Checkpoint last{checkpoint.origin, 0, empty_root(), {}};
  if (const auto note = TRY(kept(checkpoint.origin)); note.has_value())
    last = TRY(open_checkpoint(*note, {})).checkpoint;
  if (request->old_size != last.size)
    return WitnessAnswer{
        .status = 409, .body = fmt::format("{}\n", last.size), .type = "text/x.tlog.size"};
  if (!consistent(last.size, last.root, checkpoint.size, checkpoint.root, request->proof))
    return refusal(422, "the checkpoint does not extend the one that was signed last");

  const NoteSignature cosignature = TRY(signer.sign(opened->note.text, now));
  return WitnessAnswer{.status = 200,
                       .body = cosignature.line(),
                       .origin = checkpoint.origin,
                       .keep = request->checkpoint + cosignature.line()};
}

Result<NoteSignature> cosignature_in(std::string_view answer, std::string_view checkpoint,
                                     const NoteKey& witness) {
  Note note = TRY(parse_note(checkpoint));
  note.signatures.clear();
  while (!answer.empty()) {
    const std::size_t end = answer.find('\n');
    const std::string_view line =
        answer.substr(0, end == std::string_view::npos ? answer.size() : end + 1);
    note.signatures = {TRY(parse_signature_line(line))};
    if (!TRY(verified(note, std::span(&witness, 1))).empty()) return note.signatures.front();
    answer.remove_prefix(line.size());
  }
  return fail(Fault::corrupt, "read a witness's answer: it has no cosignature of {}", witness.name);
}

std::string monitoring_path(std::string_view origin) {
  return to_hex(view(sha256(origin))) + "/checkpoint";
}

}  // namespace vestige::merkle
