#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "absl/status/status.h"
#include "engine/types/batch.h"
#include "engine/types/value.h"
#include "state/key_directory.h"
#include "state/old_images.h"
#include "state/one_row_key.h"
#include "state/packed_rows.h"
#include "state/row_layout.h"
#include "state/row_segments.h"
#include "state/table_id.h"

namespace kappa::state {

// All but the last for tests, which cannot wait for millions of rows or billions of cuts.
struct TableOptions {
  Cut first_cut = 1;  // where cuts begin to count; the count begins anew before it ends
  // How rows are written again, see Table, checkpoints. A quick round begins when so many times the
  // table's rows were written because they changed. It costs a part of that again, and bounds what
  // is kept of old checkpoints to a few times the table.
  uint64_t rewrite_after = 3;
  // Rows that a checkpoint goes round at most: in a quick round; and, as a part of the table, in a
  // slow one, which bounds how many checkpoints are kept however little changes.
  size_t quick_round_rows = 256u << 10;
  size_t slow_round_checkpoints = 1024;
  // The table's rows can be computed again from what is stored otherwise: it is never cut and takes
  // no part in checkpoints.
  bool derived = false;
};

// The hot rows of one operator on one worker: a hash table from key to a fixed-size row. One
// thread, the worker's; between epochs, when all workers rest, the coordinator's.
//
// 8-byte slots {tag, row id} point into rows that lie in segments, so neither rows nor slots move
// when the table grows, and growing never stalls for the whole table (speed.md, decision 5).
//
// Whoever changes a row calls touch() first. The first touch after a cut notes the row as dirty
// and, if somebody still reads an older cut, keeps its old image. So a checkpoint and any number of
// readers see one moment each while updates go on.
class Table {
 public:
  Table(TableId id, RowLayout layout, TableOptions options = {});
  ~Table();
  Table(const Table&) = delete;
  Table& operator=(const Table&) = delete;

  const TableId& id() const { return id_; }
  const RowLayout& layout() const { return layout_; }
  size_t rows() const { return directory_.rows(); }  // live ones
  size_t bytes() const;  // memory in use, strings and old images included
  RowId row_ids_end() const { return rows_.end(); }  // every live RowId is below

  // ---- batched, the hot path ---------------------------------------------------------------

  // For each of the key's rows (columns typed as the layout's key) its row, made if there is none:
  // key filled in, values zero and not null. `hashes` are hash_columns() of the key. rows[i] is
  // valid until the row is erased. `created` (may be null) is set to the i that made a row,
  // ascending. Every row found or made is touched.
  void find_or_insert(std::span<const ColumnRef> key, std::span<const uint64_t> hashes,
                      std::span<RowId> rows, std::vector<uint32_t>* created);
  // As above without making or touching any: kNoRow where there is none.
  void find(std::span<const ColumnRef> key, std::span<const uint64_t> hashes,
            std::span<RowId> rows) const;

  // ---- one row -----------------------------------------------------------------------------

  std::byte* row(RowId row) { return rows_.at(row); }
  const std::byte* row(RowId row) const { return rows_.at(row); }
  bool live(RowId row) const { return (header(rows_.at(row)).flags & kLive) != 0; }
  RowId find_one(const Row& key) const;
  // Before a change to a row found by find() or find_one().
  void touch(RowId row) {
    if (header(rows_.at(row)).touched_cut != cut_) touch_first(row);
  }
  // Removes a row; its id may be given to a later one, once no pinned cut shows the row. Noted as a
  // deletion for the next checkpoint.
  void erase(RowId row);

  // Field access. `image` is row(id) or an old image.
  static bool is_null(const std::byte* image, const RowField& field) {
    return image[field.null_offset] != std::byte{0};
  }
  template <typename T>
  static T& get(std::byte* image, const RowField& field) {
    return *reinterpret_cast<T*>(image + field.offset);
  }
  template <typename T>
  static const T& get(const std::byte* image, const RowField& field) {
    return *reinterpret_cast<const T*>(image + field.offset);
  }
  static void set_null(std::byte* image, const RowField& field, bool null) {
    image[field.null_offset] = std::byte{null};
  }
  // For kString fields. A view into the row: copy it before the row may change.
  static std::string_view get_string(const std::byte* image, const RowField& field) {
    return get<OwnedString>(image, field).view();
  }
  void set_string(RowId row, const RowField& field, std::string_view value);
  // Any field as a Value; appends any field to a column (strings copied into `arena`).
  static Value value(const std::byte* image, const RowField& field);
  static void append_to(const std::byte* image, const RowField& field, Column& column,
                        Arena& arena);
  // As append_to() for each of the images, in order; much faster than one by one.
  static void append_all(std::span<const std::byte* const> images, const RowField& field,
                         Column& column, Arena& arena);

  // ---- cuts --------------------------------------------------------------------------------

  // Ends the present cut and returns it: what was written until now is what image(…, cut) shows for
  // as long as the cut is pinned. Pins count.
  Cut cut_and_pin();
  void unpin(Cut cut);
  // The row as of the cut, which is pinned: nullptr if it did not exist then. Scans go through
  // every id below the row_ids_end() that was in force at the cut.
  const std::byte* image(RowId row, Cut cut) const;
  // The row of a key as of the cut, which is pinned: nullptr if there was none.
  const std::byte* find_image(const Row& key, Cut cut) const;

