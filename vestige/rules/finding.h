// An alert for a SIEM: a Detection Finding (2004) of OCSF 1.8.0 (docs/siem.md). Test: finding_test.cc, test/real/siem_formats.py.
#pragma once

#include <string>

#include "vestige/rules/alert.h"

namespace vestige {

/// One object, without newline.
std::string ocsf_finding(const Alert& alert);

}  // namespace vestige
