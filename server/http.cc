#include "server/http.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <sys/socket.h>

#include <algorithm>
#include <atomic>
#include <charconv>
#include <chrono>
#include <csignal>
#include <map>
#include <thread>
#include <tuple>

#include "server/beside.h"
#include "server/http_server.h"
#include "vestige/base/host.h"

namespace vestige::server {
namespace {

constexpr std::size_t kLargestBody = 1 << 20;
constexpr std::size_t kLargestAnswer = 64 << 10;
constexpr int kSeconds = 10;
constexpr std::size_t kThreads = 128;
constexpr std::size_t kConnections = 96;  // of all together
constexpr std::size_t kOfOneAddress = 32;

using Clock = std::chrono::steady_clock;

// Ends connections that take too long, and the oldest ones where there are too many: of one address, and of all. The
// library behind has a limit for each read only, and a byte every nine seconds would keep a thread for ever.
class Doorkeeper {
 public:
  void look() {
    const auto now = Clock::now();
    std::map<Connection, Clock::time_point> standing;
    for (const auto& [descriptor, address, port] : connections()) {
      const Connection one{descriptor, address, port};
      const auto known = since_.find(one);
      standing.emplace(one, known == since_.end() ? now : known->second);
    }
    since_ = std::move(standing);
    std::vector<std::pair<Clock::time_point, Connection>> oldest_last;
    for (const auto& [one, begun] : since_) oldest_last.emplace_back(begun, one);
    std::sort(oldest_last.rbegin(), oldest_last.rend());
    std::map<std::string, std::size_t> of_address;
    std::size_t all = 0;
    for (const auto& [begun, one] : oldest_last) {
      const bool late = now - begun > std::chrono::seconds(kSeconds);
      if (late || ++of_address[std::get<1>(one)] > kOfOneAddress || ++all > kConnections)
        shutdown(std::get<0>(one), SHUT_RDWR);
    }
  }

 private:
  using Connection = std::tuple<int, std::string, std::uint16_t>;

  // The process has no others than those that came to the server.
  static std::vector<Connection> connections() {
    std::vector<Connection> found;
    DIR* open = opendir("/proc/self/fd");
    if (open == nullptr) return found;
    while (const dirent* entry = readdir(open)) {
      const int descriptor = std::atoi(entry->d_name);
      sockaddr_storage peer = {};
      socklen_t size = sizeof peer;
      if (entry->d_name[0] == '.' ||
          getpeername(descriptor, reinterpret_cast<sockaddr*>(&peer), &size) != 0)
        continue;
      char host[NI_MAXHOST] = "";
      char port[NI_MAXSERV] = "";
      if ((peer.ss_family == AF_INET || peer.ss_family == AF_INET6) &&
          getnameinfo(reinterpret_cast<sockaddr*>(&peer), size, host, sizeof host, port,
                      sizeof port, NI_NUMERICHOST | NI_NUMERICSERV) == 0)
        found.emplace_back(descriptor, host, static_cast<std::uint16_t>(std::atoi(port)));
    }
    closedir(open);
    return found;
  }

  std::map<Connection, Clock::time_point> since_;
};

void pass_on(const HttpHandler& handler, const httplib::Request& request, std::string body,
             httplib::Response& response) {
  const HttpAnswer answer =
      handler({request.method, request.path, std::move(body), request.get_header_value("Host")});
  response.status = answer.status;
  response.set_content(answer.body, answer.type);
}

}  // namespace

Result<std::pair<std::string, int>> host_and_port(const std::string& address) {
  const std::size_t colon = address.rfind(':');
  int port = -1;
  if (colon != std::string::npos && colon != 0) {
    const char* last = address.data() + address.size();
    const auto [end, error] = std::from_chars(address.data() + colon + 1, last, port);
    if (error != std::errc() || end != last) port = -1;
  }
  if (port < 0 || port > 65535)
    return hinted(fail(Fault::invalid, "listen on '{}': not an address and a port", address),
                  "write 127.0.0.1:8080");
  std::string host = address.substr(0, colon);
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);  // IPv6
  return std::pair(std::move(host), port);
}

Result<bool> is_loopback(const std::string& address) {
  return is_this_machine(TRY(host_and_port(address)).first);
}

sigset_t block_stop_signals() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGINT);
  sigaddset(&signals, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  return signals;
}

Result<void> run_until_signalled(httplib::Server& server, const std::string& address,
                                 const std::function<void(int port)>& listening,
                                 const std::function<void()>& ending) {
  const auto [host, wanted] = TRY(host_and_port(address));
  int port = wanted;
  if (wanted == 0) port = server.bind_to_any_port(host);
  else if (!server.bind_to_port(host, wanted)) port = -1;
  if (port < 0) return fail(Fault::denied, "listen on {}: the address cannot be taken", address);

  const sigset_t signals = block_stop_signals();
  std::atomic<bool> over = false;
  std::thread waiting([&] {
    int signal = 0;
    sigwait(&signals, &signal);
    // A signal that comes before the server runs waits until it does: stop() would do nothing.
    while (!over && !server.is_running()) std::this_thread::sleep_for(std::chrono::milliseconds(1));
    ending();
    server.stop();
  });
  listening(port);
  const bool ended = server.listen_after_bind();
  over = true;
  if (!ended) pthread_kill(waiting.native_handle(), SIGTERM);
  waiting.join();
  if (!ended) return fail(Fault::internal, "serve on {}: the server ended by itself", address);
  return {};
}

