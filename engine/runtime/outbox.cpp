#include "engine/runtime/outbox.h"

#include <algorithm>
#include <optional>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "engine/runtime/byte_codec.h"
#include "engine/runtime/dead_letter.h"
#include "engine/types/hash.h"
#include "engine/types/invariant.h"
#include "engine/types/status_macros.h"

namespace kappa::runtime {

using operators::NodeId;
using operators::SideRow;
using operators::ViewNode;

namespace {

constexpr char kSequenceHeader[] = "kappa-outbox";

// A record on its way out, as the store keeps it.
struct Letter {
  LogTime timestamp;
  std::optional<std::string> key;
  std::optional<std::string> value;
  RecordHeaders headers;
};

void put(ByteWriter& out, const std::optional<std::string>& text) {
  out.u8(text ? 1 : 0);
  if (text) out.text(*text);
}

std::optional<std::string> get_optional(ByteReader& in) {
  if (in.u8() == 0) return std::nullopt;
  return std::string(in.text());
}

std::string encode(const Letter& letter) {
  ByteWriter out;
  out.i64(letter.timestamp.ms);
  put(out, letter.key);
  put(out, letter.value);
  out.u64(letter.headers.size());
  for (const auto& [name, value] : letter.headers) {
    out.text(name);
    out.text(value);
  }
  return out.take();
}

absl::StatusOr<Letter> decode(const std::string& bytes) {
  ByteReader in(bytes);
  Letter letter;
  letter.timestamp.ms = in.i64();
  letter.key = get_optional(in);
  letter.value = get_optional(in);
  for (uint64_t n = in.u64(); n > 0 && in.ok(); --n) {
    std::string name(in.text());
    letter.headers.emplace_back(std::move(name), std::string(in.text()));
  }
  if (!in.ok()) return absl::DataLossError("an outbox entry is damaged");
  return letter;
}

std::string sequence_text(const std::string& product, uint64_t sequence) {
  return absl::StrCat(product, "/", sequence);
}

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
      ++counts->outputs;
      break;
  }
  counts->content += hash_bytes(row.text.data(), row.text.size());
}

}  // namespace

Outbox::Outbox(const operators::Plan& plan, std::string product, log::Log* log, bool muted)
    : plan_(plan), product_(std::move(product)), log_(log), muted_(muted) {}

const ViewNode* Outbox::view_below(NodeId id) const {
  if (const auto* view = std::get_if<ViewNode>(&plan_.node(id).op)) return view;
  for (const operators::PlanNode& node : plan_.nodes) {
    if (std::find(node.inputs.begin(), node.inputs.end(), id) == node.inputs.end()) continue;
    if (const ViewNode* view = view_below(node.id)) return view;
  }
  return nullptr;
}

Outbox::Destination Outbox::destination(const SideRow& row, const TopicPartition& source) const {
  if (row.kind == SideRow::Kind::kOutput) {
    const auto& output = std::get<operators::OutputNode>(plan_.node(row.node).op);
    return {plan_.sources[static_cast<size_t>(output.sink)].topic, "output"};
  }
  if (row.kind == SideRow::Kind::kLate) {
    const ViewNode* view = view_below(row.node);
    return {absl::StrCat(view ? view->name : product_, ".late"), "late"};
  }
  // At a moment, a tick or an end mark, no record is to blame: the statement is.
  std::string name = source.topic;
  if (name.empty()) {
    const ViewNode* view = view_below(row.node);
    name = view ? view->name : product_;
  }
  return {absl::StrCat(name, ".dead-letters"), "dead-letter"};
}

void Outbox::collect(const std::vector<SideRow>& side, const Epoch& epoch,
                     const OrderReader& reader, Place* place) {
  uint32_t ordinal = 0;
  for (size_t i = 0; i < side.size(); ++i) {
    const SideRow& row = side[i];
    count(row, &place->side[row.node]);
    const bool same =
        i > 0 && side[i - 1].place.place() == row.place.place() && side[i - 1].node == row.node;
    ordinal = same ? ordinal + 1 : 0;
    const uint64_t sequence = place->outbox_next++;
    if (muted_) continue;
    const EpochPlace& at = epoch.places[row.place.place()];
    Letter letter;
    letter.timestamp = LogTime{at.known_at_ms};
    TopicPartition source;
    if (at.record != nullptr) {
      source = reader.partition(at.partition);
      letter.headers = {{"kappa-topic", source.topic},
                        {"kappa-partition", absl::StrCat(source.partition)},
                        {"kappa-offset", absl::StrCat(at.record->offset.value)}};
    }
    const Destination to = destination(row, source);
    letter.headers.emplace_back("kappa-statement", absl::StrCat(row.node));
    letter.headers.emplace_back("kappa-ordinal", absl::StrCat(ordinal));
    letter.headers.emplace_back(kSequenceHeader, sequence_text(product_, sequence));
    const bool dead = row.kind == SideRow::Kind::kError || row.kind == SideRow::Kind::kDuplicate;
    if (!dead) {
      letter.key = row.key;
      letter.value = row.text;
    } else {
      letter.headers.emplace_back("kappa-reason", row.text);
      if (const ViewNode* view = view_below(row.node); view && row.position.line > 0) {
        letter.headers.emplace_back("kappa-view", view->name);
        letter.headers.emplace_back("kappa-sql-position",
                                    absl::StrCat(row.position.line, ":", row.position.column));
      }
      if (at.record != nullptr && at.record->key) {
        letter.key.emplace(at.record->key, at.record->key_size);
      }
      if (at.record != nullptr && at.record->value) {
        letter.value.emplace(at.record->value, at.record->value_size);
      }
      if (at.record != nullptr) add_original_headers(*at.record, &letter.headers);
    }
    unsaved_.push_back({sequence, to.topic, encode(letter)});
  }
}

