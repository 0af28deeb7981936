#include "vestige/trail/table_work.h"

#include <chrono>
#include <thread>
#include <utility>

#include "vestige/trail/postgres/trail.h"

namespace vestige {
namespace {

// Before each further attempt at those that others hold.
constexpr std::chrono::milliseconds kPauses[] = {
    std::chrono::milliseconds(100), std::chrono::milliseconds(200), std::chrono::milliseconds(400),
    std::chrono::milliseconds(800), std::chrono::milliseconds(1600)};

Result<std::vector<Undone>> at_once(Database& db, const TableWork& work) {
  auto transaction = TRY(Transaction::begin(db));
  const std::size_t tables = TRY(work.begin()).size();
  for (std::size_t place = 0; place < tables; ++place) {
    TRY(work.table(place));
    if (work.tell) work.tell(place + 1, tables);
  }
  TRY(transaction.commit());
  return std::vector<Undone>();
}

Result<void> one_table(Database& db, const TableWork& work, std::size_t place,
                       std::string_view lock_timeout) {
  auto transaction = TRY(Transaction::begin(db));
  TRY(db.run("select pg_catalog.set_config('lock_timeout', ?1, true)",
             {Text{std::string(lock_timeout)}}));
  TRY(work.table(place));
  return transaction.commit();
}

}  // namespace

Result<std::vector<Undone>> table_by_table(Database& db, const TableWork& work,
                                           std::string_view lock_timeout) {
  if (db.engine() != Engine::postgres) return at_once(db, work);
  auto first = TRY(Transaction::begin(db));
  const std::vector<std::string> tables = TRY(work.begin());
  TRY(first.commit());
  std::vector<Undone> undone;
  std::vector<std::size_t> left(tables.size());
  for (std::size_t place = 0; place < left.size(); ++place) left[place] = place;
  std::size_t done = 0;
  for (std::size_t round = 0; !left.empty(); ++round) {
    const bool last = round == std::size(kPauses);
    std::vector<std::size_t> held;
    for (const std::size_t place : left) {
      const Result<void> worked = one_table(db, work, place, lock_timeout);
      if (worked.has_value()) {
        if (work.tell) work.tell(++done, tables.size());
        continue;
      }
      Error error = worked.error();
      if (error.fault == Fault::offline) return tl::unexpected<Error>(error);
      if (error.fault == Fault::conflict && last)
        error = TRY(postgres::held(db, tables[place], error));
      if (error.fault == Fault::conflict && !last) held.push_back(place);
      else undone.push_back({place, std::move(error)});
    }
    left = std::move(held);
    if (!left.empty()) std::this_thread::sleep_for(kPauses[round]);
  }
  return undone;
}

}  // namespace vestige
