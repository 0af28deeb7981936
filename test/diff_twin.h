// What differs in a table between two moments, found the long way: both tables whole, row by row. Diffs must say the same.
#pragma once

#include <gtest/gtest.h>

#include <map>
#include <string>
#include <utility>

#include "test/tracked_shop.h"
#include "vestige/audit/diff.h"

namespace vestige {

/// Key → what the row was, and what it is then; both as JSON, "" where it was not there.
using DiffTwin = std::map<std::string, std::pair<std::string, std::string>>;

inline std::string key_json(const Tracked& table, const Row& row) {
  Row key;
  for (const Column& column : table.shape.key())
    key.push_back({column.name, *find(row, column.name)});
  return to_json(key);
}

inline DiffTwin twin_differences(Database& db, const std::string& name, const Moment& from,
                                 const Moment& to) {
  const Tracked table = must(tracked_table(db, name));
  DiffTwin twin;
  {
    auto before = must(at(db, name, from));
    while (const State row = must(before->next()))
      twin[key_json(table, *row)].first = to_json(*row);
  }
  auto after = must(at(db, name, to));
  while (const State row = must(after->next())) twin[key_json(table, *row)].second = to_json(*row);
  std::erase_if(twin, [](const auto& one) { return one.second.first == one.second.second; });
  return twin;
}

inline DiffTwin told_differences(Database& db, const std::string& name, const Moment& from,
                                 const Moment& to) {
  DiffTwin told;
  Diffs diffs = must(Diffs::read(db, name, from, to));
  while (const auto diff = must(diffs.next())) {
    const auto text = [](const State& row) { return row.has_value() ? to_json(*row) : ""; };
    const bool fresh =
        told.emplace(to_json(diff->key), std::pair(text(diff->from), text(diff->to))).second;
    EXPECT_TRUE(fresh) << "a row twice: " << to_json(diff->key);
    EXPECT_FALSE(diff->differences.empty()) << to_json(diff->key);
  }
  return told;
}

}  // namespace vestige
