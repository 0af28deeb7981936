#include "pgext/partition.h"

namespace vestige::native {
namespace {

Oid root = InvalidOid;
Oid sequence = InvalidOid;
bool root_known = false;
bool root_plain = false;
bool root_locked = false;
bool sequence_locked = false;
// The partition that was used last, and the moments that belong to it: from `low`, before `high`.
Table leaf;
TimestampTz low = 0;
TimestampTz high = 0;
Table context;
Table wraps;

void on_relation(Datum, Oid relation) {
  if (relation == InvalidOid || relation == root) root_known = false;
  if (concerns(leaf, relation)) leaf.known = false;
  if (concerns(context, relation)) context.known = false;
  if (concerns(wraps, relation)) wraps.known = false;
}

void on_transaction(XactEvent event, void*) {
  if (event == XACT_EVENT_COMMIT || event == XACT_EVENT_ABORT || event == XACT_EVENT_PREPARE)
    root_locked = sequence_locked = leaf.locked = context.locked = wraps.locked = false;
}

// Partitions, without those that are being detached unless rows recorded before are to be written: their transaction is
// waited for.
PartitionDesc parts_of(Relation relation, bool detached) {
#if PG_VERSION_NUM >= 140000
  return RelationGetPartitionDesc(relation, !detached);
#else
  (void)detached;
  return RelationGetPartitionDesc(relation);
#endif
}

// The gap between two partition bounds that a moment falls into; the partition there, which may be the default one.
Oid partition_at(Relation relation, TimestampTz at, bool detached) {
  PartitionKey key = RelationGetPartitionKey(relation);
  if (key == nullptr || key->strategy != PARTITION_STRATEGY_RANGE || key->partnatts != 1 ||
      key->partexprs != NIL || key->parttypid[0] != TIMESTAMPTZOID)
    return InvalidOid;
  PartitionDesc parts = parts_of(relation, detached);
  PartitionBoundInfo bounds = parts->boundinfo;
  if (bounds == nullptr) return InvalidOid;
  Datum value = TimestampTzGetDatum(at);
  bool equal = false;
  const int below = partition_range_datum_bsearch(key->partsupfunc, key->partcollation, bounds, 1,
                                                  &value, &equal);
  const auto bound = [&](int i, TimestampTz otherwise) {
    return i < 0 || i >= bounds->ndatums || bounds->kind[i][0] != PARTITION_RANGE_DATUM_VALUE
               ? otherwise
               : DatumGetTimestampTz(bounds->datums[i][0]);
  };
  low = bound(below, PG_INT64_MIN);
  high = bound(below + 1, PG_INT64_MAX);
  int part = bounds->indexes[below + 1];
  if (part < 0) part = bounds->default_index;
  return part < 0 || !parts->is_leaf[part] ? InvalidOid : parts->oids[part];
}

void look_at_root() {
  const Oid trail = get_namespace_oid("vestige", false);
  const Oid change = get_relname_relid("change", trail);
  if (change != root) root_locked = false;
  root = change;
  const Oid ids = get_relname_relid("change_id", trail);
  if (ids != sequence) sequence_locked = false;
  sequence = ids;
  const Oid contexts = get_relname_relid("context", trail);
  if (contexts != context.oid) context.known = context.locked = false;
  context.oid = contexts;
  const Oid keys = get_relname_relid("encrypted_key", trail);
  if (keys != wraps.oid) wraps.known = wraps.locked = false;
  wraps.oid = keys;
  wraps.guarded = true;
}

bool find(TimestampTz at, bool detached) {
  lock_trail();
  if (root == InvalidOid || sequence == InvalidOid) return false;
  if (root_known && root_plain && same_partition(at)) return true;
  root_known = true;  // an invalidation that comes meanwhile counts against it
  Relation relation = RelationIdGetRelation(root);
  if (!RelationIsValid(relation)) {
    root_known = false;
    return false;
  }
  root_plain = relation->rd_rel->relkind == RELKIND_PARTITIONED_TABLE && plain_for_insert(relation);
  const Oid part = root_plain ? partition_at(relation, at, detached) : InvalidOid;
  RelationClose(relation);
  if (part == InvalidOid) {
    root_known = false;
    return false;
  }
  if (part != leaf.oid) {
    leaf.oid = part;
    leaf.known = leaf.locked = false;
  }
  return true;
}

}  // namespace

void watch_partitions() {
  CacheRegisterRelcacheCallback(on_relation, 0);
  RegisterXactCallback(on_transaction, nullptr);
}

void lock_trail() {
  if (!root_known) look_at_root();
  if (root != InvalidOid && !root_locked) {
    lock_for_transaction(root);
    root_locked = true;
  }
  // What the sequence's next number waits for is waited for before a change's time is taken.
  if (sequence != InvalidOid && !sequence_locked) {
    lock_for_transaction(sequence);
    sequence_locked = true;
  }
}

Oid change_root() { return root; }
Oid change_sequence() { return sequence; }
Table* context_table() { return &context; }
Table* wrap_table() { return &wraps; }
Oid chosen() { return leaf.oid; }

bool same_partition(TimestampTz at) { return at >= low && at < high; }

bool at_hand(TimestampTz at) {
  return root_known && root_plain && root_locked && sequence_locked && leaf.known && leaf.usable &&
         leaf.locked && same_partition(at);
}

bool choose(TimestampTz at) {
  // To lock the partition may mean to wait for somebody who makes another one for that moment.
  for (int attempt = 0; attempt < 5; ++attempt) {
    if (!find(at, false) || !ready(&leaf, kChange, kChangeFields)) return false;
    if (root_known && leaf.known) return true;
  }
  return false;
}

Table* partition_of(TimestampTz at) {
  if (!find(at, true)) elog(ERROR, "vestige: no partition of vestige.change has a change's moment");
  (void)ready(&leaf, kChange, kChangeFields);
  return &leaf;
}

}  // namespace vestige::native
