#include "cli/witness_client.h"

#include "cli/printable.h"
#include "server/http.h"
#include "vestige/base/bytes.h"

namespace vestige::cli {

Result<merkle::NoteSignature> ask_witness(const std::string& url, const merkle::NoteKey& witness,
                                          const std::string& checkpoint,
                                          const ProofFrom& proof_from) {
  const std::string address = url + (url.ends_with('/') ? "" : "/") + "add-checkpoint";
  std::uint64_t old_size = 0;
  // The witness may be asked by others at the same time; then its size moves on between two requests.
  for (int attempt = 0; attempt < 3; ++attempt) {
    merkle::AddCheckpoint request{old_size, {}, checkpoint};
    request.proof = TRY(proof_from(old_size));
    const server::HttpAnswer answer = TRY(server::post_http(address, merkle::to_text(request)));
    if (answer.status == 200) return merkle::cosignature_in(answer.body, checkpoint, witness);
    std::string_view text = answer.body;
    if (text.ends_with('\n')) text.remove_suffix(1);
    const auto size = parse_decimal(text);
    if (answer.status != 409 || !size.has_value())
      return fail(Fault::denied, "ask {}: it refuses with {}: {}", address, answer.status,
                  text.substr(0, 200));
    old_size = *size;
  }
  return fail(Fault::conflict, "ask {}: its size changes with every request", address);
}

}  // namespace vestige::cli
