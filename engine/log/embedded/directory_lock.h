#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "engine/log/embedded/file.h"

namespace kappa::log {

// The right to append to a log directory, held by flock() on the file "~lock" in it, so that the
// kernel frees it when the process dies. The file says who holds it, a line each:
//
//   pid
//   the machine's boot id, by which the next owner knows whether the machine was restarted since
class DirectoryLock {
 public:
  // FailedPrecondition: another owner, in this process or another, has it.
  static absl::StatusOr<DirectoryLock> take(const std::string& log_directory);

  // True if the machine was restarted since an owner last called set_recovered().
  bool machine_restarted() const { return machine_restarted_; }
  // To be called when everything that a restart may have left has been recovered.
  absl::Status set_recovered();

 private:
  DirectoryLock(File file, bool machine_restarted)
      : file_(std::move(file)), machine_restarted_(machine_restarted) {}
  File file_;
  bool machine_restarted_;
};

}  // namespace kappa::log
