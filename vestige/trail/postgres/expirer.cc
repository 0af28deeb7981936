// Expiring on PostgreSQL: what stays of a partition is copied, the copy takes its place, and the partition is dropped
// (sql/postgres/install/expire.sql). Test: test/expire_test.cc.
#include "vestige/trail/expirer.h"

#include "vestige/trail/evidence_store.h"
#include "vestige/trail/postgres/table_work.h"
#include "vestige/trail/postgres/trail.h"

namespace vestige::postgres {
namespace {

// Which of a partition's changes are due: ?1 and ?2 are the tables and their horizons.
constexpr std::string_view kDue =
    " c join unnest(?1::int[], ?2::int8[]) h(tracked, horizon) on h.tracked = c.tracked"
    " where c.at < pg_catalog.to_timestamp(h.horizon / 1000000.0) and c.op not in ('E', 'X')";

template <class List>
Text array(const List& list) {
  return Text{fmt::format("{{{}}}", fmt::join(list, ","))};
}

Params listed(const std::vector<DueTable>& tables) {
  std::vector<std::int64_t> ids, horizons;
  for (const DueTable& one : tables) {
    ids.push_back(one.id);
    horizons.push_back(one.horizon);
  }
  return {array(ids), array(horizons)};
}

class PostgresExpirer final : public Expirer {
 public:
  explicit PostgresExpirer(Database& db) : db_(db) {}

  Result<void> may() override {
    auto rows = TRY(db_.query(
        "select pg_catalog.pg_has_role(n.nspowner, 'member'), pg_catalog.quote_ident(o.rolname)"
        " from pg_catalog.pg_namespace n join pg_catalog.pg_roles o on o.oid = n.nspowner"
        " where n.nspname = 'vestige'"));
    TRY(rows->next());
    owner_ = rows->text(1);
    if (rows->integer(0) != 0) return {};
    return hinted(
        fail(Fault::denied, "expire: the trail belongs to {}, and nobody else may", owner_),
        fmt::format("run it as {}, or as a member of that role", owner_));
  }

  Result<std::optional<Stretch>> next(const std::vector<DueTable>& tables) override {
    if (!listed_) TRY(list(tables));
    while (place_ < partitions_.size()) {
      part_ = partitions_[place_++];
      Params values = listed(tables);
      if (TRY(scalar_integer(db_,
                             fmt::format("select exists (select from only {}{})::int", part_, kDue),
                             values)) == 0)
        continue;
      return std::optional(TRY(again(tables)));
    }
    return std::optional<Stretch>();
  }

  Result<Stretch> again(const std::vector<DueTable>& tables) override {
    Stretch out;
    out.name = part_;
    out.changes =
        static_cast<std::uint64_t>(TRY(scalar_integer(db_, "select count(*) from only " + part_)));
    auto rows = TRY(db_.query(
        fmt::format("select c.id, c.tracked, (extract(epoch from c.at) * 1000000)::int8,"
                    " coalesce(pg_catalog.octet_length(c.old_row), 0) +"
                    " coalesce(pg_catalog.octet_length(c.new_row), 0) +"
                    " coalesce(pg_catalog.octet_length(c.key), 0) from only {}{} order by c.id",
                    part_, kDue),
        listed(tables)));
    while (TRY(rows->next()) == Step::row)
      out.due.push_back({rows->integer(0), rows->integer(1), rows->integer(2), rows->integer(3)});
    return out;
  }

  // The rest is copied for it.
  std::uint64_t least(const Stretch& stretch) const override { return stretch.changes / 5 + 1; }

  Result<void> prepare(const std::vector<DueTable>& tables,
                       const std::vector<std::int64_t>& kept) override {
    auto transaction = TRY(Transaction::begin(db_));
    TRY(as_owner());
    Params values = listed(tables);
    values.emplace_back(array(kept));
    values.emplace_back(Text{part_});
    TRY(scalar(db_, "select vestige.expiring_copy(?4::regclass, ?1::int[], ?2::int8[], ?3::int8[])",
               values));
    return transaction.commit();
  }

  Result<void> hold() override {
    TRY(EvidenceStore(db_).hold());
    return as_owner();
  }

  Result<std::int64_t> take(const Going& going) override {
    const std::int64_t number =
        TRY(scalar_integer(db_, "select pg_catalog.nextval('vestige.change_id')"));
    TRY(scalar(db_,
               "select vestige.write_change(?1::int, ?2::int, 'X', null, null, null, null, ?3)",
               {going.expiry.table, going.shape, number}));
    Expiry expiry = going.expiry;
    expiry.change = number;
    TRY(ExpiryStore(db_).put(expiry, going.leaves));
    return number;
  }

  Result<void> finish() override {
    TRY(db_.script("savepoint vestige_swap"));
    const auto swapped = scalar(db_, "select vestige.expiring_swap(?1::regclass)", {Text{part_}});
    if (swapped.has_value()) return {};
    if (swapped.error().fault != Fault::conflict) return tl::unexpected<Error>(swapped.error());
    TRY(db_.script("rollback to savepoint vestige_swap"));
    const std::string who = TRY(holders_of(db_, "vestige.change"));
    return hinted(
        fail(Fault::conflict, "expire: others used the trail all the time, and {} stays{}", part_,
             who.empty() ? "" : ": " + who),
        "run it again when that is over; what went before it stays gone");
  }

  Result<void> tidy() override {
    auto transaction = TRY(Transaction::begin(db_));
    TRY(as_owner());
    TRY(scalar(db_, "select vestige.expire_tidy()"));
    return transaction.commit();
  }

 private:
  // What is made belongs to the trail's owner, whoever of its members runs this.
  Result<void> as_owner() { return db_.script("set local role " + owner_); }

  // Those that are closed, and may have something that is due.
  Result<void> list(const std::vector<DueTable>& tables) {
    auto rows = TRY(
        db_.query("select p.relation::text from vestige.partitions() p"
                  " where p.upto <= pg_catalog.clock_timestamp() and p.from_at <"
                  " (select pg_catalog.to_timestamp(max(h) / 1000000.0) from unnest(?1::int8[]) h)"
                  " order by p.from_at",
                  {listed(tables).at(1)}));
    while (TRY(rows->next()) == Step::row) partitions_.push_back(rows->text(0));
    listed_ = true;
    return {};
  }

  Database& db_;
  std::string owner_;  // quoted
  std::vector<std::string> partitions_;
  std::size_t place_ = 0;
  bool listed_ = false;
  std::string part_;
};

}  // namespace

std::unique_ptr<Expirer> expirer(Database& db) { return std::make_unique<PostgresExpirer>(db); }

}  // namespace vestige::postgres
