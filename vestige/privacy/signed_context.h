// Signed contexts: the application signs who, why and from where with a key that the database never sees, and whoever knows the
// public half can tell its words from those of any other session (docs/format.md, "Signed context";
// docs/decisions/0030-signed-context.md). Pure. Tests: signed_context_test.cc, test/vectors/signed_context.json.
#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "vestige/merkle/note.h"
#include "vestige/record/change.h"

namespace vestige {

/// kSignatureField of a context: "<signer> <origin> <issued> <expires> <nonce> <base64>".
struct ContextSignature {
  std::string signer;        // the name of the key
  std::string origin;        // of the trail that it is meant for
  std::int64_t issued = 0;   // seconds since 1970-01-01 UTC
  std::int64_t expires = 0;  // the same; at most a day later
  std::string
      nonce;  // 16 to 64 of A-Z a-z 0-9 - _ and '.', and "*N" where N transactions may have it
  Signature signature{};

  /// How many transactions may have it.
  std::int64_t uses() const;
  /// The transaction that it is bound to (PostgreSQL: vestige.challenge()), or "".
  std::string_view bound_to() const;
};

/// Seconds that an application's clock may be ahead.
inline constexpr std::int64_t kSignedEarly = 60;

/// Reads such a field in its one spelling.
///
/// faults   invalid
Result<ContextSignature> parse_context_signature(std::string_view field);
std::string to_text(const ContextSignature& signature);

/// What of a context is signed, as {FIELDS}: all its fields but the signature, by name, as texts; nothing where one of them is
/// not UTF-8.
std::optional<std::string> signed_fields(const Context& context);

/// The bytes that are signed.
std::string signed_message(const ContextSignature& signature, std::string_view fields);

/// Who may sign, and for whom.
struct ContextSigner {
  std::vector<merkle::NoteKey> keys;      // of one name; several while one takes the other's place
  std::vector<std::string> actors;        // "*" stands for any letters; empty: everybody
  std::optional<std::int64_t> not_after;  // microseconds
};

/// Whose signatures count: [context] of vestige.toml.
struct ContextSigners {
  std::string origin;                 // of this trail
  std::optional<std::int64_t> since;  // microseconds: verify demands none of changes before
  std::vector<ContextSigner> signers;
  std::vector<std::string> tables;  // verify demands one of these, whatever their policies say now
};

/// What a signature is worth, by all that it says itself: one of kSignedWords but replayed, in its time, and outside of that
/// "expired". A signature that is bound to a transaction is "bound", whichever transaction that is.
struct SignatureWorth {
  std::string_view word;
  // Of changes made from here up to there, microseconds.
  std::int64_t from = std::numeric_limits<std::int64_t>::min();
  std::int64_t upto = std::numeric_limits<std::int64_t>::max();

  std::string_view at(std::int64_t micros) const {
    return micros < from || micros > upto ? "expired" : word;
  }
};
SignatureWorth signature_worth(const ContextSigners& signers, const Context& context);

/// The same of a change.
///
/// at       when it was made, microseconds
std::string_view signed_word(const ContextSigners& signers, const Context& context,
                             std::int64_t at);

/// The signature's field for a context.
///
/// lifetime  seconds
/// nonce     as in ContextSignature; empty: a random one
/// faults    invalid: an origin that is no name, a field that is not UTF-8, a lifetime or a nonce that cannot be; internal
Result<std::string> sign_context(const PrivateKey& key, std::string_view signer,
                                 std::string_view origin, const Context& context,
                                 std::int64_t issued, std::int64_t lifetime,
                                 std::string nonce = {});

}  // namespace vestige
