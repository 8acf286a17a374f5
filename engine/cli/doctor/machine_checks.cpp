#include <algorithm>

#include "absl/strings/str_cat.h"
#include "engine/cli/doctor/checks.h"
#include "engine/types/datetime.h"

namespace kappa::cli::doctor {
namespace {

constexpr uint64_t kMiB = 1u << 20;
constexpr uint64_t kFreeTooLittle = 256 * kMiB;  // a checkpoint or a compaction may not fit
constexpr uint64_t kFreeLittle = 2048 * kMiB;
constexpr int64_t kClockBehindMsMax = 5000;
constexpr uint64_t kOpenFilesLeast = 4096;

}  // namespace

void check_directory(const Examined& examined, Findings* findings) {
  if (!examined.directory) return;
  const ExaminedDirectory& directory = *examined.directory;
  if (!directory.there) {
    findings->push_back({Severity::kError, "data",
                         absl::StrCat("there is no data directory ", directory.path),
                         "name the right one with --data, or a server with --server, or start one: "
                         "kappa serve --product DIR --data DIR"});
  } else if (!directory.writable) {
    findings->push_back(
        {Severity::kError, "data",
         absl::StrCat("the data directory ", directory.path, " cannot be written by this user"),
         "run as the user that owns it, or give it to this one (chown -R)"});
  }
}

void check_disk(const Examined& examined, Findings* findings) {
  if (!examined.directory || !examined.directory->free_bytes) return;
  const uint64_t free = *examined.directory->free_bytes;
  if (free >= kFreeLittle) return;
  findings->push_back(
      {free < kFreeTooLittle ? Severity::kError : Severity::kWarning, "disk",
       absl::StrCat("only ", free / kMiB, " MiB are free for ", examined.directory->path),
       absl::StrCat("free ", kFreeLittle / kMiB,
                    " MiB at least, or move the directory to a larger disk; on a "
                    "full one no checkpoint is written")});
}

void check_lock(const Examined& examined, Findings* findings) {
  if (!examined.directory || !examined.directory->holder) return;
  const state::LockHolder& holder = *examined.directory->holder;
  if (!holder.address.empty()) return;
  findings->push_back(
      {Severity::kWarning, "lock",
       absl::StrCat("process ", holder.pid, " (", holder.command, ") holds the data directory ",
                    examined.directory->path, " and does not serve it"),
       "if it has just started, wait; else end that process, whose lock goes with it"});
}

void check_clock(const Examined& examined, Findings* findings) {
  for (const ExaminedTopic& topic : examined.topics) {
    if (!topic.newest) continue;
    const int64_t ahead_ms = topic.newest->ms - examined.now.ms;
    if (ahead_ms <= kClockBehindMsMax) continue;
    findings->push_back({Severity::kWarning, "clock",
                         absl::StrCat("the newest record of topic ", topic.info.name, " is of ",
                                      timestamp_to_text(topic.newest->ms * kMicrosPerMilli), ", ",
                                      interval_to_text(ahead_ms * kMicrosPerMilli),
                                      " ahead of this machine's clock"),
                         "set the clocks of this machine and of who produces (NTP); such a "
                         "timestamp does not count "
                         "for the order, and an event time as far ahead may be dead-lettered"});
  }
}

void check_open_files(const Examined& examined, Findings* findings) {
  if (!examined.open_files_max || *examined.open_files_max >= kOpenFilesLeast) return;
  findings->push_back(
      {Severity::kWarning, "open files",
       absl::StrCat("only ", *examined.open_files_max, " files may be open at once"),
       absl::StrCat("allow ", kOpenFilesLeast, " at least: ulimit -n ", kOpenFilesLeast,
                    ", or LimitNOFILE= of the service")});
}

}  // namespace kappa::cli::doctor
