// The row trigger. It writes plain changes down itself, and leaves every rare way to the function that the portable
// engine made for the table, which it calls in its own place: the same trigger, the same rows, the same depth.
//
// Doc: docs/native.md. Tests: test/postgres_native_*_test.cc, and the suite of the portable engine on this one.
#include "pgext/data_key.h"
#include "pgext/index_method.h"
#include "pgext/partition.h"
#include "pgext/pinned.h"
#include "pgext/plan.h"
#include "pgext/row_text.h"
#include "pgext/server.h"
#include "pgext/store.h"
#include "pgext/waiting.h"

namespace vestige::native {
namespace {

// One row that fired, and what is printed of it.
struct Row {
  Plan* plan;
  char op;
  TupleTableSlot* old_slot;
  TupleTableSlot* new_slot;
  bool changed;
  bool moved;  // it has another key now
  Text key;
  Text* before;  // each field, as it is printed; null: there is no such side
  Text* after;
  bool* kept;  // of an UPDATE: which fields changed
  text* old_row;
  text* new_row;
};

// What stands for a redacted value: before, and after where an UPDATE changed it.
constexpr Text kWas = {"0", 1, Quoting::none};
constexpr Text kBecame = {"1", 1, Quoting::none};

void record_by_portable(Plan* plan, TriggerData* fired) {
  record_elsewhere();
  LOCAL_FCINFO(call, 0);
  InitFunctionCallInfoData(*call, &plan->portable_call, 0, InvalidOid,
                           static_cast<fmNodePtr>(static_cast<void*>(fired)), nullptr);
  FunctionCallInvoke(call);
}

Text print_of(const Plan* plan, int column, TupleTableSlot* slot) {
  Column& one = plan->columns[column];
  if (slot->tts_isnull[one.attnum - 1]) return {nullptr, 0};
  return printed(one, slot->tts_values[one.attnum - 1]);
}

// The key's text: of one column the value's, of several a row's.
Text print_key(const Plan* plan, const Text* fields) {
  if (plan->key_count == 0) return {nullptr, 0};
  if (plan->key_count == 1) return fields[plan->keys[0]];
  auto* parts = static_cast<Text*>(palloc(sizeof(Text) * static_cast<size_t>(plan->key_count)));
  for (int i = 0; i < plan->key_count; ++i) parts[i] = fields[plan->keys[i]];
  const text* row = row_text(parts, nullptr, plan->key_count);
  return {VARDATA_ANY(row), static_cast<int>(VARSIZE_ANY_EXHDR(row))};
}

void print_whole(Row* row, TupleTableSlot* slot, Text** out) {
  const Plan* plan = row->plan;
  auto* fields = static_cast<Text*>(palloc(sizeof(Text) * static_cast<size_t>(plan->count)));
  for (int i = 0; i < plan->count; ++i)
    fields[i] = plan->columns[i].redacted ? kWas : print_of(plan, i, slot);
  row->key = print_key(plan, fields);
  *out = fields;
}

// A column changed when its text did; bits that are the same print the same.
void print_update(Row* row) {
  const Plan* plan = row->plan;
  const auto count = static_cast<size_t>(plan->count);
  auto* before = static_cast<Text*>(palloc0(sizeof(Text) * count));
  auto* after = static_cast<Text*>(palloc0(sizeof(Text) * count));
  auto* kept = static_cast<bool*>(palloc0(count));
  for (int i = 0; i < plan->count; ++i) {
    const Column& column = plan->columns[i];
    const int at = column.attnum - 1;
    const bool old_null = row->old_slot->tts_isnull[at];
    const bool new_null = row->new_slot->tts_isnull[at];
    if (old_null && new_null) continue;
    if (!old_null && !new_null &&
        same_image(column, row->old_slot->tts_values[at], row->new_slot->tts_values[at]))
      continue;
    before[i] = print_of(plan, i, row->old_slot);
    after[i] = print_of(plan, i, row->new_slot);
    kept[i] = !same(before[i], after[i]);
    row->changed = row->changed || kept[i];
  }
  if (!row->changed) return;
  for (int i = 0; i < plan->count; ++i) {
    if (before[i].bytes != nullptr || after[i].bytes != nullptr) continue;
    bool wanted = plan->whole && !plan->columns[i].redacted;
    for (int k = 0; k < plan->key_count && !wanted; ++k) wanted = plan->keys[k] == i;
    if (wanted) before[i] = after[i] = print_of(plan, i, row->old_slot);
  }
  row->key = print_key(plan, before);
  const Text new_key = print_key(plan, after);
  row->moved = new_key.bytes != nullptr && !same(new_key, row->key);
  row->before = before;
  row->after = after;
  row->kept = kept;
}

void print_row(void* argument) {
  auto* row = static_cast<Row*>(argument);
  if (row->op == 'U') {
    print_update(row);
  } else {
    row->changed = true;
    print_whole(row, row->op == 'I' ? row->new_slot : row->old_slot,
                row->op == 'I' ? &row->after : &row->before);
  }
}

// Whether a field is written down of an UPDATE.
bool written(const Row& row, int field) {
  return row.kept == nullptr || row.plan->whole || row.kept[field];
}

// Whether what is encrypted can be: else the portable function writes down what it can.
bool keys_stand(const Row& row) {
  for (int i = 0; i < row.plan->count; ++i) {
    Class* of = row.plan->columns[i].encrypted;
    if (of == nullptr || !written(row, i)) continue;
    const bool any = (row.before != nullptr && row.before[i].bytes != nullptr) ||
                     (row.after != nullptr && row.after[i].bytes != nullptr);
    if (any && !has_data_key(of)) return false;
  }
  return true;
}

bool encrypt(const Column& column, Text* value) {
  if (value->bytes == nullptr) return true;
  *value = token_of(column.encrypted, column.place, *value);
  return value->bytes != nullptr;
}

// Puts what may stand in the trail in the place of what may not, as the portable functions do (expressions.sql).
bool hide(Row* row) {
  for (int i = 0; i < row->plan->count; ++i) {
    const Column& column = row->plan->columns[i];
    const bool changed = row->kept == nullptr || row->kept[i];
    if (column.redacted && row->kept != nullptr) {
      row->before[i] = changed ? kWas : Text{nullptr, 0};
      row->after[i] = changed ? kBecame : Text{nullptr, 0};
    }
    if (column.encrypted == nullptr || !written(*row, i)) continue;
    if (row->before != nullptr && !encrypt(column, &row->before[i])) return false;
    if (!changed) {
      row->after[i] = row->before[i];
    } else if (row->after != nullptr && !encrypt(column, &row->after[i])) {
      return false;
    }
  }
  return true;
}

void compose(Row* row) {
  const bool* kept = row->plan->whole ? nullptr : row->kept;
  if (row->before != nullptr) row->old_row = row_text(row->before, kept, row->plan->count);
  if (row->after != nullptr) row->new_row = row_text(row->after, kept, row->plan->count);
}

int trigger_depth() {
  LOCAL_FCINFO(call, 0);
  InitFunctionCallInfoData(*call, nullptr, 0, InvalidOid, nullptr, nullptr);
  return DatumGetInt32(pg_trigger_depth(call));
}

// Inside a trigger, or where one changed the table in this transaction, a change must find its place by itself.
bool nested(Plan* plan) {
  if (trigger_depth() > 1) *plan->nested = this_transaction();
  return *plan->nested == this_transaction();
}

bool context_missing(const Plan* plan) {
  return plan->requires_context &&
         (plan->met == nullptr || std::strcmp(plan->met, given_context()) != 0);
}

void read_slots(Row* row, TriggerData* fired) {
  if (row->op == 'U') {
    row->old_slot = fired->tg_trigslot;
    row->new_slot = fired->tg_newslot;
  } else if (row->op == 'I') {
    row->new_slot = fired->tg_trigslot;
  } else {
    row->old_slot = fired->tg_trigslot;
  }
  if (row->old_slot != nullptr) slot_getsomeattrs(row->old_slot, row->plan->last_attnum);
  if (row->new_slot != nullptr) slot_getsomeattrs(row->new_slot, row->plan->last_attnum);
}

// How many bytes the values of a row have, before anything is fetched or printed.
Size extent(const Plan* plan, TupleTableSlot* slot) {
  Size all = 0;
  if (slot == nullptr) return all;
  for (int i = 0; i < plan->count; ++i) {
    const Column& column = plan->columns[i];
    const int at = column.attnum - 1;
    if (column.length == -1 && !slot->tts_isnull[at])
      all += toast_raw_datum_size(slot->tts_values[at]);
  }
  return all;
}

char operation(TriggerEvent event) {
  if (TRIGGER_FIRED_BY_INSERT(event)) return 'I';
  return TRIGGER_FIRED_BY_UPDATE(event) ? 'U' : 'D';
}

void capture(TriggerData* fired, int tracked) {
  Plan* plan = plan_for(fired->tg_relation, tracked);
  if (!plan->fits || nested(plan)) {
    record_by_portable(plan, fired);
    return;
  }
  Row row = {};
  row.plan = plan;
  row.op = operation(fired->tg_event);
  read_slots(&row, fired);
  if (extent(plan, row.old_slot) + extent(plan, row.new_slot) >= plan->large) {
    record_by_portable(plan, fired);
    return;
  }
  with_pinned(plan->settings, print_row, &row);
  if (!row.changed) return;
  if (context_missing(plan)) {
    const char* given = pstrdup(given_context());
    record_by_portable(plan, fired);  // raises when the context lacks something
    remember_met(plan, given);
    return;
  }
  Change change = {};
  int64 id = 0;
  // Before the change has its time: to write a key down may mean to wait.
  const bool hidden = !row.moved && (!plan->hides || (keys_stand(row) && hide(&row)));
  if (!hidden || !context_ready() || !draw(&change.at, &id)) {
    record_by_portable(plan, fired);
    return;
  }
  compose(&row);
  change.context = context_of(id);
  change.tracked = tracked;
  change.shape = plan->shape;
  change.op = row.op;
  change.key = row.key.bytes == nullptr ? nullptr : text_of(row.key);
  change.old_row = row.old_row;
  change.new_row = row.new_row;
  write_change(id, change);
}

// The number of the tracked table, which is the trigger's argument.
int tracked_by(const TriggerData* fired) {
  int number = 0;
  for (const char* digit = fired->tg_trigger->tgargs[0]; *digit >= '0' && *digit <= '9'; ++digit)
    number = number * 10 + (*digit - '0');
  return number;
}

bool as_it_must_be(FunctionCallInfo call) {
  if (!CALLED_AS_TRIGGER(call)) return false;
  const auto* fired = static_cast<TriggerData*>(static_cast<void*>(call->context));
  return TRIGGER_FIRED_AFTER(fired->tg_event) && TRIGGER_FIRED_FOR_ROW(fired->tg_event) &&
         fired->tg_trigger->tgnargs == 1;
}

}  // namespace
}  // namespace vestige::native

