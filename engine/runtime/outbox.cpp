#include "engine/runtime/outbox.h"

#include <algorithm>
#include <iterator>
#include <map>
#include <utility>

#include "absl/strings/str_cat.h"
#include "engine/log/outbox_publisher.h"
#include "engine/runtime/dead_letter.h"
#include "engine/runtime/outbox_entry.h"
#include "engine/types/hash.h"
#include "engine/types/status_macros.h"

namespace kappa::runtime {

using operators::NodeId;
using operators::SideRow;
using operators::ViewNode;

namespace {

void count(const SideRow& row, SideCounts* counts) {
  switch (row.kind) {
    case SideRow::Kind::kError:
      ++counts->errors;
      break;
    case SideRow::Kind::kDuplicate:
      ++counts->duplicates;
      break;
    case SideRow::Kind::kLate:
      ++counts->late;
      break;
    case SideRow::Kind::kOutput:
      counts->outputs += row.rows;
      counts->content += row.content;
      return;
  }
  counts->content += hash_bytes(row.text.data(), row.text.size());
}

void add_identity(NodeId statement, uint32_t ordinal, log::OutboxRecord* record) {
  record->headers.emplace_back("kappa-statement", absl::StrCat(statement));
  record->headers.emplace_back("kappa-ordinal", absl::StrCat(ordinal));
}

}  // namespace

Outbox::Outbox(const operators::Plan& plan, std::string product, bool muted)
    : plan_(plan), product_(std::move(product)), muted_(muted) {}

const ViewNode* Outbox::view_below(NodeId id) const {
  if (const auto* view = std::get_if<ViewNode>(&plan_.node(id).op)) return view;
  for (const operators::PlanNode& node : plan_.nodes) {
    if (std::find(node.inputs.begin(), node.inputs.end(), id) == node.inputs.end()) continue;
    if (const ViewNode* view = view_below(node.id)) return view;
  }
  return nullptr;
}

std::string Outbox::destination(const SideRow& row, const TopicPartition& source) const {
  if (row.kind == SideRow::Kind::kOutput) {
    return operators::sink_of(plan_, row.node).topic;
  }
  if (row.kind == SideRow::Kind::kLate) {
    const ViewNode* view = view_below(row.node);
    return absl::StrCat(view ? view->name : product_, ".late");
  }
  // At a moment, a tick or an end mark, no record is to blame: the statement is.
  std::string name = source.topic;
  if (name.empty()) {
    const ViewNode* view = view_below(row.node);
    name = view ? view->name : product_;
  }
  return absl::StrCat(name, ".dead-letters");
}

void Outbox::collect(const std::vector<SideRow>& side, const Epoch& epoch,
                     const OrderReader& reader, Place* place) {
  uint32_t ordinal = 0;
  for (size_t i = 0; i < side.size(); ++i) {
    const SideRow& row = side[i];
    SideCounts& counts = place->side[row.node];
    count(row, &counts);
    const bool same =
        i > 0 && side[i - 1].place.place() == row.place.place() && side[i - 1].node == row.node;
    ordinal = same ? ordinal + 1 : 0;
    if (!row.wanted) continue;
    if (!muted_) {
      leave(record_of(row, ordinal, epoch, reader), place);
    } else if (row.event_time_us) {
      kept_.keep(row.node, *row.event_time_us, counts.outputs + counts.errors,
                 record_of(row, ordinal, epoch, reader));
    }
  }
}

log::OutboxRecord Outbox::record_of(const SideRow& row, uint32_t ordinal, const Epoch& epoch,
                                    const OrderReader& reader) const {
  const EpochPlace at = epoch.at(row.place.place());
  log::OutboxRecord record;
  record.timestamp = LogTime{at.known_at_ms};
  TopicPartition source;
  if (at.record != nullptr) {
    source = reader.partition(at.partition);
    record.headers = {{"kappa-topic", source.topic},
                      {"kappa-partition", absl::StrCat(source.partition)},
                      {"kappa-offset", absl::StrCat(at.record->offset.value)}};
  }
  record.topic = destination(row, source);
  add_identity(row.node, ordinal, &record);
  const bool dead = row.kind == SideRow::Kind::kError || row.kind == SideRow::Kind::kDuplicate;
  if (dead) {
    add_dead_letter(row, at, &record);
  } else {
    record.key = row.key;
    if (!row.tombstone) record.value = row.text;
  }
  return record;
}

void Outbox::add_dead_letter(const SideRow& row, const EpochPlace& at,
                             log::OutboxRecord* letter) const {
  letter->headers.emplace_back("kappa-reason", row.text);
  if (row.position.line > 0) {
    const ViewNode* view = view_below(row.node);  // none: an INSERT INTO
    if (view) letter->headers.emplace_back("kappa-view", view->name);
    letter->headers.emplace_back("kappa-sql-position",
                                 absl::StrCat(row.position.line, ":", row.position.column));
  }
  if (at.record == nullptr) return;
  if (at.record->key) letter->key.emplace(at.record->key, at.record->key_size);
  if (at.record->value) letter->value.emplace(at.record->value, at.record->value_size);
  add_original_headers(*at.record, &letter->headers);
}

void Outbox::leave(log::OutboxRecord record, Place* place) {
  record.sequence = place->outbox_next++;
  record.headers.emplace_back(log::kOutboxSequenceHeader,
                              absl::StrCat(product_, "/", record.sequence));
  unsaved_.push_back(encode(record));
}

void Outbox::add(std::vector<OutputRecord> records, LogTime time, Place* place) {
  std::map<NodeId, uint32_t> ordinals;
  for (OutputRecord& from : records) {
    log::OutboxRecord record;
    record.topic = operators::sink_of(plan_, from.output).topic;
    record.timestamp = time;
    record.key = std::move(from.key);
    record.value = std::move(from.payload);
    add_identity(from.output, ordinals[from.output]++, &record);
    leave(std::move(record), place);
  }
}

absl::Status Outbox::say_kept(const state::CheckpointStore& store,
                              const std::map<NodeId, int64_t>& from_us, Place* place) {
  std::vector<log::OutboxRecord> all;
  for (const auto& [output, from] : from_us) {
    KAPPA_ASSIGN_OR_RETURN(std::vector<log::OutboxRecord> records, kept_.read(store, output, from));
    std::move(records.begin(), records.end(), std::back_inserter(all));
  }
  for (log::OutboxRecord& record : all) leave(std::move(record), place);
  kept_.drop_all();
  return absl::OkStatus();
}

std::vector<state::OutboxEntry> Outbox::take_unsaved() {
  return std::exchange(unsaved_, {});
}

}  // namespace kappa::runtime
