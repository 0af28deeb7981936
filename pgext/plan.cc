#include "pgext/plan.h"

#include "pgext/data_key.h"
#include "pgext/partition.h"

namespace vestige::native {
namespace {

struct Key {
  Oid relation;
  int tracked;
};

struct Entry {
  Key key;
  bool valid;
  Plan* plan;
};

HTAB* entries = nullptr;
HTAB* changed_inside = nullptr;

// An invalidation may arrive within any look at the catalogs: it only marks.
template <typename Concerned>
void forget(Concerned concerned) {
  if (entries == nullptr) return;
  HASH_SEQ_STATUS scan;
  hash_seq_init(&scan, entries);
  while (auto* entry = static_cast<Entry*>(hash_seq_search(&scan)))
    if (entry->plan == nullptr || concerned(*entry)) entry->valid = false;
}

void on_relation(Datum, Oid relation) {
  forget([=](const Entry& entry) {
    return relation == InvalidOid || entry.key.relation == relation || entry.plan->root == relation;
  });
}

void on_function(Datum, int, uint32 hash) {
  forget([=](const Entry& entry) { return hash == 0 || entry.plan->portable_hash == hash; });
}

Oid trail_function(const char* named, int count, const Oid* types, bool missing_ok) {
  List* name = list_make2(makeString(pstrdup("vestige")), makeString(pstrdup(named)));
  return LookupFuncName(name, count, types, missing_ok);
}

// The trail's account of a table: the numbers that vestige.native_facts gives. By the latest snapshot, since what is
// learned here outlives the transaction, which may look at an older state of the database. A trail that is older than this
// module leaves tables with redacted or encrypted columns to the portable function.
int64* facts(MemoryContext memory, Oid relation, int tracked, int* count) {
  Oid types[] = {OIDOID, INT4OID, BOOLOID};
  const Oid function = trail_function("native_facts", 3, types, true);
  PushActiveSnapshot(GetLatestSnapshot());
  const Datum answer = function != InvalidOid
                           ? OidFunctionCall3(function, ObjectIdGetDatum(relation),
                                              Int32GetDatum(tracked), BoolGetDatum(true))
                           : OidFunctionCall2(trail_function("native_facts", 2, types, false),
                                              ObjectIdGetDatum(relation), Int32GetDatum(tracked));
  PopActiveSnapshot();
  Datum* values = nullptr;
  deconstruct_array(DatumGetArrayTypeP(answer), INT8OID, sizeof(int64), FLOAT8PASSBYVAL,
                    TYPALIGN_DOUBLE, &values, nullptr, count);
  auto* numbers =
      static_cast<int64*>(MemoryContextAlloc(memory, sizeof(int64) * static_cast<size_t>(*count)));
  for (int i = 0; i < *count; ++i) numbers[i] = DatumGetInt64(values[i]);
  return numbers;
}

// What is not written down in clear, by vestige.native_hidden: of each field nothing, the word redacted, or the column's id and a class.
bool look_at_hidden(Plan* plan, int tracked) {
  Oid types[] = {INT4OID};
  const Oid function = trail_function("native_hidden", 1, types, false);
  PushActiveSnapshot(GetLatestSnapshot());
  const Datum answer = OidFunctionCall1(function, Int32GetDatum(tracked));
  PopActiveSnapshot();
  Datum* values = nullptr;
  int count = 0;
  deconstruct_array(DatumGetArrayTypeP(answer), TEXTOID, -1, false, TYPALIGN_INT, &values, nullptr,
                    &count);
  if (count != plan->count) return false;
  for (int i = 0; i < count; ++i) {
    const char* said = TextDatumGetCString(values[i]);
    if (*said == '\0') continue;
    Column& column = plan->columns[i];
    plan->hides = true;
    column.redacted = std::strcmp(said, "redacted") == 0;
    if (column.redacted) continue;
    const char* space = std::strchr(said, ' ');
    if (space == nullptr) return false;
    column.encrypted = class_named(space + 1, static_cast<int>(std::strlen(space + 1)));
    if (column.encrypted == nullptr) return false;
    column.place = MemoryContextStrdup(
        plan->memory, psprintf("%d\n%.*s\n", tracked, static_cast<int>(space - said), said));
  }
  return plan->hides;
}

// It stands as long as the session, since plans come and go.
struct Nested {
  int tracked;
  uint64 transaction;
};

uint64* nested_in(int tracked) {
  bool found = false;
  auto* one = static_cast<Nested*>(hash_search(changed_inside, &tracked, HASH_ENTER, &found));
  if (!found) one->transaction = 0;
  return &one->transaction;
}

void fill_column(Plan* plan, TupleDesc layout, int place, AttrNumber attnum) {
  Form_pg_attribute attribute = TupleDescAttr(layout, attnum - 1);
  Column& column = plan->columns[place];
  bool is_varlena = false;
  column.attnum = attnum;
  column.length = attribute->attlen;
  column.by_value = attribute->attbyval;
  getTypeOutputInfo(attribute->atttypid, &column.output, &is_varlena);
  column.builtin = column.output < FirstGenbkiObjectId;
  if (column.builtin) fmgr_info_cxt(column.output, &column.printer, plan->memory);
  if (attnum > plan->last_attnum) plan->last_attnum = attnum;
}

Plan* make_plan(Relation relation, int tracked) {
  MemoryContext memory =
      AllocSetContextCreate(CacheMemoryContext, "vestige plan", ALLOCSET_SMALL_SIZES);
  auto* plan = static_cast<Plan*>(MemoryContextAllocZero(memory, sizeof(Plan)));
  plan->memory = memory;
  // Until it is whole it goes with the transaction; an error must not keep it.
  MemoryContextSetParent(memory, CurTransactionContext);
  int count = 0;
  const int64* fact = facts(memory, RelationGetRelid(relation), tracked, &count);
  constexpr int kHead = 9;
  constexpr int64 kHides = 2;  // it fits, and some columns are not in clear
  // Of another table nothing is recorded, which is for the portable function to say.
  plan->fits = fact[0] != 0 && fact[7] != 0;
  plan->shape = static_cast<int>(fact[1]);
  plan->whole = fact[2] != 0;
  plan->requires_context = fact[3] != 0;
  plan->settings = static_cast<int>(fact[4]);
  plan->portable = static_cast<Oid>(fact[5]);
  plan->root = static_cast<Oid>(fact[6]);
  plan->large = static_cast<Size>(fact[8]);
  plan->portable_hash = GetSysCacheHashValue1(PROCOID, ObjectIdGetDatum(plan->portable));
  fmgr_info_cxt(plan->portable, &plan->portable_call, memory);
  plan->nested = nested_in(tracked);
  plan->count = (count - kHead) / 2;
  plan->columns = static_cast<Column*>(
      MemoryContextAllocZero(memory, sizeof(Column) * static_cast<size_t>(plan->count)));
  plan->keys = static_cast<int*>(
      MemoryContextAllocZero(memory, sizeof(int) * static_cast<size_t>(plan->count)));
  for (int i = 0; i < plan->count; ++i) {
    fill_column(plan, RelationGetDescr(relation), i, static_cast<AttrNumber>(fact[kHead + 2 * i]));
    if (const int64 place = fact[kHead + 2 * i + 1]; place > 0) {
      plan->keys[place - 1] = i;
      ++plan->key_count;
    }
  }
  if (plan->fits && fact[0] == kHides) plan->fits = look_at_hidden(plan, tracked);
  MemoryContextSetParent(memory, CacheMemoryContext);
  return plan;
}

}  // namespace

void watch_plans() {
  HASHCTL control = {};
  control.keysize = sizeof(Key);
  control.entrysize = sizeof(Entry);
  entries = hash_create("vestige plans", 64, &control, HASH_ELEM | HASH_BLOBS);
  HASHCTL inside = {};
  inside.keysize = sizeof(int);
  inside.entrysize = sizeof(Nested);
  changed_inside = hash_create("vestige nested", 64, &inside, HASH_ELEM | HASH_BLOBS);
  CacheRegisterRelcacheCallback(on_relation, 0);
  CacheRegisterSyscacheCallback(PROCOID, on_function, 0);
}

Plan* plan_for(Relation relation, int tracked) {
  const Key key = {RelationGetRelid(relation), tracked};
  static Entry* recent = nullptr;  // entries stay where they are
  if (recent != nullptr && recent->valid && recent->key.relation == key.relation &&
      recent->key.tracked == tracked && recent->plan != nullptr)
    return recent->plan;
  bool found = false;
  auto* entry = static_cast<Entry*>(hash_search(entries, &key, HASH_ENTER, &found));
  recent = entry;
  if (!found) {
    entry->plan = nullptr;
    entry->valid = false;
  }
  if (entry->valid && entry->plan != nullptr) return entry->plan;
  // What is in use further up goes with the transaction.
  if (entry->plan != nullptr) {
    MemoryContextSetParent(entry->plan->memory, TopTransactionContext);
    entry->plan = nullptr;
  }
  // An invalidation that comes while it is made counts against it, but for this one change it is right: the
  // statement holds a lock on the table.
  entry->valid = true;
  lock_trail();
  Plan* plan = make_plan(relation, tracked);
  entry = static_cast<Entry*>(hash_search(entries, &key, HASH_ENTER, &found));
  entry->plan = plan;
  return plan;
}

void remember_met(Plan* plan, const char* given) {
  constexpr size_t kLongest = 8192;
  // Where nothing was given, a comment of this one statement may have met it.
  if (*given == '\0' || std::strlen(given) > kLongest) return;
  if (plan->met != nullptr) pfree(plan->met);
  plan->met = nullptr;
  plan->met = MemoryContextStrdup(plan->memory, given);
}

}  // namespace vestige::native