#pragma GCC visibility push(default)
extern "C" {
PG_MODULE_MAGIC;
PG_FUNCTION_INFO_V1(vestige_capture);
PG_FUNCTION_INFO_V1(vestige_runs);
PG_FUNCTION_INFO_V1(vestige_order);
PG_FUNCTION_INFO_V1(vestige_token);
PG_FUNCTION_INFO_V1(vestige_recipient);

void _PG_init() {
  vestige::native::watch_plans();
  vestige::native::watch_partitions();
  vestige::native::watch_store();
  vestige::native::watch_data_keys();
  vestige::native::watch_waiting();
  vestige::native::define_index_options();
}

Datum vestige_runs(PG_FUNCTION_ARGS) {
  (void)fcinfo;
  return PointerGetDatum(vestige::native::runs_method());
}

Datum vestige_order(PG_FUNCTION_ARGS) {
  (void)fcinfo;
  return PointerGetDatum(vestige::native::order_method());
}

Datum vestige_token(PG_FUNCTION_ARGS) {
  const text* of = PG_GETARG_TEXT_PP(0);
  const text* value = PG_GETARG_TEXT_PP(1);
  const text* token = vestige::native::loose_token(of, value);
  if (token == nullptr) PG_RETURN_NULL();
  PG_RETURN_TEXT_P(token);
}

Datum vestige_recipient(PG_FUNCTION_ARGS) {
  const text* key = PG_GETARG_TEXT_PP(0);
  PG_RETURN_BOOL(vestige::native::may_read(VARDATA_ANY(key), VARSIZE_ANY_EXHDR(key)));
}

Datum vestige_capture(PG_FUNCTION_ARGS) {
  if (!vestige::native::as_it_must_be(fcinfo))
    ereport(ERROR, (errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
                    errmsg("vestige: capture_native is for row triggers that fire after a change"),
                    errhint("vestige.set_engine makes them")));
  auto* fired = static_cast<TriggerData*>(static_cast<void*>(fcinfo->context));
  vestige::native::capture(fired, vestige::native::tracked_by(fired));
  return PointerGetDatum(nullptr);
}
}
#pragma GCC visibility pop
