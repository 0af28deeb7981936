#include "vestige/audit/expire.h"

#include <algorithm>
#include <limits>
#include <map>

#include "vestige/audit/read_back.h"
#include "vestige/base/json.h"
#include "vestige/base/time.h"
#include "vestige/merkle/tree.h"
#include "vestige/trail/catalog.h"
#include "vestige/trail/context.h"
#include "vestige/trail/entry_times.h"
#include "vestige/trail/evidence_store.h"
#include "vestige/trail/expirer.h"
#include "vestige/trail/hold.h"
#include "vestige/trail/id_set.h"
#include "vestige/trail/install.h"
#include "vestige/trail/retention.h"

namespace vestige {
namespace {

constexpr std::int64_t kSecond = 1'000'000;
constexpr int kTries = 3;  // of a stretch that changes while it is made ready

/// What is due of a stretch, and what becomes of it.
struct Looked {
  std::uint64_t changes = 0;
  std::map<std::pair<std::int64_t, std::string>, Going>
      going;  // by table, and where it is archived
  std::vector<std::int64_t> kept;
  std::map<std::int64_t, ClassExpiry> counts;  // by table
  bool overdue = false;                        // something that goes should not wait any longer

  std::uint64_t gone() const {
    std::uint64_t all = 0;
    for (const auto& [table, one] : going) all += one.expiry.changes;
    return all;
  }
  bool same(const Looked& other) const {
    return kept == other.kept && going.size() == other.going.size() &&
           std::equal(going.begin(), going.end(), other.going.begin(),
                      [](const auto& one, const auto& two) {
                        return one.first == two.first &&
                               one.second.expiry.digest == two.second.expiry.digest;
                      });
  }
};

enum class Fate { unsealed, behind, early, unarchived, goes };

class Expiration {
 public:
  Expiration(Database& db, const ExpireRequest& request, const Context& context)
      : db_(db),
        request_(request),
        context_(context),
        store_(db),
        times_(request.now.value_or(clock_now())),
        expirer_(expirer_of(db)) {}

  Result<Expiring> run(const std::function<void()>& step) {
    TRY(classes());
    archive_.emplace(TRY(ReadBack::open(db_, request_.archive)));
    if (!request_.dry_run) TRY(expirer_->may());
    while (!tables_.empty()) {
      const auto next = TRY(expirer_->next(tables_));
      if (!next.has_value()) break;
      TRY(stretch(*next));
      if (step) step();
    }
    if (!request_.dry_run) TRY(expirer_->tidy());
    for (auto& [name, one] : classes_) out_.classes.push_back(std::move(one));
    out_.unread = archive_->complaints();
    return std::move(out_);
  }

  Result<bool> finds_any() {
    TRY(classes());
    return !tables_.empty() && TRY(expirer_->next(tables_)).has_value();
  }

 private:
  // Which tables are of a class that is not kept for ever, and since when their changes are kept.
  Result<void> classes() {
    const std::int64_t now = request_.now.value_or(clock_now());
    const TimeZone utc = TRY(TimeZone::named("UTC"));
    std::map<std::string, std::pair<std::int64_t, std::int64_t>> since;
    for (const RetentionClass& one : TRY(retention_classes(db_))) {
      const auto moment = kept_here_since(now, one, utc);
      if (!moment.has_value()) continue;
      // What waits goes when it is twice as old.
      since[one.name] = {*moment, kept_here_since(*moment, one, utc).value_or(*moment)};
      classes_[one.name].retention = one;
    }
    for (const Tracked& table : TRY(tracked_tables(db_))) {
      const auto found = since.find(table.policy.retention);
      if (found == since.end()) continue;
      const auto& [horizon, overdue] = found->second;
      tables_.push_back({table.id, table.shape.id, horizon, overdue});
      class_of_[table.id] = found->first;
    }
    std::sort(tables_.begin(), tables_.end(),
              [](const DueTable& one, const DueTable& two) { return one.id < two.id; });
    return {};
  }

  Result<void> stretch(const Stretch& found) {
    Looked looked = TRY(look(found));
    for (int left = kTries;; --left) {
      // What changes all the time while it is made ready waits for the next run.
      const bool worth =
          left > 0 && (request_.all || looked.overdue || looked.gone() >= expirer_->least(found));
      if (looked.gone() == 0 || !worth || request_.dry_run) {
        count(looked, worth);
        return {};
      }
      const auto before = TRY(store_.standing());
      TRY(expirer_->prepare(tables_, looked.kept));
      auto scope = TRY(ContextScope::begin(db_, context_));
      TRY(expirer_->hold());
      // A hold that was placed meanwhile wins; so does an erasure.
      Looked now = TRY(look(TRY(expirer_->again(tables_))));
      const bool same = now.same(looked) && TRY(store_.standing()).erasure == before.erasure;
      looked = std::move(now);
      if (!same) continue;
      std::vector<std::int64_t> by;
      for (auto& [table, one] : looked.going) {
        by.push_back(TRY(expirer_->take(one)));
        TRY(forget_salts(one.leaves));
      }
      TRY(expirer_->finish());
      TRY(scope.commit());
      count(looked, true);
      out_.by.insert(out_.by.end(), by.begin(), by.end());
      return {};
    }
  }

