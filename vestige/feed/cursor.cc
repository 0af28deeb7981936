#include "vestige/feed/cursor.h"

#include <algorithm>

#include "vestige/trail/install.h"

namespace vestige {
namespace {

constexpr std::size_t kLongest = 200;  // bytes of a name

}  // namespace

Result<std::unique_ptr<Cursor>> Cursor::open(Database& db, std::string consumer) {
  TRY(require_trail(db));
  TRY(require_evidence(db));
  TRY(require_cursors(db));
  if (consumer.empty() || consumer.size() > kLongest)
    return fail(Fault::invalid, "follow: a consumer's name has 1 to {} bytes", kLongest);
  std::unique_ptr<Cursor> cursor(new Cursor(db, std::move(consumer)));
  auto rows =
      TRY(db.query("select upto from " + cursor->store_.table("cursor") + " where consumer = ?1",
                   {Text{cursor->consumer_}}));
  if (TRY(rows->next()) == Step::row) cursor->upto_ = rows->integer(0);
  return cursor;
}

Result<void> Cursor::move(std::int64_t upto) {
  const std::string table = store_.table("cursor");
  const Value known = upto_.has_value() ? Value(*upto_) : Value(Null{});
  const std::int64_t moved =
      TRY(store_.db().run(fmt::format("insert into {0} (consumer, upto) values (?1, ?2) on conflict"
                                      " (consumer) do update set upto = excluded.upto, at ="
                                      " excluded.at where {0}.upto = ?3",
                                      table),
                          {Text{consumer_}, upto, known}));
  if (moved == 0)
    return hinted(
        fail(Fault::invalid, "follow: consumer {} was moved by somebody else since", consumer_),
        "one process for each consumer; another name has a place of its own");
  upto_ = upto;
  return {};
}

Result<std::vector<CursorStanding>> cursors(Database& db) {
  std::vector<CursorStanding> all;
  if (!TRY(has_cursors(db))) return all;
  EvidenceStore store(db);
  const auto end = static_cast<std::int64_t>(TRY(store.size())) - 1;
  auto rows =
      TRY(db.query("select consumer, upto from " + store.table("cursor") + " order by consumer"));
  while (TRY(rows->next()) == Step::row)
    all.push_back(
        {rows->text(0), rows->integer(1), std::max<std::int64_t>(end - rows->integer(1), 0)});
  return all;
}

}  // namespace vestige
