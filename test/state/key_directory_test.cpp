#include "state/key_directory.h"

#include <random>
#include <unordered_map>
#include <vector>

#include <catch2/catch.hpp>

namespace kappa::state {
namespace {

RowId find_row(const KeyDirectory& directory, uint32_t tag, RowId row) {
  return directory.find(tag, [&](RowId other) { return other == row; });
}

}  // namespace

TEST_CASE("a directory finds every row it was given, while it grows and shrinks") {
  const uint64_t seed = GENERATE(range(1, 4));
  INFO("seed " << seed);
  std::mt19937_64 random(seed);
  KeyDirectory directory;
  std::vector<uint32_t> tags;  // by row
  std::vector<RowId> present;
  for (int step = 0; step < 120'000; ++step) {
    if (present.size() < 20 || random() % 10 < 8) {
      tags.push_back(static_cast<uint32_t>(random()));
      present.push_back(static_cast<RowId>(tags.size() - 1));
      directory.insert(tags.back(), present.back());
    } else {
      std::swap(present[random() % present.size()], present.back());
      directory.erase(tags[present.back()], present.back());
      if (find_row(directory, tags[present.back()], present.back()) != kNoRow) FAIL("erased");
      present.pop_back();
    }
  }
  REQUIRE(directory.rows() == present.size());
  for (RowId row : present) {
    if (find_row(directory, tags[row], row) != row) FAIL("row " << row << " is not found");
  }
  for (int n = 0; n < 1000; ++n) {
    const auto tag = static_cast<uint32_t>(random());
    if (find_row(directory, tag, kNoRow - 1) != kNoRow) FAIL("found what is not there");
  }
}

TEST_CASE("keys made to collide make a directory neither fail nor take much memory") {
  const uint32_t same_bits = GENERATE(12u, 20u, 28u, 32u);
  INFO(same_bits << " low bits are the same");
  KeyDirectory directory;
  constexpr RowId kRows = 12'000;
  const auto tag_of = [&](RowId row) { return same_bits == 32 ? 77u : 77u | row << same_bits; };
  for (RowId row = 0; row < kRows; ++row) directory.insert(tag_of(row), row);
  // Slots for the rows, a quarter used at least, in the one shard that they fall into.
  REQUIRE(directory.bytes() < size_t{64} * kRows);
  for (RowId row = 0; row < kRows; row += 97) {
    if (find_row(directory, tag_of(row), row) != row) FAIL("row " << row << " is not found");
  }
  for (RowId row = 0; row < kRows; row += 2) directory.erase(tag_of(row), row);
  REQUIRE(directory.rows() == kRows / 2);
  for (RowId row = 0; row < kRows; row += 97) {
    const RowId expected = row % 2 == 1 ? row : kNoRow;
    if (find_row(directory, tag_of(row), row) != expected) FAIL("row " << row);
  }
}

}  // namespace kappa::state
