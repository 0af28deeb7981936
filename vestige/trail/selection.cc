#include "vestige/trail/selection.h"

#include <algorithm>

#include "vestige/trail/judged.h"

namespace vestige {
namespace {

bool has_one(const std::optional<Row>& values, const std::vector<std::string>& columns) {
  return values.has_value() && std::any_of(columns.begin(), columns.end(), [&](const auto& column) {
           return find(*values, column) != nullptr;
         });
}

class Selected final : public Changes {
 public:
  Selected(std::unique_ptr<Changes> all, const Selection& selection,
           std::map<std::string, TableFacts> tables)
      : all_(std::move(all)),
        columns_(selection.columns),
        filter_(selection.filter),
        tables_(std::move(tables)),
        judge_(selection.judge),
        limit_(selection.limit) {}

  Result<std::optional<Change>> next() override {
    TRY(require_judge(filter_, judge_.get()));
    while (limit_ == 0 || given_ < limit_) {
      auto change = TRY(all_->next());
      if (!change.has_value()) break;
      if (!columns_.empty() && !has_one(change->old_values, columns_) &&
          !has_one(change->new_values, columns_))
        continue;
      if (judge_ != nullptr) TRY(judge_->judge(*change));
      if (!matches(filter_, *change, tables_)) continue;
      ++given_;
      return change;
    }
    return std::optional<Change>();
  }

 private:
  std::unique_ptr<Changes> all_;
  std::vector<std::string> columns_;
  Filter filter_;
  std::map<std::string, TableFacts> tables_;
  std::shared_ptr<SignatureJudge> judge_;
  std::int64_t limit_;
  std::int64_t given_ = 0;
};

}  // namespace

Result<void> require_judge(const Filter& filter, const SignatureJudge* judge) {
  if (judge != nullptr || !asks_signed(filter)) return {};
  return hinted(fail(Fault::invalid, "read the filter: signed: no signers are known here"),
                "[context.signers] of vestige.toml names them; log, report and rules ask them");
}

std::vector<std::string> letters(const std::vector<Op>& ops) {
  std::vector<std::string> out;
  for (const Op op : ops) out.emplace_back(letter(op));
  return out;
}

Selection narrowed(const Selection& selection) {
  Selection out = selection;
  for (const Condition& condition : selection.filter.conditions) {
    if (condition.negated || !condition.plain()) continue;
    std::vector<std::string> words;
    for (const FilterWord& word : condition.words) words.push_back(word.text);
    const std::string& field = condition.field;
    if (field == "who" && out.who.empty()) out.who = words;
    if (field == "since")
      out.since = std::max(out.since.value_or(condition.numbers[0]),
                           *std::min_element(condition.numbers.begin(), condition.numbers.end()));
    if (field == "until")
      out.until = std::min(out.until.value_or(condition.numbers[0]),
                           *std::max_element(condition.numbers.begin(), condition.numbers.end()));
    if (field == "tx" && !out.tx.has_value() && condition.numbers.size() == 1)
      out.tx = condition.numbers[0];
    if (field == "id" && out.ids.empty()) out.ids = condition.numbers;
    if (field == "op" && out.ops.empty())
      for (const std::string& word : words)
        if (const auto op = op_from_name(word); op.has_value()) out.ops.push_back(*op);
  }
  return out;
}

Result<std::map<std::string, TableFacts>> facts(Database& db, const Filter& filter) {
  std::map<std::string, TableFacts> out;
  const bool asked = std::any_of(filter.conditions.begin(), filter.conditions.end(),
                                 [](const Condition& condition) {
                                   return condition.field == "tag" || condition.field == "class";
                                 });
  if (asked)
    for (const Tracked& table : TRY(tracked_tables(db)))
      out.try_emplace(table.name, TableFacts{table.policy.classification, table.policy.tags});
  return out;
}

std::unique_ptr<Changes> selected(std::unique_ptr<Changes> all, const Selection& selection,
                                  std::map<std::string, TableFacts> tables) {
  return std::make_unique<Selected>(std::move(all), selection, std::move(tables));
}

Result<std::vector<SaidContext>> said_in(Rows& rows) {
  std::vector<SaidContext> out;
  while (TRY(rows.next()) == Step::row) {
    SaidContext one = {rows.integer(0), rows.integer(1), rows.text(2), {}};
    const auto fields = row_from_json(rows.text(3));
    const Value* signature = fields.has_value() ? find(*fields, kSignatureField) : nullptr;
    if (signature != nullptr) one.signature = to_display(*signature);
    out.push_back(std::move(one));
  }
  return out;
}

Result<std::vector<std::int64_t>> ids_of(std::unique_ptr<Changes> changes) {
  std::vector<std::int64_t> ids;
  while (const auto change = TRY(changes->next())) ids.push_back(change->id);
  return ids;
}

}  // namespace vestige
