// CEF, ArcSight's Common Event Format, revision 27: one line of text, which nearly everything reads.
#pragma once

#include "vestige/feed/event.h"

namespace vestige {

/// A line of CEF, without a header of syslog. A value that is longer than its field may be is cut: it ends in "…", and msg says which.
std::string cef(const Change& change, const Origin& origin);

}  // namespace vestige
