#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "schemas/decoder.h"

namespace kappa::schemas {

// Where a decoder writes a row, column by column, in any order: into the wanted columns of a
// Decoded, or nowhere for the columns that are only checked. A row counts once it is accepted;
// until then it can be taken back. Columns are named by their index in the source.
class RowWriter {
 public:
  RowWriter(const Source& source, std::vector<int> wanted);
  RowWriter(const RowWriter&) = delete;
  RowWriter& operator=(const RowWriter&) = delete;

  // Makes room in `out` for as many rows as there are records; `out` must outlive finish().
  void begin(size_t records, Decoded* out);
  // Cuts `out` to the rows accepted.
  void finish();

  // T is the element of the column's physical type.
  template <typename T>
  void set(size_t column, T value) {
    const Target& target = targets_[column];
    reinterpret_cast<T*>(target.values)[row_ & target.row_mask] = value;
  }
  // False if the column must not be null.
  bool set_null(size_t column);
  bool is_required(size_t column) const { return targets_[column].required; }

  // Ends the row: it came from record number `record`.
  void accept(size_t record) { out_->records[row_++] = static_cast<uint32_t>(record); }
  // Takes back what was written of the row.
  void take_back() {
    if (has_null_) [[unlikely]]
      take_back_nulls();
  }
  // Takes back the row and notes why its record is none.
  void reject(size_t record, std::string reason);

 private:
  struct Target {
    std::byte* values = nullptr;
    uint8_t* nulls = nullptr;  // made when the first null comes
    size_t row_mask = 0;       // all ones for wanted columns; 0: every row goes to the same place
    int wanted = -1;           // index into the columns of the Decoded, or -1
    uint32_t width = 0;
    bool required = false;
  };

  void take_back_nulls();

  std::vector<Target> targets_;  // one for each column of the source
  std::vector<int> wanted_;
  std::vector<Type> wanted_types_;
  Decoded* out_ = nullptr;
  size_t row_ = 0;
  bool has_null_ = false;  // whether the row at hand may have one
  alignas(16) std::byte nowhere_[16] = {};
};

}  // namespace kappa::schemas
