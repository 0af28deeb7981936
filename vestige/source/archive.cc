#include "vestige/source/archive.h"

#include <algorithm>
#include <filesystem>
#include <limits>
#include <map>
#include <utility>

#include "vestige/base/letters.h"
#include "vestige/source/archive_reading.h"
#include "vestige/source/archived_past.h"
#include "vestige/source/holding.h"
#include "vestige/trail/evidence_store.h"
#include "vestige/trail/expiry.h"
#include "vestige/trail/install.h"
#include "vestige/trail/opener.h"
#include "vestige/trail/over_source.h"
#include "vestige/trail/selection.h"
#include "vestige/trail/spelling.h"

namespace vestige {
namespace {

Result<std::unique_ptr<Changes>> chosen(const ArchiveView& kept, const Selection& selection,
                                        bool every) {
  return holding(TRY(archived_changes(asked_parts(kept), selection, every)), kept,
                 !selection.key.empty(), !selection.who.empty());
}

// Two streams by id as one.
class Merged final : public Changes {
 public:
  Merged(std::unique_ptr<Changes> own, std::unique_ptr<Changes> archived, bool oldest_first)
      : own_(std::move(own)), archived_(std::move(archived)), oldest_first_(oldest_first) {}

  Result<std::optional<Change>> next() override {
    if (!begun_) {
      begun_ = true;
      left_ = TRY(own_->next());
      right_ = TRY(archived_->next());
    }
    const bool left =
        left_.has_value() && (!right_.has_value() || (left_->id < right_->id) == oldest_first_);
    std::optional<Change>& from = left ? left_ : right_;
    std::optional<Change> out = std::move(from);
    from = TRY((left ? own_ : archived_)->next());
    return out;
  }

 private:
  std::unique_ptr<Changes> own_;
  std::unique_ptr<Changes> archived_;
  bool oldest_first_;
  bool begun_ = false;
  std::optional<Change> left_;
  std::optional<Change> right_;
};

using Facts = std::map<std::string, TableFacts>;

// What of both a selection means: each has chosen, but for how many.
Result<std::unique_ptr<Changes>> merged(std::unique_ptr<Changes> own, const ArchiveView& kept,
                                        const Selection& selection, Facts facts, bool every) {
  auto archived = TRY(chosen(kept, selection, every));
  return selected(std::unique_ptr<Changes>(
                      new Merged(std::move(own), std::move(archived), selection.oldest_first)),
                  selection, std::move(facts));
}

class Reader final : public ChangeReader {
 public:
  Reader(std::unique_ptr<ChangeReader> own, const ArchiveView& kept, Facts facts, bool every)
      : own_(std::move(own)), kept_(kept), facts_(std::move(facts)), every_(every) {}

  Result<std::unique_ptr<Changes>> read(const Selection& asked) override {
    const Selection selection = narrowed(asked);
    Selection own = selection;
    own.limit = 0;
    return merged(TRY(own_->read(own)), kept_, selection, facts_, every_);
  }

 private:
  std::unique_ptr<ChangeReader> own_;
  const ArchiveView& kept_;
  Facts facts_;
  bool every_;
};

class ArchiveSource final : public Source {
 public:
  ArchiveSource(std::unique_ptr<Source> own, const ArchiveView& kept)
      : own_(std::move(own)), kept_(kept) {}

  Result<std::vector<Tracked>> tables() override {
    std::vector<Tracked> out = TRY(own_->tables());
    const auto known = [&](std::int64_t id) {
      return std::any_of(out.begin(), out.end(), [&](const Tracked& one) { return one.id == id; });
    };
    for (auto part = kept_.parts.rbegin(); part != kept_.parts.rend(); ++part)
      for (const ArchivedTable& one : part->manifest.tables)
        if (!known(one.table.id)) out.push_back(one.table);
    std::stable_sort(out.begin(), out.end(), [](const Tracked& left, const Tracked& right) {
      return std::pair(left.untracked_at.has_value(), left.name) <
             std::pair(right.untracked_at.has_value(), right.name);
    });
    return out;
  }

  Result<std::optional<std::string>> meant_table(const std::string& typed) override {
    if (auto own = TRY(own_->meant_table(typed)); own.has_value()) return own;
    const auto all = TRY(tables());
    for (const Tracked& one : all)
      if (one.name == typed) return std::optional(one.name);
    for (const Tracked& one : all)
      if (lower(one.name) == lower(typed) || "public." + one.name == typed)
        return std::optional(one.name);
    return std::optional<std::string>();
  }

