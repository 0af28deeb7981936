// Who asks, and whether they ask from where they may.
#pragma once

#include <optional>
#include <string>

#include "server/message.h"
#include "server/settings.h"

namespace vestige::server {

/// A refusal where the console is asked under a name that is not its own (DNS rebinding).
std::optional<Answer> refused_host(const Settings& settings, const Request& request);

/// A refusal of a POST that a page of another place may have sent.
///
/// form    it comes from the page for signing in, which can set no header
std::optional<Answer> refused_origin(const Request& request, bool form);

/// The user; "" where nobody says who asks.
///
/// faults   denied: nobody who may
Result<std::string> user_of(const Settings& settings, const Request& request);

/// The page for signing in.
///
/// next     where to go then, as a path of this console; whatever else it is, the first page
/// wrong    there was no such token
Answer login_page(const std::string& next, bool wrong);
Answer sign_in(const Settings& settings, const Request& request);

}  // namespace vestige::server
