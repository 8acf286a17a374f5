#include "engine/types/column.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <new>

namespace kappa {
namespace {

constexpr size_t kAlignment = 64;
constexpr size_t kFewestRows = 16;

// Copies elements of `Width` bytes. By memcpy, because the buffer holds whatever type has that
// width; the compiler makes it one or two moves.
template <size_t Width>
void gather_elements(const std::byte* from, std::span<const uint32_t> picked, std::byte* to) {
  for (size_t i = 0; i < picked.size(); ++i) {
    std::memcpy(to + i * Width, from + static_cast<size_t>(picked[i]) * Width, Width);
  }
}

}  // namespace

void Column::Free::operator()(std::byte* bytes) const {
  ::operator delete (bytes, std::align_val_t{kAlignment});
}

Column::Column(Type type, size_t rows) : type_(type), width_(width_of(type.physical())) {
  resize(rows);
}

void Column::grow(size_t rows) {
  const size_t capacity = std::max({rows, capacity_ * 2, kFewestRows});
  std::unique_ptr<std::byte, Free> bytes(
      static_cast<std::byte*>(::operator new (capacity* width_, std::align_val_t{kAlignment})));
  if (rows_ > 0) std::memcpy(bytes.get(), bytes_.get(), rows_ * width_);
  bytes_ = std::move(bytes);
  capacity_ = capacity;
}

void Column::reserve(size_t rows) {
  if (rows > capacity_) grow(rows);
}

void Column::resize(size_t rows) {
  if (rows > capacity_) grow(rows);
  if (rows > rows_) std::memset(bytes_.get() + rows_ * width_, 0, (rows - rows_) * width_);
  rows_ = rows;
  if (!nulls_.empty()) nulls_.resize(rows, 0);
}

std::span<uint8_t> Column::mutable_nulls() {
  if (nulls_.empty()) nulls_.assign(rows_, 0);
  return nulls_;
}

void Column::set_null(size_t row) {
  KAPPA_INVARIANT(row < rows_, "row of a column");
  mutable_nulls()[row] = 1;
  std::memset(bytes_.get() + row * width_, 0, width_);
}

Column Column::gather(std::span<const uint32_t> picked) const {
  Column out(type_);
  out.append(*this, picked);
  return out;
}

void Column::append(const Column& other) {
  KAPPA_INVARIANT(other.type_.physical() == type_.physical(), "appended column has another type");
  if (other.rows_ == 0) return;
  const size_t before = rows_;
  if (before + other.rows_ > capacity_) grow(before + other.rows_);
  std::memcpy(bytes_.get() + before * width_, other.bytes_.get(), other.rows_ * width_);
  rows_ = before + other.rows_;
  if (!nulls_.empty()) nulls_.resize(rows_, 0);
  if (other.has_nulls()) {
    std::copy(other.nulls_.begin(), other.nulls_.end(),
              mutable_nulls().begin() + static_cast<std::ptrdiff_t>(before));
  }
}

void Column::append(const Column& other, std::span<const uint32_t> picked) {
  KAPPA_INVARIANT(other.type_.physical() == type_.physical(), "appended column has another type");
  if (picked.empty()) return;
  const size_t before = rows_;
  if (before + picked.size() > capacity_) grow(before + picked.size());
  rows_ = before + picked.size();
  const std::byte* const from = other.bytes_.get();
  std::byte* const to = bytes_.get() + before * width_;
  switch (width_) {
    case 1:
      gather_elements<1>(from, picked, to);
      break;
    case 4:
      gather_elements<4>(from, picked, to);
      break;
    case 8:
      gather_elements<8>(from, picked, to);
      break;
    default:
      gather_elements<16>(from, picked, to);
      break;
  }
  if (!nulls_.empty()) nulls_.resize(rows_, 0);
  if (!other.has_nulls()) return;
  uint8_t* const nulls = mutable_nulls().data() + before;
  for (size_t i = 0; i < picked.size(); ++i) nulls[i] = other.nulls_[picked[i]];
}

}  // namespace kappa
