#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "engine/cli/import/byte_source.h"
#include "engine/cli/import/csv.h"

namespace kappa::cli {

enum class FileFormat : uint8_t { kCsv, kNdjson };

// A record as it stands in the file. Valid until the next one is read.
struct InputRecord {
  int64_t line = 0;                      // where it begins, from 1
  std::string_view text;                 // all of it, without the last line break
  std::vector<std::string_view> fields;  // CSV: one a column
  std::string fault;                     // not empty: it cannot be read, and why
};

// Reads records one after the other. Empty lines are none. One thread.
class RecordReader {
 public:
  // Reads a CSV file's header line. InvalidArgument: there is none, or it is wrong.
  static absl::StatusOr<std::unique_ptr<RecordReader>> open(std::unique_ptr<ByteSource> source,
                                                            FileFormat format);
  // CSV: from the header.
  const std::vector<std::string>& columns() const { return columns_; }
  const ByteSource& source() const { return *source_; }
  // False: the file has ended.
  absl::StatusOr<bool> next(InputRecord* record);

 private:
  RecordReader(std::unique_ptr<ByteSource> source, FileFormat format)
      : source_(std::move(source)), format_(format) {}
  absl::Status read_header();
  absl::StatusOr<bool> next_unchecked(InputRecord* record);
  absl::StatusOr<bool> next_line(InputRecord* record);
  absl::StatusOr<bool> next_csv(InputRecord* record);
  absl::Status fill();
  std::string_view rest() const { return std::string_view(buffer_).substr(begin_); }
  void take(size_t bytes, int64_t line_breaks, InputRecord* record);

  const std::unique_ptr<ByteSource> source_;
  const FileFormat format_;
  std::vector<std::string> columns_;
  std::string buffer_;
  size_t begin_ = 0;
  bool at_end_ = false;
  int64_t line_ = 1;  // of what comes next
  CsvRecord csv_;
};

}  // namespace kappa::cli
