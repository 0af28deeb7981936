#include "vestige/source/archived_proof.h"

#include <algorithm>
#include <optional>

#include "vestige/base/json.h"
#include "vestige/source/archived_value.h"

namespace vestige {
namespace {

// A name, and its value as a token.
struct Sealed {
  std::string name;
  std::string_view token;
};
using SealedRow = std::vector<Sealed>;

Result<SealedRow> row_in(std::string_view object) {
  SealedRow out;
  json::Reader reader(object);
  TRY(reader.open('{'));
  while (TRY(reader.more('{')) == 'y') {
    std::string name = TRY(reader.key());
    const std::string_view token = TRY(reader.value()).text;
    out.push_back({std::move(name), token});
  }
  TRY(reader.end());
  return out;
}

const Sealed* member(const SealedRow& row, std::string_view name) {
  for (const Sealed& one : row)
    if (one.name == name) return &one;
  return nullptr;
}

class Proof {
 public:
  Proof(const ArchivedChange& said, const Evidence& proved, const Entry& entry)
      : change_(said.change), proved_(proved), entry_(entry) {
    // PostgreSQL seals the number of the transaction first; what SQLite seals it also shows, to the byte.
    exact_ = proved.context.has_value() ? !proved.context->canonical.starts_with(R"({"tx":)")
                                        : !entry.context.has_value();
    out_.sqlite = exact_;
  }

  ArchivedProof run() {
    if (!change_.unreadable.empty()) {
      rests("what is shown of it, since it cannot be read");
      return std::move(out_);
    }
    if (change_.table != entry_.table)
      rests(fmt::format("that table {} is called {}", entry_.table, change_.table));
    const bool values = change_.old_values.has_value() || change_.new_values.has_value();
    const bool key = !change_.key.empty() || change_.new_key.has_value() || change_.row_id;
    part("key", proved_.key, entry_.key, key, &Proof::key);
    part("values", proved_.values, entry_.values, values, &Proof::values);
    // Of a context whose fields were erased the user stays, which the manifest's hash binds as it does what it says of tables.
    const bool user = change_.db_user.has_value() && !change_.erased_by("context").has_value();
    part("context", proved_.context, entry_.context, !change_.context.empty() || user,
         &Proof::context);
    if (!change_.erased.empty()) out_.taken.push_back({proved_.index, change_.id, change_.erased});
    return std::move(out_);
  }

 private:
  void rests(std::string what) { out_.resting.push_back(std::move(what)); }
  void differs(std::string what) {
    (exact_ ? out_.against : out_.resting).push_back(std::move(what));
  }

  void part(std::string_view name, const std::optional<Disclosed>& disclosed,
            const std::optional<Hash>& sealed, bool shown,
            bool (Proof::*agrees)(const SealedRow&)) {
    const bool erased = change_.erased_by(name).has_value();
    if (!disclosed.has_value()) {
      if (shown)
        rests(fmt::format("what it says of its {} (nothing of it is in the evidence)", name));
      else if (sealed.has_value() && !erased) rests(fmt::format("that its {} is not there", name));
      return;
    }
    // Of a context something stays, which was sealed where the fields had been erased before.
    if (erased && name != "context") {
      out_.against.push_back(fmt::format("its {} is there, and it is said to be erased", name));
      return;
    }
    const auto row = row_in(disclosed->canonical);
    if (row.has_value() && (this->*agrees)(*row)) return;
    // Of fields that are no object of texts readers show the whole.
    if (name == "context" && change_.context.get("not_json") != nullptr)
      rests("its context, which is no object of texts");
    else
      differs(fmt::format("its {} {} not what was sealed", name, name == "values" ? "are" : "is"));
  }

  bool same(std::string_view shown, std::string_view sealed) const {
    return exact_ ? shown == sealed : shows(shown, sealed);
  }

  // Field by field; a column that has another name today is the same one, if the manifest is right.
  bool same(const Row& shown, const SealedRow& sealed) {
    if (shown.size() != sealed.size()) return false;
    for (std::size_t i = 0; i < shown.size(); ++i)
      if (!same(to_json(shown[i].value), sealed[i].token)) return false;
    for (std::size_t i = 0; i < shown.size(); ++i)
      if (shown[i].name != sealed[i].name)
        rests(fmt::format("that column {} is called {}", sealed[i].name, shown[i].name));
    return true;
  }

  bool same(const std::optional<Row>& shown, const Sealed* sealed) {
    if (!shown.has_value() || sealed == nullptr) return !shown.has_value() && sealed == nullptr;
    const auto row = row_in(sealed->token);
    return row.has_value() && same(*shown, *row);
  }

  bool key(const SealedRow& sealed) {
    const Sealed* id = member(sealed, "row_id");
    if (change_.row_id.has_value() != (id != nullptr)) return false;
    if (id != nullptr && id->token != std::to_string(*change_.row_id)) return false;
    const Sealed* own = member(sealed, "key");
    const Sealed* moved = member(sealed, "new_key");
    const std::optional<Row> shown =
        change_.key.empty() && own == nullptr ? std::optional<Row>() : change_.key;
    // A new key that is the same one is not shown.
    if (own != nullptr && moved != nullptr && own->token == moved->token &&
        !change_.new_key.has_value())
      moved = nullptr;
    return same(shown, own) && same(change_.new_key, moved);
  }

