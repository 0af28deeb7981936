#include "vestige/audit/erase.h"

#include <algorithm>

#include "vestige/record/taken.h"
#include "vestige/trail/context.h"
#include "vestige/trail/eraser.h"
#include "vestige/trail/install.h"
#include "vestige/trail/row_history.h"
#include "vestige/trail/spelling.h"

namespace vestige {
namespace {

struct Chosen {
  std::vector<std::int64_t> ids;
  bool row_stands = false;
};

Result<Chosen> row_of(Database& db, const EraseRequest& request) {
  const Tracked table = TRY(tracked_table(db, request.table));
  const RowName row = TRY(parse_key(db, table, request.key));
  Selection selection;
  selection.table = table.id;
  selection.key = row.key;
  selection.row_id = row.row_id;
  Chosen out;
  out.ids = TRY(change_ids(db, selection));
  if (out.ids.empty())
    return hinted(fail(Fault::missing, "erase {} {}: the trail has no change of such a row",
                       table.name, key_text(row)),
                  "vestige log " + table.name + " lists what it has");
  if (tells_apart(row.key)) out.row_stands = TRY(live_row(db, table, row)).has_value();
  return out;
}

Result<Chosen> chosen(Database& db, const EraseRequest& request) {
  if (!request.table.empty()) return row_of(db, request);
  Selection selection;
  selection.ids = request.changes;
  selection.tx = request.tx;
  Chosen out;
  out.ids = TRY(change_ids(db, selection));
  for (const std::int64_t id : request.changes)
    if (std::find(out.ids.begin(), out.ids.end(), id) == out.ids.end())
      return hinted(fail(Fault::missing, "erase change {}: there is no such change", id),
                    "vestige log lists them");
  if (out.ids.empty())
    return hinted(
        fail(Fault::missing, "erase tx {}: there is no such transaction", request.tx.value_or(0)),
        "vestige log lists them");
  return out;
}

Result<void> check(const EraseRequest& request, const Context& context) {
  const int ways = static_cast<int>(!request.table.empty()) +
                   static_cast<int>(!request.changes.empty()) +
                   static_cast<int>(request.tx.has_value());
  if (ways != 1)
    return hinted(fail(Fault::invalid, "erase: say what, in just one way"),
                  "TABLE KEY…, or --change ID…, or --tx N");
  const std::string* reason = context.get("reason");
  if (reason == nullptr || reason->empty())
    return hinted(fail(Fault::invalid, "erase: a reason is needed"),
                  "--reason 'request 4711': it is recorded for good, so name no person in it");
  return {};
}

Result<void> count(Database& db, Erasing& done) {
  const std::string table = spelling_of(db).table("erased");
  for (const std::int64_t number : done.by) {
    auto rows = TRY(db.query(
        "select parts, count(*) from " + table + " where change = ?1 group by parts", {number}));
    while (TRY(rows->next()) == Step::row) {
      const std::string parts = rows->text(0);
      const std::int64_t of = rows->integer(1);
      done.changes += of;
      if (takes(parts, "values")) done.values += of;
      if (takes(parts, "key")) done.keys += of;
      if (takes(parts, "context")) done.contexts += of;
    }
  }
  return {};
}

}  // namespace

std::string to_json(const Erasing& done, bool dry_run) {
  return fmt::format(
      R"({{"dry_run":{},"erase":[{}],"changes":{},"values":{},"keys":{},"contexts":{},"row_stands":{}}})",
      dry_run, dry_run ? "" : fmt::format("{}", fmt::join(done.by, ",")), done.changes, done.values,
      done.keys, done.contexts, done.row_stands);
}

Result<Erasing> erase(Database& db, const EraseRequest& request, const Context& context) {
  TRY(require_trail(db));
  TRY(check(request, context));
  TRY(require_erasing(db));
  const auto eraser = eraser_of(db);
  Erasing done;
  {
    auto scope = TRY(ContextScope::begin(db, context));
    const Chosen what = TRY(chosen(db, request));
    done.row_stands = what.row_stands;
    done.by = TRY(eraser->take(what.ids, {request.keys, request.contexts}, context));
    TRY(count(db, done));
    if (request.dry_run || done.by.empty()) return done;
    TRY(scope.commit());
  }
  eraser->tidy();
  done.remains = eraser->remains();
  return done;
}

}  // namespace vestige
