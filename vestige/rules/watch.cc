#include "vestige/rules/watch.h"

#include <algorithm>

#include "vestige/base/number.h"
#include "vestige/rules/rule_file.h"
#include "vestige/rules/rules_of.h"
#include "vestige/trail/context.h"
#include "vestige/trail/kept_table.h"

namespace vestige {
namespace {

constexpr std::string_view kConsumer = "vestige watch";
constexpr std::string_view kState = "rule_state";
constexpr std::string_view kStart = "@";  // the part in which a rule's beginning stands
constexpr std::string_view kAnswer =
    "@verified";  // when the record was verified, and what was found
constexpr std::string_view kVerify = "verify-failed";
constexpr std::size_t kAtOnce = 1000;  // changes
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

// "verify-failed:1d"; empty: it does not ask.
std::string_view verify_of(const Rule& rule) {
  for (const std::string& one : rule.what)
    if (one.starts_with(kVerify)) return one;
  return {};
}

Context own_context() {
  Context context;
  context.set("actor", "vestige watch");
  return context;
}

}  // namespace

bool asks_to_verify(const std::vector<Rule>& rules) {
  return std::any_of(rules.begin(), rules.end(),
                     [](const Rule& rule) { return !verify_of(rule).empty(); });
}

Result<std::unique_ptr<Watch>> Watch::open(Database& db, std::vector<Rule> rules, bool backfill,
                                           std::shared_ptr<SignatureJudge> judge,
                                           Verifier verifier) {
  auto engine = TRY(engine_for(db, std::move(rules)));
  std::unique_ptr<Watch> watch(new Watch(db, std::move(engine)));
  watch->judge_ = std::move(judge);
  watch->verifier_ = std::move(verifier);
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
    const StatePart part{rows->text(2), rows->text(3)};
    if (!TRY(load_part(rule, part.name, *part.text))) {
      RuleParts& of = damaged_[rule];
      of.rule = engine_->rules()[rule].id;
      of.hash = engine_->hash(rule);
      of.parts.push_back(part);
    }
  }
  return {};
}

// False: it is none that was written. A rule whose beginning is lost has seen what the others have.
Result<bool> Watch::load_part(std::size_t rule, const std::string& part, const std::string& text) {
  if (part == kAnswer) return load_answer(text);
  if (part != kStart) return engine_->load(rule, part, text);
  const auto start = KeptNumbers<2>::read(text);
  if (start.has_value()) {
    starts_[rule] = Start{start->values[0], start->values[1]};
  } else {
    const std::int64_t known = cursor_->upto().has_value() ? *cursor_->upto() : TRY(end_of_feed());
    starts_[rule] = Start{known, -1};
  }
  return start.has_value();
}

// "1767268800000000 what was found": of those of several rules the latest counts.
bool Watch::load_answer(std::string_view text) {
  const std::size_t space = text.find(' ');
  const auto at = whole_number<std::int64_t>(text.substr(0, space));
  if (!at.has_value() || space == std::string_view::npos) return false;
  if (!answer_.has_value() || *at > answer_->at)
    answer_ = Answer{*at, std::string(text.substr(space + 1))};
  return true;
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
  Selection all;
  all.judge = judge_;
  follower_ = TRY(Follower::open(db_, all, from));
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

// What cannot be read is let go, and the rule goes on without it: whoever depends on it is told, once for what stood there.
void Watch::say_damaged(std::int64_t now) {
  for (auto& [rule, of] : damaged_) {
    std::vector<std::string> stood;
    for (StatePart& part : of.parts) {
      stood.push_back(part.name);
      stood.push_back(part.text.value_or(""));
      const auto& start = starts_[rule];
      part.text.reset();
      if (part.name == kStart)
        part.text = write_numbers(std::vector<std::int64_t>{start->after, start->backfilled});
    }
    Alert alert;
    alert.rule = of.rule;
    alert.rule_hash = of.hash;
    alert.kind = "broken";
    alert.severity = "high";
    alert.group = "{}";
    alert.notify = engine_->rules()[rule].notify;
    alert.first_index = alert.last_index = follower_->at();
    alert.at = now;
    alert.id = alert_id(of.rule, of.hash, alert.kind, list_json(stood), alert.first_index);
    alert.why = "what it remembers cannot be read";
    alert.title = fmt::format(
        "rule {}: {} of what it remembers cannot be read, and it goes on without: what it would"
        " have raised with it is not raised",
        of.rule, of.parts.size() == 1 ? "1 part" : fmt::format("{} parts", of.parts.size()));
    raised_.push_back({alert, AlertState::open, "", "", false, 0});
    parts_.push_back(std::move(of));
  }
  damaged_.clear();
}

// What is wrong with the record, as it was found when its time had come last, for whichever rule. That it cannot be verified is as
// bad; that the database is away or locked is no answer, and it is asked again.
Result<std::string> Watch::verified(std::size_t rule, std::int64_t now) {
  const std::string_view asks = verify_of(engine_->rules()[rule]);
  if (asks.empty() || verifier_ == nullptr) return std::string();
  const std::int64_t every = TRY(parse_period(std::string(asks.substr(kVerify.size() + 1))));
  // One of a time to come was put there, or the clock was set back.
  if (answer_.has_value() && answer_->at <= now && now - answer_->at < every) return answer_->found;
  const auto said = verifier_();
  if (!said.has_value() && said.error().fault == Fault::conflict)
    return answer_.has_value() ? answer_->found : std::string();
  if (!said.has_value() && said.error().fault != Fault::corrupt)
    return tl::unexpected<Error>(said.error());
  answer_ = Answer{
      now, said.has_value() ? *said : "the record cannot be verified: " + said.error().message};
  keep_answer();
  return answer_->found;
}

// With every rule that asks: one that is removed or altered takes none of it from the others.
void Watch::keep_answer() {
  for (std::size_t i = 0; i < starts_.size(); ++i)
    if (!verify_of(engine_->rules()[i]).empty())
      parts_.push_back(
          {engine_->rules()[i].id,
           engine_->hash(i),
           {{std::string(kAnswer), fmt::format("{} {}", answer_->at, answer_->found)}}});
}

Result<void> Watch::look_at_trail(std::int64_t now) {
  if (now - looked_ < kLookEvery) return {};
  looked_ = now;
  for (std::size_t i = 0; i < starts_.size(); ++i) {
    const Rule& rule = engine_->rules()[i];
    if (rule.kind != RuleKind::health) continue;
    auto found = TRY(troubles(db_, rule, now));
    if (std::string wrong = TRY(verified(i, now)); !wrong.empty())
      found.push_back({std::string(kVerify), "", std::move(wrong)});
    for (const Alert& alert : engine_->look(i, found, follower_->at(), now)) say(alert);
  }
  return {};
}

// Some changes; false: there is no more now.
Result<bool> Watch::look(std::int64_t now) {
  bool more = true;
  say_damaged(now);
  for (std::size_t i = 0; more && i < kAtOnce; ++i) {
    const auto change = TRY(follower_->next());
    more = change.has_value();
    if (more)
      for (const Alert& alert : engine_->see(*change)) say(alert);
  }
  say_unreadable();
  if (!more) {
    for (const Alert& alert : engine_->pass(now)) say(alert);
  }
  TRY(look_at_trail(now));
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
