#include "pgext/store.h"

#include "pgext/ids.h"
#include "pgext/table.h"
#include "pgext/waiting.h"

namespace vestige::native {
namespace {

constexpr Field kChange[] = {{"id", INT8OID},      {"at", TIMESTAMPTZOID}, {"xid", XID8OID},
                             {"context", INT8OID}, {"tracked", INT4OID},   {"shape", INT4OID},
                             {"op", CHAROID},      {"key_hash", INT8OID},  {"key", TEXTOID},
                             {"new_key", TEXTOID}, {"old_row", TEXTOID},   {"new_row", TEXTOID},
                             {"room", INT2OID}};
constexpr int kChangeFields = sizeof(kChange) / sizeof(kChange[0]);

constexpr Field kContext[] = {
    {"id", INT8OID},        {"tx", INT8OID},      {"xid", XID8OID},
    {"at", TIMESTAMPTZOID}, {"pid", INT4OID},     {"client_addr", INETOID},
    {"db_user", TEXTOID},   {"db_role", TEXTOID}, {"application_name", TEXTOID},
    {"fields", TEXTOID}};
constexpr int kContextFields = sizeof(kContext) / sizeof(kContext[0]);

// vestige.change and the partition that was written last.
Oid root = InvalidOid;
Oid sequence = InvalidOid;
bool root_known = false;
bool root_plain = false;
bool root_locked = false;
Table leaf;
Table context;
// The moments that belong to that partition: from `low`, before `high`.
TimestampTz low = 0;
TimestampTz high = 0;

// The settings behind a transaction's context. The server takes care of them: they end with the transaction, and go
// back with a subtransaction. The portable engine reads and sets the same.
char* given = nullptr;
char* state = nullptr;
char* number = nullptr;
// What they were found to say, until one of them is set or taken back.
bool settled = false;
uint64 settled_for = 0;  // the transaction
int64 settled_context = 0;

void on_setting(const char*, void*) { settled = false; }

void on_relation(Datum, Oid relation) {
  if (relation == InvalidOid || relation == root) root_known = false;
  if (concerns(leaf, relation)) leaf.known = false;
  if (concerns(context, relation)) context.known = false;
}

void on_transaction(XactEvent event, void*) {
  if (event != XACT_EVENT_COMMIT && event != XACT_EVENT_ABORT && event != XACT_EVENT_PREPARE)
    return;
  root_locked = leaf.locked = context.locked = false;
  end_ids();
}

// The gap between two partition bounds that a moment falls into; the partition there, which may be the default one.
Oid partition_at(Relation relation, TimestampTz at) {
  PartitionKey key = RelationGetPartitionKey(relation);
  if (key == nullptr || key->strategy != PARTITION_STRATEGY_RANGE || key->partnatts != 1 ||
      key->partexprs != NIL || key->parttypid[0] != TIMESTAMPTZOID)
    return InvalidOid;
#if PG_VERSION_NUM >= 140000
  PartitionDesc parts = RelationGetPartitionDesc(relation, true);
#else
  PartitionDesc parts = RelationGetPartitionDesc(relation);
#endif
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
  sequence = get_relname_relid("change_id", trail);
  const Oid contexts = get_relname_relid("context", trail);
  if (contexts != context.oid) context.known = context.locked = false;
  context.oid = contexts;
}

// Chooses the partition for a moment.
bool choose(TimestampTz at) {
  lock_trail();
  if (root == InvalidOid || sequence == InvalidOid) return false;
  if (root_known && root_plain && at >= low && at < high) return true;
  root_known = true;
  Relation relation = RelationIdGetRelation(root);
  if (!RelationIsValid(relation)) {
    root_known = false;
    return false;
  }
  root_plain = relation->rd_rel->relkind == RELKIND_PARTITIONED_TABLE && plain_for_insert(relation);
  const Oid part = root_plain ? partition_at(relation, at) : InvalidOid;
  RelationClose(relation);
  if (part == InvalidOid) {
    root_known = false;
    return false;
  }
  if (part != leaf.oid) {
    write_waiting();
    leaf.oid = part;
    leaf.known = leaf.locked = false;
  }
  return true;
}

// "<transaction> <what was given>": what the last context was written for.
bool stands(const char* xid) {
  if (state == nullptr || number == nullptr || *number == '\0') return false;
  const size_t length = std::strlen(xid);
  return std::strncmp(state, xid, length) == 0 && state[length] == ' ' &&
         std::strcmp(state + length + 1, given_context()) == 0;
}

bool of_this_transaction(const char* xid) {
  const size_t length = std::strlen(xid);
  return state != nullptr && std::strncmp(state, xid, length) == 0 && state[length] == ' ';
}

void print_transaction(char* out, size_t size) {
  snprintf(out, size, UINT64_FORMAT, U64FromFullTransactionId(GetTopFullTransactionId()));
}

Datum text_or_null(const char* value, bool* null) {
  *null = value == nullptr || *value == '\0';
  return *null ? Datum{0} : CStringGetTextDatum(value);
}

void begin_context(int64 id, const char* xid) {
  Datum values[kContextFields];
  bool nulls[kContextFields] = {};
  values[0] = values[1] = Int64GetDatum(id);
  values[2] = FullTransactionIdGetDatum(GetTopFullTransactionId());
  values[3] = TimestampTzGetDatum(GetCurrentTransactionStartTimestamp());
  values[4] = Int32GetDatum(MyProcPid);
  LOCAL_FCINFO(call, 0);
  InitFunctionCallInfoData(*call, nullptr, 0, InvalidOid, nullptr, nullptr);
  values[5] = inet_client_addr(call);
  nulls[5] = call->isnull;
  values[6] = CStringGetTextDatum(GetUserNameFromId(GetSessionUserId(), false));
  const char* role = GetConfigOption("role", false, false);
  values[7] =
      text_or_null(role != nullptr && std::strcmp(role, "none") == 0 ? nullptr : role, &nulls[7]);
  values[8] = text_or_null(application_name, &nulls[8]);
  values[9] = text_or_null(given_context(), &nulls[9]);
  HeapTuple row = row_for(context, kContextFields, values, nulls);
  put(&context, &row, 1, GetCurrentCommandId(true));
  pfree(row);
  char* stood = psprintf("%s %s", xid, given_context());
  char* numbered = psprintf(INT64_FORMAT, id);
  (void)set_config_option("vestige.number", numbered, PGC_USERSET, PGC_S_SESSION, GUC_ACTION_LOCAL,
                          true, 0, false);
  (void)set_config_option("vestige.state", stood, PGC_USERSET, PGC_S_SESSION, GUC_ACTION_LOCAL,
                          true, 0, false);
}

void define(const char* name, const char* what, char** value) {
  DefineCustomStringVariable(name, what, nullptr, value, "", PGC_USERSET, GUC_NOT_IN_SAMPLE,
                             nullptr, on_setting, nullptr);
}

uint64 this_transaction() { return U64FromFullTransactionId(GetTopFullTransactionId()); }

}  // namespace

void watch_store() {
  define("vestige.context", "Who changes rows, why and from where, as a JSON object.", &given);
  define("vestige.state", "What the transaction's last context was written for.", &state);
  define("vestige.number", "The id of the transaction's last context.", &number);
  CacheRegisterRelcacheCallback(on_relation, 0);
  RegisterXactCallback(on_transaction, nullptr);
}

void lock_trail() {
  if (!root_known) look_at_root();
  if (root == InvalidOid || root_locked) return;
  lock_for_transaction(root);
  root_locked = true;
}

bool store_ready(TimestampTz at) {
  // To lock the partition may mean to wait for somebody who makes another one for that moment.
  for (int attempt = 0; attempt < 5; ++attempt) {
    if (!choose(at) || !ready(&leaf, kChange, kChangeFields)) return false;
    if (root_known && leaf.known) return true;
  }
  return false;
}

int64 next_change(TimestampTz at) { return next_id(sequence, at); }

void write_change(int64 id, const Change& change) {
  const bool keyed = change.key != nullptr;
  const Datum hash =
      keyed ? DirectFunctionCall2Coll(hashtextextended, DEFAULT_COLLATION_OID,
                                      PointerGetDatum(change.key), Int64GetDatum(change.tracked))
            : Datum{0};
  const Datum values[kChangeFields] = {Int64GetDatum(id),
                                       TimestampTzGetDatum(change.at),
                                       FullTransactionIdGetDatum(GetTopFullTransactionId()),
                                       Int64GetDatum(change.context),
                                       Int32GetDatum(change.tracked),
                                       Int32GetDatum(change.shape),
                                       CharGetDatum(change.op),
                                       hash,
                                       PointerGetDatum(change.key),
                                       Datum{0},
                                       PointerGetDatum(change.old_row),
                                       PointerGetDatum(change.new_row),
                                       Datum{0}};
  const bool nulls[kChangeFields] = {false,
                                     false,
                                     false,
                                     false,
                                     false,
                                     false,
                                     false,
                                     !keyed,
                                     !keyed,
                                     true,
                                     change.old_row == nullptr,
                                     change.new_row == nullptr,
                                     true};
  wait({&leaf, root}, kChangeFields, values, nulls);
}

const char* given_context() { return given == nullptr ? "" : given; }

bool context_ready() {
  if (settled && settled_for == this_transaction()) return true;
  char xid[32];
  print_transaction(xid, sizeof(xid));
  if (stands(xid)) {
    settled_for = this_transaction();
    settled_context = std::strtoll(number, nullptr, 10);
    settled = true;
    return true;
  }
  // The comment of a statement may say who it is: SQL reads it.
  if (*given_context() == '\0') {
    const char* commented = GetConfigOption("vestige.sqlcommenter", true, false);
    if (commented != nullptr && std::strcmp(commented, "on") == 0) return false;
  }
  // A second context of a transaction carries the first one's number: rare, and left to SQL.
  return !of_this_transaction(xid) && context.oid != InvalidOid &&
         ready(&context, kContext, kContextFields) && context.known;
}

int64 context_of(int64 change) {
  if (settled && settled_for == this_transaction()) return settled_context;
  char xid[32];
  print_transaction(xid, sizeof(xid));
  if (!stands(xid)) {
    begin_context(change, xid);
    return change;
  }
  return std::strtoll(number, nullptr, 10);
}

}  // namespace vestige::native