Result<void> serve_http(const std::string& address, const HttpHandler& handler,
                        const std::function<void(int port)>& listening) {
  httplib::Server server;
  server.set_payload_max_length(kLargestBody);
  server.set_read_timeout(kSeconds);
  server.set_write_timeout(kSeconds);
  server.set_keep_alive_max_count(1);
  server.new_task_queue = [] { return new httplib::ThreadPool(kThreads); };
  server.Get(".*", [&](const httplib::Request& request, httplib::Response& response) {
    pass_on(handler, request, "", response);
  });
  // A body is counted as it comes: one in chunks does not say before how long it is.
  server.Post(".*", [&](const httplib::Request& request, httplib::Response& response,
                        const httplib::ContentReader& reader) {
    std::string body;
    const bool whole = reader([&](const char* bytes, std::size_t size) {
      if (body.size() + size > kLargestBody) return false;
      body.append(bytes, size);
      return true;
    });
    if (whole) pass_on(handler, request, std::move(body), response);
    else response.status = 413;
  });

  block_stop_signals();
  Doorkeeper doorkeeper;
  const Beside watch(std::chrono::milliseconds(100), [&] {
    doorkeeper.look();
    return true;
  });
  return run_until_signalled(server, address, listening, [] {});
}

namespace {

struct Exchange {
  HttpAnswer answer;
  bool answered = false;  // there is a status
  bool late = false;
  bool too_long = false;
  std::string error;
};

Result<std::size_t> path_in(const std::string& url) {
  const std::size_t scheme = url.find("://");
  const std::size_t slash = scheme == std::string::npos ? scheme : url.find('/', scheme + 3);
  if (slash == std::string::npos || (!url.starts_with("http://") && !url.starts_with("https://")))
    return fail(Fault::invalid, "ask {}: not an http:// address with a path", url);
  return slash;
}

// The whole of it has an end, however slowly it comes; and it is no longer than any answer of a witness.
Exchange exchange(const std::string& url, std::size_t slash, httplib::Request& request) {
  httplib::Client client(url.substr(0, slash));
  client.set_connection_timeout(kSeconds);
  client.set_read_timeout(kSeconds);
  const auto begun = Clock::now();
  Exchange found;
  std::atomic<bool> late = false;
  const Beside watch(std::chrono::milliseconds(100), [&] {
    if (Clock::now() - begun < std::chrono::seconds(kSeconds)) return true;
    late = true;
    client.stop();
    return false;
  });
  request.method = "POST";
  request.path = url.substr(slash);
  request.response_handler = [&](const httplib::Response& response) {
    found.answered = true;
    found.answer.status = response.status;
    found.answer.type = response.get_header_value("Content-Type");
    found.answer.retry_after = response.get_header_value("Retry-After");
    return true;
  };
  request.content_receiver = [&](const char* bytes, std::size_t size, std::uint64_t,
                                 std::uint64_t) {
    found.too_long = found.answer.body.size() + size > kLargestAnswer;
    if (!found.too_long) found.answer.body.append(bytes, size);
    return !found.too_long;
  };
  const auto answer = client.send(request);
  found.late = late;
  if (!answer) {
    found.error = httplib::to_string(answer.error());
    return found;
  }
  found.answered = true;  // one without a body has no moment before it
  found.answer.status = answer->status;
  found.answer.retry_after = answer->get_header_value("Retry-After");
  return found;
}

}  // namespace

Result<HttpAnswer> post_http(const std::string& url, const std::string& body) {
  const std::size_t slash = TRY(path_in(url));
  httplib::Request request;
  request.body = body;
  request.set_header("Content-Type", "text/plain; charset=utf-8");
  Exchange found = exchange(url, slash, request);
  if (found.too_long)
    return fail(Fault::offline, "ask {}: its answer is longer than {} bytes", url, kLargestAnswer);
  if (found.late) return fail(Fault::offline, "ask {}: no answer within {} s", url, kSeconds);
  if (!found.error.empty()) return fail(Fault::offline, "ask {}: no answer ({})", url, found.error);
  return std::move(found.answer);
}

Result<HttpAnswer> call_http(const std::string& url, const std::string& body,
                             const std::vector<std::pair<std::string, std::string>>& headers) {
  const std::size_t slash = TRY(path_in(url));
  httplib::Request request;
  request.body = body;
  request.set_header("Content-Type", "application/json");
  request.set_header("User-Agent", "vestige/" VESTIGE_VERSION);
  for (const auto& [name, value] : headers) request.set_header(name, value);
  Exchange found = exchange(url, slash, request);
  if (found.answered) return std::move(found.answer);  // whatever became of the body
  if (found.late) return fail(Fault::offline, "no answer within {} s", kSeconds);
  return fail(Fault::offline, "no answer ({})", found.error);
}

}  // namespace vestige::server
