#include "engine/log/embedded/followed_partition.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "engine/log/embedded/recovery.h"
#include "engine/types/status_macros.h"

namespace kappa::log {
namespace {

// How often the owner's retention may get in between before we give up.
constexpr int kAttemptsMax = 10;

}  // namespace

absl::StatusOr<bool> FollowedPartition::refresh() {
  const std::lock_guard lock(mutex());
  const Offset before = end();
  absl::Status status;
  for (int attempt = 0; attempt < kAttemptsMax; ++attempt) {
    KAPPA_ASSIGN_OR_RETURN(const std::vector<std::string> names, list_directory(directory()));
    std::vector<Offset> bases;
    for (const std::string& name : names) {
      if (const int64_t base = segment_base_of(name); base >= 0) bases.push_back(Offset{base});
    }
    status = follow(bases);
    if (!absl::IsNotFound(status)) break;
    last_.reset();
  }
  KAPPA_RETURN_IF_ERROR(status);
  if (const std::optional<Offset> mark = read_durable_mark(directory())) set_durable_end(*mark);
  return end() > before;
}

absl::Status FollowedPartition::follow(const std::vector<Offset>& bases) {
  if (bases.empty()) return absl::OkStatus();  // nothing was ever appended
  drop_removed(bases);
  for (const Offset base : bases) {
    if (!segments().empty()) {
      if (base <= segments().back()->base_offset()) continue;
      KAPPA_RETURN_IF_ERROR(finish_last(base));
    }
    segments().push_back(std::make_shared<Segment>(directory(), base));
    last_.reset();
  }
  KAPPA_RETURN_IF_ERROR(extend_last());
  set_end(segments().back()->index.next_offset);
  set_start(segments().front()->base_offset());
  return absl::OkStatus();
}

void FollowedPartition::drop_removed(const std::vector<Offset>& bases) {
  const auto first_left =
      std::find_if(segments().begin(), segments().end(),
                   [&](const auto& segment) { return segment->base_offset() >= bases[0]; });
  if (first_left == segments().end()) last_.reset();
  segments().erase(segments().begin(), first_left);
}

// The last segment known so far is followed by one that starts at `next_base`.
absl::Status FollowedPartition::finish_last(Offset next_base) {
  Segment& segment = *segments().back();
  if (segment.index.size_bytes == 0) {
    KAPPA_ASSIGN_OR_RETURN(const File file, File::open(segment.path(), OpenFor::kReading));
    KAPPA_ASSIGN_OR_RETURN(const int64_t size, file.size());
    if (adopt_summary(&segment, size, next_base)) return absl::OkStatus();
  }
  KAPPA_RETURN_IF_ERROR(extend_last());
  if (segment.index.next_offset != next_base) {
    return damaged(segment.path(), segment.index.size_bytes, segment.index.next_offset,
                   absl::StrCat("the next segment starts at offset ", next_base.value));
  }
  segment.index.entries = {};
  segment.seal();
  return absl::OkStatus();
}

absl::StatusOr<WalkEnd> FollowedPartition::walk_on() {
  Segment& segment = *segments().back();
  KAPPA_ASSIGN_OR_RETURN(const int64_t size, last_->size());
  if (size < segment.index.size_bytes) {
    return damaged(segment.path(), size, segment.index.next_offset,
                   absl::StrCat("the file had ", segment.index.size_bytes, " bytes and has ", size,
                                "; its owner has taken records back"));
  }
  return extend_index(*last_, size, &segment.index);
}

absl::Status FollowedPartition::extend_last() {
  Segment& segment = *segments().back();
  if (!last_) {
    KAPPA_ASSIGN_OR_RETURN(last_, File::open(segment.path(), OpenFor::kReading));
  }
  KAPPA_ASSIGN_OR_RETURN(const WalkEnd stop, walk_on());
  if (stop.why != WalkEnd::Why::kDone) KAPPA_RETURN_IF_ERROR(judge_stop(stop));
  segment.publish(segment.index.size_bytes);
  return absl::OkStatus();
}

// What stopped us may be an append that is being written just now. The owner writes front to back,
// so once a good batch is seen behind it, it has to be good when read again.
absl::Status FollowedPartition::judge_stop(const WalkEnd& stop) {
  KAPPA_ASSIGN_OR_RETURN(const int64_t size, last_->size());
  KAPPA_ASSIGN_OR_RETURN(const bool followed,
                         has_batch_behind(*last_, stop.position, size, stop.next_offset));
  if (!followed) return absl::OkStatus();
  KAPPA_ASSIGN_OR_RETURN(const WalkEnd again, walk_on());
  if (again.why == WalkEnd::Why::kDone || again.position > stop.position) return absl::OkStatus();
  return damaged(segments().back()->path(), again.position, again.next_offset, again.what);
}

}  // namespace kappa::log
