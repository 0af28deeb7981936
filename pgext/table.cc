#include "pgext/table.h"

#include "pgext/index_method.h"
#include "pgext/order.h"
#include "pgext/runs.h"

namespace vestige::native {
namespace {

bool look_at_columns(Table* table, Relation relation, const Field* fields, int count) {
  TupleDesc layout = RelationGetDescr(relation);
  MemoryContext before = MemoryContextSwitchTo(table->memory);
  table->layout = CreateTupleDescCopy(layout);
  MemoryContextSwitchTo(before);
  RowLayout plain;
  table->as_given = layout->natts == count && row_layout(layout, &plain);
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
    table->as_given = table->as_given && field == i;
    ++found;
  }
  return found == count;
}

void look_at_index(Table* table, Oid oid, Index* index) {
  Relation relation = index_open(oid, AccessShareLock);
  MemoryContext before = MemoryContextSwitchTo(table->memory);
  IndexInfo* info = BuildIndexInfo(relation);
  MemoryContextSwitchTo(before);
  index->plain = info->ii_Expressions == NIL && info->ii_Predicate == NIL &&
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
    index->plain = index->plain && index->columns[i] > 0;
  }
  index_close(relation, AccessShareLock);
}

void look(Table* table, Relation relation, const Field* fields, int count) {
  table->writable = relation->rd_rel->relkind == RELKIND_RELATION &&
                    relation->rd_tableam == GetHeapamTableAmRoutine() &&
                    plain_for_insert(relation, table->guarded) &&
                    look_at_columns(table, relation, fields, count);
  table->usable = table->writable;
  if (!table->writable) return;
  List* indexes = RelationGetIndexList(relation);
  table->index_count = list_length(indexes);
  table->indexes = static_cast<Index*>(MemoryContextAllocZero(
      table->memory, sizeof(Index) * static_cast<Size>(table->index_count + 1)));
  for (int i = 0; i < table->index_count; ++i) {
    look_at_index(table, list_nth_oid(indexes, i), &table->indexes[i]);
    table->usable = table->usable && table->indexes[i].plain;
  }
  list_free(indexes);
}

// Whether an index of the trail's own kind has nothing to do for a row of that block: what runs_insert and order_insert
// find out first, on the same page, without opening the index or a lock on it. What has moved the index to another file
// was said to us before anybody could close blocks there (put asks for news).
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
  const bool open = first->magic == kMagic && block >= first->closing &&
                    block < first->closed + index->segment + slack(index->segment);
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

void put_into_index(Relation heap, Index* slot, TupleDesc layout, HeapTuple row) {
  const Index& index = *slot;
  Relation relation = index_open(index.oid, RowExclusiveLock);
  remember_first(slot, relation);
  Datum keys[INDEX_MAX_KEYS];
  bool empty[INDEX_MAX_KEYS];
  for (int i = 0; i < index.count; ++i)
    keys[i] = heap_getattr(row, index.columns[i], layout, &empty[i]);
  IndexInfo* info = index.kept ? index.info : BuildIndexInfo(relation);
  index_insert(relation, keys, empty, &row->t_self, heap,
               index.unique ? UNIQUE_CHECK_YES : UNIQUE_CHECK_NO,
#if PG_VERSION_NUM >= 140000
               false,
#endif
               info);
  index_close(relation, NoLock);
}

// All rows are in the heap. What is open to one of a block is open to all of it.
void put_all_into_index(Relation heap, const Table& table, Index* index, HeapTuple* rows,
                        int count) {
  if (!index->ready || !index->plain) return;
  BlockNumber open = InvalidBlockNumber;
  for (int i = 0; i < count; ++i) {
    const BlockNumber block = ItemPointerGetBlockNumber(&rows[i]->t_self);
    if (block == open) continue;
    if (table.known && still_open(index, block)) {
      open = block;
    } else {
      put_into_index(heap, index, table.layout, rows[i]);
    }
  }
}

// What heap_multi_insert asks of a slot: its row, and it tells there where it put it.
HeapTupleTableSlot* heap_slot(TupleTableSlot* slot) {
  return static_cast<HeapTupleTableSlot*>(static_cast<void*>(slot));
}
HeapTuple row_of(TupleTableSlot* slot) { return heap_slot(slot)->tuple; }
void keep(TupleTableSlot*) {}

