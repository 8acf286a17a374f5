#include "engine/log/embedded/segment.h"

#include <algorithm>
#include <memory>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "engine/types/status_macros.h"

namespace kappa::log {
namespace {

constexpr std::string_view kLogSuffix = ".log";
constexpr std::string_view kIndexSuffix = ".index";
constexpr size_t kBaseDigits = 20;
constexpr size_t kWalkChunkBytes = 1 << 20;

// A stretch of a file in memory, moved forwards as it is read.
class Window {
 public:
  Window(const File& file, int64_t to) : file_(file), to_(to) {}

  // The bytes from `position` on: at least `wanted` of them unless the bound comes first.
  absl::StatusOr<std::string_view> at(int64_t position, size_t wanted) {
    const auto left = static_cast<size_t>(to_ - position);
    if (position < start_ || position + static_cast<int64_t>(std::min(wanted, left)) > end()) {
      const size_t size = std::min(std::max(wanted, kWalkChunkBytes), left);
      if (size > capacity_) {
        bytes_ = std::make_unique_for_overwrite<char[]>(size);
        capacity_ = size;
      }
      start_ = position;
      KAPPA_ASSIGN_OR_RETURN(size_, file_.read_at(position, bytes_.get(), size));
    }
    const auto skipped = static_cast<size_t>(position - start_);
    return std::string_view(bytes_.get() + skipped, size_ - skipped);
  }

 private:
  int64_t end() const { return start_ + static_cast<int64_t>(size_); }

