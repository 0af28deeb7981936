// Rule: what of the changes somebody wants to be told, as vestige.toml has it (docs/rules.md). Read by rule_file.h.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "vestige/record/filter.h"

namespace vestige {

enum class RuleKind {
  match,       // a change that meets the condition
  frequency,   // `count` of them within a time
  sum,         // a value of theirs adds up to `above` within a time
  distinct,    // `count` different values of something within a time
  bulk,        // `rows` of them in one transaction
  newcomer,    // `new`: something that never was before
  off_hours,   // a change outside of the hours
  continuity,  // an old value that is not what the row's last change left: capture was passed by
  missing,     // a change whose context lacks fields
  silent,      // no such change for a time
  not_signed,  // `unsigned`: a change whose context has no signature that counts
  health,      // the trail itself is in trouble
};

inline constexpr std::array<std::string_view, 12> kRuleKinds = {
    "match",     "frequency",  "sum",     "distinct", "bulk",     "new",
    "off_hours", "continuity", "missing", "silent",   "unsigned", "health"};

inline constexpr std::array<std::string_view, 5> kSeverities = {"info", "low", "medium", "high",
                                                                "critical"};

std::string_view name(RuleKind kind);

struct Rule {
  std::string id;
  RuleKind kind = RuleKind::match;
  std::string select;  // as written; empty: every change
  Filter filter;       // what it says
  std::string when;    // an expression; empty: always
  std::string severity = "medium";
  std::string message;  // empty: one that fits the kind
  std::vector<std::string> group_by;
  std::int64_t realert = 0;  // microseconds in which the same group raises nothing again
  std::vector<std::string> notify;
  std::vector<std::string>
      inhibit;  // rules whose alerts about the same change make this one needless

  std::int64_t count = 0;             // frequency, distinct: as many
  std::int64_t within = 0;            // frequency, sum, distinct, silent: microseconds
  std::string value;                  // sum: an expression
  std::string above;                  // sum: a numeral
  std::vector<std::string> of;        // distinct, new: names
  std::vector<std::string> by;        // new: within each of these
  std::int64_t learn = 0;             // new: microseconds in which all is learnt
  std::int64_t rows = 0;              // bulk
  std::string field;                  // continuity: a column
  std::string hours;                  // off_hours: "Mon-Fri 07:00-19:00"
  std::vector<std::string> holidays;  // off_hours: dates, 2026-12-25
  std::vector<std::string> require;   // missing: fields of the context
  std::vector<std::string> what;      // health

  std::string zone = "UTC";  // of the alerts
  std::map<std::string, std::string, std::less<>>
      places;  // of each member: "vestige.toml:7:12"; "": the rule's own
};

/// Of everything that decides what a rule raises; neither its severity nor its words are in it.
std::string hash_of(const Rule& rule);

/// It asks what the signatures of contexts are worth.
bool asks_signed(const Rule& rule);

}  // namespace vestige
