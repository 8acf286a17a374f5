#include "state/checkpoint.h"

#include <algorithm>
#include <map>
#include <utility>

#include "absl/container/flat_hash_set.h"
#include "absl/strings/str_cat.h"
#include "engine/types/arena.h"
#include "engine/types/invariant.h"
#include "engine/types/status_macros.h"
#include "state/packed_rows.h"

namespace kappa::state {
namespace {

constexpr size_t kBlobBytes = 32u << 10;
// More outbox entries than this are forgotten by range.
constexpr uint64_t kErasedOneByOneMax = 4096;

// Cuts packed rows into blobs of about kBlobBytes and puts them into the batch.
class BlobWriter {
 public:
  BlobWriter(uint64_t checkpoint, WriteBatch* batch) : checkpoint_(checkpoint), batch_(batch) {}

  void add(TableId table, std::string_view packed) {
    while (!packed.empty()) {
      std::string_view rest = packed;
      while (!rest.empty() && packed.size() - rest.size() < kBlobBytes) {
        PackedRow row;
        KAPPA_INVARIANT(take_packed(&rest, &row), "checkpoint_slice() packs whole rows");
      }
      const std::string_view blob = packed.substr(0, packed.size() - rest.size());
      std::string sealed = seal_blob(blob);
      ++summary_.blobs;
      summary_.bytes += sealed.size();
      batch_->put(delta_key(checkpoint_, table, blobs_of_[table]++), std::move(sealed));
      packed = rest;
    }
  }
  const DeltaSummary& summary() const { return summary_; }

