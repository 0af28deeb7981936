// What the servers of HTTP have in common. Of those who include httplib, and for them only.
#pragma once

#include <httplib.h>

#include <csignal>
#include <functional>
#include <string>
#include <utility>

#include "vestige/base/result.h"

namespace vestige::server {

/// faults   invalid: no address and port
Result<std::pair<std::string, int>> host_and_port(const std::string& address);

/// The signals are blocked in this thread and those that it starts from here on, and waited for in one. Gives them.
sigset_t block_stop_signals();

/// Takes the address and serves until SIGINT or SIGTERM.
///
/// listening  called once, with the port
/// ending     called when a signal came, before the server stops
/// faults     denied (the address is taken), internal
Result<void> run_until_signalled(httplib::Server& server, const std::string& address,
                                 const std::function<void(int port)>& listening,
                                 const std::function<void()>& ending);

}  // namespace vestige::server
