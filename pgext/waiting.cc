#include "pgext/waiting.h"

#include "pgext/partition.h"

namespace vestige::native {
namespace {

// Written when they are more bytes. So much is kept at most for each level of subtransactions.
constexpr Size kMostBytes = 65536;

struct Waiting {
  HeapTuple row;  // of kChange
  TimestampTz at;
  Oid place;  // its partition when it was recorded: somebody may read there
  CommandId command;
  SubTransactionId made;  // in which it was recorded
  SubTransactionId
      written;  // and written, a subtransaction of that one; or InvalidSubTransactionId: it waits
};

// The first `kept` are written, and can be taken back without their transaction; the others wait.
MemoryContext memory = nullptr;
Waiting* all = nullptr;
int room = 0;
int count = 0;
int kept = 0;
Size bytes = 0;          // of those that wait
Oid place = InvalidOid;  // of all that wait, unless they are of several
bool several = false;
bool committing = false;
const Loose* fields = nullptr;

ExecutorStart_hook_type start_query = nullptr;
ExecutorEnd_hook_type end_query = nullptr;
ProcessUtility_hook_type run_command = nullptr;

Size size_of(const Waiting& one) { return HEAPTUPLESIZE + one.row->t_len; }

void begin() {
  constexpr int kFirst = 16;
  memory = AllocSetContextCreate(TopTransactionContext, "vestige waiting", ALLOCSET_DEFAULT_SIZES);
  all = static_cast<Waiting*>(MemoryContextAlloc(memory, sizeof(Waiting) * kFirst));
  room = kFirst;
}

void forget() {
  memory = nullptr;
  all = nullptr;
  room = count = kept = 0;
  bytes = 0;
}

void grow() {
  if (count < room) return;
  all = static_cast<Waiting*>(repalloc(all, sizeof(Waiting) * 2 * static_cast<size_t>(room)));
  room *= 2;
}

// Lets go of those from the end that a condition is true for.
template <typename Condition>
void drop_last(Condition goes) {
  while (count > 0 && goes(all[count - 1])) {
    --count;
    if (count >= kept) bytes -= size_of(all[count]);
    pfree(all[count].row);
  }
  kept = Min(kept, count);
}

// Lets go of those that are written for as long as what recorded them stands.
void drop_settled() {
  int left = 0;
  for (int i = 0; i < count; ++i) {
    if (all[i].written == all[i].made) {
      pfree(all[i].row);
    } else {
      all[left++] = all[i];
    }
  }
  kept -= count - left;
  count = left;
}

// Writes those of one command and one partition from a place on, or of all commands; gives the place behind them.
int write_some(int from, bool all_commands) {
  const auto most = static_cast<size_t>(count - from);
  auto* rows = static_cast<HeapTuple*>(palloc(sizeof(HeapTuple) * most));
  Table* table = partition_of(all[from].at);
  int upto = from;
  for (; upto < count && same_partition(all[upto].at) &&
         (all_commands || all[upto].command == all[from].command);
       ++upto)
    rows[upto - from] = row_from(*fields, *table, all[upto].row);
  put(table, rows, upto - from, all[from].command);
  pfree(rows);
  return upto;
}

// last  no statement of the transaction follows that could tell the commands apart
void write(bool last) {
  if (count == kept) return;
  const SubTransactionId now = GetCurrentSubTransactionId();
  const int first = kept;
  // An error from here on ends this subtransaction, which makes them wait again.
  kept = count;
  bytes = 0;
  for (int i = first; i < count; ++i) all[i].written = now;
  MemoryContext working = AllocSetContextCreate(memory, "vestige writing", ALLOCSET_SMALL_SIZES);
  MemoryContext before = MemoryContextSwitchTo(working);
  for (int i = first; i < count;) i = write_some(i, last);
  MemoryContextSwitchTo(before);
  MemoryContextDelete(working);
  drop_last([=](const Waiting& one) { return one.made == now; });
  if (count > 0) return;
  MemoryContextDelete(memory);
  forget();
}

void on_transaction(XactEvent event, void*) {
  switch (event) {
    case XACT_EVENT_PRE_COMMIT:
    case XACT_EVENT_PRE_PREPARE:
      committing = true;
      write(true);
      break;
    case XACT_EVENT_COMMIT:
    case XACT_EVENT_ABORT:
    case XACT_EVENT_PREPARE:
      committing = false;
      forget();  // the memory goes with the transaction
      break;
    default: break;
  }
}

// The server calls those first who came last.
void come_first() {
  UnregisterXactCallback(on_transaction, nullptr);
  RegisterXactCallback(on_transaction, nullptr);
}

// Whether what is recorded now may wait: a command of the session runs, whose end is seen here.
bool may_wait() { return ActivePortal != nullptr && !committing; }

// Somebody may have come since.
void on_end() {
  if (count > kept && !committing) come_first();
}

void on_commit_below(SubTransactionId mine, SubTransactionId parent) {
  for (int i = count; i > 0 && all[i - 1].made == mine; --i) all[i - 1].made = parent;
  for (int i = 0; i < kept; ++i)
    if (all[i].written == mine) all[i].written = parent;
  if (kept > 0) drop_settled();
}

void on_abort_below(SubTransactionId mine) {
  if (memory != nullptr) MemoryContextDeleteChildren(memory);  // of a write that failed
  drop_last([=](const Waiting& one) { return one.made == mine; });
  while (kept > 0 && all[kept - 1].written == mine) {
    --kept;
    all[kept].written = InvalidSubTransactionId;
    bytes += size_of(all[kept]);
    several = true;
  }
}

void on_subtransaction(SubXactEvent event, SubTransactionId mine, SubTransactionId parent, void*) {
  if (event == SUBXACT_EVENT_COMMIT_SUB) on_commit_below(mine, parent);
  if (event == SUBXACT_EVENT_ABORT_SUB) on_abort_below(mine);
}

bool waits_for(Oid relation) {
  if (!several) return relation == place;
  for (int i = kept; i < count; ++i)
    if (all[i].place == relation) return true;
  return false;
}

// Whether a query may come to rows that wait. Queries within it start by themselves; but other processes that help it
// do not know what waits here.
bool may_read(const PlannedStmt* query) {
  if (query->parallelModeNeeded) return true;
  ListCell* cell = nullptr;
  foreach (cell, query->rtable) {
    const auto* entry = static_cast<const RangeTblEntry*>(lfirst(cell));
    if (entry->rtekind == RTE_RELATION &&
        (entry->relid == change_root() || waits_for(entry->relid)))
      return true;
  }
  return false;
}

void on_query(QueryDesc* query, int flags) {
  if (count > kept && (!may_wait() || may_read(query->plannedstmt))) write(false);
  if (start_query != nullptr) {
    start_query(query, flags);
  } else {
    standard_ExecutorStart(query, flags);
  }
}

void on_query_end(QueryDesc* query) {
  if (end_query != nullptr) {
    end_query(query);
  } else {
    standard_ExecutorEnd(query);
  }
  on_end();
}

// Commands that neither read a table nor change one: queries in them start by themselves.
bool leaves_tables_alone(const Node* command) {
  return IsA(command, TransactionStmt) || IsA(command, VariableSetStmt) ||
         IsA(command, FetchStmt) || IsA(command, DeclareCursorStmt) || IsA(command, ExecuteStmt) ||
         IsA(command, DoStmt) || IsA(command, CallStmt);
}

void on_command(PlannedStmt* command, const char* text,
#if PG_VERSION_NUM >= 140000
                bool read_only,
#endif
                ProcessUtilityContext context, ParamListInfo parameters,
                QueryEnvironment* environment, DestReceiver* out, QueryCompletion* completion) {
  if (count > kept && !leaves_tables_alone(command->utilityStmt)) write(false);
  const auto run = run_command != nullptr ? run_command : standard_ProcessUtility;
  run(command, text,
#if PG_VERSION_NUM >= 140000
      read_only,
#endif
      context, parameters, environment, out, completion);
  on_end();
}

}  // namespace

void watch_waiting() {
  RegisterXactCallback(on_transaction, nullptr);
  RegisterSubXactCallback(on_subtransaction, nullptr);
  start_query = ExecutorStart_hook;
  ExecutorStart_hook = on_query;
  end_query = ExecutorEnd_hook;
  ExecutorEnd_hook = on_query_end;
  run_command = ProcessUtility_hook;
  ProcessUtility_hook = on_command;
}

void wait(TimestampTz at, const Datum* values, const bool* nulls) {
  if (fields == nullptr) fields = loose(kChange, kChangeFields);
  if (memory == nullptr) begin();
  MemoryContext before = MemoryContextSwitchTo(memory);
  grow();
  all[count].row = loose_row(*fields, values, nulls);
  MemoryContextSwitchTo(before);
  several = count > kept && (several || chosen() != place);
  place = chosen();
  all[count].at = at;
  all[count].place = place;
  all[count].command = GetCurrentCommandId(true);
  all[count].made = GetCurrentSubTransactionId();
  all[count].written = InvalidSubTransactionId;
  bytes += size_of(all[count]);
  ++count;
  if (bytes > kMostBytes || !may_wait()) write(false);
}

}  // namespace vestige::native
