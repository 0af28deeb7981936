// Of a change that an archive gave, what is encrypted: as Decoder opens that of its own changes.
#include "vestige/trail/opener.h"
#include "vestige/trail/sqlite/decode.h"

namespace vestige {

Result<void> Decoder::open(Change& change) {
  if (opener_ == nullptr) return {};
  const auto known = shape(change.shape);
  if (!known.has_value()) return {};  // an older trail's, or nobody's
  const Known& own = **known;
  for (auto* row : {&change.old_values, &change.new_values}) {
    if (!row->has_value()) continue;
    for (Field& field : **row)
      for (std::size_t i = 0; i < own.shown.size(); ++i) {
        const Column& column = own.shape.columns[i];
        if (!encrypted_token(field.value).has_value() ||
            (own.shown[i] != field.name && column.name != field.name))
          continue;
        const auto json = opener_->opened(field.value, own.shape.table, column.id);
        auto plain = json.has_value() ? value_from_json(*json) : Result<Value>(field.value);
        if (plain.has_value()) field.value = std::move(plain).take();
      }
  }
  return {};
}

}  // namespace vestige
