#include "vestige/rules/webhook.h"

#include "vestige/base/bytes.h"
#include "vestige/base/cipher.h"
#include "vestige/base/time.h"

namespace vestige {
namespace {

constexpr std::int64_t kMicros = 1'000'000;  // in a second

}  // namespace

Result<Secret> webhook_secret(std::string_view text) {
  constexpr std::string_view kPrefix = "whsec_";
  while (!text.empty() && (text.back() == '\n' || text.back() == '\r')) text.remove_suffix(1);
  if (text.empty()) return fail(Fault::invalid, "the secret is empty");
  if (!text.starts_with(kPrefix)) return Secret(std::string(text));
  auto bytes = from_base64(text.substr(kPrefix.size()));
  if (!bytes.has_value() || bytes->empty())
    return fail(Fault::invalid, "what follows whsec_ in the secret is not base64");
  return Secret(*std::move(bytes));
}

WebhookRequest webhook_request(const Notice& notice, const std::vector<Secret>& secrets,
                               std::int64_t now) {
  WebhookRequest request;
  request.body = fmt::format(R"({{"type":"vestige.alert","timestamp":"{}","data":{}}})",
                             format_time(notice.at), notice.json);
  const std::string seconds = std::to_string(now / kMicros);
  std::string signatures;
  for (const Secret& secret : secrets) {
    const Hash hash =
        hmac(secret.bytes(), fmt::format("{}.{}.{}", notice.id, seconds, request.body));
    signatures += fmt::format("{}v1,{}", signatures.empty() ? "" : " ", to_base64(view(hash)));
  }
  request.headers = {{"webhook-id", notice.id}, {"webhook-timestamp", seconds}};
  if (!signatures.empty()) request.headers.emplace_back("webhook-signature", signatures);
  return request;
}

}  // namespace vestige
