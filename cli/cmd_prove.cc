// prove and tiles: evidence for those who have no database.
#include "cli/session.h"
#include "vestige/audit/disclosure.h"
#include "vestige/audit/prove.h"
#include "vestige/audit/tiles.h"

namespace vestige::cli {
namespace {

Result<int> run_prove(Session& session) {
  const std::int64_t id = TRY(parse_number("the change", session.arguments().words().front()));
  const auto column = session.arguments().value("--disclose");
  Database& db = *TRY(session.database());
  if (!column.has_value()) {
    session.output().text(TRY(prove(db, id)));
    return kDone;
  }
  for (const Disclosure& one : TRY(disclose(db, id, *column)))
    session.output().text(to_line(one) + "\n");
  return kDone;
}

Result<int> run_tiles(Session& session) {
  const auto directory = session.arguments().value("--out");
  if (!directory.has_value())
    return hinted(fail(Fault::invalid, "tiles: no directory is given"), "vestige tiles --out DIR");
  Database& db = *TRY(session.database());
  const TilesWritten written = TRY(write_tiles(db, *directory));
  session.say(fmt::format("{}: {}, {} new", *directory,
                          counted(static_cast<std::int64_t>(written.size), "change"),
                          counted(static_cast<std::int64_t>(written.files), "file")));
  return kDone;
}

}  // namespace

Command prove_command() {
  return {
      .name = "prove",
      .group = "prove",
      .summary = "make a receipt for one change, which can be checked without the database",
      .arguments = "ID",
      .least = 1,
      .most = 1,
      .about = {"Prints a receipt: the change with its key, its context and its values, its place "
                "in the Merkle tree, and the signed checkpoint. `vestige check`, or any program "
                "that knows C2SP's tlog-proof, can check it offline.",
                "With --disclose and the private key it prints, instead, what an encrypted column "
                "had: value and salt, which whoever has the receipt can check without any key "
                "(check --disclosed), and which say nothing of any other value."},
      .options = {{.names = "--disclose",
                   .value = "COLUMN",
                   .summary = "what this encrypted column had, to be told to somebody; with "
                              "--identity"}},
      .examples = {{"vestige prove 1207 > 1207.receipt", "a receipt"},
                   {"vestige prove 1207 --disclose ssn --identity phi.key > 1207.disclosed",
                    "and one value of it that is encrypted"}},
      .run = run_prove};
}

Command tiles_command() {
  return {.name = "tiles",
          .group = "prove",
          .summary = "write a static log in files, which any C2SP client can read",
          .about = {"Brings a directory up to the last checkpoint: tile/…, tile/entries/… and "
                    "checkpoint, as C2SP's tlog-tiles says. Entries hold no values, only what the "
                    "values are bound to. Serve the directory by any web server."},
          .options = {{.names = "--out", .value = "DIR", .summary = "the directory"}},
          .examples = {{"vestige tiles --out /srv/www/log", "write what is new"}},
          .run = run_tiles};
}

}  // namespace vestige::cli
