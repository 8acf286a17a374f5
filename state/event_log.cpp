#include "state/event_log.h"

#include <algorithm>
#include <limits>
#include <mutex>

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "engine/types/invariant.h"

namespace kappa::state {
namespace {

constexpr size_t kSpareSegmentsMax = 4;
constexpr int64_t kNever = std::numeric_limits<int64_t>::min();

std::mutex spill_mutex;
std::string& spill_directory() {
  static std::string directory;
  return directory;
}

int open_spill_file() {
  const std::lock_guard lock(spill_mutex);
  if (spill_directory().empty()) return -1;
  return open(spill_directory().c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
}

bool write_all(int file, const std::byte* bytes, size_t size, int64_t offset) {
  while (size > 0) {
    const ssize_t written = pwrite(file, bytes, size, offset);
    if (written <= 0) return false;
    bytes += written;
    offset += written;
    size -= static_cast<size_t>(written);
  }
  return true;
}

}  // namespace

void set_spill_directory(const std::string& directory) {
  const std::lock_guard lock(spill_mutex);
  spill_directory() = directory;
}

EventLog::EventLog(TableId id, size_t record_bytes, size_t resident_bytes)
    : id_(id),
      record_bytes_(record_bytes),
      resident_bytes_(resident_bytes),
      forgotten_before_us_(kNever),
      pending_time_max_us_(kNever) {}

EventLog::~EventLog() {
  drop_segments(segments_.size());
  for (std::byte* memory : spare_) munmap(memory, segment_bytes());
  if (spill_file_ >= 0) close(spill_file_);
}

size_t EventLog::bytes() const {
  return (resident_ + spare_.size()) * segment_bytes() + dirty_bytes();
}

size_t EventLog::spilled_bytes() const {
  return (segments_.size() - resident_) * segment_bytes();
}

std::byte* EventLog::segment_memory() {
  if (!spare_.empty()) {
    std::byte* const memory = spare_.back();
    spare_.pop_back();
    return memory;
  }
  void* const memory =
      mmap(nullptr, segment_bytes(), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  KAPPA_INVARIANT(memory != MAP_FAILED, "the kernel has memory");
  return static_cast<std::byte*>(memory);
}

void EventLog::add_segment() {
  segments_.push_back({segment_memory(), kNever, -1});
  ++resident_;
  if (resident_ > 1 && (resident_ - 1) * segment_bytes() > resident_bytes_) spill_oldest();
}

// Its pages are replaced, where they are, by those of the file.
void EventLog::spill_oldest() {
  if (!spills_) return;
  if (spill_file_ < 0) spill_file_ = open_spill_file();
  Segment& segment = segments_[segments_.size() - resident_];
  const int64_t offset = spill_spare_.empty() ? spill_end_ : spill_spare_.back();
  // Without a file, or room in it, memory has to do.
  spills_ = spill_file_ >= 0 && write_all(spill_file_, segment.memory, segment_bytes(), offset);
  if (!spills_) return;
  void* const mapped =
      mmap(segment.memory, segment_bytes(), PROT_READ, MAP_SHARED | MAP_FIXED, spill_file_, offset);
  KAPPA_INVARIANT(mapped == segment.memory, "a segment is mapped where it was");
  segment.file_offset = offset;
  --resident_;
  if (spill_spare_.empty()) {
    spill_end_ += static_cast<int64_t>(segment_bytes());
  } else {
    spill_spare_.pop_back();
  }
}

void EventLog::drop_segments(size_t count) {
  const auto end = segments_.begin() + static_cast<std::ptrdiff_t>(count);
  for (auto segment = segments_.begin(); segment != end; ++segment) give_back(*segment);
  segments_.erase(segments_.begin(), end);
  first_segment_ += count;
}

void EventLog::give_back(const Segment& segment) {
  const bool spilled = segment.file_offset >= 0;
  if (spilled) {
    spill_spare_.push_back(segment.file_offset);
  } else {
    --resident_;
  }
  if (spilled || spare_.size() >= kSpareSegmentsMax) {
    munmap(segment.memory, segment_bytes());
  } else {
    spare_.push_back(segment.memory);
  }
}

std::byte* EventLog::append(int64_t event_time_us) {
  if ((end_ & (kSegmentRecords - 1)) == 0) add_segment();
  Segment& segment = segments_.back();
  segment.event_time_max_us = std::max(segment.event_time_max_us, event_time_us);
  pending_time_max_us_ = std::max(pending_time_max_us_, event_time_us);
  return segment.memory + (end_++ & (kSegmentRecords - 1)) * record_bytes_;
}

void EventLog::note_loaded(int64_t event_time_us, uint64_t checkpoint) {
  if (loaded_.empty() || loaded_.back().first != checkpoint) {
    loaded_.emplace_back(checkpoint, event_time_us);
  }
  loaded_.back().second = std::max(loaded_.back().second, event_time_us);
}

void EventLog::forget_before(int64_t event_time_us) {
  forgotten_before_us_ = std::max(forgotten_before_us_, event_time_us);
  // The last segment is being filled.
  size_t forgotten = 0;
  while (forgotten + 1 < segments_.size() &&
         segments_[forgotten].event_time_max_us < forgotten_before_us_) {
    ++forgotten;
  }
  if (forgotten > 0) drop_segments(forgotten);
}

// A few thousand checkpoints are remembered one by one; of more, two count as one.
void EventLog::note_stored() {
  constexpr size_t kRemembered = 4096;
  stored_.emplace_back(sequence_, pending_time_max_us_);
  if (stored_.size() <= kRemembered) return;
  std::deque<std::pair<uint32_t, int64_t>> fewer;
  for (size_t i = 0; i < stored_.size(); ++i) {
    if (i % 2 == 0) {
      fewer.push_back(stored_[i]);
    } else {
      fewer.back().second = std::max(fewer.back().second, stored_[i].second);
    }
  }
  stored_ = std::move(fewer);
}

PackedTable EventLog::take_checkpoint() {
  ++sequence_;
  PackedTable taken;
  taken.id = id_;
  taken.head.sequence = sequence_;
  taken.events = true;
  taken.blobs = pending_.take();
  if (!taken.blobs.empty()) note_stored();
  pending_time_max_us_ = kNever;
  const auto forget = [&](auto& checkpoints) {
    while (!checkpoints.empty() && checkpoints.front().second < forgotten_before_us_) {
      checkpoints.pop_front();
    }
  };
  forget(loaded_);
  forget(stored_);
  if (!loaded_.empty()) {
    taken.head.whole_from = loaded_.front().first;
  } else {
    taken.head.whole_in = stored_.empty() ? 1 : sequence_ - stored_.front().first + 1;
  }
  return taken;
}

}  // namespace kappa::state
