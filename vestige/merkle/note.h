// Signed notes and the keys that sign them (C2SP signed-note, tlog-cosignature).
//
//   note       text lines, an empty line, signature lines; the text includes its last line end
//   signature  "— " name " " base64(key id, 4 bytes || what the key's kind gives)
//   key id     SHA-256(name || 0x0a || kind || public key), the first 4 bytes
//   vkey       name "+" hex(key id) "+" base64(kind || public key)
//   key file   "PRIVATE+KEY+" name "+" hex(key id) "+" base64(kind || seed)
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "vestige/base/crypto.h"

namespace vestige::merkle {

enum class KeyKind : unsigned char {
  log = 0x01,          // Ed25519 over the text: what a log signs with
  cosignature = 0x04,  // Ed25519 over a time and the text: what a witness signs with
};

/// The public half of a key that signs notes: a vkey.
struct NoteKey {
  std::string name;
  KeyKind kind = KeyKind::log;
  PublicKey key;

  /// The key id, 4 bytes.
  std::string id() const;
  bool operator==(const NoteKey&) const = default;
};

/// name+hex+base64
std::string to_vkey(const NoteKey& key);

/// faults   invalid (also a key id that is not the key's)
Result<NoteKey> parse_vkey(std::string_view vkey);

/// True when the text can name a key: UTF-8, not empty, without spaces, control characters and '+'.
bool is_key_name(std::string_view name);

/// One signature as it stands in a note; nothing is verified.
struct NoteSignature {
  std::string name;
  std::string id;       // 4 bytes
  std::string payload;  // kind log: 64 bytes; kind cosignature: 8 bytes of time, big-endian, and 64

  /// "— name base64\n"
  std::string line() const;
};

/// faults   corrupt
Result<NoteSignature> parse_signature_line(std::string_view line);

struct Note {
  std::string text;  // with its last line end
  std::vector<NoteSignature> signatures;
};

/// The note as a file.
std::string to_text(const Note& note);

/// faults   corrupt
Result<Note> parse_note(std::string_view bytes);

/// A signature that was verified.
struct Signed {
  NoteKey key;
  std::optional<std::uint64_t> time;  // of a cosignature: seconds since 1970-01-01 UTC
};

/// The signatures of a note that known keys made, in the note's order, each key once. Signatures of
/// unknown keys are passed over.
///
/// faults   corrupt (a signature that claims to be of a known key and is not)
Result<std::vector<Signed>> verified(const Note& note, std::span<const NoteKey> known);

/// A key that signs notes.
class NoteSigner {
 public:
  /// seed     32 random bytes
  /// faults   invalid (name, length of the seed)
  static Result<NoteSigner> make(std::string_view name, KeyKind kind, std::string_view seed);
  /// Reads a key file: one line, with or without its line end.
  ///
  /// faults   invalid
  static Result<NoteSigner> parse(std::string_view key_file);

  const NoteKey& key() const { return key_; }

  /// Signs a note's text.
  ///
  /// time     of a cosignature: seconds since 1970-01-01 UTC; otherwise not used
  /// faults   internal
  Result<NoteSignature> sign(std::string_view text, std::uint64_t time = 0) const;

 private:
  NoteSigner(NoteKey key, PrivateKey secret) : key_(std::move(key)), secret_(std::move(secret)) {}

  NoteKey key_;
  PrivateKey secret_;
};

/// The line of a key file, with its line end.
///
/// faults   invalid (name, length of the seed)
Result<Secret> key_file(std::string_view name, KeyKind kind, std::string_view seed);

}  // namespace vestige::merkle
