#include "vestige/merkle/receipt.h"

#include "vestige/base/bytes.h"

namespace vestige::merkle {
namespace {

constexpr std::string_view kFirst = "c2sp.org/tlog-proof@v1\n";
constexpr std::size_t kLongestProof = 64;

auto bad(std::string_view why) { return fail(Fault::corrupt, "read a receipt: {}", why); }

}  // namespace

std::string to_text(const Receipt& receipt) {
  std::string out(kFirst);
  if (receipt.extra.has_value()) out += "extra " + to_base64(*receipt.extra) + "\n";
  out += fmt::format("index {}\n", receipt.index);
  for (const Hash& hash : receipt.proof) out += to_base64(view(hash)) + "\n";
  return out + "\n" + receipt.checkpoint;
}

Result<Receipt> parse_receipt(std::string_view text) {
  if (!text.starts_with(kFirst)) return bad("its first line is not c2sp.org/tlog-proof@v1");
  text.remove_prefix(kFirst.size());
  Receipt receipt;
  bool index = false;
  for (;;) {
    const std::size_t end = text.find('\n');
    if (end == std::string_view::npos) return bad("it ends before its checkpoint");
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(end + 1);
    if (!index && !receipt.extra.has_value() && line.starts_with("extra ")) {
      auto extra = from_base64(line.substr(6));
      if (!extra.has_value()) return bad("its extra line is not base64");
      receipt.extra = std::move(*extra);
    } else if (!index) {
      const auto number = parse_decimal(line.starts_with("index ") ? line.substr(6) : "");
      if (!number.has_value()) return bad("it has no index line");
      receipt.index = *number;
      index = true;
    } else if (line.empty()) {
      receipt.checkpoint = text;
      return receipt;
    } else {
      const auto hash = from_base64(line);
      if (!hash.has_value() || hash->size() != 32)
        return bad("a hash is not the base64 of 32 bytes");
      if (receipt.proof.size() == kLongestProof) return bad("its proof has more than 64 hashes");
      receipt.proof.push_back(to_array<32>(*hash));
    }
  }
}

}  // namespace vestige::merkle
