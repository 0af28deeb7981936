// keygen: the key that signs checkpoints.
#include "cli/session.h"
#include "cli/trust.h"

namespace vestige::cli {
namespace {

Result<int> run_keygen(Session& session) {
  const auto origin = session.arguments().value("--origin");
  const auto file = session.arguments().value("--out");
  if (!origin.has_value() || !file.has_value())
    return hinted(fail(Fault::invalid, "keygen: --origin and --out are needed"),
                  "vestige keygen --origin audit.example.com/shop --out seal.key");
  const merkle::NoteKey key = TRY(make_key_file(*file, *origin, merkle::KeyKind::log));
  session.output().line({{Label::plain, merkle::to_vkey(key)}});
  session.say("the private key stands in " + *file +
              "; keep it from the database; the line above is the public key: give it to auditors");
  return kDone;
}

}  // namespace

Command keygen_command() {
  return {.name = "keygen",
          .group = "prove",
          .summary = "make the key that signs checkpoints",
          .about = {"Makes an Ed25519 key for the log of that origin: a name without spaces and "
                    "without '+', an address without https:// by custom. The file (mode 0600) is "
                    "never overwritten. The public key is printed; without it nobody can check "
                    "what this key signed, so it belongs where the auditors find it."},
          .options = {{.names = "--origin", .value = "NAME", .summary = "the name of the log"},
                      {.names = "--out", .value = "FILE", .summary = "where the private key goes"}},
          .examples = {{"vestige keygen --origin audit.example.com/shop --out seal.key",
                        "prints the public key"}},
          .run = run_keygen};
}

}  // namespace vestige::cli