  bool values(const SealedRow& sealed) {
    if (takes_away(change_.op)) return erasures(sealed);
    const Sealed* old = member(sealed, "old");
    const Sealed* now = member(sealed, "new");
    if (change_.op != Op::update)
      return same(change_.old_values, old) && same(change_.new_values, now);
    if (old == nullptr || now == nullptr || !change_.old_values.has_value() ||
        !change_.new_values.has_value())
      return false;
    const auto before = row_in(old->token);
    const auto after = row_in(now->token);
    return before.has_value() && after.has_value() &&
           (same(*change_.old_values, differing(*before, *after)) ||
            same(*change_.old_values, *before)) &&
           (same(*change_.new_values, differing(*after, *before)) ||
            same(*change_.new_values, *after) ||
            same(without_nulls(*change_.new_values, *before, *after), *after));
  }

  static SealedRow differing(const SealedRow& one, const SealedRow& other);
  Row without_nulls(const Row& shown, const SealedRow& before, const SealedRow& after) const;

  // How many it took.
  bool erasures(const SealedRow& sealed) {
    if (change_.old_values.has_value() || change_.new_values.has_value()) return false;
    if (const Sealed* taken = member(sealed, "erased"); taken != nullptr) {
      const auto all = row_in(taken->token);
      return all.has_value() && static_cast<std::int64_t>(all->size()) == change_.erases;
    }
    const Sealed* expired = member(sealed, "expired");
    const auto what =
        expired == nullptr ? SealedRow() : row_in(expired->token).value_or(SealedRow());
    const Sealed* changes = member(what, "changes");
    return changes != nullptr && changes->token == std::to_string(change_.erases);
  }

  // As readers make it: what the application said, each field as text; and the database's user.
  bool context(const SealedRow& sealed) {
    Context expected;
    std::optional<std::string> user;
    for (const Sealed& one : sealed) {
      const bool more = one.name == "extra" || one.name == "fields";
      const auto fields = more ? row_in(one.token) : SealedRow{one};
      if (!fields.has_value()) return false;
      for (const Sealed& field : *fields) {
        const auto value = value_from_json(field.token);
        if (!value.has_value()) return false;
        const bool plain = exact_ || std::holds_alternative<Text>(*value);
        const std::string text = plain ? to_display(*value) : std::string(field.token);
        if (more || is_context_field(field.name)) expected.set(field.name, text);
        else if (field.name == "db_user" && !exact_) user = text;
      }
    }
    return to_json(expected) == to_json(change_.context) && user == change_.db_user;
  }

  const Change& change_;
  const Evidence& proved_;
  const Entry& entry_;
  bool exact_ = false;
  ArchivedProof out_;
};

// What does not stand in both alike. A value that is not there may have changed all the same.
SealedRow Proof::differing(const SealedRow& one, const SealedRow& other) {
  SealedRow out;
  for (const Sealed& field : one) {
    const Sealed* there = member(other, field.name);
    const bool withheld =
        field.token.starts_with(R"({"$)") && !field.token.starts_with(R"({"$text")");
    if (there == nullptr || there->token != field.token || withheld) out.push_back(field);
  }
  return out;
}

// PostgreSQL seals no column that is null on both sides. Where it seals what did not change, all that is not there is null.
Row Proof::without_nulls(const Row& shown, const SealedRow& before, const SealedRow& after) const {
  const bool whole = std::any_of(before.begin(), before.end(), [&](const Sealed& one) {
    const Sealed* there = member(after, one.name);
    return there != nullptr && there->token == one.token;
  });
  if (exact_ || !whole) return shown;
  Row out;
  for (const Field& field : shown)
    if (!is_null(field.value) || member(after, field.name) != nullptr) out.push_back(field);
  return out;
}

// An UPDATE in which nothing differs, or one that expired.
ArchivedProof unshown(std::string_view line, const Evidence& proved, const Entry& entry) {
  ArchivedProof out;
  if (line != unshown_json(entry, proved.index))
    out.against.emplace_back("it is kept from readers, and says more than its entry");
  if (!proved.values.has_value() && !proved.key.has_value() && !proved.context.has_value()) {
    out.taken.push_back({proved.index, entry.id, {}});
    return out;
  }
  // An erasure took its values, and left what was not asked for.
  if (entry.op == name(Op::update) && entry.values.has_value() && !proved.values.has_value()) {
    out.resting.emplace_back("that its values are not there");
    return out;
  }
  const auto sealed =
      proved.values.has_value() ? row_in(proved.values->canonical) : Result<SealedRow>(SealedRow());
  bool differs = entry.op != name(Op::update) || !proved.values.has_value() || !sealed.has_value();
  if (!differs) {
    const Sealed* old = member(*sealed, "old");
    const Sealed* now = member(*sealed, "new");
    const auto before = old == nullptr ? Result<SealedRow>(SealedRow()) : row_in(old->token);
    const auto after = now == nullptr ? Result<SealedRow>(SealedRow()) : row_in(now->token);
    differs = old == nullptr || now == nullptr || !before.has_value() || !after.has_value();
    for (std::size_t i = 0; !differs && i < before->size(); ++i) {
      const Sealed* there = member(*after, (*before)[i].name);
      differs = there == nullptr || there->token != (*before)[i].token;
    }
  }
  if (differs) out.against.emplace_back("it is kept from readers, and something differs in it");
  return out;
}

}  // namespace

ArchivedProof proof_of(std::string_view line, const ArchivedChange& said, const Evidence& proved) {
  const auto entry = parse_entry(proved.entry);
  if (!entry.has_value()) return {};  // that is said of the evidence
  ArchivedProof out;
  if (auto other = not_said(said, *entry, proved.index); !other.empty())
    out.against.push_back(std::move(other));
  else if (!said.shown) out = unshown(line, proved, *entry);
  else {
    out = Proof(said, proved, *entry).run();
    if (archived_json(said.change, said.table_id, proved.index) != line)
      out.against.emplace_back("it is not as it is written");
  }
  return out;
}

}  // namespace vestige
