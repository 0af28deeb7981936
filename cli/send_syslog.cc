// syslog over TCP and TLS (RFC 6587, RFC 5425).
#include <netdb.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <cstring>

#include "cli/tell.h"
#include "server/beside.h"
#include "vestige/base/tls.h"

namespace vestige::cli {
namespace {

using Clock = std::chrono::steady_clock;
constexpr auto kDeadline = std::chrono::seconds(10);
constexpr timeval kEndPatience = {.tv_sec = 2, .tv_usec = 0};  // for the end of the connection

class Socket {
 public:
  explicit Socket(int descriptor) : descriptor_(descriptor) {}
  Socket(const Socket&) = delete;
  Socket& operator=(const Socket&) = delete;
  ~Socket() {
    if (descriptor_ >= 0) close(descriptor_);
  }
  int get() const { return descriptor_; }

 private:
  int descriptor_;
};

int connected(const std::string& host, const std::string& port) {
  addrinfo wanted = {};
  wanted.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  if (getaddrinfo(host.c_str(), port.c_str(), &wanted, &found) != 0) return -1;
  int descriptor = -1;
  const timeval patience = {.tv_sec = 5, .tv_usec = 0};
  for (const addrinfo* one = found; one != nullptr && descriptor < 0; one = one->ai_next) {
    descriptor = socket(one->ai_family, one->ai_socktype | SOCK_CLOEXEC, one->ai_protocol);
    setsockopt(descriptor, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
    if (descriptor >= 0 && connect(descriptor, one->ai_addr, one->ai_addrlen) != 0) {
      close(descriptor);
      descriptor = -1;
    }
  }
  freeaddrinfo(found);
  return descriptor;
}

Result<void> send_all(int descriptor, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t sent = send(descriptor, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent <= 0) return fail(Fault::offline, "send: {}", std::strerror(errno));
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
  return {};
}

// syslog has no answer: who closes in order took it, and who resets the connection did not.
Result<void> see_the_end(int descriptor) {
  shutdown(descriptor, SHUT_WR);
  setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &kEndPatience, sizeof kEndPatience);
  char answer[256];
  const ssize_t read = recv(descriptor, answer, sizeof answer, 0);
  if (read < 0 && errno != EAGAIN && errno != EWOULDBLOCK)
    return fail(Fault::offline, "send: {}", std::strerror(errno));
  return {};
}

Result<void> talk_to(int descriptor, bool secure, const std::string& host, std::string_view frame) {
  if (!secure) {
    TRY(send_all(descriptor, frame));
    return see_the_end(descriptor);
  }
  Tls tls = TRY(Tls::begin(descriptor, host));
  TRY(tls.write(frame));
  tls.end();
  return see_the_end(descriptor);
}

}  // namespace

Attempt send_syslog(const std::string& address, std::string_view frame) {
  const std::string rest = address.substr(address.find("://") + 3);
  const std::size_t colon = rest.rfind(':');
  std::string host = rest.substr(0, colon);
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  const Socket socket(connected(host, rest.substr(colon + 1)));
  if (socket.get() < 0) return {.error = "nobody takes the connection"};
  const auto begun = Clock::now();
  std::atomic<bool> late = false;
  const server::Beside watch(std::chrono::milliseconds(100), [&] {
    if (Clock::now() - begun < kDeadline) return true;
    late = true;
    shutdown(socket.get(), SHUT_RDWR);
    return false;
  });
  const auto done = talk_to(socket.get(), address.starts_with("tls://"), host, frame);
  if (late) return {.error = "it takes too long"};
  if (!done.has_value()) return {.error = done.error().message};
  return {.delivered = true};
}

}  // namespace vestige::cli
