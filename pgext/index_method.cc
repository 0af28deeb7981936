#include "pgext/index_method.h"

#include <algorithm>
#include <iterator>

#include "pgext/order.h"
#include "pgext/runs.h"

namespace vestige::native {
namespace {

struct Options {
  int32 length;
  int segment_blocks;  // 0: as many as is usual
};

relopt_kind kind;

bytea* options(Datum given, bool validate) {
  relopt_parse_elt known = {};  // 18 has a member more
  known.optname = "segment_blocks";
  known.opttype = RELOPT_TYPE_INT;
  known.offset = offsetof(Options, segment_blocks);
  return static_cast<bytea*>(build_reloptions(given, validate, kind, sizeof(Options), &known, 1));
}

// The operators that the indexes know, by the functions behind them: bigint on the left.
struct Operator {
  Oid right;
  StrategyNumber strategy;
  RegProcedure function;
};
constexpr Operator kOrder[] = {{INT8OID, BTLessStrategyNumber, F_INT8LT},
                               {INT8OID, BTLessEqualStrategyNumber, F_INT8LE},
                               {INT8OID, BTEqualStrategyNumber, F_INT8EQ},
                               {INT8OID, BTGreaterEqualStrategyNumber, F_INT8GE},
                               {INT8OID, BTGreaterStrategyNumber, F_INT8GT},
                               {INT4OID, BTLessStrategyNumber, F_INT84LT},
                               {INT4OID, BTLessEqualStrategyNumber, F_INT84LE},
                               {INT4OID, BTEqualStrategyNumber, F_INT84EQ},
                               {INT4OID, BTGreaterEqualStrategyNumber, F_INT84GE},
                               {INT4OID, BTGreaterStrategyNumber, F_INT84GT},
                               {INT2OID, BTLessStrategyNumber, F_INT82LT},
                               {INT2OID, BTLessEqualStrategyNumber, F_INT82LE},
                               {INT2OID, BTEqualStrategyNumber, F_INT82EQ},
                               {INT2OID, BTGreaterEqualStrategyNumber, F_INT82GE},
                               {INT2OID, BTGreaterStrategyNumber, F_INT82GT}};
constexpr Operator kRuns[] = {{INT8OID, 1, F_INT8EQ}};

bool known(bool ordered, Oid right, StrategyNumber strategy, RegProcedure function) {
  const auto is = [&](const Operator& one) {
    return one.right == right && one.strategy == strategy && one.function == function;
  };
  return ordered ? std::any_of(std::begin(kOrder), std::end(kOrder), is)
                 : std::any_of(std::begin(kRuns), std::end(kRuns), is);
}

// Whether all operators of a family are known, those of bigint itself among them.
bool known_family(bool ordered, Oid family) {
  CatCList* members = SearchSysCacheList1(AMOPSTRATEGY, ObjectIdGetDatum(family));
  int own = 0;
  bool all = true;
  for (int i = 0; i < members->n_members; ++i) {
    const auto* member = static_cast<const FormData_pg_amop*>(
        static_cast<const void*>(GETSTRUCT(&members->members[i]->tuple)));
    all = all && member->amoplefttype == INT8OID && member->amoppurpose == AMOP_SEARCH &&
          known(ordered, member->amoprighttype, static_cast<StrategyNumber>(member->amopstrategy),
                get_opcode(member->amopopr));
    own += member->amoprighttype == INT8OID ? 1 : 0;
  }
  ReleaseSysCacheList(members);
  return all && own == (ordered ? BTMaxStrategyNumber : 1);
}

bool valid(Oid operator_class) {
  HeapTuple found = SearchSysCache1(CLAOID, ObjectIdGetDatum(operator_class));
  if (!HeapTupleIsValid(found)) return false;
  const auto* form =
      static_cast<const FormData_pg_opclass*>(static_cast<const void*>(GETSTRUCT(found)));
  const auto* am = GetIndexAmRoutineByAmId(form->opcmethod, true);
  const bool fits =
      am != nullptr && form->opcintype == INT8OID && known_family(am->amcanorder, form->opcfamily);
  ReleaseSysCache(found);
  return fits;
}

// Of the rows of the table, those that conditions leave.
Selectivity selectivity(PlannerInfo* root, IndexPath* path) {
  return clauselist_selectivity(root, get_quals_from_indexclauses(path->indexclauses),
                                static_cast<int>(path->indexinfo->rel->relid), JOIN_INNER, nullptr);
}

// Reading the heap's last blocks, which no index has yet: a few operators for each row, with the code for it at hand.
double tail_cost(const IndexOptInfo* index, double blocks) {
  const double most = index->rel->pages;
  return Min(blocks, most) * 20 * cpu_operator_cost;
}

void runs_cost(PlannerInfo* root, IndexPath* path, double, Cost* startup, Cost* total,
               Selectivity* part, double* correlation, double* pages) {
  const IndexOptInfo* index = path->indexinfo;
  const double runs = index->rel->pages / static_cast<double>(kRunBlocks);
  *part = selectivity(root, path);
  *correlation = 0;
  *pages = runs + 1;
  *startup = (runs + 1) * 50 * cpu_operator_cost + tail_cost(index, kRunBlocks);
  *total = *startup + *part * index->rel->tuples * cpu_index_tuple_cost;
}

void order_cost(PlannerInfo* root, IndexPath* path, double, Cost* startup, Cost* total,
                Selectivity* part, double* correlation, double* pages) {
  const IndexOptInfo* index = path->indexinfo;
  *part = selectivity(root, path);
  *correlation = 1;
  *pages = 1 + *part * index->pages;
  *startup = (1 + index->pages) * cpu_operator_cost + tail_cost(index, kOrderBlocks);
  *total = *startup + *part * index->rel->tuples * (cpu_index_tuple_cost + 2 * cpu_operator_cost);
}

#if PG_VERSION_NUM >= 180000
CompareType comparison_of(StrategyNumber strategy, Oid) {
  return strategy >= BTLessStrategyNumber && strategy <= BTGreaterStrategyNumber
             ? static_cast<CompareType>(strategy)
             : COMPARE_INVALID;
}

StrategyNumber strategy_of(CompareType comparison, Oid) {
  return comparison >= COMPARE_LT && comparison <= COMPARE_GT
             ? static_cast<StrategyNumber>(comparison)
             : InvalidStrategy;
}
#endif

IndexAmRoutine* method() {
  IndexAmRoutine* am = makeNode(IndexAmRoutine);
  am->ampredlocks = true;
  am->amkeytype = InvalidOid;
  am->ambuildempty = begin_unlogged;
  am->amoptions = options;
  am->amvalidate = valid;
  return am;
}

}  // namespace

void define_index_options() {
  kind = add_reloption_kind();
  add_int_reloption(kind, "segment_blocks", "How many heap blocks the index takes in at once.", 0,
                    0, 1 << 20, AccessExclusiveLock);
}

BlockNumber segment_blocks(Relation index, BlockNumber otherwise) {
  const auto* set = static_cast<const Options*>(static_cast<const void*>(index->rd_options));
  return set == nullptr || set->segment_blocks == 0 ? otherwise
                                                    : static_cast<BlockNumber>(set->segment_blocks);
}

void refuse_unfit(Relation index, IndexInfo* info) {
  const char* name = RelationGetRelationName(index);
  if (info->ii_Expressions != NIL || info->ii_Predicate != NIL)
    ereport(ERROR, (errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
                    errmsg("vestige: index %s must be over a column, and have all rows", name),
                    errhint("use a btree for an expression, or for some of the rows")));
  if (info->ii_ExclusionOps != nullptr || index->rd_index->indisunique)
    ereport(ERROR,
            (errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
             errmsg("vestige: index %s cannot serve a constraint", name), errhint("use a btree")));
  if (index->rd_indoption[0] != 0)
    ereport(ERROR, (errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
                    errmsg("vestige: index %s cannot have another order", name),
                    errhint("leave desc and nulls first out: it is read both ways")));
  if (RelationGetNumberOfAttributes(index) != 1 ||
      getBaseType(TupleDescAttr(RelationGetDescr(index), 0)->atttypid) != INT8OID ||
      index->rd_opcintype[0] != INT8OID ||
      !known_family(index->rd_indam->amcanorder, index->rd_opfamily[0]))
    ereport(ERROR,
            (errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
             errmsg("vestige: index %s must be over a bigint, by the operators of bigint", name),
             errhint("use a btree for other types and operators")));
}

void refuse_unknown(Relation index, const ScanKeyData& condition) {
  const Oid right = condition.sk_subtype == InvalidOid ? INT8OID : condition.sk_subtype;
  if (!known(index->rd_indam->amcanorder, right, condition.sk_strategy, condition.sk_func.fn_oid))
    ereport(ERROR,
            (errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
             errmsg("vestige: index %s does not know an operator of its family",
                    RelationGetRelationName(index)),
             errhint("the family has operators that are not bigint's own: drop them from it")));
}

Relation heap_of(Relation index) { return table_open(index->rd_index->indrelid, AccessShareLock); }

IndexBulkDeleteResult* tidied(IndexVacuumInfo* info, IndexBulkDeleteResult* stats,
                              BlockNumber segment, void (*close)(Relation, Relation, BlockNumber)) {
  if (info->analyze_only) return stats;
  if (stats == nullptr)
    stats = static_cast<IndexBulkDeleteResult*>(palloc0(sizeof(IndexBulkDeleteResult)));
  Relation heap = heap_of(info->index);
  const BlockNumber blocks = RelationGetNumberOfBlocks(heap);
  const BlockNumber open = slack(segment_blocks(info->index, segment));
  if (blocks > open) close(heap, info->index, blocks - open);
  heap_done(heap);
  stats->num_pages = RelationGetNumberOfBlocks(info->index);
  stats->num_index_tuples = info->num_heap_tuples;
  stats->estimated_count = info->estimated_count;
  return stats;
}

IndexAmRoutine* runs_method() {
  IndexAmRoutine* am = method();
  am->amstrategies = 1;
  am->ambuild = runs_build;
  am->aminsert = runs_insert;
  am->ambulkdelete = runs_delete;
  am->amvacuumcleanup = runs_cleanup;
  am->amcostestimate = runs_cost;
  am->ambeginscan = runs_begin;
  am->amrescan = runs_again;
  am->amgetbitmap = runs_bitmap;
  am->amendscan = runs_end;
  return am;
}

IndexAmRoutine* order_method() {
  IndexAmRoutine* am = method();
  am->amstrategies = BTMaxStrategyNumber;
  am->amcanorder = true;
  am->amoptionalkey = true;
#if PG_VERSION_NUM >= 180000
  am->amconsistentordering = true;
  am->amtranslatestrategy = comparison_of;
  am->amtranslatecmptype = strategy_of;
#endif
  am->ambuild = order_build;
  am->aminsert = order_insert;
  am->ambulkdelete = order_delete;
  am->amvacuumcleanup = order_cleanup;
  am->amcostestimate = order_cost;
  am->ambeginscan = order_begin;
  am->amrescan = order_again;
  am->amgettuple = order_next;
  am->amgetbitmap = order_bitmap;
  am->amendscan = order_end;
  return am;
}

}  // namespace vestige::native
