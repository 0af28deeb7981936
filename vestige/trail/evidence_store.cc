#include "vestige/trail/evidence_store.h"

#include <algorithm>
#include <charconv>

#include "vestige/base/time.h"
#include "vestige/trail/installation.h"
#include "vestige/trail/sealing.h"

namespace vestige {
namespace {

Bundle read_bundle(const Rows& rows) {
  Bundle bundle;
  bundle.n = static_cast<std::uint64_t>(rows.integer(0));
  bundle.width = static_cast<unsigned>(rows.integer(1));
  bundle.first_id = rows.integer(2);
  bundle.last_id = rows.integer(3);
  bundle.salts = rows.text(4);
  bundle.entries = rows.text(5);
  return bundle;
}

Value number(std::uint64_t value) { return static_cast<std::int64_t>(value); }

// A line of a signature begins with a dash that most encodings of PostgreSQL's lack. There it is kept as two hyphens: a note
// has no other line after its text that begins so.
constexpr std::string_view kDash = "\u2014 ";
constexpr std::string_view kHyphens = "-- ";

std::string replaced(std::string_view note, std::string_view from, std::string_view to) {
  const std::size_t text = note.find("\n\n");
  std::string out(note.substr(0, text == std::string_view::npos ? 0 : text));
  std::string_view rest = note.substr(out.size());
  while (!rest.empty()) {
    const bool begins = out.empty() || out.ends_with('\n');
    if (begins && rest.starts_with(from)) {
      out += to;
      rest.remove_prefix(from.size());
    }
    const std::size_t end = std::min(rest.find('\n'), rest.size() - 1) + 1;
    out += rest.substr(0, end);
    rest.remove_prefix(end);
  }
  return out;
}

std::string note_of(std::string_view kept) { return replaced(kept, kHyphens, kDash); }

}  // namespace

std::string with_hyphens(std::string_view note) { return replaced(note, kDash, kHyphens); }

Salts salts_at(std::string_view salts, std::size_t place) {
  Salts out;
  if (salts.size() < (place + 1) * kSaltBytes) return out;
  salts = salts.substr(place * kSaltBytes, kSaltBytes);
  out.key = to_array<16>(salts.substr(0, 16));
  out.context = to_array<16>(salts.substr(16, 16));
  out.values = to_array<16>(salts.substr(32, 16));
  return out;
}

std::string to_bytes(const Salts& salts) {
  return std::string(view(salts.key)) + std::string(view(salts.context)) +
         std::string(view(salts.values));
}

bool is_erased(const Salt& salt) { return salt == Salt{}; }

std::optional<std::int64_t> entry_id(std::string_view line) {
  constexpr std::string_view kHead = "{\"v\":1,\"id\":";
  if (!line.starts_with(kHead)) return std::nullopt;
  std::int64_t id = 0;
  const auto [end, error] =
      std::from_chars(line.data() + kHead.size(), line.data() + line.size(), id);
  if (error != std::errc() || end == line.data() + line.size() || *end != ',') return std::nullopt;
  return id;
}

EvidenceStore::EvidenceStore(Database& db) : db_(db), spelling_(spelling_of(db)) {}

Result<std::uint64_t> EvidenceStore::size() {
  return static_cast<std::uint64_t>(
      TRY(scalar_integer(db_, "select size from " + table("sealer"))));
}

Result<std::optional<Bundle>> EvidenceStore::bundle(std::uint64_t n) {
  auto found = TRY(bundles(n, n + 1));
  if (found.empty()) return std::optional<Bundle>();
  return std::optional<Bundle>(std::move(found.front()));
}

Result<std::vector<Bundle>> EvidenceStore::bundles(std::uint64_t n, std::uint64_t end) {
  std::vector<Bundle> found;
  auto rows = TRY(db_.query("select n, width, first_id, last_id, salts, entries from " +
                                table("bundle") + " where n >= ?1 and n < ?2 order by n",
                            {number(n), number(end)}));
  while (TRY(rows->next()) == Step::row) found.push_back(read_bundle(*rows));
  return found;
}

Result<void> EvidenceStore::put(const Bundle& bundle) {
  TRY(db_.run("insert into " + table("bundle") +
                  " (n, width, first_id, last_id, salts, entries) values (?1, ?2, ?3, ?4, ?5, ?6)"
                  " on conflict (n) do update set width = excluded.width,"
                  " first_id = excluded.first_id, last_id = excluded.last_id,"
                  " salts = excluded.salts, entries = excluded.entries",
              {number(bundle.n), number(bundle.width), bundle.first_id, bundle.last_id,
               Blob{bundle.salts}, Blob{bundle.entries}}));
  return {};
}

Result<void> EvidenceStore::put_salts(std::uint64_t n, std::string_view salts) {
  TRY(db_.run("update " + table("bundle") + " set salts = ?2 where n = ?1",
              {number(n), Blob{std::string(salts)}}));
  return {};
}

Result<std::vector<std::uint64_t>> EvidenceStore::bundles_of(std::int64_t first,
                                                             std::int64_t last) {
  std::vector<std::uint64_t> found;
  auto rows = TRY(db_.query(
      "select n from " + table("bundle") + " where first_id <= ?2 and last_id >= ?1 order by n",
      {first, last}));
  while (TRY(rows->next()) == Step::row)
    found.push_back(static_cast<std::uint64_t>(rows->integer(0)));
  return found;
}

Result<std::string> EvidenceStore::tile(unsigned level, std::uint64_t n) {
  auto rows = TRY(db_.query("select hashes from " + table("tile") + " where level = ?1 and n = ?2",
                            {number(level), number(n)}));
  if (TRY(rows->next()) == Step::end) return std::string();
  return rows->text(0);
}

Result<void> EvidenceStore::put_tile(unsigned level, std::uint64_t n, std::string_view hashes) {
  TRY(db_.run("insert into " + table("tile") +
                  " (level, n, hashes) values (?1, ?2, ?3)"
                  " on conflict (level, n) do update set hashes = excluded.hashes",
              {number(level), number(n), Blob{std::string(hashes)}}));
  return {};
}

merkle::Tiles EvidenceStore::tiles() {
  return [this](const merkle::Tile& wanted) -> Result<std::string> {
    std::string hashes = TRY(tile(wanted.level.value_or(0), wanted.index));
    hashes.resize(std::min<std::size_t>(hashes.size(), wanted.width * sizeof(Hash)));
    return hashes;
  };
}

Result<std::optional<StoredCheckpoint>> EvidenceStore::last_checkpoint(std::uint64_t below) {
  auto rows = TRY(db_.query(
      fmt::format("select size, {}, root, note from {} where size < ?1 order by size desc limit 1",
                  spelling_.micros, table("checkpoint")),
      {number(below)}));
  if (TRY(rows->next()) == Step::end) return std::optional<StoredCheckpoint>();
  return std::optional<StoredCheckpoint>({static_cast<std::uint64_t>(rows->integer(0)),
                                          rows->integer(1), rows->text(2), note_of(rows->text(3))});
}

Result<std::vector<StoredCheckpoint>> EvidenceStore::checkpoints() {
  std::vector<StoredCheckpoint> all;
  auto rows = TRY(db_.query(fmt::format("select size, {}, root, note from {} order by size",
                                        spelling_.micros, table("checkpoint"))));
  while (TRY(rows->next()) == Step::row)
    all.push_back({static_cast<std::uint64_t>(rows->integer(0)), rows->integer(1), rows->text(2),
                   note_of(rows->text(3))});
  return all;
}

Result<bool> EvidenceStore::put_checkpoint(std::uint64_t size, std::string_view root,
                                           std::string_view note) {
  std::string kept = TRY(sealing_of(db_)->kept(note));
  const std::int64_t added = TRY(db_.run(
      fmt::format("insert into {0} (size, at, root, note) select ?1, {1}, ?3, ?4 where not exists"
                  " (select 1 from {0} where size = ?1)",
                  table("checkpoint"), spelling_.from_micros),
      {number(size), clock_now(), Blob{std::string(root)}, Text{std::move(kept)}}));
  return added > 0;
}

Result<void> EvidenceStore::put_signature(std::uint64_t size, std::string_view line) {
  std::string kept = TRY(sealing_of(db_)->kept(line));
  TRY(db_.run("update " + table("checkpoint") + " set note = note || ?2 where size = ?1",
              {number(size), Text{std::move(kept)}}));
  return {};
}

Result<std::optional<EvidenceStore::Found>> EvidenceStore::find(std::int64_t change) {
  auto rows =
      TRY(db_.query("select n, width, first_id, last_id, salts, entries from " + table("bundle") +
                        " where first_id <= ?1 and last_id >= ?1"
                        " order by n",
                    {change}));
  while (TRY(rows->next()) == Step::row) {
    const Bundle bundle = read_bundle(*rows);
    const auto entries = TRY(merkle::entries_of(bundle.entries, bundle.width));
    for (std::size_t i = 0; i < entries.size(); ++i) {
      if (entry_id(entries[i]) != change) continue;
      return std::optional<Found>(
          {bundle.n * merkle::kTileWidth + i, std::string(entries[i]), salts_at(bundle.salts, i)});
    }
  }
  return std::optional<Found>();
}

// A trail of a version before takes none away, until it is brought up to date.
Result<EvidenceStore::Standing> EvidenceStore::standing() {
  if (!expires_) expires_ = TRY(installation_of(db_)->has_table("expired"));
  auto rows = TRY(db_.query(fmt::format(
      "select (select max(change) from {}), (select size from {}), {}", table("erased"),
      table("sealer"),
      expires_ ? fmt::format("(select max(change) from {})", table("expired")) : "null")));
  TRY(rows->next());
  return Standing{std::max(rows->integer(0), rows->integer(2)),
                  static_cast<std::uint64_t>(rows->integer(1))};
}

Result<void> EvidenceStore::hold(std::string_view patience) {
  return sealing_of(db_)->hold(patience);
}

Result<void> EvidenceStore::count_unreadable(std::uint64_t more) {
  TRY(db_.run("update " + table("sealer") + " set unreadable = unreadable + ?1", {number(more)}));
  return {};
}

Result<ReadTransaction> ReadTransaction::begin(Database& db) {
  TRY(db.script(spelling_of(db).begin_reading));
  return ReadTransaction(db);
}

}  // namespace vestige
