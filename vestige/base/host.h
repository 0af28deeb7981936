// Hosts by their names and addresses. Test: host_test.cc.
#pragma once

#include <string>

namespace vestige {

/// True for what is this machine for sure: 127.0.0.0/8, ::1, localhost. By its numbers: a name may begin with 127., too, and be
/// anybody's. An address of IPv6 is without its brackets.
bool is_this_machine(const std::string& host);

}  // namespace vestige
