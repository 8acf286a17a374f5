#include "operators/session_sides.h"

#include <algorithm>

#include "operators/session_sketches.h"
#include "operators/session_values.h"

namespace kappa::operators {
namespace {

// Whether an earlier call has the same result, which the accumulators then share.
bool comes_again(const AggregateNode& op, size_t call) {
  const AggregateCall& of = op.calls[call];
  return std::any_of(op.calls.begin(), op.calls.begin() + static_cast<std::ptrdiff_t>(call),
                     [&](const AggregateCall& other) {
                       return other.kind == of.kind && other.argument == of.argument &&
                              other.filter == of.filter && other.quantile == of.quantile;
                     });
}

}  // namespace

SessionSides::SessionSides(const AggregateNode& op, const Schema& input, uint64_t operator_id,
                           const AccumulatorSet& accumulators, state::Table& sessions) {
  for (const int group : op.groups) key_.push_back(input[static_cast<size_t>(group)].type);
  key_.push_back(Type::timestamptz());
  for (size_t i = 0; i < op.calls.size(); ++i) {
    if (comes_again(op, i)) continue;
    const state::TableId id{operator_id, static_cast<uint8_t>(1 + i)};
    add_side(op, i, input, id, accumulators.side_fields(i), sessions);
  }
}

void SessionSides::add_side(const AggregateNode& op, size_t call, const Schema& input,
                            state::TableId id, std::span<const state::RowField> fields,
                            state::Table& sessions) {
  const AggregateCall& of = op.calls[call];
  switch (of.kind) {
    case AggregateKind::kCountDistinct:
      sides_.push_back(std::make_unique<SessionValues>(id, key_, op.groups, input, of.argument,
                                                       of.filter, fields[0], sessions));
      return;
    case AggregateKind::kApproxQuantile:
      buckets_of(of, op, id, sessions)
          .keep_quantile({of.quantile, fields[0], fields[1], fields[2]});
      return;
    case AggregateKind::kApproxCountDistinct:
      sides_.push_back(std::make_unique<SessionSketches>(id, key_, op.groups, of.argument,
                                                         of.filter, fields[0], sessions));
      return;
    default:
      return;
  }
}

SessionBuckets& SessionSides::buckets_of(const AggregateCall& call, const AggregateNode& op,
                                         state::TableId id, state::Table& sessions) {
  for (SessionBuckets* buckets : buckets_) {
    if (buckets->is_of(call.argument, call.filter)) return *buckets;
  }
  auto made =
      std::make_unique<SessionBuckets>(id, key_, op.groups, call.argument, call.filter, sessions);
  buckets_.push_back(made.get());
  sides_.push_back(std::move(made));
  return *buckets_.back();
}

std::vector<state::Table*> SessionSides::tables() const {
  std::vector<state::Table*> tables;
  for (const auto& side : sides_) tables.push_back(&side->table());
  return tables;
}

void SessionSides::add(const SessionRows& rows) {
  for (const auto& side : sides_) side->add(rows);
}

size_t SessionSides::size(SessionName session) const {
  size_t size = 0;
  for (const auto& side : sides_) size += side->size(session);
  return size;
}

SessionName SessionSides::merge(const Named& joined, const Named& other) {
  const bool keeps = size(joined.name) >= size(other.name);
  const Named& to = keeps ? joined : other;
  const Named& from = keeps ? other : joined;
  for (const auto& side : sides_) side->merge({from.name, to.name, to.row, joined.row});
  return to.name;
}

void SessionSides::erase(SessionName session) {
  for (const auto& side : sides_) side->erase(session);
}

void SessionSides::restored(OpenSessions& open) {
  for (const auto& side : sides_) side->restored(open);
}

}  // namespace kappa::operators
