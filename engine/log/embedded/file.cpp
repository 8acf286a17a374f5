#include "engine/log/embedded/file.h"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <system_error>
#include <utility>

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "absl/strings/str_cat.h"
#include "engine/types/status_macros.h"

namespace kappa::log {

absl::Status file_error(int error, absl::string_view what, const std::string& path) {
  const std::string message = absl::StrCat(what, " ", path, ": ", std::strerror(error));
  switch (error) {
    case ENOSPC:
    case EDQUOT:
    case EFBIG:
    case EMFILE:
    case ENFILE:
      return absl::ResourceExhaustedError(message);
    case ENOENT:
      return absl::NotFoundError(message);
    case EACCES:
    case EPERM:
    case EROFS:
      return absl::PermissionDeniedError(message);
    default:
      return absl::UnavailableError(message);
  }
}

absl::StatusOr<File> File::open(const std::string& path, OpenFor purpose) {
  int flags = O_CLOEXEC;
  if (purpose == OpenFor::kReading) flags |= O_RDONLY;
  if (purpose == OpenFor::kWriting) flags |= O_RDWR;
  if (purpose == OpenFor::kCreating) flags |= O_RDWR | O_CREAT;
  const int descriptor = ::open(path.c_str(), flags, 0644);
  if (descriptor < 0) return file_error(errno, "cannot open", path);
  return File(path, descriptor);
}

File::File(File&& other) noexcept
    : path_(std::move(other.path_)), descriptor_(std::exchange(other.descriptor_, -1)) {}

File& File::operator=(File&& other) noexcept {
  std::swap(path_, other.path_);
  std::swap(descriptor_, other.descriptor_);
  return *this;
}

File::~File() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

absl::StatusOr<size_t> File::read_at(int64_t position, char* bytes, size_t size) const {
  size_t done = 0;
  while (done < size) {
    const ssize_t got =
        ::pread(descriptor_, bytes + done, size - done, position + static_cast<int64_t>(done));
    if (got == 0) break;
    if (got < 0) {
      if (errno == EINTR) continue;
      return file_error(errno, "cannot read", path_);
    }
    done += static_cast<size_t>(got);
  }
  return done;
}

absl::Status File::write_at(int64_t position, std::string_view bytes) const {
  while (!bytes.empty()) {
    const ssize_t put = ::pwrite(descriptor_, bytes.data(), bytes.size(), position);
    if (put < 0) {
      if (errno == EINTR) continue;
      return file_error(errno, "cannot write", path_);
    }
    if (put == 0) return file_error(ENOSPC, "cannot write", path_);
    position += put;
    bytes.remove_prefix(static_cast<size_t>(put));
  }
  return absl::OkStatus();
}

absl::StatusOr<int64_t> File::size() const {
  struct stat info {};
  if (::fstat(descriptor_, &info) != 0) return file_error(errno, "cannot stat", path_);
  return info.st_size;
}

absl::Status File::truncate(int64_t size) const {
  while (::ftruncate(descriptor_, size) != 0) {
    if (errno != EINTR) return file_error(errno, "cannot truncate", path_);
  }
  return absl::OkStatus();
}

absl::Status File::sync() const {
  if (::fdatasync(descriptor_) != 0) return file_error(errno, "cannot sync", path_);
  return absl::OkStatus();
}

absl::StatusOr<std::vector<std::string>> list_directory(const std::string& path) {
  DIR* const directory = ::opendir(path.c_str());
  if (directory == nullptr) return file_error(errno, "cannot list", path);
  std::vector<std::string> names;
  while (const dirent* const entry = ::readdir(directory)) {
    const std::string_view name = entry->d_name;
    if (name != "." && name != "..") names.emplace_back(name);
  }
  ::closedir(directory);
  std::sort(names.begin(), names.end());
  return names;
}

absl::Status make_directory(const std::string& path) {
  if (::mkdir(path.c_str(), 0755) == 0 || errno == EEXIST) return absl::OkStatus();
  return file_error(errno, "cannot make the directory", path);
}

absl::Status sync_directory(const std::string& path) {
  const int descriptor = ::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (descriptor < 0) return file_error(errno, "cannot open the directory", path);
  const int result = ::fsync(descriptor);
  const int error = errno;
  ::close(descriptor);
  return result == 0 ? absl::OkStatus() : file_error(error, "cannot sync the directory", path);
}

absl::Status rename_path(const std::string& from, const std::string& to) {
  if (::rename(from.c_str(), to.c_str()) == 0) return absl::OkStatus();
  return file_error(errno, absl::StrCat("cannot rename ", from, " to"), to);
}

absl::Status remove_path(const std::string& path) {
  std::error_code error;
  std::filesystem::remove_all(path, error);
  return error ? file_error(error.value(), "cannot remove", path) : absl::OkStatus();
}

bool path_exists(const std::string& path) {
  return ::access(path.c_str(), F_OK) == 0;
}

absl::StatusOr<std::string> read_whole_file(const std::string& path) {
  KAPPA_ASSIGN_OR_RETURN(const File file, File::open(path, OpenFor::kReading));
  KAPPA_ASSIGN_OR_RETURN(const int64_t size, file.size());
  std::string content(static_cast<size_t>(size), '\0');
  KAPPA_ASSIGN_OR_RETURN(const size_t got, file.read_at(0, content.data(), content.size()));
  content.resize(got);
  return content;
}

}  // namespace kappa::log
