#include "engine/cli/import/record_reader.h"

#include <set>

#include "absl/strings/str_cat.h"
#include "engine/types/status_macros.h"
#include "engine/types/text.h"
#include "schemas/utf8.h"

namespace kappa::cli {
namespace {

constexpr size_t kReadBytes = 256 << 10;
constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";

}  // namespace

absl::StatusOr<std::unique_ptr<RecordReader>> RecordReader::open(std::unique_ptr<ByteSource> source,
                                                                 FileFormat format) {
  std::unique_ptr<RecordReader> reader(new RecordReader(std::move(source), format));
  KAPPA_RETURN_IF_ERROR(reader->fill());
  if (reader->rest().starts_with(kByteOrderMark)) reader->begin_ = kByteOrderMark.size();
  if (format == FileFormat::kCsv) KAPPA_RETURN_IF_ERROR(reader->read_header());
  return reader;
}

absl::Status RecordReader::read_header() {
  InputRecord header;
  KAPPA_ASSIGN_OR_RETURN(const bool found, next_unchecked(&header));
  if (!found) return absl::InvalidArgumentError("the file has no header line");
  const std::string place = absl::StrCat("line ", header.line, ", the header: ");
  if (!header.fault.empty()) return absl::InvalidArgumentError(place + header.fault);
  std::set<std::string> names;
  for (const std::string_view name : header.fields) {
    if (name.empty()) return absl::InvalidArgumentError(place + "a column has no name");
    if (!schemas::is_valid_utf8(name)) {
      return absl::InvalidArgumentError(absl::StrCat(place, excerpt(name), " is not UTF-8"));
    }
    if (!names.emplace(name).second) {
      return absl::InvalidArgumentError(
          absl::StrCat(place, "there are two columns ", excerpt(name)));
    }
    columns_.emplace_back(name);
  }
  return absl::OkStatus();
}

absl::Status RecordReader::fill() {
  buffer_.erase(0, begin_);
  begin_ = 0;
  const size_t had = buffer_.size();
  buffer_.resize(had + kReadBytes);
  const absl::StatusOr<size_t> got = source_->read(buffer_.data() + had, kReadBytes);
  buffer_.resize(had + (got.ok() ? *got : 0));
  KAPPA_RETURN_IF_ERROR(got.status());
  at_end_ = *got == 0;
  return absl::OkStatus();
}

void RecordReader::take(size_t bytes, int64_t line_breaks, InputRecord* record) {
  record->line = line_;
  record->text = rest().substr(0, bytes);
  if (record->text.ends_with('\n')) record->text.remove_suffix(1);
  if (record->text.ends_with('\r')) record->text.remove_suffix(1);
  begin_ += bytes;
  line_ += line_breaks;
}

absl::StatusOr<bool> RecordReader::next(InputRecord* record) {
  KAPPA_ASSIGN_OR_RETURN(const bool found, next_unchecked(record));
  if (!found) return false;
  if (record->fault.empty() && !schemas::is_ascii(record->text) &&
      !schemas::is_valid_utf8(record->text)) {
    record->fault = "it is not UTF-8";
  }
  if (format_ == FileFormat::kCsv && record->fault.empty() &&
      record->fields.size() != columns_.size()) {
    record->fault = absl::StrCat("it has ", record->fields.size(),
                                 record->fields.size() == 1 ? " field" : " fields",
                                 ", the header has ", columns_.size());
  }
  return true;
}

absl::StatusOr<bool> RecordReader::next_unchecked(InputRecord* record) {
  do {
    record->fault.clear();
    KAPPA_ASSIGN_OR_RETURN(const bool found,
                           format_ == FileFormat::kCsv ? next_csv(record) : next_line(record));
    if (!found) return false;
  } while (strip_spaces(record->text).empty());
  return true;
}

absl::StatusOr<bool> RecordReader::next_line(InputRecord* record) {
  size_t searched = 0;
  while (true) {
    const size_t line_end = rest().find('\n', searched);
    if (line_end != std::string_view::npos) {
      take(line_end + 1, 1, record);
      return true;
    }
    if (at_end_) {
      if (rest().empty()) return false;
      take(rest().size(), 0, record);
      return true;
    }
    searched = rest().size();
    if (searched > kRecordBytesMax * 16) {
      return absl::InvalidArgumentError(absl::StrCat("line ", line_, " is longer than 16 MiB"));
    }
    KAPPA_RETURN_IF_ERROR(fill());
  }
}

absl::StatusOr<bool> RecordReader::next_csv(InputRecord* record) {
  while (true) {
    if (rest().empty()) {
      if (at_end_) return false;
      KAPPA_RETURN_IF_ERROR(fill());
      continue;
    }
    const CsvResult result = parse_csv_record(rest(), at_end_, &csv_);
    if (result == CsvResult::kMore) {
      KAPPA_RETURN_IF_ERROR(fill());
      continue;
    }
    if (result == CsvResult::kFault) record->fault = csv_.fault;
    record->fields.swap(csv_.fields);
    take(csv_.bytes, csv_.line_breaks, record);
    return true;
  }
}

}  // namespace kappa::cli
