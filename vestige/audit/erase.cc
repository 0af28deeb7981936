#include "vestige/audit/erase.h"

#include <algorithm>
#include <map>

#include "vestige/audit/erase_archive.h"
#include "vestige/record/taken.h"
#include "vestige/source/archive.h"
#include "vestige/source/manifest.h"
#include "vestige/trail/context.h"
#include "vestige/trail/eraser.h"
#include "vestige/trail/evidence_store.h"
#include "vestige/trail/hold.h"
#include "vestige/trail/install.h"
#include "vestige/trail/kept_words.h"
#include "vestige/trail/row_history.h"
#include "vestige/trail/spelling.h"

namespace vestige {
namespace {

struct Chosen {
  std::vector<std::int64_t> ids;
  std::int64_t others = 0;
  bool row_stands = false;
};

bool among(const std::vector<std::int64_t>& ids, std::int64_t id) {
  return std::find(ids.begin(), ids.end(), id) != ids.end();
}

bool holds_value(const Change& change, const std::string& column) {
  for (const auto* values : {&change.old_values, &change.new_values}) {
    const Value* value = values->has_value() ? find(**values, column) : nullptr;
    if (value != nullptr && !is_withheld(*value)) return true;
  }
  return false;
}

// Of the selected changes those that hold a value of the columns: one commitment stands for all values of a change, so that one goes
// with all of them or not at all.
Result<void> narrow(Database& db, const Selection& selection,
                    const std::vector<std::string>& columns, Chosen& chosen) {
  chosen.ids.clear();
  auto changes = TRY(read_changes(db, selection));
  while (const auto change = TRY(changes->next())) {
    bool holds = false;
    for (const std::string& column : columns) {
      if (find(change->key, column) != nullptr)
        return hinted(
            fail(Fault::invalid, "erase: {} is part of the key of {}", column, change->table),
            "--keys takes keys, without --column");
      holds = holds || holds_value(*change, column);
    }
    if (holds) chosen.ids.push_back(change->id);
    else ++chosen.others;
  }
  return {};
}

// A column of every row that a table ever had.
Result<Chosen> columns_of(Database& db, const EraseRequest& request) {
  const Tracked table = TRY(tracked_table(db, request.table));
  Selection selection;
  selection.table = table.id;
  for (const std::string& column : request.columns) TRY(require_column(db, column, table));
  Chosen out;
  TRY(narrow(db, selection, request.columns, out));
  return out;
}

// live   db has the tables themselves
Result<Chosen> row_of(Database& db, const EraseRequest& request, bool live) {
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
  for (const std::string& column : request.columns) TRY(require_column(db, column, table));
  if (!request.columns.empty()) TRY(narrow(db, selection, request.columns, out));
  if (live && tells_apart(row.key)) out.row_stands = TRY(live_row(db, table, row)).has_value();
  return out;
}

Result<Chosen> chosen(Database& db, const EraseRequest& request, bool live = true) {
  if (!request.table.empty() && request.key.empty() && !request.columns.empty())
    return columns_of(db, request);
  if (!request.table.empty()) return row_of(db, request, live);
  Selection selection;
  selection.ids = request.changes;
  selection.tx = request.tx;
  Chosen out;
  out.ids = TRY(change_ids(db, selection));
  for (const std::int64_t id : request.changes)
    if (!among(out.ids, id))
      return hinted(fail(Fault::missing, "erase change {}: there is no such change", id),
                    "vestige log lists them");
  if (out.ids.empty())
    return hinted(
        fail(Fault::missing, "erase tx {}: there is no such transaction", request.tx.value_or(0)),
        "vestige log lists them");
  for (const std::string& column : request.columns) TRY(require_column(db, column, std::nullopt));
  if (!request.columns.empty()) TRY(narrow(db, selection, request.columns, out));
  return out;
}

/// What is to go of changes that stand in the archive alone.
struct Gone {
  std::map<std::int64_t, std::map<std::int64_t, std::string>> parts;  // by table and change
  std::vector<std::int64_t> asked;  // those of them that were asked for by their ids

