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

  // Rows that may be written at the same time: the next one to be accepted and those behind it.
  static constexpr size_t kRowsAhead = 8;
  // From here on set() and set_null() write the row that is `ahead`, less than kRowsAhead, behind
  // the next one to be accepted; until the next accept(), take_back() or select().
  void select(size_t ahead) { row_ = accepted_ + ahead; }

  // T is the element of the column's physical type.
  template <typename T>
  void set(size_t column, T value) {
    const Target& target = targets_[column];
    reinterpret_cast<T*>(target.values)[row_ & target.row_mask] = value;
  }
  // The same for one column of several rows: what to add to the next row to be accepted comes
  // first.
  template <typename T>
  class Cells {
   public:
    Cells(const RowWriter& row, size_t column)
        : values_(reinterpret_cast<T*>(row.targets_[column].values)),
          row_mask_(row.targets_[column].row_mask),
          row_(row.accepted_) {}
    void set(size_t ahead, T value) const { values_[(row_ + ahead) & row_mask_] = value; }

   private:
    T* values_;
    size_t row_mask_;
    size_t row_;
  };
  // False if the column must not be null.
  bool set_null(size_t column);
  bool is_required(size_t column) const { return targets_[column].required; }

  // Ends the next row: it came from record number `record`.
  void accept(size_t record) {
    out_->records[accepted_] = static_cast<uint32_t>(record);
    row_ = ++accepted_;
  }
  // Takes back what was written of rows that are not accepted.
  void take_back() {
    row_ = accepted_;
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
  size_t accepted_ = 0;    // rows
  size_t row_ = 0;         // the one that is written
  bool has_null_ = false;  // whether a row that is not accepted may have one
  alignas(16) std::byte nowhere_[16] = {};
};

}  // namespace kappa::schemas
