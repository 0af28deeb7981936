#include "pgext/index_method.h"

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

bool valid(Oid) { return true; }

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
  if (info->ii_Expressions == NIL && info->ii_Predicate == NIL) return;
  ereport(ERROR, (errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
                  errmsg("vestige: index %s must be over a column, and have all rows",
                         RelationGetRelationName(index)),
                  errhint("use a btree for an expression, or for some of the rows")));
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
