// Receipt: the proof that one entry stands in a tree, on its own (C2SP tlog-proof).
//
//   c2sp.org/tlog-proof@v1
//   extra base64(...)       Vestige: one line of evidence (record/evidence.h), without its line end
//   index N
//   base64(hash)            from the leaf's neighbour to the root's child
//   (empty line)
//   the checkpoint, a signed note
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "vestige/merkle/proof.h"

namespace vestige::merkle {

struct Receipt {
  std::optional<std::string> extra;  // any bytes; no signature covers them
  std::uint64_t index = 0;
  Proof proof;
  std::string checkpoint;  // the signed note, verbatim
};

std::string to_text(const Receipt& receipt);

/// faults   corrupt; the checkpoint is not looked into
Result<Receipt> parse_receipt(std::string_view text);

}  // namespace vestige::merkle
