// A notice for syslog: RFC 5424, framed by its length (RFC 6587, RFC 5425). Test: test/real/notify.py.
#pragma once

#include <string>

#include "vestige/rules/notice.h"

namespace vestige {

/// host   who says it; what RFC 5424 does not allow in a name is left out
std::string syslog_frame(const Notice& notice, std::string_view host);

}  // namespace vestige
