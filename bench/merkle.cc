// What the evidence costs without a database: entries, leaves and tree for each change, proofs from tiles,
// checks of them. CPU time, the least of several rounds. What the figures mean: docs/performance.md.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <functional>
#include <map>

#include "bench/shop.h"
#include "vestige/audit/check.h"
#include "vestige/base/bytes.h"
#include "vestige/merkle/proof.h"
#include "vestige/merkle/tile.h"
#include "vestige/record/canonical.h"

namespace vestige::bench {
namespace {

struct Options {
  std::uint64_t changes = 1'000'000;
  int rounds = 5;
};

// CPU seconds of the fastest round.
double fastest(int rounds, const std::function<void()>& work) {
  double least = 1e9;
  for (int i = 0; i < rounds; ++i) {
    const double start = cpu_now();
    work();
    least = std::min(least, (cpu_now() - start) / 1e6);
  }
  return least;
}

void report(const char* what, std::uint64_t count, double seconds) {
  fmt::print("{:<58} {:>12.0f} /s  {:>8.2f} us each\n", what, static_cast<double>(count) / seconds,
             seconds * 1e6 / static_cast<double>(count));
}

std::string canonical_values(std::uint64_t i) {
  const std::string price = std::to_string(99900 + i);
  Canonical values;
  values.section("old");
  values.text("price", price);
  values.text("updated_at", "2026-01-02 03:04:05.678901+00");
  values.section("new");
  values.text("price", "94900");
  values.text("updated_at", "2026-01-03 03:04:05.678901+00");
  return std::move(values).take();
}

// One change as a sealer makes it: canonical bytes, three commitments, the line.
std::string entry_line(std::uint64_t i, std::string_view salts) {
  Entry entry;
  entry.id = static_cast<std::int64_t>(i);
  entry.op = "UPDATE";
  entry.table_id = 3;
  entry.table = "products";
  entry.at = 1767323045678901 + static_cast<std::int64_t>(i);
  entry.tx = static_cast<std::int64_t>(i);
  Canonical key;
  key.section("key");
  key.text("id", std::to_string(i));
  entry.key = commitment(to_array<16>(salts), std::move(key).take());
  entry.context =
      commitment(to_array<16>(salts.substr(16)), R"({"actor":"manager_john","reason":"sale"})");
  entry.values = commitment(to_array<16>(salts.substr(32)), canonical_values(i));
  return to_line(entry);
}

int run(const Options& options) {
  const std::uint64_t count = options.changes;
  std::vector<std::string> lines(count);
  std::map<std::string, std::string> tiles;
  const merkle::Tiles source = [&](const merkle::Tile& tile) -> Result<std::string> {
    const auto found = tiles.find(merkle::path(tile));
    if (found == tiles.end()) return fail(Fault::missing, "no tile {}", merkle::path(tile));
    return found->second;
  };

  report("entry: canonical bytes, 3 salts, 3 commitments, line", count,
         fastest(options.rounds, [&] {
           constexpr std::uint64_t kBatch = 4096;
           std::string salts;
           for (std::uint64_t i = 0; i < count; ++i) {
             if (i % kBatch == 0) salts = need(random_bytes(48 * kBatch));
             lines[i] = entry_line(i, std::string_view(salts).substr(48 * (i % kBatch), 48));
           }
         }));
  Hash root{};
  report("tree: leaf, tiles of every level, bundles, root", count, fastest(options.rounds, [&] {
           merkle::Edge edge;
           std::string bundle;
           tiles.clear();
           for (const std::string& line : lines) {
             edge.append(merkle::leaf_hash(line));
             need(merkle::append_entry(bundle, line));
             if (edge.size() % merkle::kTileWidth != 0) continue;
             for (auto& full : edge.take_full())
               tiles[merkle::path(full.tile)] = std::move(full.hashes);
             bundle.clear();
           }
           for (auto& rest : edge.partial())
             tiles[merkle::path(rest.tile)] = std::move(rest.hashes);
           root = edge.root();
         }));
  report("tree, leaves and root only (what check does)", count, fastest(options.rounds, [&] {
           merkle::Frontier tree;
           for (const std::string& line : lines) tree.append(merkle::leaf_hash(line));
           if (tree.root() != root) std::abort();
         }));

  constexpr std::uint64_t kAsked = 2000;
  std::vector<merkle::Proof> proofs(kAsked);
  const auto index = [&](std::uint64_t i) { return i * 7919 % count; };
  report("prove: an inclusion proof from tiles", kAsked, fastest(options.rounds, [&] {
           for (std::uint64_t i = 0; i < kAsked; ++i)
             proofs[i] =
                 need(merkle::inclusion_proof(index(i), count, merkle::nodes_of(source, count)));
         }));
  report("check: an inclusion proof", kAsked, fastest(options.rounds, [&] {
           for (std::uint64_t i = 0; i < kAsked; ++i)
             if (!merkle::included(index(i), count, merkle::leaf_hash(lines[index(i)]), proofs[i],
                                   root))
               std::abort();
         }));
  const auto log =
      need(merkle::NoteSigner::make("log", merkle::KeyKind::log, std::string(32, '\7')));
  const std::string note = need(merkle::sign_checkpoint(log, count, root));
  const std::vector keys{log.key()};
  report("check: a checkpoint's signature", 200, fastest(options.rounds, [&] {
           for (int i = 0; i < 200; ++i) need(merkle::open_checkpoint(note, keys));
         }));
  const auto longest =
      std::max_element(proofs.begin(), proofs.end(),
                       [](const auto& a, const auto& b) { return a.size() < b.size(); });
  const merkle::Proof grown =
      need(merkle::consistency_proof(count / 3, count, merkle::nodes_of(source, count)));
  fmt::print(
      "an entry of {} bytes; an inclusion proof of {} hashes, {} bytes as base64; a consistency "
      "proof "
      "from a third of it of {} hashes\n",
      lines.back().size(), longest->size(), longest->size() * 45, grown.size());
  return 0;
}

}  // namespace
}  // namespace vestige::bench

int main(int count, char** words) {
  vestige::bench::Options options;
  CLI::App app("The cost of the evidence, without a database.");
  app.add_option("--changes", options.changes, "how many changes");
  app.add_option("--rounds", options.rounds, "rounds of each, the fastest counts");
  CLI11_PARSE(app, count, words);
  return vestige::bench::run(options);
}
