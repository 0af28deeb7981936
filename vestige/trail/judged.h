// Who asks what signatures of contexts are worth, and whether anybody can say so.
#pragma once

#include "vestige/record/filter.h"
#include "vestige/trail/judge.h"

namespace vestige {

/// A filter that asks for signatures needs a judge.
///
/// faults   invalid
Result<void> require_judge(const Filter& filter, const SignatureJudge* judge);

}  // namespace vestige
