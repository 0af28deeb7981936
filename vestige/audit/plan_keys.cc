#include "vestige/audit/plan_keys.h"

#include <algorithm>
#include <cctype>
#include <set>

#include "vestige/base/time.h"
#include "vestige/trail/recipient.h"
#include "vestige/trail/tracking.h"

namespace vestige {
namespace {

constexpr std::int64_t kMillisecond = 1000;  // as far as SQLite's trail has times

template <class T>
Result<void> fits(const std::string& place, const Result<T>& result) {
  if (result.has_value()) return {};
  return hinted(misread(place, result.error().message), result.error().hint);
}

// A date, with or without an hour: of a file that is read again and again a time must not hang on now.
Result<std::int64_t> begin_of(const TomlMember& from) {
  const std::string text =
      from.value.kind == Toml::Kind::time ? from.value.text : TRY(from.as_text());
  const bool dated = text.size() > 4 && text[4] == '-' &&
                     std::all_of(text.begin(), text.begin() + 4,
                                 [](unsigned char c) { return std::isdigit(c) != 0; });
  const auto time =
      dated ? parse_time(text, Now(0)) : Result<std::int64_t>(fail(Fault::invalid, ""));
  if (time.has_value()) return *time;
  return hinted(
      misread(from.value.place, fmt::format("'{}' is no date from which a key begins", text)),
      "from = \"2026-12\", or \"2026-12-01T00:00:00Z\"");
}

Result<PlannedKey> planned_key(const Toml& entry) {
  if (entry.kind != Toml::Kind::table)
    return hinted(misread(entry.place, "a recipient is a table"),
                  "recipients = [{ key = \"age1…\", from = \"2026-12\" }]");
  TRY(entry.check_names({"from", "key"}));
  const TomlMember* key = entry.find("key");
  if (key == nullptr)
    return hinted(misread(entry.place, "a recipient has no 'key'"),
                  "key = \"age1…\", as vestige keys generate printed it");
  PlannedKey out{TRY(key->as_text()), {}};
  TRY(fits(key->value.place, check_recipient(out.public_key)));
  if (const TomlMember* from = entry.find("from"); from != nullptr) out.from = TRY(begin_of(*from));
  return out;
}

Result<PlannedKeys> months_of(const TomlMember& recipients) {
  PlannedKeys out{{}, true};
  if (recipients.value.kind != Toml::Kind::array || recipients.value.items.empty())
    return hinted(misread(recipients.value.place, "recipients is no list of recipients"),
                  "recipients = [{ key = \"age1…\" }, { key = \"age1…\", from = \"2026-12\" }]");
  std::set<std::string> seen;
  for (const Toml& entry : recipients.value.items) {
    PlannedKey one = TRY(planned_key(entry));
    if (!seen.insert(one.public_key).second)
      return hinted(misread(entry.place, "a key stands twice: it can begin only once"),
                    "each month has a key of its own: vestige keys generate");
    if (!out.keys.empty() && (!one.from.has_value() || (out.keys.back().from.has_value() &&
                                                        *one.from <= *out.keys.back().from)))
      return hinted(
          misread(entry.place, "a key does not begin after the one before it"),
          "only the first may have no 'from', and the others stand in the order of their times");
    out.keys.push_back(std::move(one));
  }
  return out;
}

std::string shown(const std::string& public_key) {
  return public_key.substr(0, public_key.find(' '));
}

bool same_moment(std::int64_t left, std::int64_t right) {
  return left / kMillisecond == right / kMillisecond;
}

// The steps to what a list of months says. What is over stays as it was.
std::vector<KeyStep> month_steps(const std::string& of, const std::vector<PlannedKey>& planned,
                                 const std::vector<Recipient>& all) {
  const std::int64_t now = clock_now();
  const PlannedKey* current = nullptr;
  for (const PlannedKey& one : planned)
    if (one.from.value_or(now) <= now) current = &one;
  std::vector<KeyStep> ends;
  std::vector<KeyStep> out;
  std::set<std::string> known;  // keys that stand or will as they ought to
  for (const Recipient& one : all) {
    if (one.until.has_value() && *one.until <= now) continue;
    const bool later = one.since > now;
    const auto same = std::find_if(planned.begin(), planned.end(), [&](const PlannedKey& key) {
      return key.public_key == one.public_key &&
             (later ? key.from.has_value() && same_moment(*key.from, one.since) : &key == current);
    });
    if (same != planned.end() && known.insert(one.public_key).second) continue;
    KeyStep step{KeyStep::Kind::end, of, one.public_key};
    step.id = one.id;
    step.text = fmt::format("keys {}: {} {}", of, shown(one.public_key),
                            later ? "does not begin " + format_time(one.since) : "ends");
    // Who stands ends by itself when the one begins that ought to.
    (later ? out : ends).push_back(std::move(step));
  }
  const bool begins = current != nullptr && !known.contains(current->public_key);
  if (begins)
    out.push_back({.kind = KeyStep::Kind::add,
                   .of = of,
                   .public_key = current->public_key,
                   .from = now,
                   .text = fmt::format("keys {}: {} from now on", of, shown(current->public_key))});
  else if (current != nullptr) out.insert(out.end(), ends.begin(), ends.end());
  for (const PlannedKey& one : planned)
    if (one.from.value_or(now) > now && !known.contains(one.public_key))
      out.push_back({.kind = KeyStep::Kind::add,
                     .of = of,
                     .public_key = one.public_key,
                     .from = one.from,
                     .text = fmt::format("keys {}: {} from {}", of, shown(one.public_key),
                                         format_time(*one.from))});
  return out;
}

}  // namespace

Result<PlannedKeys> read_planned_keys(const TomlMember& of) {
  const Toml& members = *TRY(of.as_table());
  TRY(members.check_names({"recipient", "recipients"}));
  const TomlMember* recipient = members.find("recipient");
  const TomlMember* recipients = members.find("recipients");
  if (recipient == nullptr && recipients == nullptr)
    return hinted(misread(of.place, fmt::format("[keys.{}] has no 'recipient'", of.name)),
                  "recipient = \"age1…\", as vestige keys generate printed it");
  if (recipient != nullptr && recipients != nullptr)
    return hinted(misread(recipients->place, "recipient and recipients exclude each other"),
                  "keep one of them: recipients says of each key when it begins");
  TRY(fits((recipient != nullptr ? recipient : recipients)->value.place, check_class(of.name)));
  if (recipients != nullptr) return months_of(*recipients);
  PlannedKey only{TRY(recipient->as_text()), {}};
  TRY(fits(recipient->value.place, check_recipient(only.public_key)));
  return PlannedKeys{{std::move(only)}, false};
}

Result<std::vector<KeyStep>> key_steps(Database& db, const std::string& of,
                                       const PlannedKeys& planned, bool installed, bool prune) {
  const auto all = installed ? TRY(all_recipients(db, of)) : std::vector<Recipient>();
  if (planned.months) return month_steps(of, planned.keys, all);
  const std::string& only = planned.keys.front().public_key;
  const auto stand = standing(all, clock_now());
  if (stand.size() == 1 && stand[0].public_key == only) return std::vector<KeyStep>();
  // It was the one, and ended when another began: months that somebody added.
  const bool followed = std::any_of(all.begin(), all.end(), [&](const Recipient& was) {
    return was.public_key == only && was.until.has_value() &&
           std::any_of(all.begin(), all.end(),
                       [&](const Recipient& next) { return next.since == *was.until; });
  });
  KeyStep step{.of = of, .public_key = only};
  if (followed && !prune) {
    step.text = fmt::format("keys {}: {} was followed by others, which are not in the plan", of,
                            shown(only));
  } else {
    step.kind = KeyStep::Kind::set;
    step.text = fmt::format("keys {}: {}{}", of, shown(only), stand.empty() ? "" : " from now on");
  }
  return std::vector<KeyStep>{std::move(step)};
}

Result<void> take_step(Database& db, const KeyStep& step) {
  switch (step.kind) {
    case KeyStep::Kind::set: TRY(set_recipient(db, step.of, step.public_key)); return {};
    case KeyStep::Kind::add: return add_recipient(db, step.of, step.public_key, step.from);
    case KeyStep::Kind::end: return tracking_of(db)->end_recipient(step.id);
    case KeyStep::Kind::leave: return {};
  }
  return {};
}

}  // namespace vestige
