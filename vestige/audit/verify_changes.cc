#include "vestige/audit/verify_changes.h"

#include <algorithm>

#include "vestige/base/time.h"
#include "vestige/record/change.h"
#include "vestige/record/taken.h"
#include "vestige/trail/expiry.h"

namespace vestige {
namespace {

// Ids that lie further apart are looked for by queries of their own.
constexpr std::int64_t kGap = 4096;
constexpr std::uint64_t kNamed = 10;

std::optional<Hash> bound(const Salt& salt, const std::optional<std::string>& canonical) {
  if (!canonical.has_value()) return std::nullopt;
  return commitment(salt, *canonical);
}

std::string joined(const std::vector<std::string>& words) {
  std::string out;
  for (std::size_t i = 0; i < words.size(); ++i)
    out += (i == 0 ? "" : i + 1 == words.size() ? " and " : ", ") + words[i];
  return out;
}

// An INSERT, UPDATE, DELETE or BASELINE is never without values, unless they were erased before it was sealed.
bool has_values(std::string_view op) {
  const auto known = op_from_name(op);
  return !known.has_value() || of_a_row(*known);
}

}  // namespace

std::string described(const Entry& entry) {
  return fmt::format("change {} ({} of {}, {})", entry.id, entry.op, entry.table,
                     format_time(entry.at));
}

Result<void> ChangeCheck::report(const Discrepancy& discrepancy) {
  ++verdict_.discrepancies;
  return sink_.found(discrepancy);
}

void ChangeCheck::count(const StoredEntry& stored, const std::set<std::int64_t>& erased_by) {
  for (const std::int64_t by : erased_by) ++erasures_[by];
  if (stored.index >= covered_) return;
  ++verdict_.verified;
  if (!erased_by.empty()) ++verdict_.erased;
}

// It is as it was sealed, which says nothing of what cannot be read.
void ChangeCheck::unreadable(const StoredEntry& stored, const std::string& why) {
  if (++verdict_.unreadable <= kNamed) verdict_.unreadable_changes.emplace_back(stored.id, why);
}

Result<void> ChangeCheck::check(std::vector<StoredEntry> entries, std::uint64_t covered) {
  covered_ = covered;
  std::sort(entries.begin(), entries.end(),
            [](const StoredEntry& one, const StoredEntry& two) { return one.id < two.id; });
  const StoredEntry* begin = entries.data();
  const StoredEntry* const end = begin + entries.size();
  while (begin != end) {
    const StoredEntry* last = begin + 1;
    while (last != end && last->id - (last - 1)->id <= kGap) ++last;
    TRY(cluster(begin, last));
    begin = last;
  }
  return {};
}

Result<void> ChangeCheck::cluster(const StoredEntry* begin, const StoredEntry* end) {
  std::vector<const StoredEntry*> missing;
  std::vector<std::pair<const StoredEntry*, Sealable>> different;
  {
    SealingRange range;
    range.after = begin->id - 1;
    range.upto = (end - 1)->id;
    const auto changes = TRY(read_sealables(db_, range));
    while (const Sealable* change = TRY(changes->next())) {
      while (begin != end && begin->id < change->entry.id) missing.push_back(begin++);
      if (begin == end || begin->id != change->entry.id) continue;  // of another part of the tree
      sink_.step();
      const StoredEntry& stored = *begin++;
      Entry made = change->entry;
      made.key = bound(stored.salts.key, change->key);
      made.context = bound(stored.salts.context, change->context);
      made.values = bound(stored.salts.values, change->values);
      if (to_line(made) != stored.line) different.emplace_back(&stored, *change);
      else if (!change->broken.empty()) unreadable(stored, change->broken);
      else if (change->values.has_value() || !has_values(made.op)) count(stored, {});
      else different.emplace_back(&stored, *change);
    }
  }
  while (begin != end) missing.push_back(begin++);
  for (const auto& [stored, change] : different) TRY(compare(*stored, change));
  for (const StoredEntry* stored : missing) TRY(gone(*stored));
  return {};
}

Result<std::vector<ChangeCheck::Named>> ChangeCheck::named(std::int64_t change) {
  const Spelling trail = spelling_of(db_);
  // An erasure counts when its change stands in the trail; whether that one is as it was sealed is found
  // out like for every other.
  auto rows = TRY(db_.query(
      fmt::format("select e.change, e.parts from {} as e where e.erased = ?1 and exists (select 1"
                  " from {} as c where c.id = e.change and c.op = 'E') order by e.change",
                  trail.table("erased"), trail.table("change")),
      {change}));
  std::vector<Named> found;
  while (TRY(rows->next()) == Step::row) found.push_back({rows->integer(0), rows->text(1)});
  return found;
}

// Salts and changes were read at two moments, unless there is one for all: between them an erasure may have come.
Result<void> ChangeCheck::read_anew(StoredEntry& stored, Sealable& change) {
  if (still_) return {};
  const ReadTransaction moment = TRY(ReadTransaction::begin(db_));
  const auto bundle = TRY(EvidenceStore(db_).bundle(stored.index / merkle::kTileWidth));
  if (bundle.has_value()) stored.salts = salts_at(bundle->salts, stored.index % merkle::kTileWidth);
  SealingRange range;
  range.after = stored.id - 1;
  range.upto = stored.id;
  const auto changes = TRY(read_sealables(db_, range));
  if (const Sealable* now = TRY(changes->next()); now != nullptr) change = *now;
  return {};
}

Result<void> ChangeCheck::compare(StoredEntry stored, Sealable change) {
  const auto entry = parse_entry(stored.line);
  if (!entry.has_value())
    return report({.code = "entry-altered",
                   .change = stored.id,
                   .message = fmt::format("change {}: its entry cannot be read: {}", stored.id,
                                          entry.error().message)});
  TRY(read_anew(stored, change));
  if (!change.broken.empty())
    return report(
        {.code = "altered",
         .change = stored.id,
         .table = entry->table,
         .parts = {"record"},
         .message = fmt::format("{}: it cannot be read: {}", described(*entry), change.broken)});
  return differ(stored, change, *entry);
}

Result<void> ChangeCheck::differ(const StoredEntry& stored, const Sealable& change,
                                 const Entry& entry) {
  const auto erased_by = TRY(named(stored.id));
  std::vector<std::string> parts;
  std::vector<std::string> details;
  std::vector<std::string> lost;
  std::set<std::int64_t> taken_by;
  // Whether an ERASE says so in these words.
  const auto recorded = [&](std::string_view words) {
    bool any = false;
    for (const Named& one : erased_by) {
      if (!takes_so(one.parts, words)) continue;
      taken_by.insert(one.by);
      any = true;
    }
    return any;
  };
  const auto part = [&](std::string_view name, const Salt& salt, const std::optional<Hash>& sealed,
                        const std::optional<std::string>& stands) {
    const bool emptied = has_values(entry.op) && name == "values" && !stands.has_value();
    if (sealed == bound(salt, stands) && !(emptied && !sealed.has_value())) return;
    // Something of a context always stays; the ERASE says what.
    const bool goes =
        name == "context" ? sealed.has_value() && stands.has_value() : !stands.has_value();
    if (is_erased(salt) || !sealed.has_value()) {
      if (goes && recorded(name == "context" ? context_left(*stands) : name)) return;
      if (!stands.has_value()) {
        lost.emplace_back(name);
        return;
      }
    }
    parts.emplace_back(name);
  };
  const auto plain = [&](std::string_view name, const std::string& sealed,
                         const std::string& stands) {
    if (sealed == stands) return;
    parts.emplace_back(name);
    details.push_back(fmt::format("{} {}, not {}", name, sealed, stands));
  };
  const Entry& now = change.entry;
  plain("op", entry.op, now.op);
  plain("table", fmt::format("{} (table {})", entry.table, entry.table_id),
        fmt::format("{} (table {})", now.table, now.table_id));
  plain("time", format_time(entry.at), format_time(now.at));
  plain("tx", std::to_string(entry.tx), std::to_string(now.tx));
  part("key", stored.salts.key, entry.key, change.key);
  part("context", stored.salts.context, entry.context, change.context);
  part("values", stored.salts.values, entry.values, change.values);
  if (!lost.empty())
    TRY(report({.code = "erased",
                .change = stored.id,
                .table = entry.table,
                .parts = lost,
                .message = fmt::format("{}: its {} went, and no ERASE says who took them and why",
                                       described(entry), joined(lost))}));
  if (parts.empty()) {
    if (lost.empty()) count(stored, taken_by);
    return {};
  }
  const bool attribution = std::all_of(parts.begin(), parts.end(), [](const std::string& name) {
    return name == "context" || name == "tx";
  });
  std::string message =
      attribution
          ? fmt::format(
                "{} was given to somebody else: its context (who, why, from where) is not the"
                " one that was sealed",
                described(entry))
          : fmt::format("{}: its {} {} not what was sealed", described(entry), joined(parts),
                        parts.size() == 1 && parts[0] != "values" ? "is" : "are");
  if (!details.empty()) message += fmt::format("; sealed was {}", joined(details));
  return report({.code = attribution ? "reattributed" : "altered",
                 .change = stored.id,
                 .table = entry.table,
                 .parts = std::move(parts),
                 .message = std::move(message)});
}

Result<void> ChangeCheck::gone(const StoredEntry& stored) {
  if (stored.expired_by != 0) {
    ++expired_[stored.expired_by];
    return {};
  }
  if (TRY(expired_since(stored))) return {};
  return deleted(stored);
}

// Entries and changes were read at two moments, unless there is one for all: between them it may have expired.
Result<bool> ChangeCheck::expired_since(const StoredEntry& stored) {
  ExpiryStore expiries(db_);
  if (still_ || !TRY(expiries.stands())) return false;
  const std::uint64_t n = stored.index / merkle::kTileWidth;
  const auto leaves = TRY(expiries.leaves(n, n + 1));
  if (leaves.empty()) return false;
  for (const Expiry& one : TRY(expiries.all())) {
    const auto named = leaves.begin()->second.find(one.change);
    if (named != leaves.begin()->second.end() &&
        named->second.has(stored.index % merkle::kTileWidth))
      return true;
  }
  return false;
}

Result<void> ChangeCheck::deleted(const StoredEntry& stored) {
  const auto entry = parse_entry(stored.line);
  return report({.code = "deleted",
                 .change = stored.id,
                 .table = entry.has_value() ? entry->table : "",
                 .message = fmt::format(
                     "{} was deleted: it is sealed as entry {}",
                     entry.has_value() ? described(*entry) : fmt::format("change {}", stored.id),
                     stored.index)});
}

}  // namespace vestige
