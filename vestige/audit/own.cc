#include "vestige/audit/own.h"

#include "vestige/trail/contexts.h"
#include "vestige/trail/install.h"

namespace vestige {

Result<Own> own(Database& db, const std::string* actor) {
  TRY(require_trail(db));
  Own own;
  if (actor != nullptr) own.who = *actor;
  else own.who = TRY(contexts_of(db)->user());
  return own;
}

Result<TransactionStat> last_transaction(Database& db, const Own& own) {
  Selection mine;
  mine.ops = {Op::insert, Op::update, Op::remove};
  mine.limit = 1;
  if (own.who.has_value()) mine.who = {*own.who};
  else mine.filter.conditions.push_back({.field = "who", .words = {{"*"}}, .negated = true});
  const auto last = TRY(TRY(read_changes(db, mine))->next());
  std::optional<TransactionStat> stat;
  if (last.has_value()) {
    Selection whole;
    whole.tx = last->tx;
    TransactionStats stats(TRY(read_changes(db, whole)));
    stat = TRY(stats.next());
  }
  if (!stat.has_value())
    return hinted(fail(Fault::missing, "undo: there is no transaction of {}", own.text()),
                  "--by NAME says who you are; vestige log --stat lists transactions");
  return *std::move(stat);
}

}  // namespace vestige
