#include "pgext/table.h"

#include "pgext/index_method.h"
#include "pgext/order.h"
#include "pgext/row_tuple.h"
#include "pgext/runs.h"

namespace vestige::native {
namespace {

bool look_at_columns(Table* table, Relation relation, const Field* fields, int count) {
  TupleDesc layout = RelationGetDescr(relation);
  table->attributes = layout->natts;
  table->simple = simple(layout);
  int found = 0;
  for (int i = 0; i < layout->natts; ++i) {
    Form_pg_attribute attribute = TupleDescAttr(layout, i);
    if (attribute->attisdropped) continue;
    int field = 0;
    while (field < count && std::strcmp(NameStr(attribute->attname), fields[field].name) != 0)
      ++field;
    if (field == count) {
      // Somebody's own column: it stays empty if it may.
      if (attribute->attnotnull || attribute->atthasdef || attribute->attidentity != '\0')
        return false;
      continue;
    }
    if (attribute->atttypid != fields[field].type || attribute->attgenerated != '\0') return false;
    table->place[field] = attribute->attnum;
    ++found;
  }
  return found == count;
}

bool look_at_index(Table* table, Oid oid, Index* index) {
  Relation relation = index_open(oid, AccessShareLock);
  MemoryContext before = MemoryContextSwitchTo(table->memory);
  IndexInfo* info = BuildIndexInfo(relation);
  MemoryContextSwitchTo(before);
  bool plain = info->ii_Expressions == NIL && info->ii_Predicate == NIL &&
               info->ii_ExclusionOps == nullptr && relation->rd_index->indimmediate;
  index->oid = oid;
  index->unique = relation->rd_index->indisunique;
  index->ready = info->ii_ReadyForInserts;
  const auto insert = relation->rd_indam->aminsert;
  index->segment = insert == runs_insert    ? segment_blocks(relation, kRunBlocks)
                   : insert == order_insert ? segment_blocks(relation, kOrderBlocks)
                                            : 0;
  index->kept = relation->rd_rel->relam == BTREE_AM_OID || index->segment > 0;
  index->first = InvalidBuffer;
#if PG_VERSION_NUM >= 160000
  index->file = relation->rd_locator;
#else
  index->file = relation->rd_node;
#endif
  index->count = info->ii_NumIndexAttrs;
  index->info = info;
  for (int i = 0; i < index->count; ++i) {
    index->columns[i] = info->ii_IndexAttrNumbers[i];
    plain = plain && index->columns[i] > 0;
  }
  index_close(relation, AccessShareLock);
  return plain;
}

bool look(Table* table, Relation relation, const Field* fields, int count) {
  if (relation->rd_rel->relkind != RELKIND_RELATION ||
      relation->rd_tableam != GetHeapamTableAmRoutine() || !plain_for_insert(relation) ||
      !look_at_columns(table, relation, fields, count))
    return false;
  List* indexes = RelationGetIndexList(relation);
  table->index_count = list_length(indexes);
  if (table->index_count > kMostIndexes) return false;
  for (int i = 0; i < table->index_count; ++i)
    if (!look_at_index(table, list_nth_oid(indexes, i), &table->indexes[i])) return false;
  list_free(indexes);
  return true;
}

bool lock_indexes(Table* table) {
  for (int i = 0; i < table->index_count && !table->indexes_locked; ++i)
    lock_for_transaction(table->indexes[i].oid);
  table->indexes_locked = true;
  return true;
}

// Whether an index of the trail's own kind has nothing to do for a row of that block: what runs_insert and order_insert
// find out first, on the same page, without opening the index.
bool still_open(Index* index, BlockNumber block) {
#if PG_VERSION_NUM >= 140000
  if (index->segment == 0 || index->first == InvalidBuffer || IsolationIsSerializable())
    return false;
  if (!ReadRecentBuffer(index->file, MAIN_FORKNUM, kFirstPage, index->first)) {
    index->first = InvalidBuffer;
    return false;
  }
  LockBuffer(index->first, BUFFER_LOCK_SHARE);
  const First* first = first_of(BufferGetPage(index->first));
  const bool open =
      block >= first->closing && block < first->closed + index->segment + slack(index->segment);
  UnlockReleaseBuffer(index->first);
  return open;
#else
  (void)index;
  (void)block;
  return false;
#endif
}

void remember_first(Index* index, Relation relation) {
  if (index->segment == 0) return;
  index->first = ReadBuffer(relation, kFirstPage);
  ReleaseBuffer(index->first);
}

void put_into_index(Relation heap, Index* slot, const ItemPointer tuple, const Datum* values,
                    const bool* nulls) {
  if (!slot->ready || still_open(slot, ItemPointerGetBlockNumber(tuple))) return;
  const Index& index = *slot;
  Relation relation = index_open(index.oid, NoLock);
  remember_first(slot, relation);
  Datum keys[INDEX_MAX_KEYS];
  bool empty[INDEX_MAX_KEYS];
  for (int i = 0; i < index.count; ++i) {
    keys[i] = values[index.columns[i] - 1];
    empty[i] = nulls[index.columns[i] - 1];
  }
  IndexInfo* info = index.kept ? index.info : BuildIndexInfo(relation);
  index_insert(relation, keys, empty, tuple, heap,
               index.unique ? UNIQUE_CHECK_YES : UNIQUE_CHECK_NO,
#if PG_VERSION_NUM >= 140000
               false,
#endif
               info);
  index_close(relation, NoLock);
}

}  // namespace

bool concerns(const Table& table, Oid relation) {
  if (relation == InvalidOid || relation == table.oid) return true;
  for (int i = 0; i < table.index_count; ++i)
    if (table.indexes[i].oid == relation) return true;
  return false;
}

bool plain_for_insert(Relation relation) {
  const TriggerDesc* triggers = relation->trigdesc;
  if (triggers != nullptr &&
      (triggers->trig_insert_before_row || triggers->trig_insert_after_row ||
       triggers->trig_insert_before_statement || triggers->trig_insert_after_statement))
    return false;
  const TupleConstr* constraints = RelationGetDescr(relation)->constr;
  if (constraints != nullptr && (constraints->num_check > 0 || constraints->has_generated_stored))
    return false;
  return !relation->rd_rel->relforcerowsecurity && !relation->rd_rel->relhasrules;
}

void lock_for_transaction(Oid oid) {
  ResourceOwner before = CurrentResourceOwner;
  CurrentResourceOwner = TopTransactionResourceOwner;
  LockRelationOid(oid, RowExclusiveLock);
  CurrentResourceOwner = before;
}

bool ready(Table* table, const Field* fields, int count) {
  if (!table->locked) {
    lock_for_transaction(table->oid);
    table->locked = true;
    table->indexes_locked = false;
  }
  if (table->known) return table->usable && lock_indexes(table);
  if (table->memory == nullptr)
    table->memory =
        AllocSetContextCreate(CacheMemoryContext, "vestige table", ALLOCSET_SMALL_SIZES);
  MemoryContextReset(table->memory);
  table->usable = false;
  table->known = true;  // an invalidation that comes meanwhile counts against it
  Relation relation = RelationIdGetRelation(table->oid);
  if (!RelationIsValid(relation)) {
    table->known = false;
    return false;
  }
  table->usable = look(table, relation, fields, count);
  RelationClose(relation);
  table->indexes_locked = false;
  return table->usable && lock_indexes(table);
}

void put(Table* table, int count, const Datum* values, const bool* nulls) {
  Relation relation = RelationIdGetRelation(table->oid);
  if (!RelationIsValid(relation)) elog(ERROR, "vestige: the table with oid %u is gone", table->oid);
  auto* row = static_cast<Datum*>(palloc0(sizeof(Datum) * static_cast<size_t>(table->attributes)));
  auto* empty = static_cast<bool*>(palloc(static_cast<size_t>(table->attributes)));
  std::memset(empty, 1, static_cast<size_t>(table->attributes));
  for (int i = 0; i < count; ++i) {
    row[table->place[i] - 1] = values[i];
    empty[table->place[i] - 1] = nulls[i];
  }
  TupleDesc layout = RelationGetDescr(relation);
  HeapTuple tuple =
      table->simple ? row_tuple(layout, row, empty) : heap_form_tuple(layout, row, empty);
  heap_insert(relation, tuple, GetCurrentCommandId(true), 0, nullptr);
  for (int i = 0; i < table->index_count; ++i)
    put_into_index(relation, &table->indexes[i], &tuple->t_self, row, empty);
  RelationClose(relation);
}

}  // namespace vestige::native
