#include "vestige/audit/verify_live.h"

#include <algorithm>
#include <map>

#include "vestige/audit/doctor.h"
#include "vestige/record/fold.h"
#include "vestige/trail/changes.h"
#include "vestige/trail/denied.h"
#include "vestige/trail/evidence_store.h"
#include "vestige/trail/row_history.h"

namespace vestige {
namespace {

// Where the trail leads a row: nothing, or the columns of which it knows.
struct Led {
  Row key;
  State state;
  std::int64_t by = 0;  // the last change
};

// A row of which the trail lacks values may be one that the server is not able to print.
bool too_large(const State& state) {
  return state.has_value() && std::any_of(state->begin(), state->end(), [](const Field& field) {
           return is_withheld(field.value);
         });
}

class LiveCheck {
 public:
  LiveCheck(Database& db, VerifySink& sink, Verdict& verdict)
      : db_(db), sink_(sink), verdict_(verdict) {}

  Result<void> run() {
    TRY(capture());
    for (const Tracked& one : TRY(tracked_tables(db_)))
      if (!one.untracked_at.has_value() && !one.shape.key().empty()) TRY(compared(one));
    return {};
  }

 private:
  Result<void> report(const Discrepancy& discrepancy) {
    ++verdict_.discrepancies;
    return sink_.found(discrepancy);
  }

  Result<void> capture() {
    // Triggers, functions, guards and grants, against what was installed.
    for (const Finding& one : TRY(doctor(db_, false)))
      if (one.severity == Severity::error)
        TRY(report({.code = "capture",
                    .table = one.table,
                    .message = one.table.empty() ? one.message
                                                 : fmt::format("{}: {}", one.table, one.message)}));
    for (const std::int64_t id : TRY(upkeep_of(db_)->hidden()))
      TRY(report({.code = "capture",
                  .change = id,
                  .message = fmt::format("change {} is hidden: it does not stand under the key of"
                                         " its row, and log and blame pass it over",
                                         id)}));
    for (const std::int64_t id : TRY(upkeep_of(db_)->nameless()))
      TRY(report({.code = "capture",
                  .change = id,
                  .message = fmt::format("change {} is hidden: the index of who does not have the"
                                         " name of who made it, and log --actor passes it over",
                                         id)}));
    return {};
  }

  // A table that cannot be read keeps nobody from looking at the others.
  Result<void> compared(const Tracked& tracked) {
    const auto done = table(tracked);
    if (done.has_value() || done.error().fault == Fault::offline) return done;
    const Error why = explained(db_, done.error(), {{tracked.name}});
    if (why.fault == Fault::denied) {
      verdict_.uncompared.push_back({tracked.name, why});
      return {};
    }
    return report({.code = "capture",
                   .table = tracked.name,
                   .message = fmt::format("{}: its rows cannot be compared: {}", tracked.name,
                                          done.error().message)});
  }

  Result<void> table(const Tracked& tracked) {
    rows_.clear();
    nameless_ = 0;
    const ReadTransaction moment = TRY(ReadTransaction::begin(db_));
    {
      Selection selection;
      selection.table = tracked.id;
      selection.oldest_first = true;
      const auto changes = TRY(read_changes(db_, selection));
      while (const auto change = TRY(changes->next())) {
        sink_.step();
        fold(*change);
      }
    }
    for (const auto& [name, led] : rows_) TRY(compare(tracked, led));
    return {};
  }

  void fold(const Change& change) {
    if (!of_a_row(change.op)) return;
    // Of which row it was is not known any more: what later changes do not tell of may be its doing.
    if (change.erased_by("key").has_value()) nameless_ = change.id;
    if (!tells_apart(change.key)) return;
    Led& led = rows_[to_json(change.key)];
    led.key = change.key;
    led.by = change.id;
    if (change.op == Op::update && !led.state.has_value()) led.state.emplace();
    if (!change.lost_values()) fold_forward(led.state, change);
    else if (change.op == Op::remove) led.state.reset();
    else led.state = Row();
    if (!change.new_key.has_value()) return;
    State moved = std::exchange(led.state, std::nullopt);
    if (!tells_apart(*change.new_key)) return;
    rows_[to_json(*change.new_key)] = {*change.new_key, std::move(moved), change.id};
  }

  Result<void> compare(const Tracked& tracked, const Led& led) {
    if (nameless_ > led.by) return {};
    auto read = live_row(db_, tracked, RowName{led.key, std::nullopt});
    if (!read.has_value() && too_large(led.state)) return {};
    const State live = TRY(std::move(read));
    const auto say = [&](std::string code, std::string what, std::vector<std::string> columns) {
      return report({.code = std::move(code),
                     .change = led.by,
                     .table = tracked.name,
                     .parts = std::move(columns),
                     .message = fmt::format("{} {} {}; its last recorded change is {}",
                                            tracked.name, to_json(led.key), what, led.by)});
    };
    if (!led.state.has_value()) {
      if (live.has_value())
        return say("row-unknown", "stands in the table, and its making was never recorded", {});
      return {};
    }
    if (!live.has_value())
      return say("row-missing", "is gone from the table, and its removal was never recorded", {});
    std::vector<std::string> columns;
    std::string names;
    for (const Field& field : *led.state) {
      const Value* now = find(*live, field.name);
      if (now == nullptr || identical(*now, field.value) || is_withheld(field.value)) continue;
      columns.push_back(field.name);
      names += fmt::format("{}{}: {} in the trail, {} in the table", names.empty() ? "" : ", ",
                           field.name, to_json(field.value), to_json(*now));
    }
    if (columns.empty()) return {};
    return say("row-changed", fmt::format("was changed behind the trail's back ({})", names),
               std::move(columns));
  }

  Database& db_;
  VerifySink& sink_;
  Verdict& verdict_;
  std::map<std::string, Led> rows_;
  std::int64_t nameless_ = 0;  // the last change of the table whose key was erased
};

}  // namespace

Result<void> verify_live(Database& db, VerifySink& sink, Verdict& verdict) {
  return LiveCheck(db, sink, verdict).run();
}

}  // namespace vestige
