#pragma once

#include <array>
#include <cstdint>
#include <span>

#include "absl/status/statusor.h"
#include "engine/types/decimal.h"
#include "operators/functions_kernel.h"

// Reading numeric arguments of any precision. Internal to operators/functions_*.cpp and cast*.cpp.
namespace kappa::operators {

inline constexpr int kNumericDigitsMax = 38;
// int64_t holds every number of this many digits.
inline constexpr int kInt64Digits = 18;

// The numeric type that holds every value of an integer or numeric type.
constexpr Type numeric_type_of(const Type& type) {
  if (type.id == TypeId::kInteger) return Type::numeric(10, 0);
  if (type.id == TypeId::kBigint) return Type::numeric(19, 0);
  return type;
}

// Whether an argument's values, moved up by `shift` digits, fit an int64_t.
inline bool fits_int64(const KernelArg& arg, int shift) {
  const Type& type = arg.column->type();
  if (type.physical() == PhysicalType::kInt128) return false;
  return shift == 0 || numeric_type_of(type).precision + shift <= kInt64Digits;
}

// Copies the scaled values of a numeric or integer argument at the rows selection[first, first +
// count) to `to`. A constant is copied to each.
void load_scaled(const KernelArg& arg, Selection selection, size_t first, size_t count, int128* to);

// A few rows at once: big enough to vectorise, small enough for the stack and the nearest cache.
inline constexpr size_t kChunkRows = 128;
using Chunk = std::array<int128, kChunkRows>;

// Calls f(first, count) for the selection, chunk by chunk.
template <typename F>
inline void for_chunks(Selection selection, F&& f) {
  for (size_t first = 0; first < selection.count; first += kChunkRows) {
    f(first, std::min(kChunkRows, selection.count - first));
  }
}

// Writes a numeric result of 64 or 128 bits; an int64_t column's type promises that it fits.
class NumericWriter {
 public:
  explicit NumericWriter(Column& out);
  void write(uint32_t row, int128 value) const {
    if (narrow_ != nullptr) {
      narrow_[row] = static_cast<int64_t>(value);
    } else {
      wide_[row] = value;
    }
  }

 private:
  int64_t* narrow_ = nullptr;
  int128* wide_ = nullptr;
};

// "numeric out of range: more than 38 digits"
extern const char* const kNumericOutOfRange;

// a * b / divisor, half up (away from zero), through 256 bits; false: division by zero or more than
// 38 digits. For the rare rows whose product does not fit 128 bits.
bool multiply_divide(int128 a, int128 b, int128 divisor, int128* result);

}  // namespace kappa::operators
