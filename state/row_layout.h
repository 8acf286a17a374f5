#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "engine/types/type.h"
#include "state/owned_string.h"

namespace kappa::state {

// What every row begins with; the null bytes follow at once. Belongs to the table: operators see
// fields only.
struct RowHeader {
  uint32_t touched_cut;  // the cut in which the row was last touched
  uint32_t tag;          // the low half of the key's hash: finds the row's slot
  uint32_t old_image;    // the newest image kept of an earlier state, or kNoOldImage
  uint8_t key_group;
  uint8_t flags;
};
inline constexpr uint32_t kNoOldImage = ~uint32_t{0};
inline constexpr uint32_t kRowHeaderBytes = 14;
static_assert(offsetof(RowHeader, flags) + 1 == kRowHeaderBytes);

// A field of a row, at a fixed offset; its null byte (1 = null) at another. kString fields hold an
// OwnedString. The value under a null is zero (an empty string).
struct RowField {
  Type type;
  uint32_t offset = 0;
  uint32_t null_offset = 0;
};

// How a row of a table lies in memory: a header, the key fields, the value fields. Fixed size.
//
//   RowHeader | null bytes, one a field | key fields, widest first | value fields, widest first
//
// Each field is aligned to its width (strings to 8 bytes); a gap before a wide value is filled with
// narrower ones. The key comes first, so that finding a row reads its first cache line only.
class RowLayout {
 public:
  RowLayout(std::vector<Type> key, std::vector<Type> values);

  const std::vector<RowField>& key() const { return key_; }
  const std::vector<RowField>& values() const { return values_; }
  // The fields that own strings, of key and values.
  const std::vector<RowField>& strings() const { return strings_; }
  uint32_t row_bytes() const { return row_bytes_; }

 private:
  std::vector<RowField> key_;
  std::vector<RowField> values_;
  std::vector<RowField> strings_;
  uint32_t row_bytes_ = 0;
};

}  // namespace kappa::state
