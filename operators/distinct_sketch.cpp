#include "operators/distinct_sketch.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstring>
#include <iterator>
#include <numbers>
#include <vector>

namespace kappa::operators {
namespace {

constexpr size_t kHashBytes = 8;
constexpr int kRankBits = 64 - DistinctSketch::kRegisterBits;
constexpr size_t kRanks = kRankBits + 2;  // of a register: 0 if no value fell to it, to 53
constexpr size_t kRegistersAt = kRanks * 2;
constexpr size_t kDenseBytes = kRegistersAt + DistinctSketch::kRegisters;

// Little-endian words, on any machine that we build for.
static_assert(std::endian::native == std::endian::little);

uint64_t hash_at(std::string_view bytes, size_t i) {
  uint64_t hash;
  std::memcpy(&hash, bytes.data() + i * kHashBytes, kHashBytes);
  return hash;
}

std::vector<uint64_t> hashes_of(std::string_view bytes) {
  std::vector<uint64_t> hashes;
  hashes.reserve(bytes.size() / kHashBytes);
  for (size_t i = 0; i < bytes.size() / kHashBytes; ++i) hashes.push_back(hash_at(bytes, i));
  return hashes;
}

uint16_t count_of_rank(std::string_view bytes, size_t rank) {
  uint16_t count;
  std::memcpy(&count, bytes.data() + rank * 2, 2);
  return count;
}

void add_to_rank(std::string* bytes, size_t rank, int by) {
  const auto count = static_cast<uint16_t>(count_of_rank(*bytes, rank) + by);
  std::memcpy(bytes->data() + rank * 2, &count, 2);
}

struct Place {
  size_t at;  // the register's byte
  uint8_t rank;
};

Place place_of(uint64_t hash) {
  const uint64_t rest = hash << DistinctSketch::kRegisterBits;
  const int zeros = std::min(std::countl_zero(rest), kRankBits);
  return {kRegistersAt + (hash >> kRankBits), static_cast<uint8_t>(zeros + 1)};
}

void raise(std::string* bytes, const Place& place) {
  const auto before = static_cast<uint8_t>((*bytes)[place.at]);
  if (place.rank <= before) return;
  add_to_rank(bytes, before, -1);
  add_to_rank(bytes, place.rank, 1);
  (*bytes)[place.at] = static_cast<char>(place.rank);
}

void make_dense(std::string_view hashes, std::string* dense) {
  dense->assign(kDenseBytes, '\0');
  add_to_rank(dense, 0, static_cast<int>(DistinctSketch::kRegisters));
  for (size_t i = 0; i < hashes.size() / kHashBytes; ++i) {
    raise(dense, place_of(hash_at(hashes, i)));
  }
}

bool is_dense(std::string_view bytes) {
  return bytes.size() == kDenseBytes;
}

// Ertl's sigma and tau: what registers at either end of the ranks stand for.
double sigma(double x) {
  if (x == 1) return HUGE_VAL;
  double y = 1;
  double z = x;
  double before = 0;
  do {
    x *= x;
    before = z;
    z += x * y;
    y += y;
  } while (z != before);
  return z;
}

double tau(double x) {
  if (x == 0 || x == 1) return 0;
  double y = 1;
  double z = 1 - x;
  double before = 0;
  do {
    x = std::sqrt(x);
    before = z;
    y *= 0.5;
    z -= (1 - x) * (1 - x) * y;
  } while (z != before);
  return z / 3;
}

}  // namespace

bool DistinctSketch::add(std::string_view bytes, uint64_t hash, std::string* changed) {
  if (is_dense(bytes)) {
    const Place place = place_of(hash);
    if (place.rank <= static_cast<uint8_t>(bytes[place.at])) return false;
    changed->assign(bytes);
    raise(changed, place);
    return true;
  }
  size_t low = 0;
  size_t high = bytes.size() / kHashBytes;
  const size_t count = high;
  while (low < high) {
    const size_t middle = (low + high) / 2;
    const uint64_t there = hash_at(bytes, middle);
    if (there == hash) return false;
    if (there < hash) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  if (count == kHashesMax) {
    make_dense(bytes, changed);
    raise(changed, place_of(hash));
    return true;
  }
  changed->assign(bytes.substr(0, low * kHashBytes));
  changed->append(reinterpret_cast<const char*>(&hash), kHashBytes);
  changed->append(bytes.substr(low * kHashBytes));
  return true;
}

void DistinctSketch::merge(std::string_view a, std::string_view b, std::string* both) {
  if (!is_dense(a) && !is_dense(b)) {
    const std::vector<uint64_t> left = hashes_of(a);
    const std::vector<uint64_t> right = hashes_of(b);
    std::vector<uint64_t> hashes;
    std::ranges::set_union(left, right, std::back_inserter(hashes));
    const std::string_view bytes(reinterpret_cast<const char*>(hashes.data()),
                                 hashes.size() * kHashBytes);
    if (hashes.size() > kHashesMax) return make_dense(bytes, both);
    both->assign(bytes);
    return;
  }
  if (!is_dense(a)) std::swap(a, b);
  both->assign(a);
  if (is_dense(b)) {
    for (size_t i = 0; i < kRegisters; ++i) {
      raise(both, {kRegistersAt + i, static_cast<uint8_t>(b[kRegistersAt + i])});
    }
    return;
  }
  for (const uint64_t hash : hashes_of(b)) raise(both, place_of(hash));
}

int64_t DistinctSketch::estimate(std::string_view bytes) {
  if (!is_dense(bytes)) return static_cast<int64_t>(bytes.size() / kHashBytes);
  constexpr auto kCount = static_cast<double>(kRegisters);
  double z = kCount * tau(1 - count_of_rank(bytes, kRanks - 1) / kCount);
  for (size_t rank = kRanks - 2; rank >= 1; --rank) z = 0.5 * (z + count_of_rank(bytes, rank));
  z += kCount * sigma(count_of_rank(bytes, 0) / kCount);
  return std::llround(kCount * kCount / (2 * std::numbers::ln2 * z));
}

}  // namespace kappa::operators
