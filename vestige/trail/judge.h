// SignatureJudge: says what the signature of a change's context is worth. A trail knows no signers: who does
// (vestige/privacy/signature_judge.h) is given to a selection.
#pragma once

#include "vestige/record/change.h"

namespace vestige {

class SignatureJudge {
 public:
  SignatureJudge() = default;
  SignatureJudge(const SignatureJudge&) = delete;
  SignatureJudge& operator=(const SignatureJudge&) = delete;
  virtual ~SignatureJudge() = default;

  /// Sets Change::signed_word. It may ask the database, while changes are read from it.
  ///
  /// faults   offline, corrupt
  virtual Result<void> judge(Change& change) = 0;
};

}  // namespace vestige
