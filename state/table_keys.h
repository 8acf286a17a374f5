#pragma once

#include <bit>
#include <cmath>
#include <cstring>
#include <limits>
#include <span>
#include <vector>

#include "engine/types/column.h"
#include "state/row_layout.h"

// Keys of a batch, as the table compares them with rows and writes them into new ones. One class
// for each kind of key, so that the loop over a batch is compiled for it. Each has
//
//   bool equal(const std::byte* row, size_t i) const     whether the row has the key of row i
//   ptrdiff_t write(std::byte* row, size_t i) const      fills in the key; the row was zero;
//                                                        returns the heap bytes its strings take
//   void prefetch(const std::byte* row) const            fetches what of the key lies elsewhere;
//                                                        if kMayBeLong
//
// Nulls equal nulls: they form a group of their own. Under a null both sides hold zero.
namespace kappa::state {

inline bool null_byte_is(const std::byte* row, uint32_t offset, const uint8_t* nulls, size_t i) {
  return static_cast<uint8_t>(row[offset]) == (nulls != nullptr ? nulls[i] : 0);
}
inline void write_null_byte(std::byte* row, uint32_t offset, const uint8_t* nulls, size_t i) {
  row[offset] = static_cast<std::byte>(nulls != nullptr ? nulls[i] : 0);
}
inline const uint8_t* nulls_of(const Column& column) {
  return column.has_nulls() ? column.nulls().data() : nullptr;
}

// One column of whole numbers of type T.
template <typename T>
class NumberKeys {
 public:
  static constexpr bool kMayBeLong = false;

  NumberKeys(const RowField& field, const Column& column)
      : values_(column.values<T>().data()),
        nulls_(nulls_of(column)),
        offset_(field.offset),
        null_offset_(field.null_offset) {}

  bool equal(const std::byte* row, size_t i) const {
    T value;
    std::memcpy(&value, row + offset_, sizeof(value));
    return value == values_[i] && null_byte_is(row, null_offset_, nulls_, i);
  }
  void prefetch(const std::byte*) const {}
  ptrdiff_t write(std::byte* row, size_t i) const {
    std::memcpy(row + offset_, &values_[i], sizeof(T));
    write_null_byte(row, null_offset_, nulls_, i);
    return 0;
  }

 private:
  const T* values_;
  const uint8_t* nulls_;
  uint32_t offset_;
  uint32_t null_offset_;
};

// One column of text.
class TextKeys {
 public:
  static constexpr bool kMayBeLong = true;

  TextKeys(const RowField& field, const Column& column)
      : values_(column.values<StringRef>().data()),
        nulls_(nulls_of(column)),
        offset_(field.offset),
        null_offset_(field.null_offset) {}

  bool equal(const std::byte* row, size_t i) const {
    return reinterpret_cast<const OwnedString*>(row + offset_)->equals(values_[i]) &&
           null_byte_is(row, null_offset_, nulls_, i);
  }
  void prefetch(const std::byte* row) const {
    reinterpret_cast<const OwnedString*>(row + offset_)->prefetch();
  }
  ptrdiff_t write(std::byte* row, size_t i) const {
    write_null_byte(row, null_offset_, nulls_, i);
    return reinterpret_cast<OwnedString*>(row + offset_)->assign(values_[i].view());
  }

 private:
  const StringRef* values_;
  const uint8_t* nulls_;
  uint32_t offset_;
  uint32_t null_offset_;
};

// Two columns: a group and its window or day, as a rule.
template <typename First, typename Second>
class PairKeys {
 public:
  static constexpr bool kMayBeLong = First::kMayBeLong || Second::kMayBeLong;

  PairKeys(const std::vector<RowField>& fields, std::span<const ColumnRef> columns)
      : first_(fields[0], *columns[0]), second_(fields[1], *columns[1]) {}