  bool has_all(const std::vector<std::int64_t>& ids) const {
    return std::all_of(ids.begin(), ids.end(), [&](std::int64_t id) { return among(asked, id); });
  }
};

// Of one change what has to be named; "": nothing.
std::string parts_of(const Change& change, const EraseRequest& request) {
  std::string out;
  if (change.old_values.has_value() || change.new_values.has_value()) out = "values";
  if (request.keys && !change.key.empty()) out += out.empty() ? "key" : ",key";
  return out;
}

Result<Gone> gone(Database& db, const EraseRequest& request, std::optional<Held>& held) {
  Gone out;
  if (request.archive.empty() || TRY(not_there_yet(db, request.archive))) return out;
  const auto archived = TRY(archive_parts(request.archive));
  if (archived.empty()) return out;
  TRY(require_recorded(db, archived));
  const auto archive = TRY(archive_alone(request.archive));
  EraseRequest there = request;
  Selection selection;
  if (!request.changes.empty()) {
    selection.ids = request.changes;
    out.asked = TRY(change_ids(*archive, selection));
    const auto stand = TRY(change_ids(db, selection));
    std::erase_if(out.asked, [&](std::int64_t id) { return among(stand, id); });
    if (out.asked.empty()) return out;
    there.changes = out.asked;
  }
  const auto wanted = chosen(*archive, there, false);
  if (!wanted.has_value() && wanted.error().fault == Fault::missing) return out;
  selection.ids = TRY(wanted).ids;
  if (selection.ids.empty()) return out;
  const auto stand = TRY(change_ids(db, selection));
  std::erase_if(selection.ids, [&](std::int64_t id) { return among(stand, id); });
  if (selection.ids.empty()) return out;
  const Holds holds = TRY(Holds::in_force(db));
  EvidenceStore store(db);
  auto changes = TRY(read_changes(*archive, selection));
  while (const auto change = TRY(changes->next())) {
    const auto entry = TRY(store.find(change->id));
    if (!entry.has_value() || change->op == Op::erase || change->op == Op::expire) continue;
    if (const Hold* const by = holds.held(*change); by != nullptr && !held.has_value())
      held = Held{by->id, by->matter, change->id};
    auto& of_table = out.parts[TRY(parse_entry(entry->entry)).table_id];
    if (const std::string parts = parts_of(*change, request); !parts.empty())
      of_table[change->id] = parts;
  }
  return out;
}

// What the database has of it.
Result<Chosen> chosen_here(Database& db, EraseRequest request, const Gone& there) {
  if (!there.has_all(request.changes))
    std::erase_if(request.changes, [&](std::int64_t id) { return among(there.asked, id); });
  return chosen(db, request);
}

Result<void> check(const EraseRequest& request, const Context& context) {
  const int ways = static_cast<int>(!request.table.empty()) +
                   static_cast<int>(!request.changes.empty()) +
                   static_cast<int>(request.tx.has_value());
  if (ways != 1)
    return hinted(fail(Fault::invalid, "erase: say what, in just one way"),
                  "TABLE KEY…, or --change ID…, or --tx N");
  if (!request.columns.empty() && request.keys)
    return hinted(
        fail(Fault::invalid, "erase: keys and columns at once"),
        "a key is of every change of a row: erase the row with --keys, or the columns alone");
  const std::string* reason = context.get("reason");
  if (reason == nullptr || reason->empty())
    return hinted(fail(Fault::invalid, "erase: a reason is needed"),
                  "--reason 'request 4711': it is recorded for good, so name no person in it");
  return {};
}

// As it was asked for, but for what names a person: "erase customers 17".
std::string attempt_of(const EraseRequest& request) {
  if (!request.table.empty()) {
    std::string out = "erase " + request.table;
    for (const std::string& word : request.key) out += " " + kept_key(word);
    if (request.key.empty()) out += fmt::format(" --column {}", fmt::join(request.columns, ","));
    return out;
  }
  if (request.tx.has_value()) return fmt::format("erase tx {}", *request.tx);
  return fmt::format("erase change {}", fmt::join(request.changes, ","));
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

Result<std::int64_t> holding(Database& db, const std::string& table, const std::string& column,
                             std::int64_t limit) {
  Selection selection;
  selection.table = TRY(tracked_table(db, table)).id;
  selection.forgiving = true;
  auto changes = TRY(read_changes(db, selection));
  std::int64_t count = 0;
  while (count < limit) {
    const auto change = TRY(changes->next());
    if (!change.has_value()) break;
    if (holds_value(*change, column)) ++count;
  }
  return count;
}

std::string to_json(const Erasing& done, bool dry_run) {
  return fmt::format(
      R"({{"dry_run":{},"erase":[{}],"changes":{},"values":{},"keys":{},"contexts":{},"archived":{},"alerts":{},"row_stands":{}}})",
      dry_run, dry_run ? "" : fmt::format("{}", fmt::join(done.by, ",")), done.changes, done.values,
      done.keys, done.contexts, done.archived, done.alerts, done.row_stands);
}

Result<Erasing> erase(Database& db, const EraseRequest& request, const Context& context) {
  TRY(require_trail(db));
  TRY(check(request, context));
  TRY(require_erasing(db));
  const auto eraser = eraser_of(db);
  Erasing done;
  std::optional<Error> refusal;
  std::optional<Held> held;
  std::optional<Error> missing;
  {
    auto scope = TRY(ContextScope::begin(db, context));
    const Gone there = TRY(gone(db, request, held));
    if (!there.parts.empty() && request.contexts)
      return hinted(fail(Fault::invalid, "erase: of some of it only the archive has the contexts"),
                    "--contexts erases before it expires; without it, values and keys go");
    auto own = chosen_here(db, request, there);
    // With its key a row's name has gone: who was killed before the archive was done runs it again.
    const bool none = !own.has_value() && own.error().fault == Fault::missing &&
                      !request.archive.empty() && there.has_all(request.changes) &&
                      (!request.dry_run || !there.parts.empty());
    if (none && there.parts.empty()) missing = own.error();
    const Chosen what = none ? Chosen() : TRY(std::move(own));
    done.row_stands = what.row_stands;
    done.others = what.others;
    Result<std::vector<std::int64_t>> taken;
    if (held.has_value()) taken = held_back("erase", *held);
    else if (!what.ids.empty())
      taken = eraser->take(what.ids, {request.keys, request.contexts}, context);
    if (!held.has_value()) held = eraser->held();
    done.alerts = eraser->told();
    for (const auto& [table, parts] : there.parts)
      if (taken.has_value() && !parts.empty())
        taken->push_back(TRY(eraser->name_archived(table, parts, context)));
    if (!taken.has_value()) {
      refusal = std::move(taken).error();
    } else {
      done.by = *std::move(taken);
      TRY(count(db, done));
      if (request.dry_run) return done;
      if (!done.by.empty()) TRY(scope.commit());
    }
  }
  if (refusal.has_value()) {
    tl::unexpected<Error> why(*std::move(refusal));
    if (!held.has_value() || request.dry_run) return why;
    return refused(db, std::move(why), *held, attempt_of(request), context);
  }
  if (!done.by.empty()) eraser->tidy();
  if (!request.archive.empty()) {
    // Also what was erased before: who was killed in between runs it again.
    const ArchiveErasing there = TRY(erase_in_archive(db, request.archive, context));
    done.archived = static_cast<std::int64_t>(there.changes);
    done.parts = static_cast<std::int64_t>(there.parts);
    done.held = static_cast<std::int64_t>(there.held);
    if (missing.has_value() && there.changes + there.left == 0)
      return tl::unexpected<Error>(*std::move(missing));
  }
  done.remains = eraser->remains();
  return done;
}

}  // namespace vestige
