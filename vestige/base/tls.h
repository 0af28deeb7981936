// TLS to somebody whose certificate is verified: over a socket that is connected already. Test: test/real/delivery.py.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "vestige/base/result.h"

struct ssl_st;
struct ssl_ctx_st;

namespace vestige {

/// Blocks as long as the socket does.
class Tls {
 public:
  /// socket   stays the caller's
  /// host     whose certificate it must be; the authorities are those of the system, or of $SSL_CERT_FILE
  /// faults   offline (also a certificate that does not hold)
  static Result<Tls> begin(int socket, const std::string& host);

  /// faults   offline
  Result<void> write(std::string_view bytes);
  /// Says that no more comes.
  void end();

 private:
  struct FreeSession {
    void operator()(ssl_st* session) const noexcept;
  };
  struct FreeContext {
    void operator()(ssl_ctx_st* context) const noexcept;
  };
  Tls() = default;
  std::unique_ptr<ssl_ctx_st, FreeContext> context_;
  std::unique_ptr<ssl_st, FreeSession> session_;
};

}  // namespace vestige