  bool equal(const std::byte* row, size_t i) const {
    return first_.equal(row, i) && second_.equal(row, i);
  }
  void prefetch(const std::byte* row) const {
    first_.prefetch(row);
    second_.prefetch(row);
  }
  ptrdiff_t write(std::byte* row, size_t i) const {
    return first_.write(row, i) + second_.write(row, i);
  }

 private:
  First first_;
  Second second_;
};

// Any columns, also none. Doubles are compared and kept as hash_columns() sees them: one zero, one
// NaN.
class AnyKeys {
 public:
  static constexpr bool kMayBeLong = true;

  AnyKeys(const std::vector<RowField>& fields, std::span<const ColumnRef> columns) {
    columns_.reserve(columns.size());
    for (size_t c = 0; c < columns.size(); ++c) {
      const PhysicalType physical = fields[c].type.physical();
      dispatch_physical(physical, [&]<typename T>() {
        const auto* values = reinterpret_cast<const std::byte*>(columns[c]->values<T>().data());
        columns_.push_back(
            {values, nulls_of(*columns[c]), fields[c].offset, fields[c].null_offset, physical});
      });
      if (physical == PhysicalType::kString) string_offsets_.push_back(fields[c].offset);
    }
  }

  bool equal(const std::byte* row, size_t i) const {
    for (const KeyColumn& column : columns_) {
      if (!null_byte_is(row, column.null_offset, column.nulls, i)) return false;
      if (!equal_value(column, row + column.offset, i)) return false;
    }
    return true;
  }

  void prefetch(const std::byte* row) const {
    for (uint32_t offset : string_offsets_) {
      reinterpret_cast<const OwnedString*>(row + offset)->prefetch();
    }
  }

  ptrdiff_t write(std::byte* row, size_t i) const {
    ptrdiff_t heap_bytes = 0;
    for (const KeyColumn& column : columns_) {
      write_null_byte(row, column.null_offset, column.nulls, i);
      std::byte* to = row + column.offset;
      if (column.physical == PhysicalType::kString) {
        heap_bytes += reinterpret_cast<OwnedString*>(to)->assign(at<StringRef>(column, i).view());
      } else if (column.physical == PhysicalType::kDouble) {
        const uint64_t bits = canonical_bits(at<double>(column, i));
        std::memcpy(to, &bits, sizeof(bits));
      } else {
        const size_t width = width_of(column.physical);
        std::memcpy(to, column.values + i * width, width);
      }
    }
    return heap_bytes;
  }

 private:
  struct KeyColumn {
    const std::byte* values;
    const uint8_t* nulls;
    uint32_t offset;
    uint32_t null_offset;
    PhysicalType physical;
  };

  template <typename T>
  static const T& at(const KeyColumn& column, size_t i) {
    return reinterpret_cast<const T*>(column.values)[i];
  }

  static uint64_t canonical_bits(double value) {
    if (std::isnan(value)) value = std::numeric_limits<double>::quiet_NaN();
    return std::bit_cast<uint64_t>(value == 0.0 ? 0.0 : value);
  }

  static bool equal_value(const KeyColumn& column, const std::byte* field, size_t i) {
    switch (column.physical) {
      case PhysicalType::kInt8:
        return std::memcmp(field, column.values + i, 1) == 0;
      case PhysicalType::kInt32:
        return std::memcmp(field, column.values + 4 * i, 4) == 0;
      case PhysicalType::kInt64:
        return std::memcmp(field, column.values + 8 * i, 8) == 0;
      case PhysicalType::kInt128:
        return std::memcmp(field, column.values + 16 * i, 16) == 0;
      case PhysicalType::kDouble: {
        const uint64_t bits = canonical_bits(at<double>(column, i));
        return std::memcmp(field, &bits, sizeof(bits)) == 0;
      }
      case PhysicalType::kString:
        return reinterpret_cast<const OwnedString*>(field)->equals(at<StringRef>(column, i));
    }
    return false;
  }

  std::vector<KeyColumn> columns_;
  std::vector<uint32_t> string_offsets_;
};

}  // namespace kappa::state