  // ---- checkpoints -------------------------------------------------------------------------
  //
  // A checkpoint holds the rows that changed since the one before. So that old ones need not be
  // kept for ever, nor be merged with new ones, a table also writes some rows again that did not
  // change: it goes round all its rows, slowly as a rule and quickly once the rows written since
  // the last quick round are a few times those there are. After a round the checkpoints before it
  // hold nothing that later ones do not. Every table takes part in every checkpoint.

  // Bytes (roughly) that the next checkpoint holds because they changed.
  size_t dirty_bytes() const;
  // Starts a checkpoint at a cut made by cut_and_pin(): takes over what is dirty or deleted since
  // the last one. One at a time.
  void begin_checkpoint(Cut cut);
  // Looks at up to `rows_max` of them, more than 0, and packs them. Returns how many it looked at;
  // fewer than `rows_max`: there are no more (then the checkpoint of this table has ended; unpin
  // the cut). Bounded work a call, so that a worker does a slice after each epoch.
  size_t checkpoint_slice(size_t rows_max, PackedTable* packed);

  // ---- storage -----------------------------------------------------------------------------

  // Key and value of a row in their stored form: the key memcomparable (ascending bytes = ascending
  // key, nulls last), the value canonical (equal fields, equal bytes). key_group_of(hash) goes with
  // it.
  void encode(const std::byte* image, std::string* key, std::string* value) const;
  void encode_key(const Row& key, std::string* out) const;
  // Puts a stored row back in (replaces one with the same key), not dirty.
  absl::Status load(std::string_view key, std::string_view value);
  uint32_t key_group(const std::byte* image) const { return header(image).key_group; }

 private:
  // Flags of a row.
  static constexpr uint8_t kLive = 1;
  static constexpr uint8_t kShownOnce = 2;  // was there at some cut: a checkpoint may hold it
  static constexpr uint8_t kAwaited = 4;    // erased, but a pinned cut may show it

  // How keys are compared, chosen once a table.
  enum class KeyKind : uint8_t { kInt64, kText, kInt64Int64, kInt64Int32, kTextInt64, kAny };
  static KeyKind kind_of(const std::vector<RowField>& key);

  struct Deletion {
    Cut cut;  // in which the row was erased
    uint32_t key_group;
    std::string key;
  };

  static RowHeader& header(std::byte* row) { return *reinterpret_cast<RowHeader*>(row); }
  static const RowHeader& header(const std::byte* row) {
    return *reinterpret_cast<const RowHeader*>(row);
  }

  class Touching;

  template <typename F>
  void with_keys(std::span<const ColumnRef> key, F&& f) const;
  template <bool kInsert, typename Keys>
  void find_batch(const Keys& keys, std::span<const uint64_t> hashes, std::span<RowId> rows,
                  std::vector<uint32_t>* created);
  template <typename Keys>
  RowId find_row(const Keys& keys, uint32_t tag, size_t i) const;
  template <typename Keys>
  RowId insert_row(const Keys& keys, uint64_t hash, size_t i);
  void prefetch_row(RowId row) const;
  RowId find_key(const OneRowKey& key) const;
  RowId load_key(const OneRowKey& key);
  bool has_key(const std::byte* image, const OneRowKey& key) const;

  void touch_first(RowId row);
  void note_touched(RowId row);
  RowId new_row();
  void reclaim(size_t images_max);
  void restart_cuts();
  void advance_round();
  size_t pack_deletions(size_t rows_max, PackedTable* packed);
  size_t pack_dirty(size_t rows_max, PackedTable* packed);
  size_t pack_round(size_t rows_max, PackedTable* packed);
  absl::Status read_value(std::string_view stored, RowId row);
  void append_packed_row(const std::byte* image, std::string* blob);

  TableId id_;
  RowLayout layout_;
  TableOptions options_;
  KeyKind key_kind_;
  Cut cut_;             // the present one: changes fall into it
  Cut checkpoint_cut_;  // rows touched later are dirty
  RowSegments rows_;
  KeyDirectory directory_;
  OldImages images_;
  size_t string_bytes_ = 0;

  std::vector<RowId> free_;
  std::vector<RowId> bare_;  // scratch of reclaim()
  std::unordered_multimap<uint32_t, RowId>
      awaited_;  // erased rows that a pinned cut may show, by tag

  size_t touched_in_cut_ = 0;  // rows touched since the present cut began
  std::vector<RowId> dirty_;
  std::deque<Deletion> deleted_;

  // The round through all rows, see above.
  struct Round {
    uint32_t began = 1;  // the checkpoint it began with, by sequence
    RowId next = 0;      // rows below were seen to
    bool quick = false;
    uint64_t rows_written = 0;  // that were dirty, since the last quick round
  };
  Round round_;
  uint32_t checkpoints_ = 0;

  // The checkpoint under way.
  struct Slicing {
    Cut cut = 0;
    Cut last_cut = 0;  // of the checkpoint before
    PackedHead head;
    std::deque<Deletion> deleted;
    std::vector<RowId> rows;
    size_t next = 0;
    RowId round_next = 0;  // rows to go round, up to
    RowId round_end = 0;
  };
  std::optional<Slicing> slicing_;
  std::unique_ptr<char[]> packing_;  // scratch for one row
  size_t packing_bytes_ = 0;
  mutable OneRowKey one_;  // scratch for find_one() and load()
  Row loaded_key_;         // scratch for load(): one_ points into its strings
};

}  // namespace kappa::state
