#include "pgext/ids.h"

namespace vestige::native {
namespace {

constexpr int kMostAtOnce = 64;
constexpr TimestampTz kLongest = 10 * 1000;  // microseconds
constexpr uint32 kSequencePage = 0x1717;  // what the server writes at the end of a sequence's page

// Those that were taken, and by which command.
int64 next = 0;
int left = 0;
int taken = 0;  // the last time; grows while the command goes on
CommandId command = InvalidCommandId;
SubTransactionId below = InvalidSubTransactionId;
TimestampTz since = 0;
bool asked = false;  // the sequence, for the last id

bool counts_by_one(Oid sequence, int64* most) {
  HeapTuple found = SearchSysCache1(SEQRELID, ObjectIdGetDatum(sequence));
  if (!HeapTupleIsValid(found)) return false;
  const auto* options = static_cast<Form_pg_sequence>(static_cast<void*>(GETSTRUCT(found)));
  const bool plain = options->seqincrement == 1 && options->seqcache == 1;
  *most = options->seqmax;
  ReleaseSysCache(found);
  return plain;
}

// The one row of a sequence, on its page.
Form_pg_sequence_data sequence_row(Page page, HeapTuple row) {
  ItemId item = PageGetItemId(page, FirstOffsetNumber);
  row->t_data = static_cast<HeapTupleHeader>(static_cast<void*>(PageGetItem(page, item)));
  row->t_len = ItemIdGetLength(item);
  return static_cast<Form_pg_sequence_data>(static_cast<void*>(GETSTRUCT(row)));
}

// What setval does to a sequence's row, and logs of it.
void advance(Relation relation, Buffer buffer, HeapTuple row, int64 last) {
  auto* sequence = static_cast<Form_pg_sequence_data>(static_cast<void*>(GETSTRUCT(row)));
  const bool logged = RelationNeedsWAL(relation);
  if (logged) (void)GetTopTransactionId();
  START_CRIT_SECTION();
  sequence->last_value = last;
  sequence->log_cnt = 0;
  MarkBufferDirty(buffer);
  if (logged) {
    xl_seq_rec record;
#if PG_VERSION_NUM >= 160000
    record.locator = relation->rd_locator;
#else
    record.node = relation->rd_node;
#endif
    XLogBeginInsert();
    XLogRegisterBuffer(0, buffer, REGBUF_WILL_INIT);
    XLogRegisterData(static_cast<char*>(static_cast<void*>(&record)), sizeof(record));
    XLogRegisterData(static_cast<char*>(static_cast<void*>(row->t_data)), row->t_len);
    const XLogRecPtr at = XLogInsert(RM_SEQ_ID, XLOG_SEQ_LOG);
    PageSetLSN(BufferGetPage(buffer), at);
  }
  END_CRIT_SECTION();
}

// Takes some ids in a row; 0 where the sequence is not as the trail made it, or has no more. This transaction has taken
// one before, so it holds a lock on the sequence.
int64 take(Oid oid, int some) {
  int64 most = 0;
  if (!counts_by_one(oid, &most)) return 0;
  Relation relation = relation_open(oid, NoLock);
  Buffer buffer = ReadBuffer(relation, 0);
  LockBuffer(buffer, BUFFER_LOCK_EXCLUSIVE);
  Page page = BufferGetPage(buffer);
  const auto* magic = static_cast<const uint32*>(static_cast<void*>(PageGetSpecialPointer(page)));
  HeapTupleData row;
  const Form_pg_sequence_data sequence = sequence_row(page, &row);
  const int64 before = sequence->last_value;
  const bool usual = *magic == kSequencePage && sequence->is_called && before <= most - some;
  if (usual) advance(relation, buffer, &row, before + some);
  UnlockReleaseBuffer(buffer);
  relation_close(relation, NoLock);
  return usual ? before + 1 : 0;
}

bool same_command(TimestampTz at) {
  return command == GetCurrentCommandId(false) && below == GetCurrentSubTransactionId() &&
         at - since < kLongest && at >= since;
}

}  // namespace

int64 next_id(Oid sequence, TimestampTz at) {
  asked = true;
  if (same_command(at)) {
    if (left > 0) {
      asked = false;
      --left;
      return next++;
    }
    taken = Min(taken * 2, kMostAtOnce);
    since = at;
    if (const int64 first = take(sequence, taken); first > 0) {
      next = first + 1;
      left = taken - 1;
      return first;
    }
  }
  command = GetCurrentCommandId(false);
  below = GetCurrentSubTransactionId();
  since = at;
  taken = 1;
  left = 0;
  return nextval_internal(sequence, false);
}

bool drawn_late(TimestampTz at) { return asked && GetCurrentTimestamp() - at >= kLongest; }

int64 first_to_come(Oid sequence) {
  if (left > 0 && command != InvalidCommandId) return next;
  Relation relation = relation_open(sequence, NoLock);
  Buffer buffer = ReadBuffer(relation, 0);
  LockBuffer(buffer, BUFFER_LOCK_SHARE);
  HeapTupleData row;
  const Form_pg_sequence_data now = sequence_row(BufferGetPage(buffer), &row);
  const int64 first = now->last_value + (now->is_called ? 1 : 0);
  UnlockReleaseBuffer(buffer);
  relation_close(relation, NoLock);
  return first;
}

void end_ids() { command = InvalidCommandId; }

}  // namespace vestige::native
