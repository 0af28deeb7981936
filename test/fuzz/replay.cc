// Runs a fuzz target without libFuzzer: over every file of a corpus folder, every prefix of it, every
// flip of one bit, and a few extensions.
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace {

void feed(const std::string& bytes) {
  LLVMFuzzerTestOneInput(reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size());
}

void replay(const std::string& seed) {
  feed(seed);
  for (std::size_t size = 0; size < seed.size(); ++size) feed(seed.substr(0, size));
  for (std::size_t bit = 0; bit < seed.size() * 8; ++bit) {
    std::string flipped = seed;
    flipped[bit / 8] = static_cast<char>(flipped[bit / 8] ^ (1 << bit % 8));
    feed(flipped);
  }
  for (const char more : {'\0', ' ', '0', '"', '}', '\xff'}) feed(seed + more);
  feed(seed + seed);
}

}  // namespace

int main(int count, char** arguments) {
  if (count != 2) return 2;
  int seeds = 0;
  for (const auto& entry : std::filesystem::directory_iterator(arguments[1])) {
    std::ifstream file(entry.path(), std::ios::binary);
    replay(std::string(std::istreambuf_iterator<char>(file), {}));
    ++seeds;
  }
  std::printf("replayed %d seeds\n", seeds);
  return seeds > 0 ? 0 : 1;
}
