#include "engine/runtime/kept_outputs.h"

#include <limits>

#include "engine/runtime/byte_codec.h"
#include "engine/runtime/outbox_entry.h"
#include "engine/types/invariant.h"
#include "engine/types/status_macros.h"

namespace kappa::runtime {

using operators::NodeId;

namespace {

constexpr int64_t kFirst = std::numeric_limits<int64_t>::min();

void append_big_endian(uint64_t value, int bytes, std::string* out) {
  for (int i = bytes; i-- > 0;) out->push_back(static_cast<char>(value >> (8 * i)));
}

// Key: output u32 | event time i64, sign flipped | nth u64, all big-endian. Value: topic | payload
// of an outbox entry, in ByteWriter's terms.
std::string key_of(NodeId output, int64_t event_time_us, uint64_t nth) {
  std::string key;
  append_big_endian(output, 4, &key);
  append_big_endian(static_cast<uint64_t>(event_time_us) ^ (uint64_t{1} << 63), 8, &key);
  append_big_endian(nth, 8, &key);
  return key;
}

std::string value_of(const log::OutboxRecord& record) {
  ByteWriter out;
  out.text(record.topic);
  out.text(encode(record).payload);
  return out.take();
}

absl::StatusOr<log::OutboxRecord> record_of(std::string_view value) {
  ByteReader in(value);
  state::OutboxEntry entry;
  entry.topic = in.text();
  entry.payload = in.text();
  if (!in.ok()) return absl::DataLossError("a row that was kept for an output topic is damaged");
  return decode(entry);
}

}  // namespace

void KeptOutputs::keep(NodeId output, int64_t event_time_us, uint64_t nth,
                       const log::OutboxRecord& record) {
  unsaved_.emplace(key_of(output, event_time_us, nth), record);
}

void KeptOutputs::drop_below(NodeId output, int64_t event_time_us) {
  Dropped& dropped = dropped_.emplace(output, Dropped{kFirst, kFirst}).first->second;
  if (event_time_us <= dropped.to_us) return;
  dropped.to_us = event_time_us;
  unsaved_.erase(unsaved_.lower_bound(key_of(output, kFirst, 0)),
                 unsaved_.lower_bound(key_of(output, event_time_us, 0)));
}

absl::StatusOr<std::vector<log::OutboxRecord>> KeptOutputs::read(
    const state::CheckpointStore& store, NodeId output, int64_t from_us) const {
  KAPPA_INVARIANT(unsaved_.empty(), "what is kept is stored");
  const std::string from = key_of(output, from_us, 0);
  const std::string to = key_of(output + 1, kFirst, 0);
  std::vector<log::OutboxRecord> records;
  absl::Status damage;
  KAPPA_RETURN_IF_ERROR(store.visit_kept(from, to, [&](std::string_view, std::string_view value) {
    absl::StatusOr<log::OutboxRecord> record = record_of(value);
    damage = record.status();
    if (damage.ok()) records.push_back(*std::move(record));
    return damage.ok();
  }));
  KAPPA_RETURN_IF_ERROR(damage);
  return records;
}

void KeptOutputs::drop_all() {
  unsaved_.clear();
  dropped_.clear();
  all_dropped_ = true;
}

state::KeptChanges KeptOutputs::take_unsaved() {
  state::KeptChanges changes;
  if (all_dropped_) {
    changes.erased.emplace_back(key_of(0, kFirst, 0), key_of(operators::kNoNode, kFirst, 0));
  }
  all_dropped_ = false;
  for (auto& [output, dropped] : dropped_) {
    if (dropped.to_us == dropped.stored_to_us) continue;
    changes.erased.emplace_back(key_of(output, dropped.stored_to_us, 0),
                                key_of(output, dropped.to_us, 0));
    dropped.stored_to_us = dropped.to_us;
  }
  for (const auto& [key, record] : unsaved_) changes.added.emplace_back(key, value_of(record));
  unsaved_.clear();
  return changes;
}

}  // namespace kappa::runtime
