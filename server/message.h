// What is asked over HTTP, and what is answered; no more of HTTP than the console needs.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "vestige/base/result.h"

namespace vestige::server {

struct Request {
  std::string method;                                        // GET, POST; HEAD is asked as GET
  std::string path;                                          // as it came: "/t/a%2Cb"
  std::vector<std::string> segments;                         // of the path, as they came
  std::vector<std::pair<std::string, std::string>> query;    // decoded
  std::vector<std::pair<std::string, std::string>> headers;  // names in small letters
  std::string raw_query;                                     // as it came
  std::string body;
  std::string peer;  // the address that the connection came from

  /// Nothing: it is not there, or there are several.
  std::optional<std::string> header(std::string_view name) const;
  /// The first of that name.
  std::optional<std::string> asked(std::string_view name) const;
};

/// Takes a target apart ("/api/v1/changes?q=who%3Aann") into path, segments and query.
///
/// faults   invalid: a percent sign without two digits behind it, too many words
Result<void> read_target(std::string_view target, Request& request);

/// "%2C" is a comma; of a query + is a space.
///
/// faults   invalid
Result<std::string> percent_decoded(std::string_view text, bool plus_is_space = false);
std::string percent_encoded(std::string_view text);

/// Where the body of an answer goes that is sent while it is made.
class Writer {
 public:
  Writer() = default;
  Writer(const Writer&) = delete;
  Writer& operator=(const Writer&) = delete;
  virtual ~Writer() = default;
  /// False: nobody reads any more, or the server ends.
  virtual bool write(std::string_view bytes) = 0;
  virtual bool wanted() = 0;
};

struct Answer {
  int status = 200;
  std::string type = "application/json";
  std::string body = {};
  std::vector<std::pair<std::string, std::string>> headers = {};
  // Where it is set it makes the body. An error breaks the answer off in a way that its reader notices.
  std::function<Result<void>(Writer&)> stream = nullptr;
};

/// What a fault is called in HTTP.
int status_of(Fault fault);

/// An error as RFC 9457 has it.
Answer problem(const Error& error);
Answer problem(int status, std::string_view kind, const std::string& detail,
               const std::string& hint = "");

/// Called by several threads at once.
using Handler = std::function<Answer(const Request&)>;

/// Serves until SIGINT or SIGTERM: one request a connection, a pool of threads, limits for what comes and for how long it takes.
///
/// address    "127.0.0.1:8470"; port 0 takes any that is free
/// always     headers that every answer has
/// listening  called once, with the port, when requests are taken
/// faults     invalid (the address), denied (it is taken)
Result<void> listen(const std::string& address, const Handler& handler,
                    const std::vector<std::pair<std::string, std::string>>& always,
                    const std::function<void(int port)>& listening);

}  // namespace vestige::server
