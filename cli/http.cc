#include "cli/http.h"

#include <httplib.h>

#include <atomic>
#include <charconv>
#include <chrono>
#include <csignal>
#include <thread>

namespace vestige::cli {
namespace {

constexpr std::size_t kLargestBody = 1 << 20;
constexpr int kSeconds = 10;

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
  return std::pair(address.substr(0, colon), port);
}

void pass_on(const HttpHandler& handler, const httplib::Request& request,
             httplib::Response& response) {
  const HttpAnswer answer = handler({request.method, request.path, request.body});
  response.status = answer.status;
  response.set_content(answer.body, answer.type);
}

}  // namespace

Result<void> serve_http(const std::string& address, const HttpHandler& handler,
                        const std::function<void(int port)>& listening) {
  const auto [host, wanted] = TRY(host_and_port(address));
  httplib::Server server;
  server.set_payload_max_length(kLargestBody);
  server.set_read_timeout(kSeconds);
  server.set_write_timeout(kSeconds);
  const auto pass = [&](const httplib::Request& request, httplib::Response& response) {
    pass_on(handler, request, response);
  };
  server.Get(".*", pass);
  server.Post(".*", pass);

  int port = wanted;
  if (wanted == 0) port = server.bind_to_any_port(host);
  else if (!server.bind_to_port(host, wanted)) port = -1;
  if (port < 0) return fail(Fault::denied, "listen on {}: the address cannot be taken", address);

  // The signals are blocked in every thread and waited for in one.
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGINT);
  sigaddset(&signals, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  std::atomic<bool> over = false;
  std::thread waiting([&] {
    int signal = 0;
    sigwait(&signals, &signal);
    // A signal that comes before the server runs waits until it does: stop() would do nothing.
    while (!over && !server.is_running()) std::this_thread::sleep_for(std::chrono::milliseconds(1));
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

Result<HttpAnswer> post_http(const std::string& url, const std::string& body) {
  const std::size_t scheme = url.find("://");
  const std::size_t slash = scheme == std::string::npos ? scheme : url.find('/', scheme + 3);
  if (slash == std::string::npos || (!url.starts_with("http://") && !url.starts_with("https://")))
    return fail(Fault::invalid, "ask {}: not an http:// address with a path", url);
  httplib::Client client(url.substr(0, slash));
  client.set_connection_timeout(kSeconds);
  client.set_read_timeout(kSeconds);
  const auto answer = client.Post(url.substr(slash), body, "text/plain; charset=utf-8");
  if (!answer)
    return fail(Fault::offline, "ask {}: no answer ({})", url, httplib::to_string(answer.error()));
  return HttpAnswer{answer->status, answer->body, answer->get_header_value("Content-Type")};
}

}  // namespace vestige::cli
