#include "state/checkpoint.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "absl/strings/str_cat.h"
#include "engine/types/failpoint.h"
#include "engine/types/invariant.h"
#include "engine/types/status_macros.h"

namespace kappa::state {
namespace {

// Void blobs are erased when there are so many, or they are so large.
constexpr uint64_t kVoidBytes = 8u << 20;
constexpr uint64_t kVoidParts = 256;
// More outbox entries than this are forgotten by range.
constexpr uint64_t kErasedOneByOneMax = 4096;

// The blobs of a checkpoint, on their way into a store.
class BlobWriter {
 public:
  BlobWriter(uint64_t checkpoint, uint64_t run_bytes)
      : checkpoint_(checkpoint), run_bytes_(run_bytes) {}

  // Takes the table's blobs.
  void add(PackedTable& table) {
    CheckpointPart& part = parts_[table.id];
    for (std::string& blob : table.blobs) {
      seal_blob(&blob);
      part.bytes += blob.size();
      blobs_[table.id].emplace_back(delta_key(checkpoint_, table.id, part.blobs++),
                                    std::move(blob));
    }
    table.blobs.clear();
  }
  // By table; of those that have blobs.
  const std::map<TableId, CheckpointPart>& parts() const { return parts_; }
  // Adds large parts to the store, as runs, and the blobs of the others to a batch.
  absl::Status write(StateStore* store, WriteBatch* batch) {
    for (auto& [table, blobs] : blobs_) {
      if (parts_[table].bytes >= run_bytes_) {
        KAPPA_RETURN_IF_ERROR(store->add_run(blobs));
      } else {
        for (auto& [key, blob] : blobs) batch->put(std::move(key), std::move(blob));
      }
    }
    blobs_.clear();
    return absl::OkStatus();
  }