 private:
  const uint64_t checkpoint_;
  WriteBatch* const batch_;
  std::map<TableId, uint32_t> blobs_of_;
  DeltaSummary summary_;
};

// topic bytes u16 little-endian | topic | payload
std::string encode_outbox(const OutboxEntry& entry) {
  std::string out;
  out.push_back(static_cast<char>(entry.topic.size()));
  out.push_back(static_cast<char>(entry.topic.size() >> 8));
  out += entry.topic;
  out += entry.payload;
  return out;
}

absl::StatusOr<OutboxEntry> decode_outbox(std::string_view key, std::string_view stored) {
  OutboxEntry entry;
  for (char byte : key.substr(1)) {
    entry.sequence = (entry.sequence << 8) | static_cast<uint8_t>(byte);
  }
  size_t topic_bytes = 0;
  if (stored.size() >= 2) {
    topic_bytes = static_cast<uint8_t>(stored[0]) | size_t{static_cast<uint8_t>(stored[1])} << 8;
  }
  if (stored.size() < 2 + topic_bytes) {
    return absl::DataLossError(
        absl::StrCat("outbox entry ", entry.sequence, " is damaged: ", stored.size(), " bytes"));
  }
  entry.topic = stored.substr(2, topic_bytes);
  entry.payload = stored.substr(2 + topic_bytes);
  return entry;
}

}  // namespace

CheckpointStore::CheckpointStore(StateStore* store) : store_(store) {
  const absl::StatusOr<std::string> stored = store_->get(head_key());
  if (!stored.ok()) {
    loaded_ = absl::IsNotFound(stored.status()) ? absl::NotFoundError("no checkpoint yet")
                                                : stored.status();
    return;
  }
  absl::StatusOr<CheckpointHead> head = decode_head(*stored);
  loaded_ = head.status();
  if (head.ok()) head_ = *std::move(head);
}

absl::StatusOr<std::string> CheckpointStore::read_place() const {
  if (!loaded_.ok()) return loaded_;
  return head_.place;
}

absl::Status CheckpointStore::write(const Checkpoint& checkpoint) {
  if (!loaded_.ok() && !absl::IsNotFound(loaded_)) return loaded_;
  CheckpointHead head = head_;
  ++head.number;
  head.place = checkpoint.place;

  WriteBatch batch;
  BlobWriter blobs(head.number, &batch);
  for (const auto& [table, packed] : checkpoint.blobs) blobs.add(table, packed);
  batch.put(summary_key(head.number), encode_summary(blobs.summary()));
  head.delta_bytes += blobs.summary().bytes;

  for (const OutboxEntry& entry : checkpoint.outbox) {
    batch.put(outbox_key(entry.sequence), encode_outbox(entry));
  }
  head.outbox_from = std::max(head.outbox_from, checkpoint.outbox_published_to);
  if (head.outbox_from - head_.outbox_from > kErasedOneByOneMax) {
    batch.erase_range(outbox_key(head_.outbox_from), outbox_key(head.outbox_from));
  } else {
    for (uint64_t sequence = head_.outbox_from; sequence < head.outbox_from; ++sequence) {
      batch.erase(outbox_key(sequence));
    }
  }
  batch.put(head_key(), encode_head(head));
  KAPPA_RETURN_IF_ERROR(store_->write(batch, /*sync=*/true));
  head_ = std::move(head);
  loaded_ = absl::OkStatus();
  return absl::OkStatus();
}

absl::StatusOr<std::vector<OutboxEntry>> CheckpointStore::read_outbox() const {
  if (!loaded_.ok()) return loaded_;
  std::vector<OutboxEntry> entries;
  absl::Status damage;
  KAPPA_RETURN_IF_ERROR(store_->scan(outbox_key(head_.outbox_from), "p",
                                     [&](std::string_view key, std::string_view value) {
                                       auto entry = decode_outbox(key, value);
                                       damage = entry.status();
                                       if (damage.ok()) entries.push_back(*std::move(entry));
                                       return damage.ok();
                                     }));
  if (!damage.ok()) return damage;
  return entries;
}

absl::StatusOr<std::vector<std::pair<std::string, std::string>>> CheckpointStore::read_blobs(
    uint64_t checkpoint) const {
  absl::StatusOr<std::string> stored = store_->get(summary_key(checkpoint));
  if (absl::IsNotFound(stored.status())) {
    return absl::DataLossError(absl::StrCat("checkpoint ", checkpoint, " is missing; the last is ",
                                            head_.number, " and ", head_.oldest,
                                            " the oldest that must be there"));
  }
  KAPPA_RETURN_IF_ERROR(stored.status());
  KAPPA_ASSIGN_OR_RETURN(const DeltaSummary summary, decode_summary(checkpoint, *stored));
  std::vector<std::pair<std::string, std::string>> blobs;
  uint64_t bytes = 0;
  KAPPA_RETURN_IF_ERROR(store_->scan(delta_prefix(checkpoint), delta_prefix(checkpoint + 1),
                                     [&](std::string_view key, std::string_view value) {
                                       blobs.emplace_back(key, value);
                                       bytes += value.size();
                                       return true;
                                     }));
  if (blobs.size() != summary.blobs || bytes != summary.bytes) {
    return absl::DataLossError(absl::StrCat("checkpoint ", checkpoint, " has ", blobs.size(),
                                            " blobs of ", bytes, " bytes instead of ",
                                            summary.blobs, " of ", summary.bytes));
  }
  return blobs;
}

namespace {

// The rows of a blob, in their order. DataLoss if it does not consist of rows.
absl::StatusOr<std::vector<PackedRow>> rows_of_blob(std::string_view key, std::string_view stored) {
  KAPPA_ASSIGN_OR_RETURN(std::string_view rest, open_blob(key, stored));
  std::vector<PackedRow> rows;
  while (!rest.empty()) {
    if (!take_packed(&rest, &rows.emplace_back())) {
      return absl::DataLossError("a delta blob holds something that is no row");
    }
  }
  return rows;
}

}  // namespace

// Newest first: the first word on a key is the last. Only the keys are remembered.
absl::Status CheckpointStore::read_rows(const VisitRow& visit) const {
  if (!loaded_.ok()) return loaded_;
  Arena arena;
  absl::flat_hash_set<absl::string_view> seen;
  std::string key;
  for (uint64_t number = head_.number; number >= head_.oldest; --number) {
    KAPPA_ASSIGN_OR_RETURN(const auto blobs, read_blobs(number));
    for (auto blob = blobs.rbegin(); blob != blobs.rend(); ++blob) {
      const TableId table = table_of_delta_key(blob->first);
      KAPPA_ASSIGN_OR_RETURN(const std::vector<PackedRow> rows,
                             rows_of_blob(blob->first, blob->second));
      for (auto row = rows.rbegin(); row != rows.rend(); ++row) {
        key = row_key(table, row->key_group, row->key);
        if (seen.contains(absl::string_view(key.data(), key.size()))) continue;
        const StringRef kept = arena.copy(key);
        seen.insert(absl::string_view(kept.data, kept.size));
        if (!row->deleted)
          KAPPA_RETURN_IF_ERROR(visit(table, row->key_group, row->key, row->value));
      }
    }
  }
  absl::Status visited;
  KAPPA_RETURN_IF_ERROR(
      store_->scan("r", "s", [&](std::string_view stored, std::string_view value) {
        if (seen.contains(absl::string_view(stored.data(), stored.size()))) return true;
        const absl::StatusOr<RowKeyParts> parts = decode_row_key(stored);
        visited =
            parts.ok() ? visit(parts->table, parts->key_group, parts->key, value) : parts.status();
        return visited.ok();
      }));
  return visited;
}

}  // namespace kappa::state
