// hold: what must be kept for some matter, whatever else would take it (docs/runbooks/court.md, docs/decisions/0028-holds.md). A
// hold stands in a table of the trail's own, and is in force as long as the trail has no release of it: what somebody does to the
// table's rows ends none. Whoever removes anything recorded asks here (test/house/holds.py). Test: test/hold_test.cc.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "vestige/trail/changes.h"
#include "vestige/trail/held_names.h"
#include "vestige/trail/held_rows.h"

namespace vestige {

struct Hold {
  /// That it was released, or that somebody tried to.
  struct Release {
    std::int64_t change = 0;
    std::int64_t at = 0;
    std::string who;
    std::string reason;
  };

  std::int64_t id = 0;
  std::int64_t change = 0;  // that it was recorded by; 0: none, so that its row alone says it
  std::int64_t at = 0;      // microseconds, by the trail's clock
  std::string who;
  std::string reason;
  std::string matter;
  std::string filter;        // what it holds (docs/filter.md); empty: everything
  bool two_persons = false;  // another one than `who` releases it
  std::string user = {};     // the database's name for `who`; empty: it has none
  std::optional<Release> released;
  std::optional<Release> unheeded =
      {};  // the last that says so and ends nothing: nobody's, or that of the one who placed it
  std::int64_t refused = 0;  // how often somebody tried to remove what it holds
  std::string attempt;       // the last time: what was tried

  bool in_force() const { return !released.has_value(); }
};

/// All of them, oldest first.
Result<std::vector<Hold>> holds(Database& db);

/// Places a hold on what a filter describes, now or later; its id. Tables and columns are looked up, and ages become times.
///
/// context  who and why: both are needed
/// faults   invalid: no matter, or a filter by tags or classes, which policies change; missing: no such table; denied
Result<std::int64_t> place_hold(Database& db, const std::string& matter, const Filter& filter,
                                bool two_persons, const Context& context);

/// Releases a hold by its id, or every hold in force for a matter; those that were.
///
/// faults   missing: none of it is in force; invalid: nobody says who, or why; denied: it was placed with two_persons by the same
///          one, and nothing was released
Result<std::vector<Hold>> release_hold(Database& db, const std::string& name,
                                       const Context& context);

/// Which hold keeps something, and of it the first change that was found; 0: all of it.
struct Held {
  std::int64_t hold = 0;
  std::string matter;
  std::int64_t change = 0;
  std::string in_transaction_of =
      {};  // it is of this table, and of a transaction whose context was to go
};

/// Releases that the table of holds shows and that end none, of holds in force: what somebody wrote there.
Result<std::vector<Hold>> unheeded_releases(Database& db);

/// "hold 2 for "Doe v. Shop": change 6 says that it is released, and ends nothing: …"
std::string about_unheeded(const Hold& hold);

/// The holds in force, read once, for whoever looks at many changes.
class Holds {
 public:
  static Result<Holds> in_force(Database& db);

  bool none() const { return holds_.empty(); }
  /// The first hold that keeps a change; nullptr: none does. What cannot be decided is held: a filter that cannot be read, or what it
  /// asks of a change that lost that part. A table has every name that it ever had, and so has a column.
  const Hold* held(const Change& change) const;
  /// The first of all; nullptr where there is none.
  const Hold* first() const { return holds_.empty() ? nullptr : &holds_.front(); }

 private:
  std::vector<Hold> holds_;
  std::vector<std::optional<Filter>> filters_;  // nothing: it cannot be read
  std::vector<HeldRows> rows_;
  HeldNames names_;
  std::string own_;  // the table of holds
};

/// Of some changes the first that is held; with `contexts`, of all of their transactions.
Result<std::optional<Held>> held(Database& db, const std::vector<std::int64_t>& ids, bool contexts);

/// Whether anything is held, also where a trail is damaged as long as the table of holds can be read.
Result<std::optional<Held>> any_held(Database& db);

/// The refusal: "erase: change 7 is held for "Doe v. Shop" (hold 1)".
tl::unexpected<Error> held_back(std::string_view attempt, const Held& held);

/// Records that somebody tried, in a transaction of its own; the refusal, which says so where that could not be recorded.
///
/// attempt  "erase customers 17"
tl::unexpected<Error> refused(Database& db, tl::unexpected<Error> refusal, const Held& held,
                              const std::string& attempt, const Context& context);

/// One object, without newline (docs/json.md).
std::string to_json(const Hold& hold);

}  // namespace vestige
