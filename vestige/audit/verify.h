// verify: was the record rewritten, is anything missing, what is not sealed yet
// (docs/evidence.md). Tampering is what it finds, not an error. Test: test/evidence_verify_test.cc.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "vestige/audit/check.h"
#include "vestige/db/database.h"
#include "vestige/privacy/signed_context.h"

namespace vestige {

/// Something that is not as it was sealed, or not as it should be.
struct Discrepancy {
  // Stable, for machines: "altered", "reattributed", "deleted", "inserted", "sealed-twice", "erased",
  // "entry-altered", "entries-missing", "tree-altered", "rewritten", "checkpoint-altered", "signature",
  // "uncosigned", "rolled-back", "truncated", "forked", "position-altered", "row-changed", "row-missing",
  // "row-unknown", "capture", "expired-otherwise", "hold-release", "taken-though-held", "archive", "archive-missing"; of a change whose policy requires a
  // signature of its context, what
  // that is worth: "unsigned", "bad", "unknown-signer", "expired", "foreign", "replayed"
  std::string code;
  std::optional<std::int64_t> change = std::nullopt;
  std::string table = {};
  std::vector<std::string> parts = {};  // what of it: "values", "key", "context", "op", "time", …
  std::string message = {};             // in words
};

/// Where they go, one at a time, and how far it is.
class VerifySink {
 public:
  VerifySink() = default;
  VerifySink(const VerifySink&) = delete;
  VerifySink& operator=(const VerifySink&) = delete;
  virtual ~VerifySink() = default;
  virtual Result<void> found(const Discrepancy& discrepancy) = 0;
  /// One change more was looked at.
  virtual void step() {}
};

/// A checkpoint that the auditor kept.
struct KeptCheckpoint {
  std::string name;  // of the file
  std::string text;
};

struct VerifyOptions {
  Trust trust;  // without keys, signatures are not checked
  std::vector<KeptCheckpoint> kept;
  std::optional<ContextSigners>
      signers;          // without them, signatures of contexts are not looked into
  std::string archive;  // the directory of an archive that is checked as well; "": none
  bool live = false;    // the trail against the tables, too
};

/// An ERASE that took parts of changes which were sealed before.
struct Erasure {
  std::int64_t change = 0;
  std::uint64_t erased = 0;  // changes of which it took parts
  std::string actor;         // as it says; "": it does not
  std::string reason;
  bool sealed = false;  // it is an entry itself
};

/// An EXPIRE that took changes which were sealed before.
struct Expired {
  std::int64_t change = 0;
  std::uint64_t changes = 0;  // that are gone, and that it names
  std::string retention;      // the class, and how long it is kept
  std::string keep;
  std::string archive;  // SHA-256 of where they are kept, in hex; "": nowhere
  bool sealed = false;  // it is an entry itself
};

/// A change that says it was made much earlier than one before it.
struct EarlyChange {
  std::int64_t change = 0;
  std::int64_t at = 0;      // as it says
  std::int64_t before = 0;  // the change before it, and when that was made
  std::int64_t before_at = 0;
};

struct Verdict {
  std::uint64_t size = 0;           // entries that the last checkpoint covers
  std::string origin;               // of that checkpoint; "": there is none
  bool signature = false;           // it was checked and holds
  std::set<std::string> witnesses;  // names of those who cosigned it, of those that are known
  std::uint64_t verified = 0;       // changes that are as they were sealed, erased parts apart
  std::uint64_t erased = 0;         // changes of which a recorded ERASE took parts
  std::vector<Erasure> erasures;    // which those were, by id
  std::uint64_t expired = 0;        // changes that a recorded EXPIRE took
  std::uint64_t parts = 0;          // of the archive
  std::uint64_t archived = 0;       // of what expired: it stands in the archive, as it was sealed
  std::vector<Expired> expiries;    // which those were, by id
  std::uint64_t unsigned_entries = 0;  // sealed, and not under the last checkpoint yet
  std::uint64_t unsealed = 0;          // not sealed yet
  std::uint64_t unreadable = 0;  // of which a part could not be read when it was sealed, nor now
  std::vector<std::pair<std::int64_t, std::string>>
      unreadable_changes;   // the first of them, and why
  std::uint64_t early = 0;  // that say they were made much earlier than those before them
  std::vector<EarlyChange> early_changes;  // the first of them
  std::uint64_t discrepancies = 0;
  std::map<std::string, std::uint64_t, std::less<>>
      contexts;  // changes by what the signatures of their contexts are worth (kSignedWords)
  std::uint64_t not_signed =
      0;  // transactions whose policies require a signature, and theirs is none that counts
  std::vector<std::string>
      passed_over;  // lines behind the trail's checkpoints that prove nothing, in words
  std::vector<std::string> kept;  // names of kept checkpoints that the trail extends
  std::vector<std::pair<std::string, Error>>
      uncompared;  // tables whose rows the database did not let be read, and why
};

/// Holds every change against its entry, the entries against the tree, and the tree against what was
/// signed; goes on to the end.
///
/// cost     one pass over entries and changes; a bit of memory for each change
/// faults   missing (no trail), offline, corrupt (a kept checkpoint is none; a manifest that cannot be read), missing (no such archive)
Result<Verdict> verify(Database& db, const VerifyOptions& options, VerifySink& sink);

/// One object, without newline (docs/json.md): a finding, and the last one.
std::string to_json(const Discrepancy& one);
std::string to_json(const Verdict& verdict);

}  // namespace vestige
