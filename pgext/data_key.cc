#include "pgext/data_key.h"

#include "pgext/ids.h"
#include "pgext/partition.h"
#include "pgext/token.h"

namespace vestige::native {

struct Class {
  char name[NAMEDATALEN];
  bool stands;
  SubTransactionId made;
  DataKey key;
  Class* next;
};

namespace {

constexpr Field kWrap[] = {{"id", BYTEAOID},
                           {"class", TEXTOID},
                           {"recipient", INT8OID},
                           {"wrapped", BYTEAOID},
                           {"first_change", INT8OID}};
constexpr int kWrapFields = sizeof(kWrap) / sizeof(kWrap[0]);

Class* classes = nullptr;
bool used = false;  // OpenSSL had a key in this transaction

struct Recipient {
  int64 id;
  unsigned char key[kKeyBytes];
};

void forget(Class* one) {
  wipe(&one->key, sizeof(one->key));
  one->stands = false;
}

void on_transaction(XactEvent event, void*) {
  if (!used ||
      (event != XACT_EVENT_COMMIT && event != XACT_EVENT_ABORT && event != XACT_EVENT_PREPARE))
    return;
  for (Class* one = classes; one != nullptr; one = one->next) forget(one);
  wipe_ciphers();
  used = false;
}

void on_subtransaction(SubXactEvent event, SubTransactionId mine, SubTransactionId parent, void*) {
  if (!used || (event != SUBXACT_EVENT_COMMIT_SUB && event != SUBXACT_EVENT_ABORT_SUB)) return;
  for (Class* one = classes; one != nullptr; one = one->next) {
    if (one->made != mine) continue;
    if (event == SUBXACT_EVENT_COMMIT_SUB) {
      one->made = parent;
    } else {
      forget(one);
    }
  }
}

// The columns of vestige.recipient, by what they are called.
struct Columns {
  AttrNumber id, of, key, since, until;
};

AttrNumber column(TupleDesc layout, const char* name, Oid type) {
  for (int i = 0; i < layout->natts; ++i) {
    Form_pg_attribute attribute = TupleDescAttr(layout, i);
    if (!attribute->attisdropped && attribute->atttypid == type &&
        std::strcmp(NameStr(attribute->attname), name) == 0)
      return attribute->attnum;
  }
  return InvalidAttrNumber;
}

// What vestige.recipients gives: those of a class that stand now, and where none does, those that come first.
struct Search {
  const Class* of;
  TimestampTz now;
  TimestampTz begins;  // the earliest of those that have not ended
  bool any;
  bool closed;  // one has no key of age
  Recipient* found;
  int count;
  int room;
};

void keep(Search* search, int64 id, Datum key) {
  if (search->count == search->room) {
    search->room = search->room == 0 ? 4 : 2 * search->room;
    const Size size = sizeof(Recipient) * static_cast<Size>(search->room);
    search->found = static_cast<Recipient*>(
        search->found == nullptr ? palloc(size) : repalloc(search->found, size));
  }
  const text* start = DatumGetTextPSlice(key, 0, static_cast<int>(kAgeKeyText) + 1);
  Recipient& one = search->found[search->count++];
  one.id = id;
  if (!age_public_key(VARDATA_ANY(start), VARSIZE_ANY_EXHDR(start), one.key)) search->closed = true;
}

bool is(Datum value, const char* name) {
  const text* plain = DatumGetTextPP(value);
  return VARSIZE_ANY_EXHDR(plain) == std::strlen(name) &&
         std::memcmp(VARDATA_ANY(plain), name, std::strlen(name)) == 0;
}

template <typename Use>
void for_each_recipient(Relation relation, const Columns& columns, Search* search, Use use) {
  TupleDesc layout = RelationGetDescr(relation);
  Snapshot snapshot = RegisterSnapshot(GetLatestSnapshot());
  SysScanDesc scan = systable_beginscan(relation, InvalidOid, false, snapshot, 0, nullptr);
  while (HeapTuple row = systable_getnext(scan)) {
    bool null = false;
    const Datum named = heap_getattr(row, columns.of, layout, &null);
    if (null || !is(named, search->of->name)) continue;
    const Datum until = heap_getattr(row, columns.until, layout, &null);
    if (!null && DatumGetTimestampTz(until) <= search->now) continue;
    const Datum since = heap_getattr(row, columns.since, layout, &null);
    if (null) continue;
    use(row, layout, DatumGetTimestampTz(since));
  }
  systable_endscan(scan);
  UnregisterSnapshot(snapshot);
}

void look_at_recipients(Relation relation, Search* search) {
  TupleDesc layout = RelationGetDescr(relation);
  const Columns columns = {column(layout, "id", INT8OID), column(layout, "class", TEXTOID),
                           column(layout, "public", TEXTOID),
                           column(layout, "since", TIMESTAMPTZOID),
                           column(layout, "until", TIMESTAMPTZOID)};
  if (relation->rd_rel->relkind != RELKIND_RELATION ||
      relation->rd_tableam != GetHeapamTableAmRoutine() || columns.id == 0 || columns.of == 0 ||
      columns.key == 0 || columns.since == 0 || columns.until == 0)
    return;
  for_each_recipient(relation, columns, search, [&](HeapTuple, TupleDesc, TimestampTz since) {
    if (!search->any || since < search->begins) search->begins = since;
    search->any = true;
  });
  if (!search->any) return;
  const TimestampTz latest = Max(search->now, search->begins);
  for_each_recipient(relation, columns, search,
                     [&](HeapTuple row, TupleDesc of, TimestampTz since) {
                       bool no_id = false;
                       bool no_key = false;
                       const Datum id = heap_getattr(row, columns.id, of, &no_id);
                       const Datum key = heap_getattr(row, columns.key, of, &no_key);
                       if (since <= latest && !no_id && !no_key)
                         keep(search, DatumGetInt64(id), key);
                     });
}

bool find_recipients(Search* search) {
  const Oid table = get_relname_relid("recipient", get_namespace_oid("vestige", false));
  if (table == InvalidOid) return false;
  Relation relation = table_open(table, AccessShareLock);
  look_at_recipients(relation, search);
  table_close(relation, AccessShareLock);
  return search->count > 0 && !search->closed;
}

Datum bytes_datum(const void* bytes, Size size) {
  auto* out = static_cast<bytea*>(palloc(VARHDRSZ + size));
  SET_VARSIZE(out, VARHDRSZ + size);
  std::memcpy(VARDATA(out), bytes, size);
  return PointerGetDatum(out);
}

// Where the table is not as the trail makes it, as SQL writes it.
void write_by_trail(const Datum* values) {
  Oid types[] = {BYTEAOID, TEXTOID, INT8OID, BYTEAOID, INT8OID};
  List* name = list_make2(makeString(pstrdup("vestige")), makeString(pstrdup("keep_wrap")));
  const Oid function = LookupFuncName(name, kWrapFields, types, false);
  (void)OidFunctionCall5(function, values[0], values[1], values[2], values[3], values[4]);
}

bool wraps_ready() {
  Table* table = wrap_table();
  // To lock it may mean to wait for somebody who alters it.
  for (int attempt = 0; attempt < 5; ++attempt) {
    if (table->oid == InvalidOid || !ready(table, kWrap, kWrapFields)) return false;
    if (table->known) return true;
  }
  return false;
}

bool write_down(const DataKey& key, const Search& search, Elsewhere elsewhere) {
  const bool direct = wraps_ready();
  if (!direct && elsewhere == Elsewhere::nobody) return false;
  const auto count = static_cast<Size>(search.count);
  auto* rows = static_cast<HeapTuple*>(palloc(sizeof(HeapTuple) * count));
  auto* values = static_cast<Datum*>(palloc(sizeof(Datum) * count * kWrapFields));
  const bool nulls[kWrapFields] = {};
  const Datum first = Int64GetDatum(first_to_come(change_sequence()));
  for (int i = 0; i < search.count; ++i) {
    unsigned char wrapped[kWrapBytes];
    if (!wrap_key(key, search.found[i].key, wrapped)) return false;
    Datum* const row = values + i * kWrapFields;
    row[0] = bytes_datum(key.id, kKeyIdBytes);
    row[1] = CStringGetTextDatum(search.of->name);
    row[2] = Int64GetDatum(search.found[i].id);
    row[3] = bytes_datum(wrapped, kWrapBytes);
    row[4] = first;
  }
  if (!direct) {
    for (int i = 0; i < search.count; ++i) write_by_trail(values + i * kWrapFields);
    return true;
  }
  for (int i = 0; i < search.count; ++i)
    rows[i] = row_for(*wrap_table(), values + i * kWrapFields, nulls);
  put(wrap_table(), rows, search.count, GetCurrentCommandId(true));
  return true;
}

// Bytes of a value are UTF-8, and whatever they are where nobody says.
bool encoding_fits() {
  return GetDatabaseEncoding() == PG_UTF8 || GetDatabaseEncoding() == PG_SQL_ASCII;
}

}  // namespace

void watch_data_keys() {
  RegisterXactCallback(on_transaction, nullptr);
  RegisterSubXactCallback(on_subtransaction, nullptr);
}

Class* class_named(const char* name, int length) {
  const auto size = static_cast<Size>(length);
  if (length < 1 || size >= NAMEDATALEN) return nullptr;
  for (Class* one = classes; one != nullptr; one = one->next)
    if (std::strlen(one->name) == size && std::memcmp(one->name, name, size) == 0) return one;
  auto* made = static_cast<Class*>(MemoryContextAllocZero(TopMemoryContext, sizeof(Class)));
  std::memcpy(made->name, name, size);
  made->next = classes;
  classes = made;
  return made;
}

bool has_data_key(Class* one, Elsewhere elsewhere) {
  if (one == nullptr || !encoding_fits()) return false;
  if (one->stands) return true;
  lock_trail();
  if (change_sequence() == InvalidOid) return false;
  MemoryContext working =
      AllocSetContextCreate(CurrentMemoryContext, "vestige data key", ALLOCSET_SMALL_SIZES);
  MemoryContext before = MemoryContextSwitchTo(working);
  Search search = {};
  search.of = one;
  search.now = GetCurrentTimestamp();
  used = true;
  // Not in its place before it stands: what SQL runs meanwhile may make one, too.
  DataKey key = {};
  bool stands = false;
  PG_TRY();
  {
    stands = find_recipients(&search) && make_data_key(&key) && write_down(key, search, elsewhere);
  }
  PG_CATCH();
  {
    wipe(&key, sizeof(key));
    PG_RE_THROW();
  }
  PG_END_TRY();
  if (stands) {
    one->key = key;
    one->made = GetCurrentSubTransactionId();
    one->stands = true;
  }
  wipe(&key, sizeof(key));
  MemoryContextSwitchTo(before);
  MemoryContextDelete(working);
  return stands;
}

Text token_of(const Class* one, const char* place, const Text& value) {
  const auto size = static_cast<Size>(value.length);
  // More than palloc gives is an error of the application's statement: the portable functions see what they can do with it.
  if (base64_size(most_of_token(size)) + VARHDRSZ > MaxAllocSize) return {nullptr, 0};
  auto* token = static_cast<unsigned char*>(palloc(most_of_token(size)));
  const Bytes column = {place, place == nullptr ? 0 : std::strlen(place)};
  const Size made = make_token(one->key, place == nullptr ? Algorithm::loose : Algorithm::bound,
                               column, {value.bytes, size}, token);
  if (made == 0) return {nullptr, 0};
  auto* out = static_cast<char*>(palloc(base64_size(made)));
  to_base64(token, made, out);
  pfree(token);
  return {out, static_cast<int>(base64_size(made)), Quoting::none};
}

text* loose_token(const text* named, const text* value) {
  Class* one = class_named(VARDATA_ANY(named), static_cast<int>(VARSIZE_ANY_EXHDR(named)));
  if (!has_data_key(one, Elsewhere::portable)) return nullptr;
  const Text token =
      token_of(one, nullptr, {VARDATA_ANY(value), static_cast<int>(VARSIZE_ANY_EXHDR(value))});
  return token.bytes == nullptr ? nullptr : text_of(token);
}

bool may_read(const char* recipient, Size size) {
  unsigned char key[kKeyBytes];
  return encoding_fits() && age_public_key(recipient, size, key);
}

}  // namespace vestige::native
