#include "vestige/feed/feed.h"

#include <algorithm>

#include "vestige/trail/install.h"

namespace vestige {
namespace {

constexpr std::uint64_t kBundles = 32;   // whose entries are at hand
constexpr std::size_t kSome = 2048;      // changes that one query reads
constexpr std::size_t kBytes = 4 << 20;  // and as many bytes, about
constexpr std::size_t kIds = 1000;       // that are named one by one in a query
constexpr std::size_t kAlone = 64;       // that are read one by one after a stream failed
constexpr std::int64_t kSpare =
    1000;  // ids of others that are passed over rather than naming those that are wanted

bool selects_all(const Selection& one) {
  return !one.table.has_value() && !one.row_id.has_value() && !one.since.has_value() &&
         !one.until.has_value() && !one.after.has_value() && !one.upto.has_value() &&
         one.who.empty() && one.db_users.empty() && one.ops.empty() && one.columns.empty() &&
         !one.tx.has_value() && one.ids.empty() && one.filter.conditions.empty();
}

std::size_t weight(const Row& row) {
  std::size_t bytes = 0;
  for (const Field& field : row) {
    bytes += field.name.size() + sizeof(Field);
    if (const auto* text = std::get_if<Text>(&field.value)) bytes += text->bytes.size();
    if (const auto* blob = std::get_if<Blob>(&field.value)) bytes += blob->bytes.size();
    if (const auto* token = std::get_if<Token>(&field.value)) bytes += token->text.size();
  }
  return bytes;
}

std::size_t weight(const Change& change) {
  return sizeof(Change) + weight(change.old_values.value_or(Row())) +
         weight(change.new_values.value_or(Row()));
}

}  // namespace

Result<std::unique_ptr<Feed>> Feed::open(Database& db, const Selection& selection,
                                         std::int64_t after) {
  TRY(require_trail(db));
  TRY(require_evidence(db));
  std::unique_ptr<Feed> feed(new Feed(db, selection, after));
  feed->whole_ = selects_all(selection);
  feed->selection_.oldest_first = true;
  feed->reader_ = TRY(change_reader(db, selection.table, true));
  return feed;
}

// Reads the next entries; false: the tree has no more.
Result<bool> Feed::look_on() {
  const auto next = static_cast<std::uint64_t>(upto_ + 1);
  const std::uint64_t from = next / merkle::kTileWidth;
  places_.clear();
  bundles_ = TRY(store_.bundles(from, from + kBundles));
  first_ = next;
  place_ = alone_ = 0;
  std::uint64_t n = from;
  for (const Bundle& bundle : bundles_) {
    if (bundle.n != n++) break;  // a hole: verify names it
    const auto entries = TRY(merkle::entries_of(bundle.entries, bundle.width));
    for (std::size_t i = 0; i < entries.size(); ++i) {
      if (bundle.n * merkle::kTileWidth + i < next) continue;
      const auto id = entry_id(entries[i]);
      if (!id.has_value())
        return fail(Fault::corrupt, "read entry {}: it is none", bundle.n * merkle::kTileWidth + i);
      places_.push_back({*id, entries[i]});
    }
    if (bundle.width < merkle::kTileWidth) break;
  }
  return !places_.empty();
}

// Places whose ids ascend: they are read by one query. dense: by the range that they span.
std::size_t Feed::some_end(bool& dense) const {
  const std::size_t most = std::min(places_.size(), place_ + kSome);
  std::size_t end = place_ + 1;
  while (end < most && places_[end].id > places_[end - 1].id) ++end;
  const auto count = static_cast<std::int64_t>(end - place_);
  dense = !selection_.ids.empty() || places_[end - 1].id - places_[place_].id < 4 * count + kSpare;
  return dense ? end : std::min(end, place_ + kIds);
}

void Feed::take(Change change) {
  change.index = first_ + place_;
  ready_.push_back(std::move(change));
  pass();
}

Result<void> Feed::take_entry() {
  const Entry entry = TRY(parse_entry(places_[place_].entry));
  Change change;
  change.id = entry.id;
  change.op = TRY(op_from_name(entry.op));
  change.table = entry.table;
  change.at = entry.at;
  change.tx = entry.tx;
  take(std::move(change));
  return {};
}

// No row may be the end of it: where a query fails, the next ones are read each for itself.
Result<void> Feed::may_go_on(const Error& error) {
  if (error.fault != Fault::corrupt && error.fault != Fault::invalid)
    return tl::unexpected<Error>(error);
  alone_ = std::min(place_ + kAlone, places_.size());
  return {};
}

Result<void> Feed::read_some() {
  bool dense = false;
  const std::size_t end = some_end(dense);
  const std::int64_t last = places_[end - 1].id;
  Selection wanted = selection_;
  if (dense) {
    wanted.after = std::max(wanted.after.value_or(0), places_[place_].id - 1);
    wanted.upto = std::min(wanted.upto.value_or(last), last);
  } else {
    for (std::size_t i = place_; i < end; ++i) wanted.ids.push_back(places_[i].id);
  }
  const auto changes = reader_->read(wanted);
  if (!changes.has_value()) return may_go_on(changes.error());
  std::size_t bytes = 0;
  while (place_ < end && bytes < kBytes) {
    auto change = (*changes)->next();
    if (!change.has_value()) return may_go_on(change.error());
    const std::int64_t id = change->has_value() ? (*change)->id : last + 1;
    while (place_ < end && places_[place_].id < id) {
      if (whole_) TRY(take_entry());  // it is gone
      else pass();
    }
    if (place_ == end || places_[place_].id != id) continue;  // it has its place elsewhere
    bytes += weight(**change);
    take(std::move(**change));
  }
  return {};
}

Result<void> Feed::read_one() {
  Selection wanted = selection_;
  const std::int64_t id = places_[place_].id;
  wanted.after = std::max(wanted.after.value_or(0), id - 1);
  wanted.upto = std::min(wanted.upto.value_or(id), id);
  auto change = [&]() -> Result<std::optional<Change>> {
    return TRY(reader_->read(wanted))->next();
  }();
  if (!change.has_value()) {
    if (change.error().fault != Fault::corrupt && change.error().fault != Fault::invalid)
      return tl::unexpected<Error>(change.error());
    said_.push_back({id, change.error().message});
    return take_entry();
  }
  if (change->has_value()) take(std::move(**change));
  else if (whole_) return take_entry();
  else pass();
  return {};
}

// Makes more of them ready, or passes over some; false: the tree has no more.
Result<bool> Feed::fill() {
  if (place_ == places_.size() && !TRY(look_on())) return false;
  if (place_ < alone_) TRY(read_one());
  else TRY(read_some());
  return true;
}

Result<std::optional<Change>> Feed::next() {
  while (ready_.empty()) {
    at_ = upto_;
    if (!TRY(fill())) return std::optional<Change>();
  }
  Change change = std::move(ready_.front());
  ready_.pop_front();
  at_ = static_cast<std::int64_t>(*change.index);
  return std::optional<Change>(std::move(change));
}

}  // namespace vestige