void insert_all(Relation heap, HeapTuple* rows, int count, CommandId command) {
  static TupleTableSlotOps operations;
  operations.materialize = keep;
  operations.get_heap_tuple = row_of;
  const auto n = static_cast<size_t>(count);
  auto* slots = static_cast<HeapTupleTableSlot*>(palloc(sizeof(HeapTupleTableSlot) * n));
  auto** list = static_cast<TupleTableSlot**>(palloc(sizeof(TupleTableSlot*) * n));
  for (int i = 0; i < count; ++i) {
    const HeapTupleTableSlot slot = {
        {T_TupleTableSlot, 0, 0, &operations, nullptr, nullptr, nullptr, nullptr, {}, InvalidOid},
        rows[i],
        0,
        {}};
    std::memcpy(static_cast<void*>(slots + i), &slot, sizeof(slot));
    list[i] = &slots[i].base;
  }
  heap_multi_insert(heap, list, count, command, 0, nullptr);
  for (int i = 0; i < count; ++i) rows[i]->t_self = list[i]->tts_tid;
}

Oid guard_function() {
  List* name = list_make2(makeString(pstrdup("vestige")), makeString(pstrdup("refuse")));
  return LookupFuncName(name, 0, nullptr, true);
}

}  // namespace

bool concerns(const Table& table, Oid relation) {
  if (relation == InvalidOid || relation == table.oid) return true;
  for (int i = 0; i < table.index_count; ++i)
    if (table.indexes[i].oid == relation) return true;
  return false;
}

bool plain_for_insert(Relation relation, bool guarded) {
  const TriggerDesc* triggers = relation->trigdesc;
  const Oid guard = guarded && triggers != nullptr ? guard_function() : InvalidOid;
  for (int i = 0; triggers != nullptr && i < triggers->numtriggers; ++i)
    if (TRIGGER_FOR_INSERT(triggers->triggers[i].tgtype) &&
        (guard == InvalidOid || triggers->triggers[i].tgfoid != guard))
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
  }
  if (table->known) return table->usable;
  table->usable = table->writable = false;
  table->known = true;  // an invalidation that comes meanwhile counts against it
  Relation relation = RelationIdGetRelation(table->oid);
  if (!RelationIsValid(relation)) {
    table->known = false;
    return false;
  }
  Table found = *table;
  found.fields = fields;
  found.field_count = count;
  found.index_count = 0;
  // Until it is whole it goes with the transaction; an error must not keep it.
  found.memory =
      AllocSetContextCreate(CurTransactionContext, "vestige table", ALLOCSET_SMALL_SIZES);
  look(&found, relation, fields, count);
  RelationClose(relation);
  if (table->memory != nullptr) MemoryContextDelete(table->memory);
  MemoryContextSetParent(found.memory, CacheMemoryContext);
  found.known = table->known;
  *table = found;
  return table->usable;
}

HeapTuple row_for(const Table& table, const Datum* values, const bool* nulls) {
  const auto size = static_cast<size_t>(table.layout->natts);
  auto* row = static_cast<Datum*>(palloc0(sizeof(Datum) * size));
  auto* empty = static_cast<bool*>(palloc(size));
  std::memset(empty, 1, size);
  for (int i = 0; i < table.field_count; ++i) {
    row[table.place[i] - 1] = values[i];
    empty[table.place[i] - 1] = nulls[i];
  }
  return heap_form_tuple(table.layout, row, empty);
}

Loose* loose(const Field* fields, int count) {
  MemoryContext before = MemoryContextSwitchTo(TopMemoryContext);
  auto* out = static_cast<Loose*>(palloc0(sizeof(Loose)));
  out->fields = fields;
  out->count = count;
  out->layout = CreateTemplateTupleDesc(count);
  for (int i = 0; i < count; ++i)
    TupleDescInitEntry(out->layout, static_cast<AttrNumber>(i + 1), fields[i].name, fields[i].type,
                       -1, 0);
  MemoryContextSwitchTo(before);
  if (!row_layout(out->layout, &out->columns))
    elog(ERROR, "vestige: fields are no numbers and texts");
  return out;
}

HeapTuple row_from(const Loose& of, const Table& table, HeapTuple row) {
  if (table.as_given) return row;
  Datum values[kMostFields];
  bool nulls[kMostFields];
  heap_deform_tuple(row, of.layout, values, nulls);
  return row_for(table, values, nulls);
}

void put(Table* table, HeapTuple* rows, int count, CommandId command) {
  Relation relation = RelationIdGetRelation(table->oid);
  if (!RelationIsValid(relation)) elog(ERROR, "vestige: the table with oid %u is gone", table->oid);
  if (!table->known) (void)ready(table, table->fields, table->field_count);
  if (!table->writable)
    elog(ERROR, "vestige: table %s takes no rows", RelationGetRelationName(relation));
  if (count == 1) {
    heap_insert(relation, rows[0], command, 0, nullptr);
  } else {
    insert_all(relation, rows, count, command);
  }
  AcceptInvalidationMessages();
  for (int i = 0; i < table->index_count; ++i)
    put_all_into_index(relation, *table, &table->indexes[i], rows, count);
  RelationClose(relation);
}

}  // namespace vestige::native
