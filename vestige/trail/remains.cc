#include "vestige/trail/remains.h"

#include <algorithm>
#include <regex>

#include "vestige/trail/installation.h"

namespace vestige {

Result<Remains> remains(Database& db) { return installation_of(db)->remains(); }

tl::unexpected<Error> incomplete(const Database& db, const std::vector<std::string>& missing) {
  std::string list;
  for (const std::string& name : missing) list += (list.empty() ? "" : ", ") + name;
  return hinted(fail(Fault::corrupt, "read the trail: of its tables {} {} missing from {}", list,
                     missing.size() == 1 ? "is" : "are", db.where()),
                "restore the database from a backup; or vestige init --remove takes away what is "
                "left, and the application can write again");
}

std::vector<std::string> tables_made_by(std::string_view script, const char* pattern) {
  const std::regex table(pattern, std::regex::multiline);
  std::vector<std::string> names;
  using Matches = std::regex_iterator<std::string_view::const_iterator>;
  for (Matches one(script.begin(), script.end(), table); one != Matches(); ++one)
    names.push_back((*one)[1].str());
  return names;
}

std::vector<std::string> missing_of(const std::vector<std::string>& ours,
                                    const std::vector<std::string>& standing) {
  std::vector<std::string> missing;
  for (const std::string& name : ours)
    if (std::find(standing.begin(), standing.end(), name) == standing.end())
      missing.push_back(name);
  return missing;
}

}  // namespace vestige
