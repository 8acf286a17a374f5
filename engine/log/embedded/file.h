#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace kappa::log {

// The calls to the file system that the embedded log makes. Every error names the path.
// ResourceExhausted: disk, quota or file size limit; NotFound: no such file; PermissionDenied;
// Unavailable: everything else, I/O errors included.

enum class OpenFor : uint8_t { kReading, kWriting, kCreating };  // creating: it may exist already

// An open file. Reading and writing at places of their own: thread-safe.
class File {
 public:
  static absl::StatusOr<File> open(const std::string& path, OpenFor purpose);
  File(File&& other) noexcept;
  File& operator=(File&& other) noexcept;
  ~File();

  const std::string& path() const { return path_; }
  int descriptor() const { return descriptor_; }

  // Reads up to `size` bytes; fewer only at the end of the file.
  absl::StatusOr<size_t> read_at(int64_t position, char* bytes, size_t size) const;
  // Writes all of `bytes` or fails; then any part of them may have been written.
  absl::Status write_at(int64_t position, std::string_view bytes) const;
  absl::StatusOr<int64_t> size() const;
  absl::Status truncate(int64_t size) const;
  // Makes content and size survive a crash of the machine.
  absl::Status sync() const;

 private:
  File(std::string path, int descriptor) : path_(std::move(path)), descriptor_(descriptor) {}
  std::string path_;
  int descriptor_ = -1;
};

// Names in a directory, sorted, without "." and "..".
absl::StatusOr<std::vector<std::string>> list_directory(const std::string& path);
// OK if it is there already.
absl::Status make_directory(const std::string& path);
// Makes names added to or removed from the directory survive a crash of the machine.
absl::Status sync_directory(const std::string& path);
absl::Status rename_path(const std::string& from, const std::string& to);
// With everything in it; OK if there is nothing.
absl::Status remove_path(const std::string& path);
bool path_exists(const std::string& path);
absl::StatusOr<std::string> read_whole_file(const std::string& path);

// The status of a failed call: "what path: why".
absl::Status file_error(int error, absl::string_view what, const std::string& path);

}  // namespace kappa::log
