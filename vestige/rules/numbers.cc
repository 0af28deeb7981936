#include "vestige/rules/numbers.h"

#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstdlib>

#include "vestige/base/decimal.h"
#include "vestige/base/time.h"

namespace vestige {
namespace {

// An IPv4 address as the IPv6 address that stands for it.
struct Address {
  std::array<unsigned char, 16> bytes{};
  bool four = false;
};

constexpr std::size_t kMapped = 12;  // bytes before an IPv4 address

std::optional<Address> address_of(std::string_view text) {
  Address address;
  const std::string copy(text);
  if (inet_pton(AF_INET6, copy.c_str(), address.bytes.data()) == 1) {
    constexpr std::array<unsigned char, kMapped> kHead = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF};
    address.four = std::equal(kHead.begin(), kHead.end(), address.bytes.begin());
    return address;
  }
  if (inet_pton(AF_INET, copy.c_str(), address.bytes.data() + kMapped) != 1) return std::nullopt;
  address.bytes[kMapped - 2] = address.bytes[kMapped - 1] = 0xFF;
  address.four = true;
  return address;
}

Value pct(const void* /*with*/, std::span<const Value> given) {
  const auto a = number_of(&given[0]);
  const auto b = number_of(&given[1]);
  if (!a.has_value() || !b.has_value() || *a == 0) return Null{};
  return (*b - *a) / std::abs(*a) * 100;
}

Value in_cidr(const void* /*with*/, std::span<const Value> given) {
  const auto* address = std::get_if<Text>(&given[0]);
  const auto* net = std::get_if<Text>(&given[1]);
  if (address == nullptr || net == nullptr) return Null{};
  const auto within = in_net(address->bytes, net->bytes);
  return within.has_value() ? Value(std::int64_t{*within}) : Value(Null{});
}

std::optional<LocalTime> local(const void* with, const Value& at) {
  const auto* text = std::get_if<Text>(&at);
  if (text == nullptr) return std::nullopt;
  const auto micros = read_time(text->bytes);
  if (!micros.has_value()) return std::nullopt;
  return local_time(*micros, *static_cast<const TimeZone*>(with));
}

Value local_hour(const void* with, std::span<const Value> given) {
  const auto time = local(with, given[0]);
  return time.has_value() ? Value(std::int64_t{time->hour()}) : Value(Null{});
}

Value weekday(const void* with, std::span<const Value> given) {
  const auto time = local(with, given[0]);
  return time.has_value() ? Value(std::int64_t{time->weekday().iso_encoding()}) : Value(Null{});
}

}  // namespace

std::optional<double> number_of(const Value* value) {
  if (value == nullptr) return std::nullopt;
  if (const auto* integer = std::get_if<std::int64_t>(value)) return static_cast<double>(*integer);
  if (const auto* real = std::get_if<double>(value)) return *real;
  if (const auto* token = std::get_if<Token>(value);
      token != nullptr && compare_numbers(token->text, "0").has_value())
    return std::strtod(token->text.c_str(), nullptr);
  return std::nullopt;
}

std::optional<bool> in_net(std::string_view address, std::string_view net) {
  const std::size_t slash = net.find('/');
  const auto one = address_of(address);
  const auto other = address_of(net.substr(0, slash));
  if (!one.has_value() || !other.has_value()) return std::nullopt;
  const unsigned most = other->four ? 32 : 128;
  unsigned bits = most;
  if (slash != std::string_view::npos) {
    const char* end = net.data() + net.size();
    const auto read = std::from_chars(net.data() + slash + 1, end, bits);
    if (read.ec != std::errc() || read.ptr != end || bits > most) return std::nullopt;
  }
  if (one->four != other->four) return false;
  bits += 128 - most;
  for (std::size_t i = 0; i < 16 && bits > 0; ++i) {
    const unsigned taken = std::min(bits, 8U);
    const auto mask = static_cast<unsigned char>(0xFF00U >> taken);
    if (((one->bytes.at(i) ^ other->bytes.at(i)) & mask) != 0) return false;
    bits -= taken;
  }
  return true;
}

std::vector<ExpressionFunction> rule_functions(const TimeZone& zone) {
  return {{"pct", 2, pct, nullptr},
          {"in_cidr", 2, in_cidr, nullptr},
          {"local_hour", 1, local_hour, &zone},
          {"weekday", 1, weekday, &zone}};
}

}  // namespace vestige