 private:
  const uint64_t checkpoint_;
  const uint64_t run_bytes_;
  std::map<TableId, CheckpointPart> parts_;
  std::map<TableId, std::vector<StateStore::Entry>> blobs_;
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
  entry.sequence = sequence_of_outbox_key(key);
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

void put_outbox(const Checkpoint& checkpoint, CheckpointHead* head, WriteBatch* batch) {
  for (const OutboxEntry& entry : checkpoint.outbox) {
    KAPPA_INVARIANT(entry.topic.size() < 1u << 16, "a topic's name is short");
    batch->put(outbox_key(entry.sequence), encode_outbox(entry));
  }
  const uint64_t from = head->outbox_from;
  const uint64_t to = std::max(from, checkpoint.outbox_published_to);
  if (to - from > kErasedOneByOneMax) {
    batch->erase_range(outbox_key(from), outbox_key(to));
  } else {
    for (uint64_t sequence = from; sequence < to; ++sequence) batch->erase(outbox_key(sequence));
  }
  head->outbox_from = to;
}

void put_kept(const KeptChanges& kept, WriteBatch* batch) {
  for (const auto& [from, to] : kept.erased) batch->erase_range(kept_key(from), kept_key(to));
  for (const auto& [key, value] : kept.added) batch->put(kept_key(key), value);
}

}  // namespace

CheckpointStore::CheckpointStore(StateStore* store, uint64_t run_bytes)
    : store_(store), run_bytes_(run_bytes) {
  loaded_ = load_head();
  if (loaded_.ok()) loaded_ = load_parts();
  numbered_to_ = head_.number;
  if (loaded_.ok() || absl::IsNotFound(loaded_)) {
    if (const absl::Status found = find_left_over(); !found.ok()) loaded_ = found;
  }
}

absl::Status CheckpointStore::load_head() {
  const absl::StatusOr<std::string> stored = store_->get(head_key());
  if (absl::IsNotFound(stored.status())) return absl::NotFoundError("no checkpoint yet");
  KAPPA_RETURN_IF_ERROR(stored.status());
  KAPPA_ASSIGN_OR_RETURN(head_, decode_head(*stored));
  return absl::OkStatus();
}

absl::Status CheckpointStore::load_parts() {
  absl::Status damage;
  uint64_t blobs = 0;
  uint64_t bytes = 0;
  KAPPA_RETURN_IF_ERROR(store_->scan("c", "d", [&](std::string_view key, std::string_view value) {
    const absl::StatusOr<StoredPart> stored = decode_part(key, value);
    damage = stored.status();
    if (!damage.ok()) return false;
    blobs += stored->part.blobs;
    bytes += stored->part.bytes;
    parts_[stored->table].emplace(stored->checkpoint, stored->part);
    return true;
  }));
  KAPPA_RETURN_IF_ERROR(damage);
  if (blobs == head_.blobs && bytes == head_.bytes) return absl::OkStatus();
  return absl::DataLossError(absl::StrCat("checkpoint ", head_.number, " stands on ", head_.blobs,
                                          " blobs of ", head_.bytes,
                                          " bytes, but the store knows of ", blobs, " of ", bytes));
}

absl::Status CheckpointStore::find_left_over() {
  absl::Status damage;
  KAPPA_RETURN_IF_ERROR(store_->scan(
      delta_key(head_.number + 1, {}, 0), "e", [&](std::string_view key, std::string_view) {
        const absl::StatusOr<uint64_t> checkpoint = checkpoint_of_delta_key(key);
        damage = checkpoint.status();
        if (!damage.ok()) return false;
        numbered_to_ = *checkpoint;
        left_over_.emplace_back(key);
        return true;
      }));
  return damage;
}

// Not synced: if this is lost, they are found again.
absl::Status CheckpointStore::erase_left_over() {
  if (left_over_.empty()) return absl::OkStatus();
  KAPPA_RETURN_IF_ERROR(store_->drop_run(left_over_.front(), left_over_.back()));
  WriteBatch batch;
  for (std::string& key : left_over_) batch.erase(std::move(key));
  left_over_.clear();
  return store_->write(batch, /*sync=*/false);
}

absl::StatusOr<std::string> CheckpointStore::read_place() const {
  if (!loaded_.ok()) return loaded_;
  return head_.place;
}

absl::StatusOr<std::vector<OutboxEntry>> CheckpointStore::read_outbox() const {
  if (!loaded_.ok()) return loaded_;
  std::vector<OutboxEntry> entries;
  KAPPA_RETURN_IF_ERROR(visit_outbox(head_.outbox_from, [&](const OutboxEntry& entry) {
    entries.push_back(entry);
    return true;
  }));
  return entries;
}

absl::Status CheckpointStore::visit_outbox(
    uint64_t from, const std::function<bool(const OutboxEntry&)>& visit) const {
  absl::Status damage;
  KAPPA_RETURN_IF_ERROR(
      store_->scan(outbox_key(from), "p", [&](std::string_view key, std::string_view value) {
        const auto entry = decode_outbox(key, value);
        damage = entry.status();
        return damage.ok() && visit(*entry);
      }));
  return damage;
}

absl::Status CheckpointStore::visit_kept(
    std::string_view from, std::string_view to,
    const std::function<bool(std::string_view key, std::string_view value)>& visit) const {
  return store_->scan(
      kept_key(from), kept_key(to),
      [&](std::string_view key, std::string_view value) { return visit(key.substr(1), value); });
}

// ---- writing --------------------------------------------------------------------------------

absl::Status CheckpointStore::write(Checkpoint& checkpoint) {
  if (!loaded_.ok() && !absl::IsNotFound(loaded_)) return loaded_;
  KAPPA_RETURN_IF_ERROR(failed_);
  failed_ = erase_left_over();
  KAPPA_RETURN_IF_ERROR(failed_);
  CheckpointHead head = head_;
  head.number = ++numbered_to_;
  head.place = checkpoint.place;

  BlobWriter blobs(head.number, run_bytes_);
  std::map<TableId, std::vector<PackedHead>> said;
  for (PackedTable& table : checkpoint.tables) {
    said[table.id].push_back(table.head);
    if (table.events) event_logs_.insert(table.id);
    if (!table.blobs.empty()) blobs.add(table);
  }
  for (const auto& [table, heads] : said) follow(table, heads, &head);
  WriteBatch batch;
  for (const auto& [table, part] : blobs.parts()) {
    head.blobs += part.blobs;
    head.bytes += part.bytes;
    batch.put(part_key(table, head.number), encode_part(part));
  }
  failed_ = blobs.write(store_, &batch);
  KAPPA_RETURN_IF_ERROR(failed_);
  fail_here_if_asked("checkpoint.runs_added");
  put_outbox(checkpoint, &head, &batch);
  put_kept(checkpoint.kept, &batch);
  batch.put(head_key(), encode_head(head));
  failed_ = store_->write(batch, /*sync=*/true);
  KAPPA_RETURN_IF_ERROR(failed_);
  for (const auto& [table, part] : blobs.parts()) parts_[table].emplace(head.number, part);
  head_ = std::move(head);
  loaded_ = absl::OkStatus();
  return absl::OkStatus();
}

// A table counts checkpoints by itself. What it says about the last n of them is about our last n
// only if all tables of this id took part in all of those.
void CheckpointStore::follow(TableId id, const std::vector<PackedHead>& said,
                             CheckpointHead* head) {
  Followed& followed = followed_[id];
  followed.lost = followed.lost || said.size() < followed.tables.size();
  if (followed.lost) return;
  bool steady = said.size() == followed.tables.size();
  for (size_t i = 0; i < said.size() && steady; ++i) {
    steady = said[i].sequence == followed.tables[i].sequence + 1;
  }
  if (!steady) {
    followed.tables.assign(said.size(), {});
    followed.steady_since = head->number;
  }
  uint64_t start = std::numeric_limits<uint64_t>::max();
  for (size_t i = 0; i < said.size(); ++i) {
    Followed::Table& table = followed.tables[i];
    table.sequence = said[i].sequence;
    if (said[i].whole_from > 0) {
      table.start = said[i].whole_from;
    } else if (said[i].whole_in > 0 &&
               head->number >= followed.steady_since + said[i].whole_in - 1) {
      table.start = head->number - said[i].whole_in + 1;
    }
    start = std::min(start, table.start);
  }
  if (start == 0) return;
  uint64_t& known = head->starts[id];
  known = std::max(known, start);
}

// ---- erasing what is void -------------------------------------------------------------------

template <typename F>
void CheckpointStore::for_each_void(F&& f) const {
  for (const auto& [table, start] : head_.starts) {
    const auto parts = parts_.find(table);
    if (parts == parts_.end()) continue;
    for (const auto& [checkpoint, part] : parts->second) {
      if (checkpoint >= start) break;
      f(table, checkpoint, part);
    }
  }
}

bool CheckpointStore::should_erase_void() const {
  uint64_t bytes = 0;
  uint64_t parts = 0;
  for_each_void([&](TableId /*table*/, uint64_t /*checkpoint*/, const CheckpointPart& part) {
    bytes += part.bytes;
    ++parts;
  });
  return bytes > kVoidBytes || parts > kVoidParts;
}

void CheckpointStore::erase_part(TableId table, uint64_t checkpoint, const CheckpointPart& part,
                                 CheckpointHead* head, WriteBatch* batch) {
  for (uint32_t n = 0; n < part.blobs; ++n) batch->erase(delta_key(checkpoint, table, n));
  batch->erase(part_key(table, checkpoint));
  head->blobs -= part.blobs;
  head->bytes -= part.bytes;
}

absl::Status CheckpointStore::drop_part(TableId table, uint64_t checkpoint,
                                        const CheckpointPart& part) {
  if (part.bytes < run_bytes_) return absl::OkStatus();
  return store_->drop_run(delta_key(checkpoint, table, 0),
                          delta_key(checkpoint, table, part.blobs - 1));
}

// Not synced: if this is lost, the blobs are void again, whether they are there or not.
absl::Status CheckpointStore::erase_void() {
  if (absl::IsNotFound(loaded_)) return absl::OkStatus();
  KAPPA_RETURN_IF_ERROR(loaded_);
  KAPPA_RETURN_IF_ERROR(failed_);
  CheckpointHead head = head_;
  WriteBatch batch;
  for_each_void([&](TableId table, uint64_t checkpoint, const CheckpointPart& part) {
    erase_part(table, checkpoint, part, &head, &batch);
  });
  batch.put(head_key(), encode_head(head));
  failed_ = store_->write(batch, /*sync=*/false);
  KAPPA_RETURN_IF_ERROR(failed_);
  for_each_void([&](TableId table, uint64_t checkpoint, const CheckpointPart& part) {
    if (failed_.ok()) failed_ = drop_part(table, checkpoint, part);
  });
  KAPPA_RETURN_IF_ERROR(failed_);
  for (const auto& [table, start] : head_.starts) {
    auto& parts = parts_[table];
    parts.erase(parts.begin(), parts.lower_bound(start));
  }
  head_ = std::move(head);
  return absl::OkStatus();
}

absl::Status CheckpointStore::keep_only(const std::set<uint64_t>& operator_ids, std::string place) {
  KAPPA_RETURN_IF_ERROR(loaded_);
  KAPPA_RETURN_IF_ERROR(failed_);
  CheckpointHead head = head_;
  head.place = std::move(place);
  head.outbox_from = 0;
  WriteBatch batch;
  const auto forgotten = [&](TableId table) { return !operator_ids.contains(table.operator_id); };
  for (const auto& [table, parts] : parts_) {
    if (!forgotten(table)) continue;
    for (const auto& [checkpoint, part] : parts) erase_part(table, checkpoint, part, &head, &batch);
    head.starts.erase(table);
  }
  batch.erase_range(kept_key(""), "l");
  batch.erase_range(outbox_key(0), "p");
  batch.put(head_key(), encode_head(head));
  failed_ = store_->write(batch, /*sync=*/true);
  KAPPA_RETURN_IF_ERROR(failed_);
  for (const auto& [table, parts] : parts_) {
    if (!forgotten(table)) continue;
    for (const auto& [checkpoint, part] : parts) {
      failed_ = drop_part(table, checkpoint, part);
      KAPPA_RETURN_IF_ERROR(failed_);
    }
  }
  std::erase_if(parts_, [&](const auto& known) { return forgotten(known.first); });
  head_ = std::move(head);
  return absl::OkStatus();
}

}  // namespace kappa::state
