#include <map>

#include "test/runtime/model/model.h"

// The model's OVER, and what waits for the watermark below it.
namespace kappa::model {
namespace {

int64_t time_of(const Row& row, size_t event_time) {
  return std::get<int64_t>(row[event_time].data);
}

Row columns_of(const Row& row, const std::vector<size_t>& columns) {
  Row some;
  for (const size_t column : columns) some.push_back(row[column]);
  return some;
}

}  // namespace

void Model::wait(size_t n, const Change& change, size_t ordinal) {
  const auto& op = std::get<ReorderNode>(plan_.nodes[n].op);
  NodeState& state = nodes_[n];
  if (time_of(change.row, op.event_time) < state.in_us) return note_late(n);
  Row row = change.row;
  row.push_back(Value::text(place_->topic));
  row.push_back(Value::integer(place_->partition));
  row.push_back(Value::bigint(place_offset_));
  row.push_back(Value::integer(static_cast<int32_t>(ordinal)));
  state.waiting.push_back(std::move(row));
}

void Model::release(const ReorderNode& op, NodeState& state) {
  // Ascending by time, then by the record.
  std::map<Row, Row, RowLess> due;
  std::vector<Row> waiting;
  for (Row& row : state.waiting) {
    Row rank(row.end() - 4, row.end());
    rank.insert(rank.begin(), row[op.event_time]);
    if (time_of(row, op.event_time) < state.in_us) {
      due[std::move(rank)] = std::move(row);
    } else {
      waiting.push_back(std::move(row));
    }
  }
  state.waiting = std::move(waiting);
  for (auto& [rank, row] : due) {
    const int64_t due_us = time_of(row, op.event_time) + 1;
    state.out.push_back({1, std::move(row), false, {.due_us = due_us}});
  }
}

void Model::slide(size_t n, const std::vector<Change>& input) {
  const auto& op = std::get<SlidingNode>(plan_.nodes[n].op);
  NodeState& state = nodes_[n];
  for (size_t begin = 0; begin < input.size();) {
    // Final answers see all of the row's peers, the others only what came before.
    size_t end = begin;
    std::vector<size_t> positions;
    do {
      auto& rows = state.partitions[columns_of(input[end].row, op.partition)];
      positions.push_back(insert_by_time(op.event_time, input[end].row, &rows));
      ++end;
    } while (op.final && end < input.size() &&
             time_of(input[end].row, op.event_time) == time_of(input[begin].row, op.event_time));
    for (size_t i = begin; i < end; ++i) {
      const auto& rows = state.partitions[columns_of(input[i].row, op.partition)];
      Row answered = input[i].row;
      for (Value& value : answers(op, rows, positions[i - begin], state.in_us)) {
        answered.push_back(std::move(value));
      }
      if (op.notes_late && time_of(input[i].row, op.event_time) < state.in_us) note_late(n);
      state.out.push_back({1, std::move(answered), false, input[i].cause});
    }
    begin = end;
  }
}

}  // namespace kappa::model
