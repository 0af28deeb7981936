// The sealing order on PostgreSQL: what ended between two snapshots, each run of that by id
// (docs/decisions/0014-sealed-order.md).
#include <algorithm>
#include <limits>

#include "vestige/trail/id_set.h"
#include "vestige/trail/postgres/position.h"
#include "vestige/trail/postgres/sealables.h"

namespace vestige::postgres {
namespace {

// Leaves out what is sealed already, and stops after so many.
class NotSealed final : public Sealables {
 public:
  NotSealed(std::unique_ptr<Sealables> all, const IdSet& sealed, std::int64_t limit)
      : all_(std::move(all)), sealed_(sealed), left_(limit) {}

  Result<const Sealable*> next() override {
    while (left_ > 0) {
      const Sealable* one = TRY(all_->next());
      if (one == nullptr) return nullptr;
      if (sealed_.contains(one->entry.id)) continue;
      --left_;
      return one;
    }
    return nullptr;
  }

 private:
  std::unique_ptr<Sealables> all_;
  const IdSet& sealed_;
  std::int64_t left_;
};

bool holds(const std::vector<Xid>& xids, Xid xid) {
  return std::binary_search(xids.begin(), xids.end(), xid);
}

class PostgresOrder final : public SealingOrder {
 public:
  explicit PostgresOrder(EvidenceStore& store) : db_(store.db()) {}

  Result<void> load() {
    here_ = TRY(home_of(db_));
    const auto found = TRY(read_position(db_));
    if (found.has_value()) position_ = *found;
    return {};
  }

  Result<std::unique_ptr<Sealables>> next(std::int64_t limit) override {
    if (!is_at(position_, here_)) return next_of_restored(limit);
    if (position_.run.has_value()) run_ = position_.run;  // another sealer began it and was stopped
    if (!run_.has_value()) run_ = TRY(run_from_now());
    SealingRange range;
    range.due = due();
    if (range.due->ended.empty() && run_->end == position_.sealed) {
      run_.reset();
      done_ = true;
      return nullptr;
    }
    range.after = std::max(lowest(*range.due), position_.last_id);
    range.upto = run_->through;
    range.limit = limit;
    // Rows that came with a restored trail may have an xid by chance that was at work when it was first sealed here.
    if (range.after >= position_.restored) return postgres::read_sealables(db_, range);
    range.limit = 0;
    return unsealed_of(range, limit);
  }

  Result<bool> advance(std::uint64_t before, std::uint64_t after, std::int64_t last_id,
                       bool ended) override {
    Position to = position_;
    to.size = after;
    if (!is_at(position_, here_)) {
      if (last_id != 0) restored_last_ = last_id;
      if (ended) settle_restored(to);
    } else {
      to.home = here_;
      to.run = run_;
      if (last_id != 0) to.last_id = last_id;
      if (ended) end_run(to);
    }
    if (position_.size != before) return false;
    if (to != position_) {
      const auto found = TRY(read_position(db_));
      if (found.value_or(Position()) != position_) return false;
      TRY(write_position(db_, to));
    }
    done_ = ended && is_at(position_, here_);
    if (ended) run_.reset();
    position_ = std::move(to);
    return true;
  }

  bool done() const override { return done_; }
  void again() override { done_ = false; }

  Result<bool> due(std::uint64_t size) override {
    if (!is_at(position_, here_) || position_.run.has_value()) return true;
    const Glance now = TRY(glance(db_, !position_.open.empty()));
    if (now.size != size || now.last_id != position_.floor) return true;
    return std::any_of(
        position_.open.begin(), position_.open.end(),
        [&](const OpenTransaction& one) { return one.xid < now.end && !holds(now.open, one.xid); });
  }
  std::int64_t most() const override { return 65536; }
  bool rests() const override { return false; }

  Result<std::vector<Unfinished>> unfinished() override {
    std::vector<Unfinished> found;
    auto rows = TRY(db_.query(
        "select (extract(epoch from since) * 1000000)::int8, what from "
        "vestige.unfinished(?1::xid8)",
        {Text{std::to_string(TRY(look(db_, std::numeric_limits<std::int64_t>::max())).end)}}));
    while (TRY(rows->next()) == Step::row) found.push_back({rows->integer(0), rows->text(1)});
    return found;
  }

 private:
  // Where nothing was recorded since the last run, only those that were at work then may have ended.
  Result<Snapshot> run_from_now() {
    Snapshot now = TRY(look(db_, position_.floor));
    if (now.before > position_.floor) return now;
    Snapshot run;
    run.end = position_.sealed;
    for (const OpenTransaction& one : position_.open)
      if (one.xid >= now.end || holds(now.open, one.xid)) run.open.push_back(one.xid);
    run.before = position_.floor;
    run.through = now.through;
    return run;
  }

  DueTransactions due() const {
    DueTransactions out;
    out.from = position_.sealed;
    out.below = run_->end;
    out.open = run_->open;
    out.floor = position_.floor;
    for (const OpenTransaction& one : position_.open)
      if (!holds(run_->open, one.xid)) out.ended.push_back(one.xid);
    return out;
  }