  Result<std::vector<Shape>> shapes(std::int64_t table) override {
    std::map<std::int64_t, Shape> all;
    for (const ArchivePart& part : kept_.parts)
      for (const ArchivedTable& one : part.manifest.tables)
        if (one.table.id == table)
          for (const Shape& shape : one.shapes) all[shape.id] = shape;
    for (Shape& shape : TRY(own_->shapes(table))) all[shape.id] = std::move(shape);
    std::vector<Shape> out;
    for (auto& [id, shape] : all) out.push_back(std::move(shape));
    return out;
  }

  Result<std::vector<std::string>> gaps(std::int64_t table, std::int64_t upto) override {
    return own_->gaps(table, upto);
  }

  Result<std::unique_ptr<Changes>> changes(const Selection& selection) override {
    Selection own = selection;
    own.limit = 0;
    return merged(TRY(own_->changes(own)), kept_, selection, TRY(facts()), false);
  }

  Result<std::unique_ptr<ChangeReader>> reader(std::optional<std::int64_t> table,
                                               bool every) override {
    return std::unique_ptr<ChangeReader>(
        new Reader(TRY(own_->reader(table, every)), kept_, TRY(facts()), every));
  }

  Result<std::vector<std::int64_t>> ids(const Selection& selection) override {
    Selection ordered = selection;
    ordered.oldest_first = true;
    std::vector<std::int64_t> out = TRY(ids_of(TRY(chosen(kept_, ordered, true))));
    for (const std::int64_t id : TRY(own_->ids(selection))) out.push_back(id);
    std::sort(out.begin(), out.end());
    out.erase(std::unique(out.begin(), out.end()), out.end());
    return out;
  }

  Result<std::unique_ptr<Changes>> changes_under(const Tracked& table, const RowName& name,
                                                 std::int64_t after, std::int64_t upto,
                                                 bool oldest_first) override {
    auto archived =
        holding(TRY(archived_under(kept_.parts, table.id, name, after, upto, oldest_first)), kept_,
                true, false);
    auto own = TRY(own_->changes_under(table, name, after, upto, oldest_first));
    return std::unique_ptr<Changes>(new Merged(std::move(own), std::move(archived), oldest_first));
  }

  Result<std::vector<std::int64_t>> doubtful_neighbours(std::int64_t tx) override {
    return own_->doubtful_neighbours(tx);
  }

  Result<std::unique_ptr<Changes>> let_go(const Selection& asked) {
    const Selection selection = narrowed(asked);
    return selected(holding(TRY(archived_in_order(asked_parts(kept_), selection, true)), kept_,
                            !selection.key.empty(), !selection.who.empty(), true),
                    selection, TRY(facts()));
  }

  // An archive does not know the numbers of transactions.
  Result<std::vector<SaidContext>> said(std::int64_t after, std::int64_t upto) override {
    std::vector<SaidContext> out = TRY(own_->said(after, upto));
    Selection selection;
    selection.after = after;
    selection.upto = upto;
    selection.oldest_first = true;
    const auto archived = TRY(chosen(kept_, selection, true));
    while (const auto change = TRY(archived->next())) {
      const std::string* signature = change->context.get(kSignatureField);
      if (signature == nullptr) continue;
      if (!out.empty() && out.back().tx == change->tx && out.back().signature == *signature)
        continue;
      out.push_back({change->id, change->tx, std::nullopt, *signature});
    }
    return out;
  }

  Result<std::int64_t> last_at(std::int64_t micros) override {
    return std::max(TRY(own_->last_at(micros)), TRY(archived_last_at(kept_.parts, micros)));
  }

  Result<std::int64_t> count() override { return static_cast<std::int64_t>(TRY(ids({})).size()); }

 private:
  Result<Facts> facts() {
    Facts out;
    for (const Tracked& table : TRY(tables()))
      out.try_emplace(table.name, TableFacts{table.policy.classification, table.policy.tags});
    return out;
  }

