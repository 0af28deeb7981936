// What rules cost for each change, without a database: all of them about the one table that changes, and about ten tables. CPU time,
// the least of several rounds. What the figures mean: docs/performance.md.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>

#include "bench/shop.h"
#include "vestige/rules/engine.h"

namespace vestige::bench {
namespace {

struct Options {
  std::int64_t changes = 20'000;
  int rounds = 3;
};

constexpr std::int64_t kTables = 10;

Change change_of(std::int64_t i) {
  Change change;
  change.index = static_cast<std::uint64_t>(i);
  change.id = change.tx = i + 1;
  change.at = 1767323045678901 + i * 1'000'000;
  change.op = Op::update;
  change.table = fmt::format("products{}", i % kTables);
  change.key = {{"id", i % 1000}};
  change.old_values = Row{{"price", Token{"949.00"}}, {"stock", i % 50}};
  change.new_values = Row{{"price", Token{fmt::format("{}.50", 940 + i % 20)}}, {"stock", i % 51}};
  change.context.set("actor", "ann");
  change.context.set("reason", "price list");
  change.context.set("ip_address", "10.1.2.3");
  return change;
}

// One in four is of each: a ratio, a comparison, a net and an hour, a window.
Rule rule_of(std::size_t i, bool everywhere) {
  Rule rule;
  rule.id = fmt::format("rule{}", i);
  rule.zone = "Europe/Berlin";
  rule.select = everywhere ? "op:update" : fmt::format("table:products{} op:update", i % kTables);
  rule.filter = *parse_filter(rule.select, Now(0));
  switch (i % 4) {
    case 0: rule.when = "old.price > 0 and abs(new.price - old.price) > 0.5 * old.price"; break;
    case 1: rule.when = "new.price <> old.price and new.price > 100000.01"; break;
    case 2: rule.when = "not in_cidr(ip_address, '10.0.0.0/8') or local_hour(at) > 24"; break;
    default:
      rule.kind = RuleKind::frequency;
      rule.group_by = {"key"};
      rule.count = 6;
      rule.within = 3'600'000'000;
      rule.when = "new.stock > 1000";
  }
  return rule;
}

void run(const Options& options, const std::vector<Change>& changes, std::size_t count,
         bool everywhere) {
  double least = 1e9;
  for (int round = 0; round < options.rounds; ++round) {
    std::vector<Rule> rules;
    for (std::size_t i = 0; i < count; ++i) rules.push_back(rule_of(i, everywhere));
    const auto engine = RuleEngine::open(std::move(rules), {});
    if (!engine.has_value()) throw std::runtime_error(engine.error().message);
    const double start = cpu_now();
    for (const Change& change : changes) (*engine)->see(change);
    least = std::min(least, (cpu_now() - start) / 1e6);
  }
  const auto seen = static_cast<double>(changes.size());
  fmt::print("{:>4} rules, {:<38} {:>10.0f} changes/s {:>8.2f} us each\n", count,
             everywhere ? "all of them about every change" : "each about one table of ten",
             seen / least, least * 1e6 / seen);
}

}  // namespace
}  // namespace vestige::bench

int main(int count, char** words) {
  vestige::bench::Options options;
  CLI::App app("what rules cost for each change");
  app.add_option("--changes", options.changes);
  app.add_option("--rounds", options.rounds);
  CLI11_PARSE(app, count, words);
  std::vector<vestige::Change> changes;
  for (std::int64_t i = 0; i < options.changes; ++i)
    changes.push_back(vestige::bench::change_of(i));
  for (const std::size_t rules : {10, 100})
    for (const bool everywhere : {true, false})
      vestige::bench::run(options, changes, rules, everywhere);
  return 0;
}