  // Only what is sealed goes, and only what every consumer is done with: each with the place of its entry.
  Result<Looked> look(const Stretch& found) {
    Looked out;
    out.changes = found.changes;
    if (found.due.empty()) return out;
    std::vector<Fate> fates(found.due.size(), Fate::unsealed);
    const std::int64_t done = TRY(done_by_all());
    const IdSet kept = TRY(held_of(found));
    std::map<std::pair<std::int64_t, std::string>, Sha256> digests;
    for (const std::uint64_t n :
         TRY(store_.bundles_of(found.due.front().id, found.due.back().id))) {
      const auto bundle = TRY(store_.bundle(n));
      if (!bundle.has_value()) continue;
      const auto entries = TRY(merkle::entries_of(bundle->entries, bundle->width));
      for (std::size_t i = 0; i < entries.size(); ++i) {
        const auto id = entry_id(entries[i]);
        const auto due = std::lower_bound(
            found.due.begin(), found.due.end(), id.value_or(0),
            [](const DueChange& one, std::int64_t other) { return one.id < other; });
        if (due == found.due.end() || due->id != id) continue;
        const auto place = static_cast<std::size_t>(due - found.due.begin());
        if (kept.contains(due->id)) continue;
        TRY(times_.look_up_to(store_, n + 1));
        std::string where;
        fates[place] = TRY(fate_of(*due, n * merkle::kTileWidth + i, done, where));
        if (fates[place] != Fate::goes) continue;
        const std::pair of(due->table, where);
        digests[of].update(view(merkle::leaf_hash(entries[i])));
        out.going[of].leaves[n].set(i);
        add(out.going[of], *due, where);
        out.overdue = out.overdue || counted(*due) < table_of(*due).overdue;
      }
    }
    for (std::size_t i = 0; i < found.due.size(); ++i) {
      const DueChange& due = found.due[i];
      ClassExpiry& of = out.counts[due.table];
      ++of.due;
      if (!kept.contains(due.id) && fates[i] != Fate::early)
        of.oldest = std::min(of.oldest.value_or(counted(due)), counted(due));
      if (fates[i] == Fate::goes) {
        ++of.gone;
        of.bytes += due.bytes;
        continue;
      }
      ++(kept.contains(due.id)          ? of.held
         : fates[i] == Fate::behind     ? of.behind
         : fates[i] == Fate::early      ? of.early
         : fates[i] == Fate::unarchived ? of.unarchived
                                        : of.unsealed);
      out.kept.push_back(due.id);
    }
    for (auto& [of, one] : out.going) {
      std::sort(one.ids.begin(), one.ids.end());
      one.expiry.first = one.ids.front();
      one.expiry.last = one.ids.back();
      one.expiry.digest = view(digests[of].finish());
    }
    return out;
  }

  // What becomes of a change that is due, sealed, and not held.
  //
  // done    the last entry that every consumer is done with
  // where   it is archived
  Result<Fate> fate_of(const DueChange& due, std::uint64_t index, std::int64_t done,
                       std::string& where) {
    if (static_cast<std::int64_t>(index) > done) return Fate::behind;
    if (const auto before = times_.before(due.id, due.at);
        before.has_value() && before->at >= table_of(due).horizon)
      return Fate::early;
    auto archive = TRY(archived(due, index));
    if (!archive.has_value()) return Fate::unarchived;
    where = std::move(*archive);
    return Fate::goes;
  }

  // Where something is kept that an archive must have before it goes: the hash of a manifest. "": it need not be anywhere.
  Result<std::optional<std::string>> archived(const DueChange& due, std::uint64_t index) {
    if (!classes_.at(class_of_.at(due.table)).retention.archive)
      return std::optional<std::string>("");
    return archive_->keeps(index);
  }

  // What a hold keeps, of what is due.
  Result<IdSet> held_of(const Stretch& found) {
    IdSet out;
    const Holds holds = TRY(Holds::in_force(db_));
    if (holds.none()) return out;
    constexpr std::size_t kAtOnce = 1000;
    for (std::size_t from = 0; from < found.due.size(); from += kAtOnce) {
      Selection selection;
      selection.forgiving = true;
      for (std::size_t i = from; i < std::min(found.due.size(), from + kAtOnce); ++i)
        selection.ids.push_back(found.due[i].id);
      const auto changes = TRY(read_changes(db_, selection));
      while (const auto change = TRY(changes->next()))
        if (holds.held(*change) != nullptr) out.insert(change->id);
    }
    return out;
  }

  // From when on its age counts, as far as the entries before it were looked at.
  std::int64_t counted(const DueChange& due) const {
    const auto before = times_.before(due.id, due.at);
    return before.has_value() ? before->at : due.at;
  }

