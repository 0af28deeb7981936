#include "vestige/audit/key_filter.h"

#include <algorithm>

#include "vestige/trail/past.h"

namespace vestige {
namespace {

class FilteredStates final : public States {
 public:
  FilteredStates(std::unique_ptr<States> all, KeyFilter filter)
      : all_(std::move(all)), filter_(std::move(filter)) {}

  Result<State> next() override {
    while (State row = TRY(all_->next()))
      if (filter_.matches(*row)) return row;
    return State();
  }

 private:
  std::unique_ptr<States> all_;
  KeyFilter filter_;
};

}  // namespace

Result<KeyFilter> KeyFilter::of(const Tracked& table, Filter filter) {
  KeyFilter out;
  for (const Column& column : table.shape.key()) out.columns_.push_back(column.name);
  for (const Condition& condition : filter.conditions) {
    const std::string text = to_text(Filter{{condition}});
    if (condition.field != "key")
      return hinted(fail(Fault::invalid, "choose rows of {} by {}: rows are chosen by their keys",
                         table.name, text),
                    fmt::format("key:17,18 or key.{}>=17", out.columns_.front()));
    if (!condition.name.empty() &&
        std::find(out.columns_.begin(), out.columns_.end(), condition.name) == out.columns_.end())
      return hinted(fail(Fault::invalid, "choose rows of {} by {}: {} is no column of its key",
                         table.name, text, condition.name),
                    fmt::format("its key is {}", fmt::join(out.columns_, ", ")));
  }
  out.filter_ = std::move(filter);
  return out;
}

bool KeyFilter::matches(const Row& key) const {
  Change change;
  change.key = with_columns(key, columns_);
  return vestige::matches(filter_, change, {});
}

Result<std::unique_ptr<States>> at(Database& db, const std::string& name, const Moment& moment,
                                   const Filter& filter) {
  KeyFilter keys = TRY(KeyFilter::of(TRY(table_with_key(db, name)), filter));
  auto all = TRY(at(db, name, moment));
  if (filter.conditions.empty()) return all;
  return std::unique_ptr<States>(new FilteredStates(std::move(all), std::move(keys)));
}

}  // namespace vestige
