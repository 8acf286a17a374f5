#include <cstring>

#include "engine/log/log.h"
#include "engine/types/invariant.h"

namespace kappa::log {
namespace {

// MurmurHash2 (Austin Appleby, public domain) with the seed that Kafka's clients share. The result
// is part of Kafka's protocol in all but name: producers in any language must agree on it.
uint32_t murmur2(std::string_view bytes) {
  constexpr uint32_t kSeed = 0x9747b28c;
  constexpr uint32_t kMultiplier = 0x5bd1e995;
  constexpr int kShift = 24;

  const char* at = bytes.data();
  size_t left = bytes.size();
  uint32_t hash = kSeed ^ static_cast<uint32_t>(left);
  for (; left >= 4; at += 4, left -= 4) {
    uint32_t word = 0;
    std::memcpy(&word, at, 4);
    word *= kMultiplier;
    word ^= word >> kShift;
    hash = (hash * kMultiplier) ^ (word * kMultiplier);
  }
  if (left > 0) {
    uint32_t rest = 0;
    std::memcpy(&rest, at, left);
    hash = (hash ^ rest) * kMultiplier;
  }
  hash ^= hash >> 13;
  hash *= kMultiplier;
  return hash ^ (hash >> 15);
}

}  // namespace

int32_t partition_for_key(std::string_view key, int32_t partitions) {
  KAPPA_INVARIANT(partitions > 0, "a topic has at least one partition");
  const auto positive = static_cast<int32_t>(murmur2(key) & 0x7fffffff);
  return positive % partitions;
}

}  // namespace kappa::log
