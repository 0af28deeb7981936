// The sealing order on PostgreSQL: runs of everything below a snapshot's xmin, each run by id
// (docs/decisions/0004-evidence.md, "Order").
#include <algorithm>
#include <chrono>
#include <thread>

#include "vestige/base/bytes.h"
#include "vestige/base/time.h"
#include "vestige/trail/id_set.h"
#include "vestige/trail/sealing_order.h"

namespace vestige::postgres {
namespace {

using Xid = std::uint64_t;

constexpr auto kPatience = std::chrono::seconds(10);
constexpr auto kPause = std::chrono::milliseconds(20);
constexpr std::int64_t kNothing = -1;

// What stands in vestige.sealer.
struct Position {
  std::uint64_t size = 0;
  std::string home;
  Xid sealed = 0;
  std::int64_t floor = 0;
  std::optional<Xid> upto;
  std::int64_t last_id = 0;
  std::optional<std::int64_t> next_floor;
  std::optional<Xid> floor_xid;
};

Result<std::optional<Xid>> xid_of(const Rows& rows, int column) {
  if (rows.is_null(column)) return std::optional<Xid>();
  return std::optional<Xid>(TRY(parse_decimal(rows.text(column))));
}

Value xid_value(const std::optional<Xid>& xid) {
  if (!xid.has_value()) return Null{};
  return Text{std::to_string(*xid)};
}

Result<std::optional<Position>> read_position(Database& db, std::string_view lock) {
  auto rows = TRY(db.query(fmt::format(
      "select size, home, sealed::text, floor, upto::text, last_id, next_floor, floor_xid::text"
      " from vestige.sealer{}",
      lock)));
  if (TRY(rows->next()) == Step::end) return std::optional<Position>();
  Position found;
  found.size = static_cast<std::uint64_t>(rows->integer(0));
  found.home = rows->text(1);
  found.sealed = TRY(xid_of(*rows, 2)).value_or(0);
  found.floor = rows->integer(3);
  found.upto = TRY(xid_of(*rows, 4));
  found.last_id = rows->integer(5);
  if (!rows->is_null(6)) found.next_floor = rows->integer(6);
  found.floor_xid = TRY(xid_of(*rows, 7));
  return std::optional<Position>(std::move(found));
}

// A moment: the last id that was given out before a snapshot, and the snapshot's bounds. Ids above `settled` are
// looked for: then every transaction that has one of them has an xid below xmax.
struct Snapshot {
  std::int64_t ids = 0;
  Xid xmin = 0;
  Xid xmax = 0;
};

Result<Snapshot> look(Database& db, std::int64_t settled) {
  Snapshot now;
  now.ids = TRY(scalar_integer(
      db, "select case when is_called then last_value else 0 end from vestige.change_id"));
  // A snapshot ends behind the last xid that is at an end, and a transaction at work may have a later one. So an
  // xid is taken and given up: it is later than theirs.
  if (now.ids > settled) TRY(scalar(db, "select pg_catalog.pg_current_xact_id()::text"));
  auto rows = TRY(
      db.query("select pg_catalog.pg_snapshot_xmin(s)::text, pg_catalog.pg_snapshot_xmax(s)::text"
               " from pg_catalog.pg_current_snapshot() s"));
  TRY(rows->next());
  now.xmin = TRY(xid_of(*rows, 0)).value_or(0);
  now.xmax = TRY(xid_of(*rows, 1)).value_or(0);
  return now;
}

// Leaves out what is sealed already, and stops after so many.
class NotSealed final : public Sealables {
 public:
  NotSealed(std::unique_ptr<Sealables> all, const IdSet& sealed, std::int64_t limit,
            std::int64_t& last)
      : all_(std::move(all)), sealed_(sealed), left_(limit), last_(last) {}

  Result<const Sealable*> next() override {
    while (left_ > 0) {
      const Sealable* one = TRY(all_->next());
      if (one == nullptr) return nullptr;
      last_ = one->entry.id;
      if (sealed_.contains(last_)) continue;
      --left_;
      return one;
    }
    return nullptr;
  }

 private:
  std::unique_ptr<Sealables> all_;
  const IdSet& sealed_;
  std::int64_t left_;
  std::int64_t& last_;
};

class PostgresOrder final : public SealingOrder {
 public:
  explicit PostgresOrder(EvidenceStore& store) : db_(store.db()) {}

  Result<void> load() {
    here_ = to_display(TRY(scalar(db_, "select vestige.home()")));
    const auto found = TRY(read_position(db_, ""));
    if (found.has_value()) position_ = *found;
    exists_ = found.has_value();
    if (position_.size == 0) position_.home = here_;
    return {};
  }

  Result<std::unique_ptr<Sealables>> next(std::int64_t limit) override {
    if (position_.home != here_) return next_of_restored(limit);
    if (!position_.upto.has_value()) {
      began_ = TRY(look(db_, position_.floor));
      run_ = began_->xmin;
    } else if (!run_.has_value()) {
      run_ = position_.upto;  // another sealer began this run and was stopped
    }
    SealingRange range;
    range.after = std::max(position_.floor, position_.last_id);
    range.from = position_.sealed;
    range.below = run_;
    range.limit = limit;
    return vestige::read_sealables(db_, range);
  }

  Result<void> advance(std::uint64_t before, std::uint64_t after, std::int64_t last_id,
                       bool ended) override {
    Position to = position_;
    to.size = after;
    if (position_.home != here_) {
      if (ended) settle_restored(to);
    } else {
      to.upto = run_;
      if (last_id != 0) to.last_id = last_id;
      if (ended) end_run(to);
    }
    done_ = ended && to.home == here_ && position_.home == here_;
    if (after != before || to.floor != position_.floor || to.home != position_.home ||
        position_.upto.has_value())
      TRY(store(to, before));
    position_ = std::move(to);
    if (ended) run_.reset();
    return {};
  }

