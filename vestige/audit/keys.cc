#include "vestige/audit/keys.h"

#include <algorithm>
#include <array>
#include <functional>
#include <map>
#include <utility>

#include "vestige/base/bytes.h"
#include "vestige/base/time.h"
#include "vestige/encryption/age_file.h"
#include "vestige/encryption/key_file.h"
#include "vestige/encryption/openpgp.h"
#include "vestige/encryption/token.h"
#include "vestige/trail/archived.h"
#include "vestige/trail/catalog.h"
#include "vestige/trail/changes.h"
#include "vestige/trail/context.h"
#include "vestige/trail/expiry.h"
#include "vestige/trail/hold.h"
#include "vestige/trail/install.h"
#include "vestige/trail/kept_table.h"
#include "vestige/trail/opener.h"
#include "vestige/trail/subject.h"
#include "vestige/trail/tracking.h"
#include "vestige/trail/upkeep.h"

namespace vestige {
namespace {

constexpr std::size_t kWrapsAtOnce = 500;

// A data key, and the recipient that it has to be wrapped for.
struct MissingWrap {
  std::string id;
  std::int64_t first_change = 0;
};

Result<std::vector<MissingWrap>> missing_for(Database& db, const std::string& table,
                                             const Recipient& one) {
  std::vector<MissingWrap> out;
  auto rows = TRY(db.query("select id, min(first_change) from " + table +
                               " as k where class = ?1 and not exists (select 1 from " + table +
                               " as o where o.id = k.id and o.recipient = ?2) group by id"
                               " order by min(first_change)",
                           {Text{one.of}, one.id}));
  while (TRY(rows->next()) == Step::row) {
    const Value id = rows->value(0);
    if (const auto* bytes = std::get_if<Blob>(&id); bytes != nullptr)
      out.push_back({bytes->bytes, rows->integer(1)});
  }
  return out;
}

// What the identity has opened before is no sign of it.
Result<bool> stands(Database& db, const std::string& table, const std::string& id) {
  return TRY(scalar_integer(db, "select count(*) from " + table + " where id = ?1", {Blob{id}})) !=
         0;
}

// As an age file, which the age half opens on both databases; OpenPGP for a recipient that has no such half.
Result<std::string> wrap_for(const Recipient& one, const Secret& key) {
  const auto age = age_half(one.public_key);
  if (age.has_value()) return age_encrypt(*age, key.bytes());
  const std::string openpgp = TRY(openpgp_half(one.public_key));
  if (openpgp.empty()) return tl::unexpected<Error>(age.error());
  return encrypt_openpgp(openpgp, key.bytes());
}

// Tables with changes that are encrypted for a class.
Result<std::vector<Tracked>> tables_of(Database& db, const std::string& of) {
  std::vector<Tracked> out;
  for (Tracked& table : TRY(tracked_tables(db))) {
    const auto all = TRY(shapes(db, table.id));
    const bool any = std::any_of(all.begin(), all.end(), [&](const Shape& shape) {
      return std::any_of(shape.columns.begin(), shape.columns.end(),
                         [&](const Column& column) { return column.encrypted == of; });
    });
    if (any) out.push_back(std::move(table));
  }
  return out;
}

// The same of several; each once.
Result<std::vector<Tracked>> tables_of_all(Database& db, const std::vector<EndOfKeys>& ends) {
  std::map<std::int64_t, Tracked> out;
  for (const EndOfKeys& end : ends)
    for (Tracked& table : TRY(tables_of(db, end.of)))
      out.insert_or_assign(table.id, std::move(table));
  std::vector<Tracked> tables;
  for (auto& [id, table] : out) tables.push_back(std::move(table));
  return tables;
}

Result<void> nothing_waits(Database& db, const std::vector<Tracked>& tables) {
  const auto volumes = TRY(upkeep_of(db)->volumes());
  for (const Tracked& table : tables)
    if (const auto found = volumes.find(table.id);
        found != volumes.end() && found->second.waiting > 0)
      return hinted(fail(Fault::conflict,
                         "keys destroy: of {} there is what waits for being encrypted, and "
                         "would be under a new key",
                         table.name),
                    "vestige seal first");
  return {};
}

using KeyId = std::array<char, 16>;

// Data keys as they are found in the table of wraps.
struct Doomed {
  explicit Doomed(const EndOfKeys& end) : values{Text{end.of}, end.upto} {
    if (!end.subject.empty()) {
      where += " and subject = ?3";
      values.emplace_back(Blob{end.subject});
    }
  }
  std::string where = " where class = ?1 and first_change <= ?2";
  Params values;
};

// The ids of the data keys, in order: they may be as many as transactions.
Result<std::vector<KeyId>> ids_of(Database& db, const std::string& keys,
                                  const std::vector<EndOfKeys>& ends) {
  std::vector<KeyId> out;
  for (const EndOfKeys& end : ends) {
    const Doomed doomed(end);
    auto rows = TRY(db.query("select distinct id from " + keys + doomed.where, doomed.values));
    while (TRY(rows->next()) == Step::row) {
      const Value id = rows->value(0);
      const auto* bytes = std::get_if<Blob>(&id);
      if (bytes == nullptr || bytes->bytes.size() != KeyId().size()) continue;  // no token names it
      std::copy(bytes->bytes.begin(), bytes->bytes.end(), out.emplace_back().begin());
    }
  }
  std::sort(out.begin(), out.end());
  return out;
}

// Whether something of it is encrypted under one of these data keys.
bool under(const std::vector<KeyId>& ids, const Change& change) {
  if (!change.unreadable.empty()) return true;  // nobody can tell
  for (const auto* row : {&change.old_values, &change.new_values}) {
    if (!row->has_value()) continue;
    for (const Field& field : **row) {
      const auto token = encrypted_token(field.value);
      const auto bytes =
          token.has_value() ? from_base64(*token) : Result<std::string>(std::string());
      const auto id = bytes.has_value() ? key_of_token(*bytes) : std::nullopt;
      KeyId own{};
      if (!id.has_value() || id->size() != own.size()) continue;
      std::copy(id->begin(), id->end(), own.begin());
      if (std::binary_search(ids.begin(), ids.end(), own)) return true;
    }
  }
  return false;
}

// What expired and stands in an archive may be held: whoever holds it is asked only where the archive is read, too.
Result<void> nothing_unasked(Database& db, const std::vector<Tracked>& tables) {
  if (TRY(recorded_parts(db)).empty()) return {};
  for (const Tracked& table : tables)
    if (const auto expired = TRY(horizon_of(db, table.id)); expired.has_value())
      return hinted(fail(Fault::conflict,
                         "keys destroy: holds are in force, and of {} there are changes that only"
                         " an archive has, which was not asked",
                         table.name),
                    "--archive DIR");
  return {};
}

// Which hold keeps what the data keys have encrypted. When a key begins says nothing of where it ends: transactions overlap, and what is
// encrypted together is of more than one key. The tokens say it: those of every table of the classes, since a session was once believed
// what key it had, and could put another table's values under a person's.
Result<std::optional<Held>> held_by_them(Database& db, const std::string& keys,
                                         const std::vector<Tracked>& tables,
                                         const std::vector<EndOfKeys>& ends) {
  const Holds holds = TRY(Holds::in_force(db));
  if (holds.none()) return std::optional<Held>();
  TRY(nothing_unasked(db, tables));
  const auto ids = TRY(ids_of(db, keys, ends));
  Selection selection;
  selection.oldest_first = true;
  selection.forgiving = true;
  for (const Tracked& table : TRY(tables_of_all(db, ends))) {
    selection.table = table.id;
    auto changes = TRY(read_changes(db, selection));
    while (const auto change = TRY(changes->next())) {
      const Hold* hold = under(ids, *change) ? holds.held(*change) : nullptr;
      if (hold != nullptr) return std::optional(Held{hold->id, hold->matter, change->id});
    }
  }
  return std::optional<Held>();
}

// Whose private keys open them, and whether these open more.
Result<Destroyed> looked_at(Database& db, const std::string& keys, std::vector<EndOfKeys>& ends) {
  Destroyed out;
  const std::int64_t now = clock_now();
  for (EndOfKeys& end : ends) {
    const Doomed doomed(end);
    end.data_keys = TRY(
        scalar_integer(db, "select count(distinct id) from " + keys + doomed.where, doomed.values));
    out.data_keys += end.data_keys;
    if (!end.subject.empty()) continue;  // whose private keys open others, too
    for (RecipientUse& one : TRY(recipients_in_use(db, end.of))) {
      if (!one.first.has_value() || *one.first > end.upto) continue;
      const bool ended = one.recipient.until.value_or(now + 1) <= now && *one.last <= end.upto;
      (ended ? out.ended : out.going).push_back(std::move(one));
    }
  }
  return out;
}

// Which tables have what goes, what it is, and how its absence is said.
struct Ending {
  std::vector<Tracked> tables;
  std::vector<EndOfKeys> ends;
  tl::unexpected<Error> none;
};

Result<Destroyed> destroyed(Database& db,
                            const std::function<Result<Ending>(const std::string&)>& wanted,
                            bool dry_run, const Context& context, std::optional<Held>& held) {
  const std::string keys = TRY(known_kept_table(db, "encrypted_key"));
  const auto tracking = tracking_of(db);
  auto scope = TRY(ContextScope::begin(db, context));
  if (!dry_run) TRY(tracking->lock_wraps());
  // Asked within: nothing comes to wait before they are gone.
  Ending ending = TRY(wanted(keys));
  TRY(nothing_waits(db, ending.tables));
  Destroyed out;
  if (!keys.empty()) out = TRY(looked_at(db, keys, ending.ends));
  if (out.data_keys == 0) return std::move(ending.none);
  held = TRY(held_by_them(db, keys, ending.tables, ending.ends));
  if (held.has_value()) return held_back("keys destroy", *held);
  for (const EndOfKeys& end : ending.ends)
    if (std::find(out.of.begin(), out.of.end(), end.of) == out.of.end()) out.of.push_back(end.of);
  if (dry_run) return out;
  for (const EndOfKeys& end : ending.ends)
    if (end.data_keys != 0) TRY(tracking->destroy_keys(end));
  TRY(scope.commit());
  // They are destroyed, whatever becomes of that.
  auto left = tracking->left_of_wraps();
  if (left.has_value()) out.left = std::move(left).take();
  else out.left.push_back(left.error().message);
  return out;
}

// The tables whose rows say that they are one person's, and what is encrypted under that one's keys.
Result<Ending> of_subject(Database& db, const std::string& keys,
                          const DestroySubjectRequest& request) {
  Ending out{{},
             {},
             hinted(fail(Fault::missing, "keys destroy: nothing is encrypted for subject {} of {}",
                         request.subject, fmt::format("{}", fmt::join(request.tables, ", "))),
                    "the value as the table has it, and the table whose policy names it"
                    " (track --subject)")};
  for (const std::string& name : request.tables) {
    out.tables.push_back(TRY(tracked_table(db, name)));
    if (keys.empty()) continue;
    const std::string subject = TRY(subject_digest(db, out.tables.back().id, request.subject));
    auto rows = TRY(db.query("select class, max(first_change) from " + keys +
                                 " where subject = ?1 group by class order by class",
                             {Blob{subject}}));
    while (TRY(rows->next()) == Step::row)
      out.ends.push_back({.of = rows->text(0), .upto = rows->integer(1), .subject = subject});
  }
  return out;
}

Result<void> check_said(const Context& context) {
  for (const char* needed : {"actor", "reason"})
    if (const std::string* said = context.get(needed); said == nullptr || said->empty())
      return hinted(fail(Fault::invalid, "keys destroy: who does it, and why?"),
                    "--by dpo --reason 'kept for two years': it is recorded for good");
  return {};
}

}  // namespace

Result<std::vector<RecipientUse>> recipients_in_use(Database& db, std::string_view of) {
  TRY(require_trail(db));
  std::vector<RecipientUse> out;
  for (Recipient& one : TRY(all_recipients(db, of))) out.push_back({.recipient = std::move(one)});
  std::stable_sort(out.begin(), out.end(), [](const RecipientUse& left, const RecipientUse& right) {
    return left.recipient.of < right.recipient.of;
  });
  const std::string table = TRY(known_kept_table(db, "encrypted_key"));
  if (table.empty()) return out;
  auto rows =
      TRY(db.query("select recipient, count(*), min(first_change), max(first_change) from " +
                   table + " group by recipient"));
  while (TRY(rows->next()) == Step::row)
    for (RecipientUse& one : out) {
      if (one.recipient.id != rows->integer(0)) continue;
      one.data_keys = rows->integer(1);
      one.first = rows->integer(2);
      one.last = rows->integer(3);
    }
  return out;
}

Result<Rewrapped> rewrap(Database& db, const std::string& of, const std::function<void()>& step) {
  TRY(require_trail(db));
  Opener* const opener = opener_of(db);
  if (opener == nullptr)
    return hinted(fail(Fault::invalid, "keys rewrap: whose private key opens what there is?"),
                  "--identity phi.key");
  const auto wanted = TRY(recipients(db, of));
  const std::string table = TRY(known_kept_table(db, "encrypted_key"));
  if (wanted.empty() || table.empty())
    return hinted(fail(Fault::missing, "keys rewrap: class {} has no recipient", of),
                  "vestige keys list");
  std::map<std::string, bool> opened;  // by data key
  Rewrapped out;
  for (const Recipient& one : wanted) {
    const auto missing = TRY(missing_for(db, table, one));
    for (std::size_t from = 0; from < missing.size(); from += kWrapsAtOnce) {
      auto transaction = TRY(Transaction::begin(db));
      TRY(tracking_of(db)->lock_wraps());
      for (std::size_t i = from; i < std::min(missing.size(), from + kWrapsAtOnce); ++i) {
        if (!TRY(stands(db, table, missing[i].id))) continue;  // destroyed since it was found
        const Secret* const key = opener->data_key(missing[i].id);
        opened[missing[i].id] = key != nullptr;
        if (key == nullptr) continue;
        Blob wrapped{TRY(wrap_for(one, *key))};
        TRY(db.run(
            "insert into " + table +
                " (id, class, recipient, wrapped, first_change) values (?1, ?2, ?3, ?4, ?5)",
            {Blob{missing[i].id}, Text{of}, one.id, std::move(wrapped), missing[i].first_change}));
        ++out.wraps;
        if (step) step();
      }
      TRY(transaction.commit());
    }
  }
  for (const auto& [id, was] : opened) ++(was ? out.data_keys : out.closed);
  return out;
}

namespace {

Result<Destroyed> destroyed_or_refused(
    Database& db, const std::function<Result<Ending>(const std::string&)>& wanted, bool dry_run,
    const std::string& what, const Context& context) {
  TRY(require_trail(db));
  if (!dry_run) TRY(check_said(context));
  std::optional<Held> held;
  auto done = destroyed(db, wanted, dry_run, context, held);
  if (!held.has_value() || dry_run) return done;
  return refused(db, held_back("keys destroy", *held), *held, "keys destroy " + what, context);
}

}  // namespace

Result<Destroyed> destroy_keys(Database& db, const DestroyRequest& request,
                               const Context& context) {
  const auto wanted = [&](const std::string& /*keys*/) -> Result<Ending> {
    return Ending{TRY(tables_of(db, request.of)),
                  {{.of = request.of, .upto = request.upto}},
                  hinted(fail(Fault::missing,
                              "keys destroy: class {} has no data key of before then", request.of),
                         "vestige keys list")};
  };
  return destroyed_or_refused(db, wanted, request.dry_run, request.of, context);
}

Result<Destroyed> destroy_keys(Database& db, const DestroySubjectRequest& request,
                               const Context& context) {
  const auto wanted = [&](const std::string& keys) { return of_subject(db, keys, request); };
  return destroyed_or_refused(db, wanted, request.dry_run,
                              fmt::format("{}", fmt::join(request.tables, " ")) + " --subject",
                              context);
}

}  // namespace vestige
