#include "engine/cli/export/export_file.h"

#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <utility>

#include <fcntl.h>
#include <unistd.h>

#include "absl/strings/str_cat.h"
#include "engine/types/status_macros.h"

namespace kappa::cli {
namespace {

absl::Status error_of(const char* what, const std::string& path) {
  return absl::ErrnoToStatus(errno, absl::StrCat("cannot ", what, " ", path));
}

absl::Status check_free(const std::string& path, bool replace) {
  std::error_code error;
  const auto status = std::filesystem::status(path, error);
  if (!std::filesystem::exists(status)) return absl::OkStatus();
  if (!std::filesystem::is_regular_file(status)) {
    return absl::InvalidArgumentError(absl::StrCat(path, " is there and is no file"));
  }
  if (replace) return absl::OkStatus();
  return absl::AlreadyExistsError(absl::StrCat(
      "the file ", path, " is there already; name another, or replace it with --force"));
}

}  // namespace

absl::StatusOr<std::unique_ptr<ExportFile>> ExportFile::open(const std::string& path,
                                                             bool replace) {
  if (path.empty()) {
    return std::unique_ptr<ExportFile>(new ExportFile("", "", STDOUT_FILENO, replace));
  }
  KAPPA_RETURN_IF_ERROR(check_free(path, replace));
  const std::string unfinished = absl::StrCat(path, ".", getpid(), ".new");
  const int fd = ::open(unfinished.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  if (fd < 0) return error_of("make", unfinished);
  return std::unique_ptr<ExportFile>(new ExportFile(path, unfinished, fd, replace));
}

ExportFile::ExportFile(std::string path, std::string unfinished, int fd, bool replace)
    : path_(std::move(path)), unfinished_(std::move(unfinished)), fd_(fd), replace_(replace) {}

ExportFile::~ExportFile() {
  if (path_.empty()) return;
  ::close(fd_);
  if (!finished_) ::unlink(unfinished_.c_str());
}

absl::Status ExportFile::write(std::string_view text) {
  while (!text.empty()) {
    const ssize_t written = ::write(fd_, text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return error_of("write to", path_.empty() ? "standard output" : unfinished_);
    text.remove_prefix(static_cast<size_t>(written));
    bytes_ += written;
  }
  return absl::OkStatus();
}

absl::Status ExportFile::finish() {
  if (path_.empty()) return absl::OkStatus();
  if (::fsync(fd_) != 0) return error_of("sync", unfinished_);
  // Somebody may have made the file meanwhile.
  KAPPA_RETURN_IF_ERROR(check_free(path_, replace_));
  if (std::rename(unfinished_.c_str(), path_.c_str()) != 0) return error_of("make", path_);
  finished_ = true;
  return absl::OkStatus();
}

}  // namespace kappa::cli
