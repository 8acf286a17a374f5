#include "checkpoint_model.h"

#include <catch2/catch.hpp>

#include "state/packed_rows.h"

namespace kappa::state {

Checkpoint CheckpointModel::change(RandomRows& random, size_t changes, size_t value_bytes_max) {
  std::map<TableId, PackedTable> packed;
  for (uint64_t id = 0; id < 4; ++id) {
    const TableId table{1 + id / 2, static_cast<uint8_t>(id % 2)};
    packed[table].id = table;
  }
  for (size_t n = 0; n < changes; ++n) {
    const TableId table{1 + random.below(2), static_cast<uint8_t>(random.below(2))};
    const std::string key(1 + random.below(3), static_cast<char>('a' + random.below(8)));
    PackedRow row{static_cast<uint32_t>(random.below(3)), key, {}, random.chance(0.3)};
    const Key model_key{table.operator_id, table.part, row.key_group, key};
    const std::string value(random.below(value_bytes_max + 1),
                            static_cast<char>(random.below(256)));
    row.value = value;
    append_packed(row, packed[table].blob());
    if (row.deleted) {
      rows.erase(model_key);
    } else {
      rows[model_key] = value;
    }
  }
  Checkpoint checkpoint;
  ++sequence;
  for (auto& [table, changed] : packed) {
    const bool whole = random.chance(0.2);
    if (whole) pack_whole(&changed);
    changed.head = {sequence, whole ? 1u : 0u};
    checkpoint.tables.push_back(std::move(changed));
  }

  const uint64_t next = outbox_from + outbox.size();
  for (size_t n = random.below(4); n > 0; --n) {
    const uint64_t number = outbox_from + outbox.size();
    checkpoint.outbox.push_back({number, "topic", "payload " + std::to_string(number)});
    outbox.push_back(checkpoint.outbox.back().payload);
  }
  const uint64_t published = random.below(next - outbox_from + 1);
  outbox.erase(outbox.begin(), outbox.begin() + static_cast<std::ptrdiff_t>(published));
  outbox_from += published;
  checkpoint.outbox_published_to = outbox_from;

  place = "place " + std::to_string(sequence);
  checkpoint.place = place;
  return checkpoint;
}

void CheckpointModel::pack_whole(PackedTable* packed) const {
  packed->blobs.clear();
  for (const auto& [key, value] : rows) {
    const auto& [operator_id, part, key_group, bytes] = key;
    if (packed->id != TableId{operator_id, static_cast<uint8_t>(part)}) continue;
    append_packed({key_group, bytes, value, false}, packed->blob());
  }
}

CheckpointModel CheckpointModel::read(const CheckpointStore& store) {
  CheckpointModel found;
  auto place = store.read_place();
  if (!place.ok()) FAIL(std::string(place.status().message()));
  found.place = *place;
  const absl::Status read = store.read_rows(
      [&](TableId table, uint32_t key_group, std::string_view key, std::string_view value) {
        const Key model_key{table.operator_id, table.part, key_group, std::string(key)};
        if (!found.rows.emplace(model_key, value).second) FAIL("a row came twice");
        return absl::OkStatus();
      });
  if (!read.ok()) FAIL(std::string(read.message()));
  auto outbox = store.read_outbox();
  if (!outbox.ok()) FAIL(std::string(outbox.status().message()));
  for (const OutboxEntry& entry : *outbox) {
    if (found.outbox.empty()) found.outbox_from = entry.sequence;
    if (entry.sequence != found.outbox_from + found.outbox.size()) FAIL("a gap in the outbox");
    found.outbox.push_back(entry.payload);
  }
  return found;
}

}  // namespace kappa::state
