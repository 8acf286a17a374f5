#include "state/durable_file.h"

#include <cerrno>
#include <cstdio>
#include <filesystem>

#include <fcntl.h>
#include <nlohmann/json.hpp>
#include <unistd.h>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "engine/types/crc32c.h"
#include "engine/types/status_macros.h"

namespace kappa::state {
namespace {

using nlohmann::json;

// A descriptor that closes itself.
class File {
 public:
  File(const std::string& path, int flags) : fd_(::open(path.c_str(), flags | O_CLOEXEC, 0644)) {}
  ~File() {
    if (fd_ >= 0) ::close(fd_);
  }
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  bool is_open() const { return fd_ >= 0; }
  int fd() const { return fd_; }

 private:
  int fd_;
};

absl::Status error_of(const std::string& path, const char* what) {
  return absl::ErrnoToStatus(errno, absl::StrCat("cannot ", what, " ", path));
}

std::string checksum_of(const json& object) {
  const std::string text = object.dump();
  return absl::StrFormat("crc32c:%08x", crc32c(text.data(), text.size()));
}

}  // namespace

absl::StatusOr<std::string> read_file(const std::string& path) {
  const File file(path, O_RDONLY);
  if (!file.is_open()) return error_of(path, "open");
  std::string bytes;
  char buffer[16 << 10];
  for (;;) {
    const ssize_t got = ::read(file.fd(), buffer, sizeof(buffer));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return error_of(path, "read");
    if (got == 0) return bytes;
    bytes.append(buffer, static_cast<size_t>(got));
  }
}

absl::Status sync_directory(const std::string& path) {
  const File directory(path, O_RDONLY | O_DIRECTORY);
  if (!directory.is_open()) return error_of(path, "open");
  if (::fsync(directory.fd()) != 0) return error_of(path, "sync");
  return absl::OkStatus();
}

absl::Status replace_file(const std::string& path, const std::string& bytes) {
  const std::string fresh = path + ".new";
  {
    const File file(fresh, O_WRONLY | O_CREAT | O_TRUNC);
    if (!file.is_open()) return error_of(fresh, "make");
    for (size_t written = 0; written < bytes.size();) {
      const ssize_t n = ::write(file.fd(), bytes.data() + written, bytes.size() - written);
      if (n < 0 && errno == EINTR) continue;
      if (n < 0) return error_of(fresh, "write");
      written += static_cast<size_t>(n);
    }
    if (::fsync(file.fd()) != 0) return error_of(fresh, "sync");
  }
  if (std::rename(fresh.c_str(), path.c_str()) != 0) return error_of(path, "replace");
  const std::string parent = std::filesystem::path(path).parent_path().string();
  return sync_directory(parent.empty() ? "." : parent);
}

absl::StatusOr<std::string> seal_json(const std::string& object, int format) {
  try {
    json sealed = json::parse(object);
    sealed["format"] = format;
    sealed["checksum"] = checksum_of(sealed);
    return sealed.dump(2) + "\n";
  } catch (const json::exception& error) {
    return absl::InvalidArgumentError(
        absl::StrCat("text that is not UTF-8 cannot be kept: ", error.what()));
  }
}

absl::StatusOr<std::string> open_json(const std::string& text, int format,
                                      const std::string& path) {
  json object = json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (!object.is_object()) {
    return absl::DataLossError(absl::StrCat(path, " is damaged: it is not a JSON object"));
  }
  const json checksum = object.value("checksum", json());
  object.erase("checksum");
  if (checksum != checksum_of(object)) {
    return absl::DataLossError(absl::StrCat(path, " is damaged: its checksum does not match"));
  }
  if (object.value("format", json()) != format) {
    return absl::DataLossError(absl::StrCat(path, " has format ", object["format"].dump(),
                                            "; this program reads format ", format,
                                            ". Use the version of kappa that wrote it"));
  }
  object.erase("format");
  return object.dump();
}

}  // namespace kappa::state
