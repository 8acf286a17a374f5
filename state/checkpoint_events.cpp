#include <iterator>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "engine/types/status_macros.h"
#include "state/checkpoint.h"

// Stored events, which no later checkpoint writes again: read back, and their parts merged.
namespace kappa::state {
namespace {

// So many small parts in a row become one. An event is written again once for so many checkpoints
// at most, until it lies in a part that is not small.
constexpr size_t kMergedParts = 64;
constexpr uint64_t kSmallBytes = StoredEventWriter::kBlobBytes;

}  // namespace

absl::Status CheckpointStore::read_events(const std::set<TableId>& logs,
                                          const VisitEvent& visit) const {
  if (!loaded_.ok()) return loaded_;
  for (const TableId log : logs) {
    const auto parts = parts_.find(log);
    if (parts == parts_.end()) continue;
    for (auto part = parts->second.lower_bound(start_of(log)); part != parts->second.end();
         ++part) {
      KAPPA_RETURN_IF_ERROR(read_events_of(log, part->first, part->second, visit));
    }
  }
  return absl::OkStatus();
}

absl::Status CheckpointStore::read_events_of(TableId log, uint64_t checkpoint,
                                             const CheckpointPart& part,
                                             const VisitEvent& visit) const {
  KAPPA_ASSIGN_OR_RETURN(const std::vector<std::string> blobs, read_part(log, checkpoint, part));
  for (size_t n = 0; n < blobs.size(); ++n) {
    const absl::StatusOr<std::string_view> packed = open_blob(blobs[n]);
    if (!packed.ok()) return damaged_blob(log, checkpoint, n, blobs.size(), packed.status());
    StoredEventReader reader(*packed);
    StoredEvent event;
    while (!reader.at_end()) {
      if (!reader.next(&event)) {
        return damaged_blob(log, checkpoint, n, blobs.size(),
                            absl::DataLossError("it holds something that is no event"));
      }
      KAPPA_RETURN_IF_ERROR(visit(log, checkpoint, event));
    }
  }
  return absl::OkStatus();
}

absl::Status CheckpointStore::merge_small_parts() {
  if (absl::IsNotFound(loaded_)) return absl::OkStatus();
  KAPPA_RETURN_IF_ERROR(loaded_);
  KAPPA_RETURN_IF_ERROR(failed_);
  for (const TableId log : event_logs_) {
    const auto& parts = parts_[log];
    size_t small = 0;
    auto first = parts.end();
    while (first != parts.begin() && std::prev(first)->second.bytes < kSmallBytes) {
      --first;
      ++small;
    }
    if (small >= kMergedParts) KAPPA_RETURN_IF_ERROR(merge_parts(log, first->first));
  }
  return absl::OkStatus();
}

// They become one part of the last one's checkpoint: later than those that its events come from,
// and so kept for as long as any of them counts. Not synced: if this is lost, they are as before.
absl::Status CheckpointStore::merge_parts(TableId log, uint64_t first) {
  std::map<uint64_t, CheckpointPart>& parts = parts_[log];
  const uint64_t last = parts.rbegin()->first;
  StoredEventWriter writer;
  CheckpointHead head = head_;
  WriteBatch batch;
  for (auto part = parts.lower_bound(first); part != parts.end(); ++part) {
    KAPPA_RETURN_IF_ERROR(read_events_of(log, part->first, part->second,
                                         [&](TableId, uint64_t, const StoredEvent& event) {
                                           writer.add(event);
                                           return absl::OkStatus();
                                         }));
    erase_part(log, part->first, part->second, &head, &batch);
  }
  CheckpointPart merged;
  for (std::string& blob : writer.take()) {
    seal_blob(&blob);
    merged.bytes += blob.size();
    batch.put(delta_key(last, log, merged.blobs++), std::move(blob));
  }
  batch.put(part_key(log, last), encode_part(merged));
  head.blobs += merged.blobs;
  head.bytes += merged.bytes;
  batch.put(head_key(), encode_head(head));
  failed_ = store_->write(batch, /*sync=*/false);
  KAPPA_RETURN_IF_ERROR(failed_);
  parts.erase(parts.lower_bound(first), parts.end());
  parts.emplace(last, merged);
  head_ = std::move(head);
  return absl::OkStatus();
}

}  // namespace kappa::state
