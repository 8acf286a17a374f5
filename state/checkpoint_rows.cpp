#include <algorithm>
#include <utility>

#include "absl/container/flat_hash_set.h"
#include "absl/strings/str_cat.h"
#include "engine/types/arena.h"
#include "engine/types/status_macros.h"
#include "state/checkpoint.h"

// Reading a checkpoint's rows back.
namespace kappa::state {
namespace {

absl::Status damaged(TableId table, uint64_t checkpoint, const std::string& what) {
  return absl::DataLossError(
      absl::StrCat("checkpoint ", checkpoint, ", table ", to_string(table), ": ", what));
}

// Keys (with their key groups) that were seen. Keeps copies.
class SeenKeys {
 public:
  // Whether the key was not seen before.
  bool add(const PackedRow& row) {
    key_.assign(1, static_cast<char>(row.key_group));
    key_ += row.key;
    bool added = false;
    keys_.lazy_emplace(absl::string_view(key_), [&](const auto& construct) {
      const StringRef kept = arena_.copy(key_);
      construct(absl::string_view(kept.data, kept.size));
      added = true;
    });
    return added;
  }

 private:
  Arena arena_;
  absl::flat_hash_set<absl::string_view> keys_;
  std::string key_;
};

}  // namespace

absl::Status CheckpointStore::damaged_blob(TableId table, uint64_t checkpoint, size_t n,
                                           size_t blobs, const absl::Status& why) {
  return damaged(
      table, checkpoint,
      absl::StrCat("blob ", n, " of ", blobs, " is damaged: ", std::string(why.message())));
}

absl::Status CheckpointStore::read_rows(const VisitRow& visit, const std::set<TableId>& but) const {
  if (!loaded_.ok()) return loaded_;
  for (const auto& [table, parts] : parts_) {
    if (!but.contains(table)) KAPPA_RETURN_IF_ERROR(read_table(table, visit));
  }
  return absl::OkStatus();
}

uint64_t CheckpointStore::start_of(TableId table) const {
  const auto start = head_.starts.find(table);
  return start == head_.starts.end() ? 1 : start->second;
}

absl::Status CheckpointStore::read_blob(std::string_view blob, std::vector<PackedRow>* rows) {
  KAPPA_ASSIGN_OR_RETURN(std::string_view rest, open_blob(blob));
  while (!rest.empty()) {
    if (!take_packed(&rest, &rows->emplace_back())) {
      return absl::DataLossError("it holds something that is no row");
    }
  }
  return absl::OkStatus();
}

// Backwards, so the first word on a key is the last.
absl::Status CheckpointStore::read_table(TableId table, const VisitRow& visit) const {
  const uint64_t first = start_of(table);
  const auto& parts = parts_.at(table);
  SeenKeys seen;
  std::vector<PackedRow> rows;
  for (auto part = parts.rbegin(); part != parts.rend() && part->first >= first; ++part) {
    const uint64_t checkpoint = part->first;
    KAPPA_ASSIGN_OR_RETURN(const std::vector<std::string> blobs,
                           read_part(table, checkpoint, part->second));
    for (auto blob = blobs.rbegin(); blob != blobs.rend(); ++blob) {
      rows.clear();
      const absl::Status read = read_blob(*blob, &rows);
      if (!read.ok()) {
        return damaged_blob(table, checkpoint, static_cast<size_t>(blobs.rend() - blob - 1),
                            blobs.size(), read);
      }
      for (auto row = rows.rbegin(); row != rows.rend(); ++row) {
        if (!seen.add(*row) || row->deleted) continue;
        KAPPA_RETURN_IF_ERROR(visit(table, row->key_group, row->key, row->value));
      }
    }
  }
  return absl::OkStatus();
}

absl::StatusOr<std::vector<std::string>> CheckpointStore::read_part(
    TableId table, uint64_t checkpoint, const CheckpointPart& part) const {
  std::vector<std::string> blobs;
  uint64_t bytes = 0;
  KAPPA_RETURN_IF_ERROR(store_->scan(delta_key(checkpoint, table, 0),
                                     delta_key(checkpoint, table, part.blobs),
                                     [&](std::string_view /*key*/, std::string_view value) {
                                       blobs.emplace_back(value);
                                       bytes += value.size();
                                       return true;
                                     }));
  if (blobs.size() == part.blobs && bytes == part.bytes) return blobs;
  return damaged(table, checkpoint,
                 absl::StrCat("it has ", blobs.size(), " blobs of ", bytes, " bytes instead of ",
                              part.blobs, " of ", part.bytes));
}

}  // namespace kappa::state
