// HTTP, as little of it as a witness and the metrics need: a server for one handler, and a POST. The library behind it
// (cpp-httplib) is included by http.cc alone.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "vestige/base/result.h"

namespace vestige::server {

struct HttpRequest {
  std::string method;  // GET or POST
  std::string path;    // "/add-checkpoint"
  std::string body;
  std::string host = {};  // the name that was asked, "127.0.0.1:8080"; "" where none was said
};

struct HttpAnswer {
  int status = 200;
  std::string body;
  std::string type = "text/plain; charset=utf-8";
  std::string retry_after = {};  // of who was asked, as it says it
};

/// Called by several threads at once.
using HttpHandler = std::function<HttpAnswer(const HttpRequest&)>;

/// Whether nobody but this machine can ask at an address: 127.0.0.0/8, ::1 or localhost.
///
/// faults   invalid: no address and port
Result<bool> is_loopback(const std::string& address);

/// Serves until SIGINT or SIGTERM.
///
/// address    "127.0.0.1:8080"; port 0 takes any that is free
/// listening  called once, with the port, when requests are taken
/// faults     invalid (the address), denied (it is taken)
Result<void> serve_http(const std::string& address, const HttpHandler& handler,
                        const std::function<void(int port)>& listening);

/// Sends a POST and waits up to ten seconds.
///
/// url      "http://host:port/path"
/// faults   invalid (the url), offline
Result<HttpAnswer> post_http(const std::string& url, const std::string& body);

/// The same with headers; the body of the answer is of no interest. Certificates are verified, and no redirection is followed.
///
/// faults   invalid (no url with a path), offline: does not repeat the url, which may be a secret
Result<HttpAnswer> call_http(const std::string& url, const std::string& body,
                             const std::vector<std::pair<std::string, std::string>>& headers);

}  // namespace vestige::server
