// Signed notes, checkpoints and public keys: what is read is written again to the same bytes.
#include <cstddef>
#include <cstdint>

#include "test/fuzz/property.h"
#include "vestige/merkle/checkpoint.h"

namespace vestige::fuzz {
namespace {

void note_round_trip(std::string_view bytes) {
  const auto note = merkle::parse_note(bytes);
  if (!note.has_value()) return;
  must(merkle::to_text(*note) == bytes, "a note is written as it was read");
  const auto checkpoint = merkle::parse_checkpoint(note->text);
  if (checkpoint.has_value())
    must(merkle::to_text(*checkpoint) == note->text, "a checkpoint is written as it was read");
  const auto opened = merkle::open_checkpoint(bytes, {});
  must(opened.has_value() == checkpoint.has_value(), "a note that is a checkpoint is opened");
  if (opened.has_value()) must(opened->log() == nullptr, "nobody is known, and nobody signed");
}

void vkey_round_trip(std::string_view text) {
  const auto key = merkle::parse_vkey(text);
  if (!key.has_value()) return;
  must(merkle::to_vkey(*key) == text, "a vkey is written as it was read");
  must(merkle::is_key_name(key->name), "a vkey names a key");
}

}  // namespace
}  // namespace vestige::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  vestige::fuzz::note_round_trip(text);
  vestige::fuzz::vkey_round_trip(text);
  return 0;
}
