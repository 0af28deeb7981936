#include "vestige/audit/offers.h"

#include <algorithm>

#include "vestige/audit/mark.h"
#include "vestige/audit/status.h"
#include "vestige/feed/cursor.h"
#include "vestige/trail/source.h"

namespace vestige {
namespace {

constexpr std::int64_t kLooked = 2000;  // changes, so that nobody waits for a word

class Words {
 public:
  void add(const std::string& word) {
    if (std::find(all_.begin(), all_.end(), word) == all_.end()) all_.push_back(word);
  }
  std::vector<std::string> take() { return std::move(all_); }

 private:
  std::vector<std::string> all_;
};

Result<void> add_tables(Database& db, Words& words) {
  const Status found = TRY(status(db));
  for (const std::string& name : found.untracked) words.add(name);
  for (const TableStatus& one : found.tables) words.add(one.table.name);
  return {};
}

Result<void> add_columns(Database& db, Words& words) {
  const auto source = source_of(db);
  for (const Tracked& table : TRY(source->tables()))
    for (const Shape& shape : TRY(source->shapes(table.id)))
      for (const Column& column : shape.columns) words.add(column.name);
  return {};
}

Result<void> add_of_changes(Database& db, bool actors, Words& words) {
  Selection last;
  last.limit = kLooked;
  auto changes = TRY(read_changes(db, last));
  while (auto change = TRY(changes->next())) {
    if (!actors) words.add(std::to_string(change->tx));
    else if (change->who() != nullptr) words.add(*change->who());
  }
  return {};
}

Result<void> add_consumers(Database& db, Words& words) {
  for (const CursorStanding& one : TRY(cursors(db))) words.add(one.consumer);
  return {};
}

}  // namespace

Result<std::vector<std::string>> offers(Database& db, std::string_view what) {
  Words words;
  if (what == "tables") TRY(add_tables(db, words));
  if (what == "columns") TRY(add_columns(db, words));
  if (what == "actors" || what == "transactions") TRY(add_of_changes(db, what == "actors", words));
  if (what == "consumers") TRY(add_consumers(db, words));
  if (what == "marks")
    for (const Mark& one : TRY(marks(db))) words.add(one.name);
  return words.take();
}

}  // namespace vestige
