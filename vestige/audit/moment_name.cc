// Moments by the names that the trail gives them, last, tx:12, 17~, ~3, and by those that people gave: marks.

#include "vestige/audit/at.h"
#include "vestige/audit/mark.h"
#include "vestige/audit/stat.h"
#include "vestige/base/number.h"
#include "vestige/trail/track.h"

namespace vestige {
namespace {

std::optional<std::int64_t> id_in(std::string_view text) {
  const auto number = whole_number<std::int64_t>(text);
  return number.value_or(-1) < 0 ? std::nullopt : number;
}

// The change so many before one, or before the last; 0 where there are not so many. That somebody read the trail does not count: where
// that is recorded, asking would move what is asked for.
Result<Moment> changes_before(Database& db, std::optional<std::int64_t> id, std::int64_t back) {
  const auto reads = TRY(known_own_table(db, "access"));
  Selection selection;
  selection.upto = id;
  if (!reads.has_value()) selection.limit = back + 1;
  auto changes = TRY(read_changes(db, selection));
  std::int64_t left = back;
  while (const auto change = TRY(changes->next())) {
    if (reads.has_value() && change->table == reads->name && change->id != id) continue;
    if (left-- == 0) return Moment{Moment::Kind::change, change->id};
  }
  return Moment{Moment::Kind::change, 0};
}

// The first change of a transaction, or the last one.
Result<std::int64_t> end_of(Database& db, std::int64_t tx, bool first) {
  Selection selection;
  selection.tx = tx;
  selection.oldest_first = first;
  selection.limit = 1;
  const auto change = TRY(TRY(read_changes(db, selection))->next());
  if (!change.has_value()) return fail(Fault::missing, "find tx {}: no such transaction", tx);
  return change->id;
}

// The first change of the transaction that began so many before a change; nothing where there are not so many.
Result<std::optional<std::int64_t>> begun_before(Database& db, std::int64_t id, std::int64_t back) {
  Selection earlier;
  earlier.upto = id - 1;
  TransactionStats stats(TRY(read_changes(db, earlier)));
  std::optional<std::int64_t> begun;
  for (std::int64_t i = 0; i < back; ++i) {
    const auto stat = TRY(stats.next());
    if (!stat.has_value()) return std::optional<std::int64_t>();
    begun = stat->first;
  }
  return begun;
}

// The last change that was made before a transaction began.
Result<Moment> before_transaction(Database& db, std::int64_t tx, std::int64_t back) {
  std::optional<std::int64_t> begun = TRY(end_of(db, tx, true));
  if (back > 1) begun = TRY(begun_before(db, *begun, back - 1));
  if (!begun.has_value()) return Moment{Moment::Kind::change, 0};
  return changes_before(db, begun, 1);
}

Result<Moment> before_mark(Database& db, std::string_view name, std::int64_t back) {
  const Moment place = TRY(marked(db, std::string(name)));
  if (back == 0 || place.value == 0) return place;
  return changes_before(db, place.value, back);
}

}  // namespace

Result<Moment> find_moment(Database& db, std::string_view text, const Now& now) {
  constexpr std::string_view kTx = "tx:";
  constexpr std::string_view kMark = "mark:";
  const std::size_t tilde = text.find('~');
  const std::string_view name = text.substr(0, tilde);
  std::optional<std::int64_t> back = 0;
  if (tilde != std::string_view::npos)
    back = tilde + 1 == text.size() ? 1 : id_in(text.substr(tilde + 1));
  const bool relative = tilde != std::string_view::npos;
  if (!back.has_value())
    return hinted(
        fail(Fault::invalid, "read the moment '{}': what stands behind ~ is no number", text),
        "17~ is just before change 17, last~3 three changes before the last");
  if (name.starts_with(kTx)) {
    const auto tx = id_in(name.substr(kTx.size()));
    if (!tx.has_value())
      return hinted(
          fail(Fault::invalid, "read the moment '{}': the transaction is no number", text),
          "tx:12 is just after transaction 12, tx:12~ just before it");
    if (*back > 0) return before_transaction(db, *tx, *back);
    const std::int64_t last = TRY(end_of(db, *tx, false));
    return Moment{Moment::Kind::change, last};
  }
  if (name == "last" || (relative && name.empty())) return changes_before(db, std::nullopt, *back);
  if (name.starts_with(kMark)) return before_mark(db, name.substr(kMark.size()), *back);
  auto plain = parse_moment(name, now);
  if (!relative && plain.has_value()) return plain;
  if (!plain.has_value()) {
    const auto mark = before_mark(db, name, *back);
    const bool known = mark.has_value() || mark.error().fault != Fault::missing;
    if (known || mark.error().hint.starts_with("did you mean")) return mark;
    if (!relative) return plain;
  }
  const auto id = id_in(name);
  if (!id.has_value())
    return hinted(
        fail(Fault::invalid, "read the moment '{}': ~ counts changes, or transactions", text),
        "17~ is just before change 17, tx:12~ just before transaction 12");
  TRY(resolve(db, {Moment::Kind::change, *id}));
  return changes_before(db, *id, *back);
}

}  // namespace vestige
