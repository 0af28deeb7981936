// Whom the command line trusts, and which keys it signs with.
#pragma once

#include <string>
#include <vector>

#include "cli/arguments.h"
#include "vestige/audit/check.h"

namespace vestige::cli {

/// The public keys that an option names: each value is a vkey, or a file with one on each line.
///
/// faults   invalid, missing (no such file)
Result<std::vector<merkle::NoteKey>> keys_of(const Arguments& arguments, std::string_view option);

/// --vkey and --policy.
///
/// faults   invalid (neither is given, or not to be read), missing (no such file)
Result<Trust> trust_of(const Arguments& arguments);

/// [evidence] of the vestige.toml that holds here; nobody when there is none.
///
/// faults   invalid, missing (the policy that it names)
Result<Trust> planned_trust();

/// Reads a private key of one kind from its file.
///
/// faults   invalid (also a key of the other kind), missing, denied
Result<merkle::NoteSigner> signer_from(const std::string& path, merkle::KeyKind kind);

/// Makes a key, writes its file (mode 0600) unless it is there already, and gives the public half.
///
/// faults   invalid (the name), conflict (the file is there), missing, denied
Result<merkle::NoteKey> make_key_file(const std::string& path, const std::string& name,
                                      merkle::KeyKind kind);

}  // namespace vestige::cli