  bool done() const override { return done_; }
  void again() override { done_ = false; }

  Result<std::vector<Unfinished>> unfinished() override {
    std::vector<Unfinished> found;
    const Snapshot now = TRY(look(db_, position_.floor));
    const auto waiting = TRY(scalar_integer(
        db_,
        "select count(*) from (select from vestige.change c where c.id > ?1::int8 and c.xid >="
        " ?2::xid8 limit 1) as w",
        {position_.floor, Text{std::to_string(std::max(now.xmin, position_.sealed))}}));
    if (waiting == 0 && position_.home == here_) return found;
    auto rows =
        TRY(db_.query("select (extract(epoch from since) * 1000000)::int8, what from "
                      "vestige.unfinished(?1::xid8)",
                      {Text{std::to_string(now.xmax)}}));
    while (TRY(rows->next()) == Step::row) found.push_back({rows->integer(0), rows->text(1)});
    return found;
  }

 private:
  // A trail that was restored into another cluster has foreign xids. Everything that was given an id
  // before now is at an end once the transactions of now are; then it is sealed by id, but what is sealed.
  Result<std::unique_ptr<Sealables>> next_of_restored(std::int64_t limit) {
    if (!restored_.has_value()) {
      Snapshot now = TRY(look(db_, kNothing));
      now.ids = std::max(now.ids, TRY(scalar_integer(db_, "select max(id) from vestige.change")));
      const auto until = std::chrono::steady_clock::now() + kPatience;
      while (TRY(look(db_, now.ids)).xmin < now.xmax) {
        if (std::chrono::steady_clock::now() > until) {
          done_ = true;
          return nullptr;
        }
        std::this_thread::sleep_for(kPause);
      }
      TRY(read_sealed());
      restored_ = now;
    }
    SealingRange range;
    range.after = restored_last_;
    range.upto = restored_->ids;
    auto all = TRY(vestige::read_sealables(db_, range));
    return std::unique_ptr<Sealables>(
        std::make_unique<NotSealed>(std::move(all), sealed_, limit, restored_last_));
  }

  Result<void> read_sealed() {
    auto rows = TRY(db_.query("select entries, width from vestige.bundle order by n"));
    while (TRY(rows->next()) == Step::row) {
      const std::string bytes = rows->text(0);
      for (const std::string_view entry :
           TRY(merkle::entries_of(bytes, static_cast<unsigned>(rows->integer(1)))))
        if (const auto id = entry_id(entry); id.has_value()) sealed_.insert(*id);
    }
    return {};
  }

  void settle_restored(Position& to) {
    to.home = here_;
    to.sealed = 0;
    to.floor = restored_->ids;
    to.upto.reset();
    to.last_id = 0;
    to.next_floor.reset();
    to.floor_xid.reset();
    sealed_ = IdSet();
  }

  void end_run(Position& to) {
    to.sealed = *run_;
    to.upto.reset();
    to.last_id = 0;
    if (to.next_floor.has_value() && to.sealed >= to.floor_xid.value_or(0)) {
      to.floor = *to.next_floor;
      to.next_floor.reset();
      to.floor_xid.reset();
    }
    if (!began_.has_value()) return;
    if (began_->xmax <= to.sealed) {
      to.floor = std::max(to.floor, began_->ids);
    } else if (!to.next_floor.has_value()) {
      to.next_floor = began_->ids;
      to.floor_xid = began_->xmax;
    }
    began_.reset();
  }

  Result<void> store(const Position& to, std::uint64_t before) {
    const auto found = TRY(read_position(db_, " for update"));
    if ((found.has_value() ? found->size : 0) != before || found.has_value() != exists_ ||
        (found.has_value() && found->last_id != position_.last_id))
      return fail(Fault::conflict, "seal: another sealer was faster");
    TRY(
        db_.run("insert into vestige.sealer (size, home, sealed, floor, upto, last_id, next_floor, "
                "floor_xid)"
                " values (?1, ?2, ?3::xid8, ?4, ?5::xid8, ?6, ?7, ?8::xid8) on conflict (only_row) "
                "do update"
                " set size = excluded.size, home = excluded.home, sealed = excluded.sealed,"
                " floor = excluded.floor, upto = excluded.upto, last_id = excluded.last_id,"
                " next_floor = excluded.next_floor, floor_xid = excluded.floor_xid",
                {static_cast<std::int64_t>(to.size), Text{to.home}, xid_value(to.sealed), to.floor,
                 xid_value(to.upto), to.last_id,
                 to.next_floor.has_value() ? Value(*to.next_floor) : Value(Null{}),
                 xid_value(to.floor_xid)}));
    exists_ = true;
    return {};
  }

  Database& db_;
  std::string here_;
  Position position_;
  bool exists_ = false;
  bool done_ = false;
  std::optional<Xid> run_;         // of the run that is under way: what is sealed is below it
  std::optional<Snapshot> began_;  // when it began, as far as this sealer began it
  std::optional<Snapshot> restored_;
  std::int64_t restored_last_ = 0;
  IdSet sealed_;
};

}  // namespace

Result<std::unique_ptr<SealingOrder>> open_order(EvidenceStore& store) {
  auto order = std::make_unique<PostgresOrder>(store);
  TRY(order->load());
  return std::unique_ptr<SealingOrder>(std::move(order));
}

}  // namespace vestige::postgres
