// The console: what is asked becomes an answer. It knows no HTTP library, and prints nothing.
#pragma once

#include "server/call.h"
#include "server/message.h"
#include "server/pages.h"
#include "server/settings.h"

namespace vestige::server {

class Console {
 public:
  explicit Console(Settings settings) : shared_(std::move(settings)) {}

  /// Called by several threads at once.
  Answer answer(const Request& request);

 private:
  Shared shared_;
  Pages pages_;
};

/// What every answer has besides.
std::vector<std::pair<std::string, std::string>> headers_of_all();

/// Serves a console until SIGINT or SIGTERM.
///
/// faults   invalid: an address that others can reach, and nothing that tells them apart; as listen
Result<void> serve_console(Settings settings, const std::function<void(int port)>& listening);

}  // namespace vestige::server
