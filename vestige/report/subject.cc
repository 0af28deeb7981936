// subject: what a person may ask for (GDPR 15): what is recorded of their row, what was done to it and who looked at it, with dates
// and purposes, who was given it, and what was erased. Those who did it are numbered: their names are owed to nobody (--with-staff).
#include <algorithm>
#include <map>

#include "vestige/report/beyond.h"
#include "vestige/report/reports.h"
#include "vestige/trail/access.h"
#include "vestige/trail/catalog.h"
#include "vestige/trail/hold.h"

namespace vestige {
namespace {

// Whose row: behind the report's name, or --subject.
struct Asked {
  std::string table;
  std::vector<std::string> key;
};

Result<Asked> asked_of(const ReportRequest& request) {
  Asked asked{request.subject, request.subject_key};
  if (!request.words.empty())
    asked = {request.words.front(), {request.words.begin() + 1, request.words.end()}};
  if (asked.table.empty() || asked.key.empty())
    return hinted(fail(Fault::invalid, "report subject: of which row?"),
                  "vestige report subject TABLE KEY…");
  return asked;
}

// People by number, in the order in which they come; by name where that was asked for.
class Staff {
 public:
  explicit Staff(bool named) : named_(named) {}

  Cell shown(const std::string* who) {
    if (who == nullptr || who->empty()) return std::nullopt;
    if (named_) return *who;
    const auto place = numbers_.try_emplace(*who, numbers_.size() + 1).first;
    return fmt::format("staff {}", place->second);
  }

 private:
  bool named_;
  std::map<std::string, std::size_t> numbers_;
};

std::vector<std::string> texts_of(const Row& key) {
  std::vector<std::string> out;
  for (const Field& field : key) out.push_back(to_display(field.value));
  return out;
}

// What each column held, from when to when.
class Recorded {
 public:
  Recorded(Report& report, std::size_t section) : report_(report), section_(section) {}

  Result<void> take(const Change& change) {
    if (change.lost_values()) {
      now_.clear();  // what it was before is not known from here on
      order_.clear();
      return {};
    }
    if (change.new_key.has_value())
      for (const Field& field : *change.new_key)
        if (const Value* before = find(change.key, field.name);
            before != nullptr && find(change.old_values, field.name) == nullptr &&
            !identical(*before, field.value))
          TRY(became(change, field.name, before, &field.value));
    if (change.old_values.has_value())
      for (const Field& field : *change.old_values)
        TRY(became(change, field.name, &field.value, find(change.new_values, field.name)));
    else if (change.new_values.has_value())
      for (const Field& field : *change.new_values)
        TRY(became(change, field.name, nullptr, &field.value));
    return {};
  }

  Result<void> end() {
    for (const std::string& column : order_)
      if (const auto found = now_.find(column); found != now_.end())
        TRY(row(column, found->second.value, found->second.since, Cell()));
    return {};
  }

 private:
  struct Now {
    Value value;
    std::int64_t since = 0;
  };

  Result<void> became(const Change& change, const std::string& column, const Value* before,
                      const Value* after) {
    const auto known = now_.find(column);
    if (before != nullptr)
      TRY(row(column, *before,
              known == now_.end() ? std::optional<std::int64_t>() : known->second.since,
              time_cell(change.at)));
    if (after == nullptr) {
      now_.erase(column);
    } else {
      if (std::find(order_.begin(), order_.end(), column) == order_.end()) order_.push_back(column);
      now_[column] = {*after, change.at};
    }
    return {};
  }

  Result<void> row(const std::string& column, const Value& value, std::optional<std::int64_t> since,
                   const Cell& until) {
    return report_.row(section_, {text_cell(column), value_cell(&value),
                                  since.has_value() ? time_cell(*since) : Cell(), until});
  }

  Report& report_;
  std::size_t section_;
  std::map<std::string, Now> now_;
  std::vector<std::string> order_;
};

struct Sections {
  std::size_t data;
  std::size_t changes;
  std::size_t accesses;
  std::size_t erasures;
  std::size_t holds;
};

// What must be kept, by hold; of which matter is for who answers for the data, not for the person.
class Keeping {
 public:
  explicit Keeping(Holds holds) : holds_(std::move(holds)) {}

  void saw(const Change& change) {
    if (const Hold* by = holds_.held(change); by != nullptr) {
      Kept& one = kept_[by->id];
      one.by = by;
      ++one.changes;
    }
  }

  Result<void> add(Report& report, std::size_t section, bool matters) const {
    for (const auto& [id, one] : kept_)
      TRY(report.row(section, {time_cell(one.by->at), number_cell(one.changes),
                               matters ? text_cell(one.by->matter) : Cell()}));
    return {};
  }

 private:
  struct Kept {
    const Hold* by = nullptr;
    std::int64_t changes = 0;
  };