std::vector<state::OutboxEntry> Outbox::take_unsaved() {
  return std::exchange(unsaved_, {});
}

absl::Status Outbox::ensure_topic(const std::string& topic) {
  const auto known = log_->topic(topic);
  if (known.ok()) return absl::OkStatus();
  if (!absl::IsNotFound(known.status())) return known.status();
  return log_->create_topic(topic, log::TopicConfig{});
}

absl::Status Outbox::publish(const std::vector<state::OutboxEntry>& entries) {
  size_t next = 0;
  while (next < entries.size() && entries[next].sequence < published_to()) ++next;
  while (next < entries.size()) {
    // A run of entries for one topic goes out at once.
    const std::string& topic = entries[next].topic;
    KAPPA_RETURN_IF_ERROR(ensure_topic(topic));
    KAPPA_ASSIGN_OR_RETURN(const log::TopicInfo info, log_->topic(topic));
    std::vector<Letter> letters;
    const size_t first = next;
    for (; next < entries.size() && entries[next].topic == topic && next - first < 1024; ++next) {
      KAPPA_ASSIGN_OR_RETURN(Letter letter, decode(entries[next].payload));
      letters.push_back(std::move(letter));
    }
    std::vector<log::RecordToAppend> records;
    for (size_t i = 0; i < letters.size(); ++i) {
      const Letter& letter = letters[i];
      log::RecordToAppend record{letter.key, letter.value, letter.timestamp, {}, &letter.headers};
      if (!letter.key) {
        record.partition = static_cast<int32_t>(entries[first + i].sequence %
                                                static_cast<uint64_t>(info.config.partitions));
      }
      records.push_back(record);
    }
    KAPPA_ASSIGN_OR_RETURN(const auto appended, log_->append(topic, records));
    const std::lock_guard lock(mutex_);
    for (const log::AppendedAt& at : appended) {
      ends_[{topic, at.partition}] = Offset{at.offset.value + 1};
    }
    published_to_ = entries[next - 1].sequence + 1;
  }
  return absl::OkStatus();
}

absl::Status Outbox::find_published(const TopicPartition& partition, Offset from, uint64_t first,
                                    std::vector<bool>* published) {
  KAPPA_ASSIGN_OR_RETURN(const log::PartitionRange range, log_->range(partition));
  KAPPA_ASSIGN_OR_RETURN(const auto reader,
                         log_->open_reader(partition, std::max(from, range.start)));
  while (reader->position() < range.end) {
    KAPPA_ASSIGN_OR_RETURN(const RecordBlock block, reader->read(1u << 20));
    if (block.empty()) break;
    for (const RecordView& record : block.records) {
      for (const auto& [name, value] : parse_headers(record)) {
        if (name != kSequenceHeader) continue;
        uint64_t sequence = 0;
        const size_t slash = value.rfind('/');
        if (slash == std::string::npos || value.substr(0, slash) != product_) continue;
        if (!absl::SimpleAtoi(value.substr(slash + 1), &sequence)) continue;
        if (sequence >= first && sequence - first < published->size()) {
          (*published)[sequence - first] = true;
        }
      }
    }
  }
  return absl::OkStatus();
}

absl::Status Outbox::recover(const std::vector<state::OutboxEntry>& entries, const Place& place) {
  {
    const std::lock_guard lock(mutex_);
    published_to_ = entries.empty() ? place.outbox_next : entries.front().sequence;
    for (const auto& [partition, offset] : place.published) ends_[partition] = offset;
  }
  if (entries.empty() || muted_) return absl::OkStatus();
  const uint64_t first = entries.front().sequence;
  std::vector<bool> published(entries.back().sequence - first + 1);
  std::vector<std::string> topics;
  topics.reserve(entries.size());
  for (const state::OutboxEntry& entry : entries) topics.push_back(entry.topic);
  std::sort(topics.begin(), topics.end());
  topics.erase(std::unique(topics.begin(), topics.end()), topics.end());
  for (const std::string& topic : topics) {
    const auto info = log_->topic(topic);
    if (absl::IsNotFound(info.status())) continue;
    KAPPA_RETURN_IF_ERROR(info.status());
    for (int32_t p = 0; p < info->config.partitions; ++p) {
      const TopicPartition partition{topic, p};
      const auto end = std::find_if(place.published.begin(), place.published.end(),
                                    [&](const auto& known) { return known.first == partition; });
      const Offset from = end == place.published.end() ? Offset{0} : end->second;
      KAPPA_RETURN_IF_ERROR(find_published(partition, from, first, &published));
    }
  }
  std::vector<state::OutboxEntry> missing;
  for (const state::OutboxEntry& entry : entries) {
    if (!published[entry.sequence - first]) missing.push_back(entry);
  }
  KAPPA_RETURN_IF_ERROR(publish(missing));
  const std::lock_guard lock(mutex_);
  published_to_ = entries.back().sequence + 1;
  return absl::OkStatus();
}

uint64_t Outbox::published_to() const {
  const std::lock_guard lock(mutex_);
  return published_to_;
}

void Outbox::save(Place* place, uint64_t* published_to) const {
  const std::lock_guard lock(mutex_);
  *published_to = published_to_;
  place->published.assign(ends_.begin(), ends_.end());
}

}  // namespace kappa::runtime
