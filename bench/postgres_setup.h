// What the PostgreSQL benchmark changes, and the ways to record it that it compares.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "bench/postgres_session.h"

namespace vestige::bench {

/// accounts (ten columns, `rows` of them), transfers (empty), and wide: `wide_rows` of 60 columns, one of them
/// a text of 100 kB.
void create_bank(Session& db, int rows, int wide_rows);

/// A way to record changes.
struct Setup {
  std::string name;
  std::function<void(Session& db)> install;
  bool context = false;  // the application says who and why, with BEGIN
  bool by_hand = false;  // the application writes the trail itself: no trigger
};

/// Untracked; vestige with and without a context, by the script in `install`; its native engine, by the script in
/// `native`, unless that is ""; the peers (postgres_peers.h); the floor; and for each further script that installs a trail
/// another vestige, by its file's name.
std::vector<Setup> setups(const std::string& install, const std::string& native,
                          const std::vector<std::string>& variants);

/// What a trail takes up, in bytes.
struct Space {
  double heap = 0;     // without the contexts
  double index = 0;    // without the contexts
  double context = 0;  // heap and index of the contexts
};
Space space(Session& db);

}  // namespace vestige::bench
