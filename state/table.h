#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "engine/types/batch.h"
#include "engine/types/value.h"
#include "state/row_layout.h"

namespace kappa::state {

using RowId = uint32_t;
inline constexpr RowId kNoRow = ~RowId{0};

// A moment that a table can still show: rows as they were when the cut was made.
using Cut = uint32_t;

// Which table a row belongs to, in storage. Operator ids derive from plan fingerprints, so equal
// logic finds equal state; `part` tells the tables of one operator apart.
struct TableId {
  uint64_t operator_id = 0;
  uint8_t part = 0;
  auto operator<=>(const TableId&) const = default;
};

// The hot rows of one operator on one worker: a hash table from key to a fixed-size row. One thread,
// the worker's; between epochs, when all workers rest, the coordinator's.
//
// 8-byte slots {tag, row id} point into rows that lie in segments, so neither rows nor slots move
// when the table grows, and growing never stalls for the whole table (speed.md, decision 5).
//
// Whoever changes a row calls touch() first. The first touch after a cut notes the row as dirty and,
// if somebody still reads an older cut, keeps its old image. So a checkpoint and any number of
// readers see one moment each while updates go on.
class Table {
 public:
  Table(TableId id, RowLayout layout);
  ~Table();
  Table(const Table&) = delete;
  Table& operator=(const Table&) = delete;

  const TableId& id() const;
  const RowLayout& layout() const;
  size_t rows() const;          // live ones
  size_t bytes() const;         // memory in use, strings and old images included
  RowId row_ids_end() const;    // every live RowId is below

  // ---- batched, the hot path ---------------------------------------------------------------

  // For each of the key's rows (columns typed as the layout's key) its row, made if there is none:
  // key filled in, values zero and not null. `hashes` are hash_columns() of the key. rows[i] is
  // valid until the row is erased. `created` lists the i that made a row, ascending. Every
  // row found or made is touched.
  void find_or_insert(std::span<const ColumnRef> key, std::span<const uint64_t> hashes,
                      std::span<RowId> rows, std::vector<uint32_t>* created);
  // As above without making or touching any: kNoRow where there is none.
  void find(std::span<const ColumnRef> key, std::span<const uint64_t> hashes,
            std::span<RowId> rows) const;

  // ---- one row -----------------------------------------------------------------------------

  std::byte* row(RowId row);
  const std::byte* row(RowId row) const;
  bool live(RowId row) const;
  RowId find_one(const Row& key) const;
  // Before a change to a row found by find() or find_one().
  void touch(RowId row);
  // Removes a row; its id may be given to a later one. Noted as a deletion for the next checkpoint.
  void erase(RowId row);

  // Field access. `image` is row(id) or an old image.
  static bool is_null(const std::byte* image, const RowField& field);
  template <typename T>
  static T& get(std::byte* image, const RowField& field) {
    return *reinterpret_cast<T*>(image + field.offset);
  }
  template <typename T>
  static const T& get(const std::byte* image, const RowField& field) {
    return *reinterpret_cast<const T*>(image + field.offset);
  }
  static void set_null(std::byte* image, const RowField& field, bool null);
  // For kString fields. A view into the row: copy it before the row may change.
  static std::string_view get_string(const std::byte* image, const RowField& field);
  void set_string(RowId row, const RowField& field, std::string_view value);
  // Any field as a Value; appends any field to a column (strings copied into `arena`).
  static Value value(const std::byte* image, const RowField& field);
  static void append_to(const std::byte* image, const RowField& field, Column& column,
                        Arena& arena);

  // ---- cuts --------------------------------------------------------------------------------

  // Ends the present cut and returns it: what was written until now is what image(…, cut) shows for
  // as long as the cut is pinned. Pins count.
  Cut cut_and_pin();
  void unpin(Cut cut);
  // The row as of the cut, which is pinned: nullptr if it did not exist then. Scans go through
  // every id below the row_ids_end() that was in force at the cut.
  const std::byte* image(RowId row, Cut cut) const;

  // ---- checkpoints -------------------------------------------------------------------------

  // Starts a checkpoint at a cut made by cut_and_pin(): takes over what is dirty or deleted since
  // the last one. Bytes (roughly) that were dirty.
  size_t dirty_bytes() const;
  void begin_checkpoint(Cut cut);
  // Encodes up to `rows_max` of them and appends packed rows to `blob`; true when there are no more
  // (then the checkpoint of this table has ended; unpin the cut). Bounded work a call, so that a
  // worker does a slice after each epoch.
  bool checkpoint_slice(size_t rows_max, std::string* blob);

  // ---- storage -----------------------------------------------------------------------------

  // Key and value of a row in their stored form: the key memcomparable (ascending bytes = ascending
  // key, nulls last), the value canonical (equal fields, equal bytes). key_group_of(hash) goes with it.
  void encode(const std::byte* image, std::string* key, std::string* value) const;
  void encode_key(const Row& key, std::string* out) const;
  // Puts a stored row back in (replaces one with the same key), not dirty.
  absl::Status load(std::string_view key, std::string_view value);
  uint32_t key_group(const std::byte* image) const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace kappa::state
