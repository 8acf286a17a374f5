#include "engine/serve/output_cursor.h"

#include <algorithm>
#include <numeric>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "engine/serve/api_error.h"
#include "engine/serve/wire.h"
#include "engine/types/status_macros.h"
#include "engine/types/text.h"
#include "kappa/v1/subscribe.pb.h"

namespace kappa::serve {
namespace {

constexpr size_t kBlockBytes = 64u << 10;
constexpr std::chrono::seconds kPatience{30};

std::vector<int> all_columns(const schemas::Source& table) {
  std::vector<int> columns(table.columns.size());
  std::iota(columns.begin(), columns.end(), 0);
  return columns;
}

absl::Status unknown_output(const ServedProduct& product, std::string_view output,
                            const std::vector<std::string>& known) {
  const std::string hint =
      known.empty() ? "it has none" : absl::StrCat("outputs: ", absl::StrJoin(known, ", "));
  return with_reason(absl::NotFoundError(absl::StrCat("product ", product.name, " has no output \"",
                                                      to_absl(output), "\"; ", hint)),
                     "OUTPUT_NOT_FOUND",
                     {{"product", product.name}, {"output", std::string(output)}});
}

void write_key(const schemas::Source& table, const Batch& rows, size_t row, v1::Row* key) {
  for (const int column : table.primary_key) {
    to_wire(*rows.columns[static_cast<size_t>(column)], row, key->add_values());
  }
}

}  // namespace

uint64_t OutputRef::token_scope() const {
  return serve::token_scope(product->name, table->name, table->topic);
}

void OutputRef::to_wire(v1::OutputHeader* header) const {
  header->set_product(product->name);
  header->set_output(table->name);
  header->set_topic(table->topic);
  for (const schemas::SourceColumn& column : table->columns) {
    serve::to_wire(operators::Field{column.name, column.type}, header->add_columns());
  }
  for (const int column : table->primary_key) {
    header->add_key(table->columns[static_cast<size_t>(column)].name);
  }
  header->set_upsert(table->upsert);
  header->set_generation(product->generation);
}

absl::StatusOr<OutputRef> find_output(const Products& products, std::string_view product,
                                      std::string_view output) {
  KAPPA_ASSIGN_OR_RETURN(Products::Ref found, products.find_readable(product));
  const operators::Plan& plan = found->reader->plan();
  OutputRef ref{found, nullptr, {}};
  std::vector<std::string> known;
  for (const operators::PlanNode& node : plan.nodes) {
    if (!std::holds_alternative<operators::OutputNode>(node.op)) continue;
    const schemas::Source& table = operators::sink_of(plan, node.id);
    if (std::find(known.begin(), known.end(), table.name) == known.end()) {
      known.push_back(table.name);
    }
    if (table.name != output) continue;
    ref.table = &table;
    ref.feeds.insert(ref.feeds.end(), node.inputs.begin(), node.inputs.end());
  }
  if (ref.table == nullptr) return unknown_output(*found, output, known);
  return ref;
}

OutputCursor::OutputCursor(const log::Log& log, OutputRef output)
    : log_(log), output_(std::move(output)) {}

absl::StatusOr<std::unique_ptr<OutputCursor>> OutputCursor::open(
    const log::Log& log, OutputRef output, const std::optional<ResumeToken>& token,
    bool from_beginning) {
  if (token && token->scope != output.token_scope()) {
    return invalid_field("resume_token",
                         absl::StrCat("it is of another output than ", output.table->name,
                                      " of product ", output.product->name));
  }
  std::unique_ptr<OutputCursor> cursor(new OutputCursor(log, output));
  KAPPA_RETURN_IF_ERROR(cursor->set_output(std::move(output)));
  KAPPA_RETURN_IF_ERROR(
      cursor->open_parts(token ? token->next : std::vector<Offset>(), from_beginning));
  return cursor;
}

absl::Status OutputCursor::set_output(OutputRef output) {
  KAPPA_ASSIGN_OR_RETURN(decoder_, schemas::make_decoder(*output.table, all_columns(*output.table),
                                                         output.product->files));
  output_ = std::move(output);
  return absl::OkStatus();
}

TopicPartition OutputCursor::partition(size_t index) const {
  return {output_.table->topic, static_cast<int32_t>(index)};
}

// Those that are not open yet; `from` has a token's places, or none.
absl::Status OutputCursor::open_parts(const std::vector<Offset>& from, bool from_beginning) {
  const uint64_t version = log_.partitions_version();
  KAPPA_ASSIGN_OR_RETURN(const log::TopicInfo topic, log_.topic(output_.table->topic));
  const auto partitions = static_cast<size_t>(topic.config.partitions);
  if (from.size() > partitions) {
    return with_reason(
        absl::FailedPreconditionError(absl::StrCat(
            "resume_token: it knows ", from.size(), " partitions of topic ", topic.name,
            ", which has ", partitions, "; the topic has been made anew: begin without a token")),
        "TOKEN_OF_FORMER_TOPIC", {{"topic", topic.name}});
  }
  while (parts_.size() < partitions) {
    const size_t index = parts_.size();
    KAPPA_ASSIGN_OR_RETURN(const Offset at, first_offset(index, from, from_beginning));
    KAPPA_ASSIGN_OR_RETURN(auto reader, log_.open_reader(partition(index), at));
    // What is lost is not behind us before it has been told.
    parts_.push_back({std::move(reader), index < from.size() ? from[index] : at});
  }
  partitions_version_ = version;
  return absl::OkStatus();
}

absl::StatusOr<Offset> OutputCursor::first_offset(size_t index, const std::vector<Offset>& from,
                                                  bool from_beginning) {
  KAPPA_ASSIGN_OR_RETURN(const log::PartitionRange range, log_.range(partition(index)));
  if (from.empty()) return from_beginning ? range.start : range.end;
  if (index >= from.size()) return range.start;  // of partitions that came later, all is new
  if (from[index] > range.end) {
    return with_reason(
        absl::FailedPreconditionError(absl::StrCat(
            "resume_token: topic ", output_.table->topic, " partition ", index, " ends at ",
            range.end.value, ", before offset ", from[index].value,
            "; the log has been made anew or has lost its end: begin without a token")),
        "TOKEN_OF_FORMER_TOPIC", {{"topic", output_.table->topic}});
  }
  if (from[index] >= range.start) return from[index];
  add_lagged(index, from[index], range.start);
  return range.start;
}

v1::SubscribeResponse* OutputCursor::add_event(size_t index, Offset next) {
  events_.push_back({next, std::make_unique<v1::SubscribeResponse>(), index});
  return events_.back().message.get();
}

void OutputCursor::add_lagged(size_t index, Offset from, Offset to) {
  v1::Lagged* lagged = add_event(index, to)->mutable_lagged();
  lagged->set_topic(output_.table->topic);
  lagged->set_partition(static_cast<int32_t>(index));
  lagged->set_from_offset(from.value);
  lagged->set_to_offset(to.value);
}

absl::StatusOr<bool> OutputCursor::next(v1::SubscribeResponse* event) {
  if (events_.empty() && log_.partitions_version() != partitions_version_) {
    KAPPA_RETURN_IF_ERROR(open_parts(places(), true));
  }
  for (size_t i = 0; i < parts_.size() && events_.empty(); ++i) {
    const size_t index = turn_;
    turn_ = (turn_ + 1) % parts_.size();
    KAPPA_RETURN_IF_ERROR(read(index));
  }
  if (events_.empty()) return false;
  Event& first = events_.front();
  parts_[first.partition].next = first.next;
  event->Swap(first.message.get());
  events_.pop_front();
  return true;
}

std::vector<Offset> OutputCursor::places() const {
  std::vector<Offset> places;
  places.reserve(parts_.size());
  for (const Part& part : parts_) places.push_back(part.next);
  return places;
}

absl::Status OutputCursor::read(size_t index) {
  Part& part = parts_[index];
  const absl::StatusOr<RecordBlock> block = part.reader->read(kBlockBytes);
  if (absl::IsUnavailable(block.status())) {
    // A log on other machines: worth waiting for, but not for ever.
    const auto now = std::chrono::steady_clock::now();
    if (!waiting_since_) waiting_since_ = now;
    return now - *waiting_since_ < kPatience ? absl::OkStatus() : block.status();
  }
  waiting_since_.reset();
  if (!block.ok()) return skip_lost(index, block.status());
  decode(index, *block);
  // What the log keeps for itself between records is not to be read again either.
  if (block->empty()) part.next = part.reader->position();
  return absl::OkStatus();
}

// Retention may have overtaken the reader; anything else is an error.
absl::Status OutputCursor::skip_lost(size_t index, const absl::Status& why) {
  Part& part = parts_[index];
  KAPPA_ASSIGN_OR_RETURN(const log::PartitionRange range, log_.range(partition(index)));
  if (part.reader->position() >= range.start) return why;
  add_lagged(index, part.reader->position(), range.start);
  part.reader->seek(range.start);
  return absl::OkStatus();
}

void OutputCursor::decode(size_t index, const RecordBlock& block) {
  Arena arena;
  schemas::Decoded decoded;
  decoder_->decode(block.records, arena, &decoded);
  Batch rows;
  rows.rows = decoded.records.size();
  for (Column& column : decoded.columns) {
    rows.columns.push_back(std::make_shared<const Column>(std::move(column)));
  }
  size_t row = 0;
  size_t malformed = 0;
  for (uint32_t i = 0; i < block.records.size(); ++i) {
    const RecordView& record = block.records[i];
    if (row < rows.rows && decoded.records[row] == i) {
      add_row(index, record, rows, row, !decoded.signs.empty() && decoded.signs[row] < 0);
      ++row;
    } else if (malformed < decoded.malformed.size() && decoded.malformed[malformed].record == i) {
      auto* unreadable = add_event(index, Offset{record.offset.value + 1})->mutable_unreadable();
      unreadable->set_partition(static_cast<int32_t>(index));
      unreadable->set_offset(record.offset.value);
      unreadable->set_reason(valid_utf8(decoded.malformed[malformed++].reason));
    }
  }
}

void OutputCursor::add_row(size_t index, const RecordView& record, const Batch& rows, size_t row,
                           bool deletes) {
  v1::OutputChange* change = add_event(index, Offset{record.offset.value + 1})->mutable_change();
  if (!deletes) to_wire(rows, row, change->mutable_row());
  if (!output_.table->primary_key.empty()) {
    write_key(*output_.table, rows, row, change->mutable_key());
  }
  change->set_timestamp_ms(record.timestamp.ms);
  change->set_partition(static_cast<int32_t>(index));
  change->set_offset(record.offset.value);
}

}  // namespace kappa::serve
