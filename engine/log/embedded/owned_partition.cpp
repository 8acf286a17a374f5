#include "engine/log/embedded/owned_partition.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "engine/log/embedded/file.h"
#include "engine/types/status_macros.h"

namespace kappa::log {
namespace {

// Positions in an index have 32 bits.
constexpr int64_t kAppendBytesMax = int64_t{1} << 30;

bool is_expired(LogTime timestamp, int64_t retention_ms, LogTime now) {
  return saturating_add(timestamp.ms, retention_ms) < now.ms;
}

}  // namespace

absl::StatusOr<std::unique_ptr<OwnedPartition>> OwnedPartition::open(TopicPartition id,
                                                                     std::string directory,
                                                                     Settings settings,
                                                                     bool machine_restarted,
                                                                     std::optional<CutTail>* cut) {
  std::unique_ptr<OwnedPartition> partition(
      new OwnedPartition(std::move(id), std::move(directory), settings));
  KAPPA_ASSIGN_OR_RETURN(
      Recovered recovered,
      recover_partition(partition->id(), partition->directory(), machine_restarted));
  *cut = std::move(recovered.cut);
  if (!recovered.segments.empty()) partition->set_start(recovered.segments[0]->base_offset());
  partition->segments() = std::move(recovered.segments);
  partition->unsynced_ = std::move(recovered.unsynced);
  partition->directory_unsynced_ = recovered.end > recovered.durable_end;
  partition->set_end(recovered.end);
  partition->set_durable_end(recovered.durable_end);
  KAPPA_RETURN_IF_ERROR(partition->sync());
  return partition;
}

absl::Status OwnedPartition::open_active() {
  if (active_ != nullptr) return absl::OkStatus();
  KAPPA_ASSIGN_OR_RETURN(File file, File::open(segments().back()->path(), OpenFor::kWriting));
  active_ = std::make_shared<const File>(std::move(file));
  return absl::OkStatus();
}

// Starts a segment at the end and seals the one before. On an error nothing has changed.
absl::Status OwnedPartition::roll() {
  auto segment = std::make_shared<Segment>(directory(), end());
  KAPPA_ASSIGN_OR_RETURN(File file, File::open(segment->path(), OpenFor::kCreating));
  // A file may be there from a roll before an append that failed; it holds nothing.
  KAPPA_RETURN_IF_ERROR(file.truncate(0));
  if (!segments().empty()) {
    if (active_ != nullptr) unsynced_.push_back(active_);
    seal_with_index(segments().back().get());
  }
  segments().push_back(std::move(segment));
  active_ = std::make_shared<const File>(std::move(file));
  directory_unsynced_ = true;
  return absl::OkStatus();
}

absl::Status OwnedPartition::stage(BatchEncoder* batches) {
  KAPPA_RETURN_IF_ERROR(failure_);
  const auto bytes = static_cast<int64_t>(batches->bytes().size());
  if (bytes > kAppendBytesMax) {
    return absl::InvalidArgumentError(absl::StrCat(name(), ": ", bytes,
                                                   " bytes in one append; at most ",
                                                   kAppendBytesMax, " fit, append them in parts"));
  }
  const int64_t size = segments().empty() ? 0 : segments().back()->visible_bytes();
  if (segments().empty() || (size > 0 && size + bytes > settings_.segment_bytes)) {
    KAPPA_RETURN_IF_ERROR(roll());
  }
  KAPPA_RETURN_IF_ERROR(open_active());
  batches->set_base_offset(end());
  absl::Status written = active_->write_at(segments().back()->visible_bytes(), batches->bytes());
  if (!written.ok()) undo();
  return written;
}

void OwnedPartition::undo() {
  const absl::Status truncated = active_->truncate(segments().back()->visible_bytes());
  if (truncated.ok()) return;
  // What the failed append has left behind the end might be taken for records one day.
  failure_ = absl::Status(truncated.code(),
                          absl::StrCat(name(),
                                       " takes no more records until the log is opened "
                                       "anew, since a failed append could not be undone: ",
                                       truncated.message()));
}

Offset OwnedPartition::publish(const BatchEncoder& batches) {
  const Offset first = end();
  Segment& segment = *segments().back();
  for (const BatchEncoder::BatchSpan& batch : batches.batches()) {
    segment.index.add_batch(static_cast<int64_t>(batch.size_bytes), batch.record_count,
                            batch.max_timestamp);
  }
  segment.publish(segment.index.size_bytes);
  set_end(segment.index.next_offset);
  return first;
}

absl::Status OwnedPartition::sync() {
  if (range().durable_end == end()) return absl::OkStatus();
  std::vector<std::shared_ptr<const File>> files;
  bool directory_unsynced = false;
  Offset reached;
  {
    const std::unique_lock held = lock();
    KAPPA_RETURN_IF_ERROR(failure_);
    files = std::exchange(unsynced_, {});
    if (active_ != nullptr) files.push_back(active_);
    directory_unsynced = std::exchange(directory_unsynced_, false);
    reached = end();
  }
  if (settings_.fsync) {
    absl::Status synced = directory_unsynced ? sync_directory(directory()) : absl::OkStatus();
    for (const std::shared_ptr<const File>& file : files) {
      if (synced.ok()) synced = file->sync();
    }
    if (!synced.ok()) {
      // The kernel may have dropped the pages it could not write: a second sync would succeed
      // without having written them.
      const std::unique_lock held = lock();
      failure_ = absl::Status(synced.code(), absl::StrCat(name(),
                                                          " takes no more records until the log is "
                                                          "opened anew, since a sync failed: ",
                                                          synced.message()));
      return failure_;
    }
    write_durable_mark(directory(), reached);
  }
  set_durable_end(reached);
  return absl::OkStatus();
}

bool OwnedPartition::should_roll_for_retention(const TopicConfig& config, LogTime now) {
  if (!config.retention_ms || segments().empty()) return false;
  const SegmentIndex& index = segments().back()->index;
  return index.size_bytes > 0 && is_expired(index.first_timestamp, *config.retention_ms, now);
}

std::vector<std::shared_ptr<Segment>> OwnedPartition::take_removable(const TopicConfig& config,
                                                                     LogTime now) {
  int64_t total = 0;
  for (const auto& segment : segments()) total += segment->visible_bytes();
  std::vector<std::shared_ptr<Segment>> removable;
  while (segments().size() > removable.size() + 1) {  // the last one is being written
    const std::shared_ptr<Segment>& oldest = segments()[removable.size()];
    const bool too_old =
        config.retention_ms && is_expired(oldest->index.max_timestamp, *config.retention_ms, now);
    const bool too_many =
        config.retention_bytes && total - oldest->visible_bytes() >= *config.retention_bytes;
    if (!too_old && !too_many) break;
    total -= oldest->visible_bytes();
    removable.push_back(oldest);
  }
  segments().erase(segments().begin(),
                   segments().begin() + static_cast<std::ptrdiff_t>(removable.size()));
  if (!removable.empty()) set_start(segments().front()->base_offset());
  return removable;
}

absl::Status OwnedPartition::enforce_retention(const TopicConfig& config, LogTime now) {
  if (!config.retention_ms && !config.retention_bytes) return absl::OkStatus();
  std::vector<std::shared_ptr<Segment>> removable;
  {
    const std::unique_lock held = lock();
    if (should_roll_for_retention(config, now)) KAPPA_RETURN_IF_ERROR(roll());
    removable = take_removable(config, now);
  }
  if (removable.empty()) return absl::OkStatus();
  // The end is remembered by the name of the last segment: it has to be safe before the others go.
  if (settings_.fsync) KAPPA_RETURN_IF_ERROR(sync_directory(directory()));
  for (const auto& segment : removable) {
    KAPPA_RETURN_IF_ERROR(remove_path(segment->path()));
    KAPPA_RETURN_IF_ERROR(remove_path(segment->index_path()));
  }
  return absl::OkStatus();
}

}  // namespace kappa::log
