// Eraser: how parts of changes are taken out of a trail, and each table's by an ERASE that says so (docs/evidence.md, "Erasing").
// What erase (audit/erase.h) asks.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "vestige/db/database.h"
#include "vestige/record/change.h"
#include "vestige/trail/hold.h"
#include "vestige/trail/told_alerts.h"

namespace vestige {

/// What goes besides the values.
struct ErasedParts {
  bool keys = false;
  bool contexts = false;  // of every change of the same transactions
};

class Eraser {
 public:
  explicit Eraser(Database& db) : db_(db) {}
  Eraser(const Eraser&) = delete;
  Eraser& operator=(const Eraser&) = delete;
  virtual ~Eraser() = default;

  /// Takes them, with their salts, and what alerts say of them; what was erased before is passed over. In the transaction of a
  /// ContextScope.
  ///
  /// context  the scope's
  /// returns  the ERASEs, one for each table
  /// faults   invalid: one of the changes is an ERASE, or the context lacks what a table asks for; denied: one of them is held, and
  ///          held() says by which hold
  Result<std::vector<std::int64_t>> take(const std::vector<std::int64_t>& ids,
                                         const ErasedParts& parts, const Context& context);
  /// Names in an ERASE of a table what is to go of changes that stand in an archive alone: nothing of them is in the trail. Whoever
  /// calls this has asked whether they are held. In the transaction of a ContextScope.
  ///
  /// parts    "values", "key" or "values,key", by change
  /// faults   as take
  virtual Result<std::int64_t> name_archived(std::int64_t table,
                                             const std::map<std::int64_t, std::string>& parts,
                                             const Context& context) = 0;
  const std::optional<Held>& held() const { return held_; }
  /// How many alerts said something of what was taken.
  std::int64_t told() const { return told_; }

  /// Behind the commit: former pages go from files that the database keeps beside its own, as far as it lets them.
  virtual void tidy() = 0;

  /// Where what was taken may be found for some time yet; for people.
  virtual std::string_view remains() const = 0;

 private:
  virtual Result<std::vector<std::int64_t>> take_unheld(const std::vector<std::int64_t>& ids,
                                                        const ErasedParts& parts,
                                                        const Context& context) = 0;
  // What alerts say, from their rows and from the changes of these; where the database does not do so by itself.
  virtual Result<std::optional<std::int64_t>> take_told(const ToldAlerts& told,
                                                        const Context& context) = 0;
  Result<void> ask_holds(const std::vector<std::int64_t>& ids, bool contexts);
  // What the database itself holds back, where it judges.
  virtual Result<std::optional<Held>> held_there(const std::vector<std::int64_t>& ids) = 0;

  Database& db_;
  std::optional<Held> held_;
  std::int64_t told_ = 0;
};

std::unique_ptr<Eraser> eraser_of(Database& db);

}  // namespace vestige
