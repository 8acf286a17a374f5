#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace kappa::cli {

// Where an export goes: standard output, or a file that is there once it is whole. Until then it
// has another name beside its own, PATH.PID.new, which only a kill leaves behind.
class ExportFile {
 public:
  // An empty path: standard output. AlreadyExists: the file is there and may not be replaced;
  // InvalidArgument: what is there is no file.
  static absl::StatusOr<std::unique_ptr<ExportFile>> open(const std::string& path, bool replace);
  // Removes what is not whole.
  ~ExportFile();
  ExportFile(const ExportFile&) = delete;
  ExportFile& operator=(const ExportFile&) = delete;

  absl::Status write(std::string_view text);
  // The file is whole: synced, and under its name.
  absl::Status finish();
  int64_t bytes() const { return bytes_; }

 private:
  ExportFile(std::string path, std::string unfinished, int fd, bool replace);

  const std::string path_;
  const std::string unfinished_;
  const int fd_;
  const bool replace_;
  bool finished_ = false;
  int64_t bytes_ = 0;
};

}  // namespace kappa::cli
