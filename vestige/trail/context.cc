#include "vestige/trail/context.h"

#include "vestige/trail/contexts.h"
#include "vestige/trail/install.h"

namespace vestige {

Result<ContextScope> ContextScope::begin(Database& db, const Context& context) {
  auto transaction = TRY(Transaction::begin(db));
  TRY(require_trail(db));
  const std::int64_t mark = TRY(contexts_of(db)->begin(context));
  return ContextScope(db, std::move(transaction), mark);
}

Result<void> ContextScope::change(const Context& context) {
  return contexts_of(*db_)->change(context);
}

Result<ContextScope::Written> ContextScope::written() { return contexts_of(*db_)->written(mark_); }

Result<void> ContextScope::commit() {
  TRY(contexts_of(*db_)->clear());
  return transaction_.commit();
}

}  // namespace vestige
