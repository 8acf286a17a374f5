#include "engine/log/embedded/recovery.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "engine/log/byte_order.h"
#include "engine/log/embedded/file.h"
#include "engine/types/crc32c.h"
#include "engine/types/status_macros.h"

namespace kappa::log {
namespace {

constexpr size_t kMarkBytes = 12;

std::string mark_path(const std::string& directory) {
  return directory + "/durable";
}

class Recovery {
 public:
  Recovery(const TopicPartition& id, const std::string& directory, bool machine_restarted)
      : id_(id),
        directory_(directory),
        machine_restarted_(machine_restarted),
        mark_(read_durable_mark(directory).value_or(Offset{0})) {}

  absl::StatusOr<Recovered> run();

 private:
  absl::Status find_segments();
  absl::Status recover_segment(size_t i);
  absl::Status cut_or_report(size_t i, const File& file, int64_t size, const WalkEnd& end);
  absl::Status cut(size_t i, const File& file, int64_t size, const WalkEnd& end);
  absl::Status damaged(const Segment& segment, const WalkEnd& end, absl::string_view why) const;

  const TopicPartition& id_;
  const std::string& directory_;
  const bool machine_restarted_;
  const Offset mark_;
  Recovered result_;
};

absl::Status Recovery::find_segments() {
  KAPPA_ASSIGN_OR_RETURN(const std::vector<std::string> names, list_directory(directory_));
  for (const std::string& name : names) {  // sorted: in offset order
    const int64_t base = segment_base_of(name);
    if (base < 0) continue;
    result_.segments.push_back(std::make_shared<Segment>(directory_, Offset{base}));
  }
  return absl::OkStatus();
}

absl::Status Recovery::damaged(const Segment& segment, const WalkEnd& end,
                               absl::string_view why) const {
  return absl::DataLossError(absl::StrCat(
      "topic ", id_.topic, " partition ", id_.partition, ": damaged at offset ",
      end.next_offset.value, ", byte ", end.position, " of ", segment.path(), ": ", end.what, "; ",
      why,
      ", so this is no torn tail; restore the file from a copy, or move the topic's directory away "
      "to go on without it"));
}

absl::Status Recovery::recover_segment(size_t i) {
  Segment& segment = *result_.segments[i];
  const bool last = i + 1 == result_.segments.size();
  const Offset next_base = last ? Offset{} : result_.segments[i + 1]->base_offset();
  KAPPA_ASSIGN_OR_RETURN(File file, File::open(segment.path(), OpenFor::kWriting));
  KAPPA_ASSIGN_OR_RETURN(const int64_t size, file.size());
  // What was synced before the segment was followed by others need not be read again.
  if (!last && next_base <= mark_ && adopt_summary(&segment, size, next_base)) {
    return absl::OkStatus();
  }
  KAPPA_ASSIGN_OR_RETURN(WalkEnd end, extend_index(file, size, &segment.index));
  if (end.why == WalkEnd::Why::kDone &&
      (last ? end.next_offset < mark_ : end.next_offset != next_base)) {
    end.why = WalkEnd::Why::kDamaged;
    end.what = last ? std::string("the file ends there")
                    : absl::StrCat("the next segment starts at offset ", next_base.value);
  }
  if (end.why != WalkEnd::Why::kDone) KAPPA_RETURN_IF_ERROR(cut_or_report(i, file, size, end));
  segment.publish(segment.index.size_bytes);
  if (i + 1 < result_.segments.size()) seal_with_index(&segment);
  if (end.next_offset > mark_) {
    result_.unsynced.push_back(std::make_shared<const File>(std::move(file)));
  }
  return absl::OkStatus();
}

absl::Status Recovery::cut_or_report(size_t i, const File& file, int64_t size, const WalkEnd& end) {
  const Segment& segment = *result_.segments[i];
  if (end.next_offset < mark_) {
    return damaged(segment, end,
                   absl::StrCat("records up to offset ", mark_.value, " had been synced"));
  }
  if (machine_restarted_) return cut(i, file, size, end);
  if (i + 1 < result_.segments.size()) return damaged(segment, end, "segments follow");
  KAPPA_ASSIGN_OR_RETURN(const bool followed,
                         has_batch_behind(file, end.position, size, end.next_offset));
  if (followed) return damaged(segment, end, "good records follow");
  return cut(i, file, size, end);
}

absl::Status Recovery::cut(size_t i, const File& file, int64_t size, const WalkEnd& end) {
  CutTail cut{
      .partition = id_, .end = end.next_offset, .bytes = size - end.position, .what = end.what};
  // From the back, so that a crash in between leaves segments without a gap before the cut.
  while (result_.segments.size() > i + 1) {
    const Segment& beyond = *result_.segments.back();
    if (absl::StatusOr<File> other = File::open(beyond.path(), OpenFor::kReading); other.ok()) {
      cut.bytes += other->size().value_or(0);
    }
    KAPPA_RETURN_IF_ERROR(remove_path(beyond.path()));
    KAPPA_RETURN_IF_ERROR(remove_path(beyond.index_path()));
    result_.segments.pop_back();
  }
  KAPPA_RETURN_IF_ERROR(file.truncate(end.position));
  KAPPA_RETURN_IF_ERROR(remove_path(result_.segments[i]->index_path()));
  result_.cut = std::move(cut);
  return absl::OkStatus();
}

absl::StatusOr<Recovered> Recovery::run() {
  KAPPA_RETURN_IF_ERROR(find_segments());
  if (result_.segments.empty() && mark_ > Offset{0}) {
    return absl::DataLossError(absl::StrCat("topic ", id_.topic, " partition ", id_.partition,
                                            ": records up to offset ", mark_.value,
                                            " had been synced, but ", directory_,
                                            " holds no segment file; restore them from a copy, or "
                                            "move the topic's directory away to go on without it"));
  }
  for (size_t i = 0; i < result_.segments.size(); ++i) {
    KAPPA_RETURN_IF_ERROR(recover_segment(i));
  }
  result_.end = result_.segments.empty() ? Offset{0} : result_.segments.back()->index.next_offset;
  result_.durable_end = mark_;
  return std::move(result_);
}

}  // namespace

absl::StatusOr<Recovered> recover_partition(const TopicPartition& id, const std::string& directory,
                                            bool machine_restarted) {
  return Recovery(id, directory, machine_restarted).run();
}

void write_durable_mark(const std::string& directory, Offset durable_end) {
  char bytes[kMarkBytes];
  store_big_endian<int64_t>(bytes, durable_end.value);
  store_big_endian<uint32_t>(bytes + 8, crc32c(bytes, 8));
  const absl::StatusOr<File> file = File::open(mark_path(directory), OpenFor::kCreating);
  if (file.ok()) file->write_at(0, std::string_view(bytes, kMarkBytes)).IgnoreError();
}

std::optional<Offset> read_durable_mark(const std::string& directory) {
  const absl::StatusOr<std::string> content = read_whole_file(mark_path(directory));
  if (!content.ok() || content->size() != kMarkBytes) return std::nullopt;
  if (load_big_endian<uint32_t>(content->data() + 8) != crc32c(content->data(), 8)) {
    return std::nullopt;
  }
  return Offset{load_big_endian<int64_t>(content->data())};
}

}  // namespace kappa::log
