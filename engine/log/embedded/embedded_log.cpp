#include "engine/log/embedded/embedded_log.h"

#include "absl/strings/str_cat.h"
#include "engine/log/embedded/follower_log.h"
#include "engine/log/embedded/owner_log.h"
#include "engine/types/status_macros.h"

namespace kappa::log {
namespace {

constexpr int64_t kSegmentBytesMin = 1 << 10;
constexpr int64_t kSegmentBytesMax = int64_t{1} << 30;
constexpr int64_t kIntervalMsMax = 24 * 60 * 60 * 1000;

absl::Status check(const char* option, int64_t found, int64_t least, int64_t greatest) {
  if (found >= least && found <= greatest) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat("embedded log: ", option, " is ", found,
                                                 "; it must be ", least, " to ", greatest));
}

}  // namespace

absl::StatusOr<std::unique_ptr<EmbeddedLog>> open_embedded_log(const std::string& directory,
                                                               const EmbeddedLogOptions& options) {
  KAPPA_RETURN_IF_ERROR(
      check("segment_bytes", options.segment_bytes, kSegmentBytesMin, kSegmentBytesMax));
  KAPPA_RETURN_IF_ERROR(check("fsync_interval_ms", options.fsync_interval_ms, 1, kIntervalMsMax));
  KAPPA_RETURN_IF_ERROR(check("retention_check_ms", options.retention_check_ms, 0, kIntervalMsMax));
  KAPPA_RETURN_IF_ERROR(check("follow_interval_ms", options.follow_interval_ms, 1, kIntervalMsMax));
  return options.mode == EmbeddedLogOptions::Mode::kOwner ? OwnerLog::open(directory, options)
                                                          : FollowerLog::open(directory, options);
}

}  // namespace kappa::log
