#include "vestige/base/host.h"

#include <arpa/inet.h>

namespace vestige {

bool is_this_machine(const std::string& host) {
  in_addr four = {};
  if (inet_pton(AF_INET, host.c_str(), &four) == 1) return ntohl(four.s_addr) >> 24U == 127;
  return host == "::1" || host == "localhost";
}

}  // namespace vestige
