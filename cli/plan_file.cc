#include "cli/plan_file.h"

#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <system_error>

#include "vestige/db/url.h"

namespace vestige::cli {
namespace {

constexpr const char* kName = "vestige.toml";

bool ours(const std::string& path) {
  struct stat found = {};
  return stat(path.c_str(), &found) == 0 && S_ISREG(found.st_mode) &&
         (found.st_uid == geteuid() || found.st_uid == 0);
}

}  // namespace

std::string plan_file() {
  std::error_code failed;
  std::filesystem::path folder = std::filesystem::current_path(failed);
  if (failed || std::filesystem::exists(kName, failed)) return kName;
  const char* home = std::getenv("HOME");
  std::string up;
  while (folder.has_relative_path() && (home == nullptr || folder != home)) {
    folder = folder.parent_path();
    up += "../";
    if (ours(up + kName)) return up + kName;
  }
  return kName;
}

std::string beside_plan(const std::string& plan, const std::string& database) {
  const std::string folder = std::filesystem::path(plan).parent_path().string();
  if (folder.empty() || database.empty()) return database;
  return url_from(folder, database);
}

std::string folder_of(const std::string& file) {
  return std::filesystem::path(file).parent_path().string();
}

}  // namespace vestige::cli
