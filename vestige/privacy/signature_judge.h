// What the signatures of contexts are worth in a trail: each by itself (signed_context.h), and whether it was used before. A
// signature is for one transaction: a second one in which it stands is a replay. Test: test/signed_context_test.cc.
#pragma once

#include <memory>

#include "vestige/db/database.h"
#include "vestige/privacy/signed_context.h"
#include "vestige/trail/judge.h"

namespace vestige {

/// A judge of a trail's changes, by those signers.
///
/// cost     a check of Ed25519 for a context; and of each signature that holds, what was written since it was made is looked
///          through: once for changes that follow each other. Memory for 200,000 signatures, or twice as many as are as old
///          as one may last.
std::shared_ptr<SignatureJudge> signature_judge(Database& db, ContextSigners signers);

}  // namespace vestige
