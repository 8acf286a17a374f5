#pragma once

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace kappa::state {

// Small files that are read whole and replaced whole, and JSON objects in them that notice when
// they were damaged.

// The file's bytes. NotFound: there is none.
absl::StatusOr<std::string> read_file(const std::string& path);

// Writes a new file beside the old one, syncs it, renames it over the old one and syncs the
// directory: after a crash at any point the old or the new one is there, whole. What a crash may
// leave is PATH.new, which the next call overwrites. One thread a path.
absl::Status replace_file(const std::string& path, const std::string& bytes);

// Syncs a directory, so that what was made, renamed or removed in it stays so.
absl::Status sync_directory(const std::string& path);

// Adds "format" and "checksum" to a JSON object (compact text) and lays it out for human eyes. The
// checksum is the CRC-32C of the compact text of the object without "checksum".
// InvalidArgument: text in it is not UTF-8.
absl::StatusOr<std::string> seal_json(const std::string& object, int format);
// The object in `text` as compact text, without the two. DataLoss: damaged, or of another format;
// says so, naming `path`.
absl::StatusOr<std::string> open_json(const std::string& text, int format, const std::string& path);

}  // namespace kappa::state