  std::unique_ptr<Source> own_;
  const ArchiveView& kept_;
};

class ArchivedDatabase final : public OverSource {
 public:
  ArchivedDatabase(std::unique_ptr<Database> db, ArchiveView kept, std::string where)
      : OverSource(std::move(db)), kept_(std::move(kept)), where_(std::move(where)) {
    if (opener_of(*this) != nullptr) kept_.opening = source_of(inner());
  }

  std::unique_ptr<Source> over(std::unique_ptr<Source> own) override {
    return std::make_unique<ArchiveSource>(std::move(own), kept_);
  }
  std::unique_ptr<TableRows> rows_over(std::unique_ptr<TableRows> own) override {
    return kept_.alone ? archived_rows(*this, std::move(own)) : std::move(own);
  }
  std::unique_ptr<Past> past_over(std::unique_ptr<Past> own) override {
    return archived_past(
        *this, std::move(own), [this](std::int64_t table) { return last_expired(inner(), table); },
        kept_.alone);
  }
  Result<std::unique_ptr<Changes>> let_go(const Selection& selection) override {
    return ArchiveSource(source_of(inner()), kept_).let_go(selection);
  }
  std::uint64_t given() const override {
    std::uint64_t count = 0;
    for (const ArchivePart& part : kept_.parts)
      count += kept_.alone ? part.manifest.upto - part.manifest.from
                           : kept_.let_go_in(part.manifest.from, part.manifest.upto);
    return count;
  }
  std::string where() const override { return where_.empty() ? OverSource::where() : where_; }

  Result<bool> has(const Expiry& expiry) override {
    const auto known = has_.find(expiry.change);
    if (known != has_.end()) return known->second;
    Selection selection;
    selection.table = expiry.table;
    selection.after = expiry.first - 1;
    selection.upto = expiry.last;
    std::uint64_t found = 0;
    auto changes = TRY(archived_changes(kept_.parts, selection, true));
    while (const auto change = TRY(changes->next()))
      if (change->index.has_value() && took(expiry, *change->index) &&
          !(change->lost_values() && change->erased.empty()))
        ++found;
    return has_[expiry.change] = found == expiry.changes;
  }

 private:
  bool took(const Expiry& expiry, std::uint64_t index) const {
    const auto bundle = kept_.expired.find(index / merkle::kTileWidth);
    if (bundle == kept_.expired.end()) return false;
    const auto leaves = bundle->second.find(expiry.change);
    return leaves != bundle->second.end() && leaves->second.has(index % merkle::kTileWidth);
  }

  ArchiveView kept_;
  std::map<std::int64_t, bool> has_;  // by EXPIRE
  std::string where_;
};

}  // namespace

Result<bool> not_there_yet(Database& db, const std::string& directory) {
  std::error_code error;
  return std::filesystem::status(directory, error).type() ==
             std::filesystem::file_type::not_found &&
         TRY(recorded_parts(db)).empty() && TRY(archived_ranges(db)).empty();
}

Result<std::unique_ptr<Database>> with_archive(std::unique_ptr<Database> db,
                                               const std::string& directory) {
  TRY(require_trail(*db));
  if (TRY(not_there_yet(*db, directory))) return db;
  ArchiveView kept = TRY(kept_for(*db, TRY(archive_parts(directory))));
  return std::unique_ptr<Database>(new ArchivedDatabase(std::move(db), std::move(kept), ""));
}

Result<std::unique_ptr<Database>> archive_alone(const std::string& directory) {
  auto parts = TRY(archive_parts(directory));
  if (parts.empty())
    return hinted(fail(Fault::missing, "read the archive {}: there is nothing in it", directory),
                  "vestige archive --out DIR writes one");
  // What is asked of a database besides its changes is asked of one that has none.
  auto empty = TRY(open_database("sqlite::memory:"));
  TRY(install(*empty));
  return std::unique_ptr<Database>(new ArchivedDatabase(
      std::move(empty), ArchiveView{std::move(parts), true, {}, {}}, "archive " + directory));
}

std::vector<std::string> missing_in(const std::vector<ArchivePart>& parts) {
  std::vector<std::string> out;
  std::uint64_t next = 0;
  for (const ArchivePart& part : parts) {
    if (part.manifest.from > next)
      out.push_back(fmt::format("entries {} to {}", next, part.manifest.from - 1));
    next = part.manifest.upto;
  }
  return out;
}

}  // namespace vestige
