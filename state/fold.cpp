#include <algorithm>
#include <memory>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/str_cat.h"
#include "engine/types/arena.h"
#include "engine/types/status_macros.h"
#include "state/checkpoint.h"
#include "state/packed_rows.h"

namespace kappa::state {
namespace {

// Folding pays when the deltas are twice the rows they fold into, but restart reads the deltas: so
// neither often nor never.
constexpr uint64_t kFoldBytesMin = 256u << 20;
constexpr uint64_t kFoldBytesMax = 1u << 30;
// What the rows being merged may take.
constexpr size_t kMergeBytesMax = 64u << 20;
constexpr size_t kBatchBytes = 1u << 20;

}  // namespace

// The rows of some checkpoints, the last state of each key.
class CheckpointStore::Folding {
 public:
  void add(TableId table, const PackedRow& row) {
    key_ = row_key(table, row.key_group, row.key);
    auto at = rows_.find(absl::string_view(key_.data(), key_.size()));
    if (at == rows_.end()) {
      const StringRef kept = arena_.copy(key_);
      at = rows_.emplace(absl::string_view(kept.data, kept.size), Merged{}).first;
    }
    Merged& merged = at->second;
    merged.deleted = row.deleted;
    if (row.deleted) return;
    // The values of a key tend to have one size, so most are replaced where they are.
    if (merged.value.size < row.value.size()) {
      merged.value = arena_.copy(row.value);
    } else if (!row.value.empty()) {
      row.value.copy(const_cast<char*>(merged.value.data), row.value.size());
      merged.value.size = static_cast<uint32_t>(row.value.size());
    }
    merged.value.size = static_cast<uint32_t>(row.value.size());
  }

  size_t bytes() const { return arena_.bytes_reserved() + rows_.size() * kEntryBytes; }

  // Writes the rows in the order of their keys. Not synced: until the blobs are erased, all of this
  // is in the deltas, too.
  absl::Status write_to(StateStore* store, uint64_t* bytes_written) {
    std::vector<std::pair<absl::string_view, const Merged*>> sorted;
    sorted.reserve(rows_.size());
    for (const auto& [key, merged] : rows_) sorted.emplace_back(key, &merged);
    std::sort(sorted.begin(), sorted.end(),
              [](const auto& a, const auto& b) { return a.first < b.first; });
    auto batch = std::make_unique<WriteBatch>();
    for (const auto& [key, merged] : sorted) {
      if (merged->deleted) {
        batch->erase(std::string(key));
      } else {
        batch->put(std::string(key), std::string(merged->value.view()));
      }
      if (batch->bytes() < kBatchBytes) continue;
      *bytes_written += batch->bytes();
      KAPPA_RETURN_IF_ERROR(store->write(*batch, /*sync=*/false));
      batch = std::make_unique<WriteBatch>();
    }
    *bytes_written += batch->bytes();
    return store->write(*batch, /*sync=*/false);
  }

 private:
  struct Merged {
    StringRef value;
    bool deleted = false;
  };
  static constexpr size_t kEntryBytes = 96;  // in the map and while sorting

  Arena arena_;
  absl::flat_hash_map<absl::string_view, Merged> rows_;
  std::string key_;
};

bool CheckpointStore::should_fold() const {
  return head_.delta_bytes > std::clamp(2 * head_.folded_bytes, kFoldBytesMin, kFoldBytesMax);
}

absl::Status CheckpointStore::fold() {
  if (absl::IsNotFound(loaded_)) return absl::OkStatus();
  KAPPA_RETURN_IF_ERROR(loaded_);
  CheckpointHead head = head_;
  Folding folding;
  for (; head.oldest <= head.number && folding.bytes() < kMergeBytesMax; ++head.oldest) {
    KAPPA_ASSIGN_OR_RETURN(const auto blobs, read_blobs(head.oldest));
    for (const auto& [key, stored] : blobs) {
      KAPPA_ASSIGN_OR_RETURN(std::string_view rest, open_blob(key, stored));
      head.delta_bytes -= stored.size();
      PackedRow row;
      while (!rest.empty()) {
        if (!take_packed(&rest, &row)) {
          return absl::DataLossError(absl::StrCat("a delta blob of checkpoint ", head.oldest,
                                                  " holds something that is no row"));
        }
        folding.add(table_of_delta_key(key), row);
      }
    }
  }
  if (head.oldest == head_.oldest) return absl::OkStatus();
  KAPPA_RETURN_IF_ERROR(folding.write_to(store_, &head.folded_bytes));
  WriteBatch last;
  last.erase_range(delta_prefix(head_.oldest), delta_prefix(head.oldest));
  last.erase_range(summary_key(head_.oldest), summary_key(head.oldest));
  last.put(head_key(), encode_head(head));
  KAPPA_RETURN_IF_ERROR(store_->write(last, /*sync=*/false));
  head_ = std::move(head);
  return absl::OkStatus();
}

}  // namespace kappa::state
