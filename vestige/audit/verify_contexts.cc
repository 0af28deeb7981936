#include "vestige/audit/verify_contexts.h"

#include <algorithm>
#include <set>

#include "vestige/base/time.h"
#include "vestige/privacy/signature_judge.h"
#include "vestige/trail/changes.h"

namespace vestige {
namespace {

constexpr std::size_t kTold = 100'000;  // so many transactions may be under way at once

std::string_view meaning(std::string_view word) {
  if (word == "unsigned") return "its context is not signed";
  if (word == "bad") return "the signature of its context is not its signer's";
  if (word == "unknown-signer") return "its context is signed by nobody who is known";
  if (word == "expired") return "the signature of its context is of another time";
  if (word == "foreign") return "the signature of its context is meant for another trail";
  return "the signature of its context was used before, by another transaction";
}

bool requires_it(const Policy& policy) {
  return std::find(policy.require.begin(), policy.require.end(), kSignatureField) !=
         policy.require.end();
}

// Tables by their policies, and by what the verifier was told, under every name that they had: whoever may track may change a
// policy, and who owns a table its name.
Result<std::set<std::string>> demanding(Database& db, const std::vector<std::string>& told) {
  std::set<std::string> names(told.begin(), told.end());
  for (const std::string& name : told)
    if (auto meant = TRY(meant_table(db, name)); meant.has_value()) names.insert(*std::move(meant));
  std::set<std::string> tables;
  for (const Tracked& table : TRY(tracked_tables(db))) {
    bool demands = requires_it(table.policy) || names.contains(table.name);
    if (!demands && !names.empty())
      for (const Shape& shape : TRY(shapes(db, table.id)))
        demands = demands || names.contains(shape.name);
    if (demands) tables.insert(table.name);
  }
  return tables;
}

// A look at a row, and what took parts of others, is nobody's doing in the application.
bool is_said(Op op) { return op != Op::baseline && !takes_away(op); }

}  // namespace

Result<void> verify_contexts(Database& db, const ContextSigners& signers, VerifySink& sink,
                             Verdict& verdict) {
  const std::set<std::string> tables = TRY(demanding(db, signers.tables));
  Selection selection;
  selection.judge = signature_judge(db, signers);
  selection.oldest_first = true;
  selection.forgiving = true;
  const auto changes = TRY(read_changes(db, selection));
  std::set<std::pair<std::int64_t, std::string>> told;  // of transactions: which words
  while (const auto change = TRY(changes->next())) {
    sink.step();
    const std::string& word = change->signed_word;
    if (!is_said(change->op)) continue;
    ++verdict.contexts[word];
    if (is_well_signed(word) || word == "erased" || !tables.contains(change->table) ||
        (signers.since.has_value() && change->at < *signers.since))
      continue;
    if (told.size() == kTold) told.clear();
    if (!told.emplace(change->tx, word).second) continue;
    ++verdict.not_signed;
    TRY(sink.found(
        {.code = word,
         .change = change->id,
         .table = change->table,
         .parts = {"context"},
         .message = fmt::format("change {} ({} of {}, {}): {}", change->id, name(change->op),
                                change->table, format_time(change->at), meaning(word))}));
  }
  return {};
}

}  // namespace vestige
