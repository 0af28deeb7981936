#include "vestige/merkle/checkpoint.h"

#include <algorithm>

#include "vestige/base/bytes.h"

namespace vestige::merkle {
namespace {

auto bad(std::string_view why) { return fail(Fault::corrupt, "read a checkpoint: {}", why); }

// Takes one line off the text, without its line end; nothing when there is none.
std::optional<std::string_view> next_line(std::string_view& text) {
  const std::size_t end = text.find('\n');
  if (end == std::string_view::npos) return std::nullopt;
  const std::string_view line = text.substr(0, end);
  text.remove_prefix(end + 1);
  return line;
}

}  // namespace

std::string to_text(const Checkpoint& checkpoint) {
  std::string text = fmt::format("{}\n{}\n{}\n", checkpoint.origin, checkpoint.size,
                                 to_base64(view(checkpoint.root)));
  for (const std::string& line : checkpoint.extensions) text += line + "\n";
  return text;
}

Result<Checkpoint> parse_checkpoint(std::string_view text) {
  const auto origin = next_line(text);
  const auto size = next_line(text);
  const auto root = next_line(text);
  if (!root.has_value()) return bad("it has fewer than three lines");
  if (origin->empty()) return bad("its origin is empty");
  const auto number = parse_decimal(*size);
  if (!number.has_value()) return bad("its size is not a decimal");
  const auto hash = from_base64(*root);
  if (!hash.has_value() || hash->size() != 32) return bad("its root is not the base64 of 32 bytes");
  Checkpoint checkpoint{std::string(*origin), *number, to_array<32>(*hash), {}};
  while (!text.empty()) {
    const auto line = next_line(text);
    if (!line.has_value() || line->empty()) return bad("a further line is empty or not ended");
    checkpoint.extensions.emplace_back(*line);
  }
  return checkpoint;
}

Result<std::string> sign_checkpoint(const NoteSigner& signer, std::uint64_t size,
                                    const Hash& root) {
  Note note{to_text(Checkpoint{signer.key().name, size, root, {}}), {}};
  note.signatures.push_back(TRY(signer.sign(note.text)));
  return to_text(note);
}

const Signed* OpenedCheckpoint::log() const {
  const auto found = std::find_if(signatures.begin(), signatures.end(), [&](const Signed& one) {
    return one.key.kind == KeyKind::log && one.key.name == checkpoint.origin;
  });
  return found == signatures.end() ? nullptr : &*found;
}

Result<OpenedCheckpoint> open_checkpoint(std::string_view note, std::span<const NoteKey> known) {
  OpenedCheckpoint opened;
  opened.note = TRY(parse_note(note));
  opened.checkpoint = TRY(parse_checkpoint(opened.note.text));
  std::vector<NoteKey> usable;
  std::copy_if(known.begin(), known.end(), std::back_inserter(usable), [&](const NoteKey& key) {
    return key.kind == KeyKind::cosignature || key.name == opened.checkpoint.origin;
  });
  opened.signatures = TRY(verified(opened.note, usable));
  return opened;
}

Result<OpenedCheckpoint> open_appended(std::string_view note, std::span<const NoteKey> known) {
  auto strict = open_checkpoint(note, known);
  const std::size_t blank = note.find("\n\n");  // a checkpoint's text has no empty line
  if (strict.has_value() || blank == std::string_view::npos) return strict;
  const std::string head(note.substr(0, blank + 2));
  std::string good = head;
  std::vector<std::string> passed_over;
  for (std::string_view rest = note.substr(head.size()); !rest.empty();) {
    const std::string line(rest.substr(0, std::min(rest.find('\n'), rest.size() - 1) + 1));
    rest.remove_prefix(line.size());
    if (open_checkpoint(head + line, known).has_value()) {
      good += line;
      continue;
    }
    const auto signature = parse_signature_line(line);
    std::string name = signature.has_value() ? signature->name : "";
    if (std::find(passed_over.begin(), passed_over.end(), name) == passed_over.end())
      passed_over.push_back(std::move(name));
  }
  auto opened = open_checkpoint(good, known);
  // Where nobody who is known vouches for the text, it may be the text that is false.
  if (!opened.has_value() || (opened->signatures.empty() && !known.empty())) return strict;
  opened->passed_over = std::move(passed_over);
  return opened;
}

}  // namespace vestige::merkle
