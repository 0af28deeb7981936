#include "vestige/base/tls.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509_vfy.h>

namespace vestige {
namespace {

tl::unexpected<Error> failed(const SSL* session, std::string_view what) {
  const long verified = session == nullptr ? X509_V_OK : SSL_get_verify_result(session);
  if (verified != X509_V_OK)
    return fail(Fault::offline, "{}: its certificate does not hold ({})", what,
                X509_verify_cert_error_string(verified));
  return fail(Fault::offline, "{}: TLS failed", what);
}

}  // namespace

void Tls::FreeSession::operator()(ssl_st* session) const noexcept { SSL_free(session); }
void Tls::FreeContext::operator()(ssl_ctx_st* context) const noexcept { SSL_CTX_free(context); }

Result<Tls> Tls::begin(int socket, const std::string& host) {
  ERR_clear_error();
  Tls tls;
  tls.context_.reset(SSL_CTX_new(TLS_client_method()));
  if (tls.context_ == nullptr || SSL_CTX_set_default_verify_paths(tls.context_.get()) != 1 ||
      SSL_CTX_set_min_proto_version(tls.context_.get(), TLS1_2_VERSION) != 1)
    return failed(nullptr, "connect");
  SSL_CTX_set_verify(tls.context_.get(), SSL_VERIFY_PEER, nullptr);
  tls.session_.reset(SSL_new(tls.context_.get()));
  SSL* session = tls.session_.get();
  if (session == nullptr || SSL_set_fd(session, socket) != 1) return failed(nullptr, "connect");
  // An address stands in a certificate as an address, a name as a name.
  if (X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(session), host.c_str()) != 1 &&
      (SSL_set1_host(session, host.c_str()) != 1 ||
       SSL_set_tlsext_host_name(session, host.c_str()) != 1))
    return failed(nullptr, "connect");
  if (SSL_connect(session) != 1) return failed(session, "connect");
  return tls;
}

Result<void> Tls::write(std::string_view bytes) {
  ERR_clear_error();
  const int written = SSL_write(session_.get(), bytes.data(), static_cast<int>(bytes.size()));
  if (written != static_cast<int>(bytes.size())) return failed(nullptr, "send");
  return {};
}

void Tls::end() { SSL_shutdown(session_.get()); }

}  // namespace vestige
