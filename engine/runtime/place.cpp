#include "engine/runtime/place.h"

#include "engine/runtime/byte_codec.h"

namespace kappa::runtime {
namespace {

constexpr uint8_t kFormat = 3;

void put(ByteWriter& out, const TopicPartition& partition) {
  out.text(partition.topic);
  out.u64(static_cast<uint64_t>(partition.partition));
}

TopicPartition get_partition(ByteReader& in) {
  std::string topic(in.text());
  return {std::move(topic), static_cast<int32_t>(in.u64())};
}

void put(ByteWriter& out, const std::vector<std::pair<TopicPartition, Offset>>& offsets) {
  out.u64(offsets.size());
  for (const auto& [partition, offset] : offsets) {
    put(out, partition);
    out.i64(offset.value);
  }
}

std::vector<std::pair<TopicPartition, Offset>> get_offsets(ByteReader& in) {
  std::vector<std::pair<TopicPartition, Offset>> offsets;
  for (uint64_t n = in.u64(); n > 0 && in.ok(); --n) {
    TopicPartition partition = get_partition(in);
    offsets.emplace_back(std::move(partition), Offset{in.i64()});
  }
  return offsets;
}

void put(ByteWriter& out, const JournalEntry& entry) {
  out.u8(static_cast<uint8_t>(entry.kind));
  out.i64(entry.clock.ms);
  out.u64(entry.advances.size());
  for (const JournalEntry::Advance& advance : entry.advances) {
    put(out, advance.partition);
    out.i64(advance.to.value);
    out.fixed64(advance.last_record);
  }
}

JournalEntry get_entry(ByteReader& in) {
  JournalEntry entry;
  entry.kind = static_cast<JournalEntry::Kind>(in.u8());
  entry.clock.ms = in.i64();
  for (uint64_t n = in.u64(); n > 0 && in.ok(); --n) {
    JournalEntry::Advance advance;
    advance.partition = get_partition(in);
    advance.to.value = in.i64();
    advance.last_record = in.fixed64();
    entry.advances.push_back(std::move(advance));
  }
  return entry;
}

void put(ByteWriter& out, const std::vector<PartitionPlace>& partitions) {
  out.u64(partitions.size());
  for (const PartitionPlace& p : partitions) {
    put(out, p.partition);
    out.i64(p.next.value);
    out.i64(p.log_time.ms);
    out.i64(p.known_to.value);
    out.fixed64(p.known_record);
  }
}

std::vector<PartitionPlace> get_partitions(ByteReader& in) {
  std::vector<PartitionPlace> partitions;
  for (uint64_t n = in.u64(); n > 0 && in.ok(); --n) {
    PartitionPlace p;
    p.partition = get_partition(in);
    p.next.value = in.i64();
    p.log_time.ms = in.i64();
    p.known_to.value = in.i64();
    p.known_record = in.fixed64();
    partitions.push_back(std::move(p));
  }
  return partitions;
}

void put(ByteWriter& out, const Rest& rest) {
  out.u64(rest.until_entries);
  out.u64(rest.nodes.size());
  for (const auto& [node, at] : rest.nodes) {
    out.u64(node);
    out.i64(at.watermark);
    out.i64(at.input_watermark);
    out.i64(at.expiry_watermark);
  }
  put(out, rest.partitions);
  out.u64(rest.records);
}

Rest get_rest(ByteReader& in) {
  Rest rest;
  rest.until_entries = in.u64();
  for (uint64_t n = in.u64(); n > 0 && in.ok(); --n) {
    Rest::Node& at = rest.nodes[static_cast<uint32_t>(in.u64())];
    at.watermark = in.i64();
    at.input_watermark = in.i64();
    at.expiry_watermark = in.i64();
  }
  rest.partitions = get_partitions(in);
  rest.records = in.u64();
  return rest;
}

}  // namespace

std::string encode(const Place& place) {
  ByteWriter out;
  out.u8(kFormat);
  out.fixed64(place.plan_fingerprint);
  out.fixed64(place.journal_id);
  out.u64(place.journal.entry);
  out.u64(place.journal.byte);
  put(out, place.journal.partitions);
  out.u8(place.entry ? 1 : 0);
  if (place.entry) put(out, *place.entry);
  put(out, place.partitions);
  out.u64(place.sources.size());
  for (const SourceClock& s : place.sources) {
    out.i64(s.event_time_max_us);
    out.i64(s.first_record_ms);
    out.i64(s.last_record_ms);
    out.i64(s.active_ms);
  }
  out.u64(place.watermarks.size());
  for (const auto& [node, watermark] : place.watermarks) {
    out.u64(node);
    out.i64(watermark);
  }
  out.u64(place.side.size());
  for (const auto& [node, counts] : place.side) {
    out.u64(node);
    for (uint64_t n : {counts.errors, counts.duplicates, counts.late, counts.outputs}) out.u64(n);
    out.fixed64(counts.content);
  }
  out.u64(place.source_records.size());
  for (uint64_t n : place.source_records) out.u64(n);
  out.i64(place.clock.ms);
  out.u64(place.records);
  out.u64(place.outbox_next);
  put(out, place.published);
  out.u8(place.untouched ? 1 : 0);
  out.u8(place.rest ? 1 : 0);
  if (place.rest) put(out, *place.rest);
  out.u64(place.final_from.size());
  for (const auto& [node, event_time_us] : place.final_from) {
    out.u64(node);
    out.i64(event_time_us);
  }
  return out.take();
}

absl::StatusOr<Place> decode_place(std::string_view bytes) {
  ByteReader in(bytes);
  if (in.u8() != kFormat) {
    return absl::DataLossError("the checkpoint's place has a format that this kappa does not read");
  }
  Place place;
  place.plan_fingerprint = in.fixed64();
  place.journal_id = in.fixed64();
  place.journal.entry = in.u64();
  place.journal.byte = in.u64();
  place.journal.partitions = get_offsets(in);
  if (in.u8() == 1) place.entry = get_entry(in);
  place.partitions = get_partitions(in);
  for (uint64_t n = in.u64(); n > 0 && in.ok(); --n) {
    SourceClock s;
    s.event_time_max_us = in.i64();
    s.first_record_ms = in.i64();
    s.last_record_ms = in.i64();
    s.active_ms = in.i64();
    place.sources.push_back(s);
  }
  for (uint64_t n = in.u64(); n > 0 && in.ok(); --n) {
    const auto node = static_cast<uint32_t>(in.u64());
    place.watermarks[node] = in.i64();
  }
  for (uint64_t n = in.u64(); n > 0 && in.ok(); --n) {
    SideCounts& counts = place.side[static_cast<uint32_t>(in.u64())];
    for (uint64_t* value : {&counts.errors, &counts.duplicates, &counts.late, &counts.outputs}) {
      *value = in.u64();
    }
    counts.content = in.fixed64();
  }
  for (uint64_t n = in.u64(); n > 0 && in.ok(); --n) place.source_records.push_back(in.u64());
  place.clock.ms = in.i64();
  place.records = in.u64();
  place.outbox_next = in.u64();
  place.published = get_offsets(in);
  place.untouched = in.u8() == 1;
  if (in.u8() == 1) place.rest = get_rest(in);
  for (uint64_t n = in.u64(); n > 0 && in.ok(); --n) {
    const auto node = static_cast<uint32_t>(in.u64());
    place.final_from[node] = in.i64();
  }
  if (!in.ok() || !in.at_end()) return absl::DataLossError("the checkpoint's place is damaged");
  return place;
}

}  // namespace kappa::runtime