  void add(Going& going, const DueChange& due, const std::string& where) {
    Expiry& expiry = going.expiry;
    if (going.ids.empty()) {
      going.shape = table_of(due).shape;
      expiry.table = due.table;
      expiry.retention = class_of_.at(due.table);
      expiry.keep = classes_.at(expiry.retention).retention.here();
      if (!where.empty()) expiry.archive = where;
    }
    // What is younger than all that went is known as it was.
    expiry.horizon = std::max(
        expiry.horizon, std::min(table_of(due).horizon, (counted(due) / kSecond + 1) * kSecond));
    ++expiry.changes;
    going.ids.push_back(due.id);
  }

  const DueTable& table_of(const DueChange& due) const {
    return *std::lower_bound(
        tables_.begin(), tables_.end(), due.table,
        [](const DueTable& one, std::int64_t other) { return one.id < other; });
  }

  // The index of the last entry that every consumer is done with.
  Result<std::int64_t> done_by_all() {
    std::int64_t done = std::numeric_limits<std::int64_t>::max();
    consumers_ = TRY(cursors(db_));
    for (const CursorStanding& one : consumers_) done = std::min(done, one.upto);
    return done;
  }

  // The salts of what goes: nobody can say of a value any more that it stood there.
  Result<void> forget_salts(const LeavesOf& leaves) {
    for (const auto& [n, which] : leaves) {
      auto bundle = TRY(store_.bundle(n));
      if (!bundle.has_value()) continue;
      for (std::size_t i = 0; i < bundle->width; ++i)
        if (which.has(i) && bundle->salts.size() >= (i + 1) * kSaltBytes)
          bundle->salts.replace(i * kSaltBytes, kSaltBytes, kSaltBytes, '\0');
      const bool all = bundle->width == merkle::kTileWidth &&
                       bundle->salts.find_first_not_of('\0') == std::string::npos;
      TRY(store_.put_salts(n, all ? std::string_view() : bundle->salts));
    }
    return {};
  }

  // worth   enough goes of the stretch for it to be taken
  void count(const Looked& looked, bool worth) {
    for (const auto& [table, one] : looked.counts) {
      ClassExpiry& of = classes_.at(class_of_.at(table));
      of.due += one.due;
      of.unsealed += one.unsealed;
      of.behind += one.behind;
      of.unarchived += one.unarchived;
      of.early += one.early;
      of.held += one.held;
      (worth ? of.gone : of.waiting) += one.gone;
      if (worth) of.bytes += one.bytes;
      if (one.oldest.has_value() && (request_.dry_run || !worth || one.kept() > 0))
        of.oldest = std::min(of.oldest.value_or(*one.oldest), *one.oldest);
      if (one.behind == 0) continue;
      for (const CursorStanding& consumer : consumers_)
        if (consumer.behind > 0 &&
            std::none_of(out_.lagging.begin(), out_.lagging.end(), [&](const CursorStanding& said) {
              return said.consumer == consumer.consumer;
            }))
          out_.lagging.push_back(consumer);
    }
  }

  Database& db_;
  const ExpireRequest& request_;
  const Context& context_;
  EvidenceStore store_;
  EntryTimes times_;
  std::unique_ptr<Expirer> expirer_;
  std::optional<ReadBack> archive_;
  std::vector<DueTable> tables_;                  // by id
  std::map<std::int64_t, std::string> class_of_;  // by table
  std::map<std::string, ClassExpiry> classes_;
  std::vector<CursorStanding> consumers_;
  Expiring out_;
};

Result<void> require_expiring(Database& db) {
  TRY(require_trail(db));
  TRY(require_erasing(db));
  if (!TRY(ExpiryStore(db).stands()))
    return hinted(fail(Fault::missing, "expire: this trail is older and lets nothing expire"),
                  "vestige init brings it up to date");
  return {};
}

}  // namespace

Result<bool> anything_due(Database& db, std::int64_t now) {
  TRY(require_expiring(db));
  ExpireRequest request;
  request.now = now;
  return Expiration(db, request, Context()).finds_any();
}

Result<Expiring> expire(Database& db, const ExpireRequest& request, const Context& context,
                        const std::function<void()>& step) {
  TRY(require_expiring(db));
  return Expiration(db, request, context).run(step);
}

std::string to_json(const ClassExpiry& one, bool dry_run) {
  return fmt::format(
      R"({{"dry_run":{},"class":{},"keep":{},"hot":{},"archive":{},"due":{},"held":{},"unsealed":{},"behind":{},"unarchived":{},"early":{},"waiting":{},"expired":{},"bytes":{}}})",
      dry_run, text_json(one.retention.name), text_json(one.retention.keep),
      to_json(text_or_null(one.retention.hot)), one.retention.archive, one.due, one.held,
      one.unsealed, one.behind, one.unarchived, one.early, one.waiting, one.gone, one.bytes);
}

}  // namespace vestige
