#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "engine/types/type.h"

namespace kappa::state {

// A string that a row owns: up to 12 bytes inline, longer ones on the heap. 16 bytes, as a StringRef.
class OwnedString;

// A field of a row, at a fixed offset; its null byte (1 = null) at another. kString fields hold an
// OwnedString.
struct RowField {
  Type type;
  uint32_t offset = 0;
  uint32_t null_offset = 0;
};

// How a row of a table lies in memory: a header, the key fields, the value fields. Fixed size.
//
//   touched_cut u32 | null bytes, one a field | padding | fields, widest first
class RowLayout {
 public:
  RowLayout(std::vector<Type> key, std::vector<Type> values);

  const std::vector<RowField>& key() const { return key_; }
  const std::vector<RowField>& values() const { return values_; }
  uint32_t row_bytes() const { return row_bytes_; }

 private:
  std::vector<RowField> key_;
  std::vector<RowField> values_;
  uint32_t row_bytes_ = 0;
};

}  // namespace kappa::state
