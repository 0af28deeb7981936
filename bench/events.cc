// What it costs to write a change in each format of events: CPU time of one core, the least of several rounds. What the figures
// mean: docs/performance.md.
#include "vestige/feed/event.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>

#include "bench/shop.h"

namespace vestige::bench {
namespace {

// An UPDATE of two columns, as an application writes it.
Change one(std::uint64_t i) {
  Change change;
  change.id = static_cast<std::int64_t>(i);
  change.index = i;
  change.at = 1767323045678901 + static_cast<std::int64_t>(i);
  change.op = Op::update;
  change.tx = static_cast<std::int64_t>(i);
  change.table = "products";
  change.key = {{"id", static_cast<std::int64_t>(i)}};
  change.old_values =
      Row{{"price", std::int64_t{99900}}, {"updated_at", Text{"2026-01-02 03:04:05"}}};
  change.new_values =
      Row{{"price", std::int64_t{94900}}, {"updated_at", Text{"2026-01-03 03:04:05"}}};
  change.context.set("actor", "manager_john");
  change.context.set("reason", "summer sale");
  change.context.set("ip_address", "192.0.2.17");
  change.context.set("session_id", "3f2a9c7e");
  change.context.set("traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01");
  return change;
}

int run(std::uint64_t count, int rounds) {
  const Origin origin = {"audit.example.com/shop", "shop", "1.0"};
  std::vector<Change> changes;
  for (std::uint64_t i = 0; i < 1000; ++i) changes.push_back(one(i));
  for (const EventFormat& format : event_formats()) {
    double least = 1e9;
    std::size_t bytes = 0;
    for (int round = 0; round < rounds; ++round) {
      const double start = cpu_now();
      bytes = 0;
      for (std::uint64_t i = 0; i < count; ++i)
        bytes += format.write(changes[i % changes.size()], origin).size();
      least = std::min(least, (cpu_now() - start) / 1e6);
    }
    fmt::print("{:<12} {:>10.0f} events/s  {:>6.2f} us each  {:>5} bytes\n", format.name,
               static_cast<double>(count) / least, least * 1e6 / static_cast<double>(count),
               bytes / count);
  }
  return 0;
}

}  // namespace
}  // namespace vestige::bench

int main(int count, char** words) {
  CLI::App app("Writes changes in each format of events");
  std::uint64_t events = 200'000;
  int rounds = 5;
  app.add_option("--events", events);
  app.add_option("--rounds", rounds);
  CLI11_PARSE(app, count, words);
  return vestige::bench::run(events, rounds);
}
