#include <random>
#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include "engine/types/crc32c.h"

namespace kappa {
namespace {

// The definition, a bit at a time.
uint32_t crc32c_by_bits(const std::string& bytes) {
  uint32_t crc = 0xffffffff;
  for (const char c : bytes) {
    crc ^= static_cast<uint8_t>(c);
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ ((crc & 1) != 0 ? 0x82f63b78u : 0);
  }
  return ~crc;
}

}  // namespace

TEST_CASE("crc32c gives the published check values") {
  CHECK(crc32c("", 0) == 0);
  CHECK(crc32c("123456789", 9) == 0xe3069283);
  // RFC 3720, B.4.
  CHECK(crc32c(std::string(32, '\0').data(), 32) == 0x8a9136aa);
  CHECK(crc32c(std::string(32, '\xff').data(), 32) == 0x62a8ab43);
  std::string ascending;
  for (int i = 0; i < 32; ++i) ascending.push_back(static_cast<char>(i));
  CHECK(crc32c(ascending.data(), 32) == 0x46dd794e);
}

TEST_CASE("crc32c equals its definition at every length and alignment") {
  const auto seed = std::random_device{}();
  INFO("seed " << seed);
  std::mt19937 random(seed);
  std::string bytes(3000, '\0');
  for (char& c : bytes) c = static_cast<char>(random());
  for (size_t start = 0; start < 9; ++start) {
    for (size_t size = 0; size < 1700; size += 1 + size / 50) {
      const uint32_t expected = crc32c_by_bits(bytes.substr(start, size));
      REQUIRE(crc32c(bytes.data() + start, size) == expected);
      REQUIRE(crc32c_portable(bytes.data() + start, size) == expected);
    }
    REQUIRE(crc32c(bytes.data() + start, 2900) == crc32c_by_bits(bytes.substr(start, 2900)));
  }
}

TEST_CASE("crc32c of two parts continues from the first") {
  const std::string text = "the quick brown fox jumps over the lazy dog, and again, and again";
  for (size_t cut = 0; cut <= text.size(); ++cut) {
    const uint32_t first = crc32c(text.data(), cut);
    CHECK(crc32c(text.data() + cut, text.size() - cut, first) == crc32c(text.data(), text.size()));
  }
}

}  // namespace kappa
