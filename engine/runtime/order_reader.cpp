#include "engine/runtime/order_reader.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "engine/types/invariant.h"
#include "engine/types/status_macros.h"

namespace kappa::runtime {
namespace {

constexpr size_t kReadBytes = 256u << 10;

std::string name_of(const TopicPartition& partition) {
  return absl::StrCat("topic ", partition.topic, " partition ", partition.partition);
}

}  // namespace

absl::StatusOr<OrderReader> OrderReader::open(const log::Log& log,
                                              const std::vector<std::string>& topics,
                                              const std::vector<PartitionPlace>& places) {
  OrderReader reader;
  reader.log_ = &log;
  for (size_t t = 0; t < topics.size(); ++t) {
    KAPPA_ASSIGN_OR_RETURN(const log::TopicInfo info, log.topic(topics[t]));
    for (int32_t p = 0; p < info.config.partitions; ++p) {
      Partition partition;
      partition.id = {topics[t], p};
      partition.topic = t;
      KAPPA_ASSIGN_OR_RETURN(const log::PartitionRange range, log.range(partition.id));
      const auto known = std::find_if(
          places.begin(), places.end(),
          [&](const PartitionPlace& place) { return place.partition == partition.id; });
      partition.next = known == places.end() ? Offset{0} : known->next;
      if (known != places.end()) partition.log_time = known->log_time;
      // A fresh pipeline starts with the first record that retention has left.
      if (known == places.end()) partition.next = std::max(partition.next, range.start);
      partition.to = partition.next;
      KAPPA_ASSIGN_OR_RETURN(partition.reader, log.open_reader(partition.id, partition.next));
      reader.partitions_.push_back(std::move(partition));
    }
  }
  return reader;
}

std::vector<ReadPosition::Partition> OrderReader::positions() const {
  std::vector<ReadPosition::Partition> positions;
  positions.reserve(partitions_.size());
  for (const Partition& p : partitions_) positions.push_back({p.next, p.log_time});
  return positions;
}

absl::Status OrderReader::load(Partition& partition, size_t records_wanted) {
  while (partition.loaded < records_wanted) {
    KAPPA_ASSIGN_OR_RETURN(RecordBlock block, partition.reader->read(kReadBytes));
    if (block.empty()) return absl::OkStatus();
    partition.loaded += block.records.size();
    LoadedBlock& loaded = partition.blocks.emplace_back();
    loaded.timestamps.reserve(block.records.size());
    for (const RecordView& record : block.records) loaded.timestamps.push_back(record.timestamp);
    loaded.block = std::move(block);
  }
  return absl::OkStatus();
}

absl::Status OrderReader::load(size_t partition, size_t records_wanted) {
  return load(partitions_[partition], records_wanted);
}

std::optional<LogTime> OrderReader::oldest_loaded() const {
  std::optional<LogTime> oldest;
  for (const Partition& p : partitions_) {
    if (p.loaded == 0) continue;
    const LogTime time = p.record().timestamp;
    if (!oldest || time < *oldest) oldest = time;
  }
  return oldest;
}

std::optional<JournalEntry> OrderReader::take_loaded(LogTime clock, size_t records_max) {
  JournalEntry entry{JournalEntry::Kind::kLive, clock, {}};
  size_t waiting = 0;  // partitions with records that have not had their share
  for (const Partition& p : partitions_) waiting += p.loaded > 0;
  size_t left = records_max;
  for (const Partition& p : partitions_) {
    if (p.loaded == 0 || left == 0) continue;
    const size_t share = std::max<size_t>(1, left / std::max<size_t>(1, waiting));
    size_t count = std::min(p.loaded, share);
    --waiting;
    left -= std::min(left, count);
    // Find the last record of the share.
    size_t block = 0;
    size_t index = p.next_record;
    while (count > p.blocks[block].block.records.size() - index) {
      count -= p.blocks[block].block.records.size() - index;
      ++block;
      index = 0;
    }
    const RecordView& last = p.blocks[block].block.records[index + count - 1];
    entry.advances.push_back({p.id, Offset{last.offset.value + 1}, record_hash(last)});
  }
  if (entry.advances.empty()) return std::nullopt;
  return entry;
}

absl::StatusOr<std::optional<JournalEntry>> OrderReader::describe_backlog(LogTime clock) const {
  JournalEntry entry{JournalEntry::Kind::kHistory, clock, {}};
  for (const Partition& p : partitions_) {
    KAPPA_ASSIGN_OR_RETURN(const log::PartitionRange range, log_->range(p.id));
    if (range.end <= p.next) continue;
    KAPPA_ASSIGN_OR_RETURN(const auto reader, log_->open_reader(p.id, Offset{range.end.value - 1}));
    KAPPA_ASSIGN_OR_RETURN(const RecordBlock block, reader->read(1));
    if (block.empty()) {
      return absl::DataLossError(
          absl::StrCat(name_of(p.id), ": no record before its end at offset ", range.end.value));
    }
    const RecordView& last = block.records.front();
    entry.advances.push_back({p.id, Offset{last.offset.value + 1}, record_hash(last)});
  }
  if (entry.advances.empty()) return std::nullopt;
  return entry;
}

int64_t OrderReader::lag_records(const std::string& topic, const ReadPosition& applied) const {
  int64_t lag = 0;
  for (size_t i = 0; i < partitions_.size(); ++i) {
    if (partitions_[i].id.topic != topic) continue;
    const auto range = log_->range(partitions_[i].id);
    const int64_t next = applied.partitions[i].next.value;
    if (range.ok()) lag += std::max<int64_t>(0, range->end.value - next);
  }
  return lag;
}

void OrderReader::begin(JournalEntry entry) {
  KAPPA_INVARIANT(!entry_, "an entry begins when the one before it has ended");
  for (Partition& p : partitions_) p.log_time = kNoLogTime;
  set_ends(std::move(entry));
}

void OrderReader::resume(JournalEntry entry) {
  set_ends(std::move(entry));
}

void OrderReader::set_ends(JournalEntry entry) {
  for (Partition& p : partitions_) p.to = p.next;
  for (const JournalEntry::Advance& advance : entry.advances) {
    const auto found = std::find_if(partitions_.begin(), partitions_.end(),
                                    [&](const Partition& p) { return p.id == advance.partition; });
    if (found == partitions_.end()) continue;  // another plan's topic
    found->to = std::max(found->next, advance.to);
    found->last_record = advance.last_record;
  }
  entry_ = std::make_shared<const JournalEntry>(std::move(entry));
}

// Makes sure that the next record of the entry is there, if there is one, and looks how far the
// entry goes in its block.
absl::Status OrderReader::begin_block(Partition& partition) {
  if (!partition.in_entry()) return absl::OkStatus();
  if (partition.loaded == 0) KAPPA_RETURN_IF_ERROR(load(partition, 1));
  if (partition.loaded == 0) {
    return absl::AbortedError(
        absl::StrCat(name_of(partition.id), " ends at offset ", partition.next.value,
                     ", but the order journal goes on to ", partition.to.value));
  }
  const std::vector<RecordView>& records = partition.blocks.front().block.records;
  const auto end = std::partition_point(
      records.begin() + static_cast<std::ptrdiff_t>(partition.next_record), records.end(),
      [&](const RecordView& record) { return record.offset < partition.to; });
  partition.entry_end = static_cast<size_t>(end - records.begin());
  if (partition.entry_end == partition.next_record) {
    return absl::DataLossError(absl::StrCat(name_of(partition.id), ": offsets ",
                                            partition.next.value, " to ", partition.to.value - 1,
                                            " of the order journal are not in the log any more"));
  }
  partition.set_head(entry_->clock);
  return absl::OkStatus();
}

// After the last record of the entry in a block was taken.
absl::Status OrderReader::end_block(Partition& partition, Epoch& epoch) {
  RecordBlock& block = partition.blocks.front().block;
  const RecordView& last = block.records[partition.next_record - 1];
  if (!partition.in_entry() && partition.last_record != record_hash(last)) {
    return absl::AbortedError(absl::StrCat(name_of(partition.id), ": the record at offset ",
                                           last.offset.value,
                                           " is another one than the order journal remembers"));
  }
  if (partition.next_record == block.records.size()) {
    epoch.blocks.push_back(std::move(block));
    partition.blocks.pop_front();
    partition.next_record = 0;
  }
  return begin_block(partition);
}

// Takes records while the partition is the first in the order, to the end of its block at most.
absl::Status OrderReader::take_run(Partition& partition, const Partition* rival, Epoch& epoch,
                                   size_t places_max) {
  const LogTime clock = entry_->clock;
  const auto index = static_cast<uint32_t>(&partition - partitions_.data());
  // Of equal log times the partition that comes first by name is first.
  LogTime until{INT64_MAX};
  if (rival) until = rival > &partition ? LogTime{rival->head.ms + 1} : rival->head;
  const std::vector<RecordView>& records = partition.blocks.front().block.records;
  const size_t begin = partition.next_record;
  size_t next = begin;
  while (partition.head < until && epoch.size() < places_max) {
    partition.log_time = partition.head;
    const bool has_log_time = partition.log_time != kNoLogTime;
    epoch.add({has_log_time ? partition.log_time.ms : clock.ms, &records[next], index},
              partition.topic);
    partition.next_record = ++next;
    if (next == partition.entry_end) break;
    partition.set_head(clock);
  }
  if (next == begin) return absl::OkStatus();
  partition.loaded -= next - begin;
  partition.next = Offset{records[next - 1].offset.value + 1};
  return next == partition.entry_end ? end_block(partition, epoch) : absl::OkStatus();
}

absl::Status OrderReader::fill(Epoch& epoch, size_t places_max) {
  KAPPA_INVARIANT(entry_ != nullptr, "an entry is being applied");
  if (entry_->kind == JournalEntry::Kind::kTick || entry_->kind == JournalEntry::Kind::kEnd) {
    epoch.add(entry_->kind, entry_->clock);
    entry_.reset();
    return absl::OkStatus();
  }
  for (Partition& p : partitions_) KAPPA_RETURN_IF_ERROR(begin_block(p));
  while (epoch.size() < places_max) {
    // The partition that is next, and the one that would be next without it.
    Partition* best = nullptr;
    Partition* rival = nullptr;
    for (Partition& p : partitions_) {
      if (!p.in_entry()) continue;
      if (!best || p.head < best->head) {
        rival = best;
        best = &p;
      } else if (!rival || p.head < rival->head) {
        rival = &p;
      }
    }
    if (!best) {
      entry_.reset();
      return absl::OkStatus();
    }
    KAPPA_RETURN_IF_ERROR(take_run(*best, rival, epoch, places_max));
  }
  const bool more = std::any_of(partitions_.begin(), partitions_.end(),
                                [](const Partition& p) { return p.in_entry(); });
  if (!more) entry_.reset();
  return absl::OkStatus();
}

}  // namespace kappa::runtime
