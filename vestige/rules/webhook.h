// What a webhook is sent, as Standard Webhooks 1.0 says. Test: test/real/notify.py.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "vestige/base/crypto.h"
#include "vestige/rules/notice.h"

namespace vestige {

struct WebhookRequest {
  std::string body;
  std::vector<std::pair<std::string, std::string>> headers;
};

/// secrets   one signature for each: two while one takes the place of the other; none: it is not signed
/// now       of this attempt, microseconds: receivers refuse what is old
WebhookRequest webhook_request(const Notice& notice, const std::vector<Secret>& secrets,
                               std::int64_t now);

/// A secret as it is written: "whsec_" and base64, or its bytes themselves.
///
/// faults   invalid; the message does not repeat it
Result<Secret> webhook_secret(std::string_view text);

}  // namespace vestige
