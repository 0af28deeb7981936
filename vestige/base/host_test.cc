#include "vestige/base/host.h"

#include <gtest/gtest.h>

namespace vestige {
namespace {

TEST(Host, ThisMachineIsKnownByItsNumbers) {
  for (const char* host : {"127.0.0.1", "127.255.0.9", "::1", "localhost"})
    EXPECT_TRUE(is_this_machine(host)) << host;
  for (const char* host : {"127.0.0.1.evil.example", "127.evil.example", "0.0.0.0", "128.0.0.1",
                           "[::1]", "::2", "localhost.example", ""})
    EXPECT_FALSE(is_this_machine(host)) << host;
}

}  // namespace
}  // namespace vestige
