#include "vestige/trail/selection.h"

namespace vestige {
namespace {

bool has_column(const std::optional<Row>& values, const std::string& column) {
  return values.has_value() && find(*values, column) != nullptr;
}

class Selected final : public Changes {
 public:
  Selected(std::unique_ptr<Changes> all, const Selection& selection)
      : all_(std::move(all)), column_(selection.column), limit_(selection.limit) {}

  Result<std::optional<Change>> next() override {
    while (limit_ == 0 || given_ < limit_) {
      auto change = TRY(all_->next());
      if (!change.has_value()) break;
      if (column_.has_value() && !has_column(change->old_values, *column_) &&
          !has_column(change->new_values, *column_))
        continue;
      ++given_;
      return change;
    }
    return std::optional<Change>();
  }

 private:
  std::unique_ptr<Changes> all_;
  std::optional<std::string> column_;
  std::int64_t limit_;
  std::int64_t given_ = 0;
};

}  // namespace

std::unique_ptr<Changes> selected(std::unique_ptr<Changes> all, const Selection& selection) {
  return std::make_unique<Selected>(std::move(all), selection);
}

}  // namespace vestige
