#include "operators/output.h"

#include <numeric>
#include <utility>

#include "engine/types/hash.h"
#include "engine/types/time.h"

namespace kappa::operators {

Output::Output(const Plan& plan, NodeId node, std::unique_ptr<schemas::RowEncoder> encoder,
               const int64_t* wanted_from_us, std::optional<FinalOutput> final)
    : node_(node),
      position_(insert_position(plan, node)),
      encoder_(std::move(encoder)),
      key_(sink_of(plan, node)),
      wanted_from_us_(wanted_from_us),
      final_(std::move(final)) {}

void Output::process(const Batch& input, const OperatorContext& context, std::vector<Batch>*) {
  if (input.empty()) return;
  std::vector<uint64_t> contents;
  hash_columns(input.columns, input.rows, &contents);
  const int64_t wanted_from_us = *wanted_from_us_;
  if (!final_ && wanted_from_us == kNoneWanted && !encoder_->can_fail()) {
    context.side.push_back(count(input, contents));
    return;
  }
  const std::vector<ColumnRef> key = key_.pick(input.columns);
  for (size_t i = 0; i < input.rows; ++i) {
    SideRow side{input.places[i], node_, SideRow::Kind::kOutput, {}, {}, {}};
    if (!input.ties.empty()) side.tie = input.ties[i].view();
    side.content = contents[i];
    side.event_time_us = event_time(input, i);
    side.wanted = wanted_from_us != kNoneWanted &&
                  side.event_time_us.value_or(wanted_from_us) >= wanted_from_us;
    encode(input, i, &side);
    if (side.wanted && side.kind == SideRow::Kind::kOutput) side.key = key_.at(key, i);
    context.side.push_back(std::move(side));
  }
}

std::optional<int64_t> Output::event_time(const Batch& input, size_t row) const {
  if (!final_) return std::nullopt;
  const Column& time = *input.columns[static_cast<size_t>(final_->column)];
  return saturating_add(time.values<int64_t>()[row], final_->offset_us);
}

SideRow Output::count(const Batch& input, const std::vector<uint64_t>& contents) const {
  SideRow side{input.places[0], node_, SideRow::Kind::kOutput, {}, {}, {}};
  side.content = std::accumulate(contents.begin(), contents.end(), uint64_t{0});
  side.wanted = false;
  side.rows = input.rows;
  return side;
}

// The payload; if there is none, why.
void Output::encode(const Batch& input, size_t row, SideRow* side) const {
  if (!side->wanted && !encoder_->can_fail()) return;
  const absl::Status status = encoder_->encode(input.columns, row, &side->text);
  if (status.ok()) {
    if (!side->wanted) side->text.clear();
    return;
  }
  side->kind = SideRow::Kind::kError;
  side->text = std::string(status.message());
  side->position = position_;
}

}  // namespace kappa::operators