  // Everything that is due is above it.
  std::int64_t lowest(const DueTransactions& due) const {
    std::int64_t low = due.from == due.below ? std::numeric_limits<std::int64_t>::max() : due.floor;
    for (const OpenTransaction& one : position_.open)
      if (!holds(run_->open, one.xid)) low = std::min(low, one.floor);
    return low;
  }

  void end_run(Position& to) const {
    to.open.clear();
    for (const Xid xid : run_->open) {
      const auto known = std::find_if(position_.open.begin(), position_.open.end(),
                                      [&](const OpenTransaction& one) { return one.xid == xid; });
      // One that no snapshot knew before began after the last one.
      to.open.push_back({xid, known == position_.open.end() ? position_.floor : known->floor});
    }
    to.sealed = run_->end;
    to.floor = run_->before;
    to.run.reset();
    to.last_id = 0;
  }

  // A trail that was restored has foreign xids, and one that was never sealed may have been: what can be seen and has no
  // entry is sealed, by id. What is at work meanwhile is told by its xid from then on.
  Result<std::unique_ptr<Sealables>> next_of_restored(std::int64_t limit) {
    if (!restored_.has_value()) {
      const std::int64_t last = TRY(scalar_integer(db_, "select max(c.id) from vestige.change c"));
      restored_ = TRY(look(db_, -1));
      restored_->before = std::max(restored_->before, last);
      restored_->through = std::max(restored_->through, last);
    }
    // Also what was recorded between the sequence's value and the snapshot, and was at an end in it.
    SealingRange range;
    range.after = restored_last_;
    range.upto = restored_->through;
    return unsealed_of(range, limit);
  }

  void settle_restored(Position& to) {
    const std::uint64_t size = to.size;
    to = Position();
    to.size = size;
    to.home = here_;
    to.sealed = restored_->end;
    for (const Xid xid : restored_->open) to.open.push_back({xid, 0});
    to.floor = restored_->before;
    // Some of what is no older than the snapshot may be an entry by now.
    to.restored = restored_->through;
    sealed_ = IdSet();
    knows_sealed_ = false;
  }

  Result<std::unique_ptr<Sealables>> unsealed_of(const SealingRange& range, std::int64_t limit) {
    if (!knows_sealed_) TRY(read_sealed());
    auto all = TRY(postgres::read_sealables(db_, range));
    return std::unique_ptr<Sealables>(std::make_unique<NotSealed>(std::move(all), sealed_, limit));
  }

  Result<void> read_sealed() {
    auto rows = TRY(db_.query("select entries, width from vestige.bundle order by n"));
    while (TRY(rows->next()) == Step::row) {
      const std::string bytes = rows->text(0);
      for (const std::string_view entry :
           TRY(merkle::entries_of(bytes, static_cast<unsigned>(rows->integer(1)))))
        if (const auto id = entry_id(entry); id.has_value()) sealed_.insert(*id);
    }
    knows_sealed_ = true;
    return {};
  }

  Database& db_;
  std::string here_;
  Position position_;
  bool done_ = false;
  std::optional<Snapshot> run_;  // what is under way
  std::optional<Snapshot> restored_;
  std::int64_t restored_last_ = 0;
  IdSet sealed_;
  bool knows_sealed_ = false;
};

}  // namespace

// Xids of another home say nothing: there, ids decide.
Result<std::unique_ptr<Rows>> changes_waiting(Database& db) {
  const Position at = TRY(read_position(db)).value_or(Position());
  const bool here = is_at(at, TRY(home_of(db)));
  std::vector<Xid> open;
  std::vector<std::int64_t> floors;
  for (const OpenTransaction& one : at.open) {
    open.push_back(one.xid);
    floors.push_back(one.floor);
  }
  const auto list = [](const auto& numbers) {
    return Text{fmt::format("{{{}}}", fmt::join(numbers, ","))};
  };
  const Snapshot run = at.run.value_or(Snapshot());
  return db.query(
      "select c.id, (c.id > ?1::int8 and c.xid >= ?2::xid8 or c.xid = any (?3::xid8[]) and c.id >"
      " (select min(o.floor) from unnest(?3::xid8[], ?4::int8[]) o(xid, floor) where o.xid ="
      " c.xid)) and not (c.id <= ?5::int8 and c.xid < ?6::xid8 and c.xid <> all (?7::xid8[]))"
      " from vestige.change c order by c.id",
      {at.floor, Text{std::to_string(here ? at.sealed : 0)}, list(open), list(floors), at.last_id,
       Text{std::to_string(run.end)}, list(run.open)});
}

Result<std::unique_ptr<SealingOrder>> open_order(EvidenceStore& store) {
  auto order = std::make_unique<PostgresOrder>(store);
  TRY(order->load());
  return std::unique_ptr<SealingOrder>(std::move(order));
}

}  // namespace vestige::postgres
