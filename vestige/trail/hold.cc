#include "vestige/trail/hold.h"

#include <algorithm>

#include "vestige/base/letters.h"
#include "vestige/base/number.h"
#include "vestige/base/time.h"
#include "vestige/trail/context.h"
#include "vestige/trail/install.h"
#include "vestige/trail/kept_table.h"
#include "vestige/trail/spelling.h"
#include "vestige/trail/track.h"

namespace vestige {
namespace {

constexpr std::string_view kHold = "hold";

bool yes(const std::string& text) { return text == "1" || text == "true" || text == "t"; }

std::string who_of(const Change& change) {
  const std::string* who = change.who();
  return who == nullptr ? "" : *who;
}

std::string reason_of(const Change& change) {
  const std::string* reason = change.context.get("reason");
  return reason == nullptr ? "" : *reason;
}

std::string_view trimmed(std::string_view text) {
  const auto begin = text.find_first_not_of(" \t");
  return begin == std::string_view::npos
             ? std::string_view()
             : text.substr(begin, text.find_last_not_of(" \t") - begin + 1);
}

// Two spellings of a name are one person's.
bool same_person(std::string_view left, std::string_view right) {
  return lower(trimmed(left)) == lower(trimmed(right));
}

Hold placed(std::int64_t id, const std::optional<Row>& row) {
  Hold out;
  out.id = id;
  out.matter = text_in(row, "matter");
  out.filter = text_in(row, "filter");
  out.two_persons = yes(text_in(row, "two_persons"));
  return out;
}

// A release says who and why, as release_hold makes it; where two persons are asked for it is another one, and, where the database has
// users, another of them.
bool ends(const Hold& hold, const Change& change, const Hold::Release& release) {
  // Nobody erases who made it, of a hold that is in force: it was a release.
  if (change.erased_by("context").has_value()) return true;
  if (release.who.empty() || release.reason.empty() ||
      text_in(change.new_values, "released_by") != release.who)
    return false;
  if (!hold.two_persons) return true;
  return !same_person(release.who, hold.who) &&
         (hold.user.empty() || change.db_user.value_or("") != hold.user);
}

// What an UPDATE of its row does to a hold. Its filter, and who placed it, stay what they were when it was placed.
void follow(Hold& hold, const Change& change) {
  if (change.erased_by("values").has_value()) hold.released = {change.id, change.at, "", ""};
  if (!change.new_values.has_value()) return;
  if (const std::string refused = text_in(change.new_values, "refused"); !refused.empty())
    hold.refused = whole_number<std::int64_t>(refused).value_or(hold.refused);
  if (const std::string attempt = text_in(change.new_values, "attempt"); !attempt.empty())
    hold.attempt = attempt;
  if (!hold.in_force() || text_in(change.new_values, "released_by").empty()) return;
  const Hold::Release release{change.id, change.at, who_of(change), reason_of(change)};
  if (ends(hold, change, release)) hold.released = release;
  else hold.unheeded = release;
}

// What the trail says. A hold whose record was erased had been released before: nobody erases one that is in force.
Result<std::map<std::int64_t, Hold>> recorded(Database& db) {
  std::map<std::int64_t, Hold> out;
  const auto table = TRY(known_own_table(db, kHold));
  if (!table.has_value()) return out;
  Selection selection;
  selection.table = table->id;
  selection.oldest_first = true;
  selection.forgiving = true;
  auto changes = TRY(read_changes(db, selection));
  while (const auto change = TRY(changes->next())) {
    const auto id = own_row_id(*change);
    if (!id.has_value()) continue;
    if (change->op == Op::update && out.contains(*id)) follow(out.at(*id), *change);
    if (change->op != Op::insert || !change->new_values.has_value()) continue;
    Hold hold = placed(*id, change->new_values);
    hold.change = change->id;
    hold.at = change->at;
    hold.who = who_of(*change);
    hold.user = change->db_user.value_or("");
    hold.reason = reason_of(*change);
    out.try_emplace(*id, std::move(hold));
  }
  return out;
}

// What stands in the table and is not released there.
Result<std::vector<Hold>> standing(Database& db) {
  std::vector<Hold> out;
  const std::string table = TRY(known_kept_table(db, kHold));
  if (table.empty()) return out;
  auto rows = TRY(db.query("select id, matter, filter from " + table +
                           " where released_by is null order by id"));
  while (TRY(rows->next()) == Step::row) {
    Hold hold;
    hold.id = rows->integer(0);
    hold.matter = rows->text(1);
    hold.filter = rows->text(2);
    out.push_back(std::move(hold));
  }
  return out;
}

Result<void> check_said(const Context& context, std::string_view attempt) {
  for (const char* field : {"actor", "reason"})
    if (const std::string* text = context.get(field); text == nullptr || text->empty())
      return hinted(fail(Fault::invalid, "{}: nobody says {}", attempt,
                         std::string_view(field) == "actor" ? "who" : "why"),
                    "--by counsel --reason 'letter of 12 May'");
  return {};
}

Result<std::vector<Hold>> meant(Database& db, const std::string& name) {
  std::vector<Hold> out;
  const auto id = whole_number<std::int64_t>(name);
  for (Hold& one : TRY(holds(db)))
    if (one.in_force() && (one.matter == name || (id.has_value() && one.id == *id)))
      out.push_back(std::move(one));
  if (out.empty())
    return hinted(
        fail(Fault::missing, "release hold {}: none of that matter or id is in force", name),
        "vestige hold list");
  return out;
}

}  // namespace

Result<std::vector<Hold>> holds(Database& db) {
  TRY(require_trail(db));
  auto known = TRY(recorded(db));
  for (Hold& one : TRY(standing(db)))
    if (!known.contains(one.id)) known[one.id] = std::move(one);
  std::vector<Hold> out;
  for (auto& [id, hold] : known) out.push_back(std::move(hold));
  return out;
}

Result<std::int64_t> place_hold(Database& db, const std::string& matter, const Filter& filter,
                                bool two_persons, const Context& context) {
  TRY(require_trail(db));
  TRY(check_said(context, "place a hold"));
  if (matter.empty())
    return hinted(fail(Fault::invalid, "place a hold: the matter is missing"),
                  "--matter 'Doe v. Shop'");
  const Filter meant = TRY(held_filter(db, filter));
  auto scope = TRY(ContextScope::begin(db, context));
  TRY(own_table(db, kHold));
  TRY(db.run(spelling_of(db).place_hold, {Text{matter}, Text{to_text(meant)},
                                          Text{conditions_json(meant)}, two_persons ? 1 : 0}));
  const std::int64_t id =
      TRY(scalar_integer(db, "select max(id) from " + spelling_of(db).table(kHold)));
  TRY(scope.commit());
  return id;
}

Result<std::vector<Hold>> release_hold(Database& db, const std::string& name,
                                       const Context& context) {
  TRY(require_trail(db));
  TRY(check_said(context, "release hold " + name));
  const std::string& who = *context.get("actor");
  const auto all = TRY(meant(db, name));
  for (const Hold& one : all)
    if (one.two_persons && same_person(one.who, who))
      return hinted(
          fail(Fault::denied, "release hold {}: {} placed it, and another person releases it",
               one.id, who),
          "it was placed with two_persons");
  auto scope = TRY(ContextScope::begin(db, context));
  for (const Hold& one : all) TRY(db.run(spelling_of(db).release_hold, {one.id}));
  TRY(scope.commit());
  return all;
}

Result<Holds> Holds::in_force(Database& db) {
  Holds out;
  for (Hold& one : TRY(holds(db)))
    if (one.in_force()) out.holds_.push_back(std::move(one));
  if (out.none()) return out;
  out.names_ = TRY(HeldNames::of(db));
  for (const Hold& one : out.holds_) {
    auto filter = parse_filter(one.filter, Now(0));
    out.rows_.push_back(filter.has_value() ? TRY(HeldRows::of(db, *filter, out.names_))
                                           : HeldRows());
    if (filter.has_value()) out.filters_.emplace_back(std::move(*filter));
    else out.filters_.emplace_back(std::nullopt);
  }
  out.own_ = spelling_of(db).table(kHold);
  return out;
}

const Hold* Holds::held(const Change& change) const {
  for (std::size_t place = 0; place < holds_.size(); ++place) {
    const Hold& hold = holds_[place];
    if (change.table == own_ && own_row_id(change).value_or(hold.id) == hold.id) return &hold;
    if (!filters_[place].has_value()) return &hold;
    const auto& conditions = filters_[place]->conditions;
    if (std::all_of(conditions.begin(), conditions.end(), [&](const Condition& one) {
          return names_.may_meet(one, change) || rows_[place].meets(one, change.id);
        }))
      return &hold;
  }
  return nullptr;
}

Result<std::optional<Held>> held(Database& db, const std::vector<std::int64_t>& ids,
                                 bool contexts) {
  const Holds holds = TRY(Holds::in_force(db));
  if (holds.none() || ids.empty()) return std::optional<Held>();
  std::vector<std::int64_t> transactions;
  const auto among = [&](Selection selection) -> Result<std::optional<Held>> {
    selection.forgiving = true;
    selection.oldest_first = true;
    auto changes = TRY(read_changes(db, selection));
    while (const auto change = TRY(changes->next())) {
      if (const Hold* hold = holds.held(*change); hold != nullptr)
        return std::optional(Held{hold->id, hold->matter, change->id,
                                  selection.tx.has_value() ? change->table : ""});
      if (contexts && (transactions.empty() || transactions.back() != change->tx))
        transactions.push_back(change->tx);
    }
    return std::optional<Held>();
  };
  Selection selection;
  selection.ids = ids;
  if (auto found = TRY(among(selection)); found.has_value()) return found;
  const std::vector<std::int64_t> all = std::move(transactions);
  transactions.clear();
  for (const std::int64_t tx : all) {
    Selection whole;
    whole.tx = tx;
    if (auto found = TRY(among(whole)); found.has_value()) return found;
  }
  return std::optional<Held>();
}

Result<std::optional<Held>> any_held(Database& db) {
  const auto rows = TRY(standing(db));
  if (!rows.empty()) return std::optional(Held{rows.front().id, rows.front().matter, 0});
  // Of a trail that lost tables, or of another version, nothing but that one can be asked; one that is busy is asked later.
  const auto damaged = [](const Error& error) {
    return error.fault == Fault::missing || error.fault == Fault::corrupt ||
           error.fault == Fault::invalid;
  };
  const auto trail = require_trail(db);
  if (!trail.has_value() && damaged(trail.error())) return std::optional<Held>();
  TRY(trail);
  const auto all = Holds::in_force(db);
  if (!all.has_value() && damaged(all.error())) return std::optional<Held>();
  if (!all.has_value()) return tl::unexpected<Error>(all.error());
  const Hold* hold = all->first();
  if (hold == nullptr) return std::optional<Held>();
  return std::optional(Held{hold->id, hold->matter, 0});
}

Result<std::vector<Hold>> unheeded_releases(Database& db) {
  auto all = TRY(holds(db));
  std::erase_if(all, [](const Hold& one) { return !one.in_force() || !one.unheeded.has_value(); });
  return all;
}

std::string about_unheeded(const Hold& hold) {
  return fmt::format("hold {} for {}: change {} says that it is released, and ends nothing: {}",
                     hold.id, text_json(hold.matter), hold.unheeded->change,
                     hold.unheeded->who.empty() || hold.unheeded->reason.empty()
                         ? "it was written past hold release"
                         : "it was placed with two_persons, and is not another person's");
}

tl::unexpected<Error> held_back(std::string_view attempt, const Held& held) {
  std::string what = held.change == 0 ? "it" : fmt::format("change {}", held.change);
  if (!held.in_transaction_of.empty())
    what += fmt::format(" of {}, whose context was to go with that of its transaction,",
                        held.in_transaction_of);
  return hinted(fail(Fault::denied, "{}: {} is held for {} (hold {})", attempt, what,
                     text_json(held.matter), held.hold),
                "vestige hold list says by whom and why; nothing that it names goes before it is"
                " released");
}

tl::unexpected<Error> refused(Database& db, tl::unexpected<Error> refusal, const Held& held,
                              const std::string& attempt, const Context& context) {
  const auto record = [&]() -> Result<void> {
    auto scope = TRY(ContextScope::begin(db, context));
    TRY(db.run(spelling_of(db).refused_hold, {held.hold, Text{attempt}}));
    return scope.commit();
  };
  const auto done = record();
  if (!done.has_value())
    refusal.value().hint += "; that it was tried could not be recorded: " + done.error().message;
  return refusal;
}

std::string to_json(const Hold& hold) {
  std::string released = "null";
  if (hold.released.has_value())
    released =
        fmt::format(R"({{"change":{},"at":"{}","who":{},"reason":{}}})", hold.released->change,
                    format_time(hold.released->at), to_json(text_or_null(hold.released->who)),
                    to_json(text_or_null(hold.released->reason)));
  return fmt::format(
      R"({{"hold":{},"change":{},"at":{},"who":{},"matter":{},"filter":{},"reason":{},)"
      R"("two_persons":{},"in_force":{},"released":{},"refused":{},"attempt":{}}})",
      hold.id, hold.change == 0 ? "null" : std::to_string(hold.change),
      hold.change == 0 ? "null" : text_json(format_time(hold.at)), to_json(text_or_null(hold.who)),
      text_json(hold.matter), text_json(hold.filter), to_json(text_or_null(hold.reason)),
      hold.two_persons, hold.in_force(), released, hold.refused,
      to_json(text_or_null(hold.attempt)));
}

}  // namespace vestige
