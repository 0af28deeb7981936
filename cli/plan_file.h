// Where vestige.toml is: in this folder, or in one above it, as git looks for its own.
#pragma once

#include <string>

namespace vestige::cli {

/// The plan that holds here: vestige.toml of this folder or of the nearest one above it, up to the home folder or the
/// root. Above this folder only a file of this user's or of root's counts: it names a database to write to.
///
/// returns  "vestige.toml" when it is here or nowhere; else its path, "../../vestige.toml"
std::string plan_file();

/// The database, or the file, that a plan names, as seen from here: a relative path starts at the plan's folder.
std::string beside_plan(const std::string& plan, const std::string& database);

/// The folder that a file stands in; empty: this one.
std::string folder_of(const std::string& file);

}  // namespace vestige::cli
