#include "vestige/rules/watch.h"

#include <algorithm>

#include "vestige/rules/rules_of.h"
#include "vestige/trail/context.h"
#include "vestige/trail/kept_table.h"

namespace vestige {
namespace {

constexpr std::string_view kConsumer = "vestige watch";
constexpr std::string_view kState = "rule_state";
constexpr std::string_view kStart = "@";  // the part in which a rule's beginning stands
constexpr std::size_t kAtOnce = 1000;     // changes
constexpr std::int64_t kLookEvery =
    10'000'000;  // microseconds: between two looks at the trail itself

Result<void> put_parts(Database& db, const std::string& table, const RuleParts& of) {
  for (const StatePart& part : of.parts) {
    TRY(db.run("delete from " + table + " where part = ?3 and rule = ?1 and rule_hash = ?2",
               {Text{of.rule}, Text{of.hash}, Text{part.name}}));
    if (part.text.has_value())
      TRY(db.run("insert into " + table + " (rule, rule_hash, part, state) values (?1, ?2, ?3, ?4)",
                 {Text{of.rule}, Text{of.hash}, Text{part.name}, Text{*part.text}}));
  }
  return {};
}

Context own_context() {
  Context context;
  context.set("actor", "vestige watch");
  return context;
}

}  // namespace

Result<std::unique_ptr<Watch>> Watch::open(Database& db, std::vector<Rule> rules, bool backfill) {
  std::unique_ptr<Watch> watch(new Watch(db, TRY(engine_for(db, std::move(rules)))));
  watch->cursor_ = TRY(Cursor::open(db, std::string(kConsumer)));
  watch->starts_.resize(watch->engine_->rules().size());
  TRY(watch->load());
  TRY(watch->begin(backfill));
  return watch;
}

// What the rules remember. What others remembered that are no more, or were other, is of no use.
Result<void> Watch::load() {
  const std::string table = TRY(known_kept_table(db_, kState));
  if (table.empty()) return {};
  auto rows = TRY(db_.query("select rule, rule_hash, part, state from " + table));
  while (TRY(rows->next()) == Step::row) {
    const std::size_t rule = place_of_rule(rows->text(0));
    if (rule == starts_.size() || engine_->hash(rule) != rows->text(1)) {
      obsolete_.emplace(rows->text(0), rows->text(1));
      continue;
    }
    const std::string part = rows->text(2);
    const std::string text = rows->text(3);
    if (part == kStart) {
      const auto start = KeptNumbers<2>::read(text);
      if (start.has_value()) starts_[rule] = Start{start->values[0], start->values[1]};
    } else if (!engine_->load(rule, part, text)) {
      return hinted(fail(Fault::corrupt, "watch: what rule {} remembers cannot be read",
                         engine_->rules()[rule].id),
                    "a rule with another id begins anew");
    }
  }
  return {};
}

Result<std::int64_t> Watch::end_of_feed() {
  const auto follower = TRY(Follower::open(db_, Selection(), std::nullopt));
  while (TRY(follower->catch_up()) && !follower->hindered().has_value()) {
  }
  return follower->at();
}

Result<void> Watch::begin(bool backfill) {
  const std::int64_t known = cursor_->upto().has_value() ? *cursor_->upto() : TRY(end_of_feed());
  std::int64_t from = known;
  for (std::size_t i = 0; i < starts_.size(); ++i)
    if (!starts_[i].has_value()) {
      begun_.push_back(engine_->rules()[i].id);
      if (backfill) from = -1;
    }
  for (std::size_t i = 0; i < starts_.size(); ++i) {
    const bool is_new = !starts_[i].has_value();
    if (!is_new && from == known) {
      engine_->start(i, starts_[i]->after);
      continue;
    }
    Start start = starts_[i].value_or(Start{backfill ? -1 : known, backfill ? known : -1});
    if (!is_new) start.after = std::max(start.after, known);  // it has seen the others
    starts_[i] = start;
    engine_->start(i, start.after);
    parts_.push_back({engine_->rules()[i].id,
                      engine_->hash(i),
                      {{std::string(kStart),
                        write_numbers(std::vector<std::int64_t>{start.after, start.backfilled})}}});
  }
  follower_ = TRY(Follower::open(db_, Selection(), from));
  if (!parts_.empty() || !obsolete_.empty() || !cursor_->upto().has_value()) TRY(write(from));
  return {};
}

std::size_t Watch::place_of_rule(const std::string& id) const {
  const auto& rules = engine_->rules();
  return static_cast<std::size_t>(
      std::find_if(rules.begin(), rules.end(), [&](const Rule& one) { return one.id == id; }) -
      rules.begin());
}

void Watch::say(const Alert& alert) {
  const std::size_t rule = place_of_rule(alert.rule);
  const bool over = rule < starts_.size() && alert.last_index <= starts_[rule]->backfilled;
  raised_.push_back({alert, AlertState::open, "", "", over, 0});
}

// No rule saw what is in it.
void Watch::say_unreadable() {
  for (const Feed::Unreadable& one : follower_->unreadable()) {
    Alert alert;
    alert.rule = alert.rule_hash = "vestige";
    alert.kind = "unreadable";
    alert.severity = "high";
    alert.group = "{}";
    alert.id = alert_id(alert.rule, alert.rule_hash, alert.kind, alert.group, one.change);
    alert.title = fmt::format("change {} cannot be read, and no rule saw its values", one.change);
    alert.why = one.why;
    alert.first_index = alert.last_index = follower_->at();
    alert.changes = {one.change};
    raised_.push_back({alert, AlertState::open, "", "", false, 0});
  }
}

Result<void> Watch::look_at_trail(std::int64_t now) {
  if (now - looked_ < kLookEvery) return {};
  looked_ = now;
  for (std::size_t i = 0; i < starts_.size(); ++i) {
    const Rule& rule = engine_->rules()[i];
    if (rule.kind != RuleKind::health) continue;
    for (const Alert& alert : engine_->look(i, TRY(troubles(db_, rule, now)), follower_->at(), now))
      say(alert);
  }
  return {};
}

// Some changes; false: there is no more now.
Result<bool> Watch::look(std::int64_t now) {
  bool more = true;
  for (std::size_t i = 0; more && i < kAtOnce; ++i) {
    const auto change = TRY(follower_->next());
    more = change.has_value();
    if (more)
      for (const Alert& alert : engine_->see(*change)) say(alert);
  }
  say_unreadable();
  if (!more) {
    for (const Alert& alert : engine_->pass(now)) say(alert);
    TRY(look_at_trail(now));
  }
  for (RuleParts& part : engine_->take()) parts_.push_back(std::move(part));
  return more;
}

// The cursor first: of two who watch, one is told so before the other is disturbed.
Result<void> Watch::write_together(std::int64_t upto) {
  auto scope = TRY(ContextScope::begin(db_, own_context()));
  const auto moved = cursor_->move(upto);
  if (!moved.has_value() && moved.error().fault == Fault::invalid)
    return hinted(fail(Fault::invalid, "watch: another watches this database"),
                  "one of them is enough: what it raises is kept, once");
  TRY(moved);
  TRY(write_rest());
  return scope.commit();
}

Result<void> Watch::write(std::int64_t upto) {
  auto written = write_together(upto);
  if (!written.has_value() && written.error().fault == Fault::invalid) return written;
  if (!written.has_value()) {  // the cursor is where it was
    cursor_ = TRY(Cursor::open(db_, std::string(kConsumer)));
    return written;
  }
  obsolete_.clear();
  parts_.clear();
  raised_.clear();
  return {};
}

Result<void> Watch::write_rest() {
  if (!parts_.empty() || !obsolete_.empty()) {
    const std::string table = TRY(kept_table(db_, kState));
    for (const auto& [rule, hash] : obsolete_)
      TRY(db_.run("delete from " + table + " where rule = ?1 and rule_hash = ?2",
                  {Text{rule}, Text{hash}}));
    for (const RuleParts& part : parts_) TRY(put_parts(db_, table, part));
  }
  return keep_alerts(db_, raised_);
}

Result<Watch::Turn> Watch::turn(std::int64_t now) {
  Turn turn;
  if (parts_.empty() && raised_.empty()) turn.more = TRY(look(now));
  if (parts_.empty() && raised_.empty() && follower_->at() == cursor_->upto()) return turn;
  std::vector<KeptAlert> raised = raised_;
  const auto written = write(follower_->at());
  if (!written.has_value() && written.error().fault != Fault::conflict)
    return tl::unexpected<Error>(written.error());
  turn.waits = !written.has_value();
  if (!turn.waits) turn.raised = std::move(raised);
  return turn;
}

}  // namespace vestige
