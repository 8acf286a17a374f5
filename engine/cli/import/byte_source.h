#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "absl/status/statusor.h"

namespace kappa::cli {

// The bytes of a file, or of standard input for "-": as they are, or unpacked if they begin as gzip
// or zstd does. Several gzip members or zstd frames one after the other are one stream. One thread.
class ByteSource {
 public:
  // NotFound, PermissionDenied: the file cannot be read.
  static absl::StatusOr<std::unique_ptr<ByteSource>> open(const std::string& path);
  virtual ~ByteSource() = default;

  // At most `size` bytes (more than 0); 0 at the end. DataLoss: what is packed is damaged or cut.
  virtual absl::StatusOr<size_t> read(char* bytes, size_t size) = 0;
  // How far the file has been read, in its own, packed bytes.
  virtual int64_t position() const = 0;
  // The file's size, if it is a file.
  virtual std::optional<int64_t> size() const = 0;
};

}  // namespace kappa::cli
