#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include "engine/types/invariant.h"
#include "engine/types/string_ref.h"
#include "engine/types/type.h"

namespace kappa {

using int128 = __int128;

// One value a row, of one type. Built by one thread, then shared as `ColumnRef` and never changed.
//
// Nulls are one byte a row (1 = null) and exist only if some row may be null: `nulls()` is empty
// otherwise. A byte rather than a bit, because kernels then combine nulls with the same plain loops
// that the compiler vectorises for values. The value under a null is zero (or an empty string).
class Column {
 public:
  explicit Column(Type type, size_t rows = 0);
  // A moved-from column may only be destroyed or assigned to.
  // What is moved from has no rows.
  Column(Column&& other) noexcept
      : type_(other.type_),
        width_(other.width_),
        rows_(std::exchange(other.rows_, 0)),
        capacity_(std::exchange(other.capacity_, 0)),
        bytes_(std::move(other.bytes_)),
        nulls_(std::exchange(other.nulls_, {})) {}
  Column& operator=(Column&& other) noexcept {
    type_ = other.type_;
    width_ = other.width_;
    rows_ = std::exchange(other.rows_, 0);
    capacity_ = std::exchange(other.capacity_, 0);
    bytes_ = std::move(other.bytes_);
    nulls_ = std::exchange(other.nulls_, {});
    return *this;
  }

  const Type& type() const { return type_; }
  size_t rows() const { return rows_; }
  // Sets the row count; new rows are zero and not null. Growth keeps what is there; resize(0)
  // forgets the nulls too.
  void resize(size_t rows);
  void reserve(size_t rows);

  // The values. T must be the element of type().physical(): int8_t, int32_t, int64_t, int128,
  // double or StringRef.
  template <typename T>
  std::span<T> values() {
    KAPPA_INVARIANT(sizeof(T) == width_, "element width");
    return {reinterpret_cast<T*>(bytes_.get()), rows_};
  }
  template <typename T>
  std::span<const T> values() const {
    KAPPA_INVARIANT(sizeof(T) == width_, "element width");
    return {reinterpret_cast<const T*>(bytes_.get()), rows_};
  }

  bool has_nulls() const { return !nulls_.empty(); }
  // Empty, or rows() bytes.
  std::span<const uint8_t> nulls() const { return nulls_; }
  // rows() bytes, made (as "none null") if they were not there.
  std::span<uint8_t> mutable_nulls();
  bool is_null(size_t row) const { return !nulls_.empty() && nulls_[row] != 0; }
  // Marks a row null and zeroes its value.
  void set_null(size_t row);

  // The rows `picked` of this column, in that order. Strings go on pointing where they did.
  Column gather(std::span<const uint32_t> picked) const;
  // Adds all rows of `other`, which has the same type, or those that are `picked`, in that order.
  void append(const Column& other);
  void append(const Column& other, std::span<const uint32_t> picked);

 private:
  struct Free {
    void operator()(std::byte* bytes) const;
  };
  void grow(size_t rows);

  Type type_;
  uint32_t width_;
  size_t rows_ = 0;
  size_t capacity_ = 0;
  std::unique_ptr<std::byte, Free> bytes_;  // aligned to 64
  std::vector<uint8_t> nulls_;
};

using ColumnRef = std::shared_ptr<const Column>;

// Calls f.template operator()<T>() with the element type of `physical`.
template <typename F>
decltype(auto) dispatch_physical(PhysicalType physical, F&& f) {
  switch (physical) {
    case PhysicalType::kInt8:
      return f.template operator()<int8_t>();
    case PhysicalType::kInt32:
      return f.template operator()<int32_t>();
    case PhysicalType::kInt64:
      return f.template operator()<int64_t>();
    case PhysicalType::kInt128:
      return f.template operator()<int128>();
    case PhysicalType::kDouble:
      return f.template operator()<double>();
    case PhysicalType::kString:
      return f.template operator()<StringRef>();
  }
  invariant_failed("physical type", "unknown physical type", __FILE__, __LINE__);
}

}  // namespace kappa