  const File& file_;
  int64_t to_;
  std::unique_ptr<char[]> bytes_;
  size_t capacity_ = 0;
  int64_t start_ = 0;
  size_t size_ = 0;
};

enum class Front : uint8_t { kGood, kTorn, kDamaged };

// Judges the batch at the front of what is left of a file; `what` says what is wrong with it.
Front judge(const BatchHeader& header, std::string_view bytes, Offset expected, std::string* what) {
  if (header.base_offset != expected) {
    *what = absl::StrCat("found a batch with offset ", header.base_offset.value);
    return Front::kDamaged;
  }
  if (header.record_count != header.last_offset_delta + 1) {
    *what = absl::StrCat("found a batch of ", header.record_count, " records for ",
                         header.last_offset_delta + 1, " offsets");
    return Front::kDamaged;
  }
  if (header.size_bytes > bytes.size()) {
    *what = absl::StrCat("found ", bytes.size(), " bytes of a batch of ", header.size_bytes);
    return Front::kTorn;
  }
  const absl::Status crc = check_batch_crc(bytes.substr(0, header.size_bytes), header);
  if (crc.ok()) return Front::kGood;
  *what = std::string(crc.message());
  return Front::kDamaged;
}

}  // namespace

Segment::Segment(const std::string& directory, Offset base)
    : index(base),
      base_(base),
      path_(absl::StrCat(directory, "/", absl::StrFormat("%020d", base.value),
                         absl::string_view(kLogSuffix.data(), kLogSuffix.size()))) {}

std::string Segment::index_path() const {
  std::string path = path_.substr(0, path_.size() - kLogSuffix.size());
  return path.append(kIndexSuffix);
}

int64_t segment_base_of(std::string_view file_name) {
  if (file_name.size() != kBaseDigits + kLogSuffix.size() || !file_name.ends_with(kLogSuffix)) {
    return -1;
  }
  int64_t base = 0;
  for (const char digit : file_name.substr(0, kBaseDigits)) {
    if (digit < '0' || digit > '9') return -1;
    if (__builtin_mul_overflow(base, 10, &base)) return -1;
    if (__builtin_add_overflow(base, digit - '0', &base)) return -1;
  }
  return base;
}

absl::StatusOr<WalkEnd> walk_batches(
    const File& file, int64_t from, int64_t to, Offset expected,
    absl::FunctionRef<bool(const BatchHeader& header, std::string_view batch)> visit) {
  WalkEnd end{.why = WalkEnd::Why::kDone, .position = from, .next_offset = expected, .what = ""};
  Window window(file, to);
  while (end.position < to) {
    KAPPA_ASSIGN_OR_RETURN(std::string_view bytes, window.at(end.position, kBatchHeaderBytes));
    const absl::StatusOr<BatchHeader> header = parse_batch_header(bytes);
    if (!header.ok()) {
      const bool torn = header.status().code() == absl::StatusCode::kOutOfRange;
      end.why = torn ? WalkEnd::Why::kTorn : WalkEnd::Why::kDamaged;
      end.what = std::string(header.status().message());
      return end;
    }
    if (header->size_bytes > bytes.size()) {
      KAPPA_ASSIGN_OR_RETURN(bytes, window.at(end.position, header->size_bytes));
    }
    const Front front = judge(*header, bytes, end.next_offset, &end.what);
    if (front != Front::kGood) {
      end.why = front == Front::kTorn ? WalkEnd::Why::kTorn : WalkEnd::Why::kDamaged;
      return end;
    }
    end.position += static_cast<int64_t>(header->size_bytes);
    end.next_offset = header->next_offset();
    if (!visit(*header, bytes.substr(0, header->size_bytes))) break;
  }
  return end;
}

absl::StatusOr<WalkEnd> extend_index(const File& file, int64_t to, SegmentIndex* index) {
  return walk_batches(file, index->size_bytes, to, index->next_offset,
                      [&](const BatchHeader& header, std::string_view batch) {
                        index->add_batch(static_cast<int64_t>(batch.size()), header.record_count,
                                         header.max_timestamp);
                        return true;
                      });
}

absl::StatusOr<bool> has_batch_behind(const File& file, int64_t from, int64_t to, Offset expected) {
  Window window(file, to);
  Window candidates(file, to);
  for (int64_t at = from + 1; at + static_cast<int64_t>(kBatchHeaderBytes) <= to; ++at) {
    KAPPA_ASSIGN_OR_RETURN(const std::string_view bytes, window.at(at, kBatchHeaderBytes));
    if (bytes.size() < kBatchHeaderBytes) return false;
    const absl::StatusOr<BatchHeader> header =
        bytes[16] == 2 ? parse_batch_header(bytes) : absl::DataLossError("");
    // No record takes less than a byte, which bounds the offsets that can stand here.
    if (!header.ok() || header->base_offset <= expected ||
        header->base_offset.value > expected.value + (at - from) ||
        static_cast<int64_t>(header->size_bytes) > to - at) {
      continue;
    }
    KAPPA_ASSIGN_OR_RETURN(const std::string_view batch, candidates.at(at, header->size_bytes));
    if (batch.size() >= header->size_bytes &&
        check_batch_crc(batch.substr(0, header->size_bytes), *header).ok()) {
      return true;
    }
  }
  return false;
}

void seal_with_index(Segment* segment) {
  const std::string content = segment->index.encode();
  if (const absl::StatusOr<File> file = File::open(segment->index_path(), OpenFor::kCreating);
      file.ok() && file->truncate(0).ok()) {
    file->write_at(0, content).IgnoreError();
  }
  segment->index.entries = {};
  segment->seal();
}

bool adopt_summary(Segment* segment, int64_t size_bytes, Offset next_base) {
  const absl::StatusOr<File> file = File::open(segment->index_path(), OpenFor::kReading);
  if (!file.ok()) return false;
  char bytes[SegmentIndex::kSummaryBytes];
  const absl::StatusOr<size_t> got = file->read_at(0, bytes, sizeof(bytes));
  if (!got.ok()) return false;
  std::optional<SegmentIndex> index =
      SegmentIndex::decode_summary(segment->base_offset(), std::string_view(bytes, *got));
  if (!index || index->size_bytes != size_bytes || index->next_offset != next_base) return false;
  segment->index = *std::move(index);
  segment->publish(size_bytes);
  segment->seal();
  return true;
}

absl::StatusOr<SegmentIndex> load_index(const Segment& segment) {
  const int64_t size = segment.visible_bytes();
  if (absl::StatusOr<std::string> content = read_whole_file(segment.index_path()); content.ok()) {
    std::optional<SegmentIndex> index = SegmentIndex::decode(segment.base_offset(), *content);
    if (index && index->size_bytes == size) return *std::move(index);
  }
  KAPPA_ASSIGN_OR_RETURN(const File file, File::open(segment.path(), OpenFor::kReading));
  SegmentIndex index(segment.base_offset());
  KAPPA_RETURN_IF_ERROR(extend_index(file, size, &index).status());
  return index;
}

}  // namespace kappa::log
