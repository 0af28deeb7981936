#include "cli/login.h"

#include <pwd.h>
#include <unistd.h>

namespace vestige::cli {

std::string login() {
  const passwd* entry = getpwuid(geteuid());
  return entry == nullptr ? std::to_string(geteuid()) : entry->pw_name;
}

}  // namespace vestige::cli
