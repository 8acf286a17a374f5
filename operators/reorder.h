#pragma once

#include <memory>
#include <queue>
#include <vector>

#include "operators/operator.h"
#include "operators/timers.h"

namespace kappa::operators {

// Holds rows back until the watermark has passed their event time: emit = 'final' over OVER. On one
// worker it holds the rows that arise there.
//
//   row arrives ─► below the watermark? ─yes─► late output
//                          │no
//                          ▼
//                       it waits ─► watermark >= event time + 1 µs: it comes out
//
// Rows come out at the place where the watermark passes them, ascending by event time; those of one
// time are peers, and come in the order of their records' (topic, partition, offset, ordinal),
// which says the same in every run.
//
// State: key = (topic, partition, offset, ordinal), values = the columns of the input.
class Reorder final : public Operator {
 public:
  Reorder(const Plan& plan, NodeId node);

  void process(const Batch& input, const OperatorContext& context,
               std::vector<Batch>* out) override;
  std::vector<state::Table*> tables() override { return {table_.get()}; }
  void restored(int64_t watermark_us) override;

 private:
  struct Waiting {
    int64_t event_time;
    state::RowId row;
    bool operator>(const Waiting& other) const { return event_time > other.event_time; }
  };
  std::vector<uint32_t> accept(const Batch& input, const OperatorContext& context) const;
  void wait(const Batch& input, const std::vector<ColumnRef>& key,
            const std::vector<uint32_t>& rows);
  // Takes what waits and is due out of the table.
  std::vector<ColumnRef> take_due(int64_t watermark_us, Arena& arena);
  // What comes out, given its columns in any order.
  Batch in_order(std::vector<ColumnRef> columns, const OperatorContext& context) const;

  const PlanNode& node_;
  const ReorderNode& op_;
  const Schema& input_schema_;
  const TimerOwner timer_owner_;
  std::unique_ptr<state::Table> table_;
  std::priority_queue<Waiting, std::vector<Waiting>, std::greater<>> waiting_;
};

}  // namespace kappa::operators
