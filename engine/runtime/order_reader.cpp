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
                                              const std::vector<PartitionPlace>& places,
                                              const std::set<std::string>& but) {
  OrderReader reader;
  reader.log_ = &log;
  for (size_t t = 0; t < topics.size(); ++t) {
    if (but.contains(topics[t])) continue;
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
      if (known != places.end()) {
        KAPPA_ASSIGN_OR_RETURN(partition.reader, check_place(log, partition.id, range, *known));
        partition.log_time = known->log_time;
        partition.known_to = known->known_to;
        partition.known_record = known->known_record;
      }
      // A fresh pipeline starts with the first record that retention has left.
      if (known == places.end()) partition.next = std::max(partition.next, range.start);
      partition.to = partition.next;
      if (partition.reader) {
        partition.reader->seek(partition.next);
      } else {
        KAPPA_ASSIGN_OR_RETURN(partition.reader, log.open_reader(partition.id, partition.next));
      }
      reader.partitions_.push_back(std::move(partition));
    }
  }
  return reader;
}

absl::Status OrderReader::carry(const std::string& topic, const JournalBookmark& at) {
  const absl::StatusOr<log::TopicInfo> info = log_->topic(topic);
  if (absl::IsNotFound(info.status())) return absl::OkStatus();
  KAPPA_RETURN_IF_ERROR(info.status());
  for (int32_t p = 0; p < info->config.partitions; ++p) {
    Partition partition;
    partition.id = {topic, p};
    partition.carried = true;
    KAPPA_ASSIGN_OR_RETURN(const log::PartitionRange range, log_->range(partition.id));
    for (const auto& [known, next] : at.partitions) {
      if (known == partition.id) partition.next = next;
    }
    partition.next = std::max(partition.next, range.start);
    partition.to = partition.next;
    KAPPA_ASSIGN_OR_RETURN(partition.reader, log_->open_reader(partition.id, partition.next));
    partitions_.push_back(std::move(partition));
  }
  return absl::OkStatus();
}

void OrderReader::expect(const std::vector<JoinedPartition>& joins) {
  for (const JoinedPartition& join : joins) {
    for (Partition& p : partitions_) {
      if (p.id == join.partition) p.early_to = join.end;
    }
  }
}

// A log that is not the one of the checkpoint must not be read on, however plausible its offsets.
// Returns the reader that has looked, if there was something to look at: it goes on knowing which
// log it has seen.
absl::StatusOr<std::unique_ptr<log::LogReader>> OrderReader::check_place(
    const log::Log& log, const TopicPartition& id, const log::PartitionRange& range,
    const PartitionPlace& place) {
  if (range.end < place.next) {
    return absl::DataLossError(absl::StrCat(name_of(id), " ends at offset ", range.end.value,
                                            ", but the checkpoint has applied all before ",
                                            place.next.value,
                                            ": the topic was made anew, or its log was cut"));
  }
  const Offset last{place.known_to.value - 1};
  if (last.value < 0 || last < range.start) return nullptr;  // removed by retention
  KAPPA_ASSIGN_OR_RETURN(auto reader, log.open_reader(id, last));
  KAPPA_ASSIGN_OR_RETURN(const RecordBlock block, reader->read_to(place.known_to, 1));
  // Compaction may have removed it; then there is nothing to compare.
  if (block.empty() || block.records.front().offset != last) return reader;
  if (record_hash(block.records.front()) == place.known_record) return reader;
  return absl::DataLossError(absl::StrCat(
      name_of(id), ": the record at offset ", last.value,
      " is not the one that the checkpoint has applied (the log is now ", range.start.value, " to ",
      range.end.value, "): the topic was made anew, or this is another log"));
}

std::vector<ReadPosition::Partition> OrderReader::positions() const {
  std::vector<ReadPosition::Partition> positions;
  positions.reserve(partitions_.size());
  for (const Partition& p : partitions_) {
    positions.push_back({p.next, p.log_time, p.known_to, p.known_record});
  }
  return positions;
}

std::vector<PartitionPlace> OrderReader::places() const {
  std::vector<PartitionPlace> places;
  places.reserve(partitions_.size());
  for (const Partition& p : partitions_) {
    places.push_back({p.id, p.next, p.log_time, p.known_to, p.known_record});
  }
  return places;
}

// Waits for records before `end`; what comes behind it is taken as it has arrived.
absl::Status OrderReader::load(Partition& partition, size_t records_wanted, Offset end) {
  while (partition.loaded < records_wanted) {
    KAPPA_ASSIGN_OR_RETURN(RecordBlock block, partition.reader->read_to(end, kReadBytes));
    if (block.empty()) return absl::OkStatus();
    partition.loaded += block.records.size();
    LoadedBlock& loaded = partition.blocks.emplace_back();
    if (!partition.spare_timestamps.empty()) {
      loaded.timestamps = std::move(partition.spare_timestamps.back());
      partition.spare_timestamps.pop_back();
      loaded.timestamps.clear();
    }
    loaded.timestamps.reserve(block.records.size());
    for (const RecordView& record : block.records) loaded.timestamps.push_back(record.timestamp);
    loaded.block = std::move(block);
  }
  return absl::OkStatus();
}

