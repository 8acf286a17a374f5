#include "engine/log/embedded/partition_append.h"

#include <algorithm>
#include <mutex>
#include <utility>

#include "absl/cleanup/cleanup.h"
#include "absl/strings/str_cat.h"
#include "engine/log/embedded/owned_partition.h"
#include "engine/types/status_macros.h"

namespace kappa::log {
namespace {

constexpr size_t kScratchBytesMax = 4u << 20;

// Memory that a thread's appends share, so that a small append allocates nothing.
struct Scratch {
  struct Group {
    int32_t partition = 0;
    BatchEncoder batches;
    Offset first;
  };
  std::vector<uint32_t> group_of;       // by partition: its group + 1, 0: none
  std::vector<uint32_t> group_records;  // by record: its group
  std::vector<Group> groups;            // the first `used` are this call's
  size_t used = 0;

  void reset(size_t partitions) {
    group_of.assign(partitions, 0);
    group_records.clear();
  }
  void release() {
    for (size_t i = 0; i < used; ++i) {
      groups[i].batches.clear();
      groups[i].batches.shrink(kScratchBytesMax);
    }
    used = 0;
  }
  uint32_t group(int32_t partition) {
    uint32_t& slot = group_of[static_cast<size_t>(partition)];
    if (slot == 0) {
      if (used == groups.size()) groups.emplace_back();
      groups[used].partition = partition;
      slot = static_cast<uint32_t>(++used);
    }
    return slot - 1;
  }
};

// SplitMix64 (Steele, Lea and Flood).
uint64_t mix(uint64_t x) {
  x += 0x9e3779b97f4a7c15;
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9;
  x = (x ^ (x >> 27)) * 0x94d049bb133111eb;
  return x ^ (x >> 31);
}

int32_t partition_for(const RecordToAppend& record, TopicMap::Topic& topic, uint64_t seed) {
  const int32_t partitions = topic.info.config.partitions;
  if (record.partition) return *record.partition;
  if (record.key) return partition_for_key(*record.key, partitions);
  const uint64_t turn = topic.keyless_records.fetch_add(1, std::memory_order_relaxed);
  return static_cast<int32_t>(mix(seed + turn) % static_cast<uint64_t>(partitions));
}

absl::Status check(const RecordToAppend& record, size_t index, const TopicInfo& topic) {
  if (record.partition && (*record.partition < 0 || *record.partition >= topic.config.partitions)) {
    return no_such_partition(topic, *record.partition);
  }
  if (record.timestamp && record.timestamp->ms < 0) {
    return absl::InvalidArgumentError(absl::StrCat("topic ", topic.name, ": record ", index,
                                                   " has the timestamp ", record.timestamp->ms,
                                                   " ms; it must not lie before 1970"));
  }
  if (const size_t bytes = payload_bytes(record); bytes > kRecordBytesMax) {
    return absl::InvalidArgumentError(
        absl::StrCat("topic ", topic.name, ": record ", index, " has ", bytes,
                     " bytes of key, value and headers; it may have ", kRecordBytesMax));
  }
  return absl::OkStatus();
}

absl::Status encode(TopicMap::Topic& topic, std::span<const RecordToAppend> records, LogTime now,
                    uint64_t seed, Scratch* scratch) {
  for (size_t i = 0; i < records.size(); ++i) {
    KAPPA_RETURN_IF_ERROR(check(records[i], i, topic.info));
    const uint32_t group = scratch->group(partition_for(records[i], topic, seed));
    scratch->groups[group].batches.add(records[i], now);
    scratch->group_records.push_back(group);
  }
  for (size_t i = 0; i < scratch->used; ++i) scratch->groups[i].batches.finish();
  return absl::OkStatus();
}

OwnedPartition& owned(TopicMap::Topic& topic, int32_t partition) {
  return static_cast<OwnedPartition&>(*topic.partitions[static_cast<size_t>(partition)]);
}

// Takes the locks in the order of partitions, so that two appends never wait for each other.
absl::Status write_groups(TopicMap::Topic& topic, std::span<Scratch::Group*> groups) {
  std::sort(groups.begin(), groups.end(),
            [](const auto* a, const auto* b) { return a->partition < b->partition; });
  std::vector<std::unique_lock<std::mutex>> locks;
  locks.reserve(groups.size());
  for (size_t i = 0; i < groups.size(); ++i) {
    OwnedPartition& partition = owned(topic, groups[i]->partition);
    locks.push_back(partition.lock());
    const absl::Status staged = partition.stage(&groups[i]->batches);
    if (staged.ok()) continue;
    for (size_t j = 0; j < i; ++j) owned(topic, groups[j]->partition).undo();
    return absl::Status(staged.code(), absl::StrCat("nothing was appended to topic ",
                                                    topic.info.name, ": ", staged.message()));
  }
  for (Scratch::Group* group : groups) {
    group->first = owned(topic, group->partition).publish(group->batches);
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<std::vector<AppendedAt>> append_to_partitions(
    TopicMap::Topic& topic, std::span<const RecordToAppend> records, LogTime now, uint64_t seed) {
  thread_local Scratch scratch;
  scratch.reset(topic.partitions.size());
  const absl::Cleanup release = [] { scratch.release(); };
  KAPPA_RETURN_IF_ERROR(encode(topic, records, now, seed, &scratch));
  std::vector<Scratch::Group*> groups;
  groups.reserve(scratch.used);
  for (size_t i = 0; i < scratch.used; ++i) groups.push_back(&scratch.groups[i]);
  KAPPA_RETURN_IF_ERROR(write_groups(topic, groups));

  std::vector<AppendedAt> appended;
  appended.reserve(records.size());
  for (const uint32_t group : scratch.group_records) {
    Scratch::Group& at = scratch.groups[group];
    appended.push_back({.partition = at.partition, .offset = at.first});
    ++at.first.value;
  }
  return appended;
}

}  // namespace kappa::log
