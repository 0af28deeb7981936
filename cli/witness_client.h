// Asks a witness to cosign a checkpoint.
#pragma once

#include <functional>
#include <string>

#include "vestige/merkle/witness.h"

namespace vestige::cli {

/// The proof that the checkpoint extends the tree of `old_size` entries; empty for 0.
using ProofFrom = std::function<Result<merkle::Proof>(std::uint64_t old_size)>;

/// Asks for the cosignature. A witness that remembers another size than 0 says so, and is asked again
/// from there.
///
/// url         the witness's submission address; "/add-checkpoint" is put behind it
/// checkpoint  the signed note
/// returns     the cosignature, verified
/// faults      invalid (the url), offline (no answer), denied (the witness refuses, in its own words),
///             corrupt (the cosignature is not one), those of `proof_from`
Result<merkle::NoteSignature> ask_witness(const std::string& url, const merkle::NoteKey& witness,
                                          const std::string& checkpoint,
                                          const ProofFrom& proof_from);

}  // namespace vestige::cli
