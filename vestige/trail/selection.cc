#include "vestige/trail/selection.h"

#include <algorithm>

namespace vestige {
namespace {

bool has_one(const std::optional<Row>& values, const std::vector<std::string>& columns) {
  return values.has_value() && std::any_of(columns.begin(), columns.end(), [&](const auto& column) {
           return find(*values, column) != nullptr;
         });
}

class Selected final : public Changes {
 public:
  Selected(std::unique_ptr<Changes> all, const Selection& selection)
      : all_(std::move(all)), columns_(selection.columns), limit_(selection.limit) {}

  Result<std::optional<Change>> next() override {
    while (limit_ == 0 || given_ < limit_) {
      auto change = TRY(all_->next());
      if (!change.has_value()) break;
      if (!columns_.empty() && !has_one(change->old_values, columns_) &&
          !has_one(change->new_values, columns_))
        continue;
      ++given_;
      return change;
    }
    return std::optional<Change>();
  }

 private:
  std::unique_ptr<Changes> all_;
  std::vector<std::string> columns_;
  std::int64_t limit_;
  std::int64_t given_ = 0;
};

}  // namespace

std::vector<std::string> letters(const std::vector<Op>& ops) {
  std::vector<std::string> out;
  for (const Op op : ops) out.push_back(std::string(1, name(op)[0]));
  return out;
}

std::unique_ptr<Changes> selected(std::unique_ptr<Changes> all, const Selection& selection) {
  return std::make_unique<Selected>(std::move(all), selection);
}

}  // namespace vestige
