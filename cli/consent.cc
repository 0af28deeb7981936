#include "cli/consent.h"

#include <unistd.h>

#include <iostream>

#include "cli/output.h"

namespace vestige::cli {

bool agreed(const std::string& question) {
  if (isatty(STDIN_FILENO) == 0 || isatty(STDERR_FILENO) == 0) return false;
  talk(question + " Write yes to go on: ");
  std::string answer;
  std::getline(std::cin, answer);
  return answer == "yes";
}

}  // namespace vestige::cli
