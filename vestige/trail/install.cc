#include "vestige/trail/install.h"

#include "vestige/trail/hold.h"
#include "vestige/trail/installation.h"
#include "vestige/trail/source.h"
#include "vestige/trail/upkeep.h"

namespace vestige {

Result<std::int64_t> installed_version(Database& db) { return installation_of(db)->version(); }

// A trail that is older than the evidence has no place for it.
Result<bool> has_evidence(Database& db) { return installation_of(db)->has_evidence(); }

Result<void> require_evidence(Database& db) {
  if (TRY(has_evidence(db))) return {};
  return hinted(
      fail(Fault::missing, "find the evidence: this trail is older and has no place for it"),
      "vestige init gives it one");
}

Result<void> require_sealing(Database& db) {
  TRY(require_evidence(db));
  if (TRY(installation_of(db)->lets_seal())) return {};
  return hinted(fail(Fault::missing, "seal: this trail is older, and its sealer counts less"),
                "vestige init brings it up to date");
}

Result<bool> has_cursors(Database& db) { return installation_of(db)->has_cursors(); }

Result<void> require_cursors(Database& db) {
  if (TRY(has_cursors(db))) return {};
  return hinted(fail(Fault::missing, "follow: this trail is older and keeps no cursors"),
                "vestige init brings it up to date");
}

Result<bool> lets_erase(Database& db) { return installation_of(db)->lets_erase(); }

Result<void> require_erasing(Database& db) {
  if (TRY(lets_erase(db))) return {};
  return hinted(fail(Fault::missing, "erase: this trail is older and lets nothing be erased"),
                "vestige init brings it up to date");
}

Result<bool> install(Database& db) {
  const auto trail = installation_of(db);
  auto transaction = TRY(Transaction::begin(db));
  const std::int64_t version = TRY(trail->version());
  bool done = true;
  if (version == kSchemaVersion) {
    done = TRY(trail->renew());
  } else if (version > kSchemaVersion) {
    return hinted(
        fail(Fault::invalid, "install the trail: version {} is newer than this vestige knows ({})",
             version, kSchemaVersion),
        "use the vestige that installed it, or a newer one");
  } else {
    const Remains left = TRY(trail->remains());
    if (left.ours && !left.tables) TRY(trail->remove());
    else if (left.ours && !left.missing.empty()) return incomplete(db, left.missing);
    TRY(trail->make());
  }
  TRY(transaction.commit());
  return done;
}

Result<void> require_trail(Database& db) {
  const auto trail = installation_of(db);
  const std::int64_t version = TRY(trail->version());
  if (version == kSchemaVersion) return {};
  if (version != 0)
    return hinted(fail(Fault::invalid, "read the trail: it has version {}, this vestige knows {}",
                       version, kSchemaVersion),
                  "vestige init brings an older trail up to date");
  const Remains left = TRY(trail->remains());
  if (left.says_version)
    return hinted(fail(Fault::missing,
                       "read the trail: {} has its tables and triggers, and nothing in them: a copy"
                       " of the schema alone",
                       db.where()),
                  "vestige init makes an empty trail of it; until then nothing is recorded");
  if (!left.any)
    return hinted(fail(Fault::missing, "read the trail: there is none in {}", db.where()),
                  "vestige init makes one");
  if (left.tables) return incomplete(db, left.missing);
  return hinted(fail(Fault::corrupt, "read the trail: its tables are gone from {}", db.where()),
                "vestige init makes a new one, vestige init --remove takes away what is left; "
                "the application can write again then");
}

Result<void> require_engine(Database& db, std::string_view engine) {
  return installation_of(db)->require_engine(engine);
}

Result<void> renew_engine(Database& db) { return installation_of(db)->renew_engine(); }

Result<std::int64_t> use_engine(Database& db, std::string_view engine) {
  return installation_of(db)->use_engine(engine);
}

Result<std::int64_t> idle_tables(Database& db) { return installation_of(db)->idle_tables(); }

Result<std::int64_t> count_changes(Database& db) { return source_of(db)->count(); }

Result<void> maintain(Database& db) { return upkeep_of(db)->maintain(); }

Result<void> remove_trail(Database& db) {
  if (const auto held = TRY(any_held(db)); held.has_value())
    return held_back("remove the trail", *held);
  auto transaction = TRY(Transaction::begin(db));
  TRY(installation_of(db)->remove());
  return transaction.commit();
}

}  // namespace vestige
