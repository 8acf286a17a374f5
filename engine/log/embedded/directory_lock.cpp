#include "engine/log/embedded/directory_lock.h"

#include <cerrno>
#include <vector>

#include <sys/file.h>
#include <unistd.h>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "engine/types/status_macros.h"

namespace kappa::log {
namespace {

// Empty where the system has none.
std::string boot_id() {
  const absl::StatusOr<File> file =
      File::open("/proc/sys/kernel/random/boot_id", OpenFor::kReading);
  if (!file.ok()) return "";
  char bytes[64];
  const absl::StatusOr<size_t> got = file->read_at(0, bytes, sizeof(bytes));
  if (!got.ok()) return "";
  return std::string(absl::StripSuffix(absl::string_view(bytes, *got), "\n"));
}

absl::Status write_holder(const File& file, absl::string_view boot) {
  KAPPA_RETURN_IF_ERROR(file.truncate(0));
  return file.write_at(0, absl::StrCat(::getpid(), "\n", boot, "\n"));
}

}  // namespace

absl::StatusOr<DirectoryLock> DirectoryLock::take(const std::string& log_directory) {
  const std::string path = log_directory + "/~lock";
  KAPPA_ASSIGN_OR_RETURN(File file, File::open(path, OpenFor::kCreating));
  const int locked = ::flock(file.descriptor(), LOCK_EX | LOCK_NB);
  const int error = errno;
  KAPPA_ASSIGN_OR_RETURN(const std::string content, read_whole_file(path));
  const std::vector<std::string> lines = absl::StrSplit(content, '\n');
  if (locked != 0) {
    if (error != EWOULDBLOCK) return file_error(error, "cannot lock", path);
    return absl::FailedPreconditionError(absl::StrCat(
        "the log in ", log_directory, " is owned by ",
        lines[0] == absl::StrCat(::getpid()) ? "this process" : absl::StrCat("process ", lines[0]),
        " already; a log has one owner, others open it for reading"));
  }
  const std::string last_boot = lines.size() > 1 ? lines[1] : "";
  KAPPA_RETURN_IF_ERROR(write_holder(file, last_boot));
  return DirectoryLock(std::move(file), !last_boot.empty() && last_boot != boot_id());
}

absl::Status DirectoryLock::set_recovered() {
  return write_holder(file_, boot_id());
}

}  // namespace kappa::log