absl::Status OrderReader::load(size_t partition, size_t records_wanted) {
  return load(partitions_[partition], records_wanted, Offset{0});
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

// Offsets have gaps, and a log may end with some (marks of transactions, aborted records): looks
// further and further back, to where the partition stands. Nothing: there is no record.
absl::StatusOr<std::optional<JournalEntry::Advance>> OrderReader::last_record_before(
    const Partition& partition, Offset end) const {
  for (int64_t back = 1;; back *= 4) {
    const Offset from = std::max(partition.next, Offset{end.value - back});
    KAPPA_ASSIGN_OR_RETURN(const auto reader, log_->open_reader(partition.id, from));
    std::optional<JournalEntry::Advance> last;
    while (reader->position() < end) {
      KAPPA_ASSIGN_OR_RETURN(const RecordBlock block, reader->read_to(end, kReadBytes));
      if (block.empty()) break;
      for (const RecordView& record : block.records) {
        if (record.offset >= end) break;
        last = {partition.id, Offset{record.offset.value + 1}, record_hash(record)};
      }
    }
    if (last || from == partition.next) return last;
  }
}

absl::StatusOr<std::optional<JournalEntry>> OrderReader::describe_backlog(LogTime clock) const {
  JournalEntry entry{JournalEntry::Kind::kHistory, clock, {}};
  for (const Partition& p : partitions_) {
    KAPPA_ASSIGN_OR_RETURN(const log::PartitionRange range, log_->range(p.id));
    if (range.end <= p.next) continue;
    KAPPA_ASSIGN_OR_RETURN(auto advance, last_record_before(p, range.end));
    if (advance) entry.advances.push_back(*std::move(advance));
  }
  if (entry.advances.empty()) return std::nullopt;
  return entry;
}

int64_t OrderReader::lag_records(const std::string& topic, const ReadPosition& applied) const {
  int64_t lag = 0;
  for (size_t i = 0; i < partitions_.size(); ++i) {
    if (partitions_[i].id.topic != topic) continue;
    lag += partition_lag(i, applied);
  }
  return lag;
}

int64_t OrderReader::partition_lag(size_t index, const ReadPosition& applied) const {
  const Partition& partition = partitions_[index];
  Offset next = applied.partitions[index].next;
  // Behind the last record there may be offsets without any.
  if (partition.loaded == 0 && partition.next == next) {
    next = std::max(next, partition.reader->position());
  }
  const auto range = log_->last_range(partition.id);
  return range.ok() ? std::max<int64_t>(0, range->end.value - next.value) : 0;
}

int64_t OrderReader::headroom_records(size_t index, const ReadPosition& applied) const {
  const auto range = log_->last_range(partitions_[index].id);
  return range.ok() ? applied.partitions[index].next.value - range->start.value : 0;
}

bool OrderReader::lacks_partition_of(const JournalEntry& entry) const {
  return std::any_of(entry.advances.begin(), entry.advances.end(), [&](const auto& advance) {
    const TopicPartition& wanted = advance.partition;
    bool topic = false;
    for (const Partition& p : partitions_) {
      if (p.id == wanted) return false;
      topic = topic || p.id.topic == wanted.topic;
    }
    return topic;
  });
}

void OrderReader::begin(JournalEntry entry) {
  KAPPA_INVARIANT(!entry_, "an entry begins when the one before it has ended");
  for (Partition& p : partitions_) p.log_time = kNoLogTime;
  set_ends(std::move(entry));
}

void OrderReader::resume(JournalEntry entry) {
  set_ends(std::move(entry));
}

// Its records up to there are nobody's.
void OrderReader::pass(Partition& partition, const JournalEntry::Advance& advance) {
  while (partition.loaded > 0 && partition.record().offset < advance.to) {
    --partition.loaded;
    if (++partition.next_record == partition.blocks.front().block.records.size()) {
      partition.blocks.pop_front();
      partition.next_record = 0;
    }
  }
  if (partition.reader->position() < advance.to) partition.reader->seek(advance.to);
  partition.to = advance.to;
  partition.last_record = advance.last_record;
  partition.end_entry();
}

void OrderReader::set_ends(JournalEntry entry) {
  for (Partition& p : partitions_) p.to = p.is_early() ? p.early_to : p.next;
  for (const JournalEntry::Advance& advance : entry.advances) {
    const auto found = std::find_if(partitions_.begin(), partitions_.end(),
                                    [&](const Partition& p) { return p.id == advance.partition; });
    if (found == partitions_.end()) continue;  // another plan's topic
    found->early_to = Offset{0};               // it has joined
    if (found->carried) {
      if (found->next < advance.to) pass(*found, advance);
      continue;
    }
    found->to = std::max(found->next, advance.to);
    found->last_record = advance.last_record;
  }
  entry_ = std::make_shared<const JournalEntry>(std::move(entry));
}

// Makes sure that the next record of the entry is there, if there is one, and looks how far the
// entry goes in its block.
absl::Status OrderReader::begin_block(Partition& partition) {
  if (!partition.in_entry()) return absl::OkStatus();
  if (partition.loaded == 0) KAPPA_RETURN_IF_ERROR(load(partition, 1, partition.to));
  if (partition.loaded == 0 && partition.reader->position() < partition.to) {
    return absl::AbortedError(
        absl::StrCat(name_of(partition.id), " ends at offset ", partition.next.value,
                     ", but the order journal goes on to ", partition.to.value));
  }
  if (partition.loaded == 0 || partition.record().offset >= partition.to) {
    // The log goes on behind the entry: compaction has removed what the entry had here.
    partition.end_entry();
    return absl::OkStatus();
  }
  const std::vector<RecordView>& records = partition.blocks.front().block.records;
  const auto end = std::partition_point(
      records.begin() + static_cast<std::ptrdiff_t>(partition.next_record), records.end(),
      [&](const RecordView& record) { return record.offset < partition.to; });
  partition.entry_end = static_cast<size_t>(end - records.begin());
  if (partition.is_early()) end_early(partition);
  if (partition.in_entry()) partition.set_head(entry_->clock);
  return absl::OkStatus();
}

// Of what was there before the topic joined, the entry takes what its clock has seen.
void OrderReader::end_early(Partition& partition) const {
  const LoadedBlock& block = partition.blocks.front();
  size_t end = partition.next_record;
  while (end < partition.entry_end && block.timestamps[end] <= entry_->clock) ++end;
  if (end == partition.entry_end) return;
  partition.entry_end = end;
  // Offsets have gaps: what is taken ends behind its last record.
  partition.to = end == partition.next_record
                     ? partition.next
                     : Offset{block.block.records[end - 1].offset.value + 1};
}

// After the last record of the entry in a block was taken.
absl::Status OrderReader::end_block(Partition& partition, Epoch& epoch) {
  RecordBlock& block = partition.blocks.front().block;
  const RecordView& last = block.records[partition.next_record - 1];
  if (partition.early_to.value > 0) partition.last_record = record_hash(last);
  if (!partition.in_entry() && partition.last_record != record_hash(last)) {
    return absl::AbortedError(absl::StrCat(name_of(partition.id), ": the record at offset ",
                                           last.offset.value,
                                           " is another one than the order journal remembers"));
  }
  if (!partition.in_entry()) partition.end_entry();
  if (partition.next_record == block.records.size()) {
    epoch.blocks.emplace_back(static_cast<uint32_t>(&partition - partitions_.data()),
                              std::move(block));
    partition.spare_timestamps.push_back(std::move(partition.blocks.front().timestamps));
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
  const LoadedBlock& block = partition.blocks.front();
  const std::vector<RecordView>& records = block.block.records;
  const LogTime* const timestamps = block.timestamps.data();
  const size_t begin = partition.next_record;
  const size_t end = partition.entry_end;
  const size_t last = begin + std::min(end - begin, places_max - epoch.size());
  if (known_at_ms_.size() < last - begin) known_at_ms_.resize(last - begin);
  size_t next = begin;
  LogTime log_time = partition.log_time;
  LogTime head = partition.head;
  while (head < until && next < last) {
    log_time = head;
    known_at_ms_[next - begin] = log_time != kNoLogTime ? log_time.ms : clock.ms;
    if (++next == end) break;
    head = head_of(timestamps[next], log_time, clock);
  }
  if (next == begin) return absl::OkStatus();
  epoch.add(&records[begin], {known_at_ms_.data(), next - begin}, index, partition.topic);
  partition.log_time = log_time;
  partition.head = head;
  partition.next_record = next;
  partition.loaded -= next - begin;
  if (next < partition.entry_end) return absl::OkStatus();
  partition.settle();
  return end_block(partition, epoch);
}

void OrderReader::take_back(Epoch& epoch) {
  for (auto& [partition, block] : epoch.blocks) {
    // Not one of a reader that had other partitions.
    if (partition < partitions_.size()) partitions_[partition].reader->take_back(std::move(block));
  }
  epoch.blocks.clear();
}

absl::Status OrderReader::fill(Epoch& epoch, size_t places_max) {
  KAPPA_INVARIANT(entry_ != nullptr, "an entry is being applied");
  epoch.expect(places_max);
  if (entry_->kind == JournalEntry::Kind::kTick || entry_->kind == JournalEntry::Kind::kEnd) {
    epoch.add(entry_->kind, entry_->clock);
    entry_.reset();
    return absl::OkStatus();
  }
  const size_t before = epoch.size();
  const absl::Status filled = fill_from_partitions(epoch, places_max);
  for (Partition& p : partitions_) p.settle();
  // What was taken so far stays taken: the epoch is a small one.
  if (absl::IsUnavailable(filled) && epoch.size() > before) return absl::OkStatus();
  return filled;
}

absl::Status OrderReader::fill_from_partitions(Epoch& epoch, size_t places_max) {
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