  Holds holds_;
  std::map<std::int64_t, Kept> kept_;
};

// What the times of values say, and what they cannot.
std::string about_times(const Report& report, const std::optional<std::int64_t>& horizon) {
  if (!horizon.has_value())
    return "Each value that a column had, from when, and until when; what has no beginning was "
           "there before it was recorded, what has no end is there still.";
  return fmt::format(
      "Each value that is known of a column, from when, and until when. Not every change from "
      "before {} is known any more: values may be missing, and one from before then that has no "
      "end may have been replaced.",
      shown(time_cell(*horizon), CellKind::time, report.zone()));
}

Sections add_sections(Report& report, const std::string& table, const std::string& key,
                      const std::optional<std::int64_t>& horizon) {
  Sections all{};
  all.data = report.add({.name = "data",
                         .title = fmt::format("What is recorded of {} {}", table, key),
                         .text = about_times(report, horizon),
                         .columns = {{"column", "column"},
                                     {"value", "value", CellKind::value},
                                     {"since", "since", CellKind::time},
                                     {"until", "until", CellKind::time}}});
  all.changes = report.add({.name = "changes",
                            .title = "What was done",
                            .columns = {{"time", "time", CellKind::time},
                                        {"op", "operation"},
                                        {"columns", "columns"},
                                        {"purpose", "purpose"},
                                        {"by", "by"},
                                        {"change", "change", CellKind::number}}});
  all.accesses = report.add({.name = "accesses",
                             .title = "Who looked, and who was told",
                             .text = "Reads and disclosures that the application reported.",
                             .columns = {{"time", "time", CellKind::time},
                                         {"kind", "kind"},
                                         {"purpose", "purpose"},
                                         {"recipient", "recipient"},
                                         {"description", "description"},
                                         {"by", "by"},
                                         {"change", "change", CellKind::number}}});
  all.erasures = report.add({.name = "erasures",
                             .title = "What was erased",
                             .columns = {{"change", "change", CellKind::number},
                                         {"time", "time", CellKind::time},
                                         {"part", "what"},
                                         {"erased_by", "by change", CellKind::number}}});
  all.holds = report.add({.name = "holds",
                          .title = "What must be kept",
                          .text = "Changes that are kept for a matter: nothing of them is erased "
                                  "while that lasts. One that is kept for several is counted once.",
                          .columns = {{"since", "since", CellKind::time},
                                      {"changes", "changes", CellKind::number},
                                      {"matter", "matter"}}});
  return all;
}

std::string columns_of(const Change& change) {
  return fmt::format("{}", fmt::join(change.changed_fields(), ", "));
}

Cell purpose_of(const Change& change) {
  const std::string* reason = change.context.get("reason");
  return text_cell(reason != nullptr ? reason : change.context.get("business_process"));
}

}  // namespace

Result<void> report_subject(Database& db, const ReportRequest& request, Report& report) {
  const Asked asked = TRY(asked_of(request));
  ReportRequest of_row = request;
  const Tracked table = TRY(tracked_table(db, asked.table));
  const RowName name = TRY(parse_key(db, table, asked.key));
  of_row.selection.table = table.id;
  of_row.selection.key = name.key;
  of_row.selection.row_id = name.row_id;
  const auto changes = TRY(Population::open(db, of_row, report));
  const std::string shown = fmt::format("{}", fmt::join(texts_of(name.key), " "));
  Beyond beyond = TRY(Beyond::of(db, table.id));
  const Sections all = add_sections(report, table.name, shown, beyond.horizon());
  Staff staff(request.with_staff);
  Recorded recorded(report, all.data);
  Keeping keeping(TRY(Holds::in_force(db)));
  std::vector<std::vector<std::string>> keys = {texts_of(name.key)};
  while (const auto change = TRY(changes->next())) {
    for (const Row* key : {&change->key, change->new_key.has_value() ? &*change->new_key : nullptr})
      if (key != nullptr && std::find(keys.begin(), keys.end(), texts_of(*key)) == keys.end())
        keys.push_back(texts_of(*key));
    beyond.saw(*change);
    keeping.saw(*change);
    TRY(recorded.take(*change));
    TRY(report.row(all.changes, {time_cell(change->at), text_cell(vestige::name(change->op)),
                                 text_cell(columns_of(*change)), purpose_of(*change),
                                 staff.shown(change->who()), number_cell(change->id)}));
    for (const ErasedPart& part : change->erased)
      TRY(report.row(all.erasures, {number_cell(change->id), time_cell(change->at),
                                    text_cell(part.part), number_cell(part.by)}));
  }
  TRY(recorded.end());
  TRY(keeping.add(report, all.holds, request.dpo));
  TRY(beyond.add(report));
  const auto reads = TRY(Population::of_own_table(db, request, report, "access"));
  const auto suspended = TRY(suspensions(db));
  while (const auto change = TRY(reads->next())) {
    if (change->op != Op::insert) continue;
    Access one = access_of(*change);
    const bool of_subject = std::any_of(
        keys.begin(), keys.end(), [&](const auto& key) { return is_of(one, table.name, key); });
    if (!of_subject) continue;
    apply(suspended, *change, one);
    if (one.suspended_until.value_or(0) > report.head.made_at && !request.dpo) continue;
    TRY(report.row(all.accesses, {time_cell(one.at), text_cell(one.kind), text_cell(one.purpose),
                                  text_cell(one.recipient), text_cell(one.description),
                                  staff.shown(one.who.has_value() ? &*one.who : nullptr),
                                  number_cell(one.change)}));
  }
  return {};
}

}  // namespace vestige
